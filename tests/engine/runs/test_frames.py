"""What the live view is told of units, a convolution and a run before: outputs, kernels then and now, and curves."""

import numpy as np
import pytest

from engine.data import toy2d
from engine.experiment import Experiment
from engine.nn import Activation
from engine.runs import frames, protocol
from engine.training.trainer import Trainer, completed


@pytest.fixture
def trainer():
    return Trainer(Experiment(network="conv5@3 pool2 dense10", optimizer="adam", lr=0.01, steps=10), probe_every=0)


def test_filters_before_training_are_the_initial_ones(trainer):
    before = frames.filters(trainer)
    assert before["filters"].shape == (5, 3, 3)
    assert before["filters"].dtype == np.uint8
    assert (before["filters"] == before["filters_before"]).all()
    trainer.advance()
    after = frames.filters(trainer)
    assert (after["filters_before"] == before["filters_before"]).all()
    assert (after["filters"] != before["filters"]).any()


def test_a_filter_is_scaled_by_its_largest_weight(trainer):
    weights = trainer.network.layers[1].weight.data
    weights[:, :, 0, 0] = np.array([[0, 2, -4], [1, 0, 0], [0, 0, 0]])
    weights[:, :, 0, 1] = 0
    weights[:, :, 0, 2] = np.nan
    sent = frames.filters(trainer)
    picture = sent["filters"]
    np.testing.assert_array_equal(sent["filters_largest"][:3], [4, 0, np.nan])
    assert picture[0].tolist() == [[128, 192, 1], [160, 128, 128], [128, 128, 128]]
    assert (picture[1] == 128).all()
    assert (picture[2] == 128).all()


def test_the_bytes_of_a_filter_and_its_largest_weight_tell_its_weights(trainer):
    real = {"filters_before": trainer.network.layers[1].weight.data[:, :, 0].copy()}
    trainer.advance()
    real["filters"] = trainer.network.layers[1].weight.data[:, :, 0]
    _, arrays = protocol.decode(protocol.encode(*frames.describe(trainer)))
    for name, weights in real.items():
        largest = arrays[f"{name}_largest"]
        np.testing.assert_array_equal(largest, np.abs(weights).max(axis=(0, 1)))
        numbers = (arrays[name].astype(float) - 128) / 127 * largest[:, None, None]
        assert (np.abs(numbers - weights.transpose(2, 0, 1)) <= largest[:, None, None] * 1.001 / 254).all()


@pytest.mark.parametrize("network", ["dense10", "conv4@1 dense10", ""])
def test_other_networks_have_no_filters_to_look_at(network):
    assert frames.filters(Trainer(Experiment(network=network, steps=1))) == {}


def test_a_frame_of_a_convolutional_run_is_complete(trainer):
    trainer.advance(steps=3)
    measured, mistakes = completed(frames.measure(trainer))
    header, arrays = frames.describe(trainer)
    assert header["step"] == 3
    assert {"filters", "filters_before", "loss"} <= set(arrays)
    assert arrays["evaluated"][-1, 0] == 3
    assert set(mistakes) == {"confusion", "wrong", "wrong_labels", "wrong_confidence"}
    confusion = mistakes["confusion"]
    assert measured["test_accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum())


def test_the_curves_of_a_frame_are_a_small_frame_from_the_first_point_to_the_last():
    steps = np.arange(1000.0)
    header = {"step": 999, "seconds": 1.5, "batch": 10, "train_size": 50, "state": "paused", "layers": ["dense1"]}
    evaluated = np.column_stack([steps[:3]] + 4 * [steps[:3] / 3])
    arrays = {"loss": np.column_stack([steps, -steps, steps / 9]), "evaluated": evaluated, "plane": np.zeros((64, 64))}
    kept, curves = protocol.decode(frames.curves(protocol.encode(header, arrays)))
    assert kept == {"step": 999, "seconds": 1.5, "batch": 10, "train_size": 50}
    assert set(curves) == {"loss", "evaluated"}
    assert curves["loss"].shape == (frames.MAX_KEPT, 3)
    np.testing.assert_allclose(curves["loss"][[0, -1]], arrays["loss"][[0, -1]])
    assert (np.diff(curves["loss"][:, 0]) > 0).all()
    np.testing.assert_allclose(curves["evaluated"], evaluated)


def test_a_network_that_makes_no_mistake_is_measured_like_any_other():
    trainer = Trainer(Experiment(data="digits", network="", test_size=1))
    right = trainer.data.y_test[0]
    trainer.network.parameters()["output.bias"].data[right] = 100
    header, arrays = protocol.decode(protocol.encode(*completed(frames.measure(trainer))))
    assert header["test_accuracy"] == arrays["confusion"][right, right] == 1
    assert arrays["wrong"].shape == (0, 64)
    assert arrays["wrong_labels"].shape == (0, 2)


def test_there_are_curves_of_a_run_that_was_not_evaluated():
    header = {"step": 0, "seconds": 0.0, "batch": 10, "train_size": 50}
    none = {"loss": np.zeros((0, 3)), "evaluated": np.zeros((0, 5))}
    _, curves = protocol.decode(frames.curves(protocol.encode(header, none)))
    assert [curves[name].shape for name in ("loss", "evaluated")] == [(0, 3), (0, 5)]


def decoded(pictures: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers that some bytes stand for, and half a step of each picture's: a row for each."""
    low, high = limits[:, :1].astype(float), limits[:, 1:].astype(float)
    return low + pictures.reshape(len(pictures), -1) / 255 * (high - low), (high - low) / 510


def test_the_bytes_of_a_unit_and_its_limits_tell_its_outputs():
    spec = {"data": "toy2d", "network": "dense4 dense2", "activation": "tanh", "features": "x1 x2^2"}
    trainer = Trainer(Experiment(**spec, optimizer="adam", lr=0.01, steps=100))
    trainer.advance()
    hidden = []
    inputs = toy2d.features(frames.square(frames.RESPONSE), ("x1", "x2^2"))
    with trainer.network.register_forward_hook(lambda layer, y: isinstance(layer, Activation) and hidden.append(y.T)):
        outputs = trainer.network.forward(inputs, training=False)
    _, arrays = protocol.decode(protocol.encode(*frames.describe(trainer)))
    real = {"inputs": inputs.T, "responses": np.vstack(hidden), "outputs": outputs.T}
    for name, units in real.items():
        limits = arrays[f"{name}_limits"]
        np.testing.assert_array_equal(limits, np.column_stack([units.min(axis=1), units.max(axis=1)]))
        numbers, half = decoded(arrays[name], limits)
        assert (np.abs(numbers - units) <= half * 1.001).all()
    assert (np.abs(arrays["responses_limits"]) <= 1).all()
    chances = trainer.loss.probabilities(
        trainer.network.forward(toy2d.features(frames.square(toy2d.PLANE), ("x1", "x2^2")), training=False)
    )[:, 1]
    assert (np.abs(arrays["plane"].ravel() / 255 - chances) <= 1.001 / 510).all()


@pytest.mark.parametrize(("bias", "limits"), [(0.5, (0.5, 0.5)), (np.nan, (np.nan, np.nan))])
def test_a_unit_that_says_the_same_everywhere_has_one_number_and_no_picture(bias, limits):
    trainer = Trainer(Experiment(data="toy2d", network="dense2", activation="relu"))
    for parameter in trainer.network.parameters().values():
        parameter.data[:] = 0 if parameter.decays else bias
    _, arrays = frames.describe(trainer)
    assert (arrays["responses"] == 128).all()
    np.testing.assert_array_equal(arrays["responses_limits"], [limits, limits])


def test_a_network_without_hidden_units_has_no_limits_of_them():
    _, arrays = frames.describe(Trainer(Experiment(data="toy2d", network="")))
    assert arrays["responses_limits"].shape == (0, 2)
    assert arrays["outputs_limits"].shape == (2, 2)
