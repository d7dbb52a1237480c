"""A trial: a normal run of an experiment, trained on one part of the training set and measured on the other.

`follow` trains and tells how it goes. `run` is the same as a task for a Dask worker: it sends what it has to tell as
events of the scheduler, and ends when `stop` has been called in its process.

A scheduler keeps the last thousand events of every topic for as long as it lives. So all searches share one `TOPIC`,
and a report tells only what is new: what is kept is little, and does not grow with the number of searches.
"""

from __future__ import annotations

import sys
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile

import numpy as np

from engine.errors import InputError, explained
from engine.experiment import Experiment
from engine.search.plan import validation_set
from engine.training.trainer import Trainer

SLICE = 0.02  # seconds of training between two looks whether to go on
REPORT_EVERY = 0.12  # seconds between two reports of a trial
TOPIC = "kasane-search"  # of the scheduler's events, for the reports of all searches
FINISHED = ("complete", "pruned", "diverged", "failed")
CURVES = ("steps", "train", "validation")


@dataclass(frozen=True)
class Trial:
    """What is known of one trial.

    values: of the fields that are searched. state: "running", "complete", "pruned" (ended early), "diverged" (the loss
    left all bounds), "failed" (with `reason`, see `Text.to_dict`), or "dropped" (stopped, to be tried again).
    steps, train, validation: the curves of the accuracies (0 … 1). loss: the latest on the validation set, None if not
    finite.
    """

    number: int
    values: Mapping[str, object]
    state: str = "running"
    steps: tuple[int, ...] = ()
    train: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()
    loss: float | None = None
    seconds: float = 0.0
    reason: Mapping[str, object] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether nothing more will come of it; what was dropped is tried again."""
        return self.state in FINISHED

    @property
    def accuracy(self) -> float:
        """The latest accuracy on the validation set; 0 for a network that has none to show."""
        return self.validation[-1] if self.validation and self.state not in ("diverged", "failed") else 0.0

    def rank(self) -> tuple[bool, float, float, int]:
        """Return a key that sorts the best first: by accuracy, then by loss. What ended early comes after the rest."""
        early = self.state in ("pruned", "diverged", "failed")
        return early, -self.accuracy, self.loss if self.loss is not None else float("inf"), self.number

    def update(self, outcome: Mapping[str, object]) -> Trial:
        """Return the trial after what it has told (see `follow`)."""
        curves = {name: tuple(outcome[name]) for name in CURVES}
        rest = {name: outcome[name] for name in ("state", "loss", "seconds", "reason")}
        return replace(self, **curves, **rest)

    def extend(self, report: Mapping[str, object]) -> Trial:
        """Return the trial after a report (see `news`).

        What was known up to the step `after` stays, all beyond it goes. A report that is lost so leaves a gap until the
        outcome comes, which is whole; and a trial that was handed in again starts its curves from the beginning.
        """
        kept = bisect_right(self.steps, report["after"])
        curves = {name: (*getattr(self, name)[:kept], *report[name]) for name in CURVES}
        return self.update({**report, **curves})

    def to_dict(self) -> dict[str, object]:
        """Return the trial as values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Trial:
        """Invert `to_dict`. Raises KeyError, TypeError or ValueError for what is no trial."""
        number, values = document["number"], document["values"]
        if type(number) is not int or number < 0 or not isinstance(values, dict):
            raise ValueError("a trial has a number and values")
        trial = cls(number, values).update(document)
        numbers = [*trial.steps, *trial.train, *trial.validation, trial.seconds]
        numbers += [trial.loss] if trial.loss is not None else []
        if not all(type(it) in (int, float) and abs(it) <= sys.float_info.max for it in numbers):  # NaN is not either
            raise ValueError("a trial is told in finite numbers")
        if len({len(getattr(trial, name)) for name in CURVES}) > 1 or not isinstance(trial.reason, dict):
            raise ValueError("a trial has curves of one length, and a reason")
        return trial


def follow(experiment: Experiment, share: float, *, every: int | None = None) -> Iterator[dict[str, object]]:
    """Train an experiment on its training examples but `share` of them, and yield after every `SLICE` seconds.

    every: yield after so many steps instead. What is yielded are the fields of a `Trial` that training changes; with
    the last, `state` is no longer "running", and the curves end with the finished network, by which trials are ranked.
    Raises `InputError` when it cannot be trained.
    """
    trainer = Trainer(experiment, validation_set(experiment, share), probe_every=0)
    going = True
    while going:
        going = trainer.advance(steps=every) if every else trainer.advance(seconds=SLICE)
        yield outcome(trainer)


def outcome(trainer: Trainer) -> dict[str, object]:
    """Return what there is to tell of a trial, as values for JSON."""
    rows = trainer.history.evaluated.rows()
    ended = {"completed": "complete", "diverged": "diverged", None: "running"}
    loss = float(rows[-1, 3]) if len(rows) else None
    return {
        "state": ended[trainer.finished.reason if trainer.finished else None],
        "steps": rows[:, 0].astype(int).tolist(),
        "train": np.round(rows[:, 2], 4).tolist(),
        "validation": np.round(rows[:, 4], 4).tolist(),
        "loss": loss if loss is not None and np.isfinite(loss) else None,
        "seconds": round(trainer.seconds, 4),
        "reason": {},
    }


def news(outcome: Mapping[str, object], told: Sequence[int]) -> dict[str, object]:
    """Return an outcome as a report: of its curves only what has changed since they had the steps `told`.

    after: the last step before the first change, -1 when there is none. That is not always the last one told: a full
    curve halves itself, and from then on its newest row may give way to the next (see `history`).
    """
    pairs = zip(outcome["steps"], told, strict=False)
    same = [step for step, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
    curves = {name: outcome[name][len(same) :] for name in CURVES}
    return {**outcome, **curves, "after": same[-1] if same else -1}


def failure(error: Exception) -> dict[str, object]:
    """Return the outcome of a trial that could not be trained."""
    empty = {"steps": [], "train": [], "validation": [], "loss": None, "seconds": 0.0}
    return empty | {"state": "failed", "reason": explained(error).to_dict()}


# ----------------------------------------------------------------------------------------------------- on a Dask worker

_ended: deque[str] = deque(maxlen=2000)  # what `stop` was told in this process


def stop(*names: str) -> None:
    """End tasks of this process at their next look: all of a round, or one, "round/number"."""
    _ended.extend(names)


def run(name: str, number: int, experiment: str, share: float) -> dict[str, object]:
    """Train and return the outcome, reporting {"round", "number", …} meanwhile. Called by a Dask worker.

    name: of the round.
    """
    from distributed import get_worker

    worker, told = get_worker(), time.monotonic()
    result: dict[str, object] = {}
    steps: Sequence[int] = ()  # those of the curves when it last reported
    try:
        for result in follow(Experiment.from_json(experiment), share):
            if name in _ended or f"{name}/{number}" in _ended:
                break
            if time.monotonic() - told >= REPORT_EVERY and result["state"] == "running":
                told = time.monotonic()
                worker.log_event(TOPIC, news(result, steps) | {"round": name, "number": number})
                steps = result["steps"]
    except InputError as error:
        return failure(error)
    return result
