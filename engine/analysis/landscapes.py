"""Landscapes: functions of two numbers for optimizers to walk down, where a whole training can be seen at a glance.

    f: R² → R,  the slope g = ∇f(x, y) in closed form, and from a start so many steps (x, y) ← (x, y) − d

d is what an optimizer of `engine.optim` makes of g: the same classes as train a network, here on a parameter vector of
two float64 numbers. Every landscape is a polynomial, so that whoever draws one can work it out exactly anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.build import OPTIMIZERS, stream
from engine.errors import N_, InputError
from engine.nn.parameter import Parameter, ParameterVector
from engine.optim import Adam, Optimizer, Schedule

DEGREE = 6  # the highest power of either coordinate in any landscape
MAX_STEPS = 1000

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Landscape:
    """A function of two numbers.

    f(x, y): its value, for numbers and arrays alike. gradient(x, y): (∂f/∂x, ∂f/∂y) in closed form. domain: what is
    looked at, ((left, right), (bottom, top)). start: where a race begins at first, and steps: how long it is. rates:
    learning rates that suit it, by the optimizer's name. minima: where f is `lowest`. noise: σ of what is added to
    either slope at every step, as if each were that of another mini-batch. formula: LaTeX. softness: f above the lowest
    where the logarithmic spacing of contour lines sets in, None for even spacing.
    """

    title: str
    formula: str
    f: Callable
    gradient: Callable
    domain: tuple[Point, Point]
    start: Point
    steps: int
    rates: Mapping[str, float]
    minima: tuple[Point, ...]
    source: str
    lowest: float = 0.0
    noise: float = 0.0
    softness: float | None = None

    @cached_property
    def coefficients(self) -> np.ndarray:
        """C (7, 7) with f(x, y) = Σ C[i, j] xⁱ yʲ, found from the values on 7 × 7 points, which settle it."""
        nodes = np.arange(DEGREE + 1) - DEGREE / 2
        inverse = np.linalg.inv(np.vander(nodes, increasing=True))
        values = self.f(nodes[:, None], nodes[None, :])
        return np.round(inverse @ values @ inverse.T, 9) + 0.0

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Return the distance of points (…, 2) to the nearest minimum."""
        return np.linalg.norm(points[..., None, :] - np.array(self.minima), axis=-1).min(axis=-1)


@dataclass(frozen=True, eq=False)
class Descent:
    """What came of one optimizer: n steps, fewer than asked for when it left the finite numbers.

    optimizer: the one that walked, with its settings. points: (n + 1, 2), the start first. values: f there, (n + 1,).
    gradients: what the optimizer was given at each, noise included, (n, 2). rates: learning rate of each step, (n,).
    memory: what it remembered before the first and after each step, by name, (n + 1, 2); Adam's "mean" and "squares"
    are m and v as the textbooks have them. diverged: whether it ended early.
    """

    optimizer: Optimizer
    points: np.ndarray
    values: np.ndarray
    gradients: np.ndarray
    rates: np.ndarray
    memory: dict[str, np.ndarray]
    diverged: bool


def descend(
    landscape: Landscape,
    optimizer: str,
    *,
    lr: float,
    steps: int,
    start: Point | None = None,
    schedule: Schedule | None = None,
    noise: np.ndarray | None = None,
    **settings: float,
) -> Descent:
    """Walk down a landscape with an optimizer of `build.OPTIMIZERS`.

    start: the landscape's own if None. noise: (steps, 2), added to the gradients. settings: of the optimizer's class,
    `l2` among them. A walk ends before the first position where x, y, f or the gradient is not finite.

    Raises `InputError` for an unknown optimizer, or more than `MAX_STEPS` steps.
    """
    if optimizer not in OPTIMIZERS:
        template = N_("optimizer must be one of {options}, not {received}.")
        raise InputError(template, options=", ".join(OPTIMIZERS), received=optimizer)
    if not 0 <= steps <= MAX_STEPS:
        template = N_("steps must be a whole number from 0 to {high}, not {received}.")
        raise InputError(template, high=MAX_STEPS, received=steps)
    position = Parameter(np.array(start or landscape.start, np.float64), decays=True)
    vector = ParameterVector([position], np.dtype(np.float64))
    walker = OPTIMIZERS[optimizer][0](vector, lr=lr, schedule=schedule, **settings)
    points, values, gradients, rates = [vector.data.copy()], [landscape.f(*vector.data)], [], []
    remembered = [walker.state_dict()]
    diverged = False
    with np.errstate(all="ignore"):
        for step in range(steps):
            gradient = np.array(landscape.gradient(*vector.data)) + (0 if noise is None else noise[step])
            vector.grad[:] = gradient
            rate = walker.current_lr
            walker.step()
            value = landscape.f(*vector.data)
            diverged = not np.isfinite([*gradient, *vector.data, value]).all()
            if diverged:
                break
            points.append(vector.data.copy())
            values.append(value)
            gradients.append(gradient)
            rates.append(rate)
            remembered.append(walker.state_dict())
    scale = {"mean": 1 - walker.beta1, "squares": 1 - walker.beta2} if isinstance(walker, Adam) else {}
    memory = {name: np.array([it[name] for it in remembered]) * scale.get(name, 1) for name in walker.memory_names}
    return Descent(
        optimizer=walker,
        points=np.array(points),
        values=np.array(values),
        gradients=np.reshape(gradients, (len(rates), 2)),
        rates=np.array(rates),
        memory=memory,
        diverged=bool(diverged),
    )


def noise(landscape: Landscape, steps: int, seed: int, sigma: float | None = None) -> np.ndarray | None:
    """Return what a seed adds to the gradients of every optimizer alike, (steps, 2); None where there is no noise.

    sigma: its standard deviation, the landscape's own if None. A longer race begins with the noise of a shorter one.
    """
    sigma = landscape.noise if sigma is None else sigma
    return sigma * stream(seed, "noise").standard_normal((steps, 2)) if sigma else None


def _rates(*rates: float) -> dict[str, float]:
    """Return learning rates by the optimizers' names: SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam, AdamW."""
    return dict(zip(OPTIMIZERS, rates, strict=True))


def _beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def _beale_gradient(x, y):
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return (
        2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1)),
        2 * x * (a + 2 * b * y + 3 * c * y**2),
    )


def _himmelblau_gradient(x, y):
    a, b = x**2 + y - 11, x + y**2 - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


_RAVINE = {
    "formula": r"f(x, y) = \tfrac{1}{20}x^2 + y^2",
    "f": lambda x, y: x**2 / 20 + y**2,
    "gradient": lambda x, y: (x / 10, 2 * y),
    "domain": ((-10.0, 10.0), (-5.0, 5.0)),
    "start": (-7.0, 2.0),
    "minima": ((0.0, 0.0),),
}

LANDSCAPES: Mapping[str, Landscape] = {
    "ravine": Landscape(
        title=N_("The book's ravine"),
        steps=30,
        rates=_rates(0.95, 0.1, 0.1, 1.5, 0.1, 0.3, 0.3),
        source="『ゼロから作る Deep Learning』6.1.3",
        softness=0.6,
        **_RAVINE,
    ),
    "noisy": Landscape(
        title=N_("The ravine with noise"),
        steps=60,
        rates=_rates(0.7, 0.1, 0.1, 1.5, 0.1, 0.3, 0.3),
        source="Robbins, Monro, Ann. Math. Statist. 22 (1951)",
        noise=1.0,
        softness=0.6,
        **_RAVINE,
    ),
    "rosenbrock": Landscape(
        title=N_("Rosenbrock's valley"),
        formula=r"f(x, y) = (1 - x)^2 + 100\,(y - x^2)^2",
        f=lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        gradient=lambda x, y: (-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)),
        domain=((-2.0, 2.0), (-1.0, 3.0)),
        start=(-1.2, 1.0),
        steps=400,
        rates=_rates(0.002, 0.0005, 0.0005, 0.5, 0.01, 0.1, 0.1),
        minima=((1.0, 1.0),),
        source="Rosenbrock, Computer J. 3 (1960)",
        softness=0.5,
    ),
    "beale": Landscape(
        title=N_("Beale's plateau"),
        formula=r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
        f=_beale,
        gradient=_beale_gradient,
        domain=((-4.5, 4.5), (-4.5, 4.5)),
        start=(1.0, 1.5),
        steps=200,
        rates=_rates(0.01, 0.005, 0.005, 0.5, 0.02, 0.1, 0.1),
        minima=((3.0, 0.5),),
        source="Beale, Tech. Report 25, Princeton (1958)",
        softness=0.5,
    ),
    "himmelblau": Landscape(
        title=N_("Himmelblau's four valleys"),
        formula=r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        f=lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
        gradient=_himmelblau_gradient,
        domain=((-6.0, 6.0), (-6.0, 6.0)),
        start=(1.0, -0.5),
        steps=60,
        rates=_rates(0.01, 0.005, 0.005, 1.0, 0.05, 0.3, 0.3),
        minima=(
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.283185991286170),
            (3.584428340330492, -1.848126526964404),
        ),
        source="Himmelblau, Applied Nonlinear Programming (1972)",
        softness=4.0,
    ),
    "saddle": Landscape(
        title=N_("A saddle between two hollows"),
        formula=r"f(x, y) = \tfrac{1}{2}x^2 + \tfrac{1}{4}y^4 - \tfrac{1}{2}y^2",
        f=lambda x, y: x**2 / 2 + y**4 / 4 - y**2 / 2,
        gradient=lambda x, y: (x, y**3 - y),
        domain=((-2.0, 2.0), (-1.7, 1.7)),
        start=(-1.6, 0.001),
        steps=60,
        rates=_rates(0.1, 0.03, 0.03, 0.3, 0.02, 0.1, 0.1),
        minima=((0.0, 1.0), (0.0, -1.0)),
        lowest=-0.25,
        source="Nesterov, Introductory Lectures on Convex Optimization (2004) 1.2.3",
        softness=0.25,
    ),
}
