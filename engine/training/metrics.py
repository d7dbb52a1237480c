"""How well a network does on a set of examples: loss, accuracy, confusion, and which ones it gets wrong."""

from __future__ import annotations

import numpy as np

from engine.nn import Conv2d, Loss, Sequential

CHUNK = 250  # examples at a time: large enough for BLAS, small enough for the cache
PICTURES = 50  # of a convolutional network: its planes are as large as in training, on half a batch


def predict(network: Sequential, x: np.ndarray, scale: float) -> np.ndarray:
    """Return the network's outputs (N, K) for raw examples `x` (N, …), which are multiplied by `scale` first."""
    outputs = np.empty((len(x), *network.out_shape), network.dtype)
    size = PICTURES if any(isinstance(layer, Conv2d) for layer in network.layers) else CHUNK
    for start in range(0, len(x), size):
        chunk = np.multiply(x[start : start + size], scale, dtype=network.dtype)
        outputs[start : start + size] = network.forward(chunk, training=False)
    return outputs


def evaluate(network: Sequential, loss: Loss, x: np.ndarray, labels: np.ndarray, scale: float) -> tuple[float, float]:
    """Return the mean loss and the accuracy (0 … 1)."""
    outputs = predict(network, x, scale)
    return type(loss)().forward(outputs, labels), float(np.mean(outputs.argmax(axis=1) == labels))


def confusion_matrix(outputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return counts (K, K) int64: row = right class, column = predicted class."""
    k = outputs.shape[1]
    return np.bincount(labels * k + outputs.argmax(axis=1), minlength=k * k).reshape(k, k)


def misclassified(probabilities: np.ndarray, labels: np.ndarray, limit: int) -> np.ndarray:
    """Return the indices of at most `limit` wrong answers, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    confidence = probabilities[wrong].max(axis=1)
    return wrong[np.argsort(-confidence, kind="stable")[:limit]]
