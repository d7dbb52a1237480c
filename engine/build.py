"""From a spec to live objects. The tables here are the only place where names meet classes."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from dataclasses import replace

import numpy as np

from engine import architecture, nn, optim
from engine.architecture import Row
from engine.data import datasets, toy2d
from engine.data.augment import Augmentation, Augmenter
from engine.data.batches import Batches
from engine.data.dataset import Dataset
from engine.errors import N_, Text
from engine.experiment import AUGMENTATIONS, Experiment, parse_features
from engine.fields import ExperimentError
from engine.nn import initializers
from engine.optim import schedules
from engine.tokens import Conv, Dense, Drop, Gap, Output, Pool, parse_network

MAX_PARAMETERS = 5_000_000
MAX_ACTIVATIONS = 16_000_000  # units of a network times the batch size
MAX_WORK = 130_000_000  # numbers in the work arrays of convolutions
# Many runs share a core, and nothing interrupts a step. At about 15,000,000,000 multiply-adds a second one at the limit
# takes four seconds; one of the largest preset, vgg-28, takes a tenth of that.
MAX_STEP = 20_000_000_000  # multiply-adds of a batch's longest pass: forward, back to the weights or to the inputs

# How many examples a network is asked about at a time where it does not learn from them (training/metrics.py).
CHUNK = 250  # large enough for BLAS, small enough for the cache
PICTURES = 50  # where there are convolutions: their planes are as large as in training, on half a batch

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}

INITIALIZERS = {
    "zeros": lambda e: initializers.Zeros(),
    "constant": lambda e: initializers.Constant(e.sigma),
    "gauss": lambda e: initializers.Gauss(e.sigma),
    "xavier_normal": lambda e: initializers.XavierNormal(),
    "xavier_uniform": lambda e: initializers.XavierUniform(),
    "he_normal": lambda e: initializers.HeNormal(),
    "he_uniform": lambda e: initializers.HeUniform(),
    "lecun_normal": lambda e: initializers.LecunNormal(),
    "orthogonal": lambda e: initializers.Orthogonal(),
}

RISING = {"sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "identity"}  # never fall: the largest stays it

NORMALIZATIONS = {
    "none": (None, None),
    "batch": (nn.BatchNorm, nn.BatchNorm2d),
    "layer": (nn.LayerNorm, nn.LayerNorm2d),
}

LOSSES = {"cross_entropy": nn.SoftmaxCrossEntropy, "squared_error": nn.SumSquaredError}

OPTIMIZERS = {
    "sgd": (optim.SGD, ()),
    "momentum": (optim.Momentum, ("momentum",)),
    "nesterov": (optim.Nesterov, ("momentum",)),
    "adagrad": (optim.AdaGrad, ("initial_accumulator", "eps")),
    "rmsprop": (optim.RMSProp, ("alpha", "eps")),
    "adam": (optim.Adam, ("beta1", "beta2", "eps", "bias_correction")),
    "adamw": (optim.AdamW, ("beta1", "beta2", "eps", "bias_correction")),
}

SCHEDULES = {
    "constant": lambda e: schedules.Constant(),
    "step": lambda e: schedules.Step(e.schedule_every, e.gamma),
    "exponential": lambda e: schedules.Exponential(e.gamma, e.steps),
    "cosine": lambda e: schedules.Cosine(e.steps),
    "one_cycle": lambda e: schedules.OneCycle(e.steps),
}


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the generator of one purpose: "data", "init", "batches", "augment", "dropout", ….

    Streams of one seed are independent, so that drawing more from one (switching dropout on, say) leaves the others,
    the initial weights among them, as they were.
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))


def load_raw(experiment: Experiment) -> Dataset:
    """Load the experiment's data whole, before features and sizes. Raises `DatasetError`."""
    return datasets.load(experiment.data, shape=experiment.shape, noise=experiment.noise, seed=experiment.seed)


def check(experiment: Experiment) -> None:
    """Raise `InputError` when the experiment cannot run here: its data absent or damaged, its network too large."""
    check_size(experiment)
    _check_batches(experiment, load_raw(experiment).head(experiment.train_size))


def check_size(experiment: Experiment) -> None:
    """Raise `ExperimentError` when the network is too large, or its windows are, whether the data is here or not."""
    about = datasets.about(experiment.data)
    in_shape = about.shape if experiment.data != "toy2d" else (len(parse_features(experiment.features)),)
    _check_size(experiment, in_shape, len(about.classes))


def steps_per_epoch(experiment: Experiment) -> int:
    """Return how many batches go once through the training set. Raises `DatasetError`."""
    size = len(load_raw(experiment).head(experiment.train_size).x_train)
    return math.ceil(size / experiment.batch_size)


def build_dataset(experiment: Experiment) -> Dataset:
    """Load the experiment's data, cut to its sizes. Raises `DatasetError` when it is not there or damaged."""
    data = load_raw(experiment)
    if experiment.data == "toy2d":
        names = parse_features(experiment.features)
        data = replace(data, x_train=toy2d.features(data.x_train, names), x_test=toy2d.features(data.x_test, names))
    return data.head(experiment.train_size, experiment.test_size)


def build_network(
    experiment: Experiment, in_shape: tuple[int, ...], classes: int, *, dtype=np.float32
) -> nn.Sequential:
    """Return the built network for inputs of `in_shape` and so many classes.

    Hidden layers are named conv1, pool1, dense1, … and their parts conv1.norm, conv1.relu, conv1.dropout; the last is
    output. A max pooling behind a layer whose activation never falls is made a part of it, conv1.pool, and moved before
    the activation: the largest number stays the largest, and a quarter of the numbers is left to work on.
    Raises `ExperimentError` when a window does not fit or the network would be too large.
    """
    _check_size(experiment, in_shape, classes)
    dropout_rng = stream(experiment.seed, "dropout")
    initializer = INITIALIZERS[experiment.initializer](experiment)
    flat_norm, picture_norm = NORMALIZATIONS[experiment.normalization]
    bias = flat_norm is None  # a normalization brings its own shift
    layers: list[nn.Layer] = []
    counts: Counter[str] = Counter()

    def add(name: str, layer: nn.Layer) -> None:
        layer.name = name
        layers.append(layer)

    def number(kind: str) -> str:
        counts[kind] += 1
        return f"{kind}{counts[kind]}"

    tokens = list(enumerate(parse_network(experiment.network)))
    pictures = any(isinstance(token, Conv | Pool | Gap) for _, token in tokens)
    if pictures:
        add("planes", nn.ToPlanes())
    elif len(in_shape) > 1:
        add("flatten", nn.Flatten())
    block = "dense0"
    while tokens:
        position, token = tokens.pop(0)
        following = tokens[0][1] if tokens else None
        if isinstance(token, Dense | Output) and pictures:
            add("flatten", nn.Flatten(planes=True))
            pictures = False
        match token:
            case Conv(filters, kernel, padding, stride):
                block = number("conv")
                settings = {"stride": stride, "padding": padding, "initializer": initializer, "bias": bias}
                add(block, nn.Conv2d(filters, kernel, **settings))
            case Dense(units):
                block = number("dense")
                add(block, nn.Linear(units, initializer=initializer, bias=bias))
            case Pool(window, stride, average):
                add(number("pool"), (nn.AvgPool2d if average else nn.MaxPool2d)(window, stride))
            case Gap():
                add("gap", nn.GlobalAvgPool())
                pictures = False
            case Drop(rate):
                add(f"{block}.drop{position}", nn.Dropout(rate, rng=dropout_rng))
            case Output():
                block = "output"
                add(block, nn.Linear(classes, initializer=initializer))
        if isinstance(token, Conv | Dense):
            if flat_norm:
                add(f"{block}.norm", (picture_norm if isinstance(token, Conv) else flat_norm)())
            if isinstance(following, Pool) and not following.average and experiment.activation in RISING:
                counts["pool"] += 1
                add(f"{block}.pool", nn.MaxPool2d(following.window, following.stride))
                tokens.pop(0)
                following = tokens[0][1] if tokens else None
            add(f"{block}.{experiment.activation}", ACTIVATIONS[experiment.activation]())
            if not isinstance(following, Drop):
                add(f"{block}.dropout", nn.Dropout(experiment.dropout, rng=dropout_rng))
    if block != "output":
        if pictures:
            add("flatten", nn.Flatten(planes=True))
        add("output", nn.Linear(classes, initializer=initializer))
    network = nn.Sequential(layers)
    network.build(in_shape, rng=stream(experiment.seed, "init"), dtype=dtype)
    return network


def initial_weights(experiment: Experiment, shape: tuple[int, ...]) -> np.ndarray:
    """Return the weights, of that shape, with which the first layer of the experiment's network starts."""
    return INITIALIZERS[experiment.initializer](experiment)(shape, rng=stream(experiment.seed, "init"))


def build_activation(name: str, in_shape: tuple[int, ...]) -> nn.Activation:
    """Return an activation layer that stands alone, in float64, for inputs of `in_shape`."""
    layer = ACTIVATIONS[name]()
    layer.dtype = np.dtype(np.float64)
    layer.build(in_shape, rng=np.random.default_rng(0))
    return layer


def describe(experiment: Experiment, in_shape: tuple[int, ...], classes: int) -> tuple[Row, ...]:
    """Return the rows of the experiment's network, see `architecture.describe`. Raises `ExperimentError`."""
    return architecture.describe(experiment.network, in_shape, classes, normalized=experiment.normalization != "none")


def _check_size(experiment: Experiment, in_shape: tuple[int, ...], classes: int) -> None:
    """Raise `ExperimentError` for a network that would take more memory or time than a shared server can spare.

    Work arrays are kept for every number of examples that come at once: a small batch alone makes no network small.
    """
    rows = describe(experiment, in_shape, classes)
    asked = _examples_asked(experiment, rows)
    count = sum(row.parameters for row in rows)
    units = math.prod(in_shape) + sum(math.prod(row.out_shape) for row in rows[:-1])
    if count > MAX_PARAMETERS:
        legal = Text(N_("a network of at most {n} parameters"), n=f"{MAX_PARAMETERS:,}")
        raise ExperimentError("network", legal, f"{count:,}")
    if units * asked > MAX_ACTIVATIONS:
        legal = Text(N_("a network of at most {n} units"), n=f"{MAX_ACTIVATIONS // asked:,}")
        raise ExperimentError("network", legal, f"{units:,}")
    if units * experiment.batch_size > MAX_ACTIVATIONS:
        legal = Text(N_("at most {n} for a network of {units} units"), n=MAX_ACTIVATIONS // units, units=f"{units:,}")
        raise ExperimentError("batch_size", legal, experiment.batch_size)
    most = max(experiment.batch_size, asked)
    work = sum(_work(row, most) for row in rows if isinstance(row.token, Conv))
    if work > MAX_WORK:
        legal = Text(N_("a network that needs at most {n} MB to work in"), n=4 * MAX_WORK // 10**6)
        raise ExperimentError("network", legal, f"{4 * work // 10**6:,} MB")
    first = next(place for place, row in enumerate(rows) if row.parameters)  # nobody asks for the gradient of its input
    multiply_adds = sum(_longest_pass(row) if place > first else row.multiply_adds for place, row in enumerate(rows))
    if multiply_adds * experiment.batch_size > MAX_STEP:
        n, one = MAX_STEP // multiply_adds, f"{multiply_adds:,}"
        legal = Text(N_("at most {n} for a network of {one} multiply-adds for one example"), n=n, one=one)
        raise ExperimentError("batch_size", legal, experiment.batch_size)


def _examples_asked(experiment: Experiment, rows: tuple[Row, ...]) -> int:
    """Return of how many examples at a time a run asks what its network makes of them, however small its batches."""
    if experiment.data == "toy2d":
        return toy2d.PLANE**2
    return PICTURES if any(isinstance(row.token, Conv) for row in rows) else CHUNK


def _longest_pass(row: Row) -> int:
    """Return a layer's multiply-adds for one example, forward or back, whichever are more.

    Back, a convolution goes over every place of its input; forward, over as many as its stride and padding leave.
    """
    places, reached = math.prod(row.in_shape[:2]), math.prod(row.out_shape[:2])
    return row.multiply_adds * max(places, reached) // reached if isinstance(row.token, Conv) else row.multiply_adds


def _work(row: Row, batch: int) -> int:
    """Return about how many numbers a convolution's work arrays hold: shifted copies, and a product for each row.

    The copies are of all rows that windows reach: the input's with its padding, and the gradient's spread over it.
    """
    (height, width, channels), (out_h, out_w, filters), kernel = row.in_shape, row.out_shape, row.token.kernel
    rows, rows_back = row.token.stride * (out_h - 1) + kernel, height + kernel - 1
    copies = kernel * (channels * rows * out_w + filters * rows_back * width)
    return batch * copies + 2 * out_h * kernel**2 * channels * filters  # the latter for both halves of a batch


def _check_batches(experiment: Experiment, data: Dataset) -> None:
    """Raise `ExperimentError` for batches of one example under batch normalization, where each is its own mean."""
    if experiment.normalization == "batch" and min(experiment.batch_size, len(data.x_train)) < 2:
        name = "batch_size" if experiment.batch_size < 2 else "train_size"
        raise ExperimentError(name, N_("2 or more with batch normalization"), getattr(experiment, name))


def set_dropout(network: nn.Sequential, rate: float) -> None:
    """Change the rate of every dropout layer that follows the experiment (not of `drop` tokens)."""
    for layer in network.layers:
        if isinstance(layer, nn.Dropout) and layer.name.endswith(".dropout"):
            layer.rate = rate


def build_loss(experiment: Experiment) -> nn.Loss:
    """Return the experiment's loss."""
    return LOSSES[experiment.loss]()


def build_optimizer(experiment: Experiment, network: nn.Sequential) -> optim.Optimizer:
    """Return the experiment's optimizer on the network's parameters, with schedule and decay."""
    kind, settings = OPTIMIZERS[experiment.optimizer]
    return kind(
        network.vector,
        lr=experiment.lr,
        schedule=build_schedule(experiment),
        l2=experiment.l2,
        l1=experiment.l1,
        **{name: getattr(experiment, name) for name in settings},
    )


def build_schedule(experiment: Experiment) -> optim.Schedule:
    """Return the experiment's learning-rate schedule, warm-up included."""
    schedule = SCHEDULES[experiment.schedule](experiment)
    return schedules.WarmUp(experiment.warmup, schedule) if experiment.warmup else schedule


def build_batches(experiment: Experiment, data: Dataset) -> Batches:
    """Return the stream of training batches. Raises `ExperimentError` for batches that cannot be normalized."""
    _check_batches(experiment, data)
    augmentation = Augmentation(**{name: getattr(experiment, name) for name in AUGMENTATIONS})
    pictures = len(data.shape) == 3
    return Batches(
        data.x_train,
        data.y_train,
        batch_size=experiment.batch_size,
        scale=data.scale,
        sampling=experiment.sampling,
        rng=stream(experiment.seed, "batches"),
        augment=Augmenter(augmentation, rng=stream(experiment.seed, "augment"))
        if pictures and augmentation.active
        else None,
    )


def build_parallel(experiment: Experiment, network: nn.Sequential, threads: int) -> nn.DataParallel | nn.Sequential:
    """Return what makes the passes of a training step: both halves of a batch at once where that is worth it."""
    pictures = any(isinstance(layer, nn.Conv2d) for layer in network.layers)
    if not (pictures and nn.DataParallel.suits(network)):
        return network
    return nn.DataParallel(network, rng=stream(experiment.seed, "dropout of the second half"), threads=threads)
