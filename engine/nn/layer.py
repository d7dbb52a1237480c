"""A layer maps a batch forward, and the gradient of the loss backward through the same map.

    build(in_shape, rng=…) → out_shape      infers every size, so that nobody types a fan-in
    forward(x, training=…) → y              a batch of inputs to a batch of outputs
    backward(dy)           → dx             dy = ∂loss/∂y; fills the parameters' gradients on the way

Pictures travel between layers as planes (H, C, W, N), the batch innermost (conv.py says why), all else as (N, D). The
axes of planes need not follow each other so in memory: those of few pictures lie channel by channel (`WholeRows`).
Work arrays are made once per batch size and used again: a training step makes none. What `forward` and `backward`
return therefore belongs to the layer and is overwritten by its next call with the same batch size, or by that of a
layer which shares its workspace.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from engine import aligned
from engine.blas import Products, products
from engine.nn.parameter import Parameter


class Workspace:
    """What a layer works in.

    arrays: by name, shape and, where they lie as others do, strides. made: what else lives as long as they do, see
    `Layer.kept`. latest: an array and what was made of it, see `Layer.made_of`.
    """

    def __init__(self) -> None:
        self.arrays: dict[tuple, np.ndarray] = {}
        self.made: dict[tuple, Any] = {}
        self.latest: tuple[np.ndarray | None, Any] = None, None


class Layer:
    """Base class. A subclass says what it computes; it changes `x` and `dy` only where it `overwrites…` them."""

    name = ""
    dtype = np.dtype(np.float32)
    needs_input_grad = True  # False for the first layer of a network: nobody asks for ∂loss/∂data
    # True where x, or dy, is another layer's work array that nobody needs any more
    overwrites_input = False
    overwrites_gradient = False

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

    @cached_property
    def workspace(self) -> Workspace:
        """The layer's own, unless another is given to it."""
        return Workspace()

    def scratch(self, name: str, shape: tuple[int, ...], dtype: type | None = None) -> np.ndarray:
        """Return this layer's work array of that name and shape, the same one at every call."""
        arrays, key = self.workspace.arrays, (name, shape)
        array = arrays.get(key)
        if array is None:
            array = arrays[key] = aligned.zeros(shape, dtype or self.dtype)
        return array

    def scratch_like(self, name: str, x: np.ndarray) -> np.ndarray:
        """Return this layer's work array of that name and the shape of `x`, its axes lying in memory as those of `x`.

        An operation on both then runs over long stretches, also where they are planes of few pictures (conv.py).
        """
        arrays, key = self.workspace.arrays, (name, x.shape, x.strides)
        array = arrays.get(key)
        if array is None:
            order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
            array = aligned.zeros(tuple(x.shape[axis] for axis in order), self.dtype)
            array = arrays[key] = array.transpose(np.argsort(order))
        return array

    def gradient_like(self, dy: np.ndarray) -> np.ndarray:
        """Return where a layer that keeps shapes writes its ∂loss/∂x, an array of the shape of `dy`.

        That is `dy` itself where it may be overwritten, for it is in the cache; else a work array.
        """
        return dy if self.overwrites_gradient else self.scratch("dx", dy.shape)

    def kept(self, key: tuple, make: Callable[[], Any]) -> Any:
        """Return what `make` made at the first call with this key; it lives as long as the work arrays."""
        made = self.workspace.made
        if key not in made:
            made[key] = make()
        return made[key]

    def made_of(self, x: np.ndarray, make: Callable[[np.ndarray], Any]) -> Any:
        """Return make(x), views of `x` and work arrays, which is made only if another array came the time before.

        What comes to a layer is nearly always a work array of the layer before it, the same one every time. A layer
        has one `make`: what it makes is remembered under no name.
        """
        latest, made = self.workspace.latest
        if latest is not x:
            made = make(x)
            self.workspace.latest = x, made
        return made

    @cached_property
    def products(self) -> Products:
        """How to multiply matrices, decided when that is first asked."""
        return products(self.dtype)

    def ones(self, *shape: int) -> np.ndarray:
        """Return ones in this shape: a product with them sums faster than `sum`."""
        return self.kept(("ones", *shape), lambda: np.ones(shape, self.dtype))

    def replica(self) -> Layer:
        """Return a layer that shares the weights but has gradients and work arrays of its own."""
        twin = copy.copy(self)
        twin.release()
        for name, parameter in self.parameters().items():
            setattr(twin, name, Parameter(parameter.data, decays=parameter.decays))
        return twin

    def release(self) -> None:
        """Drop every work array; the next pass makes those it needs."""
        self.__dict__.pop("workspace", None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPlanes(Layer):
    """Turns a batch of pictures (N, H, W, C) into planes (H, C, W, N)."""

    def build(self, in_shape, *, rng):
        return in_shape

    def forward(self, x, *, training):
        n, height, width, channels = x.shape
        planes = self.scratch("planes", (height, channels, width, n))
        np.copyto(planes, x.transpose(1, 3, 2, 0))
        return planes

    def backward(self, dy):
        return dy.transpose(3, 0, 2, 1)


class Flatten(Layer):
    """y = x with all axes but the batch joined, (H, W, C) → (H·W·C,), in the order in which they travel.

    planes: whether planes (H, C, W, N) come in. They leave as a view (N, H·C·W), the batch still innermost in memory.
    """

    def __init__(self, *, planes: bool = False) -> None:
        self.planes = planes

    def build(self, in_shape, *, rng):
        return (math.prod(in_shape),)

    def forward(self, x, *, training):
        self._x_shape = x.shape
        return x.reshape(-1, x.shape[-1]).T if self.planes else x.reshape(len(x), -1)

    def backward(self, dy):
        return (dy.T if self.planes else dy).reshape(self._x_shape)
