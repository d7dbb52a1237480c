"""The textbook's convolution: loops, im2col and PyTorch say the same, and col2im is what backpropagation needs."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.analysis.convolution import (
    KERNELS,
    avg_pool_loops,
    col2im,
    conv2d,
    global_average,
    im2col,
    is_all_seen,
    max_pool_loops,
    output_size,
    pad,
    parameter_count,
    plain_filters,
    same_padding,
)
from engine.errors import InputError
from tests.engine.differences import numerical_gradient
from tests.engine.textbook import conv2d_backward, conv2d_loops, max_pool_backward_loops


@st.composite
def layers(draw):
    """A convolution that is possible: x, weight, bias, stride, padding, of random numbers."""
    kernel, stride, padding = draw(st.integers(1, 5)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    least = max(1, kernel - 2 * padding)
    n, height, width = draw(st.integers(1, 3)), draw(st.integers(least, 9)), draw(st.integers(least, 9))
    channels, filters = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    x = rng.normal(size=(n, height, width, channels))
    return x, rng.normal(size=(kernel, kernel, channels, filters)), rng.normal(size=filters), stride, padding


@st.composite
def pools(draw):
    """A pooling that is possible: x of whole numbers, so that some windows hold the largest twice; window, stride."""
    window, stride = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    height, width = draw(st.integers(window, 9)), draw(st.integers(window, 9))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    x = rng.integers(-4, 5, (draw(st.integers(1, 3)), height, width, draw(st.integers(1, 3))))
    return x.astype(np.float64), window, stride


# --- sizes ------------------------------------------------------------------------------------------------------------


@given(
    size=st.integers(1, 20),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 5),
    padding=st.integers(0, 4),
    dilation=st.integers(1, 3),
)
def test_the_output_is_as_large_as_windows_can_be_counted(size, kernel, stride, padding, dilation):
    reach = dilation * (kernel - 1) + 1
    starts = [start for start in range(0, size + 2 * padding, stride) if start + reach <= size + 2 * padding]
    if starts:
        assert output_size(size, kernel, stride, padding, dilation) == len(starts)
        seen = np.zeros(size + 2 * padding, bool)
        for start in starts:
            seen[start : start + reach : dilation] = True
        assert is_all_seen(size, kernel, stride, padding, dilation) == seen.all()
    else:
        with pytest.raises(ValueError, match=rf"{reach} × {reach} does not fit into {size + 2 * padding} × "):
            output_size(size, kernel, stride, padding, dilation)


@pytest.mark.parametrize(
    ("arguments", "size"), [((28, 5), 24), ((24, 2, 2), 12), ((28, 3, 1, 1), 28), ((7, 3, 2), 3), ((7, 3, 1, 0, 2), 3)]
)
def test_published_output_sizes(arguments, size):
    assert output_size(*arguments) == size


def test_a_window_that_does_not_fit_is_one_sentence():
    with pytest.raises(InputError) as error:
        conv2d(np.zeros((1, 4, 9, 1)), np.zeros((5, 5, 1, 1)))
    assert str(error.value).startswith("A window of 5 × 5 does not fit into 4 × 4 cells: make the kernel smaller,")


@pytest.mark.parametrize(("dilation", "advice"), [(1, "the kernel smaller"), (2, "the kernel or its dilation smaller")])
def test_a_dilation_is_advised_against_only_where_there_is_one(dilation, advice):
    with pytest.raises(InputError, match=f"make {advice}, or the input or its padding larger"):
        output_size(4, 5, dilation=dilation)


@pytest.mark.parametrize("kernel", range(1, 8))
def test_same_padding_keeps_the_size(kernel):
    if kernel % 2:
        assert output_size(15, kernel, padding=same_padding(kernel)) == 15
    else:
        with pytest.raises(ValueError, match="no equal padding"):
            same_padding(kernel)


def test_parameters_are_counted():
    """30 filters of 5 × 5 on one channel: the first layer of『ゼロから作る Deep Learning』7.5."""
    assert parameter_count(5, 1, 30) == 780 == np.zeros((5, 5, 1, 30)).size + 30
    assert parameter_count(3, 16, 32) == np.zeros((3, 3, 16, 32)).size + 32


# --- convolution ------------------------------------------------------------------------------------------------------


def test_an_example_by_hand():
    """The example of『ゼロから作る Deep Learning』7.2.2; its first number is 1·2 + 3·1 + 1·1 + 2·2 + 3·1 + 1·2."""
    x = np.array([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])[None, :, :, None]
    weight = np.array([[2, 0, 1], [0, 1, 2], [1, 0, 2]])[:, :, None, None]
    expected = [[15, 16], [6, 15]]
    np.testing.assert_array_equal(conv2d_loops(x, weight)[0, :, :, 0], expected)
    np.testing.assert_array_equal(conv2d(x, weight, np.array([3]))[0, :, :, 0], np.add(expected, 3))


@given(layer=layers(), dtype=st.sampled_from([np.float32, np.float64]))
def test_im2col_is_the_loops(layer, dtype):
    x, weight, bias, stride, padding = layer
    x, weight, bias = (array.astype(dtype) for array in (x, weight, bias))
    slow, fast = conv2d_loops(x, weight, bias, stride, padding), conv2d(x, weight, bias, stride, padding)
    assert slow.dtype == fast.dtype == dtype
    np.testing.assert_allclose(fast, slow, atol=1e-4 if dtype is np.float32 else 1e-12)
    np.testing.assert_allclose(
        conv2d(x, weight, None, stride, padding), slow - bias, atol=1e-4 if dtype is np.float32 else 1e-12
    )


@given(layer=layers())
def test_every_row_is_a_window(layer):
    x, weight, _, stride, padding = layer
    kernel, channels = weight.shape[0], weight.shape[2]
    matrix, padded = im2col(x, kernel, stride, padding), pad(x, padding)
    places = [
        (n, h, w)
        for n in range(len(x))
        for h in range(0, padded.shape[1] - kernel + 1, stride)
        for w in range(0, padded.shape[2] - kernel + 1, stride)
    ]
    assert matrix.shape == (len(places), kernel * kernel * channels)
    for row, (n, h, w) in zip(matrix, places, strict=True):
        np.testing.assert_array_equal(row, padded[n, h : h + kernel, w : w + kernel].ravel())


@given(layer=layers())
def test_col2im_is_the_transpose_of_im2col(layer):
    """⟨im2col(x), m⟩ = ⟨x, col2im(m)⟩ for every x and m, which is what makes it the gradient."""
    x, weight, _, stride, padding = layer
    matrix = im2col(x, len(weight), stride, padding)
    other = np.random.default_rng(1).normal(size=matrix.shape)
    back = col2im(other, x.shape, len(weight), stride, padding)
    assert back.shape == x.shape
    assert (matrix * other).sum() == pytest.approx((x * back).sum(), abs=1e-9)


@given(layer=layers())
def test_col2im_multiplies_each_pixel_by_the_number_of_windows_over_it(layer):
    x, weight, _, stride, padding = layer
    arguments = (len(weight), stride, padding)
    count = col2im(np.ones_like(im2col(x, *arguments)), x.shape, *arguments)
    np.testing.assert_allclose(col2im(im2col(x, *arguments), x.shape, *arguments), count * x, atol=1e-12)


@given(layer=layers())
def test_backward_is_the_gradient(layer):
    x, weight, bias, stride, padding = layer
    x = x[:1, :5, :5]
    assume(min(x.shape[1:3]) + 2 * padding >= len(weight))
    dy = np.random.default_rng(2).normal(size=conv2d(x, weight, bias, stride, padding).shape)

    def loss() -> float:
        return float((conv2d_loops(x, weight, bias, stride, padding) * dy).sum())

    for array, gradient in zip((x, weight, bias), conv2d_backward(x, weight, dy, stride, padding), strict=True):
        assert gradient.shape == array.shape
        np.testing.assert_allclose(gradient, numerical_gradient(loss, array), atol=1e-7)


def test_whole_numbers_become_floating_and_inputs_stay_as_they_are():
    x = np.arange(32, dtype=np.uint8).reshape(1, 4, 4, 2)
    kept = x.copy()
    weight = np.ones((3, 3, 2, 1), np.float32)
    assert conv2d(x, weight, None, 1, 1).dtype == np.float64
    conv2d_backward(x, weight, np.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(x, kept)


@given(layer=layers())
def test_convolution_is_pytorchs(layer):
    torch = pytest.importorskip("torch")
    x, weight, bias, stride, padding = layer
    ours = conv2d(x, weight, bias, stride, padding)
    dy = np.random.default_rng(3).normal(size=ours.shape)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
    theirs = torch.nn.functional.conv2d(
        tensors[0].permute(0, 3, 1, 2), tensors[1].permute(3, 2, 0, 1).contiguous(), tensors[2], stride, padding
    ).permute(0, 2, 3, 1)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-12)
    theirs.backward(torch.from_numpy(dy))
    for gradient, tensor in zip(conv2d_backward(x, weight, dy, stride, padding), tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), atol=1e-11)


@given(layer=layers(), dilation=st.integers(2, 3))
def test_dilated_convolution_is_pytorchs(layer, dilation):
    torch = pytest.importorskip("torch")
    x, weight, bias, stride, _ = layer
    padding = dilation * len(weight)  # so that every kernel fits
    tensors = torch.tensor(x).permute(0, 3, 1, 2), torch.tensor(weight).permute(3, 2, 0, 1), torch.tensor(bias)
    theirs = torch.nn.functional.conv2d(*tensors, stride, padding, dilation).permute(0, 2, 3, 1)
    np.testing.assert_allclose(conv2d(x, weight, bias, stride, padding, dilation), theirs.numpy(), atol=1e-12)


@given(layer=layers())
def test_im2col_is_pytorchs_unfold(layer):
    torch = pytest.importorskip("torch")
    x, weight, _, stride, padding = layer
    kernel, channels = weight.shape[0], weight.shape[2]
    unfolded = torch.nn.functional.unfold(
        torch.from_numpy(x).permute(0, 3, 1, 2), kernel, padding=padding, stride=stride
    )  # (N, C·k·k, H′·W′), the channel outermost
    n, _, places = unfolded.shape
    theirs = unfolded.reshape(n, channels, kernel**2, places).permute(0, 3, 2, 1).reshape(n * places, -1)
    np.testing.assert_array_equal(im2col(x, kernel, stride, padding), theirs.numpy())


# --- pooling ----------------------------------------------------------------------------------------------------------


def test_pooling_by_hand():
    x = np.array([[1, 2, 1, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 4, 0, 1]])[None, :, :, None]
    np.testing.assert_array_equal(max_pool_loops(x, 2)[0, :, :, 0], [[2, 3], [4, 2]])
    np.testing.assert_array_equal(avg_pool_loops(x, 2)[0, :, :, 0], [[1, 1.5], [2.25, 1]])
    np.testing.assert_array_equal(global_average(x), [[23 / 16]])
    dx = max_pool_backward_loops(x, np.array([[5, 6], [7, 8]])[None, :, :, None], 2)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 5, 0, 0], [0, 0, 0, 6], [0, 0, 0, 8], [0, 7, 0, 0]])


@given(pool=pools(), dtype=st.sampled_from([np.float32, np.float64]))
def test_pooling_is_pytorchs(pool, dtype):
    torch = pytest.importorskip("torch")
    x, window, stride = pool
    x = x.astype(dtype)
    planes = torch.tensor(x, requires_grad=True)
    largest = torch.nn.functional.max_pool2d(planes.permute(0, 3, 1, 2), window, stride).permute(0, 2, 3, 1)
    mean = torch.nn.functional.avg_pool2d(planes.permute(0, 3, 1, 2), window, stride).permute(0, 2, 3, 1)
    ours = max_pool_loops(x, window, stride)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours, largest.detach().numpy())
    np.testing.assert_allclose(avg_pool_loops(x, window, stride), mean.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(
        global_average(x), torch.nn.functional.adaptive_avg_pool2d(planes.permute(0, 3, 1, 2), 1).detach()[:, :, 0, 0],
        atol=1e-5,
    )  # fmt: skip
    dy = np.random.default_rng(4).normal(size=ours.shape).astype(dtype)
    largest.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(max_pool_backward_loops(x, dy, window, stride), planes.grad.numpy(), atol=1e-5)


# --- kernels ----------------------------------------------------------------------------------------------------------

WEIGHTS = {
    (name, size): numbers / kernel.divisor(size)
    for name, kernel in KERNELS.items()
    for size, numbers in kernel.numbers.items()
}


@pytest.mark.parametrize(("name", "size"), WEIGHTS)
def test_an_even_surface_stays_or_becomes_zero(name, size):
    weight = WEIGHTS[name, size]
    assert weight.shape == (size, size)
    surface = conv2d(np.full((1, 7, 7, 1), 3.0), weight[:, :, None, None])
    edges = name in ("laplace", "sobel_x", "sobel_y")
    np.testing.assert_allclose(surface, 0 if edges else 3, atol=1e-12)


@pytest.mark.parametrize("size", [3, 5])
def test_what_the_kernels_are_made_of(size):
    weight = {name: WEIGHTS[name, it] for name, it in WEIGHTS if it == size}
    np.testing.assert_array_equal(weight["sobel_y"], weight["sobel_x"].T)
    np.testing.assert_array_equal(weight["sobel_x"], -weight["sobel_x"][:, ::-1])
    for name in ("identity", "laplace", "box", "gauss", "sharpen"):  # the same from all sides
        np.testing.assert_array_equal(weight[name], np.rot90(weight[name]))
    x = np.random.default_rng(5).normal(size=(1, 8, 8, 1))
    np.testing.assert_array_equal(
        conv2d(x, weight["identity"][:, :, None, None]), x[:, size // 2 : -(size // 2), size // 2 : -(size // 2)]
    )


def test_sobel_measures_a_slope():
    ramp = np.broadcast_to(np.arange(6.0)[:, None], (1, 6, 6, 1))  # rises by 1 from column to column
    np.testing.assert_array_equal(conv2d(ramp, WEIGHTS["sobel_x", 3][:, :, None, None]), np.full((1, 4, 4, 1), 8))
    np.testing.assert_array_equal(conv2d(ramp, WEIGHTS["sobel_y", 3][:, :, None, None]), np.zeros((1, 4, 4, 1)))


@pytest.mark.parametrize(("kernel", "channels", "filters"), [*itertools.product(range(1, 6), (1, 3), (1, 3))])
def test_plain_filters(kernel, channels, filters):
    weight = plain_filters(kernel, channels, filters)
    assert weight.shape == (kernel, kernel, channels, filters)
    assert set(np.unique(weight)) <= {-1, 0, 1}
    assert all(weight[..., f].any() for f in range(filters))
    if kernel > 1:
        assert not weight[..., :2].sum(axis=(0, 1)).any()  # differences: an even surface gives 0
    np.testing.assert_array_equal(weight[:, :, :1], weight[:, :, -1:])
