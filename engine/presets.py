"""Every published experiment as data: what was run, what was reported, and what it teaches, as a statement to check.

A preset names its experiments by label; its *claim* is a sentence together with a predicate over their results, so
that a lesson on a page is a test as well. Settings are those of the course exercises "深層学習 Day2" (d2-…) and of the
book『ゼロから作る Deep Learning』(ch…), which trained on the full MNIST; here they default to the embedded 5,000
digits, and claims are worded to hold on both. What course and book call Xavier, √(1 / fan_in), is `lecun_normal`.
"""

from __future__ import annotations

import difflib
import itertools
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from engine.errors import N_, InputError, Text, shorten
from engine.experiment import Experiment
from engine.training.trainer import Trainer

SLICE = 0.25  # seconds of training from one look at a run to the next


# ------------------------------------------------------------------------------------------------------------- results


@dataclass(frozen=True, eq=False)
class Result:
    """What a run came to.

    Sizes, loss and accuracies (0 … 1) are those of all the examples that the experiment takes from either set, with the
    network at rest; `loss` is the training set's, `test_loss` the other. seconds: spent in updates alone. finished:
    "completed" or "diverged"; the losses of a diverged run may be NaN. curves: see `History.curves`.
    """

    dataset: str
    train_size: int
    test_size: int
    parameters: int
    iterations: int
    seconds: float
    loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    finished: str
    curves: Mapping[str, list[float]]

    @classmethod
    def of(cls, trainer: Trainer) -> Result:
        """Measure a trainer whose run is over."""
        measured = trainer.evaluate(limit=0)
        return cls(
            dataset=trainer.experiment.data,
            train_size=len(trainer.data.x_train),
            test_size=len(trainer.data.x_test),
            parameters=trainer.network.vector.data.size,
            iterations=trainer.step,
            seconds=trainer.seconds,
            loss=measured.train_loss,
            test_loss=measured.test_loss,
            train_accuracy=measured.train_accuracy,
            test_accuracy=measured.test_accuracy,
            finished=trainer.finished.reason,
            curves=trainer.history.curves(),
        )


Results = Mapping[str, Result]


def train(experiment: Experiment, watch: Callable[[Trainer], None] | None = None, *, threads: int = 1) -> Trainer:
    """Return a trainer after its whole run; `watch` is shown it about every `SLICE` seconds meanwhile.

    threads: see `Trainer`; they change no number.

    Raises `InputError` when the data is not there or the network is too large.
    """
    trainer = Trainer(experiment, probe_every=0, threads=threads)
    while trainer.finished is None:
        trainer.advance(seconds=SLICE)
        if watch:
            watch(trainer)
    return trainer


# -------------------------------------------------------------------------------------------------------------- claims


@dataclass(frozen=True, eq=False)
class Claim:
    """A sentence, and whether results bear it out. `a & b` claims both."""

    text: Text
    holds: Callable[[Results], bool]

    def __and__(self, other: Claim) -> Claim:
        both = Text("{first} {second}", first=self.text, second=other.text)
        return Claim(both, lambda results: self.holds(results) and other.holds(results))


CHANCE = 0.12  # naming one digit always is right for 10 % of the embedded digits and for up to 11.35 % of MNIST's


def never_learns(label: str) -> Claim:
    """Test accuracy is no better than naming one class always."""
    text = Text(N_("“{run}” never learns: its test accuracy stays at chance."), run=Text(label))
    return Claim(text, lambda r: r[label].test_accuracy <= CHANCE)


def stays_below(label: str, accuracy: float) -> Claim:
    """Test accuracy < `accuracy`."""
    text = Text(N_("“{run}” hardly moves: its test accuracy stays below {limit}."), run=Text(label), limit=accuracy)
    return Claim(text, lambda r: r[label].test_accuracy < accuracy)


def reaches(label: str, accuracy: float) -> Claim:
    """Test accuracy ≥ `accuracy`."""
    text = Text(N_("“{run}” reaches a test accuracy of {limit}."), run=Text(label), limit=accuracy)
    return Claim(text, lambda r: r[label].test_accuracy >= accuracy)


def waits(label: str, steps: int) -> Claim:
    """Every test accuracy measured during the first `steps` steps is below .2."""
    text = Text(N_("“{run}” stands on a plateau for its first {n} steps."), run=Text(label), n=steps)

    def holds(r: Results) -> bool:
        curves = r[label].curves
        early = [a for step, a in zip(curves["step"], curves["test_accuracy"], strict=True) if step <= steps]
        return len(early) > 1 and max(early) < 0.2

    return Claim(text, holds)


def leads(a: str, b: str, margin: float) -> Claim:
    """Test accuracy of `a` ≥ that of `b` + `margin`."""
    text = Text(
        N_("“{run}” is ahead of “{other}” on the test set by {margin} or more."),
        run=Text(a),
        other=Text(b),
        margin=margin,
    )
    return Claim(text, lambda r: r[a].test_accuracy >= r[b].test_accuracy + margin)


def keeps_up(a: str, b: str, margin: float) -> Claim:
    """Test accuracy of `a` ≥ that of `b` − `margin`."""
    text = Text(N_("It costs at most {margin} of test accuracy."), margin=margin)
    return Claim(text, lambda r: r[a].test_accuracy >= r[b].test_accuracy - margin)


def learns_faster(*order: str) -> Claim:
    """The mean loss of the mini-batches, over the whole run, grows from each label to the next."""
    text = Text(N_("{runs}: in this order they learn, the fastest first."), runs=", ".join(order))

    def holds(r: Results) -> bool:
        means = [statistics.fmean(r[label].curves["loss"]) for label in order]
        return all(a < b for a, b in itertools.pairwise(means))

    return Claim(text, holds)


def memorizes(label: str, gap: float) -> Claim:
    """Training accuracy ≥ .99, and test accuracy at least `gap` below it."""
    text = Text(
        N_("“{run}” learns its training set by heart; on the test set it is worse by {gap} or more."),
        run=Text(label),
        gap=gap,
    )
    return Claim(
        text, lambda r: r[label].train_accuracy >= 0.99 and r[label].train_accuracy - r[label].test_accuracy >= gap
    )


def forgets(label: str, accuracy: float) -> Claim:
    """Training accuracy < `accuracy`."""
    text = Text(N_("“{run}” no longer fits every training example."), run=Text(label))
    return Claim(text, lambda r: r[label].train_accuracy < accuracy)


def fits_less(label: str, baseline: str, factor: float) -> Claim:
    """Training loss of `label` ≥ `factor` times that of `baseline`."""
    text = Text(
        N_("With “{run}” the training loss stays at {factor} times that with “{other}”, or above."),
        run=Text(label),
        other=Text(baseline),
        factor=f"{factor:g}",
    )
    return Claim(text, lambda r: r[label].loss >= factor * r[baseline].loss)


def gap_closes(label: str, baseline: str) -> Claim:
    """Test loss − training loss is smaller for `label` than for `baseline`.

    Losses, because on 300 examples the gap between the accuracies is too coarse to compare.
    """
    text = Text(
        N_("The gap between test and training loss is smaller with “{run}” than with “{other}”."),
        run=Text(label),
        other=Text(baseline),
    )
    return Claim(text, lambda r: r[label].test_loss - r[label].loss < r[baseline].test_loss - r[baseline].loss)


def learn_in_number(
    labels: tuple[str, ...], others: tuple[str, ...], *, at_least: int, at_most: int, accuracy: float = 0.3
) -> Claim:
    """At least `at_least` of `labels`, but at most `at_most` of `others`, pass a training accuracy of `accuracy`."""
    text = Text(
        N_("With batch norm at least {a} of {n} networks learn, without it at most {b}."),
        a=at_least,
        n=len(labels),
        b=at_most,
    )

    def count(r: Results, names: tuple[str, ...]) -> int:
        return sum(r[name].train_accuracy >= accuracy for name in names)

    return Claim(text, lambda r: count(r, labels) >= at_least and count(r, others) <= at_most)


# ------------------------------------------------------------------------------------------------------------- presets


@dataclass(frozen=True)
class Published:
    """Accuracies (0 … 1) as reported, on the full MNIST; None where none was. about: read off a chart or a range."""

    test: float | None
    train: float | None = None
    about: bool = False


@dataclass(frozen=True, eq=False)
class Preset:
    """A published experiment.

    runs: label → experiment; the first is the one that the preset is about. published: label → figures or None.
    page: name of the page that shows it. note: what differs from the publication, "" for nothing. Labels, title,
    question and note are translatable.
    """

    id: str
    page: str
    title: str
    question: str
    runs: Mapping[str, Experiment]
    published: Mapping[str, Published | None]
    claim: Claim
    note: str = ""

    def __post_init__(self) -> None:
        if unknown := set(self.published) - set(self.runs):
            raise ValueError(f"{self.id} publishes figures of runs it does not have: {unknown}")
        object.__setattr__(self, "runs", MappingProxyType(dict(self.runs)))
        figures = {label: self.published.get(label) for label in self.runs}
        object.__setattr__(self, "published", MappingProxyType(figures))

    @property
    def headline(self) -> str:
        """The label of the run that the preset is about."""
        return next(iter(self.runs))


def get(id: str) -> Preset:
    """Return a preset. Raises `InputError` for an id that is none."""
    preset = PRESETS.get(id) if isinstance(id, str) else None
    if preset is None:
        received = shorten(id)
        near = difflib.get_close_matches(received, PRESETS, n=3, cutoff=0.4) or list(PRESETS)[:3]
        raise InputError(
            N_("preset must be one of {n} ids such as {options}, not {received}."),
            n=len(PRESETS),
            options=", ".join(near),
            received=received,
        )
    return preset


def run(
    preset: Preset, *, watch: Callable[[str, Trainer], None] | None = None, threads: int = 1, **changes: object
) -> dict[str, Result]:
    """Train every run of a preset, with some fields changed in all (`data="mnist"`, `seed=1`), and return the results.

    watch: called with a label and its trainer about every `SLICE` seconds. Raises `InputError`.
    """
    return {
        label: Result.of(
            train(experiment.replace(**changes), partial(watch, label) if watch else None, threads=threads)
        )
        for label, experiment in preset.runs.items()
    }


# Evaluations are as rare as they must be to cost less than a tenth of a run.
_run = partial(Experiment, sampling="replacement")
_small = partial(_run, network="dense40 dense20", evaluate_every=200)
_gauss = partial(_small, activation="sigmoid", initializer="gauss", sigma=0.01, steps=1_000)
_few = partial(_run, network=" ".join(["dense100"] * 6), train_size=300, lr=0.01, steps=1_000, evaluate_every=100)
_book = partial(_run, network="dense50", initializer="gauss", sigma=0.01, steps=10_000, evaluate_every=600)
_deep = partial(_run, network=" ".join(["dense100"] * 4), lr=0.01, batch_size=128, steps=2_000, evaluate_every=100)
_panel = partial(
    _run,
    network=" ".join(["dense100"] * 5),
    initializer="gauss",
    train_size=1_000,
    lr=0.01,
    steps=200,  # 20 epochs
    evaluate_every=50,
)

_conv = partial(_run, optimizer="adam", lr=0.001)
_course_conv = partial(_conv, train_size=5_000, test_size=1_000, evaluate_every=100)
_ONE_CONV = "conv30@5 pool2 dense100"
_SIX_CONVS = (
    "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p2 pool2 conv64@3p1 conv64@3p1 pool2 dense50 drop.5 output drop.5"
)

# How the digit reader of assets/models is trained; see the .txt beside it.
READER = Experiment(
    data="handwriting",
    network="conv24@5p2 pool2 conv32@3p1 conv32@3p1 pool2 conv64@3p1 conv64@3p1 pool2 dense100 drop.4",
    optimizer="adam",
    lr=0.003,
    schedule="one_cycle",
    steps=15_000,
    evaluate_every=1_500,
    rotation=10.0,
    scale=0.125,
    shear=0.2,
    shift=2.0,
    elastic=0.7,
    ema=0.999,
)

# np.logspace(0, -4, 16), to six digits, so that a URL stays short.
SIGMAS = tuple(float(f"{10 ** (-4 * i / 15):.6g}") for i in range(16))
_WITH = tuple(f"batch norm, std {sigma:.2g}" for sigma in SIGMAS)
_WITHOUT = tuple(f"std {sigma:.2g}" for sigma in SIGMAS)

_UNTRAINED_OUTPUT = N_(
    "The published notebook never updates the output layer; here it learns like the others, and figures differ."
)

_ALL = (
    # ---------------------------------------------------------------------------------------------- the course, Day 2
    Preset(
        id="d2-two-layer",
        page="train",
        title=N_("One hidden layer"),
        question=N_("How far do a thousand mini-batches take a network with a single hidden layer?"),
        runs={"ReLU, std 0.01": _run(network="dense40", initializer="gauss", steps=1_000, evaluate_every=200)},
        published={"ReLU, std 0.01": Published(0.9201)},
        claim=reaches("ReLU, std 0.01", 0.88),
        note=N_("The training accuracy of the published notebook is that of its current mini-batch."),
    ),
    Preset(
        id="d2-sigmoid-gauss",
        page="initialization",
        title=N_("Sigmoid, small Gauss weights"),
        question=N_("What does a deep sigmoid network learn when all of its weights start near zero?"),
        runs={"sigmoid, std 0.01": _gauss(steps=2_000)},
        published={"sigmoid, std 0.01": Published(0.1135)},
        claim=never_learns("sigmoid, std 0.01"),
    ),
    Preset(
        id="d2-relu-gauss",
        page="initialization",
        title=N_("ReLU, small Gauss weights"),
        question=N_("Does ReLU alone save a network whose weights start near zero?"),
        runs={"ReLU, std 0.01": _small(initializer="gauss", steps=2_000)},
        published={"ReLU, std 0.01": Published(0.9197)},
        claim=waits("ReLU, std 0.01", 400) & reaches("ReLU, std 0.01", 0.8),
    ),
    Preset(
        id="d2-sigmoid-xavier",
        page="initialization",
        title=N_("Sigmoid, Xavier weights"),
        question=N_("Is a matching initialization enough for sigmoid to learn?"),
        runs={"sigmoid, Xavier": _small(activation="sigmoid", initializer="lecun_normal", steps=2_000)},
        published={"sigmoid, Xavier": Published(0.8724)},
        claim=reaches("sigmoid, Xavier", 0.8),
        note=N_("Another published run of the same settings came to 0.7895."),
    ),
    Preset(
        id="d2-relu-he",
        page="initialization",
        title=N_("ReLU, He weights"),
        question=N_("How much does ReLU gain from the initialization that was made for it?"),
        runs={"ReLU, He": _small(initializer="he_normal", steps=2_000)},
        published={"ReLU, He": Published(0.956)},
        claim=reaches("ReLU, He", 0.9),
    ),
    Preset(
        id="d2-sigmoid-he",
        page="initialization",
        title=N_("Sigmoid, He weights"),
        question=N_("And what if sigmoid gets the weights that are meant for ReLU?"),
        runs={"sigmoid, He": _small(activation="sigmoid", initializer="he_normal", steps=2_000)},
        published={},
        claim=reaches("sigmoid, He", 0.85),
        note=N_("A cell that the course leaves to the reader to try; no figure was published."),
    ),
    Preset(
        id="d2-relu-xavier",
        page="initialization",
        title=N_("ReLU, Xavier weights"),
        question=N_("And what if ReLU gets the weights that are meant for sigmoid?"),
        runs={"ReLU, Xavier": _small(initializer="lecun_normal", steps=2_000)},
        published={},
        claim=reaches("ReLU, Xavier", 0.9),
        note=N_("A cell that the course leaves to the reader to try; no figure was published."),
    ),
    Preset(
        id="d2-batchnorm",
        page="normalization",
        title=N_("Batch norm"),
        question=N_("Can normalization rescue a sigmoid network from a small learning rate?"),
        runs={
            N_("batch norm"): _small(
                activation="sigmoid", initializer="lecun_normal", normalization="batch", lr=0.01, steps=1_000
            ),
            N_("no batch norm"): _small(activation="sigmoid", initializer="lecun_normal", lr=0.01, steps=1_000),
        },
        published={"batch norm": Published(0.8143)},
        claim=reaches("batch norm", 0.75) & leads("batch norm", "no batch norm", 0.2),
    ),
    Preset(
        id="d2-opt-sgd",
        page="optimizers",
        title=N_("SGD on a plateau"),
        question=N_("Can plain SGD leave the plateau around small sigmoid weights?"),
        runs={"SGD 0.01": _gauss(optimizer="sgd", lr=0.01)},
        published={"SGD 0.01": Published(0.1135)},
        claim=never_learns("SGD 0.01"),
    ),
    Preset(
        id="d2-opt-momentum",
        page="optimizers",
        title=N_("Momentum on a plateau"),
        question=N_("Does momentum carry a network off the plateau, and at which learning rate?"),
        runs={
            "Momentum 0.01": _gauss(optimizer="momentum", lr=0.01),
            "Momentum 0.3": _gauss(optimizer="momentum", lr=0.3),
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
            "AdaGrad 0.01": _gauss(optimizer="adagrad", lr=0.01, initial_accumulator=1e-4),
            "AdaGrad 0.1": _gauss(optimizer="adagrad", lr=0.1, initial_accumulator=1e-4),
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
        runs={"RMSProp 0.01": _gauss(optimizer="rmsprop", lr=0.01, alpha=0.99)},
        published={"RMSProp 0.01": Published(0.9421)},
        claim=reaches("RMSProp 0.01", 0.85),
    ),
    Preset(
        id="d2-opt-adam",
        page="optimizers",
        title=N_("Adam on a plateau"),
        question=N_("And what if momentum and RMSProp are joined?"),
        runs={"Adam 0.01": _gauss(optimizer="adam", lr=0.01)},
        published={"Adam 0.01": Published(0.9435)},
        claim=reaches("Adam 0.01", 0.85),
    ),
    Preset(
        id="d2-overfit",
        page="regularization",
        title=N_("Overfitting 300 digits"),
        question=N_("What does a network of seven layers make of 300 examples?"),
        runs={N_("no decay"): _few()},
        published={"no decay": Published(0.758, train=1.0)},
        claim=memorizes("no decay", 0.15),
    ),
    Preset(
        id="d2-l2",
        page="regularization",
        title=N_("L2 decay"),
        question=N_("What does it cost, and what does it bring, to keep the weights small?"),
        runs={"L2 0.1": _few(l2=0.1), N_("no decay"): _few()},
        published={"L2 0.1": Published(0.705, train=0.9)},
        claim=forgets("L2 0.1", 0.98) & gap_closes("L2 0.1", "no decay"),
        note=_UNTRAINED_OUTPUT,
    ),
    Preset(
        id="d2-l1",
        page="regularization",
        title=N_("L1 decay"),
        question=N_("What changes when the decay pulls every weight with the same force?"),
        runs={"L1 0.005": _few(lr=0.1, l1=0.005), N_("no decay"): _few(lr=0.1)},
        published={"L1 0.005": Published(0.618, train=0.797)},
        claim=forgets("L1 0.005", 1.0) & gap_closes("L1 0.005", "no decay"),
        note=N_(
            "At this learning rate the decay makes training restless: figures differ much from seed to seed. "
            "The published notebook never updates the output layer; here it learns like the others."
        ),
    ),
    Preset(
        id="d2-dropout",
        page="regularization",
        title=N_("Dropout"),
        question=N_("What happens to learning by heart when units are missing at random?"),
        runs={N_("dropout 0.15"): _few(dropout=0.15), N_("no dropout"): _few()},
        published={"dropout 0.15": Published(0.686, train=0.887)},
        claim=fits_less("dropout 0.15", "no dropout", 2.0) & keeps_up("dropout 0.15", "no dropout", 0.03),
        note=N_(
            "The published dropout does not scale up what is left while it trains, which shrinks every layer and slows "
            "learning down; ours does, and fits more in the same steps."
        ),
    ),
    Preset(
        id="d2-dropout-l1",
        page="regularization",
        title=N_("Dropout and L1 decay"),
        question=N_("Do two regularizers together do more than one?"),
        runs={N_("dropout 0.08, L1 0.004"): _few(dropout=0.08, l1=0.004), N_("neither"): _few()},
        published={"dropout 0.08, L1 0.004": Published(0.707, train=0.923)},
        claim=fits_less("dropout 0.08, L1 0.004", "neither", 5.0) & gap_closes("dropout 0.08, L1 0.004", "neither"),
        note=N_(
            "The published notebook never updates the output layer, and its dropout does not scale up what is left; "
            "here the output layer learns like the others and dropout keeps the scale."
        ),
    ),
    # ------------------------------------------------------------------------------------------------------- the book
    Preset(
        id="ch04-two-layer",
        page="train",
        title=N_("The book's first network"),
        question=N_("How good is a sigmoid network after 10,000 mini-batches?"),
        runs={"sigmoid, std 0.01": _book(activation="sigmoid")},
        published={"sigmoid, std 0.01": Published(0.945, about=True)},
        claim=reaches("sigmoid, std 0.01", 0.89),
    ),
    Preset(
        id="ch05-two-layer",
        page="train",
        title=N_("The book's first network, with ReLU"),
        question=N_("What does ReLU bring in the same 10,000 mini-batches?"),
        runs={"ReLU, std 0.01": _book(activation="relu")},
        published={"ReLU, std 0.01": Published(0.97, about=True)},
        claim=reaches("ReLU, std 0.01", 0.89),
    ),
    Preset(
        id="ch06-init-compare",
        page="initialization",
        title=N_("Three initializations"),
        question=N_("How much does the start decide, when all else is equal?"),
        runs={
            "He": _deep(initializer="he_normal"),
            "Xavier": _deep(initializer="lecun_normal"),
            "std 0.01": _deep(initializer="gauss", sigma=0.01),
        },
        published={},
        claim=never_learns("std 0.01") & learns_faster("He", "Xavier", "std 0.01"),
    ),
    Preset(
        id="ch06-optimizers-mnist",
        page="optimizers",
        title=N_("Four optimizers on MNIST"),
        question=N_("From the same weights, on the same batches: who is fastest?"),
        runs={
            "SGD": _deep(optimizer="sgd"),
            "Momentum": _deep(optimizer="momentum"),
            "AdaGrad": _deep(optimizer="adagrad"),
            "Adam": _deep(optimizer="adam", lr=0.001),
        },
        published={},
        claim=learns_faster("AdaGrad", "Momentum", "SGD") & learns_faster("Adam", "Momentum"),
        note=N_("In the book every optimizer starts from weights of its own; here all start from the same."),
    ),
    Preset(
        id="ch06-weight-decay",
        page="regularization",
        title=N_("Weight decay"),
        question=N_("Does weight decay close the gap between training and test?"),
        runs={
            "L2 0.1": _few(steps=603, evaluate_every=60, l2=0.1),
            N_("no decay"): _few(steps=603, evaluate_every=60),
        },
        published={},
        claim=memorizes("no decay", 0.15) & forgets("L2 0.1", 0.98) & gap_closes("L2 0.1", "no decay"),
    ),
    Preset(
        id="ch06-dropout",
        page="regularization",
        title=N_("Dropout against overfitting"),
        question=N_("Does dropout close the gap between training and test?"),
        runs={
            N_("dropout 0.2"): _few(steps=903, evaluate_every=75, dropout=0.2),
            N_("no dropout"): _few(steps=903, evaluate_every=75),
        },
        published={},
        claim=memorizes("no dropout", 0.15) & forgets("dropout 0.2", 1.0) & gap_closes("dropout 0.2", "no dropout"),
        note=N_("The book's dropout scales at test time instead, which trains more slowly."),
    ),
    Preset(
        id="ch06-batchnorm",
        page="normalization",
        title=N_("Batch norm against the initial σ"),
        question=N_("From how many starting points can a network learn, with batch norm and without?"),
        runs={
            label: _panel(sigma=sigma, normalization=kind)
            for labels, kind in ((_WITH, "batch"), (_WITHOUT, "none"))
            for label, sigma in zip(labels, SIGMAS, strict=True)
        },
        published={},
        claim=learn_in_number(_WITH, _WITHOUT, at_least=14, at_most=4),
    ),
    # --------------------------------------------------------------------------------------------------- convolution
    Preset(
        id="d2-simple-conv",
        page="convolution",
        title=N_("One convolution"),
        question=N_("What does a single layer of convolution add to a dense network?"),
        runs={
            N_("30 filters"): _course_conv(network=_ONE_CONV, initializer="gauss", steps=1_000),
            N_("no convolution"): _course_conv(network="dense100", initializer="gauss", steps=1_000),
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
            N_("two convolutions"): _course_conv(
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
        runs={N_("six convolutions"): _course_conv(network=_SIX_CONVS, steps=1_000)},
        published={"six convolutions": Published(0.974, 0.9954)},
        claim=reaches("six convolutions", 0.75),
    ),
    Preset(
        id="ch07-simple-conv",
        page="convolution",
        title=N_("The book's convolutional network"),
        question=N_("How good does one layer of convolution become when it sees all digits twenty times?"),
        runs={N_("30 filters"): _conv(network=_ONE_CONV, initializer="gauss", steps=12_000, evaluate_every=600)},
        published={"30 filters": Published(0.9896)},
        claim=reaches("30 filters", 0.9),
    ),
    Preset(
        id="ch08-deep-conv",
        page="convolution",
        title=N_("The book's deep network"),
        question=N_("What is gained by depth, with a kernel no larger than 3 × 3?"),
        runs={N_("six convolutions"): _conv(network=_SIX_CONVS, steps=12_000, evaluate_every=600)},
        published={"six convolutions": Published(0.993, about=True)},
        claim=reaches("six convolutions", 0.75),
    ),
    Preset(
        id="lenet-5",
        page="architectures",
        title=N_("LeNet-5"),
        question=N_("What did the network of 1998 already know?"),
        runs={
            "LeNet-5": _conv(
                network="conv6@5p2 avgpool2 conv16@5 avgpool2 dense120 dense84",
                activation="tanh",
                initializer="xavier_normal",
                lr=0.003,
                schedule="one_cycle",
                steps=9_000,
                evaluate_every=600,
            )
        },
        published={"LeNet-5": Published(0.9905)},
        claim=reaches("LeNet-5", 0.85),
        note=N_(
            "The averages have no weights of their own, and every filter of the second convolution sees all of the "
            "first: 61,706 parameters where the original had 60,000. Adam takes the place of its optimizer."
        ),
    ),
    Preset(
        id="vgg-28",
        page="architectures",
        title=N_("A VGG for 28 × 28 pixels"),
        question=N_("Does the recipe of VGG, only 3 × 3 in pairs, work on small pictures?"),
        runs={
            "VGG": _conv(
                network="conv32@3p1 conv32@3p1 pool2 conv64@3p1 conv64@3p1 pool2 dense128 drop.5",
                schedule="one_cycle",
                lr=0.002,
                steps=3_000,
                evaluate_every=300,
            )
        },
        published={},
        claim=reaches("VGG", 0.85),
    ),
    Preset(
        id="gap",
        page="architectures",
        title=N_("Global average pooling"),
        question=N_("Can a network do without a dense layer, and read pictures of any size?"),
        runs={
            "GAP": _conv(
                network="conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p1 pool2 conv64@3p1 gap",
                normalization="batch",
                schedule="one_cycle",
                lr=0.01,
                steps=3_000,
                evaluate_every=300,
            )
        },
        published={},
        claim=reaches("GAP", 0.85),
    ),
    Preset(
        id="conv-in-ten-seconds",
        page="convolution",
        title=N_("Ninety-nine percent in ten seconds"),
        question=N_("How quickly can a convolutional network be trained?"),
        runs={
            "16@5, 32@3": _conv(
                network="conv16@5 pool2 conv32@3 pool2 dense64",
                lr=0.004,
                schedule="one_cycle",
                steps=1_800,
                evaluate_every=300,
                sampling="shuffle",
            )
        },
        published={},
        claim=reaches("16@5, 32@3", 0.9),
    ),
    Preset(
        id="reader",
        page="draw",
        title=N_("A reader of handwriting"),
        question=N_("What does it take to read what other people write?"),
        runs={N_("reader"): READER},
        published={},
        claim=reaches("reader", 0.9),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.id: preset for preset in _ALL})
