"""Equal units stay equal, to the last digit; random ones do not."""

import numpy as np
import pytest

from engine.analysis.symmetry import difference, unit_differences
from engine.experiment import Experiment

SMALL = Experiment(data="toy2d", shape="circle", network="dense5 dense7 drop.5 dense3", lr=0.1, batch_size=10)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "gelu"])
@pytest.mark.parametrize(("initializer", "sigma"), [("constant", 0.5), ("constant", -0.0), ("zeros", 0.01)])
def test_units_that_start_equal_stay_equal(activation, initializer, sigma):
    # Dropout would tell them apart: it takes some away.
    experiment = SMALL.replace(
        network="dense5 dense7 dense3", activation=activation, initializer=initializer, sigma=sigma
    )
    assert unit_differences(experiment, 300) == {"dense1": 0.0, "dense2": 0.0, "dense3": 0.0}


def test_random_units_differ():
    found = unit_differences(SMALL.replace(initializer="gauss", sigma=0.5), 50)
    assert list(found) == ["dense1", "dense2", "dense3"]
    assert min(found.values()) > 0.5


def test_dropout_breaks_the_symmetry():
    found = unit_differences(SMALL.replace(initializer="constant", sigma=0.5, activation="tanh"), 200)
    assert max(found.values()) > 0


def test_the_difference_is_relative_to_the_largest_weight():
    assert difference(np.array([[1.0, 1.0], [-4.0, -2.0]])) == 0.5
    assert difference(np.zeros((3, 2))) == 0.0
