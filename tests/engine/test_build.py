"""From names to live objects: every name builds, nothing outgrows the server, and the streams of a seed keep apart."""

import itertools
import math
import time
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Tanh

from engine import build, nn, optim
from engine.build import MAX_PARAMETERS
from engine.errors import InputError
from engine.experiment import FIELDS, Experiment, parse_features
from engine.fields import ExperimentError
from engine.presets import PRESETS
from engine.runs import frames
from engine.training.trainer import Trainer, completed
from tests.engine.memory import memory_of
from tests.engine.nn.planes import turned
from tests.torch_oracle import SameMask

NAMES = [
    (field, name)
    for field in ("activation", "initializer", "normalization", "loss", "optimizer", "schedule", "sampling")
    for name in FIELDS[field].metadata["options"]
]


def layers(description, in_shape=(6, 6, 1), classes=4, **settings):
    """Return the layers of a network as "name: layer"."""
    network = build.build_network(Experiment(network=description, **settings), in_shape, classes)
    return [f"{layer.name}: {layer}" for layer in network.layers]


# -------------------------------------------------------------------------------------------------------- every name


@pytest.mark.parametrize(("field", "name"), NAMES, ids=lambda name: name)
def test_every_name_builds_and_makes_a_step(blobs, small, field, name):
    experiment = small.replace(**{field: name})
    network = build.build_network(experiment, blobs.shape, 4)
    loss, optimizer = build.build_loss(experiment), build.build_optimizer(experiment, network)
    x, labels = build.build_batches(experiment, blobs).next()
    assert np.isfinite(loss.forward(network.forward(x, training=True), labels))
    network.backward(loss.backward())
    optimizer.step()
    assert np.isfinite(network.vector.data).all()


@pytest.mark.parametrize("name", build.OPTIMIZERS)
def test_an_optimizer_gets_its_settings(blobs, small, name):
    settings = {
        "lr": 0.3,
        "l1": 0.01,
        "l2": 0.02,
        "momentum": 0.7,
        "alpha": 0.8,
        "beta1": 0.6,
        "beta2": 0.5,
        "eps": 1e-3,
    }
    experiment = small.replace(optimizer=name, bias_correction=False, initial_accumulator=0.25, **settings)
    optimizer = build.build_optimizer(experiment, build.build_network(experiment, blobs.shape, 4))
    kind, own = build.OPTIMIZERS[name]
    assert type(optimizer) is kind
    for setting in ("lr", "l1", "l2", *own):
        if setting == "initial_accumulator":
            assert (optimizer.memory["squares"] == 0.25).all()
        else:
            assert getattr(optimizer, setting) == getattr(experiment, setting)


@pytest.mark.parametrize("name", build.SCHEDULES)
def test_warm_up_goes_before_any_schedule(small, name):
    experiment = small.replace(schedule=name)
    plain, warm = build.build_schedule(experiment), build.build_schedule(experiment.replace(warmup=10))
    assert isinstance(warm, optim.WarmUp)
    assert warm(0) == pytest.approx(plain(0) / 10)
    assert warm(9) == plain(9)
    assert warm(30) == plain(30)


def test_schedules_know_the_length_of_the_run(small):
    assert build.build_schedule(small.replace(schedule="cosine"))(20) == pytest.approx(0.5)
    assert build.build_schedule(small.replace(schedule="exponential", gamma=0.1))(40) == pytest.approx(0.1)
    assert build.build_schedule(small.replace(schedule="step", schedule_every=5, gamma=0.1))(10) == pytest.approx(0.01)


# ------------------------------------------------------------------------------------------------------- the network


def test_layers_are_named_by_their_block_and_kind():
    assert layers("dense5 dense3", activation="tanh", dropout=0.25) == [
        "flatten: Flatten()",
        "dense1: Linear(5)",
        "dense1.tanh: Tanh()",
        "dense1.dropout: Dropout(0.25)",
        "dense2: Linear(3)",
        "dense2.tanh: Tanh()",
        "dense2.dropout: Dropout(0.25)",
        "output: Linear(4)",
    ]


def test_a_drop_word_takes_the_place_of_the_experiments_dropout():
    assert layers("drop.1 dense5 drop.5 dense3", (2,), 2, dropout=0.25) == [
        "dense0.drop0: Dropout(0.1)",
        "dense1: Linear(5)",
        "dense1.relu: ReLU()",
        "dense1.drop2: Dropout(0.5)",
        "dense2: Linear(3)",
        "dense2.relu: ReLU()",
        "dense2.dropout: Dropout(0.25)",
        "output: Linear(2)",
    ]


def test_a_network_without_hidden_layers_is_the_output_alone():
    assert layers("", (7,), 3) == ["output: Linear(3)"]


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalization_comes_before_the_activation_and_brings_the_bias(normalization):
    network = build.build_network(Experiment(network="dense5", normalization=normalization), (7,), 3)
    assert [layer.name for layer in network.layers][:3] == ["dense1", "dense1.norm", "dense1.relu"]
    assert set(network.parameters()) == {
        "dense1.weight", "dense1.norm.weight", "dense1.norm.bias", "output.weight", "output.bias",
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_all_numbers_is_one(dtype):
    network = build.build_network(Experiment(network="dense5", normalization="batch"), (7,), 3, dtype=dtype)
    assert network.vector.data.dtype == dtype
    assert network.forward(np.ones((4, 7), dtype), training=True).dtype == dtype
    for array in network.state_dict().values():
        assert array.dtype == dtype


def test_both_types_start_from_the_same_weights():
    single, double = (build.build_network(Experiment(), (7,), 3, dtype=dtype) for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single.vector.data, double.vector.data.astype(np.float32))


def test_dropout_can_be_changed_where_it_follows_the_experiment():
    network = build.build_network(Experiment(network="dense5 drop.4 dense5", dropout=0.1), (7,), 3)
    build.set_dropout(network, 0.3)
    assert [layer.rate for layer in network.layers if isinstance(layer, nn.Dropout)] == [0.4, 0.3]


# ---------------------------------------------------------------------------------------------------------- the sizes

NETWORKS = st.lists(st.integers(1, 30), max_size=4).map(lambda widths: " ".join(f"dense{width}" for width in widths))


@given(network=NETWORKS, inputs=st.integers(1, 40), normalization=st.sampled_from(["none", "batch", "layer"]))
def test_the_limit_counts_exactly_what_would_be_built(network, inputs, normalization):
    experiment = Experiment(network=network, normalization=normalization)
    size = build.build_network(experiment, (inputs,), 3).vector.data.size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "MAX_PARAMETERS", size)
        build.build_network(experiment, (inputs,), 3)
        patch.setattr(build, "MAX_PARAMETERS", size - 1)
        with pytest.raises(ExperimentError, match=f"network of at most {size - 1:,} parameters, not {size:,}"):
            build.build_network(experiment, (inputs,), 3)


def test_the_largest_network_that_can_be_written_is_refused_before_it_takes_memory():
    experiment = Experiment(network="dense4096 " * 40)
    with pytest.raises(ExperimentError, match=f"{MAX_PARAMETERS:,} parameters, not 6") as caught:
        build.build_network(experiment, (28, 28, 1), 10)
    assert caught.value.field == "network"


def test_a_batch_too_large_for_the_network_is_refused_with_the_size_that_fits():
    experiment = Experiment(network="dense500 " * 18, batch_size=4096)
    with pytest.raises(ExperimentError, match="batch_size must be at most 1635 for a network of 9,784 units, not 4096"):
        build.build_network(experiment, (28, 28, 1), 10)
    build.build_network(experiment.replace(batch_size=1635), (28, 28, 1), 10)
    with pytest.raises(ExperimentError):
        build.build_network(experiment.replace(batch_size=1636), (28, 28, 1), 10)


def most_at_once(experiment):
    """Return of how many examples at most a run asks its network at once, from its start to a pause."""
    trainer, sizes = Trainer(experiment), []
    with trainer.network.register_forward_hook(lambda layer, y: sizes.append(len(y)) if layer.name == "output" else 0):
        trainer.advance(steps=1)
        frames.describe(trainer)
        completed(frames.measure(trainer))
    return max(sizes)


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "toy2d", "network": "dense3"},
        {"data": "toy2d", "network": "dense3", "batch_size": 4096},
        {"data": "digits", "network": "dense20"},
        {"data": "digits", "network": "pool2 dense20"},
        {"data": "digits", "network": "conv2@3p1"},
    ],
    ids=str,
)
def test_the_limit_counts_the_largest_pass_though_the_batch_be_small(settings, monkeypatch):
    experiment = Experiment(**({"batch_size": 1} | settings))
    in_shape, classes = ((2,), 2) if experiment.data == "toy2d" else ((8, 8, 1), 10)
    rows = build.describe(experiment, in_shape, classes)
    units = math.prod(in_shape) + sum(math.prod(row.out_shape) for row in rows[:-1])
    limit = units * most_at_once(experiment)
    monkeypatch.setattr(build, "MAX_ACTIVATIONS", limit)
    build.check(experiment)
    monkeypatch.setattr(build, "MAX_ACTIVATIONS", limit - 1)
    with pytest.raises(ExperimentError, match=f"network must be a network of at most {units - 1:,} units, not {units}"):
        build.check(experiment)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"data": "toy2d", "network": "dense4096 dense1 " * 20}, "a network of at most 3,906 units, not 81,942"),
        ({"data": "toy2d", "network": "dense1950 dense1955"}, "a network of at most 3,906 units, not 3,907"),
        ({"network": "dense3300 dense1 " * 20}, "a network of at most 64,000 units, not 66,804"),
        ({"network": "conv1024@1 conv1@3p1"}, "a network of at most 320,000 units, not 804,384"),
        ({"network": "conv150@5p2 conv100@7p3"}, "a network that needs at most 520 MB to work in, not "),
    ],
    ids=str,
)
@pytest.mark.parametrize("batch", [1, 8])
def test_a_small_batch_makes_no_network_small(settings, sentence, batch):
    with pytest.raises(ExperimentError, match=f"^network must be .*{sentence}"):
        build.check(Experiment(batch_size=batch, **settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "toy2d", "network": "dense64 dense64 dense64"},
        {"data": "toy2d", "network": "dense64 dense64 dense64", "batch_size": 4096, "normalization": "batch"},
        {"data": "toy2d", "network": "dense1000 dense1000"},
        {"network": "dense1000 dense1000 dense1000", "batch_size": 4096},
        {"network": "conv64@3p1 conv64@3p1 gap", "batch_size": 100},
        {"network": "conv6@5p2 avgpool2 conv16@5 avgpool2 dense120 dense84", "batch_size": 1000},
    ],
    ids=str,
)
def test_what_people_try_stays_legal(settings):
    build.check(Experiment(**settings))


def test_a_step_that_would_take_too_long_is_refused_with_the_batch_that_does_not():
    experiment = Experiment(network="pool4 conv128@3p1 conv256@3p1 conv256@3p1", batch_size=490)
    one = 49 * 9 * (128 + 128 * 256 + 256 * 256) + 49 * 256 * 10
    limit = build.MAX_STEP // one
    sentence = f"batch_size must be at most {limit} for a network of {one:,} multiply-adds for one example, not 490"
    with pytest.raises(ExperimentError, match=sentence) as caught:
        build.check(experiment)
    assert caught.value.field == "batch_size"
    build.check(experiment.replace(batch_size=limit))
    with pytest.raises(ExperimentError):
        build.check(experiment.replace(batch_size=limit + 1))


def test_the_way_back_through_a_stride_counts_where_it_is_the_longer():
    """The gradient of what a wide window strode over goes over every place: of these there are 49 to an output."""
    experiment = Experiment(network="pool2 conv128@1 conv256@7s6", batch_size=100)
    back = 14 * 14 * 7 * 7 * 128 * 256
    one = 14 * 14 * 128 + back + 4 * 256 * 10
    limit = build.MAX_STEP // one
    with pytest.raises(ExperimentError, match=f"at most {limit} for a network of {one:,} multiply-adds"):
        build.check(experiment)
    build.check(experiment.replace(batch_size=limit))


def test_room_for_the_gradient_of_wide_windows_counts():
    with pytest.raises(ExperimentError, match="needs at most 520 MB to work in, not 2,932"):
        build.check(Experiment(network="conv1@1 conv1250@11p10s8", batch_size=50))


def test_every_preset_has_three_times_the_time_it_needs(monkeypatch):
    monkeypatch.setattr(build, "MAX_STEP", build.MAX_STEP // 3)
    runs = [experiment for it in PRESETS.values() for experiment in it.runs.values()]
    for experiment in {(run.network, run.data, run.batch_size): run for run in runs}.values():
        if experiment.data == "toy2d":
            build.build_network(experiment, (len(parse_features(experiment.features)),), 2)
        else:
            build.build_network(experiment, (28, 28, 1), 10)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"network": "dense4096 dense4096"}, "network"),
        ({"network": "dense500 " * 18, "batch_size": 4096}, "batch_size"),
        ({"normalization": "batch", "batch_size": 1}, "batch_size"),
        ({"normalization": "batch", "train_size": 1}, "train_size"),
    ],
    ids=str,
)
def test_what_cannot_run_is_known_before_it_is_built(settings, field):
    build.check(Experiment())
    with pytest.raises(ExperimentError) as caught:
        build.check(Experiment(**settings))
    assert caught.value.field == field


def test_data_that_is_not_there_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path))
    monkeypatch.delenv("KASANE_DATA", raising=False)
    with pytest.raises(InputError, match="not on this computer"):
        build.check(Experiment(data="kmnist"))


# ----------------------------------------------------------------------------------------------------------- the data


def test_toy_points_come_with_the_features_asked_for():
    data = build.build_dataset(Experiment(data="toy2d", features="x2 x1x2", train_size=30, test_size=10))
    plain = build.build_dataset(Experiment(data="toy2d", features="x1 x2", train_size=30, test_size=10))
    assert data.shape == (2,)
    assert (len(data.x_train), len(data.x_test)) == (30, 10)
    np.testing.assert_allclose(data.x_train[:, 0], plain.x_train[:, 1])
    np.testing.assert_allclose(data.x_train[:, 1], plain.x_train.prod(axis=1), rtol=1e-6)


def test_a_set_may_be_cut_and_zero_is_all():
    assert len(build.build_dataset(Experiment(data="digits", train_size=50)).x_train) == 50
    whole = build.build_dataset(Experiment(data="digits"))
    assert len(whole.x_train) == len(build.load_raw(Experiment(data="digits")).x_train)


@pytest.mark.parametrize(("size", "batch", "steps"), [(50, 10, 5), (50, 20, 3), (50, 4096, 1)])
def test_steps_of_an_epoch_are_counted(size, batch, steps):
    assert build.steps_per_epoch(Experiment(data="digits", train_size=size, batch_size=batch)) == steps


# -------------------------------------------------------------------------------------------------------- the streams


def test_streams_of_one_seed_are_independent_and_repeatable():
    drawn = {}
    for seed in (0, 1, 2**31 - 1):
        for name in ("data", "init", "batches", "dropout"):
            numbers = build.stream(seed, name).random(5)
            np.testing.assert_array_equal(numbers, build.stream(seed, name).random(5))
            drawn[tuple(numbers)] = seed, name
    assert len(drawn) == 12


def test_a_stream_is_the_same_on_every_machine():
    """A run named by its seed must not change with NumPy's default generator or Python's string hash."""
    assert build.stream(0, "init").bit_generator.random_raw(2).tolist() == [5903094152755504652, 10226333502622033241]


# --------------------------------------------------------------------------------------- networks that take pictures

RISING = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "identity")
CH07 = "conv30@5 pool2 dense100"
CH08 = (
    "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p2 pool2 conv64@3p1 conv64@3p1 pool2 dense50 drop.5 output drop.5"
)
LENET = "conv6@5p2 avgpool2 conv16@5 avgpool2 dense120 dense84"


def test_layers_of_pictures_are_named_and_ordered():
    """The largest number is taken before the activation, where a quarter is left to work on."""
    assert layers("conv5@3p1 pool2 conv4@2 dense3", dropout=0.25) == [
        "planes: ToPlanes()",
        "conv1: Conv2d(5, 3, padding=1)",
        "conv1.pool: MaxPool2d(2)",
        "conv1.relu: ReLU()",
        "conv1.dropout: Dropout(0.25)",
        "conv2: Conv2d(4, 2)",
        "conv2.relu: ReLU()",
        "conv2.dropout: Dropout(0.25)",
        "flatten: Flatten()",
        "dense1: Linear(3)",
        "dense1.relu: ReLU()",
        "dense1.dropout: Dropout(0.25)",
        "output: Linear(4)",
    ]


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalization_comes_before_the_pooling_and_that_before_the_activation(normalization):
    norm = {"batch": "BatchNorm", "layer": "LayerNorm"}[normalization]
    assert layers("conv5@3 pool2s1 dense3", normalization=normalization) == [
        "planes: ToPlanes()",
        "conv1: Conv2d(5, 3)",
        f"conv1.norm: {norm}2d()",
        "conv1.pool: MaxPool2d(2, stride=1)",
        "conv1.relu: ReLU()",
        "conv1.dropout: Dropout(0)",
        "flatten: Flatten()",
        "dense1: Linear(3)",
        f"dense1.norm: {norm}()",
        "dense1.relu: ReLU()",
        "dense1.dropout: Dropout(0)",
        "output: Linear(4)",
    ]


@pytest.mark.parametrize("activation", build.ACTIVATIONS)
def test_pooling_is_moved_before_an_activation_that_never_falls(activation):
    x = np.linspace(-6, 6, 2001)[None]
    layer = build.ACTIVATIONS[activation]()
    layer.dtype = x.dtype
    rises = bool((np.diff(layer.forward(x, training=False)) >= 0).all())
    assert rises == (activation in RISING)
    names = [name.split(":")[0] for name in layers("conv5@3 pool2", activation=activation)][1:-2]
    moved, stays = (
        ["conv1.pool", f"conv1.{activation}", "conv1.dropout"],
        [f"conv1.{activation}", "conv1.dropout", "pool1"],
    )
    assert names == ["conv1", *(moved if rises else stays)]


@pytest.mark.parametrize(
    ("description", "names"),
    [
        ("conv5@3 avgpool2", ["conv1", "conv1.relu", "conv1.dropout", "pool1", "flatten"]),
        ("conv5@3 drop.5 pool2", ["conv1", "conv1.relu", "conv1.drop1", "pool1", "flatten"]),
        ("conv5@3 pool2 drop.5", ["conv1", "conv1.pool", "conv1.relu", "conv1.drop2", "flatten"]),
        ("conv5@2 pool2 pool2", ["conv1", "conv1.pool", "conv1.relu", "conv1.dropout", "pool2", "flatten"]),
        ("pool2 avgpool2", ["pool1", "pool2", "flatten"]),
        ("gap", ["gap"]),
        ("conv5@3 gap", ["conv1", "conv1.relu", "conv1.dropout", "gap"]),
        ("avgpool2 dense3", ["pool1", "flatten", "dense1", "dense1.relu", "dense1.dropout"]),
    ],
)
def test_what_else_stands_where(description, names):
    expected = ["planes", *names, "output"]
    assert [name.split(":")[0] for name in layers(description)] == expected
    assert [name.split(":")[0] for name in layers(f"{description} output")] == expected


def test_the_output_may_be_dropped_too():
    assert layers("conv5@3 gap output drop.5", (6, 6, 1), 4, dropout=0.25)[-3:] == [
        "gap: GlobalAvgPool()",
        "output: Linear(4)",
        "output.drop3: Dropout(0.5)",
    ]
    network = build.build_network(Experiment(network="conv5@3 output drop.5"), (6, 6, 1), 4)
    x = np.random.default_rng(0).random((50, 6, 6, 1), np.float32)
    whole = network.forward(x, training=False).copy()
    dropped = network.forward(x, training=True)
    assert 0.3 < np.mean(dropped == 0) < 0.7
    np.testing.assert_allclose(dropped[dropped != 0], 2 * whole[dropped != 0], rtol=1e-5)


@pytest.mark.parametrize("activation", RISING)
@pytest.mark.parametrize("normalization", ["none", "layer", "batch"])
@pytest.mark.parametrize("pool", ["pool2", "pool3s2"])
def test_moving_the_pooling_changes_no_number(activation, normalization, pool):
    """A `drop0` in between keeps it where the words have it."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(5, 9, 8, 2)), rng.normal(size=(5, 3))
    outcomes = []
    for description in (f"conv4@3 {pool} conv3@2 dense5", f"conv4@3 drop0 {pool} conv3@2 dense5"):
        experiment = Experiment(network=description, activation=activation, normalization=normalization)
        network = build.build_network(experiment, (9, 8, 2), 3, dtype=np.float64)
        outputs = network.forward(x, training=True)
        network.backward(dy)
        outcomes.append((outputs.copy(), network.vector.grad.copy()))
    for moved, stayed in zip(*outcomes, strict=True):
        np.testing.assert_allclose(moved, stayed, rtol=1e-9, atol=1e-12)


# -------------------------------------------------------------------------------------------- PyTorch's own networks


class Network(torch.nn.Sequential):
    """What the book or the paper describes, in PyTorch's order: activation before pooling, channels before pixels."""

    def take_over(self, network, planes):
        """Copy the weights of a network of ours; planes: the shape (H, W, C) in which its pictures end."""
        ours = [layer for layer in network.layers if isinstance(layer, nn.Conv2d | nn.Linear)]
        theirs = [module for module in self if isinstance(module, Conv2d | Linear)]
        self.pairs = list(zip(ours, theirs, strict=True))
        self.first = next(layer for layer in ours if isinstance(layer, nn.Linear))
        self.planes = planes
        with torch.no_grad():
            for layer, module in self.pairs:
                module.weight.copy_(torch.tensor(self.turned(layer, layer.weight.data)))
                module.bias.copy_(torch.tensor(layer.bias.data))
        return self

    def turned(self, layer, weight):
        """Return a weight of ours as PyTorch has it. Ours flattens pictures as (H, C, W), PyTorch as (C, H, W)."""
        if layer is self.first:
            height, width, channels = self.planes
            weight = weight.reshape(height, channels, width, -1).swapaxes(0, 1).reshape(len(weight), -1)
        return turned(weight) if weight.ndim == 4 else weight.T

    def gradients(self):
        """Return pairs of gradients, ours turned and PyTorch's."""
        for layer, module in self.pairs:
            yield self.turned(layer, layer.weight.grad), module.weight.grad.numpy()
            yield layer.bias.grad, module.bias.grad.numpy()


def lenet(_):
    return Network(
        Conv2d(1, 6, 5, padding=2), Tanh(), AvgPool2d(2), Conv2d(6, 16, 5), Tanh(), AvgPool2d(2), Flatten(),
        Linear(400, 120), Tanh(), Linear(120, 84), Tanh(), Linear(84, 10),
    )  # fmt: skip


def ch07(_):
    return Network(
        Conv2d(1, 30, 5), ReLU(), MaxPool2d(2), Flatten(), Linear(30 * 12 * 12, 100), ReLU(), Linear(100, 10)
    )


def ch08(dropouts):
    return Network(
        Conv2d(1, 16, 3, padding=1), ReLU(), Conv2d(16, 16, 3, padding=1), ReLU(), MaxPool2d(2),
        Conv2d(16, 32, 3, padding=1), ReLU(), Conv2d(32, 32, 3, padding=2), ReLU(), MaxPool2d(2),
        Conv2d(32, 64, 3, padding=1), ReLU(), Conv2d(64, 64, 3, padding=1), ReLU(), MaxPool2d(2),
        Flatten(), Linear(64 * 4 * 4, 50), ReLU(), SameMask(dropouts[0]), Linear(50, 10), SameMask(dropouts[1]),
    )  # fmt: skip


BOOKS = {
    "LeNet-5": (LENET, "tanh", lenet, (5, 5, 16)),
    "ch07": (CH07, "relu", ch07, (12, 12, 30)),
    "ch08": (CH08, "relu", ch08, (4, 4, 64)),
}


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("book", BOOKS)
def test_published_networks_are_pytorchs(book, training):
    description, activation, make, planes = BOOKS[book]
    network = build.build_network(Experiment(network=description, activation=activation), (28, 28, 1), 10)
    rng = np.random.default_rng(0)
    for name, parameter in network.parameters().items():
        if name.endswith("bias"):
            parameter.data[...] = rng.normal(0, 0.1, parameter.data.shape)
    drops = [layer for layer in network.layers if ".drop" in layer.name and layer.rate]
    module = make(drops).take_over(network, planes).train(training)
    x, labels = rng.random((6, 28, 28, 1), np.float32), rng.integers(0, 10, 6)
    x.setflags(write=False)
    logits = network.forward(x, training=training)
    theirs = module(torch.tensor(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(logits, theirs.detach().numpy(), rtol=1e-4, atol=1e-4)
    loss = nn.SoftmaxCrossEntropy()
    mean = loss.forward(logits, labels)
    their_loss = torch.nn.functional.cross_entropy(theirs, torch.tensor(labels))
    assert mean == pytest.approx(their_loss.item(), rel=1e-5)
    network.backward(loss.backward())
    their_loss.backward()
    for ours, gradient in module.gradients():
        np.testing.assert_allclose(ours, gradient, rtol=1e-4, atol=1e-4 * np.abs(gradient).max())


@pytest.mark.parametrize("normalization", ["layer", "batch"])
def test_a_normalized_network_of_pictures_is_pytorchs(normalization):
    """And of pictures of three channels, higher than wide."""
    norm = {"layer": lambda c: torch.nn.GroupNorm(1, c), "batch": torch.nn.BatchNorm2d}[normalization]
    experiment = Experiment(network="conv4@3p1s2 pool2 conv6@3p1 gap", normalization=normalization)
    network = build.build_network(experiment, (17, 12, 3), 5)
    module = torch.nn.Sequential(
        Conv2d(3, 4, 3, 2, 1, bias=False), norm(4), ReLU(), MaxPool2d(2),
        Conv2d(4, 6, 3, 1, 1, bias=False), norm(6), ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), Flatten(), Linear(6, 5),
    )  # fmt: skip
    ours = list(network.parameters().values())
    with torch.no_grad():
        for parameter, theirs in zip(ours, module.parameters(), strict=True):
            weight = turned(parameter.data)
            theirs.copy_(torch.tensor(weight.T if weight.ndim == 2 else weight))
    rng = np.random.default_rng(0)
    x, dy = rng.random((7, 17, 12, 3), np.float32), rng.normal(size=(7, 5)).astype(np.float32)
    logits, theirs = network.forward(x, training=True), module(torch.tensor(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(logits, theirs.detach().numpy(), rtol=1e-4, atol=1e-4)
    network.backward(dy)
    theirs.backward(torch.tensor(dy))
    for parameter, other in zip(ours, module.parameters(), strict=True):
        gradient, expected = turned(parameter.grad), other.grad.numpy()
        gradient = gradient.T if gradient.ndim == 2 else gradient
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


# ------------------------------------------------------------------------------------- what a network of pictures does


@pytest.mark.parametrize("settings", [{}, {"normalization": "layer"}, {"normalization": "batch", "activation": "gelu"}])
@pytest.mark.parametrize("training", [True, False])
def test_after_a_global_average_pictures_may_have_any_size(settings, training):
    """Weights that were made for 28 × 28, read on 20 × 24, are the network made for 20 × 24 with these weights."""
    experiment = Experiment(network="conv8@3p1 pool2 conv6@5s2 avgpool2 gap dense7", **settings)
    network = build.build_network(experiment, (28, 28, 1), 10)
    other = build.build_network(experiment.replace(seed=5), (20, 24, 1), 10)
    other.load_state_dict(network.state_dict())
    rng = np.random.default_rng(0)
    network.forward(rng.random((4, 28, 28, 1), np.float32), training=False)
    x, dy = rng.random((4, 20, 24, 1), np.float32), rng.normal(size=(4, 10)).astype(np.float32)
    np.testing.assert_array_equal(network.forward(x, training=training), other.forward(x, training=training))
    if training:
        network.backward(dy)
        other.backward(dy)
        np.testing.assert_array_equal(network.vector.grad, other.vector.grad)


@pytest.mark.parametrize(
    "description", [LENET, CH07, CH08, "avgpool2 dense5", "gap", "pool2 conv3@3 gap", "drop.5 conv2@3"]
)
def test_pictures_that_come_in_are_left_as_they_are(description):
    network = build.build_network(Experiment(network=description, dropout=0.2), (28, 28, 1), 10)
    x, dy = np.random.default_rng(0).random((3, 28, 28, 1), np.float32), np.ones((3, 10), np.float32)
    kept = x.copy()
    x.setflags(write=False)
    dy.setflags(write=False)
    for training in (True, False):
        network.forward(x, training=training)
    network.forward(x, training=True)
    assert network.backward(dy) is None
    np.testing.assert_array_equal(x, kept)
    assert network.vector.grad.any()


@pytest.mark.parametrize(
    "settings",
    [{}, {"dropout": 0.3}, {"activation": "gelu"}, {"normalization": "layer"}, {"normalization": "batch"}],
    ids=str,
)
def test_a_training_step_on_pictures_allocates_nothing(settings):
    network = build.build_network(
        Experiment(network="conv8@3p1 pool2 conv8@3s2 avgpool2 dense30", **settings), (28, 28, 1), 10
    )
    loss, optimizer = nn.SoftmaxCrossEntropy(), optim.Momentum(network.vector, lr=0.01)
    rng = np.random.default_rng(0)
    x, labels = rng.random((64, 28, 28, 1), np.float32), rng.integers(0, 10, 64)

    def step():
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step()

    kept, peak = memory_of(step, steps=5)
    planes = 28 * 28 * 8 * 64  # the numbers of the largest layer
    assert kept < 2048
    numpys_own = 16 * np.getbufsize()  # a ufunc that broadcasts takes, and gives back, buffers of 32 KB
    assert peak < numpys_own + (2 * planes if "dropout" in settings else 0)  # dropout draws 16 bits for each


def test_dropout_leaves_the_initial_weights_of_pictures_as_they_were():
    plain, dropped = (
        build.build_network(Experiment(network="conv4@3p1 pool2 conv5@2 dense6", dropout=rate, seed=3), (6, 6, 1), 4)
        for rate in (0.0, 0.5)
    )
    for _ in range(2):
        np.testing.assert_array_equal(plain.vector.data, dropped.vector.data)
        dropped.forward(np.ones((3, 6, 6, 1), np.float32), training=True)


def test_weights_start_alike_whatever_stands_between_them():
    """Pooling, activation and dropout draw nothing from the stream of the weights."""
    expected = build.build_network(Experiment(network="conv4@3p1 conv5@3p1 gap"), (6, 6, 1), 4).vector.data
    for description in ("conv4@3p1 drop.5 conv5@3p1 gap", "conv4@3p1 pool1 conv5@3p1 pool2 avgpool2 gap"):
        network = build.build_network(Experiment(network=description, activation="gelu"), (6, 6, 1), 4)
        np.testing.assert_array_equal(network.vector.data, expected)


# ------------------------------------------------------------------------------------------- what is asked too much of

PICTURES = [
    ("conv3@5", (4, 28, 1), "conv3@5 finds only 4 × 28 pixels"),
    ("conv3@5p1 conv3@5", (6, 6, 1), "conv3@5 finds only 4 × 4 pixels"),
    ("pool2 pool2 pool2", (6, 6, 1), "pool2 finds only 1 × 1 pixels"),
    ("pool11", (10, 10, 1), "pool11 finds only 10 × 10 pixels"),
    ("avgpool3", (28, 2, 1), "avgpool3 finds only 28 × 2 pixels"),
    ("conv3@3", (2,), "no pictures"),
    ("pool2", (2,), "no pictures"),
    ("gap", (2,), "no pictures"),
    ("conv3@3", (28, 28), "no pictures"),
    ("conv4096@11 conv4096@11", (28, 28, 1), "5,000,000 parameters, not 2,03"),
    ("conv4096@11p10 dense4096", (28, 28, 1), "5,000,000 parameters"),
    ("conv200@11p5 " * 20, (28, 28, 1), "5,000,000 parameters"),
    ("conv100@1 dense4096", (28, 28, 1), "5,000,000 parameters"),
    ("conv4096@1 gap", (100, 100, 1), "at most 320,000 units, not 40,974,096"),
]


@pytest.mark.parametrize(("description", "in_shape", "reason"), PICTURES)
def test_a_network_too_large_or_for_something_else_is_one_sentence_at_once(description, in_shape, reason):
    experiment = Experiment(network=description)
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(ExperimentError) as caught:
            build.build_network(experiment, in_shape, 10)
        assert tracemalloc.get_traced_memory()[1] < 500_000
        assert time.process_time() - start < 1
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    assert caught.value.field == "network"
    assert sentence.startswith("network must be ")
    assert reason in sentence
    assert len(sentence) < 200
    assert "\n" not in sentence


@pytest.mark.parametrize("description", ["conv3@3", "pool2", "avgpool2 dense5", "gap"])
def test_points_of_a_plane_are_no_pictures(description):
    with pytest.raises(ExperimentError, match="no pictures"):
        build.check(Experiment(data="toy2d", network=description))


def test_a_batch_of_pictures_too_large_is_refused_with_the_size_that_fits():
    experiment = Experiment(network="conv64@3p1 conv64@3p1", batch_size=4096)
    units = 784 + 2 * 784 * 64
    with pytest.raises(
        ExperimentError, match=f"at most {16_000_000 // units} for a network of {units:,} units"
    ) as caught:
        build.build_network(experiment, (28, 28, 1), 10)
    assert caught.value.field == "batch_size"


COMBINATIONS = list(
    itertools.product(
        ["conv4@3p1 pool2 conv3@2 dense5", "conv4@3 avgpool2 gap"],
        build.ACTIVATIONS, build.NORMALIZATIONS, [0.0, 0.3],
    )
)  # fmt: skip


@pytest.mark.parametrize(("description", "activation", "normalization", "dropout"), COMBINATIONS)
def test_every_combination_learns_a_batch_of_pictures(blobs, small, description, activation, normalization, dropout):
    experiment = small.replace(
        network=description,
        activation=activation,
        normalization=normalization,
        dropout=dropout,
        optimizer="adam",
        lr=0.01,
    )
    network = build.build_network(experiment, blobs.shape, 4)
    loss, optimizer = build.build_loss(experiment), build.build_optimizer(experiment, network)
    x, labels = build.build_batches(experiment, blobs).next()

    def whole_loss():
        build.set_dropout(network, 0.0)
        value = loss.forward(network.forward(x, training=True), labels)
        build.set_dropout(network, dropout)
        return value

    before = whole_loss()
    for _ in range(25):
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step()
    assert whole_loss() < before


def test_the_work_arrays_of_convolutions_are_limited():
    with pytest.raises(ExperimentError, match="at most 520 MB to work in"):
        build.build_network(Experiment(network="conv200@11p5 conv200@11p5 gap", batch_size=2), (28, 28, 1), 10)
