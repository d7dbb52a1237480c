"""A loss turns the network's outputs and the right answers into one number, and starts the backward pass.

    forward(outputs, labels) → float        outputs (N, K), labels (N,) whole numbers in [0, K)
    backward()               → ∂loss/∂outputs, shape (N, K)

Both losses average over the batch, so that a gradient does not grow with the batch size.
"""

from __future__ import annotations

import math

import numpy as np

from engine import aligned


class Loss:
    """Base class of the losses."""

    def forward(self, outputs: np.ndarray, labels: np.ndarray) -> float:
        """Return the mean loss of the batch."""
        raise NotImplementedError

    def backward(self) -> np.ndarray:
        """Return ∂loss/∂outputs for the latest `forward`; overwritten by the next."""
        raise NotImplementedError

    @staticmethod
    def probabilities(outputs: np.ndarray) -> np.ndarray:
        """Return what the outputs say of each class, (N, K), rows summing to 1."""
        raise NotImplementedError

    def _buffers(self, outputs: np.ndarray) -> _Buffers:
        cache = self.__dict__.setdefault("_cache", {})
        key = (outputs.shape, outputs.dtype)
        if key not in cache:
            cache[key] = _Buffers(*outputs.shape, outputs.dtype)
        return cache[key]


class _Buffers:
    """Work arrays for batches of one size. Classes come first, (K, N): reductions over a leading axis are cheap."""

    def __init__(self, n: int, k: int, dtype: np.dtype) -> None:
        self.work = aligned.zeros((k, n), dtype)
        self.row = aligned.zeros(n, dtype)
        self.picked = aligned.zeros(n, dtype)
        self.columns = np.arange(n)
        self.index = np.empty(n, np.intp)

    def locate(self, labels: np.ndarray) -> np.ndarray:
        """Return the flat positions in `work` of each example's right class."""
        np.multiply(labels, len(self.columns), out=self.index, dtype=np.intp)
        return np.add(self.index, self.columns, out=self.index)


class SoftmaxCrossEntropy(Loss):
    """L = −mean ln p[label], p = softmax(z) = e^(z − max z) / Σ e^(z − max z). Stable for any logits z.

    ∂L/∂z = (p − onehot(label)) / N.  Source:『ゼロから作る Deep Learning』3.5, 4.2, 5.6.3.
    """

    def forward(self, outputs, labels):
        b = self._b = self._buffers(outputs)
        z, total, picked = b.work, b.row, b.picked
        np.copyto(z, outputs.T)
        np.maximum.reduce(z, axis=0, out=total)
        np.subtract(z, total, out=z)
        index = b.locate(labels)
        z.ravel().take(index, out=picked, mode="clip")
        np.exp(z, out=z)
        np.add.reduce(z, axis=0, out=total)
        return float(np.subtract(np.log(total), picked, out=picked).sum()) / len(picked)

    def backward(self):
        """∂L/∂z = (p − onehot) / N, from the e^(z − max z) and their sums that `forward` left behind."""
        b = self._b
        n = len(b.row)
        np.multiply(b.row, n, out=b.row)
        np.divide(b.work, b.row, out=b.work)
        b.work.ravel()[b.index] -= 1 / n
        return b.work.T

    @staticmethod
    def probabilities(outputs):
        e = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


class SumSquaredError(Loss):
    """L = mean over the batch of ½ Σₖ (yₖ − onehot(label)ₖ)²;  ∂L/∂y = (y − onehot(label)) / N.

    The outputs are taken for the probabilities themselves, for those are what makes it smallest; see `probabilities`.
    Source:『ゼロから作る Deep Learning』4.2.1 (with one-hot targets).
    """

    def forward(self, outputs, labels):
        b = self._b = self._buffers(outputs)
        np.copyto(b.work, outputs.T)
        b.work.ravel()[b.locate(labels)] -= 1
        flat = b.work.ravel()
        with np.errstate(over="ignore"):  # a diverging network squares to inf: the trainer reports that
            return 0.5 * float(np.dot(flat, flat)) / len(b.row)

    def backward(self):
        work = self._b.work
        np.multiply(work, 1 / work.shape[1], out=work)
        return work.T

    @staticmethod
    def probabilities(outputs):
        """Return p = max(y, 10⁻⁶) / Σ max(y, 10⁻⁶), y first raised, if need be, until the largest is 1/K.

        So the most probable class is always that of the largest output, also where several are above 1 or all below 0.
        """
        lacking = 1 / outputs.shape[1] - outputs.max(axis=1, keepdims=True)
        p = np.maximum(outputs + np.maximum(lacking, 0), 1e-6)
        return p / p.sum(axis=1, keepdims=True)


def is_divergent(loss: float, first: float) -> bool:
    """Tell whether training has left the numbers that float32 can hold, or is on its way there.

    first: the loss before training. A network that begins badly, its weights too large, may have a loss of millions
    and come down from it; one that is on its way out has a loss above a million and above a hundred times the first.
    """
    return not math.isfinite(loss) or loss > max(1e6, 100 * first)
