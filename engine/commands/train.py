"""Train the network of a preset, or of the fields given (all others at their defaults), to its end.

    python -m engine train --preset d2-relu-he
    python -m engine train --set network="dense50" activation=sigmoid lr=0.3 steps=2000 --out model.safetensors

With --json, the last line of standard output is one object: preset, run (its label), experiment (what differs from the
defaults), dataset, train_size, test_size, parameters, iterations, seconds (training alone), loss and train_accuracy
(all training examples used), test_loss and test_accuracy (all test examples used), finished ("completed" or
"diverged"), curves. Numbers that are not finite are null.

A preset of several runs trains all of them, unless --run names one: then `runs` holds such an object for every label,
and the keys beside it, and --out, are those of the first, which the preset is about."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path

from engine import presets
from engine.commands.options import UsageError, assignments, check_writable, describe_fields, settings
from engine.commands.terminal import Line, print_json
from engine.errors import shorten
from engine.experiment import Experiment
from engine.files import write_whole
from engine.presets import Result
from engine.training import checkpoint
from engine.training.trainer import Trainer

THREADS = min(2, os.cpu_count() or 1)  # what a convolutional network is trained on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.epilog = describe_fields()
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--preset", metavar="ID", help="a published experiment (see the command presets)")
    what.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="its fields, see below"
    )
    parser.add_argument("--run", metavar="LABEL", help="with --preset: only this of its runs")
    parser.add_argument("--data", metavar="NAME", help="data set (see the command datasets; mnist-5k without)")
    parser.add_argument("--seed", metavar="N", help="seed of everything random (0)")
    parser.add_argument("--out", metavar="FILE.safetensors", type=Path, help="where to put the trained network")
    parser.add_argument("--json", action="store_true", help="print one JSON object, last on standard output")


def run(options: argparse.Namespace) -> int:
    """Train what the options name, and report."""
    experiments = chosen_runs(options)
    if options.out:
        check_writable(options.out)
    rows: dict[str, dict[str, object]] = {}
    for label, experiment in experiments.items():
        name = " · ".join(filter(None, (options.preset, label)))
        progress = Progress(options.preset or "")
        watch = None if options.json else lambda t, p=progress, n=label: p(n, t)
        trainer = presets.train(experiment, watch, threads=THREADS)
        result = Result.of(trainer)
        if options.out and not rows:
            write_whole(options.out, checkpoint.dump(trainer, network_only=True))
        about = {"preset": options.preset, "run": label or None, "experiment": experiment.changes()}
        rows[label] = about | dataclasses.asdict(result)
        if not options.json:
            print(
                f"{name}{': ' if name else ''}train {result.train_accuracy:.4f}, test {result.test_accuracy:.4f}, "
                f"loss {result.loss:.4f}, {result.iterations:,} steps in {result.seconds:.2f} s on {result.dataset}, "
                f"{result.finished}",
                flush=True,
            )
    if options.json:
        print_json(next(iter(rows.values())) | ({"runs": rows} if len(rows) > 1 else {}))
    return 0


def chosen_runs(options: argparse.Namespace) -> dict[str, Experiment]:
    """Return the experiments that the options of `train` name, by label ("" without a preset)."""
    changes = settings(options)
    if options.preset is None:
        if options.run is not None:
            raise UsageError("--run needs --preset.")
        return {"": Experiment.from_settings(assignments(options)).replace(**changes)}
    preset = presets.get(options.preset)
    if not preset.runs:
        raise UsageError(
            "{id} has nothing to train: it is computed, on the page {page}.", id=preset.id, page=preset.page
        )
    runs = {label: experiment.replace(**changes) for label, experiment in preset.runs.items()}
    if options.run is None:
        return runs
    if options.run not in runs:
        legal = shorten("; ".join(runs), 120)
        raise UsageError("--run must be one of {legal}, not {run}.", legal=legal, run=shorten(options.run))
    return {options.run: runs[options.run]}


class Progress(Line):
    """How far a run is: called with its label and trainer a few times a second, between two steps."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def __call__(self, label: str, trainer: Trainer) -> None:
        if trainer.finished:
            self.clear()
        elif self.live:
            name = " · ".join(filter(None, (self.title, label)))
            losses = trainer.history.loss.rows()[-1:, 1]  # none before the first step
            loss = "".join(f", loss {loss:.4f}" for loss in losses)
            self.show(f"{name} {trainer.step:,} of {trainer.experiment.steps:,} steps{loss}".lstrip())
