"""Convolution: one small set of weights, a kernel, slides over the picture, and every place is weighed the same way.

Pictures travel between layers as planes (H, C, W, N): row by row, each row's channels, the batch innermost, so that
every operation runs over long stretches of memory. The textbook's im2col writes each pixel k² times, once for each
place in a window. Here only the k horizontal shifts are copied:

    shifted[h, j, c, o, n] = padded[h, c, stride·o + j, n]

The windows of output row y are then the k rows shifted[stride·y : stride·y + k], which lie in memory one after the
other: that row's im2col matrix is a view, the views of neighbouring rows overlap, and a convolution is one batched
matrix product. The gradient with respect to the input is such a convolution too, of the output's gradient with the
kernel turned by 180°. Tests hold it against loops and against im2col and col2im (engine/analysis/convolution.py).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine import aligned
from engine.nn.initializers import HeNormal, Initializer
from engine.nn.layer import Layer
from engine.nn.parameter import Parameter

FEW = 8  # pictures; of fewer, the matrix of one output row is so narrow that a product is mostly overhead
SHORT = 64  # numbers that a kernel weighs; so few take one product


def output_size(size: int, window: int, stride: int, padding: int = 0) -> int:
    """Return how often a window fits, ⌊(size + 2 padding − window) / stride⌋ + 1. Raises ValueError if it does not."""
    if size + 2 * padding < window:
        raise ValueError(f"a window of {window} does not fit into {size} pixels with a padding of {padding}")
    return (size + 2 * padding - window) // stride + 1


class ShiftedRows:
    """The im2col matrices of planes, one for each output row, as overlapping views of their shifted copies.

    A source pixel (i, j) stands at (offset + spacing·i, offset + spacing·j) of the padded picture, whose other pixels
    are zero; an output row or column begins every `stride` pixels of it.

    matrices: (out_h, k·k·C, out_w·N), rows in the order (ky, kx, c).
    """

    def __init__(self, source, out_h, out_w, *, kernel, stride=1, offset=0, spacing=1, dtype=np.float32) -> None:
        height, channels, width, n = source
        rows = stride * (out_h - 1) + kernel
        self._copies = []
        shifted = aligned.rows((rows, kernel, channels, out_w * n), dtype)
        row, _, channel, item = shifted.strides
        shape = (out_h, kernel * kernel * channels, out_w * n)
        self.matrices = as_strided(shifted, shape, (stride * row, channel, item))
        self._buffer = shifted.reshape(rows, kernel, channels, out_w, n, copy=False)
        # Which source rows i have a place in the buffer: 0 ≤ offset + spacing·i < rows.
        i = slice(max(0, -(offset // spacing)), min(height, (rows - 1 - offset) // spacing + 1))
        into = slice(offset + spacing * i.start, offset + spacing * (i.stop - 1) + 1, spacing)
        for shift in range(kernel):  # output column o sees source column j where stride·o + shift = offset + spacing·j
            pairs = [
                (o, (stride * o + shift - offset) // spacing)
                for o in range(out_w)
                if (stride * o + shift - offset) % spacing == 0 and 0 <= stride * o + shift - offset < spacing * width
            ]
            if pairs and i.stop > i.start:
                # stride = 1 or spacing = 1, so both columns advance evenly
                (o, j), (last_o, last_j) = pairs[0], pairs[-1]
                columns = slice(o, last_o + 1, spacing)
                self._copies.append(
                    (self._buffer[into, shift, :, columns], (i, slice(None), slice(j, last_j + 1, stride)))
                )

    def fill(self, planes: np.ndarray) -> np.ndarray:
        """Copy the planes (H, C, W, N) in and return `matrices`."""
        for target, place in self._copies:
            np.copyto(target, planes[place])
        return self.matrices


class WholeRows:
    """The im2col matrices of a few planes, of all output rows at once, for stride 1: there a product is never narrow.

    The shifted copies stand channel by channel, shifted[j, c, h, o, n]. What the kernel's row i sees then begins i rows
    further on in each, so k overlapping views are the matrices of the k products whose sum is the output. Kernels of
    one channel or two would multiply next to nothing: their rows are copied into one matrix, of one product.

    matrices: (k, k·C, out_h·out_w·N), rows in the order (kx, c), or (1, k·k·C, out_h·out_w·N).
    products: those of the matrices and their kernels, (k, F, out_h·out_w·N) or (1, F, out_h·out_w·N).
    y: the planes (out_h, F, out_w, N) in products[0]. They lie in memory filter by filter, as long stretches: so they
    are copied, compared and added to in the layers that follow.
    """

    def __init__(self, source: tuple[int, ...], filters: int, kernel: int, padding: int, *, dtype: np.dtype) -> None:
        height, channels, width, n = source
        out_h, out_w = (output_size(size, kernel, 1, padding) for size in (height, width))
        shifted = aligned.zeros((kernel, channels, height + 2 * padding, out_w, n), dtype)
        self._places: list[tuple[np.ndarray, slice]] = []  # where columns of the planes are copied to, and which
        for shift in range(kernel):  # output column o sees source column o + shift − padding
            first, last = max(0, padding - shift), min(out_w, width + padding - shift)
            if first < last:
                into = shifted[shift, :, padding : padding + height, first:last]
                self._places.append((into, slice(first + shift - padding, last + shift - padding)))
        _, channel, row, _, item = shifted.strides
        shape = (kernel, kernel * channels, out_h * out_w * n)
        self._views = self.matrices = as_strided(shifted, shape, (row, channel, item))
        if kernel * kernel * channels <= SHORT:
            self.matrices = aligned.zeros((1, kernel * kernel * channels, shape[-1]), dtype)
        self.products = aligned.zeros((len(self.matrices), filters, shape[-1]), dtype)
        self.y = self.products[0].reshape(filters, out_h, out_w, n).transpose(1, 0, 2, 3)

    def copies(self, planes: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what is to be copied, and whence, to have the planes (H, C, W, N) in `matrices`: pairs in order."""
        by_channels = planes.transpose(1, 0, 2, 3)
        result = [(into, by_channels[:, :, columns]) for into, columns in self._places]
        if self.matrices is not self._views:
            result.append((self.matrices.reshape(self._views.shape), self._views))
        return result


class Conv2d(Layer):
    """y[h, w, f] = b[f] + Σ x[s·h + i − p, s·w + j − p, c] · W[i, j, c, f], summed over the kernel's i, j and over c.

    s the stride, p the padding with zeros. Shape: (H, W, C) → (H′, W′, F), H′ = ⌊(H + 2p − k) / s⌋ + 1;
    W (k, k, C, F), b (F,), zero at first. Travels as planes (H, C, W, N).
    Source: LeCun et al. 1998;『ゼロから作る Deep Learning』7.2, 7.4.
    """

    def __init__(
        self,
        filters: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        initializer: Initializer | None = None,
        bias: bool = True,
    ) -> None:
        self.filters, self.kernel, self.stride, self.padding = filters, kernel, stride, padding
        self.initializer = initializer or HeNormal()
        self.weight: Parameter | None = None
        self.bias: Parameter | None = None
        self._has_bias = bias

    def build(self, in_shape, *, rng):
        if len(in_shape) != 3:
            raise ValueError(f"Conv2d takes pictures (H, W, C), not inputs of shape {in_shape}")
        height, width, channels = in_shape
        shape = (self.kernel, self.kernel, channels, self.filters)
        self.weight = Parameter(self.initializer(shape, rng=rng).astype(self.dtype), decays=True)
        if self._has_bias:
            self.bias = Parameter(np.zeros(self.filters, self.dtype), decays=False)
        return (self._size(height), self._size(width), self.filters)

    def parameters(self):
        return {"weight": self.weight} | ({"bias": self.bias} if self.bias else {})

    def forward(self, x, *, training):
        self._x_shape = height, _, width, n = x.shape
        if n < FEW and self.stride == 1 and not training:
            return self._forward_few(x)
        out_h, out_w = self._size(height), self._size(width)
        y = self.scratch("y", (out_h, self.filters, out_w, n))
        rows = y.reshape(out_h, self.filters, -1)
        self._rows = self._shifted("x", x.shape, out_h, out_w, stride=self.stride, offset=self.padding)
        weight = self._matrix(self.weight.data)
        kernels = self.scratch("kernels", weight.shape[::-1])  # each filter's numbers side by side: faster to read
        np.copyto(kernels, weight.T)
        self.products.by_columns(kernels, self._rows.fill(x), out=rows)
        self.add_bias(rows)
        return y

    def _forward_few(self, x: np.ndarray) -> np.ndarray:
        """Return the output (H′, F, W′, N) for few pictures in evaluation, see `WholeRows`."""
        whole, copies = self.made_of(x, self._whole)
        for into, source in copies:
            np.copyto(into, source)
        kernels = self.weight.data.reshape(*whole.matrices.shape[:2], self.filters).transpose(0, 2, 1)
        total, *others = self.products.by_columns(kernels, whole.matrices, out=whole.products)
        for other in others:
            np.add(total, other, out=total)
        self.add_bias(total)
        self._rows, self._x = None, x
        return whole.y

    def backward(self, dy):
        """∂L/∂W = Σ over rows of (im2col matrix) dyᵀ,  ∂L/∂b = Σ dy,  ∂L/∂x = (dy spread by s, padded) ∗ (W turned)."""
        out_h, filters, out_w, _ = dy.shape
        rows = dy.reshape(out_h, filters, -1)
        products = self.scratch("dW", (out_h, self.weight.data.size // filters, filters))
        if self._rows is None:
            self._rows = self._shifted("x", self._x_shape, out_h, out_w, stride=self.stride, offset=self.padding)
            self._rows.fill(self._x)
        self.products.by_rows(self._rows.matrices, rows.transpose(0, 2, 1), out=products)
        np.add.reduce(products, axis=0, out=self._matrix(self.weight.grad))
        self.fill_bias_gradient(rows)
        if not self.needs_input_grad:
            return None
        height, channels, width, _ = self._x_shape
        offset = self.kernel - 1 - self.padding
        gradient = self._shifted("dy", dy.shape, height, width, offset=offset, spacing=self.stride)
        turned = self.scratch("turned", (channels, self.kernel, self.kernel, filters))
        np.copyto(turned, self.weight.data[::-1, ::-1].transpose(2, 0, 1, 3))
        dx = self.scratch("dx", self._x_shape)
        rows = dx.reshape(height, channels, -1)
        self.products.by_columns(turned.reshape(channels, -1), gradient.fill(dy), out=rows)
        return dx

    def add_bias(self, rows: np.ndarray) -> None:
        """Add b, if there is one, to outputs (…, F, columns)."""
        if self.bias:
            np.add(rows, self.bias.data[:, None], out=rows)

    def fill_bias_gradient(self, rows: np.ndarray) -> None:
        """Sum the gradients of outputs (H, F, columns) over all but F, if there is a bias."""
        if self.bias:
            sums = self.scratch("db", rows.shape[:2])
            np.matmul(rows, self.ones(rows.shape[2]), out=sums)
            np.add.reduce(sums, axis=0, out=self.bias.grad)

    def _whole(self, x: np.ndarray) -> tuple[WholeRows, list[tuple[np.ndarray, np.ndarray]]]:
        """Return the matrices for planes of this shape, and what is to be copied to have x in them."""
        make = partial(WholeRows, x.shape, self.filters, self.kernel, self.padding, dtype=self.dtype)
        whole = self.kept(("whole", x.shape), make)
        return whole, whole.copies(x)

    def _matrix(self, weight: np.ndarray) -> np.ndarray:
        return weight.reshape(-1, self.filters)

    def _size(self, size: int) -> int:
        return output_size(size, self.kernel, self.stride, self.padding)

    def _shifted(self, name: str, source: tuple[int, ...], out_h: int, out_w: int, **places: int) -> ShiftedRows:
        make = partial(ShiftedRows, source, out_h, out_w, kernel=self.kernel, dtype=self.dtype, **places)
        return self.kept((name, source, out_h, out_w), make)

    def __repr__(self) -> str:
        more = f", stride={self.stride}" * (self.stride > 1) + f", padding={self.padding}" * (self.padding > 0)
        return f"Conv2d({self.filters}, {self.kernel}{more})"
