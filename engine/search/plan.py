"""A search as one frozen value: the experiment that is tried, what varies in it, and how the next trial is chosen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from engine import build
from engine.data.dataset import Dataset
from engine.data.holdout import hold_out
from engine.errors import N_, Text
from engine.experiment import Experiment
from engine.fields import ExperimentError
from engine.search.axes import Axis, check_axes, format_axes, parse_axes

SAMPLERS = ("random", "tpe")
MAX_TRIALS = 500
SHARES = (0.05, 0.5)
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Plan:
    """What a search is to do.

    experiment: what every trial trains, but for the fields of `axes`. share: of its training examples, held out as the
    validation set. sampler: "random", or "tpe" (values near those that did well; see `proposals`). pruning: whether a
    trial below the median of the others ends early. seed: of the values that are drawn; the networks start from the
    experiment's own.

    Raises `ExperimentError` for what is out of range.
    """

    experiment: Experiment
    axes: tuple[Axis, ...]
    trials: int = 100
    share: float = 0.2
    sampler: str = "random"
    pruning: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_axes(self.axes)
        whole, number = N_("a whole number from {low} to {high}"), N_("a number from {low} to {high}")
        for name, legal, low, high in (
            ("trials", whole, 1, MAX_TRIALS), ("seed", whole, 0, MAX_SEED), ("share", number, *SHARES),
        ):  # fmt: skip
            value = getattr(self, name)
            kinds = (int, float) if name == "share" else int
            if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
                raise ExperimentError(name, Text(legal, low=low, high=high), value)
        if self.sampler not in SAMPLERS:
            raise ExperimentError("sampler", Text(N_("one of {options}"), options=", ".join(SAMPLERS)), self.sampler)
        if not isinstance(self.pruning, bool):
            raise ExperimentError("pruning", N_("true or false"), self.pruning)

    def replace(self, **changes: object) -> Plan:
        """Return a copy with some fields changed, checked anew."""
        return dataclasses.replace(self, **changes)

    def trial(self, values: Mapping[str, object]) -> Experiment:
        """Return the experiment of a trial with these values. Raises `ExperimentError`."""
        return self.experiment.replace(**values)

    def draws(self, values: Mapping[str, object]) -> bool:
        """Tell whether every axis is given a value that it has."""
        return all(axis.name in values and values[axis.name] in axis for axis in self.axes)

    def check(self) -> None:
        """Raise `InputError` when the search cannot run here: its data absent, its network too large, a part empty."""
        build.check(self.experiment)
        validation_set(self.experiment, self.share)

    def to_dict(self) -> dict[str, object]:
        """Return the plan as values for JSON."""
        rest = {name: getattr(self, name) for name in ("trials", "share", "sampler", "pruning", "seed")}
        return {"experiment": self.experiment.changes(), "over": format_axes(self.axes)} | rest

    @classmethod
    def from_dict(cls, document: Mapping[str, object]) -> Plan:
        """Invert `to_dict`. Raises `ExperimentError`, or KeyError or TypeError for what is no plan at all."""
        rest = {name: document[name] for name in ("trials", "share", "sampler", "pruning", "seed")}
        return cls(Experiment(**document["experiment"]), parse_axes(document["over"]), **rest)


def validation_set(experiment: Experiment, share: float) -> Dataset:
    """Return the experiment's training examples in two parts, the validation set in the place of the test set.

    All trials of a search share the parts: they depend on the experiment's seed alone.
    """
    return hold_out(build.build_dataset(experiment), share, rng=build.stream(experiment.seed, "validation"))
