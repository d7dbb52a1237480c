"""A network is layers in a row: each one's output is the next one's input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping

import numpy as np

from engine.nn.conv import Conv2d
from engine.nn.layer import Layer, Workspace
from engine.nn.linear import Linear
from engine.nn.normalization import BatchNorm
from engine.nn.parameter import Parameter, ParameterVector, load_arrays
from engine.nn.pooled_conv import fused
from engine.nn.pooling import MaxPool2d

Hook = Callable[[Layer, np.ndarray], None]


class HookHandle:
    """Removes its hook, by `remove()` or at the end of a `with` block."""

    def __init__(self, hooks: dict[HookHandle, Hook], hook: Hook) -> None:
        self._hooks = hooks
        hooks[self] = hook

    def remove(self) -> None:
        self._hooks.pop(self, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exception) -> None:
        self.remove()


class Sequential(Layer):
    """y = fₗ(… f₂(f₁(x))). After `build`, all parameters are views into `vector`.

    in_training: what computes the passes of a training step, the layers themselves but for a first convolution and the
    pooling behind it, which are one there (pooled_conv.py); so they are for the hooks, too.
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = list(layers)
        for index, layer in enumerate(self.layers):
            layer.name = layer.name or f"{index}"
        self._forward_hooks: dict[HookHandle, Hook] = {}

    def build(self, in_shape, *, rng, dtype=np.float32):
        """Build every layer in turn. dtype: float32, or float64 for gradient checks."""
        self.in_shape = tuple(in_shape)
        shape, needs_grad, before = self.in_shape, False, None
        for layer in self.layers:
            layer.dtype = np.dtype(dtype)
            layer.in_shape = shape
            shape = layer.build(shape, rng=rng)
            layer.out_shape = shape
            layer.needs_input_grad = needs_grad
            needs_grad = needs_grad or bool(layer.parameters())
            layer.overwrites_input = isinstance(before, (Linear, Conv2d, MaxPool2d, BatchNorm))
            before = layer
        own = False  # whether the gradient that comes back to a layer is by then another one's, no longer the caller's
        for layer in reversed(self.layers):
            layer.overwrites_gradient = own
            own = own or bool(layer.parameters())
        self.dtype = np.dtype(dtype)
        self.out_shape = shape
        self.vector = ParameterVector(list(self.parameters().values()), self.dtype)
        self.in_training = self._latest = fused(self.layers)
        return shape

    def forward(self, x, *, training=False):
        self._latest = self.in_training if training else self.layers
        for layer in self._latest:
            x = layer.forward(x, training=training)
            for hook in tuple(self._forward_hooks.values()):  # a hook may remove itself; no hooks, no new object
                hook(layer, x)
        return x

    def backward(self, dy):
        for layer in reversed(self._latest):
            dy = layer.backward(dy)
            if dy is None:  # nothing before this layer has parameters
                break
        return dy

    def replica(self) -> Sequential:
        """Return a network that shares the weights (`vector.data`) but has gradients and work arrays of its own."""
        twin = Sequential([layer.replica() for layer in self.layers])
        twin.in_shape, twin.out_shape, twin.dtype = self.in_shape, self.out_shape, self.dtype
        twin.vector = self.vector.with_own_gradients(list(twin.parameters().values()))
        twin.in_training = twin._latest = fused(twin.layers)
        return twin

    def parameters(self) -> dict[str, Parameter]:
        """Return every parameter by "layer.name"; sets the parameters' own names too."""
        named = {}
        for layer in self.layers:
            for name, parameter in layer.parameters().items():
                parameter.name = f"{layer.name}.{name}"
                named[parameter.name] = parameter
        return named

    def buffers(self):
        return {f"{layer.name}.{name}": array for layer in self.layers for name, array in layer.buffers().items()}

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters and buffers by name."""
        state = {name: parameter.data.copy() for name, parameter in self.parameters().items()}
        return state | {name: array.copy() for name, array in self.buffers().items()}

    def load_state_dict(self, state: dict[str, np.ndarray], *, finite: bool = True) -> None:
        """Copy `state` into the network. Raises ValueError for a missing, unknown or misshapen array.

        finite: whether infinities and NaN raise too. Only a run has any business with them: it may be diverging.
        """
        parameters = {name: parameter.data for name, parameter in self.parameters().items()}
        load_arrays(parameters | self.buffers(), state, finite=finite)

    def register_forward_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(layer, y)` after every layer's forward pass, until the handle is removed."""
        return HookHandle(self._forward_hooks, hook)

    def work_in(self, workspaces: MutableMapping[tuple, Workspace], part: int = 0) -> None:
        """Share work arrays with other networks: those layers do that are the same and stand at the same place.

        For networks that take turns, none beginning a step before the other's is made. part: another number for each
        network that works at the same time.
        """
        for place, layer in enumerate(dict.fromkeys([*self.layers, *self.in_training])):
            key = (part, place, repr(layer), layer.in_shape, layer.dtype)
            layer.workspace = workspaces.setdefault(key, Workspace())

    def release(self) -> None:
        for layer in {*self.layers, *self.in_training}:
            layer.release()

    def __repr__(self) -> str:
        return "Sequential(\n" + "".join(f"  {layer.name}: {layer!r}\n" for layer in self.layers) + ")"
