"""What a network is made of, worked out from its description alone: shapes, parameters, multiply-adds, receptive field.

Nothing is built, so that networks far too large to run here (AlexNet, VGG-16) can be looked at too. The receptive
field of a layer is how many input pixels, a side, one of its numbers depends on. With each layer it grows by
(window − 1) · jump, where the jump, the distance of two neighbours in input pixels, is the product of all strides so
far. Source: Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import N_, Text
from engine.fields import ExperimentError
from engine.tokens import Conv, Dense, Gap, Output, Pool, Token, parse_network


@dataclass(frozen=True)
class Row:
    """One layer. Its numbers are for a single input.

    name: as the layers of a built network are named. token: the word that stands for it. parameters: weights, and
    biases or a normalization's scales and shifts. multiply_adds: of the weights. receptive_field, jump, start: in input
    pixels, start the centre of the first window; None after the picture has been left, where all of it is seen.
    """

    name: str
    token: Token
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    parameters: int = 0
    multiply_adds: int = 0
    receptive_field: int | None = None
    jump: int | None = None
    start: float | None = None


def describe(network: str, in_shape: tuple[int, ...], classes: int, *, normalized: bool = False) -> tuple[Row, ...]:
    """Return the rows of a network for inputs of `in_shape` and so many classes, the output layer last.

    normalized: whether a normalization, with a scale and a shift for every unit or channel, stands in for the biases of
    the hidden layers. Raises `ExperimentError` where a window does not fit, or a picture is asked of what is none.
    """
    rows: list[Row] = []
    shape = in_shape
    field, jump, start = 1, 1, 0.5
    others = 2 if normalized else 1  # of a unit or channel, beside its weights
    counts = {"conv": 0, "pool": 0, "dense": 0}

    def number(kind: str) -> str:
        counts[kind] += 1
        return f"{kind}{counts[kind]}"

    def windows(token: Token, window: int, stride: int, padding: int = 0) -> tuple[int, int]:
        nonlocal field, jump, start
        if len(shape) != 3:
            raise ExperimentError("network", N_("of dense and drop alone, as this data has no pictures"), network)
        if min(shape[:2]) + 2 * padding < window:
            legal = Text(
                N_("made of smaller windows: {token} finds only {h} × {w} pixels"), token=token, h=shape[0], w=shape[1]
            )
            raise ExperimentError("network", legal, network)
        start += ((window - 1) / 2 - padding) * jump
        field, jump = field + (window - 1) * jump, jump * stride
        return tuple((size + 2 * padding - window) // stride + 1 for size in shape[:2])

    def add(name: str, token: Token, out_shape: tuple[int, ...], parameters: int = 0, multiply_adds: int = 0) -> None:
        nonlocal shape
        seen = (field, jump, start) if len(out_shape) == 3 else (None, None, None)
        rows.append(Row(name, token, shape, out_shape, parameters, multiply_adds, *seen))
        shape = out_shape

    for token in parse_network(network):
        match token:
            case Conv(filters, kernel, padding, stride):
                out = windows(token, kernel, stride, padding)
                weights = kernel**2 * shape[2] * filters
                add(number("conv"), token, (*out, filters), weights + others * filters, weights * math.prod(out))
            case Pool(window, stride):
                out = windows(token, window, stride)
                add(number("pool"), token, (*out, shape[2]))
            case Gap():
                windows(token, 1, 1)
                add("gap", token, shape[2:])
            case Dense(units):
                weights = math.prod(shape) * units
                add(number("dense"), token, (units,), weights + others * units, weights)
    weights = math.prod(shape) * classes
    add("output", Output(), (classes,), weights + classes, weights)
    return tuple(rows)


def smallest_side(network: str) -> int:
    """Return the side of the smallest square picture in which every window of a network finds its place."""
    side = 1
    for token in reversed(parse_network(network)):
        match token:
            case Conv(_, window, padding, stride):
                side = max(1, (side - 1) * stride + window - 2 * padding)
            case Pool(window, stride):
                side = (side - 1) * stride + window
    return side
