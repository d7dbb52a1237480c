"""Moving averages that forget: what Momentum, RMSProp and Adam keep of the gradients behind them.

    m_t = β m_{t−1} + (1 − β) x_t,  m_0 = 0:  a number k steps back counts (1 − β) βᵏ

The weights of t steps sum to 1 − βᵗ and not to 1, so that the average starts too near to 0. Dividing by that sum is the
bias correction. Source: Kingma & Ba, "Adam" (2014), section 3.
"""

from __future__ import annotations

import numpy as np

from engine.build import stream


def moving_average(series: np.ndarray, beta: float, *, corrected: bool = False) -> np.ndarray:
    """Return the average after each number of a series (n,): (n,). beta: 0 ≤ β < 1. corrected: divided by 1 − βᵗ."""
    averages = np.empty(len(series))
    average = 0.0
    for t, number in enumerate(series):
        average = beta * average + (1 - beta) * number
        averages[t] = average
    return averages / (1 - beta ** np.arange(1, len(series) + 1)) if corrected else averages


def noisy_series(steps: int, sigma: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a slow wave about 1, and the same under noise of standard deviation `sigma`: (steps,) each."""
    wave = 1 + 0.5 * np.sin(2 * np.pi * np.arange(steps) / 60)
    return wave, wave + sigma * stream(seed, "series").standard_normal(steps)


def uncorrected_first_step(beta1: float, beta2: float) -> float:
    """Return how long Adam's first step is without bias correction, in units of η: (1 − β₁) / √(1 − β₂).

    With it that is 1, whatever the gradient (as long as ε is small beside it).
    """
    return (1 - beta1) / np.sqrt(1 - beta2)
