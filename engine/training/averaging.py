"""Weight averaging: beside the weights that training moves about, their slow average, which generalises better.

    a ← d a + (1 − d) w        after every step, d the decay; 1 / (1 − d) steps is about how far it looks back

At the start the average would still be full of the random weights, so d grows with the steps t:
min(d, (1 + t) / (10 + t)). The running averages of batch normalization are averaged alike: they belong to weights of
the same age.
Source: Polyak & Juditsky 1992 (averaging); exponential moving averages as in Tarvainen & Valpola 2017.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import numpy as np

from engine import aligned
from engine.nn.parameter import ParameterVector, load_arrays


class WeightAverage:
    """The exponential moving average (EMA) of all parameters, and of the network's buffers.

    values: the average of the parameters, (P,). buffers: those of the buffers, by name.
    """

    def __init__(self, vector: ParameterVector, decay: float, buffers: Mapping[str, np.ndarray] | None = None) -> None:
        self.decay = decay
        self._vector, self._buffers = vector, dict(buffers or {})
        self.values = aligned.zeros(vector.data.shape, vector.data.dtype)
        self._work = aligned.zeros(vector.data.shape, vector.data.dtype)
        self.buffers = {name: np.empty_like(array) for name, array in self._buffers.items()}
        np.copyto(self.values, vector.data)
        self.copy_buffers()

    def copy_buffers(self) -> None:
        """Begin the averages of the buffers with what these are now."""
        for name, array in self._buffers.items():
            np.copyto(self.buffers[name], array)

    def update(self, step: int) -> None:
        """Follow the parameters after the `step`-th step, counted from 1."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        np.subtract(self._vector.data, self.values, out=self._work)
        np.multiply(self._work, share, out=self._work)
        np.add(self.values, self._work, out=self.values)
        for name, array in self._buffers.items():
            self.buffers[name] += share * (array - self.buffers[name])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the averages by name, as a checkpoint keeps them."""
        return {"values": self.values} | {f"buffers.{name}": array for name, array in self.buffers.items()}

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the network computes with the average."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        np.copyto(self._work, self._vector.data)
        np.copyto(self._vector.data, self.values)
        np.copyto(self.values, self._work)
        for name, array in self._buffers.items():
            latest = array.copy()
            np.copyto(array, self.buffers[name])
            np.copyto(self.buffers[name], latest)


def load_averages(targets: Mapping[str, np.ndarray], kept: Mapping[str, np.ndarray], *, finite: bool = True) -> None:
    """Copy averages by name, as `WeightAverage.arrays` gives them. Older files have those of the parameters alone.

    Raises ValueError as `load_arrays` does.
    """
    load_arrays({"values": targets["values"]} if set(kept) == {"values"} else targets, kept, finite=finite)
