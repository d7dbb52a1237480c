"""What the last hidden layer makes of the test set, seen beside the training and without touching it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.runs import cloud, worker
from engine.runs.cloud import EXAMPLES, Cloud
from engine.training.trainer import Trainer

SMALL = Experiment(data="mnist-5k", network="dense12 dense9", steps=40, evaluate_every=20, train_size=500)
PICTURES = SMALL.replace(network="conv3@5 pool4 dense7")


def test_dropout_behind_the_output_does_not_make_that_hidden():
    """As in the book's deep network, ch08-deep-conv."""
    plain, dropping = (Trainer(SMALL.replace(network=f"dense12 dense9{rest}")) for rest in ("", " output drop.5"))
    for trainer in (plain, dropping):
        trainer.network.vector.data[:] = plain.network.vector.data
    seen = [Cloud(trainer) for trainer in (plain, dropping)]
    for look in seen:
        for _ in look.refresh():
            pass
    np.testing.assert_array_equal(seen[0].arrays["cloud"], seen[1].arrays["cloud"])


@pytest.mark.parametrize("experiment", [SMALL, PICTURES, SMALL.replace(dropout=0.5, normalization="batch")])
def test_it_shows_the_outputs_of_the_last_hidden_layer(experiment):
    trainer = Trainer(experiment)
    trainer.advance(steps=20)
    seen = Cloud(trainer)
    for _ in seen.refresh():
        pass
    data, hidden = trainer.data, []
    x = np.multiply(data.x_test[:EXAMPLES], data.scale, dtype=np.float32)
    with trainer.network.register_forward_hook(lambda layer, y: hidden.append(y.copy())):
        outputs = trainer.network.forward(x)
    points = hidden[-2] - hidden[-2].mean(axis=0)
    x1, x2, right, predicted = seen.arrays["cloud"].T
    np.testing.assert_allclose(np.column_stack([x1, x2]), points @ seen._plane.axes, atol=1e-4)
    assert seen.share == pytest.approx(np.sum(np.square([x1, x2])) / np.sum(np.square(points)), rel=1e-4)
    np.testing.assert_array_equal(right, data.y_test[:EXAMPLES])
    np.testing.assert_array_equal(predicted, outputs.argmax(axis=1))


@pytest.mark.parametrize(
    ("network", "layer", "units"),
    [
        ("dense12 dense9", "dense2", 9),
        ("conv3@5 pool4 dense7", "dense1", 7),
        ("conv2@5 gap", "gap", 2),
        ("dense12 drop.5 output drop.5", "dense1", 12),
    ],
)
def test_the_layer_is_named(network, layer, units):
    seen = Cloud(Trainer(SMALL.replace(network=network, dropout=0.1)))
    assert (seen.layer, seen.units) == (layer, units)


@pytest.mark.parametrize(
    "experiment",
    [
        SMALL.replace(network=""),
        SMALL.replace(network="conv32@3p1"),
        Experiment(data="toy2d", network="dense8"),
        Experiment(data="toy2d", network=""),
    ],
)
def test_there_are_runs_without_one(experiment):
    trainer = Trainer(experiment)
    seen = Cloud(trainer)
    assert seen.layer == ""
    for _ in range(2):
        seen.look()
        assert list(seen.refresh()) == []
        assert seen.arrays == {}


def test_pictures_are_seen_piece_by_piece_and_rarely(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(cloud.time, "monotonic", lambda: now[0])
    trainer = Trainer(PICTURES)
    seen, predict = Cloud(trainer), cloud.metrics.predict

    def takes_a_second(network, x, scale):
        now[0] += 1
        return predict(network, x, scale)

    monkeypatch.setattr(cloud.metrics, "predict", takes_a_second)
    times = []
    while not seen.arrays:
        before = now[0]
        seen.look()
        if now[0] > before:
            times.append(before)
        now[0] += 10
    assert len(times) == EXAMPLES // 50
    assert np.diff(times).min() >= cloud.RARELY


def test_looking_changes_nothing():
    alone, seen = (Trainer(SMALL.replace(dropout=0.3, normalization="batch")) for _ in range(2))
    look = Cloud(seen)
    while seen.advance(steps=1):
        for _ in look.refresh():
            pass
    alone.advance()
    np.testing.assert_array_equal(alone.network.vector.data, seen.network.vector.data)
    assert alone.history.curves() | {"seconds": 0} == seen.history.curves() | {"seconds": 0}


def test_what_is_not_finite_is_not_shown():
    trainer = Trainer(SMALL)
    seen = Cloud(trainer)
    for weight, shown in ((1.0, {"cloud"}), (np.nan, set()), (1.0, {"cloud"})):
        trainer.network.vector.data[:] = weight
        for _ in seen.refresh():
            pass
        assert set(seen.arrays) == shown


@pytest.mark.filterwarnings("error")
def test_numbers_as_large_as_they_can_be_stop_no_run():
    # The running statistics of batch normalization are still those of the first step: each layer enlarges.
    trainer = Trainer(SMALL.replace(network=" ".join(["dense8"] * 39), normalization="batch"))
    trainer.advance(steps=1)
    seen = Cloud(trainer)
    for size in (1, 1e10, 1e20, 1e30, 1e38, 1):
        trainer.network.layers[-4].weight.data[:] = size
        for _ in seen.refresh():
            pass
        assert 0 <= seen.share <= 1
        assert all(np.isfinite(array).all() for array in seen.arrays.values())
    assert seen.arrays


def test_a_run_at_rest_shows_what_it_has_become():
    job = worker.Job("a", worker.Group(), Trainer(SMALL), speed=0, running=True)
    while job.running:
        job.turn()
    job.rest()
    while job.measuring:
        job.turn()
    seen = Cloud(job.trainer)
    for _ in seen.refresh():
        pass
    np.testing.assert_array_equal(job.cloud.arrays["cloud"][:, 3], seen.arrays["cloud"][:, 3])
