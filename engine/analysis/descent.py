"""The gradient of a function of two numbers as a field of arrows, and the path of steps against it.

    ∇f(x) = (∂f/∂x₀, ∂f/∂x₁)        x ← x − η ∇f(x)

−∇f points where f falls fastest, at right angles to the level lines. The derivatives come from a formula or from
central differences, as in the book, where rounding puts an end even to an explosion: once |x| is above 10¹² or so,
x + h is x.

Source:『ゼロから作る Deep Learning』4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine.analysis.landscapes import LANDSCAPES

H = 1e-4  # of the book's central differences
FAR = 1e100  # where a path ends, before numbers overflow

Field = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Surface:
    """A function of two numbers, f(x) and ∇f(x) for x (2, …), worth a look on the square from `low` to `high`.

    formula: in LaTeX. step: from arrow to arrow. start, lr: of a descent that shows what the function is like. wild:
    heights and slopes differ by orders of magnitude.
    """

    formula: str
    value: Field
    gradient: Field
    low: float
    high: float
    step: float
    start: tuple[float, float]
    lr: float
    wild: bool = False

    def grid(self) -> np.ndarray:
        """Return where the arrows start, (2, n, n), x₀ to the right and x₁ upwards."""
        axis = np.arange(self.low, self.high + self.step / 2, self.step)
        return np.stack(np.meshgrid(axis, axis))


def _landscape(name: str) -> tuple[Field, Field]:
    """Return f(x) and ∇f(x) of one that the optimizers walk down too."""
    it = LANDSCAPES[name]
    return lambda x: it.f(*x), lambda x: np.stack(it.gradient(*x))


SURFACES: Mapping[str, Surface] = MappingProxyType(
    {
        "bowl": Surface(
            "x_0^2 + x_1^2", lambda x: x[0] ** 2 + x[1] ** 2, lambda x: 2 * x, -2.0, 2.25, 0.25, (-3.0, 4.0), 0.1
        ),
        "valley": Surface(r"\tfrac{1}{20}x_0^2 + x_1^2", *_landscape("ravine"), -8.0, 8.0, 1.0, (-7.0, 2.0), 0.95),
        "saddle": Surface(
            "x_0^2 - x_1^2",
            lambda x: x[0] ** 2 - x[1] ** 2,
            lambda x: np.stack([2 * x[0], -2 * x[1]]),
            -2.0,
            2.0,
            0.25,
            (-1.75, 0.05),
            0.1,
        ),
        "himmelblau": Surface(
            "(x_0^2 + x_1 - 11)^2 + (x_0 + x_1^2 - 7)^2",
            *_landscape("himmelblau"),
            -5.0,
            5.0,
            0.5,
            (-0.5, -0.5),
            0.01,
            True,
        ),
        "banana": Surface(
            "(1 - x_0)^2 + 5\\,(x_1 - x_0^2)^2",
            lambda x: (1 - x[0]) ** 2 + 5 * (x[1] - x[0] ** 2) ** 2,
            lambda x: np.stack(
                [2 * (x[0] - 1) - 20 * x[0] * (x[1] - x[0] ** 2), 10 * (x[1] - x[0] ** 2)],
            ),
            -2.0,
            2.0,
            0.25,
            (-1.5, 0.5),
            0.02,
            True,
        ),
    }
)


def numerical_gradient(f: Field, x: np.ndarray, h: float = H) -> np.ndarray:
    """Return ∇f by central differences at every x, both (2, …)."""
    x = np.asarray(x, np.float64)
    unit = np.eye(2).reshape(2, 2, *[1] * (x.ndim - 1)) * h
    return np.stack([(f(x + along) - f(x - along)) / (2 * h) for along in unit])


def descend(gradient: Field, start: tuple[float, float], lr: float, steps: int) -> np.ndarray:
    """Return the way from `start` in `steps` steps against the gradient, (≤ steps + 1, 2).

    It ends early where a number would pass `FAR`.
    """
    path = [np.asarray(start, np.float64)]
    for _ in range(steps):
        with np.errstate(over="ignore", invalid="ignore"):
            x = path[-1] - lr * gradient(path[-1])
        if not (np.abs(x) < FAR).all():
            break
        path.append(x)
    return np.stack(path)
