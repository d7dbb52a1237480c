"""From names to live objects: every name builds, nothing outgrows the server, and the streams of a seed keep apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import build, nn, optim
from engine.errors import InputError
from engine.experiment import FIELDS, MAX_PARAMETERS, Experiment, ExperimentError

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
