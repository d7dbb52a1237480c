"""The textbook's convolution and pooling where the engine needs no slow form itself: loops, and what runs backwards.

Pictures are (N, H, W, C) and kernels (k, k, C, F), as in engine/analysis/convolution.py.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.convolution import col2im, im2col, output_size, pad


def conv2d_loops(x, weight, bias=None, stride: int = 1, padding: int = 0) -> np.ndarray:
    """Return the convolution as its equation says it, number by number: (N, H, W, C) → (N, H′, W′, F)."""
    x, kernel = pad(x, padding), len(weight)
    places = (output_size(size, kernel, stride) for size in x.shape[1:3])
    y = np.empty((len(x), *places, weight.shape[-1]), x.dtype if np.issubdtype(x.dtype, np.floating) else np.float64)
    for n, h, w, f in np.ndindex(y.shape):
        window = x[n, stride * h : stride * h + kernel, stride * w : stride * w + kernel]
        y[n, h, w, f] = (window * weight[..., f]).sum() + (0 if bias is None else bias[f])
    return y


def conv2d_backward(x, weight, dy, stride: int = 1, padding: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (∂L/∂x, ∂L/∂W, ∂L/∂b) from ∂L/∂y.

    With X = im2col(x) and everything as matrices Y = X W + b, hence ∂L/∂W = Xᵀ ∂L/∂Y, ∂L/∂b = its rows' sum, and
    ∂L/∂X = ∂L/∂Y Wᵀ, from where col2im brings every number back to the pixel that it was copied from.
    """
    kernel, filters = len(weight), weight.shape[-1]
    rows = dy.reshape(-1, filters)
    dweight = (im2col(x, kernel, stride, padding).T @ rows).reshape(weight.shape)
    dx = col2im(rows @ weight.reshape(-1, filters).T, x.shape, kernel, stride, padding)
    return dx, dweight, rows.sum(axis=0)


def max_pool_backward_loops(x, dy, window: int, stride: int | None = None) -> np.ndarray:
    """Return ∂L/∂x: the gradient of each output goes to the largest number of its window, of equals to the first."""
    stride, dx = stride or window, np.zeros(x.shape, dy.dtype)
    for n, h, w, c in np.ndindex(dy.shape):
        seen = x[n, stride * h : stride * h + window, stride * w : stride * w + window, c]
        i, j = np.unravel_index(seen.argmax(), seen.shape)
        dx[n, stride * h + i, stride * w + j, c] += dy[n, h, w, c]
    return dx
