"""From a spec to live objects. The tables here are the only place where names meet classes."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace

import numpy as np

from engine import nn, optim
from engine.data import datasets, toy2d
from engine.data.batches import Batches
from engine.data.datasets import Dataset
from engine.experiment import (
    MAX_ACTIVATIONS,
    MAX_PARAMETERS,
    N_,
    Dense,
    Drop,
    Experiment,
    ExperimentError,
    Text,
    parse_features,
    parse_network,
)
from engine.nn import initializers
from engine.optim import schedules

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

NORMALIZATIONS = {"none": None, "batch": nn.BatchNorm, "layer": nn.LayerNorm}

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
    """Return the generator of one purpose: "data", "init", "batches" or "dropout".

    Streams of one seed are independent, so that drawing more from one (switching dropout on, say) leaves the others,
    the initial weights among them, as they were.
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))


def load_raw(experiment: Experiment) -> Dataset:
    """Load the experiment's data whole, before features and sizes. Raises `DatasetError`."""
    return datasets.load(experiment.data, shape=experiment.shape, noise=experiment.noise, seed=experiment.seed)


def check(experiment: Experiment) -> None:
    """Raise `InputError` when the experiment cannot run here: its data absent or damaged, its network too large."""
    data = load_raw(experiment)
    inputs = math.prod(data.shape) if experiment.data != "toy2d" else len(parse_features(experiment.features))
    _check_size(experiment, inputs, len(data.classes))
    _check_batches(experiment, data.head(experiment.train_size))


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

    Hidden layers are named dense1, dense2, …, their parts dense1.norm, dense1.relu, dense1.dropout; the last is output.
    Raises `ExperimentError` when it would have more than `MAX_PARAMETERS` parameters.
    """
    _check_size(experiment, math.prod(in_shape), classes)
    normalization = NORMALIZATIONS[experiment.normalization]
    dropout_rng = stream(experiment.seed, "dropout")
    layers: list[nn.Layer] = []

    def add(name: str, layer: nn.Layer) -> None:
        layer.name = name
        layers.append(layer)

    def linear(units: int, *, bias: bool) -> nn.Linear:
        return nn.Linear(units, initializer=INITIALIZERS[experiment.initializer](experiment), bias=bias)

    if len(in_shape) > 1:
        add("flatten", nn.Flatten())
    tokens = parse_network(experiment.network)
    depth = 0
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        match token:
            case Dense(units):
                depth += 1
                block = f"dense{depth}"
                add(block, linear(units, bias=normalization is None))  # a normalization brings its own shift
                if normalization:
                    add(f"{block}.norm", normalization())
                add(f"{block}.{experiment.activation}", ACTIVATIONS[experiment.activation]())
                if not isinstance(following, Drop):
                    add(f"{block}.dropout", nn.Dropout(experiment.dropout, rng=dropout_rng))
            case Drop(rate):
                add(f"dense{depth}.drop{position}", nn.Dropout(rate, rng=dropout_rng))
    add("output", linear(classes, bias=True))
    network = nn.Sequential(layers)
    network.build(in_shape, rng=stream(experiment.seed, "init"), dtype=dtype)
    return network


def _check_size(experiment: Experiment, inputs: int, classes: int) -> None:
    """Raise `ExperimentError` for a network that would take more memory than a shared server can spare."""
    count, width, units = 0, inputs, inputs
    others = 1 if experiment.normalization == "none" else 2  # of a unit: its bias, or scale and shift
    for token in parse_network(experiment.network):
        if isinstance(token, Dense):
            count += (width + others) * token.units
            width = token.units
            units += token.units
    count += (width + 1) * classes
    if count > MAX_PARAMETERS:
        legal = Text(N_("a network of at most {n} parameters"), n=f"{MAX_PARAMETERS:,}")
        raise ExperimentError("network", legal, f"{count:,}")
    if units * experiment.batch_size > MAX_ACTIVATIONS:
        legal = Text(N_("at most {n} for a network of {units} units"), n=MAX_ACTIVATIONS // units, units=f"{units:,}")
        raise ExperimentError("batch_size", legal, experiment.batch_size)


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
    return Batches(
        data.x_train,
        data.y_train,
        batch_size=experiment.batch_size,
        scale=data.scale,
        sampling=experiment.sampling,
        rng=stream(experiment.seed, "batches"),
    )
