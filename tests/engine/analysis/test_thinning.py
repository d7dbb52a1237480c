"""Masks keep their share, and the scale keeps the mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import thinning
from engine.errors import InputError


@pytest.mark.parametrize("rate", [0.0, 0.15, 0.5, 0.9])
def test_masks_keep_their_share(rate):
    masks = thinning.masks((100, 50), rate, 400, seed=1)
    assert masks.shape == (400, 150)
    assert masks.mean() == pytest.approx(1 - rate, abs=0.01)
    assert len({mask.tobytes() for mask in masks}) == (400 if rate else 1)


@given(low=st.floats(0, 0.95), high=st.floats(0, 0.95), seed=st.integers(0, 20))
def test_a_higher_rate_keeps_a_part_of_what_a_lower_one_keeps(low, high, seed):
    low, high = sorted((low, high))
    few, many = (thinning.masks((8, 8), rate, 5, seed=seed) for rate in (high, low))
    assert (few <= many).all()


def test_the_scale_keeps_the_mean():
    rng = np.random.default_rng(0)
    outputs, weights = rng.random(60), rng.normal(0.1, 0.2, 60)
    found = thinning.received(outputs, weights, 0.4, 20_000)
    assert found.full == pytest.approx(outputs @ weights)
    assert found.scaled.mean() == pytest.approx(found.full, abs=0.03)
    assert found.plain.mean() == pytest.approx(0.6 * found.full, abs=0.03)
    expected = 0.4 / 0.6 * ((outputs * weights) ** 2).sum()  # Var[m x / (1 − p)] = p / (1 − p) · x²
    assert found.scaled.var() == pytest.approx(expected, rel=0.05)


def test_the_example_is_of_a_layer_that_passes_something_on():
    outputs, weights = thinning.layer(60, seed=3)
    assert outputs.shape == weights.shape == (60,)
    assert (outputs >= 0).all()
    assert outputs @ weights > 0
    np.testing.assert_array_equal(thinning.layer(60, seed=3), (outputs, weights))
    assert not np.array_equal(thinning.layer(60, seed=4)[0], outputs)


def test_scale_and_number_of_networks():
    assert thinning.scale(0) == 1
    assert thinning.scale(0.5) == 2
    assert thinning.networks(16) == 65_536


@pytest.mark.parametrize("rate", [-0.1, 0.96, 1.0, float("nan")])
def test_an_impossible_rate_is_refused(rate):
    for call in (lambda: thinning.scale(rate), lambda: thinning.masks((3,), rate, 2)):
        with pytest.raises(InputError, match=r"dropout must be 0 … 0.95, not"):
            call()
