"""The first convolution of a network and the max pooling behind it, computed together while it trains.

A pooling window of 2 × 2 compares four outputs of the convolution, and all four look at one patch of k + 1 pixels a
side. So there are four kernels of that size, the one kernel moved to each place in the window,

    moved[a, b][i, j] = W[i − a, j − b],        y[h, w, f] = β[f] + max over a, b of patch[h, w] · moved[a, b][:, f]

with β the bias, and the numbers to be compared lie in memory as long stretches. In what the convolution gives by itself
two columns of a window lie in short stretches in turn, a number for each picture: up to four times as slow to compare.

That is ((k + 1) / k)² times as many multiplications: worth it only where they are few, for the picture itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise, product

import numpy as np

from engine.nn.conv import FEW, Conv2d, ShiftedRows
from engine.nn.layer import Layer
from engine.nn.pooling import MaxPool2d

PATCH = 64  # numbers in a patch, all channels; of more, the additional multiplications cost more than is gained
# Numbers in the outputs of a stretch: they stay in the cache. Fewer would have two threads wait for each other.
STRETCH = 300_000
PLACES = tuple(product((0, 1), repeat=2))  # row and column of each in a window


def fused(layers: Sequence[Layer]) -> list[Layer]:
    """Return what computes these built layers in training: themselves, but a `PooledConv2d` for a pair that suits."""
    result = list(layers)
    for conv, pool in pairwise(layers):
        if PooledConv2d.suits(conv, pool):
            place = result.index(conv)
            result[place : place + 2] = [PooledConv2d(conv, pool)]
    return result


class PooledConv2d(Layer):
    """y = pool(conv(x)); its gradients are those of `conv`. Shape: planes (H, C, W, N) → (H″, F, W″, N), see conv.py.

    For two layers that `suits`. A batch of few pictures goes through them one after the other.
    """

    def __init__(self, conv: Conv2d, pool: MaxPool2d) -> None:
        self.conv, self.pool = conv, pool
        self.name, self.dtype = pool.name, conv.dtype
        self.in_shape, self.out_shape = conv.in_shape, pool.out_shape
        self.needs_input_grad = False

    @staticmethod
    def suits(conv: Layer, pool: Layer) -> bool:
        """Tell whether two neighbours may be computed together, and gain by it."""
        if not (isinstance(conv, Conv2d) and isinstance(pool, MaxPool2d) and (pool.window, pool.stride) == (2, 2)):
            return False
        patch = (conv.kernel + 1) ** 2 * conv.weight.data.shape[2]
        return conv.stride == 1 and patch <= PATCH and not conv.needs_input_grad

    def parameters(self):
        return self.conv.parameters()

    def forward(self, x, *, training):
        n = x.shape[3]
        if n < FEW:
            self._patches = None
            return self.pool.forward(self.conv.forward(x, training=training), training=training)
        height, width, filters = self.out_shape
        make = partial(ShiftedRows, x.shape, height, width, kernel=self.conv.kernel + 1, stride=2, dtype=self.dtype)
        patches = self.kept(("patches", n), partial(make, offset=self.conv.padding))
        self._patches = patches.fill(x)
        y, kernels = self.scratch("y", (height, filters, width * n)), self._moved_kernels()
        for rows, places in self._stretches(width * n):
            self.products.by_rows(kernels, self._patches[rows], out=places.reshape(len(places), 4 * filters, -1))
            largest = places[:, 0]
            for place in range(1, 4):
                np.greater(places[:, place], largest, out=self._won(place, y.shape)[rows])
                largest = np.maximum(largest, places[:, place], out=y[rows])
            self.conv.add_bias(y[rows])
        return y.reshape(height, filters, width, n)

    def backward(self, dy):
        """A window's gradient goes to the last place that beat those before it; from there on as in `Conv2d`."""
        if self._patches is None:
            return self.conv.backward(self.pool.backward(dy))
        dy = dy.reshape(*dy.shape[:2], -1)
        height, filters, columns = dy.shape
        products = self.scratch("dW", (height, 4 * filters, self._patches.shape[1]))
        patches = self._patches.transpose(0, 2, 1)
        for rows, places in self._stretches(columns):
            left = dy[rows]
            for place in (3, 2, 1):
                np.multiply(left, self._won(place, dy.shape)[rows], out=places[:, place])
                left = np.subtract(left, places[:, place], out=places[:, 0])
            self.products.by_rows(places.reshape(len(places), 4 * filters, -1), patches[rows], out=products[rows])
        moved = np.add.reduce(products, axis=0, out=self.scratch("moved", products.shape[1:]))
        grad, k = self.conv.weight.grad, self.conv.kernel
        moved = moved.reshape(4, filters, k + 1, k + 1, -1).transpose(0, 2, 3, 4, 1)
        grad.fill(0)
        for (a, b), part in zip(PLACES, moved, strict=True):
            np.add(grad, part[a : a + k, b : b + k], out=grad)
        self.conv.fill_bias_gradient(dy)
        return None

    def _moved_kernels(self) -> np.ndarray:
        """Return the kernel moved to each place, (4·F, patch), place after place a row for each filter."""
        weight, k = self.conv.weight.data, self.conv.kernel
        moved = self.scratch("kernels", (4, self.conv.filters, k + 1, k + 1, weight.shape[2]))
        for (a, b), part in zip(PLACES, moved, strict=True):
            np.copyto(part[:, a : a + k, b : b + k], weight.transpose(3, 0, 1, 2))
        return moved.reshape(4 * self.conv.filters, -1)

    def _stretches(self, columns: int) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield window rows, a few at a time, and a work array (rows, place, filter, windows) that stays in the cache.

        It is the same for all: what it holds for one stretch is used up before the next.
        """
        height, _, filters = self.out_shape
        few = max(1, STRETCH // (4 * filters * columns))
        work = self.scratch("places", (min(few, height), 4, filters, columns))
        for first in range(0, height, few):
            rows = slice(first, min(first + few, height))
            yield rows, work[: rows.stop - first]

    def _won(self, place: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return where a place beat those before it."""
        return self.scratch(f"won{place}", shape, bool)

    def __repr__(self) -> str:
        return f"PooledConv2d({self.conv!r}, {self.pool!r})"
