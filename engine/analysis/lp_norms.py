"""Norms as budgets: where an error is least when the weights may only cost so much, and why L1 spends on few of them.

The error of two weights is a bowl with its lowest point anywhere,

    E(w) = ½ (w − c)ᵀ A (w − c),

and the budget is a ball, ‖w‖ₚ = (|w₁|ᵖ + |w₂|ᵖ)^(1/p) ≤ t. At p = 1 the ball has corners on the axes, where a weight
is 0, and for many bowls the lowest point of the ball is a corner. At p = 2 it is round and no direction is special;
below 1 it is not convex and its corners reach out still farther.

Source: R. Tibshirani, "Regression Shrinkage and Selection via the Lasso", 1996;
I. Goodfellow, Y. Bengio & A. Courville, "Deep Learning", 2016, 7.1 and 7.2.
"""

from __future__ import annotations

import math

import numpy as np

from engine.errors import N_, InputError, shorten

SMALLEST_P, LARGEST_P = 0.1, 20.0
_POINTS, _ZOOMS = 65, 9  # a search looks at so many places, then between the neighbours of the best, so many times
_DRAW = 1e-12  # what errors may differ by, as a share, and still be equal
_SIGNS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float64)  # of the four quadrants


def bowl(narrowness: float, angle: float) -> np.ndarray:
    """Return A (2, 2), symmetric: curvature 1 along the direction `angle`, `narrowness` across it.

    angle: degrees, counterclockwise from the first axis. Raises `InputError` for a narrowness that is not above 0.
    """
    _check("narrowness", narrowness, 0.0, math.inf)
    along = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    across = np.array([-along[1], along[0]])
    return np.outer(along, along) + narrowness * np.outer(across, across)


def error(w: np.ndarray, c: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Return ½ (w − c)ᵀ A (w − c). Shape: (…, 2), (2,), (2, 2) → (…)."""
    d = w - c
    return 0.5 * ((d @ a) * d).sum(axis=-1)


def norm(w: np.ndarray, p: float) -> np.ndarray:
    """Return (Σ |w|ᵖ)^(1/p), which below p = 1 is no norm. Shape: (…, D) → (…)."""
    _check("p", p, SMALLEST_P, LARGEST_P)
    largest = np.abs(w).max(axis=-1, keepdims=True)
    scaled = np.abs(w) / np.where(largest > 0, largest, 1)
    return largest[..., 0] * (scaled**p).sum(axis=-1) ** (1 / p)


def sphere(p: float) -> np.ndarray:
    """Return 240 points of ‖w‖ₚ = 1, (240, 2), counterclockwise from (1, 0), the four corners among them."""
    _check("p", p, SMALLEST_P, LARGEST_P)
    first = _edge(np.arange(60) / 60, p)
    x, y = first.T
    return np.concatenate([first, np.stack([-y, x], 1), -first, np.stack([y, -x], 1)])


def constrained_minimum(c: np.ndarray, a: np.ndarray, t: np.ndarray, p: float) -> np.ndarray:
    """Return for each budget the w with ‖w‖ₚ ≤ t whose error is least.

    Inside the ball that is c itself. Else it lies on the boundary, w = t (± cos^(2/p) φ, ± sin^(2/p) φ), and each
    quadrant's φ in [0, 90°] is searched: at many places, then between the neighbours of the best, again and again. A
    corner is a candidate of its own and wins a draw, so that a weight that is 0 is 0 exactly; what is not is right to
    about 1e-8.

    Shape: c (2,) or (R, 2), a (2, 2), t (R,) → (R, 2). Raises `InputError` for p outside .1 … 20 and budgets below 0.
    """
    _check("p", p, SMALLEST_P, LARGEST_P)
    t = np.asarray(t, np.float64)
    c = np.broadcast_to(c, (len(t), 2))
    if not (np.isfinite(t).all() and (t >= 0).all()):
        raise InputError(N_("{field} must be {legal}, not {received}."), field="t", legal="≥ 0", received=shorten(t))
    low, high = np.zeros((len(t), 4)), np.ones((len(t), 4))
    budget, rows, quadrants = t[:, None, None, None], np.arange(len(t))[:, None], np.arange(4)
    grid = np.linspace(0, 1, _POINTS)
    for _ in range(_ZOOMS):
        u = low[..., None] + (high - low)[..., None] * grid
        errors = error(budget * _SIGNS[:, None] * _edge(u, p), c[:, None, None], a)
        best = errors.argmin(axis=-1)
        low = u[rows, quadrants, np.maximum(best - 1, 0)]
        high = u[rows, quadrants, np.minimum(best + 1, _POINTS - 1)]
    inner = t[:, None, None] * _SIGNS * _edge(u[rows, quadrants, best], p)
    corners = t[:, None, None] * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float64)
    each = np.arange(len(t))
    (corner, least), (found, other) = (
        (points[each, errors.argmin(axis=1)] + 0.0, errors.min(axis=1))
        for points in (corners, inner)
        for errors in [error(points, c[:, None], a)]
    )
    found = np.where((least <= other * (1 + _DRAW))[:, None], corner, found)
    return np.where((norm(c, p) <= t)[:, None], c, found)


def share_on_axes(p: float, a: np.ndarray) -> float:
    """Return how often the minimum within a budget of 1 has a weight that is exactly 0, of bowls all over the plane.

    c is drawn evenly from [−3, 3]², without those inside the ball; the draws are always the same thousand.
    """
    centres = np.random.default_rng(0).uniform(-3, 3, (1000, 2))
    centres = centres[norm(centres, p) > 1]
    found = constrained_minimum(centres, a, np.ones(len(centres)), p)
    return float((found == 0).any(axis=1).mean())


def soft_threshold(a: np.ndarray, strength: float) -> np.ndarray:
    """Return argmin ½(w − a)² + λ|w| = sign(a) · max(|a| − λ, 0): all are pulled alike, the small ones to 0."""
    return np.sign(a) * np.maximum(np.abs(a) - strength, 0)


def shrinkage(a: np.ndarray, strength: float) -> np.ndarray:
    """Return argmin ½(w − a)² + ½λw² = a / (1 + λ): all are made smaller by the same share, none 0."""
    return a / (1 + strength)


def penalized(a: np.ndarray, strength: float, p: float) -> np.ndarray:
    """Return argmin ½(w − a)² + (λ/p)|w|ᵖ, by a search between 0 and a; 0 wins a draw. Shape: (…) → (…)."""
    _check("p", p, SMALLEST_P, LARGEST_P)
    size = np.abs(np.asarray(a, np.float64))
    low, high = np.zeros_like(size), size
    grid = np.linspace(0, 1, _POINTS)

    def cost(w: np.ndarray, a: np.ndarray) -> np.ndarray:
        return 0.5 * (w - a) ** 2 + strength / p * np.abs(w) ** p

    for _ in range(_ZOOMS):
        w = low[..., None] + (high - low)[..., None] * grid
        best = cost(w, size[..., None]).argmin(axis=-1)[..., None]
        low, high = (np.take_along_axis(w, np.clip(best + by, 0, _POINTS - 1), -1)[..., 0] for by in (-1, 1))
    found = np.take_along_axis(w, best, -1)[..., 0]
    return np.sign(a) * np.where(cost(0.0, size) <= cost(found, size) * (1 + _DRAW), 0.0, found)


def _edge(u: np.ndarray, p: float) -> np.ndarray:
    """Return the point of the first quadrant's unit sphere a share u of 90° along, (1, 0) at u = 0. (…) → (…, 2)."""
    phi = u * (np.pi / 2)
    return np.stack([np.where(u < 1, np.abs(np.cos(phi)), 0.0), np.sin(phi)], axis=-1) ** (2 / p)


def _check(field: str, value: float, low: float, high: float) -> None:
    if not (low <= value <= high and value > 0):
        legal = f"{low:g} … {high:g}" if math.isfinite(high) else "> 0"
        raise InputError(
            N_("{field} must be {legal}, not {received}."), field=field, legal=legal, received=shorten(value)
        )
