"""Pooling makes a picture smaller: of every window only the largest number, or the average, goes on.

A window is taken apart into its rows and columns: the largest of the rows first, column by column, then the largest of
the columns. Pictures travel as planes (H, C, W, N), see conv.py.
"""

from __future__ import annotations

import numpy as np

from engine.nn.conv import output_size
from engine.nn.layer import Layer


class Pool2d(Layer):
    """Base class. window: pixels a side; stride: pixels from one window to the next, `window` unless said otherwise.

    Shape: (H, W, C) → (H′, W′, C), H′ = ⌊(H − window) / stride⌋ + 1.
    """

    def __init__(self, window: int, stride: int | None = None) -> None:
        self.window, self.stride = window, stride or window

    def build(self, in_shape, *, rng):
        height, width, channels = in_shape
        return (*(output_size(size, self.window, self.stride) for size in (height, width)), channels)

    def _steps(self, planes: np.ndarray, axis: int) -> list[np.ndarray]:
        """Return, for each place in a window, the view of that place in all windows along the axis (0: H, 2: W)."""
        count = output_size(planes.shape[axis], self.window, self.stride)
        before = (slice(None),) * axis
        stop = self.stride * (count - 1) + 1
        return [planes[(*before, slice(i, i + stop, self.stride))] for i in range(self.window)]

    def __repr__(self) -> str:
        more = f", stride={self.stride}" if self.stride != self.window else ""
        return f"{type(self).__name__}({self.window}{more})"


class MaxPool2d(Pool2d):
    """y = the largest x of each window; ∂L/∂x goes to the place that it came from (of equals, to one of them).

    Source:『ゼロから作る Deep Learning』7.3, 7.4.4.
    """

    def forward(self, x, *, training):
        self._x, self._remembered = x, training
        for earlier, other, y, place in self.made_of(x, self._comparisons):
            if training:  # evaluation spares itself what only `backward` needs: where each place beat those before it
                np.greater(other, earlier, out=self.scratch(place, y.shape, bool))
            np.maximum(earlier, other, out=y)
        return y

    def backward(self, dy):
        if not self._remembered:
            self.forward(self._x, training=True)
        height, _, width, _ = self._x.shape
        return self._spread(self._spread(dy, 2, width), 0, height)

    def _comparisons(self, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, str]]:
        """Return what is compared, in order: the largest so far, another place, where the larger go, its name."""
        result = []
        for axis in (0, 2):
            earlier, *others = self._steps(x, axis)
            x = self.scratch_like(f"y{axis}", earlier)
            for place, other in enumerate(others or [earlier], start=1):
                result.append((earlier, other, x, f"won{axis}.{place}"))
                earlier = x
        return result

    def _spread(self, dy: np.ndarray, axis: int, size: int) -> np.ndarray:
        """Return the gradient before the maxima along an axis: each number to the last place that beat those before."""
        shape = (*dy.shape[:axis], size, *dy.shape[axis + 1 :])
        dx = self.scratch(f"dx{axis}", shape)
        apart = self.stride >= self.window
        if not (apart and size == self.window * dy.shape[axis]):
            dx.fill(0)
        left = dy
        first, *others = self._steps(dx, axis)
        for place, target in reversed(list(enumerate(others, start=1))):
            won = self.scratch(f"won{axis}.{place}", dy.shape, bool)
            share = target if apart else self.scratch(f"share{axis}", dy.shape)
            np.multiply(left, won, out=share)
            rest = first if apart and place == 1 else self.scratch(f"rest{axis}", dy.shape)
            np.subtract(left, share, out=rest)
            left = rest
            if not apart:
                np.add(target, share, out=target)
        if not apart:
            np.add(first, left, out=first)
        elif left is dy:
            np.copyto(first, dy)
        return dx


class AvgPool2d(Pool2d):
    """y = the mean x of each window;  ∂L/∂x = dy / window², added up where windows overlap."""

    def forward(self, x, *, training):
        self._x_shape = x.shape
        rows = self._sum(x, 0)
        y = self._sum(rows, 2)
        return np.multiply(y, 1 / self.window**2, out=y)

    def backward(self, dy):
        share = np.multiply(dy, 1 / self.window**2, out=self.scratch("share", dy.shape))
        height, _, width, _ = self._x_shape
        return self._spread(self._spread(share, 2, width), 0, height)

    def _sum(self, x: np.ndarray, axis: int) -> np.ndarray:
        first, *others = self._steps(x, axis)
        y = self.scratch(f"y{axis}", first.shape)
        np.copyto(y, first)
        for other in others:
            np.add(y, other, out=y)
        return y

    def _spread(self, dy: np.ndarray, axis: int, size: int) -> np.ndarray:
        dx = self.scratch(f"dx{axis}", (*dy.shape[:axis], size, *dy.shape[axis + 1 :]))
        dx.fill(0)
        for target in self._steps(dx, axis):
            np.add(target, dy, out=target)
        return dx


class GlobalAvgPool(Layer):
    """y = each channel's mean over the whole picture: (H, W, C) → (C,), so that pictures of any size may come in.

    Source: Lin, Chen & Yan 2013.
    """

    def build(self, in_shape, *, rng):
        return in_shape[-1:]

    def forward(self, x, *, training):
        self._x_shape = x.shape
        y = self.scratch("y", (x.shape[1], x.shape[3]))
        np.mean(x, axis=(0, 2), out=y)
        return y.T

    def backward(self, dy):
        height, _, width, _ = self._x_shape
        dx = self.scratch("dx", self._x_shape)
        np.multiply(dy.T[:, None], 1 / (height * width), out=dx)
        return dx
