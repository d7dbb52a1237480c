"""What the window component is given to show: an input, and what the engine makes of it. Arrays in, JSON out.

Pictures become nested lists (C, H, W), a plane for each channel.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.convolution import avg_pool_loops, col2im, conv2d, global_average, im2col, max_pool_loops

Scene = dict[str, object]


def convolution(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, stride: int, padding: int, dilation: int = 1
) -> Scene:
    """Return the scene of a convolution: x (H, W, C), weight (k, k, C, F), bias (F,). Raises `InputError`."""
    y = conv2d(x[None], weight, bias, stride, padding, dilation)[0]
    return (
        _scene("convolution", x, len(weight), stride, padding, dilation)
        | _filters(weight, bias)
        | {"outputs": _planes(y)}
    )


def pooling(x: np.ndarray, size: int, *, stride: int) -> Scene:
    """Return the scene of max and average pooling, with the average of all: x (H, W, C). Raises `InputError`."""
    largest, mean = (pool(x[None], size, stride)[0] for pool in (max_pool_loops, avg_pool_loops))
    means = {"largest": _planes(largest), "mean": _planes(mean), "overall": global_average(x[None])[0].tolist()}
    return _scene("pooling", x, size, stride, 0) | means


def as_matrix(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, *, stride: int, padding: int) -> Scene:
    """Return the scene of a convolution by im2col, and of what col2im makes of the matrix. Raises `InputError`."""
    kernel = len(weight)
    matrix = im2col(x[None], kernel, stride, padding)
    return convolution(x, weight, bias, stride=stride, padding=padding) | {
        "mode": "im2col",
        "matrix": matrix.tolist(),
        "back": _planes(col2im(matrix, (1, *x.shape), kernel, stride, padding)[0]),
    }


def _scene(mode: str, x: np.ndarray, kernel: int, stride: int, padding: int, dilation: int = 1) -> Scene:
    lies = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return {"mode": mode, "input": _planes(x)} | lies


def _filters(weight: np.ndarray, bias: np.ndarray) -> Scene:
    return {"weights": weight.transpose(3, 2, 0, 1).tolist(), "bias": bias.tolist()}


def _planes(x: np.ndarray) -> list:
    """Return (H, W, C) as nested lists (C, H, W)."""
    return np.asarray(x, np.float64).transpose(2, 0, 1).tolist()
