"""What the drawing of a normalized batch is made of. Arrays in, JSON out; every number is the engine's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.analysis import normalizing

Scene = dict[str, object]

SIDE = 3  # cells on a side of a drawn picture


def batch(given: str, count: int, features: int, draw: int) -> np.ndarray:
    """Return the numbers to normalize: (N, D) of a dense layer, (N, H, W, C) of a convolution."""
    if given == "units":
        return normalizing.batch(features, count, seed=draw)
    return normalizing.pictures(count, SIDE, features, seed=draw)


def put(x: np.ndarray, typed: Mapping[int, float]) -> np.ndarray:
    """Return the numbers with others at some places, counted as they lie in memory; places outside are none."""
    for cell, value in typed.items():
        if cell < x.size:
            x.flat[cell] = value
    return x


def scene(x: np.ndarray, kind: str, *, gamma: float, beta: float) -> Scene:
    """Return a batch with every step of its normalization, as lists in the order of memory."""
    done = normalizing.normalize(x, kind, gamma=gamma, beta=beta)
    flat = {
        name: getattr(done, name).ravel().tolist()
        for name in ("x", "group", "mean", "variance", "deviation", "normal", "y")
    }
    return flat | {"kind": kind, "shape": list(x.shape), "gamma": gamma, "beta": beta, "eps": normalizing.EPS}
