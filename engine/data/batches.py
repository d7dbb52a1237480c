"""Mini-batches: which examples a step sees, gathered into buffers that are used again and again."""

from __future__ import annotations

import numpy as np

from engine import aligned
from engine.data.augment import Augmenter
from engine.errors import InputError


class Batches:
    """Draws batches of (x, labels) from a training set.

    sampling "shuffle": one random order of the whole set after another, cut into batches of equal size, so that every
    example comes once an epoch. "replacement": every index drawn afresh.

    augment: changes the pictures of every batch.
    x: (N, …) uint8 or float32; what comes out is float32 (batch, …), multiplied by `scale`. A batch is never larger
    than the set. The arrays returned are overwritten by the next call.
    """

    def __init__(
        self,
        x: np.ndarray,
        labels: np.ndarray,
        *,
        batch_size: int,
        scale: float,
        sampling: str,
        rng: np.random.Generator,
        augment: Augmenter | None = None,
    ) -> None:
        self.size = min(batch_size, len(x))
        self._x, self._labels = x.reshape(len(x), -1), labels
        self._scale, self._sampling, self.rng, self.augment = scale, sampling, rng, augment
        self._order = np.empty(0, np.int64)
        self._position = 0
        self._raw = aligned.zeros((self.size, self._x.shape[1]), x.dtype)
        self._batch = aligned.zeros((self.size, self._x.shape[1]))
        self._shaped = self._batch.reshape(self.size, *x.shape[1:])
        self._batch_labels = np.empty(self.size, labels.dtype)

    def next(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the next batch."""
        index = self._next_index()
        self._x.take(index, axis=0, out=self._raw, mode="clip")  # "clip" skips the bounds check; indices are ours
        if self.augment:
            self.augment(self._raw.reshape(self._shaped.shape), self._shaped)
        else:
            np.copyto(self._batch, self._raw)
        np.multiply(self._batch, self._scale, out=self._batch)
        self._labels.take(index, out=self._batch_labels, mode="clip")
        return self._shaped, self._batch_labels

    def _next_index(self) -> np.ndarray:
        if self._sampling == "replacement":
            return self.rng.integers(0, len(self._x), self.size)
        start, stop = self._position, self._position + self.size
        if stop > len(self._order):
            rest = self._order[start:]
            self._order = np.concatenate([rest, self.rng.permutation(len(self._x))])
            start, stop = 0, self.size
        self._position = stop
        return self._order[start:stop]

    def state(self) -> np.ndarray:
        """Return the indices still to come of the current order."""
        return self._order[self._position :].copy()

    def restore(self, order: np.ndarray) -> None:
        """Invert `state`; the generator's own state is restored by its owner. Raises `InputError` for other arrays."""
        if order.ndim != 1 or order.dtype.kind != "i":
            raise InputError("the order of the examples must be whole numbers in a row")
        if order.size and not (order.min() >= 0 and order.max() < len(self._x)):
            raise InputError("the order of the examples must hold numbers below {n}", n=len(self._x))
        self._order, self._position = order.astype(np.int64), 0
