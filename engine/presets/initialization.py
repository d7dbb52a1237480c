"""What the initial weights decide."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from engine.analysis import propagation, symmetry
from engine.errors import N_, Text
from engine.presets.bases import deep, gauss, run, small
from engine.presets.claims import Claim, leads, learns_faster, never_learns, reaches, waits
from engine.presets.preset import Preset, Published

DEEP = 30  # layers through which gradients vanish and explode

# The course's four runs, and the two that it leaves to the reader, by the names they have when compared.
COURSE = {
    N_("sigmoid, std 0.01"): gauss(steps=2_000),
    "ReLU, std 0.01": small(initializer="gauss", steps=2_000),
    N_("sigmoid, Xavier"): small(activation="sigmoid", initializer="lecun_normal", steps=2_000),
    "ReLU, He": small(initializer="he_normal", steps=2_000),
}
TRIES = {
    N_("sigmoid, He"): small(activation="sigmoid", initializer="he_normal", steps=2_000),
    "ReLU, Xavier": small(initializer="lecun_normal", steps=2_000),
}
COURSE_FIGURES = {
    "sigmoid, std 0.01": Published(0.1135),
    "ReLU, std 0.01": Published(0.9197),
    "sigmoid, Xavier": Published(0.8724),
    "ReLU, He": Published(0.956),
}

# A small network in the plane, whose hidden units can be looked at.
plane = partial(
    run,
    data="toy2d",
    shape="circle",
    network="dense6 dense6",
    activation="tanh",
    batch_size=10,
    steps=1_500,
    evaluate_every=100,
)
SYMMETRY = {
    N_("random"): plane(initializer="gauss", sigma=0.5),
    N_("all equal"): plane(initializer="constant", sigma=0.5),
    N_("all zero"): plane(initializer="zeros"),
}


@lru_cache(maxsize=1)
def _piles_up() -> bool:
    """Look at five layers of 100 sigmoids, 1,000 examples: at which values are the activations?"""

    def shares(initializer: str, sigma: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
        layers = propagation.propagate("sigmoid", initializer, sigma=sigma).activations[1:]
        ends, middle = (layers < 0.1) | (layers > 0.9), np.abs(layers - 0.5) < 0.05
        return ends.mean(axis=(1, 2)), middle.mean(axis=(1, 2))

    large, little, *scaled = shares("gauss", 1.0), shares("gauss", 0.01), shares("lecun_normal"), shares("he_normal")
    return bool(
        (large[0] > 0.7).all()
        and (little[1] > 0.9).all()
        and all((ends < 0.15).all() and (middle < 0.35).all() for ends, middle in scaled)
    )


@lru_cache(maxsize=1)
def _vanishes_and_explodes() -> bool:
    """Send a gradient back through 30 layers and compare what every layer gets with what the last one got."""

    def norms(activation: str, initializer: str, sigma: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
        examples = propagation.affordable(DEEP, 100)
        found = propagation.propagate(activation, initializer, sigma=sigma, layers=DEEP, examples=examples)
        return found.gradient_norms / found.gradient_norms[-1], found.weight_norms / found.weight_norms[-1]

    gone = [it[0] for name in ("gauss", "lecun_normal") for it in norms("sigmoid", name)]
    kept = np.concatenate(norms("relu", "he_normal"))
    return bool(max(gone) < 1e-10 and 0.1 < kept.min() <= kept.max() < 10 and norms("relu", "gauss", 1.0)[0][0] > 1e20)


@lru_cache(maxsize=1)
def _stays_symmetric() -> bool:
    """Train both for a while: are the hidden units of a layer still the same?"""
    equal, random = (symmetry.unit_differences(SYMMETRY[name], 500) for name in ("all equal", "random"))
    return max(equal.values()) == 0 and min(random.values()) > 0.5


PRESETS = (
    Preset(
        id="d2-sigmoid-gauss",
        page="initialization",
        title=N_("Sigmoid, small Gauss weights"),
        question=N_("What does a deep sigmoid network learn when all of its weights start near zero?"),
        runs={"sigmoid, std 0.01": COURSE["sigmoid, std 0.01"]},
        published={"sigmoid, std 0.01": COURSE_FIGURES["sigmoid, std 0.01"]},
        claim=never_learns("sigmoid, std 0.01"),
    ),
    Preset(
        id="d2-relu-gauss",
        page="initialization",
        title=N_("ReLU, small Gauss weights"),
        question=N_("Does ReLU alone save a network whose weights start near zero?"),
        runs={"ReLU, std 0.01": COURSE["ReLU, std 0.01"]},
        published={"ReLU, std 0.01": COURSE_FIGURES["ReLU, std 0.01"]},
        claim=waits("ReLU, std 0.01", 400) & reaches("ReLU, std 0.01", 0.8),
    ),
    Preset(
        id="d2-sigmoid-xavier",
        page="initialization",
        title=N_("Sigmoid, Xavier weights"),
        question=N_("Is a matching initialization enough for sigmoid to learn?"),
        runs={"sigmoid, Xavier": COURSE["sigmoid, Xavier"]},
        published={"sigmoid, Xavier": COURSE_FIGURES["sigmoid, Xavier"]},
        claim=reaches("sigmoid, Xavier", 0.8),
        note=N_("Another published run of the same settings came to 0.7895."),
    ),
    Preset(
        id="d2-relu-he",
        page="initialization",
        title=N_("ReLU, He weights"),
        question=N_("How much does ReLU gain from the initialization that was made for it?"),
        runs={"ReLU, He": COURSE["ReLU, He"]},
        published={"ReLU, He": COURSE_FIGURES["ReLU, He"]},
        claim=reaches("ReLU, He", 0.9),
    ),
    Preset(
        id="d2-sigmoid-he",
        page="initialization",
        title=N_("Sigmoid, He weights"),
        question=N_("And what if sigmoid gets the weights that are meant for ReLU?"),
        runs={"sigmoid, He": TRIES["sigmoid, He"]},
        published={},
        claim=reaches("sigmoid, He", 0.85),
        note=N_("A cell that the course leaves to the reader to try; no figure was published."),
    ),
    Preset(
        id="d2-relu-xavier",
        page="initialization",
        title=N_("ReLU, Xavier weights"),
        question=N_("And what if ReLU gets the weights that are meant for sigmoid?"),
        runs={"ReLU, Xavier": TRIES["ReLU, Xavier"]},
        published={},
        claim=reaches("ReLU, Xavier", 0.9),
        note=N_("A cell that the course leaves to the reader to try; no figure was published."),
    ),
    Preset(
        id="ch06-init-compare",
        page="initialization",
        title=N_("Three initializations"),
        question=N_("How much does the start decide, when all else is equal?"),
        runs={
            "He": deep(initializer="he_normal"),
            "Xavier": deep(initializer="lecun_normal"),
            "std 0.01": deep(initializer="gauss", sigma=0.01),
        },
        published={},
        claim=never_learns("std 0.01") & learns_faster("He", "Xavier", "std 0.01"),
    ),
    Preset(
        id="course-inits",
        page="initialization",
        title=N_("The course's four runs"),
        question=N_("One network, four beginnings: which of them learn?"),
        runs=COURSE,
        published=COURSE_FIGURES,
        claim=never_learns("sigmoid, std 0.01")
        & waits("ReLU, std 0.01", 400)
        & learns_faster("ReLU, He", "ReLU, std 0.01", "sigmoid, Xavier", "sigmoid, std 0.01"),
        note=N_("Sigmoid with Xavier came to 0.7895 in another published run of the same settings."),
    ),
    Preset(
        id="course-inits-all",
        page="initialization",
        title=N_("The course's four runs and its two cells to try"),
        question=N_("Xavier was made for sigmoid and He for ReLU. And the other way round?"),
        runs=COURSE | TRIES,
        published=COURSE_FIGURES,
        claim=never_learns("sigmoid, std 0.01") & reaches("sigmoid, He", 0.85) & reaches("ReLU, Xavier", 0.9),
        note=N_("No figures were published of sigmoid with He and of ReLU with Xavier."),
    ),
    Preset(
        id="ch06-activation-hist",
        page="initialization",
        title=N_("Activations before training"),
        question=N_("1,000 random examples meet five layers of random weights. What is left of their differences?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "With σ = 1 more than 70 % of all sigmoid outputs lie within 0.1 of 0 or 1, with σ = 0.01 more "
                    "than 90 % within 0.05 of ½. With Xavier and He fewer than 15 % lie at the ends and fewer than "
                    "35 % in the middle, in every layer."
                )
            ),
            lambda results: _piles_up(),
        ),
    ),
    Preset(
        id="vanishing-gradients",
        page="initialization",
        title=N_("Vanishing and exploding gradients"),
        question=N_("How much of a gradient is left after 30 layers?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "Through 30 layers of sigmoid less than 10⁻¹⁰ of a gradient arrives at the first, with σ = 0.01 "
                    "as with Xavier. Through ReLU with He it stays within a factor of 10 at every layer; with σ = 1 it "
                    "grows more than 10²⁰-fold."
                )
            ),
            lambda results: _vanishes_and_explodes(),
        ),
    ),
    Preset(
        id="symmetry",
        page="initialization",
        title=N_("Equal weights stay equal"),
        question=N_("What can a layer learn whose units all start the same?"),
        runs=SYMMETRY,
        published={},
        claim=Claim(
            Text(
                N_(
                    "All hidden units of a layer that started with equal weights still have equal weights, to the "
                    "last digit; those that started at random differ."
                )
            ),
            lambda results: _stays_symmetric(),
        )
        & leads("random", "all equal", 0.2),
    ),
)
