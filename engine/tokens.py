"""The language of networks: one word a layer, `conv16@3p1 pool2 dense40 drop.5`, in the order of the layers."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from engine.errors import N_, Text, shorten
from engine.fields import ExperimentError, words

MAX_LAYERS = 40
MAX_UNITS = 4096
MAX_KERNEL = 11
MAX_STRIDE = 8


@dataclass(frozen=True)
class Dense:
    """`dense100`: a fully connected layer of so many units, followed by normalization, activation and dropout."""

    units: int

    def __str__(self) -> str:
        return f"dense{self.units}"


@dataclass(frozen=True)
class Conv:
    """`conv30@5`, `conv16@3p1s2`: so many filters of kernel × kernel, padding p, stride s; followed as a `Dense` is."""

    filters: int
    kernel: int
    padding: int = 0
    stride: int = 1

    def __str__(self) -> str:
        padding = f"p{self.padding}" if self.padding else ""
        return f"conv{self.filters}@{self.kernel}{padding}" + (f"s{self.stride}" if self.stride > 1 else "")


@dataclass(frozen=True)
class Pool:
    """`pool2`, `pool3s2`, `avgpool2`: the largest number, or the average, of each window."""

    window: int
    stride: int
    average: bool = False

    def __str__(self) -> str:
        name = "avgpool" if self.average else "pool"
        return f"{name}{self.window}" + (f"s{self.stride}" if self.stride != self.window else "")


@dataclass(frozen=True)
class Gap:
    """`gap`: each channel's average over the whole picture."""

    def __str__(self) -> str:
        return "gap"


@dataclass(frozen=True)
class Drop:
    """`drop.5`: dropout of this rate, in place of the experiment's own after the layer before it."""

    rate: float

    def __str__(self) -> str:
        return f"drop{self.rate:g}".replace("drop0.", "drop.")


@dataclass(frozen=True)
class Output:
    """`output`: the output layer, named only where a dropout follows it."""

    def __str__(self) -> str:
        return "output"


Token = Dense | Conv | Pool | Gap | Drop | Output


def parse_network(description: str) -> tuple[Token, ...]:
    """Return the hidden layers that a network string names.

    Raises `ExperimentError` for an unknown word, an order that makes no network, more than `MAX_LAYERS` layers or
    `MAX_UNITS` units.
    """
    layers = words(description)
    if len(layers) > MAX_LAYERS:
        raise ExperimentError(
            "network", Text(N_("at most {n} words"), n=MAX_LAYERS), f"{len(layers)} ({shorten(description, 24)})"
        )
    tokens = tuple(_parse_token(word) for word in layers)
    for before, token in itertools.pairwise(token for token in tokens if not isinstance(token, Drop)):
        if isinstance(token, Conv | Pool | Gap) and isinstance(before, Dense | Gap):
            legal = N_("in order: conv and pool before gap and dense")
            raise ExperimentError("network", legal, f"{before} {token}")
        if isinstance(before, Output):
            raise ExperimentError("network", N_("without layers after output, except for a drop"), f"{before} {token}")
    return tokens


def _parse_token(word: str) -> Token:
    if match := re.fullmatch(r"dense(\d+)", word):
        return Dense(_in_range(match[1], MAX_UNITS, N_("layers of 1 to {n} units"), word))
    if match := re.fullmatch(r"conv(\d+)@(\d+)(?:p(\d+))?(?:s(\d+))?", word):
        filters = _in_range(match[1], MAX_UNITS, N_("layers of 1 to {n} filters"), word)
        kernel = _in_range(match[2], MAX_KERNEL, N_("kernels of 1 to {n} pixels"), word)
        if int(match[3] or 0) >= kernel:
            raise ExperimentError("network", N_("padding less than the kernel"), word)
        return Conv(filters, kernel, int(match[3] or 0), _stride(match[4], 1, word))
    if match := re.fullmatch(r"(avg)?pool(\d+)(?:s(\d+))?", word):
        window = _in_range(match[2], MAX_KERNEL, N_("windows of 1 to {n} pixels"), word)
        return Pool(window, _stride(match[3], window, word), average=bool(match[1]))
    if match := re.fullmatch(r"drop(0?\.\d{1,4}|0)", word):
        rate = float(match[1])
        if rate > 0.95:
            raise ExperimentError("network", N_("dropout of at most .95"), word)
        return Drop(rate)
    if word in ("gap", "output"):
        return Gap() if word == "gap" else Output()
    raise ExperimentError("network", N_("made of words such as dense100, drop.5, conv16@3p1, pool2 and gap"), word)


def _stride(digits: str | None, usual: int, word: str) -> int:
    return _in_range(digits, MAX_STRIDE, N_("strides of 1 to {n} pixels"), word) if digits else usual


def _in_range(digits: str, high: int, legal: str, word: str) -> int:
    if not 1 <= int(digits) <= high:
        raise ExperimentError("network", Text(legal, n=high), word)
    return int(digits)
