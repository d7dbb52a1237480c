"""Toy sets: two classes of points in the plane, so that everything a network has learned fits in one picture.

The plane is the square [−6, 6]² of the TensorFlow Playground (D. Smilkov, S. Carter et al., `src/dataset.ts`), and
four of the five shapes are its own; the moons are scikit-learn's. Differences: both classes have equally many points,
the points of a spiral are drawn and not counted off (else training and test points would coincide), and noise moves
the points in one way for all shapes: ε ~ N(0, (s · noise)²) is added to both coordinates, where the factor s of each
shape makes ε as wide as the Playground's own noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LIMIT = 6.0
PLANE = 64  # cells a side of the picture of what a network makes of the plane: a pass of PLANE² points


def _polar(r: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.stack([r * np.sin(t), r * np.cos(t)], axis=1)


def circle(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Class 1 is a disc, class 0 a ring around it: (r sin t, r cos t) with r ~ U(0, 2.5) or U(3.5, 5), t ~ U(0, 2π)."""
    u = rng.random(len(y))
    return _polar(np.where(y == 1, 2.5 * u, 3.5 + 1.5 * u), 2 * np.pi * rng.random(len(y)))


def xor(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Class 1 where x₁x₂ > 0: |x₁|, |x₂| ~ U(0.3, 5.3), the sign of x₁ by a coin, that of x₂ the same or the other."""
    x = rng.uniform(0.3, 5.3, size=(len(y), 2))
    x[:, 0] *= rng.choice([-1.0, 1.0], size=len(y))
    x[:, 1] *= np.where(y == 1, np.sign(x[:, 0]), -np.sign(x[:, 0]))
    return x


def gaussians(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two clouds: N((2, 2), σ²) is class 1 and N((−2, −2), σ²) class 0; σ² = 0.5, and 4 with all the noise there is."""
    centre = np.where(y == 1, 2.0, -2.0)[:, None]
    return centre + rng.normal(0, np.sqrt(0.5), size=(len(y), 2))


def spiral(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two interleaved arms: (r sin t, r cos t) with u ~ U(0, 1), r = 5u, t = 1.75 · 2π u, plus π for class 0."""
    u = rng.random(len(y))
    return _polar(5 * u, 1.75 * 2 * np.pi * u + np.pi * (1 - y))


def moons(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two half circles, t ~ U(0, π): (cos t, sin t) is class 0, (1 − cos t, ½ − sin t) class 1; centred, times 10/3."""
    t = np.pi * rng.random(len(y))
    x = np.where(y == 1, 1 - np.cos(t), np.cos(t))
    height = np.where(y == 1, 0.5 - np.sin(t), np.sin(t))
    return np.stack([x - 0.5, height - 0.25], axis=1) * (10 / 3)


# name: (points of the given classes, standard deviation of ε at noise 1)
SHAPES = {
    "circle": (circle, 5 / np.sqrt(3)),
    "xor": (xor, 5 / np.sqrt(3)),
    "gaussians": (gaussians, np.sqrt(14)),
    "spiral": (spiral, 1 / np.sqrt(3)),
    "moons": (moons, 2.0),
}


def make(shape: str, *, n: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return n points of `shape` in random order, half of them of each class.

    x: float32 (n, 2), clipped to [−6, 6]; y: int64 (n,), 0 or 1 (an odd n has one more 0); noise: 0 … 0.5.
    """
    y = rng.permutation(np.arange(n) % 2)
    points, spread = SHAPES[shape]
    x = points(y, rng)
    x += rng.normal(0, spread * noise, size=x.shape)
    return np.clip(x, -LIMIT, LIMIT).astype(np.float32), y.astype(np.int64)


FEATURES = {
    "x1": lambda x1, x2: x1,
    "x2": lambda x1, x2: x2,
    "x1^2": lambda x1, x2: x1 * x1,
    "x2^2": lambda x1, x2: x2 * x2,
    "x1x2": lambda x1, x2: x1 * x2,
    "sinx1": lambda x1, x2: np.sin(x1),
    "sinx2": lambda x1, x2: np.sin(x2),
}


def features(x: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the inputs named, computed from the points x (N, 2): float32 (N, len(names)), one column for each name.

    names: one or more of the Playground's seven inputs, `FEATURES`.
    """
    x1, x2 = np.asarray(x, np.float32).T
    return np.stack([FEATURES[name](x1, x2) for name in names], axis=1)
