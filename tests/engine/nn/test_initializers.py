"""Initial weights: of the variance that the formula promises, orthogonal where promised, and alike from equal seeds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.nn import initializers as init

SEED = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(st.integers(30, 200), st.integers(30, 200)) | st.tuples(
    st.integers(1, 5), st.integers(1, 5), st.integers(10, 40), st.integers(30, 60)
)


def fans(shape):
    kernel = math.prod(shape[:-2])
    return kernel * shape[-2], kernel * shape[-1]


VARIANCES = {
    "gauss": (init.Gauss(0.3), lambda i, o: 0.09),
    "xavier_normal": (init.XavierNormal(), lambda i, o: 2 / (i + o)),
    "xavier_uniform": (init.XavierUniform(), lambda i, o: 2 / (i + o)),
    "he_normal": (init.HeNormal(), lambda i, o: 2 / i),
    "he_uniform": (init.HeUniform(), lambda i, o: 2 / i),
    "lecun_normal": (init.LecunNormal(), lambda i, o: 1 / i),
}


@pytest.mark.parametrize(("initializer", "variance"), VARIANCES.values(), ids=VARIANCES)
@given(shape=SHAPES, seed=SEED)
def test_mean_and_variance(initializer, variance, shape, seed):
    w = initializer(shape, rng=np.random.default_rng(seed))
    expected = variance(*fans(shape))
    assert w.shape == shape
    assert abs(w.mean()) < 6 * math.sqrt(expected / w.size)
    assert abs(w.var() / expected - 1) < 6 * math.sqrt(2 / w.size)  # a variance of n draws strays by √(2/n)


@pytest.mark.parametrize("name", ["xavier_uniform", "he_uniform"])
@given(shape=SHAPES, seed=SEED)
def test_uniform_weights_stay_within_their_bounds_and_reach_for_them(name, shape, seed):
    initializer, variance = VARIANCES[name]
    bound = math.sqrt(3 * variance(*fans(shape)))
    w = initializer(shape, rng=np.random.default_rng(seed))
    assert 0.95 * bound < np.abs(w).max() <= bound


@given(rows=st.integers(1, 40), columns=st.integers(1, 40), seed=SEED)
def test_orthogonal_weights_are_orthonormal_along_their_shorter_side(rows, columns, seed):
    w = init.Orthogonal()((rows, columns), rng=np.random.default_rng(seed))
    gram = w.T @ w if rows >= columns else w @ w.T
    assert w.shape == (rows, columns)
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), atol=1e-10)


def test_orthogonal_kernels_are_orthonormal_over_all_their_inputs():
    w = init.Orthogonal()((3, 3, 4, 8), rng=np.random.default_rng(0)).reshape(36, 8)
    np.testing.assert_allclose(w.T @ w, np.eye(8), atol=1e-10)


def test_orthogonal_draws_favour_no_sign():
    """Without the correction of signs a QR decomposition gives a diagonal that is almost always negative."""
    corners = [init.Orthogonal()((3, 3), rng=np.random.default_rng(seed))[0, 0] for seed in range(400)]
    assert abs(np.mean(np.array(corners) > 0) - 0.5) < 0.1


@given(shape=SHAPES, value=st.floats(-10, 10))
def test_constant_weights_are_constant(shape, value):
    rng = np.random.default_rng(0)
    assert (init.Constant(value)(shape, rng=rng) == value).all()
    assert not init.Zeros()(shape, rng=rng).any()


@pytest.mark.parametrize(
    "initializer", [*(case[0] for case in VARIANCES.values()), init.Orthogonal()], ids=[*VARIANCES, "orthogonal"]
)
def test_equal_seeds_draw_equal_weights(initializer):
    first, again, other = (initializer((20, 30), rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
