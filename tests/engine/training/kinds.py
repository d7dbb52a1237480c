"""Runs of every kind, and what it means that two are the same."""

import numpy as np

from engine.training.trainer import Trainer

OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
KINDS = {
    **{name: {"optimizer": name, "lr": 0.01} for name in OPTIMIZERS},
    "dropout": {"dropout": 0.3},
    "drop token": {"network": "dense12 drop.4 dense8"},
    "batch norm": {"normalization": "batch"},
    "layer norm": {"normalization": "layer"},
    "replacement": {"sampling": "replacement"},
    "scheduled": {"schedule": "one_cycle", "warmup": 7},
    "decay": {"l2": 0.01, "l1": 0.001, "optimizer": "momentum"},
    "squared error": {"loss": "squared_error", "lr": 0.01},
    "everything": {"optimizer": "adam", "lr": 0.01, "dropout": 0.2, "normalization": "batch", "schedule": "cosine"},
}


def ended(experiment, data, **settings):
    trainer = Trainer(experiment, data, **settings)
    trainer.advance()
    return trainer


def same_run(a, b):
    """Assert that two trainers hold the same weights and curves, to the last bit; times aside."""
    np.testing.assert_array_equal(a.network.vector.data, b.network.vector.data)
    for name, array in a.network.buffers().items():
        np.testing.assert_array_equal(array, b.network.buffers()[name])
    np.testing.assert_array_equal(a.history.evaluated.rows(), b.history.evaluated.rows())
    np.testing.assert_array_equal(a.history.loss.rows()[:, :2], b.history.loss.rows()[:, :2])
    assert list(a.history.layers) == list(b.history.layers)
    for name, series in a.history.layers.items():
        np.testing.assert_array_equal(series.rows(), b.history.layers[name].rows())
    assert (a.step, a.finished) == (b.step, b.finished)
