"""Moving averages: the sum of weights that the formula says, and what the correction makes of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.analysis.averages import moving_average, noisy_series, uncorrected_first_step
from engine.analysis.landscapes import LANDSCAPES, descend

SERIES = arrays(np.float64, st.integers(1, 30), elements=st.floats(-10, 10))


@given(series=SERIES, beta=st.floats(0, 0.99))
def test_it_is_the_weighted_sum(series, beta):
    averages = moving_average(series, beta)
    for t in range(1, len(series) + 1):
        weights = (1 - beta) * beta ** np.arange(t)
        assert averages[t - 1] == pytest.approx(weights @ series[t - 1 :: -1], abs=1e-9)
        assert weights.sum() == pytest.approx(1 - beta**t)


@given(value=st.floats(-10, 10), beta=st.floats(0, 0.99), n=st.integers(1, 50))
def test_of_a_constant_series_the_corrected_average_knows_it_at_once(value, beta, n):
    series = np.full(n, value)
    np.testing.assert_allclose(moving_average(series, beta, corrected=True), value, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moving_average(series, beta), value * (1 - beta ** np.arange(1, n + 1)), atol=1e-9)


def test_the_series_is_a_wave_and_the_seeds_noise():
    wave, series = noisy_series(80, 0.0, 3)
    np.testing.assert_array_equal(wave, series)
    one, other = noisy_series(80, 0.4, 3)[1], noisy_series(80, 0.4, 4)[1]
    assert (one != other).all()
    assert (one - wave).std() == pytest.approx(0.4, rel=0.3)


@given(beta1=st.floats(0, 0.99), beta2=st.floats(0, 0.9999))
def test_the_first_step_is_what_the_formula_says(beta1, beta2):
    """For any gradient: the engine's Adam, with correction and without."""
    kept = {"lr": 0.1, "steps": 1, "beta1": beta1, "beta2": beta2}
    plain, corrected = (
        np.abs(np.diff(descend(LANDSCAPES["ravine"], "adam", bias_correction=flag, **kept).points, axis=0)) / 0.1
        for flag in (False, True)
    )
    np.testing.assert_allclose(plain, uncorrected_first_step(beta1, beta2), rtol=1e-5)
    np.testing.assert_allclose(corrected, 1, rtol=1e-5)
