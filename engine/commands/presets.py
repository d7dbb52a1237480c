"""Without --check, list the presets: what they ask and the runs they consist of.

With --check, train every run and print its accuracies beside the published ones, and whether the claim of the preset
holds. Exit status 1 if one does not. With --json, an array of objects: id, page, title, question, note, claim,
published and runs (label → settings that differ from the defaults); with --check also holds and results."""

from __future__ import annotations

import argparse
import dataclasses

from engine import presets
from engine.commands.options import UsageError, settings
from engine.commands.terminal import print_json
from engine.commands.train import THREADS, Progress
from engine.errors import shorten
from engine.presets import Preset, Published, Result

CLAIM_FAILED = 1  # exit status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these (all without)")
    parser.add_argument(
        "--check", action="store_true", help="train them and compare with what was published and claimed"
    )
    parser.add_argument("--data", metavar="NAME", help="with --check: on this data set (mnist-5k)")
    parser.add_argument("--seed", metavar="N", help="with --check: with this seed (0)")
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def run(options: argparse.Namespace) -> int:
    """List presets, or check them."""
    chosen = [presets.get(id) for id in options.ids] or list(presets.PRESETS.values())
    if not options.check and (options.data or options.seed):
        raise UsageError("--data and --seed need --check.")
    changes = settings(options)
    rows, failed = [], False
    for preset in chosen:
        row = describe(preset)
        if options.check:
            results = presets.run(preset, watch=Progress(preset.id), threads=THREADS, **changes)
            holds = preset.claim.holds(results)
            failed |= not holds
            row |= {"holds": holds, "results": {label: dataclasses.asdict(r) for label, r in results.items()}}
            if not options.json:
                show_check(preset, results, holds)
        elif not options.json:
            print(f"{preset.id:<22} {preset.page:<15} {preset.question}")
            if len(preset.runs) > 1:
                print(f"{'':<22} {'runs':<15} {shorten('; '.join(preset.runs), 80)}")
        rows.append(row)
    if options.json:
        print_json(rows)
    return CLAIM_FAILED if failed else 0


def describe(preset: Preset) -> dict[str, object]:
    """Return a preset as values for JSON."""
    return {
        "id": preset.id,
        "page": preset.page,
        "title": preset.title,
        "question": preset.question,
        "note": preset.note,
        "claim": str(preset.claim.text),
        "published": {label: p and dataclasses.asdict(p) for label, p in preset.published.items()},
        "runs": {label: experiment.changes() for label, experiment in preset.runs.items()},
    }


def show_check(preset: Preset, results: presets.Results, holds: bool) -> None:
    """Print a preset's rows of the table, figures as train/test."""
    for label, result in results.items():
        published = accuracies(preset.published[label])
        print(f"{preset.id:<22} {label:<24} {published:<13} {accuracies(result):<13}")
    if not results:
        print(f"{preset.id:<22} {'computes':<24} {accuracies(None):<13} {accuracies(None):<13}")
    print(f"{'':22} {'holds' if holds else 'FAILS'}: {preset.claim.text}", flush=True)


def accuracies(figures: Result | Published | None) -> str:
    """Return "train/test" of figures, a dash for what is not known."""
    match figures:
        case Result():
            sign, both = "", (figures.train_accuracy, figures.test_accuracy)
        case Published():
            sign, both = "≈ " if figures.about else "", (figures.train, figures.test)
        case None:
            return "–"
    return sign + "/".join("–" if a is None else f"{a:.4f}" for a in both)
