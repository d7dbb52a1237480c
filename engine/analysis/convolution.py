"""What does a convolution compute? The textbook's forms, which are also what the engine's fast layers are held against.

    y[n, h, w, f] = b[f] + Σ x[n, s·h + d·i − p, s·w + d·j − p, c] · W[i, j, c, f]    summed over i, j < k and over c

s the stride, p the padding with zeros, d the dilation (1 where nothing is said of it): the kernel W lies on a window of
the picture, every number under it is multiplied with the number above it, and the sum is one number of the output.
Strictly this is a cross-correlation; a convolution would turn the kernel by 180° first, which makes no difference where
the kernel is learned.

Pictures are (N, H, W, C) and kernels (k, k, C, F): height, width, input channels, filters. Floating-point inputs keep
their precision, whole numbers become float64. A window that does not fit raises `InputError`, which is a ValueError.

Source: LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998);
Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285;
『ゼロから作る Deep Learning』7.2–7.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import N_, InputError

# --- sizes ------------------------------------------------------------------------------------------------------------


def window_size(kernel: int, dilation: int = 1) -> int:
    """Return how many pixels a window spans along one axis where the kernel's numbers stand d apart: d(k − 1) + 1."""
    return dilation * (kernel - 1) + 1


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return on how many places a window lies along one axis: ⌊(size + 2p − d(k − 1) − 1) / s⌋ + 1.

    Raises `InputError` when the window does not fit.
    """
    reach = window_size(kernel, dilation)
    padded = size + 2 * padding
    if padded < reach:
        plain = N_(
            "A window of {window} × {window} does not fit into {padded} × {padded} cells: "
            "make the kernel smaller, or the input or its padding larger."
        )
        dilated = N_(
            "A window of {window} × {window} does not fit into {padded} × {padded} cells: "
            "make the kernel or its dilation smaller, or the input or its padding larger."
        )
        raise InputError(dilated if dilation > 1 else plain, window=reach, padded=padded)
    return (padded - reach) // stride + 1


def is_all_seen(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> bool:
    """Tell whether every cell along one axis, the padding's too, lies under the kernel at some place of the window."""
    places = range(output_size(size, kernel, stride, padding, dilation))
    return len({stride * place + dilation * i for place in places for i in range(kernel)}) == size + 2 * padding


def parameter_count(kernel: int, channels: int, filters: int) -> int:
    """Return how many numbers a convolution learns: k · k · C · F weights and F biases, whatever the picture's size."""
    return kernel * kernel * channels * filters + filters


def same_padding(kernel: int) -> int:
    """Return the padding that keeps a picture's size at stride 1: (k − 1) / 2. Raises ValueError for an even kernel."""
    padding, odd = divmod(kernel - 1, 2)
    if odd:
        raise ValueError(f"no equal padding on both sides keeps the size under a kernel of {kernel}")
    return padding


# --- convolution ------------------------------------------------------------------------------------------------------


def conv2d(x, weight, bias=None, stride: int = 1, padding: int = 0, dilation: int = 1) -> np.ndarray:
    """Return the convolution as one matrix product, im2col(x) · W + b: (N, H, W, C) → (N, H′, W′, F)."""
    x = _floating(x)
    kernel, filters = len(weight), weight.shape[-1]
    y = im2col(x, kernel, stride, padding, dilation) @ weight.reshape(-1, filters).astype(x.dtype, copy=False)
    if bias is not None:
        y += bias
    return y.reshape(*_output_shape(x.shape, kernel, stride, padding, dilation), filters)


def im2col(x, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> np.ndarray:
    """Return the matrix whose rows are the windows: (N, H, W, C) → (N·H′·W′, k·k·C).

    Rows in the order (n, h, w), columns in the order (i, j, c), as `weight.reshape(k·k·C, F)` has its rows.
    """
    x = pad(_floating(x), padding)
    shape = _output_shape(x.shape, kernel, stride, dilation=dilation)
    columns = np.empty((*shape, kernel, kernel, x.shape[-1]), x.dtype)
    for i, j, seen in _shifts(kernel, stride, *shape[1:], dilation):
        columns[:, :, :, i, j] = x[seen]
    return columns.reshape(np.prod(shape), -1)


def col2im(columns, shape: tuple[int, ...], kernel: int, stride: int = 1, padding: int = 0) -> np.ndarray:
    """Return a picture of `shape` (N, H, W, C): each number of the matrix goes back to its pixel, where all are added.

    The transpose of `im2col`, not its inverse: a pixel under m windows gets the sum of m numbers.
    """
    n, height, width, channels = shape
    x = np.zeros((n, height + 2 * padding, width + 2 * padding, channels), columns.dtype)
    out = _output_shape(shape, kernel, stride, padding)
    columns = columns.reshape(*out, kernel, kernel, channels)
    for i, j, seen in _shifts(kernel, stride, *out[1:]):
        x[seen] += columns[:, :, :, i, j]
    return x[:, padding : padding + height, padding : padding + width]


def pad(x: np.ndarray, padding: int) -> np.ndarray:
    """Return pictures with `padding` rows and columns of zeros on every side."""
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def _floating(x) -> np.ndarray:
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)


def _output_shape(
    shape: tuple[int, ...], kernel: int, stride: int, padding: int = 0, dilation: int = 1
) -> tuple[int, int, int]:
    """Return (N, H′, W′) for pictures of `shape` (N, H, W, C)."""
    n, height, width, _ = shape
    return n, *(output_size(size, kernel, stride, padding, dilation) for size in (height, width))


def _shifts(
    kernel: int, stride: int, out_h: int, out_w: int, dilation: int = 1
) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
    """Yield each place (i, j) of a window, with the index of the pixels that all windows see there."""
    for i, j in np.ndindex(kernel, kernel):
        starts = dilation * i, dilation * j
        down, right = (slice(a, a + stride * (n - 1) + 1, stride) for a, n in zip(starts, (out_h, out_w), strict=True))
        yield i, j, (slice(None), down, right)


# --- pooling ----------------------------------------------------------------------------------------------------------


def max_pool_loops(x, window: int, stride: int | None = None) -> np.ndarray:
    """Return the largest number of every window, channel by channel: (N, H, W, C) → (N, H′, W′, C). Slow."""
    return _pool(x, window, stride, np.max)


def avg_pool_loops(x, window: int, stride: int | None = None) -> np.ndarray:
    """Return the mean of every window, channel by channel: (N, H, W, C) → (N, H′, W′, C). Slow."""
    return _pool(x, window, stride, np.mean)


def _pool(x, window: int, stride: int | None, reduce: Callable) -> np.ndarray:
    x, stride = _floating(x), stride or window
    y = np.empty((*_output_shape(x.shape, window, stride), x.shape[-1]), x.dtype)
    for n, h, w in np.ndindex(y.shape[:3]):
        y[n, h, w] = reduce(x[n, stride * h : stride * h + window, stride * w : stride * w + window], axis=(0, 1))
    return y


def global_average(x) -> np.ndarray:
    """Return the mean of every channel, one window as large as the picture: (N, H, W, C) → (N, C)."""
    return _floating(x).mean(axis=(1, 2))


# --- kernels ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel with a name. numbers: k → its whole numbers (k, k), float64.

    Numbers that sum to 0 answer an even surface with 0; others are divided by their sum and leave it as it is.
    """

    title: str
    numbers: dict[int, np.ndarray]

    def divisor(self, size: int) -> int:
        """Return what the numbers are divided by."""
        return int(self.numbers[size].sum()) or 1


_BELL = {3: np.array([1.0, 2, 1]), 5: np.array([1.0, 4, 6, 4, 1])}  # binomial coefficients
_SLOPE = {3: np.array([-1.0, 0, 1]), 5: np.array([-1.0, -2, 0, 2, 1])}
_GAUSS = {k: np.outer(bell, bell) for k, bell in _BELL.items()}
_DOT = {k: np.outer(np.arange(k) == k // 2, np.arange(k) == k // 2).astype(np.float64) for k in (3, 5)}
_LAPLACE = {
    3: np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]),
    5: np.array([[0.0, 0, -1, 0, 0], [0, -1, -2, -1, 0], [-1, -2, 16, -2, -1], [0, -1, -2, -1, 0], [0, 0, -1, 0, 0]]),
}

KERNELS = {
    "identity": Kernel(N_("Identity: the picture itself"), _DOT),
    "laplace": Kernel(N_("Edges all around (Laplace)"), _LAPLACE),
    "sobel_x": Kernel(N_("Vertical edges (Sobel x)"), {k: np.outer(_BELL[k], _SLOPE[k]) for k in _BELL}),
    "sobel_y": Kernel(N_("Horizontal edges (Sobel y)"), {k: np.outer(_SLOPE[k], _BELL[k]) for k in _BELL}),
    "box": Kernel(N_("Blur (box)"), {k: np.ones((k, k)) for k in _BELL}),
    "gauss": Kernel(N_("Blur (Gauss)"), _GAUSS),
    "sharpen": Kernel(N_("Sharpen"), {3: _DOT[3] + _LAPLACE[3], 5: 2 * _GAUSS[5].sum() * _DOT[5] - _GAUSS[5]}),
    "emboss": Kernel(N_("Emboss: lit from one side"), {3: np.array([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]])}),
}


def plain_filters(kernel: int, channels: int, filters: int) -> np.ndarray:
    """Return up to three filters of −1, 0 and 1 of any size, alike on all channels: (k, k, C, F), float64.

    First the difference between right and left (vertical edges), then between bottom and top (horizontal edges), then
    the sum. A kernel of 1 has no sides: there all three are 1.
    """
    slope = np.sign(np.arange(kernel) - (kernel - 1) / 2) if kernel > 1 else np.ones(1)
    ones = np.ones(kernel)
    planes = [np.outer(ones, slope), np.outer(slope, ones), np.outer(ones, ones)][:filters]
    return np.repeat(np.stack(planes, axis=-1)[:, :, None], channels, axis=2)
