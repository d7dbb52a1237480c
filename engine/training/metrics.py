"""How well a network does on a set of examples: loss, accuracy, confusion, and which ones it gets wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.build import CHUNK, PICTURES
from engine.nn import Conv2d, Loss, Sequential


def predict(network: Sequential, x: np.ndarray, scale: float) -> np.ndarray:
    """Return the network's outputs (N, K) for raw examples `x` (N, …), which are multiplied by `scale` first."""
    outputs = np.empty((len(x), *network.out_shape), network.dtype)
    for piece in pieces(network, len(x)):
        chunk = np.multiply(x[piece], scale, dtype=network.dtype)
        outputs[piece] = network.forward(chunk, training=False)
    return outputs


def pieces(network: Sequential, n: int) -> Iterator[slice]:
    """Cut n examples into pieces that a network is given at a time."""
    size = PICTURES if any(isinstance(layer, Conv2d) for layer in network.layers) else CHUNK
    return (slice(start, start + size) for start in range(0, n, size))


def evaluate(network: Sequential, loss: Loss, x: np.ndarray, labels: np.ndarray, scale: float) -> tuple[float, float]:
    """Return the mean loss and the accuracy (0 … 1)."""
    return score(loss, predict(network, x, scale), labels)


def score(loss: Loss, outputs: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the mean loss and the accuracy (0 … 1) of outputs (N, K)."""
    return type(loss)().forward(outputs, labels), float(np.mean(outputs.argmax(axis=1) == labels))


def confusion_matrix(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return counts (K, K) int64: row = right class, column = predicted class."""
    k = outputs.shape[1]
    return np.bincount(labels * k + outputs.argmax(axis=1), minlength=k * k).reshape(k, k)


def misclassified(probabilities: np.ndarray, labels: np.ndarray, limit: int, of_pair: int = 0) -> np.ndarray:
    """Return the indices of wrong answers, the most confident first: the `limit` most confident of all.

    probabilities: (N, K); labels: (N,), the right classes. of_pair: so many of every pair of a right and a predicted
    class are among them too, the most confident, so that there may be more than `limit`.
    """
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    pairs = labels[wrong] * probabilities.shape[1] + answers[wrong]
    kept = np.arange(len(wrong)) < limit
    for pair in np.unique(pairs):
        kept[np.flatnonzero(pairs == pair)[:of_pair]] = True
    return wrong[kept]
