"""One network, many rules for a step."""

from __future__ import annotations

import numpy as np

from engine.analysis.averages import moving_average, uncorrected_first_step
from engine.analysis.landscapes import LANDSCAPES, Descent, descend, noise
from engine.errors import N_, Text
from engine.optim import Constant, Cosine, OneCycle, Schedule, Step, WarmUp
from engine.presets.bases import deep, gauss
from engine.presets.claims import Claim, learns_faster, never_learns, reaches, stays_below
from engine.presets.preset import Preset, Published


def _walk(name: str, **settings: object) -> Descent:
    """Return the descent of an optimizer through the book's ravine, as the book has it."""
    ravine = LANDSCAPES["ravine"]
    return descend(ravine, name, lr=ravine.rates[name], steps=ravine.steps, **settings)


def _zigzags() -> bool:
    walks = {name: _walk(name) for name in ("sgd", "momentum", "adagrad", "adam")}
    crossings = {name: int((it.points[1:, 1] * it.points[:-1, 1] < 0).sum()) for name, it in walks.items()}
    heights = {name: it.values[-1] for name, it in walks.items()}
    ways = {name: float(np.linalg.norm(np.diff(it.points, axis=0), axis=1).sum()) for name, it in walks.items()}
    longest = max(way for name, way in ways.items() if name != "sgd")
    return (
        crossings == {"sgd": 30, "momentum": 4, "adagrad": 0, "adam": 2}
        and ways["sgd"] > 2.5 * longest
        and min(heights, key=heights.get) == "adagrad"
    )


def _starts_too_near_to_zero() -> bool:
    ones = np.ones(20)
    plain, corrected = moving_average(ones, 0.9), moving_average(ones, 0.9, corrected=True)
    first = {flag: abs(np.diff(_walk("adam", bias_correction=flag).points[:2], axis=0))[0] / 0.3 for flag in (0, 1)}
    return (
        np.allclose(plain, 1 - 0.9 ** np.arange(1, 21))
        and np.allclose(corrected, 1)
        and np.allclose(first[1], 1)
        and np.allclose(first[0], uncorrected_first_step(0.9, 0.999))
        and round(uncorrected_first_step(0.9, 0.999), 2) == 3.16
    )


def _comes_to_rest() -> bool:
    """On average over 40 noises: a single race is a matter of luck."""
    ravine, steps = LANDSCAPES["noisy"], LANDSCAPES["noisy"].steps

    def at_last(schedule: Schedule) -> float:
        races = (
            descend(
                ravine, "sgd", lr=ravine.rates["sgd"], steps=steps, schedule=schedule, noise=noise(ravine, steps, n)
            )
            for n in range(40)
        )
        return float(np.mean([race.values[-10:].mean() for race in races]))

    falling = Step(15, 0.4), Cosine(steps), WarmUp(6, Cosine(steps)), OneCycle(steps)
    return max(map(at_last, falling)) < at_last(Constant()) / 3


_COURSE = {
    "SGD 0.01": (gauss(optimizer="sgd", lr=0.01), Published(0.1135)),
    "Momentum 0.01": (gauss(optimizer="momentum", lr=0.01), Published(0.0958)),
    "AdaGrad 0.01": (gauss(optimizer="adagrad", lr=0.01, initial_accumulator=1e-4), Published(0.1028)),
    "RMSProp 0.01": (gauss(optimizer="rmsprop", lr=0.01, alpha=0.99), Published(0.9421)),
    "Adam 0.01": (gauss(optimizer="adam", lr=0.01), Published(0.9435)),
}

PRESETS = (
    Preset(
        id="course-optimizers",
        page="optimizers",
        title=N_("Five optimizers on a plateau"),
        question=N_("Who leaves the plateau around small sigmoid weights within a thousand steps?"),
        runs={label: experiment for label, (experiment, _) in _COURSE.items()},
        published={label: figure for label, (_, figure) in _COURSE.items()},
        claim=never_learns("SGD 0.01")
        & never_learns("Momentum 0.01")
        & stays_below("AdaGrad 0.01", 0.35)
        & reaches("RMSProp 0.01", 0.85)
        & reaches("Adam 0.01", 0.85),
    ),
    Preset(
        id="d2-opt-sgd",
        page="optimizers",
        title=N_("SGD on a plateau"),
        question=N_("Can plain SGD leave the plateau around small sigmoid weights?"),
        runs={"SGD 0.01": _COURSE["SGD 0.01"][0]},
        published={"SGD 0.01": Published(0.1135)},
        claim=never_learns("SGD 0.01"),
    ),
    Preset(
        id="d2-opt-momentum",
        page="optimizers",
        title=N_("Momentum on a plateau"),
        question=N_("Does momentum carry a network off the plateau, and at which learning rate?"),
        runs={
            "Momentum 0.01": _COURSE["Momentum 0.01"][0],
            "Momentum 0.3": gauss(optimizer="momentum", lr=0.3),
        },
        published={"Momentum 0.01": Published(0.0958), "Momentum 0.3": Published(0.9346)},
        claim=never_learns("Momentum 0.01") & reaches("Momentum 0.3", 0.85),
        note=N_("The larger learning rate is a cell that the course leaves to the reader to try."),
    ),
    Preset(
        id="d2-opt-adagrad",
        page="optimizers",
        title=N_("AdaGrad on a plateau"),
        question=N_("Does a step size for every weight find the way off the plateau?"),
        runs={
            "AdaGrad 0.01": _COURSE["AdaGrad 0.01"][0],
            "AdaGrad 0.1": gauss(optimizer="adagrad", lr=0.1, initial_accumulator=1e-4),
        },
        published={"AdaGrad 0.01": Published(0.1028), "AdaGrad 0.1": Published(0.9177)},
        claim=stays_below("AdaGrad 0.01", 0.35) & reaches("AdaGrad 0.1", 0.8),
        note=N_(
            "The published notebook leaves the first gradient out of AdaGrad's sum, so that its first step is longer. "
            "The larger learning rate is a cell that the course leaves to the reader to try."
        ),
    ),
    Preset(
        id="d2-opt-rmsprop",
        page="optimizers",
        title=N_("RMSProp on a plateau"),
        question=N_("What if AdaGrad forgets the gradients of long ago?"),
        runs={"RMSProp 0.01": _COURSE["RMSProp 0.01"][0]},
        published={"RMSProp 0.01": Published(0.9421)},
        claim=reaches("RMSProp 0.01", 0.85),
    ),
    Preset(
        id="d2-opt-adam",
        page="optimizers",
        title=N_("Adam on a plateau"),
        question=N_("And what if momentum and RMSProp are joined?"),
        runs={"Adam 0.01": _COURSE["Adam 0.01"][0]},
        published={"Adam 0.01": Published(0.9435)},
        claim=reaches("Adam 0.01", 0.85),
    ),
    Preset(
        id="ch06-optimizers-mnist",
        page="optimizers",
        title=N_("Four optimizers on MNIST"),
        question=N_("From the same weights, on the same batches: who is fastest?"),
        runs={
            "SGD": deep(optimizer="sgd"),
            "Momentum": deep(optimizer="momentum"),
            "AdaGrad": deep(optimizer="adagrad"),
            "Adam": deep(optimizer="adam", lr=0.001),
        },
        published={},
        claim=learns_faster("AdaGrad", "Momentum", "SGD") & learns_faster("Adam", "Momentum"),
        note=N_("In the book every optimizer starts from weights of its own; here all start from the same."),
    ),
    Preset(
        id="ch06-landscape",
        page="optimizers",
        title=N_("Four ways down the ravine"),
        question=N_("Thirty steps from (−7, 2): which way does each take to the lowest point?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "SGD crosses the floor of the ravine at every one of its 30 steps, Momentum at 4, Adam at 2 and "
                    "AdaGrad at none. SGD's way is more than twice as long as any other's; AdaGrad ends lowest."
                )
            ),
            lambda results: _zigzags(),
        ),
    ),
    Preset(
        id="bias-correction",
        page="optimizers",
        title=N_("Bias correction"),
        question=N_("A moving average begins at 0. What does that do to Adam's first steps?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "Of a series of ones the average knows 1 − βᵗ after t numbers, corrected 1 from the first on. "
                    "Adam's first step is η in each direction; uncorrected it would be 3.16 η with β₁ = 0.9, "
                    "β₂ = 0.999."
                )
            ),
            lambda results: _starts_too_near_to_zero(),
        ),
    ),
    Preset(
        id="schedules",
        page="optimizers",
        title=N_("Learning-rate schedules"),
        question=N_("Under noise a constant rate never comes to rest. What if it falls?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "Over the last ten of 60 steps through the noisy ravine, SGD stands on average less than a third "
                    "as high with a rate that falls (steps, cosine, warm-up, one-cycle) as with a constant one."
                )
            ),
            lambda results: _comes_to_rest(),
        ),
    ),
)
