"""An experiment is one frozen value: everything that decides how a run turns out, its seed included.

Each field carries its range, step, label, help and the condition under which it matters in its metadata (fields.py), so
a bound is written once. The network is a string of tokens (tokens.py); the output layer is implied.

Standard library only: a spec can be checked anywhere, without NumPy and without a screen.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import N_, Text
from engine.fields import ExperimentError, check, choice, format_value, integer, parse_value, real, switch, text, words
from engine.tokens import parse_network

# Learning rates that train a small network on digits; a person who changes the optimizer but not the rate gets these.
USUAL_LR = {
    "sgd": 0.1, "momentum": 0.01, "nesterov": 0.01, "adagrad": 0.01, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001,
}  # fmt: skip

# Initializations that keep the scale of the signal from layer to layer, by what the activation lets through.
XAVIER = ("xavier_normal", "xavier_uniform", "lecun_normal", "orthogonal")
HE = ("he_normal", "he_uniform", "orthogonal")
SUITED = {"sigmoid": XAVIER, "tanh": XAVIER, "identity": XAVIER} | dict.fromkeys(
    ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus"), HE
)

PICTURE_SETS = ("mnist-5k", "mnist", "fashion-mnist", "kmnist", "digits", "pendigits", "handwriting")

# How training pictures are changed at random, see engine/data/augment.py.
AUGMENTATIONS = ("shift", "rotation", "scale", "shear", "elastic")

# The features of TensorFlow Playground, in ASCII.
FEATURES = ("x1", "x2", "x1^2", "x2^2", "x1x2", "sinx1", "sinx2")


@dataclass(frozen=True)
class Experiment:
    """The complete description of a run. `Experiment()` trains well on the embedded digits.

    Raises `ExperimentError` on the first field outside its range. Fields marked `live` in their metadata may be
    changed while a run goes on; all others need a new run.
    """

    data: str = choice(
        "mnist-5k",
        (*PICTURE_SETS, "toy2d"),
        group="data",
        label=N_("Data set"),
        help=N_("MNIST, 5,000 digits: real handwritten digits, built in. Points in a plane: points in two colours."),
    )
    shape: str = choice(
        "circle",
        ("circle", "xor", "gaussians", "spiral", "moons"),
        group="data",
        label=N_("Shape"),
        help=N_("How the two classes lie in the plane."),
        when=("data", ("toy2d",)),
    )
    noise: float = real(
        0.1, 0.0, 0.5, step=0.05, group="data", label=N_("Noise"),
        help=N_("How far points stray from the shape: 0 is not at all."), when=("data", ("toy2d",)),
    )  # fmt: skip
    features: str = text(
        "x1 x2", group="data", label=N_("Features"),
        help=N_("What the network is given of each point: x1 x2 x1^2 x2^2 x1x2 sinx1 sinx2."),
        when=("data", ("toy2d",)),
    )  # fmt: skip
    train_size: int = integer(
        0, 0, 60_000, step=100, group="data", label=N_("Training examples"),
        help=N_("How many examples of the training set are used, from the first on; 0 uses all. "
                "Few examples make overfitting visible."),
    )  # fmt: skip
    test_size: int = integer(
        0, 0, 10_000, step=100, group="data", label=N_("Test examples"),
        help=N_("How many examples of the test set are used, from the first on; 0 uses all."),
    )  # fmt: skip

    network: str = text(
        "dense100 dense100", group="network", label=N_("Hidden layers"),
        help=N_("One word a layer: dense100 is a fully connected layer of 100 units, drop.5 a dropout of one half. "
                "conv16@3p1 slides 16 kernels of 3 × 3 over the picture, padded by 1 (s2: by steps of 2); "
                "pool2 keeps the largest of 2 × 2, avgpool2 their average; gap averages each channel. "
                "The output layer is added for you."),
    )  # fmt: skip
    activation: str = choice(
        "relu",
        ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "identity"),
        group="network", label=N_("Activation"),
        help=N_("The non-linear function after every hidden layer. With identity the whole network is one linear map."),
    )  # fmt: skip
    initializer: str = choice(
        "he_normal",
        ("zeros", "constant", "gauss", "xavier_normal", "xavier_uniform", "he_normal", "he_uniform", "lecun_normal",
         "orthogonal"),
        group="network", label=N_("Initialization"),
        help=N_("How the weights are drawn before training. Sigmoid and tanh suit Xavier, ReLU suits He. "
                "LeCun's √(1/n) is what『ゼロから作る Deep Learning』calls Xavier."),
    )  # fmt: skip
    sigma: float = real(
        0.01, 0.0, 10.0, step=0.01, group="network", label=N_("Initial σ"),
        help=N_("Standard deviation of the Gauss initialization, or the value of the constant one."),
        when=("initializer", ("gauss", "constant")),
    )  # fmt: skip
    normalization: str = choice(
        "none", ("none", "batch", "layer"), group="network", label=N_("Normalization"),
        help=N_("Before each activation, shift and scale to mean 0 and variance 1: over the batch, or over the layer."),
    )  # fmt: skip
    loss: str = choice(
        "cross_entropy", ("cross_entropy", "squared_error"), group="network", label=N_("Loss"),
        help=N_("Softmax with cross-entropy, or the sum of squared errors of a linear output against one-hot labels."),
    )  # fmt: skip

    optimizer: str = choice(
        "sgd",
        ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"),
        group="training", label=N_("Optimizer"), help=N_("The rule that turns gradients into steps."),
    )  # fmt: skip
    lr: float = real(
        0.1, 1e-10, 100.0, step=0.01, group="training", label=N_("Learning rate"), live=True,
        help=N_("The length of a step. Too small and nothing moves, too large and the loss explodes."),
    )  # fmt: skip
    momentum: float = real(
        0.9, 0.0, 0.999, step=0.05, group="training", label=N_("Momentum μ"),
        help=N_("The share of the velocity that survives each step."), when=("optimizer", ("momentum", "nesterov")),
    )  # fmt: skip
    beta1: float = real(
        0.9, 0.0, 0.9999, step=0.05, group="training", label=N_("β₁"),
        help=N_("Decay of Adam's mean of gradients."), when=("optimizer", ("adam", "adamw")),
    )  # fmt: skip
    beta2: float = real(
        0.999, 0.0, 0.99999, step=0.001, group="training", label=N_("β₂"),
        help=N_("Decay of Adam's mean of squared gradients."), when=("optimizer", ("adam", "adamw")),
    )  # fmt: skip
    alpha: float = real(
        0.99, 0.0, 0.9999, step=0.01, group="training", label=N_("Decay α"),
        help=N_("Decay of RMSProp's mean of squared gradients."), when=("optimizer", ("rmsprop",)),
    )  # fmt: skip
    eps: float = real(
        1e-8, 1e-12, 1.0, step=1e-8, group="training", label=N_("ε"),
        help=N_("Added to the denominator, so that nothing is divided by zero."),
        when=("optimizer", ("adagrad", "rmsprop", "adam", "adamw")),
    )  # fmt: skip
    initial_accumulator: float = real(
        0.0, 0.0, 1.0, step=0.0001, group="training", label=N_("Initial θ"),
        help=N_("Where AdaGrad's sum of squared gradients starts."), when=("optimizer", ("adagrad",)),
    )  # fmt: skip
    bias_correction: bool = switch(
        True, group="training", label=N_("Bias correction"),
        help=N_("Adam's moments start at zero and are too small at first; this divides the bias out."),
        when=("optimizer", ("adam", "adamw")),
    )  # fmt: skip
    schedule: str = choice(
        "constant", ("constant", "step", "exponential", "cosine", "one_cycle"), group="training", label=N_("Schedule"),
        help=N_("How the learning rate changes over the run."),
    )  # fmt: skip
    schedule_every: int = integer(
        500, 1, 1_000_000, step=100, group="training", label=N_("Steps between drops"),
        help=N_("After each stretch of this many steps, the step schedule multiplies the learning rate by γ."),
        when=("schedule", ("step",)),
    )  # fmt: skip
    gamma: float = real(
        0.5, 0.0, 1.0, step=0.05, group="training", label=N_("γ"),
        help=N_("The factor of the step schedule; for the exponential one, what is left at the end of the run."),
        when=("schedule", ("step", "exponential")),
    )  # fmt: skip
    warmup: int = integer(
        0, 0, 100_000, step=50, group="training", label=N_("Warm-up steps"),
        help=N_("Over this many steps at the start, the learning rate rises in a straight line."),
    )  # fmt: skip
    batch_size: int = integer(
        100, 1, 4096, group="training", label=N_("Batch size"), help=N_("How many examples one step averages over."),
    )  # fmt: skip
    sampling: str = choice(
        "shuffle", ("shuffle", "replacement"), group="training", label=N_("Sampling"),
        help=N_(
            "Shuffled epochs: each example once an epoch. "
            "With replacement: every batch is drawn afresh, as in the book."
        ),
    )  # fmt: skip
    steps: int = integer(
        10_000, 1, 10_000_000, step=100, group="training", label=N_("Steps"), live=True,
        help=N_("How many mini-batch updates the run makes. Raise it to let a finished run go on."),
    )  # fmt: skip
    evaluate_every: int = integer(
        100, 1, 100_000, step=10, group="training", label=N_("Steps between evaluations"),
        help=N_("How often the loss and accuracy on up to 1,000 training and test examples are measured."),
    )  # fmt: skip
    seed: int = integer(
        0, 0, 2**31 - 1, group="training", label=N_("Seed"),
        help=N_("The same seed gives the same run, to the last bit."),
    )  # fmt: skip

    dropout: float = real(
        0.0, 0.0, 0.95, step=0.05, group="regularization", label=N_("Dropout"), live=True,
        help=N_("The share of hidden units switched off at random in every training step."),
    )  # fmt: skip
    l2: float = real(
        0.0, 0.0, 10.0, step=0.0001, group="regularization", label=N_("L2 decay λ"), live=True,
        help=N_("Adds ½λΣW² to the loss: large weights shrink in proportion. For AdamW the decay is decoupled."),
    )  # fmt: skip
    l1: float = real(
        0.0, 0.0, 10.0, step=0.0001, group="regularization", label=N_("L1 decay λ"), live=True,
        help=N_("Adds λΣ|W| to the loss: weights that help little are driven to zero."),
    )  # fmt: skip

    shift: float = real(
        0.0, 0.0, 6.0, step=0.5, group="regularization", label=N_("Shift"),
        help=N_("Moves every training picture at random by up to this many pixels, anew each time it is learned from."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    rotation: float = real(
        0.0, 0.0, 45.0, step=1.0, group="regularization", label=N_("Rotation"),
        help=N_("Turns every training picture at random by up to this many degrees."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    scale: float = real(
        0.0, 0.0, 0.5, step=0.05, group="regularization", label=N_("Scaling"),
        help=N_("Scales every training picture up or down at random by up to this share, and makes it a little wider "
                "or narrower."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    shear: float = real(
        0.0, 0.0, 0.5, step=0.05, group="regularization", label=N_("Shear"),
        help=N_("Slants every training picture at random, by up to this many pixels to the side for each pixel up."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    elastic: float = real(
        0.0, 0.0, 2.0, step=0.1, group="regularization", label=N_("Elastic distortion"),
        help=N_("Warps every training picture at random: pixels move by about this many pixels, neighbours together."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    ema: float = real(
        0.0, 0.0, 0.9999, step=0.001, group="regularization", label=N_("Weight averaging"),
        help=N_("Measures and keeps, instead of the latest weights, their average over about 1 / (1 − this) steps."),
    )  # fmt: skip

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            object.__setattr__(self, item.name, check(item, getattr(self, item.name)))
        parse_network(self.network)
        parse_features(self.features)

    def replace(self, **changes) -> Experiment:
        """Return a copy with some fields changed, checked anew."""
        return dataclasses.replace(self, **changes)

    def next_seed(self) -> int:
        """Return the seed of the next run of this experiment; behind the last comes the first."""
        return (self.seed + 1) % (FIELDS["seed"].metadata["high"] + 1)

    def with_usual_lr(self, changes: Mapping[str, object]) -> dict[str, object]:
        """Return changes of this experiment such that another optimizer brings its usual learning rate along.

        Unless the present one is not the usual. What suits SGD makes Adam explode.
        """
        usual = USUAL_LR.get(changes.get("optimizer"))
        return {"lr": usual} | dict(changes) if usual and self.lr == USUAL_LR[self.optimizer] else dict(changes)

    def changes(self) -> dict[str, object]:
        """Return the fields that differ from their defaults."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if getattr(self, f.name) != f.default}

    # ------------------------------------------------------------------------------------------------------- codecs

    def to_query(self) -> dict[str, str]:
        """Return the non-default fields as URL query parameters."""
        return {name: format_value(value) for name, value in self.changes().items()}

    @classmethod
    def read_query(
        cls, query: Mapping[str, str], base: Experiment | None = None
    ) -> tuple[Experiment, list[ExperimentError]]:
        """Return the experiment of a URL and one error for each parameter that had to be left out.

        Fields that the URL does not name are those of `base`, by default the defaults. Parameters that are no field are
        ignored: pages keep their own there.
        """
        experiment, errors = base or cls(), []
        for name, item in FIELDS.items():
            if name in query:
                try:
                    experiment = experiment.replace(**{name: parse_value(item, query[name])})
                except ExperimentError as error:
                    errors.append(error)
        return experiment, errors

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Experiment:
        """Return the experiment of `FIELD=VALUE` texts; raises `ExperimentError` on the first bad one."""
        for name in settings:
            if name not in FIELDS:
                raise ExperimentError("field", Text(N_("one of {options}"), options=", ".join(FIELDS)), name)
        return cls(**{name: parse_value(FIELDS[name], value) for name, value in settings.items()})

    def to_settings(self) -> str:
        """Return the non-default fields as a command line takes them, `--set FIELD=VALUE …`; "" if there are none."""
        texts = [f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in self.to_query().items()]
        return " ".join(["--set", *texts]) if texts else ""

    def to_json(self) -> str:
        """Return the non-default fields as a JSON object."""
        return json.dumps(self.changes())

    @classmethod
    def from_json(cls, document: str) -> Experiment:
        """Invert `to_json`; raises `ExperimentError` for anything that is not such an object."""
        try:
            values = json.loads(document)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise ExperimentError("experiment", N_("a JSON object"), document)
        for name in values:
            if name not in FIELDS:
                raise ExperimentError("field", Text(N_("one of {options}"), options=", ".join(FIELDS)), name)
        return cls(**values)


FIELDS: dict[str, dataclasses.Field] = {item.name: item for item in dataclasses.fields(Experiment)}


def matters(experiment: Experiment, name: str) -> bool:
    """Tell whether field `name` has any effect beside the experiment's other fields."""
    condition = FIELDS[name].metadata.get("when")
    return condition is None or getattr(experiment, condition[0]) in condition[1]


def parse_features(description: str) -> tuple[str, ...]:
    """Return the input features that a feature string names; raises `ExperimentError`."""
    names = tuple(dict.fromkeys(words(description)))
    for name in names or ("",):
        if name not in FEATURES:
            raise ExperimentError("features", Text(N_("made of {options}"), options=" ".join(FEATURES)), name)
    return names
