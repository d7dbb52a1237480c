"""What normalization makes possible."""

from __future__ import annotations

from functools import partial

from engine.errors import N_
from engine.presets.bases import deep, few, panel, run, small
from engine.presets.claims import leads, learn_in_number, memorizes, never_learns, reaches
from engine.presets.preset import Preset, Published

# np.logspace(0, -4, 16), to six digits, so that a URL stays short.
SIGMAS = tuple(float(f"{10 ** (-4 * i / 15):.6g}") for i in range(16))
_WITH = tuple(f"batch norm, std {sigma:.2g}" for sigma in SIGMAS)
_WITHOUT = tuple(f"std {sigma:.2g}" for sigma in SIGMAS)

_KINDS = {N_("batch norm"): "batch", N_("layer norm"): "layer", N_("no normalization"): "none"}
_sigmoids = partial(
    deep, activation="sigmoid", initializer="lecun_normal", lr=0.1, batch_size=100, steps=600, evaluate_every=50
)
_pictures = partial(
    run,
    network="conv8@5 pool2 conv16@3 pool2 dense50",
    initializer="gauss",
    train_size=2_000,
    lr=0.1,
    steps=120,
    evaluate_every=12,
)
_by_heart = partial(few, network="dense100 dense100", lr=0.1, batch_size=20)
_sizes = partial(run, network="dense100 dense100", lr=0.1, steps=600, evaluate_every=50)
_five = partial(run, network=" ".join(["dense100"] * 5), lr=0.05, steps=600, evaluate_every=50)

PRESETS = (
    Preset(
        id="d2-batchnorm",
        page="normalization",
        title=N_("Batch norm"),
        question=N_("Can normalization rescue a sigmoid network from a small learning rate?"),
        runs={
            N_("batch norm"): small(
                activation="sigmoid", initializer="lecun_normal", normalization="batch", lr=0.01, steps=1_000
            ),
            N_("no batch norm"): small(activation="sigmoid", initializer="lecun_normal", lr=0.01, steps=1_000),
        },
        published={"batch norm": Published(0.8143)},
        claim=reaches("batch norm", 0.75) & leads("batch norm", "no batch norm", 0.2),
    ),
    Preset(
        id="ch06-batchnorm",
        page="normalization",
        title=N_("Batch norm against the initial σ"),
        question=N_("From how many starting points can a network learn, with batch norm and without?"),
        runs={
            label: panel(sigma=sigma, normalization=kind, evaluate_every=20)
            for labels, kind in ((_WITH, "batch"), (_WITHOUT, "none"))
            for label, sigma in zip(labels, SIGMAS, strict=True)
        },
        published={},
        claim=learn_in_number(_WITH, _WITHOUT, at_least=14, at_most=4),
    ),
    Preset(
        id="normalizations",
        page="normalization",
        title=N_("Batch norm, layer norm, neither"),
        question=N_("Four layers of sigmoid units at a learning rate of 0.1: who gets off the ground?"),
        runs={label: _sigmoids(normalization=kind) for label, kind in _KINDS.items()},
        published={},
        claim=never_learns("no normalization") & reaches("batch norm", 0.8) & reaches("layer norm", 0.8),
    ),
    Preset(
        id="normalizations-conv",
        page="normalization",
        title=N_("Normalization of pictures"),
        question=N_("Two convolutions whose weights start near zero: does normalizing their channels help?"),
        runs={label: _pictures(normalization=kind) for label, kind in _KINDS.items()},
        published={},
        claim=never_learns("no normalization") & reaches("batch norm", 0.85) & reaches("layer norm", 0.85),
        note=N_(
            "Batch norm averages each channel over the batch and all pixels, layer norm each picture over all pixels "
            "and channels."
        ),
    ),
    Preset(
        id="norm-regularizer",
        page="normalization",
        title=N_("Is normalization a regularizer?"),
        question=N_("Batch norm is said to work against overfitting. Does it, on 300 digits?"),
        runs={label: _by_heart(normalization=kind) for label, kind in _KINDS.items()},
        published={},
        claim=memorizes("no normalization", 0.1) & memorizes("batch norm", 0.1) & memorizes("layer norm", 0.1),
        note=N_(
            "The noise of small batches is a weak regularizer at best: all three learn the digits by heart. See "
            "Regularization for what helps."
        ),
    ),
    Preset(
        id="batch-norm-batch-size",
        page="normalization",
        title=N_("Down to two examples a batch"),
        question=N_("Batch norm knows mean and variance from the batch alone. What if that is two examples?"),
        runs={
            label: _sizes(normalization=kind, batch_size=size)
            for kind, labels in (
                ("batch", (N_("batch norm, 100"), N_("batch norm, 10"), N_("batch norm, 2"))),
                ("layer", (N_("layer norm, 100"), N_("layer norm, 10"), N_("layer norm, 2"))),
            )
            for label, size in zip(labels, (100, 10, 2), strict=True)
        },
        published={},
        claim=reaches("batch norm, 100", 0.85)
        & leads("batch norm, 100", "batch norm, 2", 0.25)
        & leads("layer norm, 2", "batch norm, 2", 0.1),
    ),
    Preset(
        id="activation-statistics",
        page="normalization",
        title=N_("Activations over the whole of training"),
        question=N_("Five ReLU layers: what becomes of the mean and spread of their outputs?"),
        runs={
            N_("std 0.01, batch norm"): _five(initializer="gauss", normalization="batch"),
            "std 0.01": _five(initializer="gauss"),
            "He": _five(),
        },
        published={},
        claim=never_learns("std 0.01") & reaches("std 0.01, batch norm", 0.85),
        note=N_(
            "Hooks read the outputs of every layer as training goes on. At first, small weights pass less than a tenth "
            "of each layer's spread on to the next; with batch norm it keeps its scale from the first step on."
        ),
    ),
)
