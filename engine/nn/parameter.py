"""A parameter is a trainable array and its gradient, both views into vectors that the whole network shares.

All values lie in one contiguous vector, weights first and the rest (biases, normalization) after; all gradients in a
second one of the same order. An optimizer is then a few operations on whole vectors, and decay touches one slice.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from engine import aligned
from engine.errors import N_, InputError


class Parameter:
    """A trainable array.

    data: the values, any shape. grad: ∂loss/∂data, the same shape, overwritten by each backward pass.
    decays: whether L1 and L2 decay act on it (weights: yes; biases, scales and shifts: no).
    """

    def __init__(self, data: np.ndarray, *, decays: bool) -> None:
        self.name = ""
        self.data = data
        self.grad = np.zeros_like(data)
        self.decays = decays

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, shape={self.data.shape})"


class ParameterVector:
    """The values and gradients of many parameters as two vectors.

    data, grad: shape (P,), P the number of scalars. n_decaying: the first so many belong to weights.
    Making one rebinds every parameter's `data` and `grad` to views into these vectors.
    """

    def __init__(self, parameters: Sequence[Parameter], dtype: np.dtype) -> None:
        size = sum(parameter.data.size for parameter in parameters)
        self.data = aligned.zeros(size, dtype)
        self.grad = aligned.zeros(size, dtype)
        self.n_decaying = sum(parameter.data.size for parameter in parameters if parameter.decays)
        for parameter, place in _places(parameters):
            shape = parameter.data.shape
            self.data[place] = parameter.data.ravel()
            parameter.data = self.data[place].reshape(shape)
            parameter.grad = self.grad[place].reshape(shape)

    def with_own_gradients(self, parameters: Sequence[Parameter]) -> ParameterVector:
        """Return a vector of the same values with gradients of its own, to which `parameters` are bound."""
        twin = copy.copy(self)
        twin.grad = aligned.zeros(self.grad.shape, self.grad.dtype)
        for parameter, place in _places(parameters):
            parameter.grad = twin.grad[place].reshape(parameter.data.shape)
        return twin


def _places(parameters: Sequence[Parameter]) -> Iterator[tuple[Parameter, slice]]:
    """Yield where each parameter lies in the vectors: weights first, the rest after."""
    start = 0
    for parameter in sorted(parameters, key=lambda parameter: not parameter.decays):  # stable
        yield parameter, slice(start, start + parameter.data.size)
        start += parameter.data.size


def load_arrays(targets: Mapping[str, np.ndarray], state: Mapping[str, np.ndarray], *, finite: bool = True) -> None:
    """Copy the arrays of `state` over the `targets` of the same names: all of them, or on an error none.

    Raises `InputError` for a missing, unknown, misshapen or not floating-point array, and for one that holds infinities
    or NaN unless `finite` is False.
    """
    if set(state) != set(targets):
        odd = ", ".join(sorted(set(state) ^ set(targets))[:3])
        raise InputError("the arrays belong to something else: {names}", names=odd)
    converted = {}
    for name, target in targets.items():
        array = state[name]
        if array.shape != target.shape:
            template = N_("{name} must have the shape {shape}, not {received}")
            raise InputError(template, name=name, shape=target.shape, received=array.shape)
        if array.dtype.kind != "f":
            raise InputError("{name} must hold floating-point numbers, not {received}", name=name, received=array.dtype)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            converted[name] = array.astype(target.dtype)
        if finite and not np.isfinite(converted[name]).all():
            raise InputError("{name} must hold finite numbers", name=name)
    for name, target in targets.items():
        target[...] = converted[name]
