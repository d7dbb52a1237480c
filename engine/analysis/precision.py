"""The same network in double, single and half precision: how many digits of a number does an answer need?

float64 keeps about 16 decimal digits, float32 about 7, float16 about 3. Half precision is computed as graphics
cards do it: weights and what layers hand on are stored in 16 bits, products are summed up in 32. (NumPy has no fast
16-bit products of its own.) Source:『ゼロから作る Deep Learning』8.3.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import build
from engine.nn import Sequential
from engine.training import metrics
from engine.training.checkpoint import Model

PRECISIONS = ("float64", "float32", "float16")


def in_precision(model: Model, precision: str) -> Sequential:
    """Return the model's network computing in `precision`. Raises ValueError for one that is not of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision}")
    dtype = np.float64 if precision == "float64" else np.float32
    source = model.network
    network = build.build_network(model.experiment, source.in_shape, len(model.classes), dtype=dtype)
    network.load_state_dict(source.state_dict())
    if precision == "float16":
        round_to_half(network.vector.data)
        network.register_forward_hook(lambda _layer, y: round_to_half(y))
    return network


def round_to_half(array: np.ndarray) -> None:
    """Round every number to the nearest that 16 bits can hold, in place; beyond 65,504 they become infinite."""
    with np.errstate(over="ignore"):
        array[...] = array.astype(np.float16)


@dataclass(frozen=True)
class Comparison:
    """What a precision costs and gives.

    bytes: of the parameters. accuracy: 0 … 1. change: the largest difference of any probability from that in float64.
    """

    precision: str
    bytes: int
    accuracy: float
    change: float


def compare(model: Model, x: np.ndarray, labels: np.ndarray) -> tuple[list[Comparison], np.ndarray]:
    """Return a comparison for each of `PRECISIONS` on raw examples, and the float32 probabilities (N, K)."""
    probabilities = {}
    for precision in PRECISIONS:
        outputs = metrics.predict(in_precision(model, precision), x, model.scale)
        probabilities[precision] = model.loss.probabilities(outputs)
    size = model.network.vector.data.size
    rows = [
        Comparison(
            precision,
            size * np.dtype(precision).itemsize,
            float(np.mean(p.argmax(axis=1) == labels)),
            float(np.abs(p - probabilities["float64"]).max()),
        )
        for precision, p in probabilities.items()
    ]
    return rows, probabilities["float32"]
