"""Weight averaging: beside the weights that training moves about, their slow average, which generalises better.

    a ← d a + (1 − d) w        after every step, d the decay; 1 / (1 − d) steps is about how far it looks back

At the start the average would still be full of the random weights, so d grows with the steps t:
min(d, (1 + t) / (10 + t)).
Source: Polyak & Juditsky 1992 (averaging); exponential moving averages as in Tarvainen & Valpola 2017.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from engine import aligned
from engine.nn.parameter import ParameterVector


class WeightAverage:
    """The exponential moving average (EMA) of all parameters.

    values: the average, (P,). A running statistic of batch normalization is an average already and is left alone.
    """

    def __init__(self, vector: ParameterVector, decay: float) -> None:
        self.decay = decay
        self._vector = vector
        self.values = aligned.zeros(vector.data.shape, vector.data.dtype)
        np.copyto(self.values, vector.data)
        self._work = aligned.zeros(vector.data.shape, vector.data.dtype)

    def update(self, step: int) -> None:
        """Follow the parameters after the `step`-th step, counted from 1."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        np.subtract(self._vector.data, self.values, out=self._work)
        np.multiply(self._work, share, out=self._work)
        np.add(self.values, self._work, out=self.values)

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
