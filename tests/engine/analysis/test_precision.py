"""Half precision is what 16 bits can hold, and double precision agrees with single."""

import numpy as np
import pytest

from engine.analysis.precision import PRECISIONS, compare, in_precision, round_to_half
from engine.experiment import Experiment
from engine.training import checkpoint
from engine.training.trainer import Trainer


@pytest.fixture(scope="module")
def model():
    """Return a small convolutional network with batch norm after a little training."""
    experiment = Experiment(
        network="conv6@5 pool2 conv8@3p1 dense20", normalization="batch", optimizer="adam", lr=0.01, steps=40
    )
    trainer = Trainer(experiment, probe_every=0)
    trainer.advance()
    return checkpoint.load_model(checkpoint.dump(trainer, network_only=True)), trainer.data


def test_all_precisions_agree_on_nearly_every_digit(model):
    model, data = model
    x = data.x_test[:300] * np.float32(data.scale)
    outputs = {name: in_precision(model, name).forward(x) for name in PRECISIONS}
    assert outputs["float64"].dtype == np.float64
    assert np.abs(outputs["float64"] - outputs["float32"]).max() < 1e-4
    difference = np.abs(outputs["float16"] - outputs["float32"]).max()
    assert 1e-4 < difference < 0.1, "rounded, but not beyond recognition"
    answers = {name: y.argmax(axis=1) for name, y in outputs.items()}
    assert (answers["float16"] == answers["float32"]).mean() >= 0.99
    assert (answers["float64"] == answers["float32"]).mean() >= 0.99


def test_half_precision_stores_nothing_that_16_bits_cannot_hold(model):
    model, data = model
    network = in_precision(model, "float16")
    seen = []
    network.register_forward_hook(lambda layer, y: seen.append((y == y.astype(np.float16)).all()))
    network.forward(data.x_test[:5] * np.float32(data.scale))
    assert len(seen) == len(network.layers)
    assert all(seen)
    assert (network.vector.data == network.vector.data.astype(np.float16)).all()


def test_the_model_itself_keeps_its_precision(model):
    model, _ = model
    before = model.network.vector.data.copy()
    in_precision(model, "float16")
    assert (model.network.vector.data == before).all()


def test_a_comparison_measures_each_precision(model):
    model, data = model
    rows, probabilities = compare(model, data.x_test[:200], data.y_test[:200])
    assert [row.precision for row in rows] == list(PRECISIONS)
    double, single, half = rows
    assert double.bytes == 2 * single.bytes == 4 * half.bytes == 8 * model.network.vector.data.size
    assert double.change == 0 < single.change < 1e-5 < half.change < 0.02
    assert single.accuracy == np.mean(probabilities.argmax(axis=1) == data.y_test[:200])
    assert np.allclose(probabilities, model.probabilities(data.x_test[:200]), atol=1e-6)


def test_what_16_bits_cannot_hold_becomes_infinite():
    numbers = np.array([1 + 2**-12, 70_000, -1e9, 1e-9], np.float32)
    round_to_half(numbers)
    assert numbers.tolist() == [1.0, np.inf, -np.inf, 0.0]


def test_an_unknown_precision_is_refused(model):
    with pytest.raises(ValueError, match="float64, float32, float16, not int8"):
        in_precision(model[0], "int8")
