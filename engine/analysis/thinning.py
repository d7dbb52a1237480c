"""Dropout as arithmetic: every mask leaves another, thinner network, and the scale keeps their average the full one.

A mask keeps a unit with probability 1 − p and multiplies what is kept by 1 / (1 − p), so that what the next layer is
given has the mean that it will have at test time, when nobody is missing: E[m x / (1 − p)] = x.

Source: N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014;
『ゼロから作る Deep Learning』6.4.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import N_, InputError, shorten

MAX_RATE = 0.95  # the experiment's


def masks(sizes: tuple[int, ...], rate: float, count: int, *, seed: int = 0) -> np.ndarray:
    """Return which units are kept in each of `count` steps: bool (count, sum of sizes), layer after layer.

    The same seed keeps, at a higher rate, a part of what it keeps at a lower one. Raises `InputError`.
    """
    _check(rate)
    drawn = np.random.default_rng([seed, 7]).random((count, sum(sizes)))
    return drawn >= rate


def scale(rate: float) -> float:
    """Return 1 / (1 − p), what a kept unit's output is multiplied by in training. Raises `InputError`."""
    _check(rate)
    return 1 / (1 - rate)


def networks(units: int) -> int:
    """Return how many thinned networks so many units have: 2ⁿ."""
    return 2**units


def layer(units: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return an example: outputs (n,) of so many ReLU units, and a next unit's weights (n,), most of them positive."""
    rng = np.random.default_rng([seed, 11])
    return np.maximum(rng.standard_normal(units) + 0.3, 0), rng.standard_normal(units) * 0.15 + 0.06


@dataclass(frozen=True, eq=False)
class Received:
    """What a unit is given over many masks: Σ w m x, without and with the scale; `full` when nobody is missing."""

    plain: np.ndarray
    scaled: np.ndarray
    full: float


def received(outputs: np.ndarray, weights: np.ndarray, rate: float, count: int, *, seed: int = 0) -> Received:
    """Return what a unit with these weights (n,) is given by a layer with these outputs (n,), for `count` masks."""
    kept = masks((len(outputs),), rate, count, seed=seed)
    plain = (kept * outputs) @ weights
    return Received(plain, plain * scale(rate), float(outputs @ weights))


def _check(rate: float) -> None:
    if not 0 <= rate <= MAX_RATE:
        raise InputError(
            N_("{field} must be {legal}, not {received}."),
            field="dropout",
            legal=f"0 … {MAX_RATE:g}",
            received=shorten(rate),
        )
