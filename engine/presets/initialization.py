"""What the initial weights decide."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import deep, gauss, small
from engine.presets.claims import learns_faster, never_learns, reaches, waits
from engine.presets.preset import Preset, Published

PRESETS = (
    Preset(
        id="d2-sigmoid-gauss",
        page="initialization",
        title=N_("Sigmoid, small Gauss weights"),
        question=N_("What does a deep sigmoid network learn when all of its weights start near zero?"),
        runs={"sigmoid, std 0.01": gauss(steps=2_000)},
        published={"sigmoid, std 0.01": Published(0.1135)},
        claim=never_learns("sigmoid, std 0.01"),
    ),
    Preset(
        id="d2-relu-gauss",
        page="initialization",
        title=N_("ReLU, small Gauss weights"),
        question=N_("Does ReLU alone save a network whose weights start near zero?"),
        runs={"ReLU, std 0.01": small(initializer="gauss", steps=2_000)},
        published={"ReLU, std 0.01": Published(0.9197)},
        claim=waits("ReLU, std 0.01", 400) & reaches("ReLU, std 0.01", 0.8),
    ),
    Preset(
        id="d2-sigmoid-xavier",
        page="initialization",
        title=N_("Sigmoid, Xavier weights"),
        question=N_("Is a matching initialization enough for sigmoid to learn?"),
        runs={"sigmoid, Xavier": small(activation="sigmoid", initializer="lecun_normal", steps=2_000)},
        published={"sigmoid, Xavier": Published(0.8724)},
        claim=reaches("sigmoid, Xavier", 0.8),
        note=N_("Another published run of the same settings came to 0.7895."),
    ),
    Preset(
        id="d2-relu-he",
        page="initialization",
        title=N_("ReLU, He weights"),
        question=N_("How much does ReLU gain from the initialization that was made for it?"),
        runs={"ReLU, He": small(initializer="he_normal", steps=2_000)},
        published={"ReLU, He": Published(0.956)},
        claim=reaches("ReLU, He", 0.9),
    ),
    Preset(
        id="d2-sigmoid-he",
        page="initialization",
        title=N_("Sigmoid, He weights"),
        question=N_("And what if sigmoid gets the weights that are meant for ReLU?"),
        runs={"sigmoid, He": small(activation="sigmoid", initializer="he_normal", steps=2_000)},
        published={},
        claim=reaches("sigmoid, He", 0.85),
        note=N_("A cell that the course leaves to the reader to try; no figure was published."),
    ),
    Preset(
        id="d2-relu-xavier",
        page="initialization",
        title=N_("ReLU, Xavier weights"),
        question=N_("And what if ReLU gets the weights that are meant for sigmoid?"),
        runs={"ReLU, Xavier": small(initializer="lecun_normal", steps=2_000)},
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
)
