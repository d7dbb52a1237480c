"""What a trainer reports: frozen values, yielded one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

import numpy as np

from engine.errors import InputError


@dataclass(frozen=True, slots=True)
class Started:
    """The network is built and has not moved yet. parameters: number of trainable scalars."""

    parameters: int


@dataclass(frozen=True, slots=True)
class Step:
    """One update is done, the `step`-th counted from 1.

    loss: of its mini-batch, before the update, without decay. seconds: spent in updates so far.
    """

    step: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Loss and accuracy (0 … 1) on examples of the training and the test set, with the network at rest.

    dead: by layer, the share of its units that gave the same output, 0 for ReLU, to each of the training examples.
    """

    step: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    dead: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayerReading:
    """What a probe saw of one layer during one training step.

    mean, std: of a sample of its activations. dead: as in the latest `Evaluated`. grad_norm, weight_norm: Euclidean
    norms of the weight's gradient and the weight. update_ratio: ‖ΔW‖ / ‖W‖ of a sample of the weight in this step, 0
    before the first. The histograms are counts in `probes.BINS` equal bins between the two limits.
    """

    name: str
    mean: float
    std: float
    dead: float
    grad_norm: float
    weight_norm: float
    update_ratio: float
    activations: np.ndarray
    activation_limits: tuple[float, float]
    gradients: np.ndarray
    gradient_limits: tuple[float, float]
    weights: np.ndarray
    weight_limits: tuple[float, float]

    def to_row(self) -> np.ndarray:
        """Return all but the name as one array: six numbers, then each histogram followed by its limits."""
        return np.hstack(astuple(self)[1:])

    @classmethod
    def from_row(cls, name: str, row: np.ndarray) -> LayerReading:
        """Invert `to_row`. Raises `InputError` for an array that is no such row."""
        numbers, parts = row[:6], np.split(row[6:], 3)  # np.split refuses what is not three of a size
        if any(len(part) < 3 or not np.isfinite(part).all() for part in parts):
            raise InputError("a histogram must have counts and two limits")
        counts = np.hstack([part[:-2] for part in parts])
        if counts.min() < 0 or counts.max() >= 2**53:
            raise InputError("a histogram must count from 0 to 2⁵³")
        histograms = [(part[:-2].astype(np.int64), (float(part[-2]), float(part[-1]))) for part in parts]
        return cls(name, *(float(number) for number in numbers), *(item for pair in histograms for item in pair))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A probe's readings of every layer at one step."""

    step: int
    layers: tuple[LayerReading, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over. reason: "completed", or "diverged" when the loss left all bounds (see `is_divergent`)."""

    step: int
    reason: str


Event = Started | Step | Evaluated | Snapshot | Finished
