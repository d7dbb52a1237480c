"""A published experiment as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.experiment import FIELDS, Experiment, matters
from engine.presets.claims import Claim

FREE = ("data", "seed", "steps")  # a run that differs in these alone is the published one still


@dataclass(frozen=True)
class Published:
    """Accuracies (0 … 1) as reported, on the full MNIST; None where none was. about: read off a chart or a range."""

    test: float | None
    train: float | None = None
    about: bool = False


@dataclass(frozen=True, eq=False)
class Preset:
    """A published experiment.

    runs: label → experiment; the first is the one that the preset is about. published: label → figures or None.
    page: name of the page that shows it. note: what differs from the publication, "" for nothing. Labels, title,
    question and note are translatable.
    """

    id: str
    page: str
    title: str
    question: str
    runs: Mapping[str, Experiment]
    published: Mapping[str, Published | None]
    claim: Claim
    note: str = ""

    def __post_init__(self) -> None:
        if unknown := set(self.published) - set(self.runs):
            raise ValueError(f"{self.id} publishes figures of runs it does not have: {unknown}")
        object.__setattr__(self, "runs", MappingProxyType(dict(self.runs)))
        figures = {label: self.published.get(label) for label in self.runs}
        object.__setattr__(self, "published", MappingProxyType(figures))

    @property
    def headline(self) -> str:
        """The label of the run that the preset is about."""
        return next(iter(self.runs))

    def departures(self, label: str, experiment: Experiment) -> dict[str, object]:
        """Return what makes an experiment another than the run of that label: field → its value in the experiment.

        A field that has no effect there (σ without a Gauss initialization) makes none, nor does one of `FREE`.
        """
        base = self.runs[label]
        values = {name: getattr(experiment, name) for name in FIELDS if name not in FREE and matters(experiment, name)}
        return {name: value for name, value in values.items() if value != getattr(base, name)}
