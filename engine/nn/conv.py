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
        self._buffer = aligned.zeros((rows, kernel, channels, out_w, n), dtype)
        row, item = self._buffer.strides[0], self._buffer.itemsize
        self.matrices = as_strided(
            self._buffer,
            (out_h, kernel * kernel * channels, out_w * n),
            (stride * row, out_w * n * item, item),
        )
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


class OneMatrix:
    """The im2col matrix of a few planes, of all output rows at once, for stride 1.

    Its row (ky, kx, c) is one stretch of the padded picture's channel c, from pixel (ky, kx) on. So at the end of each
    output row stand kernel − 1 windows that reach around into the next one: they are computed, and left out by `rows`.
    """

    def __init__(self, source: tuple[int, ...], kernel: int, padding: int, *, dtype: np.dtype) -> None:
        height, channels, width, n = source
        self._out_h, self._out_w = (output_size(size, kernel, 1, padding) for size in (height, width))
        self._row = (width + 2 * padding) * n  # numbers in a row of the padded picture
        padded = aligned.zeros((channels, height + 2 * padding + 1, self._row), dtype)  # the last window ends beyond
        self._inside = padded[:, padding : padding + height, padding * n : (padding + width) * n]
        item, (channel, row, _) = padded.itemsize, padded.strides
        stretch = self._out_h * self._row
        self._windows = as_strided(padded, (kernel, kernel, channels, stretch), (row, n * item, channel, item))
        self._copy = aligned.zeros(self._windows.shape, dtype)
        self.matrix = self._copy.reshape(-1, stretch)
        self._n = n

    def fill(self, planes: np.ndarray) -> np.ndarray:
        """Copy the planes (H, C, W, N) in and return `matrix`."""
        height, channels, _, _ = planes.shape
        np.copyto(self._inside, planes.reshape(height, channels, -1).transpose(1, 0, 2))
        np.copyto(self._copy, self._windows)
        return self.matrix

    def rows(self, product: np.ndarray) -> np.ndarray:
        """Return what belongs to the output, (out_h, F, out_w·N), of a product (F, columns) with the matrix."""
        return product.reshape(len(product), self._out_h, -1)[:, :, : self._out_w * self._n].transpose(1, 0, 2)


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
        out_h, out_w = self._size(height), self._size(width)
        y = self.scratch("y", (out_h, self.filters, out_w, n))
        rows = y.reshape(out_h, self.filters, -1)
        kernels = self._matrix(self.weight.data).T
        if n < FEW and self.stride == 1 and not training:
            one = self.kept(("one", x.shape), partial(OneMatrix, x.shape, self.kernel, self.padding, dtype=self.dtype))
            product = self.scratch("product", (self.filters, one.matrix.shape[1]))
            np.matmul(kernels, one.fill(x), out=product)
            self.add_bias(product)
            np.copyto(rows, one.rows(product))
            self._rows, self._x = None, x
        else:
            self._rows = self._shifted("x", x.shape, out_h, out_w, stride=self.stride, offset=self.padding)
            self.products.by_columns(kernels, self._rows.fill(x), out=rows)
            self.add_bias(rows)
        return y

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
        """Add b to outputs (…, F, columns), if there is one."""
        if self.bias:
            np.add(rows, self.bias.data[:, None], out=rows)

    def fill_bias_gradient(self, rows: np.ndarray) -> None:
        """Sum the gradients of outputs (H, F, columns) over all but F, if there is a bias."""
        if self.bias:
            sums = self.scratch("db", rows.shape[:2])
            np.matmul(rows, self.ones(rows.shape[2]), out=sums)
            np.add.reduce(sums, axis=0, out=self.bias.grad)

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
