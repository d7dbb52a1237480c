"""Normalization as arithmetic: what is averaged over, and what becomes of every number.

    μ = mean of a group,  σ² = mean of (x − μ)² over it,  x̂ = (x − μ) / √(σ² + ε),  y = γ x̂ + β

Batch norm and layer norm are the same four lines; they differ in the group. Of a batch (N, D) batch norm groups each
column, a unit over all examples, and layer norm each row, an example over all its units. Of pictures (N, H, W, C) batch
norm groups each channel over all examples and pixels, and layer norm everything in a picture. γ and β belong to the
units, or to the channels, in either.

Source: S. Ioffe & C. Szegedy, "Batch Normalization", 2015; J. L. Ba, J. R. Kiros & G. E. Hinton, "Layer Normalization",
2016;『ゼロから作る Deep Learning』6.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import N_, InputError, shorten

EPS = 1e-5
_AXES = {("batch", 2): (0,), ("layer", 2): (1,), ("batch", 4): (0, 1, 2), ("layer", 4): (1, 2, 3)}


@dataclass(frozen=True, eq=False)
class Normalized:
    """Every step of it, in the shape of x, so that each number stands beside what it came from.

    group: number of the group that x belongs to, from 0; mean, variance (biased) and deviation √(σ² + ε) are those of
    the group.
    """

    x: np.ndarray
    group: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    deviation: np.ndarray
    normal: np.ndarray
    y: np.ndarray


def axes(kind: str, dimensions: int) -> tuple[int, ...]:
    """Return the axes that one mean runs over. kind: batch or layer; of (N, D) or (N, H, W, C)."""
    if (kind, dimensions) not in _AXES:
        raise InputError(
            N_("{field} must be {legal}, not {received}."),
            field="normalization",
            legal="batch, layer",
            received=shorten(kind),
        )
    return _AXES[kind, dimensions]


def normalize(x: np.ndarray, kind: str, *, gamma: float = 1.0, beta: float = 0.0) -> Normalized:
    """Normalize a batch (N, D) or (N, H, W, C), with the same γ and β for every unit. Raises `InputError`."""
    x = np.asarray(x, np.float64)
    over = axes(kind, x.ndim)
    kept = [1 if axis in over else size for axis, size in enumerate(x.shape)]
    group = np.arange(np.prod(kept)).reshape(kept)
    mean = x.mean(axis=over, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=over, keepdims=True)
    deviation = np.sqrt(variance + EPS)
    normal = (x - mean) / deviation
    group, mean, variance, deviation = (np.broadcast_to(it, x.shape) for it in (group, mean, variance, deviation))
    return Normalized(x, group, mean, variance, deviation, normal, gamma * normal + beta)


def batch(units: int, examples: int, *, seed: int = 0) -> np.ndarray:
    """Return numbers in need of it: (examples, units) to one decimal, every unit with a mean and spread of its own."""
    rng = np.random.default_rng([seed, units, examples])
    centre, spread = rng.uniform(-6, 6, units), rng.uniform(0.5, 4, units)
    return np.round(centre + spread * rng.standard_normal((examples, units)), 1) + 0.0


def pictures(examples: int, side: int, channels: int, *, seed: int = 0) -> np.ndarray:
    """Return pictures in need of it: (examples, side, side, channels) to one decimal, each channel on its own level."""
    flat = batch(channels, examples * side * side, seed=seed)
    return flat.reshape(examples, side, side, channels)
