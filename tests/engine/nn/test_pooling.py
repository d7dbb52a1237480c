"""Pooling: PyTorch's and the textbook's numbers, and every gradient kept whole, also among equals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import nn
from engine.analysis.convolution import avg_pool_loops, global_average, max_pool_loops
from tests.engine.differences import both_ways, relative
from tests.engine.nn import planes
from tests.engine.nn.test_conv import both_modes, pictures
from tests.engine.nn.test_layers import SEED, picture_batch, same
from tests.engine.textbook import max_pool_backward_loops

KINDS = pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])


@st.composite
def windows(draw, size=7):
    """Window, stride and a picture's shape (H, W, C), the smallest of a single window."""
    window, stride = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    height, width = (window + draw(st.integers(0, size)) for _ in range(2))
    return window, stride, (height, width, draw(st.integers(1, 5)))


def of_windows(kind, case, n, seed=0, dtype=np.float32):
    window, stride, shape = case
    return picture_batch(lambda: kind(window, stride), n, shape, seed, dtype)


# ----------------------------------------------------------------------------------------------------------- oracles


@KINDS
@both_modes
@given(case=windows(), n=st.integers(1, 4), seed=SEED)
def test_all_windows_and_strides_are_pytorchs(kind, training, case, n, seed):
    layer, x, dy = of_windows(kind, case, n, seed)
    y, dx, _ = planes.passes(planes.twin(layer), x, dy)
    layer.forward(-x, training=not training)
    same(layer.forward(x, training=training), y)
    same(layer.backward(dy), dx)


@KINDS
@given(case=windows(size=2), n=st.integers(1, 2), seed=SEED)
def test_gradients_agree_with_central_differences(kind, case, n, seed):
    layer, x, dy = of_windows(kind, case, n, seed, np.float64)
    for name, gradients in both_ways(layer, x.copy(), dy).items():
        assert relative(*gradients) <= 1e-6, name


@given(case=windows(size=4), n=st.integers(1, 3), seed=SEED)
def test_poolings_are_the_textbooks_loops(case, n, seed):
    window, stride, _ = case
    layer, x, dy = of_windows(nn.MaxPool2d, case, n, seed, np.float64)
    largest = max_pool_loops(pictures(x), window, stride)
    np.testing.assert_array_equal(pictures(layer.forward(x, training=True)), largest)
    dx = max_pool_backward_loops(pictures(x), pictures(dy), window, stride)
    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(pictures(layer.backward(dy)), dx, **close)
    mean = of_windows(nn.AvgPool2d, case, n, seed, np.float64)[0].forward(x, training=True)
    np.testing.assert_allclose(pictures(mean), avg_pool_loops(pictures(x), window, stride), **close)


@given(n=st.integers(1, 4), height=st.integers(1, 9), width=st.integers(1, 9), channels=st.integers(1, 5), seed=SEED)
def test_the_global_average_is_the_mean_of_every_channel(n, height, width, channels, seed):
    layer, x, dy = picture_batch(nn.GlobalAvgPool, n, (height, width, channels), seed, np.float64)
    y, dx, _ = planes.passes(planes.twin(layer), x, dy)
    mean = layer.forward(x, training=True)
    np.testing.assert_allclose(mean, global_average(pictures(x)), rtol=1e-12)
    np.testing.assert_allclose(mean, y, rtol=1e-12)
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-12)


# ------------------------------------------------------------------------------------------------------- the gradient


@pytest.mark.parametrize(
    "kind", [nn.MaxPool2d, nn.AvgPool2d, lambda window, stride: nn.GlobalAvgPool()], ids=["max", "average", "global"]
)
@given(case=windows(), n=st.integers(1, 4), seed=SEED)
def test_no_gradient_is_lost_and_none_made(kind, case, n, seed):
    """Each channel of each picture gets back the sum of what it was given."""
    layer, x, dy = of_windows(kind, case, n, seed, np.float64)
    layer.forward(x, training=True)
    given = dy.sum(axis=(0, 2)) if dy.ndim == 4 else dy.T
    np.testing.assert_allclose(layer.backward(dy).sum(axis=(0, 2)), given, rtol=1e-10, atol=1e-12)


@given(case=windows(), seed=SEED, colours=st.integers(1, 3), data=st.data())
def test_among_equals_one_gets_the_whole_gradient(case, seed, colours, data):
    window, stride, (height, width, channels) = case
    layer, _, dy = of_windows(nn.MaxPool2d, case, 1, seed)
    x = np.random.default_rng(seed).integers(0, colours, (height, channels, width, 1)).astype(np.float32)
    y = layer.forward(x, training=True)
    place = tuple(data.draw(st.integers(0, size - 1)) for size in dy.shape)
    one = np.zeros_like(dy)
    one[place] = 3
    dx = layer.backward(one)
    ((i, c, j, n),) = np.argwhere(dx)
    assert dx[i, c, j, n] == 3
    assert x[i, c, j, n] == y[place]
    assert (c, n) == (place[1], place[3])
    assert 0 <= i - stride * place[0] < window
    assert 0 <= j - stride * place[2] < window


@given(case=windows(), n=st.integers(1, 3))
def test_of_a_picture_of_one_colour_every_window_still_has_one_winner(case, n):
    window, stride, _ = case
    layer, x, dy = of_windows(nn.MaxPool2d, case, n)
    assert (layer.forward(np.zeros_like(x), training=True) == 0).all()
    dx = layer.backward(np.ones_like(dy))
    assert dx.sum() == dy.size
    if stride >= window:
        assert set(np.unique(dx)) <= {0, 1}


@given(case=windows(), seed=SEED)
def test_the_gradient_follows_the_latest_pictures(case, seed):
    """Nothing of an earlier batch's winners, nor of its gradient, is left over."""
    layer, x, dy = of_windows(nn.MaxPool2d, case, 3, seed)
    layer.forward(-x, training=True)
    layer.backward(dy)
    layer.forward(x, training=True)
    _, dx, _ = planes.passes(planes.twin(layer), x, dy)
    same(layer.backward(dy), dx)


@KINDS
@given(case=windows(), more=st.tuples(st.integers(0, 4), st.integers(0, 4)), seed=SEED)
def test_one_layer_takes_pictures_of_any_size_in_turn(kind, case, more, seed):
    window, stride, (height, width, channels) = case
    layer, x, dy = of_windows(kind, case, 2, seed)
    _, larger, of_larger = of_windows(kind, (window, stride, (height + more[0], width + more[1], channels)), 2, seed)
    for pictures_of_one_size, gradient in ((x, dy), (larger, of_larger), (x, dy)):
        y, dx, _ = planes.passes(planes.twin(layer), pictures_of_one_size, gradient)
        same(layer.forward(pictures_of_one_size, training=True), y)
        same(layer.backward(gradient), dx)


# ------------------------------------------------------------------------------------------------------------- shapes


@KINDS
@given(case=windows())
def test_pixels_that_fill_no_window_are_left_over(kind, case):
    window, stride, (height, width, channels) = case
    layer, _, _ = of_windows(kind, case, 1)
    counted = [len(range(0, size - window + 1, stride)) for size in (height, width)]
    assert layer.build((height, width, channels), rng=None) == (*counted, channels)


@KINDS
def test_a_stride_unless_named_is_the_window(kind):
    assert kind(3).stride == 3
    assert kind(3, 1).stride == 1


@KINDS
def test_a_window_larger_than_the_picture_is_refused(kind):
    with pytest.raises(ValueError, match="window of 3 does not fit into 2 pixels"):
        kind(3).build((5, 2, 1), rng=None)


def test_a_diverged_picture_stays_visible():
    """Not a number is larger than any: the loss must see it."""
    x = np.zeros((4, 1, 4, 1), np.float32)
    x[1, 0, 2] = np.nan
    y = nn.MaxPool2d(2).forward(x, training=True)
    np.testing.assert_array_equal(np.isnan(y[:, 0, :, 0]), [[False, True], [False, False]])
