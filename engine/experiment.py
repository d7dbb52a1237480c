"""An experiment is one frozen value: everything that decides how a run turns out, its seed included.

Each field carries its range, step, label, help and the condition under which it matters in its metadata. The
validator below, the widgets on the page, the command line and the URL codec all read that metadata, so a bound is
written once. The network is a string of tokens (`dense40 drop.5 dense20`); the output layer is implied.

Standard library only: a spec can be checked anywhere, without NumPy and without a screen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import N_, InputError, Text, shorten

MAX_LAYERS = 40
MAX_UNITS = 4096
MAX_PARAMETERS = 5_000_000
MAX_ACTIVATIONS = 16_000_000  # units of a network times the batch size
MAX_WORK = 100_000_000  # numbers in the work arrays of convolutions
MAX_NETWORK_TEXT = 600
COMMAS = str.maketrans(",、，", "   ")


class ExperimentError(InputError):
    """A field of an experiment is outside its legal range; `field` names it."""

    def __init__(self, name: str, legal: str | Text, received: object) -> None:
        legal = legal if isinstance(legal, Text) else Text(legal)
        quoted = shorten(format_value(received) if isinstance(received, float) else received)
        super().__init__(N_("{field} must be {legal}, not {received}."), field=name, legal=legal, received=quoted)
        self.field = name


# ---------------------------------------------------------------------------------------------- field declarations


def choice(default: str, options: tuple[str, ...], **metadata) -> str:
    return field(default=default, metadata={"kind": "choice", "options": options, **metadata})


def integer(default: int, low: int, high: int, *, step: int = 1, **metadata) -> int:
    return field(default=default, metadata={"kind": "int", "low": low, "high": high, "step": step, **metadata})


def real(default: float, low: float, high: float, *, step: float, **metadata) -> float:
    return field(default=default, metadata={"kind": "float", "low": low, "high": high, "step": step, **metadata})


def switch(default: bool, **metadata) -> bool:
    return field(default=default, metadata={"kind": "bool", **metadata})


def text(default: str, **metadata) -> str:
    return field(default=default, metadata={"kind": "text", **metadata})


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
        help=N_("mnist-5k is built in: 5,000 real handwritten digits. toy2d is a plane of points in two colours."),
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
        help=N_("shuffle: each example once an epoch. replacement: every batch is drawn afresh, as in the book."),
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
        help=N_("Moves every training picture at random by up to so many pixels, anew each time it is learned from."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    rotation: float = real(
        0.0, 0.0, 45.0, step=1.0, group="regularization", label=N_("Rotation"),
        help=N_("Turns every training picture at random by up to so many degrees."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    scale: float = real(
        0.0, 0.0, 0.5, step=0.05, group="regularization", label=N_("Scaling"),
        help=N_("Makes every training picture at random larger or smaller by up to this share, and a little wider or "
                "narrower."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    shear: float = real(
        0.0, 0.0, 0.5, step=0.05, group="regularization", label=N_("Shear"),
        help=N_("Slants every training picture at random, by up to so many pixels to the side for each pixel up."),
        when=("data", PICTURE_SETS),
    )  # fmt: skip
    elastic: float = real(
        0.0, 0.0, 2.0, step=0.1, group="regularization", label=N_("Elastic distortion"),
        help=N_("Kneads every training picture at random: pixels move by about so many pixels, neighbours together."),
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


def check(item: dataclasses.Field, value: object) -> object:
    """Return `value` in its field's type; raises `ExperimentError` when it is of another kind or out of range."""
    meta = item.metadata
    kind = meta["kind"]
    if kind == "choice":
        if value not in meta["options"]:
            raise ExperimentError(item.name, Text(N_("one of {options}"), options=", ".join(meta["options"])), value)
        return value
    if kind == "bool":
        if not isinstance(value, bool):
            raise ExperimentError(item.name, N_("true or false"), value)
        return value
    if kind == "text":
        if not isinstance(value, str) or len(value) > MAX_NETWORK_TEXT:
            raise ExperimentError(item.name, Text(N_("a text of at most {n} characters"), n=MAX_NETWORK_TEXT), value)
        return " ".join(words(value))
    whole = kind == "int"
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and meta["low"] <= value <= meta["high"]
    if not ok or (whole and value != int(value)):
        template = N_("a whole number from {low} to {high}") if whole else N_("a number from {low} to {high}")
        raise ExperimentError(
            item.name, Text(template, low=format_value(meta["low"]), high=format_value(meta["high"])), value
        )
    return int(value) if whole else float(value)


def words(description: str) -> list[str]:
    """Return the words of a text, with blanks or commas between them, Japanese ones too."""
    return description.translate(COMMAS).split()


def parse_value(item: dataclasses.Field, value: str) -> object:
    """Return the text of a URL or a command line as a value of the field; raises `ExperimentError`."""
    kind = item.metadata["kind"]
    if kind == "bool":
        value = {"true": True, "false": False}.get(str(value).lower(), value)
    elif kind in ("int", "float"):
        with contextlib.suppress(TypeError, ValueError):  # `check` names the legal range
            number = float(value)
            value = int(number) if kind == "int" and number.is_integer() else number
    return check(item, value)


def format_value(value: object) -> str:
    """Return a field's value as text, the shortest that parses to the same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


# ----------------------------------------------------------------------------------------------------- the network


@dataclass(frozen=True)
class Dense:
    """`dense100`: a fully connected layer of so many units, followed by normalization, activation and dropout."""

    units: int

    def __str__(self) -> str:
        return f"dense{self.units}"


@dataclass(frozen=True)
class Conv:
    """`conv30@5`, `conv16@3p1s2`: so many filters of kernel × kernel, padding p, stride s; followed as a `Dense` is."""

    filters: int
    kernel: int
    padding: int = 0
    stride: int = 1

    def __str__(self) -> str:
        padding = f"p{self.padding}" if self.padding else ""
        return f"conv{self.filters}@{self.kernel}{padding}" + (f"s{self.stride}" if self.stride > 1 else "")


@dataclass(frozen=True)
class Pool:
    """`pool2`, `pool3s2`, `avgpool2`: the largest number, or the average, of each window."""

    window: int
    stride: int
    average: bool = False

    def __str__(self) -> str:
        name = "avgpool" if self.average else "pool"
        return f"{name}{self.window}" + (f"s{self.stride}" if self.stride != self.window else "")


@dataclass(frozen=True)
class Gap:
    """`gap`: each channel's average over the whole picture."""

    def __str__(self) -> str:
        return "gap"


@dataclass(frozen=True)
class Drop:
    """`drop.5`: dropout of this rate, in place of the experiment's own after the layer before it."""

    rate: float

    def __str__(self) -> str:
        return f"drop{self.rate:g}".replace("drop0.", "drop.")


@dataclass(frozen=True)
class Output:
    """`output`: the output layer, named only where a dropout follows it."""

    def __str__(self) -> str:
        return "output"


Token = Dense | Conv | Pool | Gap | Drop | Output

MAX_KERNEL = 11
MAX_STRIDE = 8


def parse_network(description: str) -> tuple[Token, ...]:
    """Return the hidden layers that a network string names.

    Raises `ExperimentError` for an unknown word, an order that makes no network, more than `MAX_LAYERS` layers or
    `MAX_UNITS` units.
    """
    layers = words(description)
    if len(layers) > MAX_LAYERS:
        raise ExperimentError(
            "network", Text(N_("at most {n} words"), n=MAX_LAYERS), f"{len(layers)} ({shorten(description, 24)})"
        )
    tokens = tuple(_parse_token(word) for word in layers)
    for before, token in itertools.pairwise(token for token in tokens if not isinstance(token, Drop)):
        if isinstance(token, Conv | Pool | Gap) and isinstance(before, Dense | Gap):
            legal = N_("pictures first: conv and pool before gap and dense")
            raise ExperimentError("network", legal, f"{before} {token}")
        if isinstance(before, Output):
            raise ExperimentError("network", N_("over with output, except for a drop"), f"{before} {token}")
    return tokens


def _parse_token(word: str) -> Token:
    if match := re.fullmatch(r"dense(\d+)", word):
        return Dense(_in_range(match[1], MAX_UNITS, N_("layers of 1 to {n} units"), word))
    if match := re.fullmatch(r"conv(\d+)@(\d+)(?:p(\d+))?(?:s(\d+))?", word):
        filters = _in_range(match[1], MAX_UNITS, N_("layers of 1 to {n} filters"), word)
        kernel = _in_range(match[2], MAX_KERNEL, N_("kernels of 1 to {n} pixels"), word)
        if int(match[3] or 0) >= kernel:
            raise ExperimentError("network", N_("padding less than the kernel"), word)
        return Conv(filters, kernel, int(match[3] or 0), _stride(match[4], 1, word))
    if match := re.fullmatch(r"(avg)?pool(\d+)(?:s(\d+))?", word):
        window = _in_range(match[2], MAX_KERNEL, N_("windows of 1 to {n} pixels"), word)
        return Pool(window, _stride(match[3], window, word), average=bool(match[1]))
    if match := re.fullmatch(r"drop(0?\.\d{1,4}|0)", word):
        rate = float(match[1])
        if rate > 0.95:
            raise ExperimentError("network", N_("dropout of at most .95"), word)
        return Drop(rate)
    if word in ("gap", "output"):
        return Gap() if word == "gap" else Output()
    raise ExperimentError("network", N_("made of words such as dense100, drop.5, conv16@3p1, pool2 and gap"), word)


def _stride(digits: str | None, usual: int, word: str) -> int:
    return _in_range(digits, MAX_STRIDE, N_("strides of 1 to {n} pixels"), word) if digits else usual


def _in_range(digits: str, high: int, legal: str, word: str) -> int:
    if not 1 <= int(digits) <= high:
        raise ExperimentError("network", Text(legal, n=high), word)
    return int(digits)


def parse_features(description: str) -> tuple[str, ...]:
    """Return the input features that a feature string names; raises `ExperimentError`."""
    names = tuple(dict.fromkeys(words(description)))
    for name in names or ("",):
        if name not in FEATURES:
            raise ExperimentError("features", Text(N_("made of {options}"), options=" ".join(FEATURES)), name)
    return names
