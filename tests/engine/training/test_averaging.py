"""The average of the weights: its plain formula, its way in and out of the network, and training left as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import build
from engine.experiment import Experiment
from engine.nn.parameter import Parameter, ParameterVector
from engine.training import metrics
from engine.training.averaging import WeightAverage
from engine.training.checkpoint import dump, load_model, restore
from engine.training.trainer import Trainer
from tests.engine.training.kinds import ended

AVERAGED = {"ema": 0.8, "lr": 0.2}
NETWORKS = {
    "fully connected": {},
    "convolution": {"network": "conv4@3p1 pool2 dense8"},
    "batch norm": {"network": "conv4@3p1 pool2 dense8", "normalization": "batch"},
}
every_network = pytest.mark.parametrize("changes", NETWORKS.values(), ids=NETWORKS)


def vector_of(*values):
    return ParameterVector([Parameter(np.array(values, np.float32), decays=True)], np.dtype(np.float32))


def outputs(network, data):
    return metrics.predict(network, data.x_test, data.scale)


# ------------------------------------------------------------------------------------------------------- the formula


@given(decay=st.floats(0.01, 0.9999), steps=st.integers(1, 60), seed=st.integers(0, 2**32 - 1))
def test_the_average_is_the_plain_formulas(decay, steps, seed):
    """a ← d a + (1 − d) w, with d = min(decay, (1 + t) / (10 + t))."""
    weights = np.random.default_rng(seed).normal(size=(steps + 1, 5))
    vector = vector_of(*weights[0])
    average, expected = WeightAverage(vector, decay), weights[0]
    for t in range(1, steps + 1):
        vector.data[...] = weights[t]
        average.update(t)
        d = min(decay, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * weights[t]
    np.testing.assert_allclose(average.values, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(vector.data, weights[steps].astype(np.float32))


def test_the_random_weights_of_the_start_are_soon_forgotten():
    """Of the first weights .9999⁵⁰⁰ = 95 % would be left after 500 steps; with the growing decay next to nothing is."""
    vector = vector_of(1.0)
    average = WeightAverage(vector, 0.9999)
    vector.data[...] = 0
    for t in range(1, 501):
        average.update(t)
    assert 0 <= average.values[0] < 1e-6


def test_weights_that_stand_still_are_their_own_average():
    vector = vector_of(0.1, -3.0, 1e20)
    average = WeightAverage(vector, 0.99)
    for t in range(1, 100):
        average.update(t)
    np.testing.assert_array_equal(average.values, vector.data)


# --------------------------------------------------------------------------------------------------- into the network


def test_inside_the_network_has_the_average_and_outside_its_weights():
    vector = vector_of(1.0, 2.0)
    average = WeightAverage(vector, 0.9)
    address = vector.data.ctypes.data
    vector.data[...] = [3.0, 5.0]
    with average.applied():
        np.testing.assert_array_equal(vector.data, [1, 2])
        assert vector.data.ctypes.data == address  # the parameters are views into it
    np.testing.assert_array_equal(vector.data, [3, 5])
    np.testing.assert_array_equal(average.values, [1, 2])


def test_an_error_inside_does_not_leave_the_average_behind():
    vector = vector_of(1.0, 2.0)
    average = WeightAverage(vector, 0.9)
    vector.data[...] = [3.0, 5.0]
    with pytest.raises(KeyError), average.applied():
        raise KeyError
    np.testing.assert_array_equal(vector.data, [3, 5])
    np.testing.assert_array_equal(average.values, [1, 2])


@pytest.mark.parametrize("failing", ["evaluate", "dump"])
def test_what_looks_at_a_run_leaves_it_as_it_was_even_when_it_fails(blobs, small, failing, monkeypatch):
    trainer = Trainer(small.replace(**AVERAGED), blobs)
    trainer.advance(steps=12)
    before = trainer.network.vector.data.copy(), trainer.average.values.copy()

    def fail(*arguments, **settings):
        raise OSError

    if failing == "evaluate":
        monkeypatch.setattr(metrics, "predict", fail)
    else:
        monkeypatch.setattr(type(trainer.network), "state_dict", fail)
    with pytest.raises(OSError):  # noqa: PT011
        trainer.evaluate() if failing == "evaluate" else dump(trainer, network_only=True)
    np.testing.assert_array_equal(trainer.network.vector.data, before[0])
    np.testing.assert_array_equal(trainer.average.values, before[1])


# --------------------------------------------------------------------------------------------------------- in a run


@every_network
@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_averaging_does_not_change_the_training(blobs, small, changes, optimizer):
    experiment = small.replace(optimizer=optimizer, lr=0.02, dropout=0.2, **changes)
    plain, averaged = ended(experiment, blobs), ended(experiment.replace(ema=0.9), blobs)
    assert plain.average is None
    np.testing.assert_array_equal(averaged.network.vector.data, plain.network.vector.data)
    np.testing.assert_array_equal(averaged.history.loss.rows()[:, :2], plain.history.loss.rows()[:, :2])
    for name, array in averaged.network.buffers().items():
        np.testing.assert_array_equal(array, plain.network.buffers()[name])


@every_network
def test_a_run_averages_the_weights_after_every_step(blobs, small, changes):
    experiment = small.replace(**AVERAGED, **changes)
    trainer = Trainer(experiment, blobs)
    expected = trainer.network.vector.data.astype(np.float64)
    for t in range(1, 41):
        trainer.advance(steps=1)
        d = min(0.8, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * trainer.network.vector.data
    np.testing.assert_allclose(trainer.average.values, expected, rtol=1e-4, atol=1e-5)


@every_network
def test_a_run_is_measured_by_its_average(blobs, small, changes):
    trainer = ended(small.replace(**AVERAGED, **changes), blobs)
    twin = build.build_network(trainer.experiment, blobs.shape, 4)
    twin.load_state_dict(trainer.network.state_dict())
    latest = metrics.evaluate(twin, trainer.loss, blobs.x_test, blobs.y_test, blobs.scale)
    twin.vector.data[...] = trainer.average.values
    for name, array in twin.buffers().items():
        array[...] = trainer.average.buffers[name]
    averaged = metrics.evaluate(twin, trainer.loss, blobs.x_test, blobs.y_test, blobs.scale)
    measured = trainer.evaluate(limit=0)
    assert (measured.test_loss, measured.test_accuracy) == averaged
    assert averaged[0] != latest[0]
    np.testing.assert_array_equal(trainer.history.evaluated.rows()[-1][-2:], averaged)


def test_evaluating_does_not_change_the_run(blobs, small):
    experiment = small.replace(**AVERAGED)
    often, seldom = (ended(experiment.replace(evaluate_every=every), blobs) for every in (1, 40))
    np.testing.assert_array_equal(often.network.vector.data, seldom.network.vector.data)
    np.testing.assert_array_equal(often.average.values, seldom.average.values)


# ------------------------------------------------------------------------------------------------------- in a file


@every_network
@pytest.mark.parametrize("network_only", [True, False])
def test_a_model_has_the_averaged_weights(blobs, small, changes, network_only):
    trainer = ended(small.replace(**AVERAGED, **changes), blobs)
    latest = outputs(trainer.network, blobs)
    model = load_model(dump(trainer, network_only=network_only))
    np.testing.assert_array_equal(model.network.vector.data, trainer.average.values)
    for name, array in trainer.network.buffers().items():
        np.testing.assert_array_equal(model.network.buffers()[name], trainer.average.buffers[name])
        assert (array != trainer.average.buffers[name]).any()
    with trainer.at_rest():
        np.testing.assert_array_equal(outputs(model.network, blobs), outputs(trainer.network, blobs))
    assert (outputs(model.network, blobs) != latest).any()


def test_both_files_have_the_weights_of_each_other(blobs, small):
    trainer = ended(small.replace(**AVERAGED), blobs)
    models = [load_model(dump(trainer, network_only=only)) for only in (True, False)]
    for name, array in models[0].network.state_dict().items():
        np.testing.assert_array_equal(array, models[1].network.state_dict()[name])


def test_a_checkpoint_keeps_both_sets_of_weights(blobs, small):
    trainer = Trainer(small.replace(**AVERAGED), blobs)
    trainer.advance(steps=12)
    heir = restore(dump(trainer), blobs)
    np.testing.assert_array_equal(heir.network.vector.data, trainer.network.vector.data)
    np.testing.assert_array_equal(heir.average.values, trainer.average.values)
    assert (heir.average.values != heir.network.vector.data).any()


def test_without_averaging_there_is_nothing_to_keep(blobs, small):
    trainer = Trainer(small, blobs)
    assert Experiment().ema == 0
    assert "average.values" not in trainer.state_dict()[0]
    with trainer.at_rest():
        np.testing.assert_array_equal(trainer.network.vector.data, Trainer(small, blobs).network.vector.data)


def test_running_averages_are_as_old_as_the_weights(blobs, small):
    """a ← d a + (1 − d) r after every step, from the running averages r; evaluation computes with a."""
    trainer = Trainer(small.replace(**AVERAGED, normalization="batch"), blobs)
    expected = {name: array.copy() for name, array in trainer.network.buffers().items()}
    assert expected
    for step in range(1, 13):
        trainer.advance(steps=1)
        d = min(trainer.average.decay, (1 + step) / (10 + step))
        for name, array in trainer.network.buffers().items():
            expected[name] = d * expected[name] + (1 - d) * array
    latest = {name: array.copy() for name, array in trainer.network.buffers().items()}
    with trainer.at_rest():
        for name, array in trainer.network.buffers().items():
            np.testing.assert_allclose(array, expected[name], rtol=1e-4)
    for name, array in trainer.network.buffers().items():
        np.testing.assert_array_equal(array, latest[name])
    heir = restore(dump(trainer), blobs)
    for name, array in trainer.average.arrays().items():
        np.testing.assert_array_equal(heir.average.arrays()[name], array)


def test_an_older_checkpoint_begins_with_the_latest_running_averages(blobs, small):
    trainer = Trainer(small.replace(**AVERAGED, normalization="batch"), blobs)
    trainer.advance(steps=12)
    arrays, rest = trainer.state_dict()
    heir = Trainer(trainer.experiment, blobs)
    heir.load_state_dict({name: it for name, it in arrays.items() if not name.startswith("average.buffers")}, rest)
    np.testing.assert_array_equal(heir.average.values, trainer.average.values)
    for name, array in trainer.network.buffers().items():
        np.testing.assert_array_equal(heir.average.buffers[name], array)
