"""What a search may vary: an axis for each field, a range of numbers or a list of options.

An axis is written as text, in an address, a file and on the command line alike:

    lr:1e-06..0.01 log      batch_size:16..256 log      dropout:0..0.5      optimizer:sgd|adam

A value is drawn uniformly from the range or, with `log`, its logarithm is: log₁₀ x ~ U(log₁₀ low, log₁₀ high), so that
every power of ten is tried as often as every other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import N_, Text
from engine.experiment import FIELDS
from engine.fields import ExperimentError, check, format_value, parse_value
from engine.tokens import parse_network

MAX_AXES = 6
MAX_OPTIONS = 12
DIGITS = 4  # significant digits of a value that is tried: enough, and fit to be read

# Not searched: what a run is judged by or how long it takes must be the same for all trials.
_FIXED = {"loss", "steps", "evaluate_every", "seed"}
SEARCHABLE = tuple(name for name, it in FIELDS.items() if it.metadata["group"] != "data" and name not in _FIXED)

# Where a search usually looks. The first two are those of『ゼロから作る Deep Learning』6.5.
_USUAL: dict[str, tuple[float, float, bool]] = {
    "lr": (1e-6, 1e-2, True),
    "l2": (1e-8, 1e-4, True),
    "l1": (1e-8, 1e-4, True),
    "sigma": (1e-3, 1.0, True),
    "eps": (1e-10, 1e-3, True),
    "batch_size": (16, 256, True),
    "schedule_every": (20, 500, True),
    "momentum": (0.5, 0.99, False),
    "beta1": (0.5, 0.99, False),
    "beta2": (0.9, 0.9999, False),
    "alpha": (0.9, 0.999, False),
    "initial_accumulator": (0.0, 0.1, False),
    "warmup": (0, 100, False),
    "dropout": (0.0, 0.5, False),
    "ema": (0.0, 0.99, False),
    "shift": (0.0, 3.0, False),
    "rotation": (0.0, 20.0, False),
    "scale": (0.0, 0.2, False),
    "shear": (0.0, 0.3, False),
    "elastic": (0.0, 1.5, False),
}


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, whole where the field is; with `log`, drawn on a logarithmic scale."""

    name: str
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:  # said first: 1..0 for 0..1 may leave the legal range as well
            legal = N_("a range whose lower end is below its upper end")
            raise ExperimentError(self.name, legal, self._span())
        for end in ("low", "high"):
            object.__setattr__(self, end, check(FIELDS[self.name], getattr(self, end)))
        if self.log and self.low <= 0:
            raise ExperimentError(self.name, N_("a range above 0 on a logarithmic scale"), self._span())

    @property
    def whole(self) -> bool:
        """Whether the field takes whole numbers only."""
        return FIELDS[self.name].metadata["kind"] == "int"

    def tidy(self, value: float) -> float:
        """Return a number within the range, of few digits."""
        rounded = value if self.whole else float(f"{value:.{DIGITS}g}")
        return min(max(rounded, self.low), self.high)

    def __contains__(self, value: object) -> bool:
        return type(value) in (int, float) and self.low <= value <= self.high

    def _span(self) -> str:
        return f"{format_value(self.low)}..{format_value(self.high)}"

    def __str__(self) -> str:
        return f"{self.name}:{self._span()}{' log' if self.log else ''}"


@dataclass(frozen=True)
class Options:
    """One of several values of a field that is no number."""

    name: str
    values: tuple[object, ...]

    def __post_init__(self) -> None:
        values = tuple(dict.fromkeys(check(FIELDS[self.name], value) for value in self.values))
        if self.name == "network":
            for network in values:
                parse_network(network)
        if not 2 <= len(values) <= MAX_OPTIONS:
            legal = Text(N_("{low} to {high} options, with | between them"), low=2, high=MAX_OPTIONS)
            raise ExperimentError(self.name, legal, "|".join(map(format_value, values)))
        object.__setattr__(self, "values", values)

    def tidy(self, value: object) -> object:
        """Return the value."""
        return value

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return f"{self.name}:{'|'.join(map(format_value, self.values))}"


Axis = Range | Options


def is_number(name: str) -> bool:
    """Tell whether the axis of a field is a `Range`."""
    return FIELDS[name].metadata["kind"] in ("int", "float")


def usual(name: str) -> Axis:
    """Return the axis that a field has when nobody says otherwise."""
    meta = FIELDS[name].metadata
    match meta["kind"]:
        case "choice":
            return Options(name, meta["options"])
        case "bool":
            return Options(name, (False, True))
        case "text":
            return Options(name, ("dense50", "dense100 dense100"))
    return Range(name, *_USUAL.get(name, (meta["low"], meta["high"], False)))


def parse_axis(text: str) -> Axis:
    """Return the axis that a text describes; a name alone is its usual one. Raises `ExperimentError`."""
    name, colon, rest = (part.strip() for part in text.partition(":"))
    if name not in SEARCHABLE:
        raise ExperimentError("over", Text(N_("one of {options}"), options=", ".join(SEARCHABLE)), name)
    if not colon:
        return usual(name)
    if not is_number(name):
        return Options(name, tuple(parse_value(FIELDS[name], option.strip()) for option in rest.split("|")))
    span, _, scale = rest.partition(" ")
    ends = [_number(end) for end in span.split("..")]
    if len(ends) != 2 or None in ends or scale.strip() not in ("", "log"):
        raise ExperimentError(name, N_("a range such as 0.001..0.1 or 0.001..0.1 log"), rest)
    return Range(name, *ends, scale.strip() == "log")


def parse_axes(text: str) -> tuple[Axis, ...]:
    """Return the axes of a text, with commas between them. Raises `ExperimentError`."""
    return check_axes(tuple(parse_axis(part) for part in text.split(",")))


def check_axes(axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Return the axes. Raises `ExperimentError` when there are too many, or two for one field."""
    names = [axis.name for axis in axes]
    if not 1 <= len(names) <= MAX_AXES or len(set(names)) < len(names):
        legal = Text(N_("{low} to {high} different fields"), low=1, high=MAX_AXES)
        raise ExperimentError("over", legal, ", ".join(names) or "—")
    return axes


def format_axes(axes: tuple[Axis, ...]) -> str:
    """Invert `parse_axes`."""
    return ",".join(map(str, axes))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
