"""A data set may be cut to its first examples."""

import numpy as np

from engine.data.datasets import load


def test_head_takes_the_first_and_zero_means_all():
    data = load("digits")
    small = data.head(300, 50)
    assert (len(small.x_train), len(small.y_train), len(small.x_test), len(small.y_test)) == (300, 300, 50, 50)
    np.testing.assert_array_equal(small.x_train, data.x_train[:300])
    assert small.x_train.flags.c_contiguous
    assert np.shares_memory(small.x_train, data.x_train)
    assert len(data.head(test_size=5).x_train) == len(data.x_train)
    assert len(data.head(10**9).x_train) == len(data.x_train)
