"""A probe tells what NumPy would tell of each layer, and leaves no trace behind."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import build
from engine.experiment import Experiment
from engine.training import metrics, probes
from engine.training.probes import BINS, SAMPLE, Probe, histogram, moments, norm, round_up, sample
from engine.training.trainer import Trainer

SEED = st.integers(0, 2**32 - 1)


# --------------------------------------------------------------------------------------------------- the arithmetic


@given(size=st.integers(1, 3000), scale=st.floats(1e-42, 1e30), shift=st.sampled_from([0, 3, -3]), seed=SEED)
def test_histograms_are_numpys_on_the_same_limits(size, scale, shift, seed):
    values = ((np.random.default_rng(seed).standard_normal(size) + shift) * scale).astype(np.float32)
    counts, (low, high) = histogram(values)
    assert counts.shape == (BINS,)
    assert low <= values.min()
    assert values.max() <= high
    expected, edges = np.histogram(values.astype(np.float64), BINS, (low, high))
    for edge, ours, theirs in zip(edges[1:], counts.cumsum(), expected.cumsum(), strict=True):
        on_the_edge = np.sum(np.abs(values - edge) <= 1e-9 * (high - low))  # may be rounded to either side
        assert abs(ours - theirs) <= on_the_edge
    assert counts.sum() == size


@given(values=hnp.arrays(np.float32, st.integers(1, 50), elements=st.floats(width=32)))
def test_any_values_make_a_histogram(values):
    """Infinities, NaN and numbers too small for float32 to divide by included; warnings would be errors."""
    counts, (low, high) = histogram(values)
    assert counts.sum() == (values.size if np.isfinite(values).all() else 0)
    assert low < high


def test_the_limits_themselves_are_counted():
    counts, limits = histogram(np.array([-1.0, 1.0], np.float32))
    assert limits == (-1.0, 1.0)
    assert (counts[0], counts[-1]) == (1, 1)


@given(value=st.floats(1e-300, 1e300))
def test_limits_are_rounded_to_1_2_or_5(value):
    limit = round_up(value)
    assert value <= limit <= 2.5 * value * (1 + 1e-9)
    mantissa = limit / 10 ** math.floor(math.log10(limit) + 1e-9)
    assert mantissa == pytest.approx(1) or mantissa == pytest.approx(2) or mantissa == pytest.approx(5)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_what_is_not_positive_rounds_to_zero(value):
    assert round_up(value) == 0


@given(size=st.integers(1, 50), scale=st.sampled_from([1e-40, 1e-25, 1e-10, 1, 1e10, 1e25]), seed=SEED)
def test_norms_hold_for_vanishing_and_exploding_numbers(size, scale, seed):
    values = (np.random.default_rng(seed).standard_normal(size) * scale).astype(np.float32)
    assert norm(values) == pytest.approx(np.linalg.norm(values.astype(np.float64)), rel=1e-5)


@given(rows=st.integers(1, 40), columns=st.integers(1, 40), mean=st.floats(-2, 2), std=st.floats(1e-4, 10), seed=SEED)
def test_moments_hold_for_numbers_that_hardly_differ(rows, columns, mean, std, seed):
    values = np.random.default_rng(seed).normal(mean, std, (rows, columns)).astype(np.float32)
    exact = values.astype(np.float64)
    measured = moments(values)
    assert measured[0] == pytest.approx(exact.mean(), rel=1e-4, abs=1e-5)
    assert measured[1] == pytest.approx(exact.std(), rel=1e-2, abs=1e-6)


@given(size=st.integers(1, 200_000))
def test_a_sample_is_a_view_of_about_so_many_evenly_spaced_numbers(size):
    array = np.arange(size)
    taken = sample(array)
    assert np.shares_memory(taken, array)
    assert min(size, SAMPLE // 2) <= len(taken) <= 2 * SAMPLE
    step = int(taken[1]) if len(taken) > 1 else 1
    assert step % 2 == 1
    np.testing.assert_array_equal(taken, array[::step])


# ---------------------------------------------------------------------------------------------------- one training step


def probed_step(experiment, data, prepare=None):
    """Make one step under a probe; return its readings by name, and network and activations before and after."""
    network = build.build_network(experiment, data.shape, len(data.classes))
    if prepare:
        prepare(network)
    loss, optimizer = build.build_loss(experiment), build.build_optimizer(experiment, network)
    x = np.multiply(data.x_train[:16], data.scale, dtype=np.float32)
    before = {name: parameter.data.copy() for name, parameter in network.parameters().items()}
    outputs = {}
    with (
        network.register_forward_hook(lambda layer, y: outputs.__setitem__(layer.name, y.copy())),
        Probe(network, {"dense1": 0.25}) as probe,
    ):
        loss.forward(network.forward(x, training=True), data.y_train[:16])
        network.backward(loss.backward())
        gradients = {name: parameter.grad.copy() for name, parameter in network.parameters().items()}
        probe.read_gradients()
        optimizer.step()
    return {reading.name: reading for reading in probe.readings()}, network, outputs, before, gradients


KINDS = [{}, {"normalization": "batch"}, {"normalization": "layer"}, {"dropout": 0.5}, {"activation": "tanh"}]


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_readings_are_what_numpy_says_of_each_layer(blobs, small, changes):
    experiment = small.replace(**changes)
    readings, network, outputs, before, gradients = probed_step(experiment, blobs)
    assert list(readings) == ["dense1", "dense2", "output"]
    np.testing.assert_equal([reading.dead for reading in readings.values()], [0.25, np.nan, np.nan])  # as far as known
    for name, reading in readings.items():
        y = outputs[f"{name}.{experiment.activation}" if name != "output" else name]
        weight = network.parameters()[f"{name}.weight"].data
        gradient = gradients[f"{name}.weight"]
        change = np.linalg.norm(weight - before[f"{name}.weight"]) / np.linalg.norm(before[f"{name}.weight"])
        assert reading.mean == pytest.approx(y.mean(), rel=1e-4, abs=1e-6)
        assert reading.std == pytest.approx(y.std(), rel=1e-4)
        assert reading.grad_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
        assert reading.weight_norm == pytest.approx(np.linalg.norm(weight), rel=1e-5)
        assert reading.update_ratio == pytest.approx(change, rel=1e-4)
        for values, counts, limits in (
            (y, reading.activations, reading.activation_limits),
            (gradient, reading.gradients, reading.gradient_limits),
            (weight, reading.weights, reading.weight_limits),
        ):
            expected, expected_limits = histogram(values.ravel())
            np.testing.assert_array_equal(counts, expected)
            assert limits == expected_limits


DYING = {
    **{str(changes): changes for changes in KINDS},
    "averaged": {"ema": 0.9},
    "pictures": {"network": "conv5@3p1 pool2 dense8"},
    "normalized pictures": {"network": "conv5@3p1 pool2 gap output drop.5", "normalization": "batch"},
}


@pytest.mark.parametrize("changes", DYING.values(), ids=DYING)
def test_dead_units_are_those_that_say_the_same_to_all_training_examples(blobs, small, monkeypatch, changes):
    monkeypatch.setattr(metrics, "CHUNK", 50)
    monkeypatch.setattr(metrics, "PICTURES", 50)
    experiment = small.replace(**changes)
    trainer = Trainer(experiment, blobs)
    trainer.advance(steps=10)
    first = trainer.network.layers[1]
    first.weight.data[..., :2] = 0  # these two are dead whatever they are given
    if first.bias:
        first.bias.data[2] = -1e3  # and of ReLUs this one
    if trainer.average:
        np.copyto(trainer.average.values, trainer.network.vector.data)
    shares, outputs = trainer.evaluate().dead, {}
    with trainer.network.register_forward_hook(lambda layer, y: outputs.__setitem__(layer.name, y.copy())):
        trainer.network.forward(np.multiply(blobs.x_train, blobs.scale, dtype=np.float32))
    expected = {}
    for name, y in outputs.items():
        if not name.endswith(("flatten", "planes", "dropout")) and "drop" not in name and name != "gap":
            expected[name.split(".")[0]] = np.mean(np.ptp(y, axis=(0, 2, 3) if y.ndim == 4 else 0) == 0)
    assert shares == pytest.approx(expected)
    assert shares[first.name] >= 2 / first.weight.data.shape[-1]


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_how_many_are_dead_does_not_depend_on_the_batch(blobs, small, batch_size):
    trainer = Trainer(small.replace(batch_size=batch_size, activation="tanh"), blobs, probe_every=1)
    trainer.advance(steps=12)
    readings = trainer.history.latest.layers
    assert [reading.dead for reading in readings] == [0, 0, 0]
    assert {reading.name: reading.dead for reading in readings} == trainer.history.dead


def test_a_step_without_movement_has_the_ratio_zero(blobs, small):
    readings, *_ = probed_step(small.replace(initializer="zeros"), blobs)
    assert readings["dense1"].update_ratio == 0
    assert readings["dense1"].weight_norm == 0


def test_large_layers_are_sampled(blobs, small):
    readings, *_ = probed_step(small.replace(network="dense400 dense400"), blobs)
    for reading in readings.values():
        for counts in (reading.activations, reading.gradients, reading.weights):
            assert 0 < counts.sum() <= 16 * 400
    assert readings["dense2"].weights.sum() <= 2 * SAMPLE


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_hooked(blobs, small, fails):
    network = build.build_network(small, blobs.shape, 4)
    try:
        with Probe(network, {}):
            assert network._forward_hooks
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert not network._forward_hooks


def test_gradients_that_vanish_are_still_seen(blobs, small):
    """Thirty sigmoid layers: the first one's gradient is below what float32 can square."""
    experiment = small.replace(network="dense8 " * 30, activation="sigmoid", initializer="gauss", sigma=0.1)
    readings, *_ = probed_step(experiment, blobs)
    norms = [reading.grad_norm for reading in readings.values()]
    assert 0 < min(norms) < 1e-23
    assert max(norms) > 1e-3
    for reading in readings.values():
        assert reading.gradients.sum() > 0


def test_names_of_layers_and_parameters_lead_to_their_block():
    assert (
        probes.block_name("dense1.relu")
        == probes.block_name("dense1.weight")
        == probes.block_name("dense1")
        == "dense1"
    )


def test_a_dead_channel_of_a_convolution_is_counted():
    experiment = Experiment(network="conv4@3 pool2 dense5", optimizer="adam", lr=0.001, steps=5)
    trainer = Trainer(experiment, probe_every=1)
    convolution = next(layer for layer in trainer.network.layers if layer.name == "conv1")
    convolution.weight.data[..., :2] = 0
    convolution.bias.data[:2] = -1
    trainer.advance(steps=1)
    reading = next(layer for layer in trainer.history.latest.layers if layer.name == "conv1")
    assert reading.dead == 0.5
