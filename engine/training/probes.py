"""A probe watches one training step from outside: hooks on the network while it lasts, nothing when it is over.

    with Probe(network) as probe:
        … forward and backward pass …
        probe.read_gradients()      # before the optimizer uses them up
        … optimizer step …
    readings = probe.readings()

It looks at samples (`SAMPLE` numbers a layer), except for the norms of gradients and weights, which are exact; how far
a weight has moved is judged by a sample too. A layer here is a weight together with what follows it up to the next
weight; its activations are taken before dropout.

Which units are dead no mini-batch can tell: one that is silent for a hundred examples may speak for the next. So they
are counted over all the examples of an evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from engine.nn import Dropout, Layer, Parameter, Sequential
from engine.training.events import LayerReading

SAMPLE = 2048
BINS = 40
PICTURES = 8  # whose planes it looks at


class Probe:
    """Collects a `LayerReading` of every layer that has a weight. dead: the shares that are known of them."""

    def __init__(self, network: Sequential, dead: Mapping[str, float]) -> None:
        self._network, self._dead = network, dead
        self._weights: dict[str, Parameter] = {}
        for name, parameter in network.parameters().items():
            if parameter.decays:
                self._weights[block_name(name)] = parameter
        self._outputs: dict[str, np.ndarray] = {}
        self._gradients: dict[str, tuple[float, np.ndarray, tuple[float, float]]] = {}

    def __enter__(self) -> Probe:
        self._handle = self._network.register_forward_hook(self._on_forward)
        self._before = {name: sample(weight.data).copy() for name, weight in self._weights.items()}
        return self

    def __exit__(self, *exception) -> None:
        self._handle.remove()

    def _on_forward(self, layer: Layer, y: np.ndarray) -> None:
        if not isinstance(layer, Dropout):  # the last of a layer's parts wins: normalization, then activation
            self._outputs[block_name(layer.name)] = y

    def read_gradients(self) -> None:
        """Take the gradients' norms and histograms; call between the backward pass and the optimizer's step."""
        for name, weight in self._weights.items():
            self._gradients[name] = (norm(weight.grad), *histogram(sample(weight.grad)))

    def readings(self) -> tuple[LayerReading, ...]:
        """Return what was seen, layer by layer from the input."""
        with np.errstate(over="ignore", invalid="ignore"):  # much of a network that diverges is NaN
            return tuple(self._reading(name, weight) for name, weight in self._weights.items())

    def _reading(self, name: str, weight: Parameter) -> LayerReading:
        rows = examples(self._outputs[name])
        mean, std = moments(rows)
        before, after = self._before[name], sample(weight.data)
        grad_norm, gradients, gradient_limits = self._gradients[name]
        activations, activation_limits = histogram(sample(rows))
        weights, weight_limits = histogram(after)
        return LayerReading(
            name=name,
            mean=mean,
            std=std,
            dead=self._dead.get(name, math.nan),
            grad_norm=grad_norm,
            weight_norm=norm(weight.data),
            update_ratio=norm(after - before) / (norm(before) or 1.0),
            activations=activations,
            activation_limits=activation_limits,
            gradients=gradients,
            gradient_limits=gradient_limits,
            weights=weights,
            weight_limits=weight_limits,
        )


class DeadUnits:
    """Finds the units, or channels, that give the same output to all examples that pass while a `with` block lasts.

    There may be several blocks, a network at rest in each, its weights the same.
    """

    def __init__(self, network: Sequential) -> None:
        self._network = network
        # The last of a layer's parts is its output; one without a weight has nothing that could die.
        parts = {block_name(layer.name): layer for layer in network.layers if not isinstance(layer, Dropout)}
        weights = {block_name(name) for name, parameter in network.parameters().items() if parameter.decays}
        self._blocks = {layer: block for block, layer in parts.items() if block in weights}
        self._limits: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def __enter__(self) -> DeadUnits:
        self._handle = self._network.register_forward_hook(self._on_forward)
        return self

    def __exit__(self, *exception) -> None:
        self._handle.remove()

    def _on_forward(self, layer: Layer, y: np.ndarray) -> None:
        if block := self._blocks.get(layer):
            axes = (0, 2, 3) if y.ndim == 4 else 0  # of planes (H, C, W, N) or (N, D)
            low, high = y.min(axis=axes), y.max(axis=axes)
            lowest, highest = self._limits.get(block, (low, high))
            self._limits[block] = np.minimum(low, lowest), np.maximum(high, highest)

    def shares(self) -> dict[str, float]:
        """Return the share of dead units, by layer."""
        return {block: float(np.mean(low == high)) for block, (low, high) in self._limits.items()}


def examples(y: np.ndarray) -> np.ndarray:
    """Return a layer's output (N, D) for some examples, as rows; of planes (H, C, W, N), a row for each pixel."""
    if y.ndim == 4:
        return y[..., :PICTURES].transpose(0, 2, 3, 1).reshape(-1, y.shape[1])
    return y[: max(16, math.ceil(SAMPLE / y[0].size))].reshape(-1, y.shape[-1])


def block_name(name: str) -> str:
    """Return the part of a layer's or parameter's name before the first dot: "dense1.relu" → "dense1"."""
    return name.split(".", 1)[0]


def sample(array: np.ndarray) -> np.ndarray:
    """Return about `SAMPLE` of the numbers of a contiguous array, evenly spaced, as a view.

    The spacing is odd, so that it does not fall in step with the even widths that layers tend to have.
    """
    return array.ravel()[:: max(1, array.size // SAMPLE) | 1]


def moments(array: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation, as Σa/n and √(Σ(a − mean)²/n), faster than `std`.

    √(Σa²/n − mean²) would be faster still, but of sigmoids that all stand near ½ float32 keeps no digit of it.
    """
    flat = array.ravel()
    mean = float(flat.mean())
    return mean, norm(flat - mean) / math.sqrt(flat.size)


def norm(array: np.ndarray) -> float:
    """Return the Euclidean norm √Σa², also of vanishing and exploding numbers, whose squares float32 cannot hold."""
    flat = array.ravel()
    with np.errstate(over="ignore"):
        square = float(np.dot(flat, flat))
    if not 1e-30 < square < math.inf:
        flat = flat.astype(np.float64)
        square = float(np.dot(flat, flat))
    return math.sqrt(square)


def histogram(values: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Return counts (`BINS`,) int64 in equal bins and the limits, rounded outwards so that they rarely move.

    Where one is not finite, none is counted. `np.bincount` of scaled values costs a tenth of `np.histogram`; float64,
    because float32 cannot tell how narrow the bins of a vanishing gradient are.
    """
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low):
        return np.zeros(BINS, np.int64), (-1.0, 1.0)
    low, high = -round_up(-low), round_up(high)
    if low == high:
        high = low + 1.0
    scaled = np.subtract(values, low, dtype=np.float64)
    np.multiply(scaled, BINS / (high - low), out=scaled)
    counts = np.bincount(scaled.astype(np.intp), minlength=BINS + 1)
    counts[BINS - 1] += counts[BINS]  # the upper limit itself belongs to the last bin
    return counts[:BINS], (low, high)


def round_up(value: float) -> float:
    """Return the next of …, 0.1, 0.2, 0.5, 1, 2, 5, … at or above a positive value; 0 for anything else."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1.0, 2.0, 5.0) if value <= step * power), 10 * power)
