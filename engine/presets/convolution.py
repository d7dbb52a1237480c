"""Networks that look at neighbourhoods."""

from __future__ import annotations

import numpy as np

from engine import build, shipped
from engine.analysis.convolution import output_size
from engine.analysis.precision import compare
from engine.data import datasets
from engine.errors import N_, Text
from engine.presets.bases import ONE_CONV, SIX_CONVS, conv, course_conv
from engine.presets.claims import Claim, leads, reaches
from engine.presets.preset import Preset, Published
from engine.presets.results import train


def roughness(filters: np.ndarray) -> float:
    """Return how much neighbouring numbers of filters (k, k, 1, F) differ: 1 for noise, less for edges and blobs.

    The mean of (w − w′)² over neighbours divided by twice the variance of the filter, averaged over the filters.
    """
    steps = [np.diff(filters, axis=axis) ** 2 for axis in (0, 1)]
    near = sum(step.sum(axis=(0, 1)) for step in steps) / sum(step[..., 0, 0].size for step in steps)
    return float((near / (2 * filters.var(axis=(0, 1)))).mean())


def _smoother(_results: object) -> bool:
    experiment = conv(network=ONE_CONV, initializer="gauss", steps=200, evaluate_every=200)
    trained = next(p.data for p in train(experiment, threads=2).network.parameters().values() if p.data.ndim == 4)
    before = roughness(build.initial_weights(experiment, trained.shape))
    return 0.9 < before < 1.1 and roughness(trained) < 0.85 * before


def _unsure(_results: object) -> bool:
    data, model = datasets.load("mnist-5k"), shipped.load()
    _rows, probabilities = compare(model, data.x_test, data.y_test)
    right = probabilities.argmax(axis=1) == data.y_test
    confidence = probabilities.max(axis=1)
    return bool(np.mean(~right) <= 0.02 and (right.all() or confidence[~right].mean() < confidence[right].mean()))


def _precise(_results: object) -> bool:
    data = datasets.load("mnist-5k")
    rows, _probabilities = compare(shipped.load(), data.x_test, data.y_test)
    accuracies = [row.accuracy for row in rows]
    return max(accuracies) - min(accuracies) <= 0.0005


def _counted(_results: object) -> bool:
    """Compare the formula with places counted one by one."""
    return all(
        output_size(n, k, s, p) == len(range(-p, n + p - k + 1, s))
        for n in range(3, 33)
        for k in range(1, 6)
        for s in range(1, 4)
        for p in range(k)
        if n + 2 * p >= k
    )


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
        question=N_("How far does a network with two layers of convolution get in a hundred steps?"),
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
        runs={N_("30 filters"): conv(network=ONE_CONV, initializer="gauss", steps=12_000, evaluate_every=200)},
        published={"30 filters": Published(0.9896)},
        claim=reaches("30 filters", 0.9),
    ),
    Preset(
        id="ch08-deep-conv",
        page="convolution",
        title=N_("The book's deep network"),
        question=N_("What is gained by depth, with a kernel no larger than 3 × 3?"),
        runs={N_("six convolutions"): conv(network=SIX_CONVS, steps=12_000, evaluate_every=100)},
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
                evaluate_every=150,
                sampling="shuffle",
            )
        },
        published={},
        claim=reaches("12@5, 32@3", 0.9),
        note=N_("The full MNIST brings it to 99 %, the 4,000 built-in training digits to about 98 %."),
    ),
    Preset(
        id="ch07-filters",
        page="convolution",
        title=N_("The filters, before and after"),
        question=N_("What becomes of thirty random filters?"),
        runs={},
        published={},
        claim=Claim(Text(N_("Two hundred steps make the filters smoother: noise becomes edges and blobs.")), _smoother),
    ),
    Preset(
        id="ch08-misclassified",
        page="convolution",
        title=N_("What a good network gets wrong"),
        question=N_("Would you have read them?"),
        runs={},
        published={},
        claim=Claim(
            Text(N_("The reader errs on at most two digits in a hundred, and is less sure where it errs.")), _unsure
        ),
    ),
    Preset(
        id="ch08-half-precision",
        page="convolution",
        title=N_("Half precision"),
        question=N_("How many digits of a number does an answer need?"),
        runs={},
        published={},
        claim=Claim(Text(N_("Double, single and half precision differ by at most 0.0005 in accuracy.")), _precise),
    ),
    Preset(
        id="convolution-arithmetic",
        page="convolution",
        title=N_("Sizes, strides and padding"),
        question=N_("How large is the output?"),
        runs={},
        published={},
        claim=Claim(Text(N_("The formula of the output's size counts every place of the window.")), _counted),
    ),
)
