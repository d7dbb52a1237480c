"""Saliency: which parts of a picture an answer hangs on, asked in three ways.

    gradient       ∂(output of a class)/∂(pixel): how much a little more ink there would change it
    occlusion      a grey patch is laid over every place in turn: how much the answer falls without what is there
    left_out       a drawing loses one piece of its strokes after the other, as under an eraser

The first needs one backward pass and speaks of very small changes only; the others need many forward passes and speak
of what really goes. Sources: Simonyan, Vedaldi & Zisserman 2013 (gradients); Zeiler & Fergus 2014 (occlusion).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from engine.data.handwriting import strokes_to_image
from engine.nn import Sequential

Score = Callable[[np.ndarray], np.ndarray]  # pictures uint8 (N, H, W) → how sure the network is of its answer (N,)

PATCH, STRIDE, GREY = 7, 3, 128
PIECES = 12  # a drawing is cut into about so many, of equal length; every stroke is one at least
MAX_PIECES = 32


def gradient(network: Sequential, x: np.ndarray, output: int) -> np.ndarray:
    """Return ∂y[n, output]/∂x[n], (N, …) like x, in evaluation. The network's parameter gradients are overwritten."""
    # BLAS may raise these flags for what lies beside the numbers that it multiplies; NaN and ∞ show in the result.
    with _input_gradients(network), np.errstate(over="ignore", invalid="ignore"):
        y = network.forward(x, training=False)
        dy = np.zeros_like(y)
        dy[:, output] = 1
        dy = network.backward(dy)
    return dy.reshape(x.shape).copy()


@contextlib.contextmanager
def _input_gradients(network: Sequential) -> Iterator[None]:
    """Inside, every layer computes ∂loss/∂x; in training the first ones do not, since nobody asks for it."""
    before = [layer.needs_input_grad for layer in network.layers]
    try:
        for layer in network.layers:
            layer.needs_input_grad = True
        yield
    finally:
        for layer, needed in zip(network.layers, before, strict=True):
            layer.needs_input_grad = needed


def occlusion(score: Score, picture: np.ndarray) -> np.ndarray:
    """Return by how much the score of a picture (H, W) uint8 falls under a grey patch, (H, W) float32.

    A pixel's value is the mean over all places of the patch that cover it; 0 where none does.
    """
    height, width = picture.shape
    corners = [(i, j) for i in range(0, height - PATCH + 1, STRIDE) for j in range(0, width - PATCH + 1, STRIDE)]
    covered = np.repeat(picture[None], len(corners) + 1, axis=0)
    for copy, (i, j) in zip(covered[1:], corners, strict=True):
        copy[i : i + PATCH, j : j + PATCH] = GREY
    scores = score(covered)
    total, count = np.zeros((2, height, width), np.float32)
    for (i, j), left in zip(corners, scores[1:], strict=True):
        total[i : i + PATCH, j : j + PATCH] += scores[0] - left
        count[i : i + PATCH, j : j + PATCH] += 1
    return np.divide(total, count, out=total, where=count > 0)


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of a drawing: `line` (n, 2), the points along it, and `rest`, the strokes that are left without it."""

    line: np.ndarray
    rest: list[np.ndarray]


def left_out(score: Score, strokes: Sequence[np.ndarray]) -> list[tuple[Piece, float]]:
    """Return the pieces of a drawing, each with how much the score falls when it is erased.

    What is left is scaled and centred anew, as it would be had the piece never been drawn.
    """
    if not strokes:
        return []
    found = list(islice(pieces(strokes), MAX_PIECES))
    pictures = np.array([strokes_to_image(drawing) for drawing in (strokes, *(piece.rest for piece in found))])
    whole, *without = score(pictures).tolist()
    return [(piece, whole - left) for piece, left in zip(found, without, strict=True)]


def pieces(strokes: Sequence[np.ndarray], count: int = PIECES) -> Iterator[Piece]:
    """Yield the strokes (n, 2) one after the other, long ones cut into pieces of about 1/count of the whole length."""
    along = [np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))]) for stroke in strokes]
    total = sum(lengths[-1] for lengths in along)
    for i, (stroke, lengths) in enumerate(zip(strokes, along, strict=True)):
        length = lengths[-1]
        cuts = np.linspace(0, length, 1 + (max(1, round(count * length / total)) if total else 1))
        for start, stop in pairwise(cuts.tolist()):
            ends = [(a, b) for a, b in ((0, start), (stop, length)) if a < b]
            rest = [_part(stroke, lengths, *end) for end in ends]
            yield Piece(_part(stroke, lengths, start, stop), [*strokes[:i], *rest, *strokes[i + 1 :]])


def _part(stroke: np.ndarray, along: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the part of a stroke (n, 2) from one length along it to another, its ends interpolated."""
    first, last = ([np.interp(place, along, stroke[:, axis]) for axis in (0, 1)] for place in (start, stop))
    return np.vstack([first, stroke[(along > start) & (along < stop)], last])
