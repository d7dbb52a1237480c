"""The first networks of course and book."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import book, run
from engine.presets.claims import reaches
from engine.presets.preset import Preset, Published

PRESETS = (
    Preset(
        id="d2-two-layer",
        page="train",
        title=N_("One hidden layer"),
        question=N_("How far do a thousand mini-batches take a network with a single hidden layer?"),
        runs={"ReLU, std 0.01": run(network="dense40", initializer="gauss", steps=1_000, evaluate_every=200)},
        published={"ReLU, std 0.01": Published(0.9201)},
        claim=reaches("ReLU, std 0.01", 0.88),
        note=N_("The training accuracy of the published notebook is that of its current mini-batch."),
    ),
    Preset(
        id="ch04-two-layer",
        page="train",
        title=N_("The book's first network"),
        question=N_("How good is a sigmoid network after 10,000 mini-batches?"),
        runs={"sigmoid, std 0.01": book(activation="sigmoid")},
        published={"sigmoid, std 0.01": Published(0.945, about=True)},
        claim=reaches("sigmoid, std 0.01", 0.89),
    ),
    Preset(
        id="ch05-two-layer",
        page="train",
        title=N_("The book's first network, with ReLU"),
        question=N_("What does ReLU bring in the same 10,000 mini-batches?"),
        runs={"ReLU, std 0.01": book(activation="relu")},
        published={"ReLU, std 0.01": Published(0.97, about=True)},
        claim=reaches("ReLU, std 0.01", 0.89),
    ),
)
