"""Toy sets: balanced, within their square, and of the shape that their names promise."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.data.toy2d import FEATURES, LIMIT, SHAPES, features, make


@settings(deadline=None)
@given(shape=st.sampled_from(list(SHAPES)), n=st.integers(2, 300), noise=st.floats(0, 0.5), seed=st.integers(0, 2**32))
def test_every_set_is_balanced_within_the_square_and_repeatable(shape, n, noise, seed):
    x, y = make(shape, n=n, noise=noise, rng=np.random.default_rng(seed))
    assert (x.dtype, x.shape, y.dtype, y.shape) == (np.float32, (n, 2), np.int64, (n,))
    assert np.abs(x).max() <= LIMIT
    assert y.sum() == n // 2
    again, _ = make(shape, n=n, noise=noise, rng=np.random.default_rng(seed))
    np.testing.assert_array_equal(x, again)


def clean(shape):
    x, y = make(shape, n=2000, noise=0.0, rng=np.random.default_rng(1))
    return x[:, 0], x[:, 1], np.hypot(*x.T), y


def test_circle_is_a_disc_in_a_ring():
    _, _, r, y = clean("circle")
    assert r[y == 1].max() <= 2.5
    assert r[y == 0].min() >= 3.5
    assert r[y == 0].max() <= 5.0 + 1e-6


def test_xor_is_the_sign_of_the_product():
    x1, x2, _, y = clean("xor")
    np.testing.assert_array_equal(x1 * x2 > 0, y == 1)
    assert min(np.abs(x1).min(), np.abs(x2).min()) >= 0.3
    quadrant = 2 * (x1 > 0) + (x2 > 0)
    assert np.bincount(quadrant).min() > 400


def test_gaussians_have_their_centres_and_spread_with_the_noise():
    for noise, spread in ((0.0, 0.5**0.5), (0.25, (0.5 + 14 / 16) ** 0.5)):
        x, y = make("gaussians", n=20_000, noise=noise, rng=np.random.default_rng(1))
        for label, centre in ((1, 2), (0, -2)):
            np.testing.assert_allclose(x[y == label].mean(axis=0), [centre, centre], atol=0.05)
            np.testing.assert_allclose(x[y == label].std(axis=0), spread, rtol=0.03)


def test_spiral_arms_are_each_other_turned_by_half_a_circle():
    x1, x2, r, y = clean("spiral")
    angle = 1.75 * 2 * np.pi * r / 5 + np.pi * (1 - y)
    np.testing.assert_allclose(x1, r * np.sin(angle), atol=1e-4)
    np.testing.assert_allclose(x2, r * np.cos(angle), atol=1e-4)


def test_moons_are_half_circles():
    x1, x2, _, y = clean("moons")
    x1, x2 = x1 * 0.3 + 0.5, x2 * 0.3 + 0.25
    np.testing.assert_allclose(np.hypot(x1 - y, x2 - 0.5 * y), 1, atol=1e-5)
    assert x2[y == 0].min() >= -1e-6
    assert x2[y == 1].max() <= 0.5 + 1e-6


@given(x=hnp.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(2)), elements=st.floats(-6, 6, width=32)))
def test_features_are_their_formulas(x):
    x1, x2 = x[:, 0], x[:, 1]
    expected = np.stack([x1, x2, x1**2, x2**2, x1 * x2, np.sin(x1), np.sin(x2)], axis=1)
    found = features(x, list(FEATURES))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(features(x, ["sinx2", "x1"]), found[:, [6, 0]])
