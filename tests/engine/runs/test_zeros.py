"""A frame counts the weights that an L1 decay has brought to 0."""

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.runs import frames
from engine.training.trainer import Trainer

SMALL = Experiment(data="digits", network="dense30 dense20", lr=0.01, steps=1_000)


@pytest.mark.parametrize(("l1", "low", "high"), [(0.0, 0.0, 0.05), (0.05, 0.8, 1.0)])
def test_zeros_are_counted_layer_by_layer(l1, low, high):
    trainer = Trainer(SMALL.replace(l1=l1))
    assert "zeros" not in frames.describe(trainer)[1]  # no layer has a name yet
    trainer.advance()
    header, arrays = frames.describe(trainer)
    assert arrays["zeros"].shape == (len(header["layers"]), 1) == (3, 1)
    weights = [it.data for it in trainer.network.parameters().values() if it.decays]
    whole = [np.mean(np.abs(weight) < 1e-3) for weight in weights]
    np.testing.assert_allclose(arrays["zeros"][:, 0], whole, atol=0.06)
    assert low <= arrays["zeros"].mean() <= high
