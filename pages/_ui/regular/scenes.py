"""What the pictures of the regularization page are made of. Arrays in, JSON out; every number is the engine's."""

from __future__ import annotations

import base64

import numpy as np

from engine.analysis import lp_norms, thinning
from engine.data import datasets
from engine.data.augment import Augmentation, Augmenter
from pages._ui.regular.settings import BUDGETS, FAR

Scene = dict[str, object]

INPUTS, OUTPUTS, MASKS = 5, 4, 16  # of the drawn network
TILES, LOOKS = 24, 6  # pictures on a sheet; how many times each is changed anew


def norms(p: float, budget: float, c: tuple[float, float], *, narrow: float, angle: float) -> Scene:
    """Return the ball, the bowl, and where the error is least within every budget from 0 to `FAR`."""
    a, budgets = lp_norms.bowl(narrow, angle), np.linspace(0, FAR, BUDGETS)
    path = lp_norms.constrained_minimum(np.array(c), a, budgets, p)
    errors = lp_norms.error(path, np.array(c), a)
    return {
        "kind": "norms",
        "p": p,
        "far": FAR,
        "place": round(budget / FAR * (BUDGETS - 1)),
        "places": BUDGETS,
        "centre": list(c),
        "narrow": narrow,
        "angle": angle,
        "sphere": lp_norms.sphere(p).round(5).tolist(),
        "budgets": budgets.round(6).tolist(),
        "path": path.tolist(),
        "norms": lp_norms.norm(path, p).tolist(),
        "errors": errors.tolist(),
    }


def dropout(rate: float, units: int, *, draw: int) -> Scene:
    """Return a network of two hidden layers, and who is there in each of `MASKS` steps of training."""
    return {
        "kind": "dropout",
        "place": 0,
        "places": MASKS,
        "layers": [INPUTS, units, units, OUTPUTS],
        "rate": rate,
        "scale": thinning.scale(rate),
        "networks": thinning.networks(2 * units),
        "masks": thinning.masks((units, units), rate, MASKS, seed=draw).astype(int).tolist(),
    }


def sheet(augmentation: Augmentation, *, digit: int | None, draw: int) -> Scene:
    """Return pictures as they are, and changed at random `LOOKS` times. digit: of one class, None for all in turn."""
    data = datasets.load("mnist-5k")
    labels = np.arange(TILES) % 10 if digit is None else np.full(TILES, digit)
    each = [np.flatnonzero(data.y_train == label) for label in range(10)]
    # One class is shown by its first picture alone, so that only the changes differ.
    rows = [each[label][n // 10 if digit is None else 0] for n, label in enumerate(labels)]
    plain = data.x_train[rows]
    augmenter = Augmenter(augmentation, rng=np.random.Generator(np.random.SFC64([draw, 5])))
    looks = [augmenter(plain, np.empty(plain.shape, np.float32)) for _ in range(LOOKS)]
    bytes_ = np.clip(np.rint(np.concatenate([plain[None], looks])), 0, 255).astype(np.uint8)
    return {
        "kind": "sheet",
        "place": 1,
        "places": LOOKS + 1,  # the first is no look but the pictures as they are
        "side": plain.shape[1],
        "tiles": TILES,
        "labels": labels.tolist(),
        "pixels": base64.b64encode(bytes_.tobytes()).decode(),
    }
