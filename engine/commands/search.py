"""Train one experiment many times with other values of some fields, and rank the trials by their accuracy on examples
held out from the training set.

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
trials, the best first: number, values, state, reason (why it failed, or null), accuracy (validation), train_accuracy,
loss, seconds, curves."""

from __future__ import annotations

import argparse
import re
import sys
from urllib.parse import urlsplit

from engine.commands.options import UsageError, assignments, describe_fields
from engine.commands.terminal import Line, print_json
from engine.errors import Text, shorten
from engine.experiment import FIELDS, Experiment
from engine.fields import format_value, parse_value
from engine.presets.search import PLANS
from engine.runs import store
from engine.search import cluster
from engine.search.axes import parse_axes
from engine.search.plan import Plan
from engine.search.study import Search, Searches
from engine.search.trial import Trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.epilog = describe_fields()
    parser.add_argument("--preset", metavar="ID", help="a published search, such as ch06-search")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="fields of all trials, see below"
    )
    parser.add_argument(
        "--over", nargs="+", action="extend", default=[], metavar="FIELD[:RANGE]", help="fields to search"
    )
    parser.add_argument("--trials", metavar="N", help="how many to try (100)")
    parser.add_argument("--share", metavar="S", help="share of the training examples held out for validation (0.2)")
    parser.add_argument("--sampler", metavar="NAME", help="random (without) or tpe")
    parser.add_argument("--prune", action="store_true", help="end trials early that are below the median of the others")
    parser.add_argument("--seed", metavar="N", help="seed of the values that are drawn (0)")
    parser.add_argument("--resume", metavar="SEARCH", help="go on with a search, to --trials if that is given")
    parser.add_argument(
        "--worker", metavar="ADDRESS", help="do not search: work for the Dask scheduler at this address"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, last on standard output")


def _is_address(text: str) -> bool:
    """Tell whether a text is an address of a Dask scheduler: tcp://HOST:PORT, or tls://…"""
    try:
        parts = urlsplit(text)
        return bool(re.fullmatch(r"(?:tcp|tls)://[^\s/]+:\d+", text) and parts.hostname and parts.port)
    except ValueError:  # a bracket that is not closed, or a port beyond 65535
        return False


def run(options: argparse.Namespace) -> int:
    """Search as the options say, or work for another's search."""
    if options.worker is not None:
        check_alone(options, "worker")
        if not _is_address(options.worker):
            raise UsageError(
                "--worker must be an address such as tcp://192.168.0.5:8786, not {address}.",
                address=shorten(options.worker),
            )
        if not cluster.answers(options.worker):  # its workers go on asking, and say nothing
            print(f"waiting for the Dask scheduler at {options.worker}, which does not answer yet", file=sys.stderr)
        cluster.serve(options.worker)
        return 0
    if options.resume is not None:
        check_alone(options, "resume", "trials", "json")
    line, most = Line(), 0

    def watch() -> None:
        """Told of every change. A search that nobody looks at stops by itself."""
        nonlocal most
        most = max(most, found.workers)

    with Searches(store.folder() / "searches") as searches:
        if options.resume is not None:
            found = searches.find(options.resume)
            if found is None:
                raise UsageError("There is no search {id} here.", id=shorten(options.resume))
            searches.resume(found, parse_count(options, "trials"))
        else:
            found = searches.start(chosen_plan(options))
        found.attach(watch)
        try:
            while not found.wait(0.2):
                best = next(iter(found.ranking()), None)
                score = f", best {best.accuracy:.4f}" if best else ""
                line.show(f"search {found.id}: {len(found.finished()):,} of {found.plan.trials:,} trials{score}")
        except KeyboardInterrupt:  # its trials are kept, for whoever knows its id
            line.clear()
            print(stopped(found), file=sys.stderr)
            raise
        line.clear()
    if found.error:
        raise UsageError("{reason}", reason=found.error)
    if found.state != "complete":  # a ranking of some of the trials would pass for the whole
        raise stopped(found)
    if options.json:
        print_json(report(found, options.preset, most))
        return 0
    for place, trial in enumerate(found.ranking()[:10], start=1):
        values = "  ".join(f"{name}={format_value(value)}" for name, value in trial.values.items())
        print(f"{place:>3}  {trial.accuracy:.4f}  {values}  ({': '.join(filter(None, (trial.state, reason(trial))))})")
    print(f"{len(found.finished()):,} trials in {found.seconds:.1f} s; search {found.id}")
    return 0


def check_alone(options: argparse.Namespace, name: str, *allowed: str) -> None:
    """Raise `UsageError` if, beside an option that leaves them nothing to say, others are given."""
    others = vars(options).keys() - {name, *allowed, "carry_out"}
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


def stopped(found: Search) -> UsageError:
    """Return what to say of a search that is not complete."""
    return UsageError(
        "The search {id} was stopped after {done} of {all} trials; --resume {id} takes it up again.",
        id=found.id,
        done=len(found.finished()),
        all=found.plan.trials,
    )


def reason(trial: Trial) -> str | None:
    """Return why a trial failed, None where it did not."""
    return str(Text.from_dict(trial.reason)) if trial.reason else None


def report(found: Search, preset: str | None, workers: int) -> dict[str, object]:
    """Return a search that is over as values for JSON."""
    plan = found.plan
    trials = [
        {
            "number": trial.number,
            "values": trial.values,
            "state": trial.state,
            "reason": reason(trial),
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
