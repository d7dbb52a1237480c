"""Networks that look at neighbourhoods."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import ONE_CONV, SIX_CONVS, conv, course_conv
from engine.presets.claims import leads, reaches
from engine.presets.preset import Preset, Published

PRESETS = (
    Preset(
        id="d2-simple-conv",
        page="convolution",
        title=N_("One convolution"),
        question=N_("What does a single layer of convolution add to a dense network?"),
        runs={
            N_("30 filters"): course_conv(network=ONE_CONV, initializer="gauss", steps=1_000),
            N_("no convolution"): course_conv(network="dense100", initializer="gauss", steps=1_000),
        },
        published={"30 filters": Published(0.961, 0.9952)},
        claim=reaches("30 filters", 0.9) & leads("30 filters", "no convolution", 0.01),
        note=N_("Another published run of the same settings came to 0.954."),
    ),
    Preset(
        id="d2-double-conv",
        page="convolution",
        title=N_("Two convolutions"),
        question=N_("How far does a network with two layers of convolution come in a hundred steps?"),
        runs={
            N_("two convolutions"): course_conv(
                network="conv10@7p1 conv20@3p1 pool2 dense100", initializer="gauss", steps=100, evaluate_every=10
            )
        },
        published={"two convolutions": Published(0.844, 0.8728)},
        claim=reaches("two convolutions", 0.6),
        note=N_("Another published run of the same settings came to 0.788."),
    ),
    Preset(
        id="d2-deep-conv",
        page="convolution",
        title=N_("Six convolutions"),
        question=N_("Do six layers of small kernels learn five thousand digits?"),
        runs={N_("six convolutions"): course_conv(network=SIX_CONVS, steps=1_000)},
        published={"six convolutions": Published(0.974, 0.9954)},
        claim=reaches("six convolutions", 0.75),
    ),
    Preset(
        id="ch07-simple-conv",
        page="convolution",
        title=N_("The book's convolutional network"),
        question=N_("How good does one layer of convolution become when it sees all digits twenty times?"),
        runs={N_("30 filters"): conv(network=ONE_CONV, initializer="gauss", steps=12_000, evaluate_every=600)},
        published={"30 filters": Published(0.9896)},
        claim=reaches("30 filters", 0.9),
    ),
    Preset(
        id="ch08-deep-conv",
        page="convolution",
        title=N_("The book's deep network"),
        question=N_("What is gained by depth, with a kernel no larger than 3 × 3?"),
        runs={N_("six convolutions"): conv(network=SIX_CONVS, steps=12_000, evaluate_every=600)},
        published={"six convolutions": Published(0.993, about=True)},
        claim=reaches("six convolutions", 0.75),
    ),
    Preset(
        id="conv-in-ten-seconds",
        page="convolution",
        title=N_("Ninety-nine percent in ten seconds"),
        question=N_("How quickly can a convolutional network be trained?"),
        runs={
            "12@5, 32@3": conv(
                network="conv12@5 pool2 conv32@3 pool2 dense64",
                lr=0.006,
                schedule="one_cycle",
                steps=1_500,
                evaluate_every=300,
                sampling="shuffle",
            )
        },
        published={},
        claim=reaches("12@5, 32@3", 0.9),
    ),
)
