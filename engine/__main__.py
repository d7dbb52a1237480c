"""The command line: what the pages do, for scripts and terminals.

    python -m engine presets | train | search | evaluate | export | predict | datasets

Results go to standard output, the last line being JSON where asked for; progress and errors go to standard error, an
error in one line with exit status 2. Nothing here computes: every command is a few calls into the engine.
"""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while libraries load, Ctrl-C ends the process without a traceback

import argparse
import contextlib
import dataclasses
import json
import math
import os
import re
import stat
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from engine import blas, build, export, presets, shipped
from engine.analysis import novelty
from engine.analysis.precision import PRECISIONS, in_precision
from engine.data import datasets, handwriting, photo
from engine.errors import InputError, shorten
from engine.experiment import FIELDS, Experiment, format_value, parse_value
from engine.files import part_of, write_whole
from engine.presets import Preset, Published, Result
from engine.presets.search import PLANS
from engine.runs import store
from engine.search import cluster
from engine.search.axes import parse_axes
from engine.search.plan import Plan
from engine.search.study import Search, Searches
from engine.training import checkpoint, metrics
from engine.training.trainer import Trainer

THREADS = min(2, os.cpu_count() or 1)  # what a convolutional network is trained on

ERROR, CLAIM_FAILED, INTERRUPTED, BROKEN_PIPE = 2, 1, 130, 141


class UsageError(InputError):
    """A command line that cannot be carried out. Spoken in English only: the command line has no other language."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours: one line, reported where all are."""

    def error(self, message: str):
        raise UsageError("{message} (see {program} --help)", message=message, program=self.prog)


def build_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(prog="python -m engine", description="Kasane's engine on the command line.", allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name: str, function: Callable[[argparse.Namespace], int], help: str, description: str) -> Parser:
        """Add the command that `function` carries out."""
        added = commands.add_parser(
            name,
            help=help,
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        added.set_defaults(function=function)
        return added

    p = command("presets", list_presets, "list the published experiments, or check what they claim", PRESETS_HELP)
    p.add_argument("ids", nargs="*", metavar="ID", help="only these (all without)")
    p.add_argument("--check", action="store_true", help="train them and compare with what was published and claimed")
    p.add_argument("--data", metavar="NAME", help="with --check: on this data set (mnist-5k)")
    p.add_argument("--seed", metavar="N", help="with --check: with this seed (0)")
    p.add_argument("--json", action="store_true", help="print one JSON array")

    p = command("train", train, "train a network", TRAIN_HELP)
    what = p.add_mutually_exclusive_group()
    what.add_argument("--preset", metavar="ID", help="a published experiment (see the command presets)")
    what.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="fields of an experiment"
    )
    p.add_argument("--run", metavar="LABEL", help="with --preset: only this of its runs")
    p.add_argument("--data", metavar="NAME", help="data set (see the command datasets; mnist-5k without)")
    p.add_argument("--seed", metavar="N", help="seed of everything random (0)")
    p.add_argument("--out", metavar="FILE.safetensors", type=Path, help="where to put the trained network")
    p.add_argument("--json", action="store_true", help="print one JSON object, last on standard output")

    p = command("search", search, "try many values of hyper-parameters", SEARCH_HELP)
    p.add_argument("--preset", metavar="ID", help="a published search, such as ch06-search")
    p.add_argument("--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="fields of all trials")
    p.add_argument("--over", nargs="+", action="extend", default=[], metavar="FIELD[:RANGE]", help="fields to search")
    p.add_argument("--trials", metavar="N", help="how many to try (100)")
    p.add_argument("--share", metavar="S", help="share of the training examples held out for validation (0.2)")
    p.add_argument("--sampler", metavar="NAME", help="random (without) or tpe")
    p.add_argument("--prune", action="store_true", help="end trials early that are below the median of the others")
    p.add_argument("--seed", metavar="N", help="seed of the values that are drawn (0)")
    p.add_argument("--resume", metavar="SEARCH", help="go on with a search, to --trials if that is given")
    p.add_argument("--worker", metavar="ADDRESS", help="do not search: work for the Dask scheduler at this address")
    p.add_argument("--json", action="store_true", help="print one JSON object, last on standard output")

    p = command("predict", predict, "read digits from a picture or from pen strokes", PREDICT_HELP)
    p.add_argument("file", metavar="FILE", help="a picture of digits, or a .jsonl of drawings, one a line")
    p.add_argument(
        "--model", metavar="FILE", default=shipped.PATH, help="a network by train --out (one that comes along)"
    )
    p.add_argument("--json", action="store_true", help="accepted for symmetry: the output is JSON in any case")

    p = command("evaluate", evaluate, "measure a trained network on the test examples of a data set", EVALUATE_HELP)
    p.add_argument("model", metavar="FILE.safetensors", help="a network by train --out")
    p.add_argument("--data", metavar="NAME", help="data set (the one that it was trained on without)")
    p.add_argument("--precision", metavar="DTYPE", default="float32", help="float64, float32 (without) or float16")
    p.add_argument("--json", action="store_true", help="print one JSON object")

    p = command("export", export_model, "write a trained network for other programs", EXPORT_HELP)
    p.add_argument("model", metavar="FILE.safetensors", help="a network by train --out")
    p.add_argument("--to", required=True, choices=EXPORTS, metavar="FORMAT", help="onnx, csv, notebook or pytorch")
    p.add_argument("out", metavar="OUT", type=Path, help="where to put it")

    p = command("datasets", list_datasets, "list the data sets, or download one", DATASETS_HELP)
    p.add_argument("--download", metavar="NAME", help="fetch this set into the cache first")
    p.add_argument("--json", action="store_true", help="print one JSON array")
    return parser


# ------------------------------------------------------------------------------------------------------------- presets

PRESETS_HELP = """\
Without --check, list the presets: what they ask and the runs they consist of.

With --check, train every run and print its accuracies beside the published ones, and whether the claim of the preset
holds. Exit status 1 if one does not. With --json, an array of objects: id, page, title, question, note, claim,
published and runs (label → settings that differ from the defaults); with --check also holds and results."""


def list_presets(options: argparse.Namespace) -> int:
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


# --------------------------------------------------------------------------------------------------------------- train

TRAIN_HELP = """\
Train the network of a preset, or of the fields given (all others at their defaults), to its end.

    python -m engine train --preset d2-relu-he
    python -m engine train --set network="dense50" activation=sigmoid lr=0.3 steps=2000 --out model.safetensors

With --json, the last line of standard output is one object: preset, run (its label), experiment (what differs from the
defaults), dataset, train_size, test_size, parameters, iterations, seconds (training alone), loss and train_accuracy
(all training examples used), test_loss and test_accuracy (all test examples used), finished ("completed" or
"diverged"), curves. Numbers that are not finite are null.

A preset of several runs trains all of them, unless --run names one: then `runs` holds such an object for every label,
and the keys beside it, and --out, are those of the first, which the preset is about."""


def train(options: argparse.Namespace) -> int:
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


def assignments(options: argparse.Namespace) -> dict[str, str]:
    """Return what --set says, by field."""
    fields = {}
    for setting in options.set:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError("--set takes FIELD=VALUE, not {received}.", received=shorten(setting))
        fields[name] = value
    return fields


def settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the fields that --data and --seed set. Raises `ExperimentError`."""
    given = {name: getattr(options, name, None) for name in ("data", "seed")}
    return {name: parse_value(FIELDS[name], text) for name, text in given.items() if text is not None}


def check_writable(path: Path) -> None:
    """Raise `InputError` or OSError before the work where writing would fail after it, or replace what is no file."""
    if path.is_dir():
        raise UsageError("The output must be a file; {path} is a folder.", path=path)
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode) or not os.access(path, os.W_OK):
            raise UsageError("The output must be a file that can be written to; {path} is none.", path=path)
    part = part_of(path)
    try:
        part.touch(exist_ok=False)  # asked for permission, Windows would grant it for every folder
        part.unlink()
    except OSError as error:
        raise UsageError(
            "The output must be in a folder that can be written to, not in {folder}.", folder=path.parent
        ) from error


# -------------------------------------------------------------------------------------------------------------- search

SEARCH_HELP = """\
Train one experiment many times with other values of some fields, and rank the trials by their accuracy on examples held
out from the training set.

    python -m engine search --preset ch06-search
    python -m engine search --set data=digits network=dense50 --over "lr:0.001..1 log" "optimizer:sgd|adam" --trials 30

A range is written lr:0.001..1 or "lr:0.001..1 log", options "optimizer:sgd|adam"; a name alone is its usual range.
Without --over, the learning rate and the L2 decay are searched.

Trials run on the cores of this machine, or on the Dask scheduler that DASK_SCHEDULER_ADDRESS names. Another machine
joins that scheduler from its own copy of this project:

    python -m engine search --worker tcp://HOST:8786

A search is kept with the runs: its id opens it on the page (/search?search=ID) and takes it up again (--resume ID).

With --json, the last line of standard output is one object: search (the id), preset, experiment (what differs from the
defaults), over, share, sampler, pruning, seed, dataset, seconds, workers, importance, best (the best trial or null) and
trials, the best first: number, values, state, accuracy (validation), train_accuracy, loss, seconds, curves."""


def search(options: argparse.Namespace) -> int:
    """Search as the options say, or work for another's search."""
    if options.worker is not None:
        check_alone(options, "worker")
        address = re.fullmatch(r"(?:tcp|tls)://[^\s/]+:(\d{1,5})", options.worker)
        if not address or not 0 < int(address[1]) < 65536:
            raise UsageError(
                "--worker must be an address such as tcp://192.168.0.5:8786, not {address}.",
                address=shorten(options.worker),
            )
        cluster.serve(options.worker)
        return 0
    if options.resume is not None:
        check_alone(options, "resume", "trials", "json")
    line, most = Line(), 0
    with Searches(store.folder() / "searches") as searches:
        if options.resume is not None:
            found = searches.find(options.resume)
            if found is None:
                raise UsageError("There is no search {id} here.", id=shorten(options.resume))
            searches.resume(found, parse_count(options, "trials"))
        else:
            found = searches.start(chosen_plan(options))
        found.attach(lambda: None)  # this command watches: a search that nobody looks at stops by itself
        while not found.wait(0.2):
            most = max(most, found.workers)
            best = next(iter(found.ranking()), None)
            score = f", best {best.accuracy:.4f}" if best else ""
            line.show(f"search {found.id}: {len(found.finished()):,} of {found.plan.trials:,} trials{score}")
        line.clear()
    if found.error:
        raise UsageError("{reason}", reason=found.error)
    if found.state != "complete":  # a ranking of some of the trials would pass for the whole
        raise UsageError(
            "The search {id} was stopped after {done} of {all} trials; --resume {id} takes it up again.",
            id=found.id,
            done=len(found.finished()),
            all=found.plan.trials,
        )
    if options.json:
        print_json(report(found, options.preset, most))
        return 0
    for place, trial in enumerate(found.ranking()[:10], start=1):
        values = "  ".join(f"{name}={format_value(value)}" for name, value in trial.values.items())
        print(f"{place:>3}  {trial.accuracy:.4f}  {values}  ({trial.state})")
    print(f"{len(found.finished()):,} trials in {found.seconds:.1f} s; search {found.id}")
    return 0


def check_alone(options: argparse.Namespace, name: str, *allowed: str) -> None:
    """Raise `UsageError` if, beside an option that leaves them nothing to say, others are given."""
    others = vars(options).keys() - {name, *allowed, "function"}
    given = sorted(f"--{other}" for other in others if getattr(options, other) not in (None, False, []))
    if given:
        raise UsageError("--{name} takes no {others}.", name=name, others=", ".join(given))


def chosen_plan(options: argparse.Namespace) -> Plan:
    """Return the search that the options describe."""
    fields = assignments(options)
    if options.preset is None:
        plan = Plan(Experiment.from_settings(fields), parse_axes("lr,l2"))
    else:
        if options.preset not in PLANS:
            received = shorten(options.preset)
            raise UsageError("--preset must be one of {legal}, not {id}.", legal=", ".join(PLANS), id=received)
        plan = PLANS[options.preset]
        Experiment.from_settings(fields)  # names what is wrong
        changes = {name: parse_value(FIELDS[name], text) for name, text in fields.items()}
        plan = plan.replace(experiment=plan.experiment.replace(**changes))
    changes: dict[str, object] = {name: parse_count(options, name) for name in ("trials", "seed")}
    changes["share"] = parse_count(options, "share", whole=False)
    changes["sampler"] = options.sampler
    changes["pruning"] = options.prune or None
    changes["axes"] = parse_axes(",".join(options.over)) if options.over else None
    return plan.replace(**{name: value for name, value in changes.items() if value is not None})


def parse_count(options: argparse.Namespace, name: str, *, whole: bool = True) -> object:
    """Return an option as a number, or as it is where it is none: `Plan` says what is legal."""
    text = getattr(options, name)
    if text is None:
        return None
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return text


def report(found: Search, preset: str | None, workers: int) -> dict[str, object]:
    """Return a search that is over as values for JSON."""
    plan = found.plan
    trials = [
        {
            "number": trial.number,
            "values": trial.values,
            "state": trial.state,
            "accuracy": trial.accuracy,
            "train_accuracy": trial.train[-1] if trial.train else None,
            "loss": trial.loss,
            "seconds": trial.seconds,
            "curves": {"step": trial.steps, "train_accuracy": trial.train, "validation_accuracy": trial.validation},
        }
        for trial in found.ranking()
    ]
    about = {name: value for name, value in plan.to_dict().items() if name != "trials"}
    return {"search": found.id, "preset": preset} | about | {
        "dataset": plan.experiment.data,
        "seconds": round(found.seconds, 3),
        "workers": workers,
        "importance": found.importance,
        "best": trials[0] if trials else None,
        "trials": trials,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ evaluate

EVALUATE_HELP = """\
Measure a network on all test examples of a data set. With --json, an object: model, dataset, precision, parameters,
test_size, test_loss, test_accuracy."""


def evaluate(options: argparse.Namespace) -> int:
    """Measure a model."""
    if options.precision not in PRECISIONS:
        raise UsageError(
            "--precision must be one of {legal}, not {received}.",
            legal=", ".join(PRECISIONS),
            received=shorten(options.precision),
        )
    blas.one_thread()
    model = checkpoint.load_model(options.model)
    experiment = model.experiment.replace(**settings(options))
    data = build.build_dataset(experiment.replace(test_size=0))
    if (data.shape, len(data.classes)) != (model.network.in_shape, len(model.classes)):
        raise UsageError(
            "The model {file} was trained on other inputs than {data} has.", file=options.model, data=experiment.data
        )
    network = in_precision(model, options.precision)
    with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite says it
        loss, accuracy = metrics.evaluate(network, build.build_loss(experiment), data.x_test, data.y_test, data.scale)
    row = {
        "model": str(options.model),
        "dataset": data.name,
        "precision": options.precision,
        "parameters": network.vector.data.size,
        "test_size": len(data.x_test),
        "test_loss": loss,
        "test_accuracy": accuracy,
    }
    if options.json:
        print_json(row)
    else:
        print(f"{options.model}: test {accuracy:.4f}, loss {loss:.4f}, on {len(data.x_test):,} examples of {data.name}")
    return 0


# -------------------------------------------------------------------------------------------------------------- export

EXPORT_HELP = """\
Write a network into a file for other programs.

    python -m engine export model.safetensors --to onnx model.onnx

onnx      the network itself, for onnxruntime and its like: raw pictures in (float32, N × 28 × 28 × 1, 0 to 255),
          probabilities out (float32, N × classes)
csv       a table of its layers: shapes, parameters, multiply-adds, receptive field
          (the curves of a run are printed by train --json, and saved on the page)
notebook  a Jupyter notebook that trains the same experiment again and draws its curves; run it in Kasane's folder
pytorch   a Python script that trains the same experiment with PyTorch, in Colab for example"""

EXPORTS: dict[str, Callable[[checkpoint.Model], str | bytes]] = {
    "onnx": export.to_onnx,
    "csv": export.to_csv,
    "notebook": lambda model: export.to_notebook(model.experiment),
    "pytorch": lambda model: export.to_pytorch(model.experiment),
}


def export_model(options: argparse.Namespace) -> int:
    """Write a model in another format."""
    check_writable(options.out)
    content = EXPORTS[options.to](checkpoint.load_model(options.model))
    write_whole(options.out, content if isinstance(content, bytes) else content.encode())
    return 0


# ------------------------------------------------------------------------------------------------------------- predict

PREDICT_HELP = """\
Print one line for every digit of the picture in reading order, or for every drawing of the file:

    {"digit": 3, "probabilities": [...], "known": true}

probabilities are in the order of the model's classes, and only compare these with each other: known is false where the
drawing is like nothing that the model learned. Of a drawing without strokes digit is null, and known is false.

A picture is a PNG, JPEG, WebP, BMP or GIF, a photo or a scan, of up to fifty digits, dark on light or light on dark.
A .jsonl file holds one drawing a line, {"width": 280, "height": 280, "strokes": [[[x, y], ...], ...]}, y downwards."""

CHUNK = 250  # drawings read at a time


def predict(options: argparse.Namespace) -> int:
    """Read a picture or drawings."""
    blas.one_thread()
    model = checkpoint.load_model(options.model)
    shape = model.network.in_shape
    if shape != (handwriting.SIZE, handwriting.SIZE, 1):
        size = "×".join(map(str, shape))
        raise UsageError("The model {file} reads {size}, not pictures of 28×28.", file=options.model, size=size)
    with np.errstate(all="ignore"):
        threshold = novelty.threshold_of(model)
    for images in chunks(read_images(options.file), CHUNK):
        with np.errstate(all="ignore"):
            outputs = metrics.predict(model.network, np.stack(images)[..., np.newaxis], model.scale)
            rows = build.LOSSES[model.experiment.loss].probabilities(outputs)
            energies = novelty.energy(outputs)
        if not np.isfinite(rows).all():
            raise UsageError("The model {file} computes numbers that are not finite.", file=options.model)
        for image, row, energy in zip(images, rows, energies, strict=True):
            drawn = bool(image.any())
            said = {"digit": int(row.argmax()) if drawn else None, "probabilities": [round(float(p), 8) for p in row]}
            print(json.dumps(said | {"known": drawn and bool(energy >= threshold)}))
    return 0


def read_images(file: str) -> Iterator[np.ndarray]:
    """Yield a file's digits as uint8 (28, 28). Raises `InputError`, also for a picture without any."""
    if file.lower().endswith(".jsonl"):
        yield from handwriting.read_jsonl(file)
        return
    found, count = photo.find_digits(photo.open_picture(file))
    if not found:
        raise UsageError("No digits were found in {file}.", file=file)
    if count > len(found):
        print(f"the first {len(found)} of {count} digits are read", file=sys.stderr)
    for digit in found:
        yield digit.image


def chunks(items: Iterable, size: int) -> Iterator[list]:
    """Yield the items in lists of at most `size`."""
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


# ------------------------------------------------------------------------------------------------------------ datasets

DATASETS_HELP = """\
List the data sets and whether they are on this computer. With --json, an array of objects: name, train_size, test_size,
shape, classes, available, source.

Files of your own are found through KASANE_DATA, the folder that holds the folders mnist, fashion-mnist and kmnist."""


def list_datasets(options: argparse.Namespace) -> int:
    """List the data sets, one perhaps downloaded first."""
    if options.download is not None:
        line = Line()

        def show(done: int, total: int, file: str) -> None:
            line.show(f"{file}: {done >> 10:,} KB" + (f" of {total >> 10:,}" if total else ""))

        datasets.download(options.download, show)
        line.clear()
    rows = datasets.describe()
    if options.json:
        print_json(rows)
        return 0
    for row in rows:
        state = "here" if row["available"] else "to download"
        print(f"{row['name']:<14} {row['train_size']:>6,} + {row['test_size']:>6,}  {state:<12} {row['source']}")
    return 0


# -------------------------------------------------------------------------------------------------------------- output


class Line:
    """One line on a terminal's standard error that keeps changing; silent where nobody watches."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self.live:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        self.show("")


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
            self.show(f"{name} {trainer.step:,} of {trainer.experiment.steps:,} steps{loss}")


def print_json(value: object) -> None:
    """Print a value as one line of JSON, numbers that are not finite as null."""
    print(json.dumps(finite(value), allow_nan=False))


def finite(value: object) -> object:
    """Return `value` with None for every float that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line and return its exit status."""
    try:
        options = build_parser().parse_args(argv)
        status = options.function(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes at exit.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (InputError, OSError) as error:
        print(f"error: {shorten(str(error), 600)}", file=sys.stderr)
        return ERROR


def prepare() -> None:
    """Make the process fit for any terminal, or none; from now on `main` answers to Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this: nobody wants to read it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (for the whole process)
    sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without “ or λ is no reason to stop
    if not sys.warnoptions:  # what libraries warn of is for developers; it would come before an error's one line
        warnings.simplefilter("ignore")


if __name__ == "__main__":
    prepare()
    sys.exit(main())
