"""A layer maps a batch forward, and the gradient of the loss backward through the same map.

    build(in_shape, rng=…) → out_shape      infers every size, so that nobody types a fan-in
    forward(x, training=…) → y              x: (N, *in_shape), y: (N, *out_shape)
    backward(dy)           → dx             dy = ∂loss/∂y; fills the parameters' gradients on the way

Work arrays are made once per batch size and used again: a training step allocates nothing. What `forward` and
`backward` return therefore belongs to the layer and is overwritten by its next call with the same batch size.
"""

from __future__ import annotations

import math

import numpy as np

from engine.nn.parameter import Parameter


class Layer:
    """Base class. A subclass says what it computes; it never changes `x` or `dy`."""

    name = ""
    dtype = np.dtype(np.float32)
    needs_input_grad = True  # False for the first layer of a network: nobody asks for ∂loss/∂data

    def build(self, in_shape: tuple[int, ...], *, rng: np.random.Generator) -> tuple[int, ...]:
        """Make the parameters for inputs of `in_shape` (without the batch) and return the shape of an output."""
        raise NotImplementedError

    def forward(self, x: np.ndarray, *, training: bool) -> np.ndarray:
        """Return the layer's output for the batch `x`."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray) -> np.ndarray | None:
        """Return ∂loss/∂x for the latest forward pass, given `dy` = ∂loss/∂y; None where nobody needs it."""
        raise NotImplementedError

    def parameters(self) -> dict[str, Parameter]:
        """Return the trainable arrays by name."""
        return {}

    def buffers(self) -> dict[str, np.ndarray]:
        """Return the arrays that belong to the layer's state but are not trained (running averages)."""
        return {}

    def scratch(self, name: str, shape: tuple[int, ...], dtype: type | None = None) -> np.ndarray:
        """Return this layer's work array of that name and shape, the same one at every call."""
        arrays = self.__dict__.setdefault("_scratch", {})
        key = (name, shape)
        array = arrays.get(key)
        if array is None:
            array = arrays[key] = np.zeros(shape, dtype or self.dtype)
        return array

    def release(self) -> None:
        """Drop every work array; the next pass makes those it needs."""
        self.__dict__.pop("_scratch", None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Flatten(Layer):
    """y = x with all axes but the batch joined: (N, H, W, C) → (N, H·W·C)."""

    def build(self, in_shape, *, rng):
        self.in_shape = in_shape
        return (math.prod(in_shape),)

    def forward(self, x, *, training):
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(len(dy), *self.in_shape)
