"""The settings that families of published experiments share; a preset says what differs."""

from __future__ import annotations

from functools import partial

from engine.experiment import Experiment

run = partial(Experiment, sampling="replacement")
small = partial(run, network="dense40 dense20", evaluate_every=100)
gauss = partial(small, activation="sigmoid", initializer="gauss", sigma=0.01, steps=1_000)
few = partial(run, network=" ".join(["dense100"] * 6), train_size=300, lr=0.01, steps=1_000, evaluate_every=50)
book = partial(run, network="dense50", initializer="gauss", sigma=0.01, steps=10_000, evaluate_every=600)
deep = partial(run, network=" ".join(["dense100"] * 4), lr=0.01, batch_size=128, steps=2_000, evaluate_every=100)
panel = partial(
    run,
    network=" ".join(["dense100"] * 5),
    initializer="gauss",
    train_size=1_000,
    lr=0.01,
    steps=200,  # 20 epochs
    evaluate_every=50,
)

conv = partial(run, optimizer="adam", lr=0.001)
course_conv = partial(conv, train_size=5_000, test_size=1_000, evaluate_every=100)
ONE_CONV = "conv30@5 pool2 dense100"
SIX_CONVS = (
    "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p2 pool2 conv64@3p1 conv64@3p1 pool2 dense50 drop.5 output drop.5"
)
