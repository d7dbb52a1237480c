"""Scenes for the component: what the engine computed of an untrained network, as plain lists.

Every network is computed once for as long as its settings are asked for: while a hand moves σ, only what depends on σ
is computed again.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from engine.analysis import derivatives, propagation
from engine.analysis.propagation import Signals
from pages._ui.i18n import _, translate
from pages._ui.spread.settings import STARTS, chosen

Scene = dict[str, object]

COLUMNS = 8  # histograms side by side; of more layers, that many evenly spaced
CURVE = np.linspace(-6, 6, 241)


def before() -> Scene:
    """Return the scene of signals and gradients in untrained networks, one for each chosen start."""
    layers, width, sigma = chosen("layers"), chosen("width"), chosen("sigma")
    shown = columns(layers)
    rows = []
    for index, (name, (initializer, fixed, words)) in enumerate(STARTS.items()):
        if not chosen(name):
            continue
        own = sigma if fixed is None else fixed
        depends = initializer in ("gauss", "constant")
        said = row(
            chosen("activation"), initializer, own if depends else 0.01, layers, width, chosen("seed"),
            chosen("quantity"), chosen("bins"), chosen("of"),
        )  # fmt: skip
        called = _("Gauss, σ = {sigma}").format(sigma=f"{own:.3g}") if name == "gauss" else translate(words)
        rows.append({"id": name, "index": index, "name": called, **said})
    return {
        "kind": "before",
        "rows": rows,
        "columns": [int(k) + 1 for k in shown],
        "values": {"sigma": sigma, "layers": layers, "width": width},
        "marks": {"0.01": 0.01, "xavier": 1 / math.sqrt(width), "he": math.sqrt(2 / width), "1": 1.0},
        "examples": propagation.affordable(layers, width),
        "quantity": chosen("quantity"),
        # Sigmoid never leaves (0, 1): there is nothing to be noted below its histograms.
        "notes": (chosen("activation"), chosen("quantity"), chosen("bins")) != ("sigmoid", "activations", "unit"),
        "of": chosen("of"),
    }


def columns(layers: int) -> np.ndarray:
    """Return which layers get a histogram, counted from 0."""
    return np.unique(np.linspace(0, layers - 1, min(layers, COLUMNS)).round().astype(int))


@lru_cache(maxsize=96)
def row(
    activation: str, initializer: str, sigma: float, layers: int, width: int, seed: int, quantity: str, bins: str,
    of: str,
) -> Scene:  # fmt: skip
    """Return what is drawn of one untrained network; numbers that are not finite become None."""
    found = _signals(activation, initializer, sigma, layers, width, seed)
    spread, norms = found.spread, found.gradient_norms if of == "activations" else found.weight_norms
    values = found.activations[1:] if quantity == "activations" else found.gradients[1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = norms / norms[-1]
    return {
        "std": plain(spread),
        "norms": plain(relative),
        "sigma": propagation.standard_deviation(initializer, width, sigma),
        "cells": [cell(values[k], "unit" if quantity == "activations" and bins == "unit" else "all") for k in
                  columns(layers)],
    }  # fmt: skip


@lru_cache(maxsize=8)  # of up to 10 MB
def _signals(activation: str, initializer: str, sigma: float, layers: int, width: int, seed: int) -> Signals:
    return propagation.propagate(
        activation, initializer, sigma=sigma, layers=layers, width=width,
        examples=propagation.affordable(layers, width), seed=seed,
    )  # fmt: skip


def cell(values: np.ndarray, bins: str) -> Scene:
    """Return a histogram: counts, its limits, the share outside of them, and the standard deviation."""
    low, high = (0.0, 1.0) if bins == "unit" else limits(values)
    counts, outside = propagation.histogram(values, low, high)
    with np.errstate(invalid="ignore", over="ignore"):
        (std,) = plain(np.array([values.std()]))
    return {"counts": counts.tolist(), "low": low, "high": high, "outside": outside, "std": std}


def limits(values: np.ndarray) -> tuple[float, float]:
    """Return round limits for a histogram of all values; (0, 1) where some are not finite."""
    low, high = float(values.min()), float(values.max())
    if not math.isfinite(high - low):
        return 0.0, 1.0
    step = 10.0 ** math.floor(math.log10(high - low or 1.0)) / 2
    low, high = plain(np.array([math.floor(low / step), math.ceil(high / step)]) * step)
    return low, high if high > low else low + step


def slope() -> Scene:
    """Return the scene of an activation, its derivative, and what many layers leave of a gradient."""
    name, passed = chosen("f"), chosen("passed")
    y, slopes = derivatives.activation(name, CURVE)
    return {
        "kind": "slope",
        "name": name,
        "x": CURVE.tolist(),
        "y": y.tolist(),
        "slope": slopes.tolist(),
        "most": derivatives.steepest(name),
        "values": {"z": chosen("z"), "passed": passed},
        "measured": {
            start: plain(_backwards(name, start, chosen("seed"))[::-1]) for start in ("lecun_normal", "he_normal")
        },
    }


@lru_cache(maxsize=32)
def _backwards(activation: str, initializer: str, seed: int) -> np.ndarray:
    layers, width = 30, 100
    norms = _signals(activation, initializer, 0.01, layers, width, seed).gradient_norms
    return norms / norms[-1]


def plain(numbers: np.ndarray) -> list[float | None]:
    """Return numbers in six digits, None where they are not finite."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in numbers.tolist()]
