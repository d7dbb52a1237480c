"""What a gradient is and how backpropagation finds it: rows that only compute, and the two losses."""

from __future__ import annotations

import numpy as np

from engine import build
from engine.analysis import derivatives, descent, gradcheck, graph
from engine.errors import N_, Text
from engine.experiment import Experiment
from engine.presets.bases import run
from engine.presets.claims import Claim, leads
from engine.presets.preset import Preset

CHECKED_DIGITS = 3


def checked_network(activation: str = "relu") -> Experiment:
    """Return the network of the gradient check, 784-50-10."""
    return Experiment(network="dense50", activation=activation, initializer="gauss", sigma=0.01)


def check_gradients(
    activation: str = "relu",
    *,
    dtype: type = np.float64,
    h: float = 1e-4,
    sample: int = 0,
    progress: gradcheck.Progress | None = None,
) -> tuple[list[gradcheck.Checked], float]:
    """Check 784-50-10 on the first three training digits; see `gradcheck.both_ways`."""
    experiment = checked_network(activation)
    data = build.build_dataset(experiment)
    network = build.build_network(experiment, data.shape, len(data.classes), dtype=dtype)
    x = np.multiply(data.x_train[:CHECKED_DIGITS], data.scale, dtype=dtype)
    loss, labels = build.build_loss(experiment), data.y_train[:CHECKED_DIGITS]
    return gradcheck.both_ways(network, loss, x, labels, h=h, sample=sample, progress=progress)


def _quarter(_results: object) -> bool:
    _y, slope = derivatives.activation("sigmoid", np.linspace(-5, 5, 1001))
    return abs(slope.max() - 0.25) < 1e-6


def _tangents(_results: object) -> bool:
    curve, x, h = derivatives.CURVES["book"], np.array([5.0, 10.0]), 1e-4
    central = derivatives.difference(curve.value, x, h, "central")
    forward = derivatives.difference(curve.value, x, h, "forward")
    return bool((np.abs(central - [0.2, 0.3]) < 1e-9).all() and (np.abs(forward - [0.2, 0.3]) > 5e-7).all())


def _down_the_bowl(_results: object) -> bool:
    bowl = descent.SURFACES["bowl"]
    x = bowl.grid()
    found = descent.numerical_gradient(bowl.value, x)
    away = np.any(x != 0, axis=0)
    return (
        x.shape == (2, 18, 18) and np.allclose(found, 2 * x, atol=1e-9) and bool(((x * -found).sum(0)[away] < 0).all())
    )


def _descents(_results: object) -> bool:
    bowl = descent.SURFACES["bowl"]

    def end(lr: float) -> np.ndarray:
        return descent.descend(lambda x: descent.numerical_gradient(bowl.value, x), (-3.0, 4.0), lr, 20)[-1]

    reached = np.allclose(end(0.1), np.array([-3, 4]) * 0.8**20, atol=1e-9)
    return bool(reached and np.abs(end(10)).min() > 1e12 and np.allclose(end(1e-10), [-3, 4], atol=1e-6))


def _apples(_results: object) -> bool:
    result = graph.apples()
    gradients = result.backward()
    wanted = {"apple_price": 2.2, "apple_count": 110, "orange_price": 3.3, "orange_count": 165, "tax": 650}
    return bool(np.isclose(result.value, 715)) and all(np.isclose(gradients[name], wanted[name]) for name in wanted)


def _check(_results: object) -> bool:
    agreement = gradcheck.together(check_gradients()[0])
    return agreement.size == 39_760 and agreement.mean <= 1e-8


PRESETS = (
    Preset(
        id="ch03-activations",
        page="gradients",
        title=N_("Activations and their derivatives"),
        question=N_("How much of a gradient does an activation let through?"),
        runs={},
        published={},
        claim=Claim(Text(N_("Sigmoid's derivative is never larger than 0.25.")), _quarter),
    ),
    Preset(
        id="ch04-derivative",
        page="gradients",
        title=N_("A numerical derivative"),
        question=N_("How steep is 0.01x² + 0.1x at 5 and at 10?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_("Central differences give 0.2 at 5 and 0.3 at 10; forward differences are off in the sixth digit.")
            ),
            _tangents,
        ),
    ),
    Preset(
        id="ch04-gradient-field",
        page="gradients",
        title=N_("A field of gradients"),
        question=N_("Where do the arrows of x₀² + x₁² point?"),
        runs={},
        published={},
        claim=Claim(Text(N_("Every arrow points down the bowl, straight at its lowest point.")), _down_the_bowl),
    ),
    Preset(
        id="ch04-descent",
        page="gradients",
        title=N_("Gradient descent"),
        question=N_("Where do 20 steps lead from (−3, 4)?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "With a learning rate of 0.1 every step leaves 0.8 of the way; with 10 the numbers explode, with "
                    "10⁻¹⁰ they stand still."
                )
            ),
            _descents,
        ),
    ),
    Preset(
        id="ch05-apples",
        page="gradients",
        title=N_("Apples and oranges"),
        question=N_("What do two apples and three oranges cost, and what if a price rises?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "The graph gives 715, and the gradients 2.2 (price of an apple), 110 (number of apples), 3.3 "
                    "(price of an orange), 165 (number of oranges) and 650 (tax)."
                )
            ),
            _apples,
        ),
    ),
    Preset(
        id="ch05-gradient-check",
        page="gradients",
        title=N_("The gradient check"),
        question=N_("Does backpropagation give the same gradient as differences?"),
        runs={},
        published={},
        claim=Claim(
            Text(N_("In float64 all 39,760 gradients of 784-50-10 agree, on average to 1e-8 or better.")), _check
        ),
    ),
    Preset(
        id="losses",
        page="gradients",
        title=N_("Cross-entropy and squared error"),
        question=N_("Which loss learns faster from the same start?"),
        runs={
            N_("cross-entropy"): run(network="dense50", lr=0.01, steps=1_000),
            N_("squared error"): run(network="dense50", lr=0.01, steps=1_000, loss="squared_error"),
        },
        published={},
        claim=leads("cross-entropy", "squared error", 0.03),
        note=N_(
            "Both start from the same weights. Squared error looks at the ten outputs themselves, without softmax. At "
            "another learning rate the order may change: with weights of σ 0.01 and a rate of 0.3 squared error leads."
        ),
    ),
)
