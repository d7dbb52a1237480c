"""Convolution: the fast rows against loops, against im2col and col2im, against PyTorch and against the loss itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import nn
from engine.analysis.convolution import conv2d, im2col
from engine.nn.conv import FEW, ShiftedRows, output_size
from tests.engine.differences import both_ways, relative
from tests.engine.nn import planes
from tests.engine.nn.test_layers import SEED, built, same
from tests.engine.textbook import conv2d_backward, conv2d_loops


@st.composite
def convolutions(draw, size=8, most=FEW + 2, dtype=np.float32):
    """A built layer with planes and a gradient of its output, both read-only. The smallest picture is one window."""
    kernel, stride = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    padding = draw(st.integers(0, kernel - 1))
    side = st.integers(0, size).map(lambda more: max(1, kernel - 2 * padding) + more)
    height, width, channels, filters = draw(side), draw(side), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    n, bias, seed = draw(st.integers(1, most)), draw(st.booleans()), draw(SEED)

    def make():
        return nn.Conv2d(filters, kernel, stride=stride, padding=padding, bias=bias)

    layer, (out_height, out_width, out_channels) = built(make, (height, width, channels), dtype, seed)
    rng = np.random.default_rng(seed)
    arrays = [
        rng.normal(size=shape).astype(dtype)
        for shape in ((height, channels, width, n), (out_height, out_channels, out_width, n))
    ]
    for array in arrays:
        array.setflags(write=False)
    return layer, *arrays


both_modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def pictures(array):
    """Return planes (H, C, W, N) as the textbook's pictures (N, H, W, C)."""
    return array.transpose(3, 0, 2, 1)


# ----------------------------------------------------------------------------------------------------------- oracles


@both_modes
@given(case=convolutions())
def test_all_shapes_kernels_strides_and_paddings_are_pytorchs(training, case):
    layer, x, dy = case
    y, dx, gradients = planes.passes(planes.twin(layer), x, dy)
    same(layer.forward(x, training=training), y)
    same(layer.backward(dy), dx)
    for parameter, gradient in zip(layer.parameters().values(), gradients, strict=True):
        same(parameter.grad, gradient)


@both_modes
@given(case=convolutions(size=2, most=2, dtype=np.float64))
def test_gradients_agree_with_central_differences(training, case):
    layer, x, dy = case
    for name, gradients in both_ways(layer, x.copy(), dy, training=training).items():
        assert relative(*gradients) <= 1e-6, name


@both_modes
@given(case=convolutions(size=3, most=3, dtype=np.float64))
def test_forward_is_the_textbooks_loops(training, case):
    layer, x, _ = case
    bias = layer.bias.data if layer.bias else None
    expected = conv2d_loops(pictures(x), layer.weight.data, bias, layer.stride, layer.padding)
    np.testing.assert_allclose(pictures(layer.forward(x, training=training)), expected, rtol=1e-11, atol=1e-11)


@given(case=convolutions(dtype=np.float64))
def test_both_passes_are_im2col_and_col2im(case):
    layer, x, dy = case
    places = layer.stride, layer.padding
    y = conv2d(pictures(x), layer.weight.data, layer.bias.data if layer.bias else None, *places)
    dx, dweight, dbias = conv2d_backward(pictures(x), layer.weight.data, pictures(dy), *places)
    close = {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(pictures(layer.forward(x, training=True)), y, **close)
    np.testing.assert_allclose(pictures(layer.backward(dy)), dx, **close)
    np.testing.assert_allclose(layer.weight.grad, dweight, **close)
    if layer.bias:
        np.testing.assert_allclose(layer.bias.grad, dbias, **close)


@given(case=convolutions())
def test_the_rows_are_im2cols_matrix_and_never_written_twice(case):
    """A pixel is copied once for each horizontal shift, k times at most, where im2col writes it k² times."""
    layer, x, dy = case
    (out_h, _, out_w, n), channels, kernel = dy.shape, x.shape[1], layer.kernel
    rows = ShiftedRows(x.shape, out_h, out_w, kernel=kernel, stride=layer.stride, offset=layer.padding)
    matrices = rows.fill(x)
    columns = im2col(pictures(x), kernel, layer.stride, layer.padding)
    columns = columns.reshape(n, out_h, out_w, -1).transpose(1, 3, 2, 0)
    np.testing.assert_array_equal(matrices, columns.reshape(matrices.shape))
    np.testing.assert_array_equal(rows.fill(2 * x), 2 * columns.reshape(matrices.shape))
    assert np.shares_memory(matrices, rows._buffer)
    assert rows._buffer.size == (layer.stride * (out_h - 1) + kernel) * kernel * channels * out_w * n


# ----------------------------------------------------------------------------------------------------- by themselves


@given(filters=st.integers(1, 5), n=st.integers(1, 4), side=st.integers(1, 5), channels=st.integers(1, 4), seed=SEED)
def test_a_kernel_as_large_as_the_picture_is_a_fully_connected_layer(filters, n, side, channels, seed):
    layer, _ = built(lambda: nn.Conv2d(filters, side), (side, side, channels), np.float64, seed)
    x = np.random.default_rng(seed).normal(size=(side, channels, side, n))
    expected = pictures(x).reshape(n, -1) @ layer.weight.data.reshape(-1, filters) + layer.bias.data
    np.testing.assert_allclose(layer.forward(x, training=True).reshape(filters, n).T, expected, rtol=1e-10, atol=1e-12)


@both_modes
@given(case=convolutions(), more=st.tuples(st.integers(0, 4), st.integers(0, 4)), seed=SEED)
def test_one_layer_takes_pictures_of_any_size_in_turn(training, case, more, seed):
    layer, x, dy = case
    height, channels, width, n = x.shape
    rng = np.random.default_rng(seed)
    larger = rng.normal(size=(height + more[0], channels, width + more[1], n)).astype(np.float32)
    before = layer.forward(x, training=training).copy(), layer.backward(dy).copy()
    y = layer.forward(larger, training=training)
    of_larger = rng.normal(size=y.shape).astype(np.float32)
    theirs, dx, _ = planes.passes(planes.twin(layer), larger, of_larger)
    same(y, theirs)
    same(layer.backward(of_larger), dx)
    np.testing.assert_array_equal(layer.forward(x, training=training), before[0])
    np.testing.assert_array_equal(layer.backward(dy), before[1])


@pytest.mark.parametrize("n", [1, FEW - 1, FEW])
def test_evaluation_in_between_leaves_no_trace(n):
    """A step's gradient is that of its own forward pass, also where another kernel computes the evaluation."""
    layer, _ = built(lambda: nn.Conv2d(3, 3, padding=1), (6, 5, 2))
    x = np.random.default_rng(0).normal(size=(2, 6, 2, 5, n)).astype(np.float32)
    dy = np.ones((6, 3, 5, n), np.float32)
    layer.forward(x[0], training=True)
    layer.backward(dy)
    expected = layer.weight.grad.copy()
    layer.forward(x[1], training=False)
    layer.backward(dy)
    assert (layer.weight.grad != expected).any()
    layer.forward(x[0], training=True)
    layer.backward(dy)
    np.testing.assert_array_equal(layer.weight.grad, expected)


def test_the_first_convolution_does_not_compute_what_nobody_needs():
    layer, _ = built(lambda: nn.Conv2d(2, 3), (6, 5, 1))
    layer.needs_input_grad = False
    y = layer.forward(np.ones((6, 1, 5, 2), np.float32), training=True)
    assert layer.backward(np.ones_like(y)) is None
    assert layer.weight.grad.all()
    assert not any("dx" in name for name, _ in layer.workspace.arrays)


def test_weights_decay_and_biases_do_not():
    layer, _ = built(lambda: nn.Conv2d(4, 3), (6, 6, 2))
    assert {name: (p.data.shape, p.decays) for name, p in layer.parameters().items()} == {
        "weight": ((3, 3, 2, 4), True), "bias": ((4,), False),
    }  # fmt: skip


def test_weights_are_drawn_for_a_fan_in_of_the_whole_window():
    """He: the variance of a weight is 2 / (k k C)."""
    layer = nn.Conv2d(200, 5)
    layer.build((8, 8, 10), rng=np.random.default_rng(0))
    assert layer.weight.data.var() == pytest.approx(2 / 250, rel=0.02)
    assert not layer.bias.data.any()


# ------------------------------------------------------------------------------------------------------------- sizes


@given(size=st.integers(1, 30), window=st.integers(1, 11), stride=st.integers(1, 8), padding=st.integers(0, 10))
def test_the_output_is_as_large_as_windows_can_be_counted(size, window, stride, padding):
    starts = range(0, size + 2 * padding - window + 1, stride)
    if starts:
        assert output_size(size, window, stride, padding) == len(starts)
    else:
        with pytest.raises(ValueError, match=f"a window of {window} does not fit into {size} pixels with a padding"):
            output_size(size, window, stride, padding)


@pytest.mark.parametrize(("shape", "reason"), [((4, 9, 1), "window of 5"), ((9, 4, 1), "window of 5"), ((9,), "(9,)")])
def test_what_cannot_be_convolved_is_refused(shape, reason):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        built(lambda: nn.Conv2d(2, 5), shape)
    assert reason in str(caught.value)
