"""Digits: the pieces that are writing, joined where they lie within or close above each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.data.photo.pieces import Pieces
from engine.data.picture import MIN_SIDE

DEPTH = 24  # of ink that is taken for writing, in grey levels,
DEEP = 5  # and in multiples of the noise
CONTACT = 0.25  # of the outline may lie on the border of the picture
DOUBT = 0.15  # see `Pieces`; of digits to 0.07, of a sheet's edge from 0.18
SHARPNESS = 0.25
THICKEST = 0.3  # pen over the longer side: of MNIST's 5,000 one is above; an empty sheet of A4 is from 0.31, at 45°
FINER = 2  # at least as many times the pen of what is written on it is the width of a sheet
ON_PAPER = 1.25  # merit times fineness of what is written on a sheet, over the sheet's merit; holes of digits: to 1.1
SMALLEST = 0.35  # height of a digit, in usual heights
MAX_PIECES = 300


@dataclass(frozen=True)
class Digit:
    """Pieces that are taken for one digit, and their measures together."""

    pieces: tuple[int, ...]
    left: int
    top: int
    right: int
    bottom: int
    area: float
    outline: float
    depth: float  # of the palest piece
    merit: float  # the picture's step across the outline, summed along it, less by the doubt about the outline

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def side(self) -> int:
        return max(self.width, self.height)

    @property
    def pen(self) -> float:
        return 2 * self.area / self.outline

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def __or__(self, other: Digit) -> Digit:
        return Digit(
            self.pieces + other.pieces,
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            self.area + other.area,
            self.outline + other.outline,
            min(self.depth, other.depth),
            self.merit + other.merit,
        )


def digits_of(pieces: Pieces, seen: np.ndarray | None = None) -> list[Digit]:
    """Return the digits that the pieces make up, in no order: of those alone that reach to `seen`, a mask (H, W)."""
    side = np.maximum(pieces.width, pieces.height)
    writing = (
        (pieces.depth >= max(DEPTH, DEEP * pieces.noise))
        & (pieces.contact <= CONTACT * pieces.outline)
        & (pieces.doubt <= DOUBT)
        & (pieces.sharpness >= SHARPNESS)
        & (pieces.pen <= 0.6 * side)
    )
    if seen is not None:
        writing &= np.isin(np.arange(len(writing)) + 1, pieces.number[seen])
    chosen = np.flatnonzero(writing)
    chosen = _unframed(pieces, chosen[np.argsort(-pieces.outline[chosen], kind="stable")][:MAX_PIECES])
    merit = pieces.outline * pieces.depth * pieces.sharpness * (1 - 5 * pieces.doubt)
    digits = [
        Digit(
            (int(i),),
            int(pieces.left[i]),
            int(pieces.top[i]),
            int(pieces.right[i]),
            int(pieces.bottom[i]),
            float(pieces.area[i]),
            float(pieces.outline[i]),
            float(pieces.depth[i]),
            float(merit[i]),
        )
        for i in chosen
    ]
    usual = usual_height([digit for digit in digits if digit.width <= 2 * digit.height])
    digits = [
        digit
        for digit in digits
        if 0.1 * usual <= digit.side
        and digit.height <= 2.5 * usual
        # a bar may be part of a digit, a ruled line is not
        and (digit.width <= 2.5 * usual or digit.height >= 0.6 * usual)
    ]
    digits = _joined(digits, usual)
    least = max(MIN_SIDE, SMALLEST * usual_height(digits))
    return [
        digit
        for digit in digits
        if digit.height >= least and digit.width <= 2 * digit.height and digit.pen <= THICKEST * digit.side
    ]


def is_paper(sheet: Digit, writing: list[Digit]) -> bool:
    """Return whether what was taken for a digit is a sheet on a desk: much or much finer writing lies within it."""
    within = sum(
        digit.merit * sheet.pen / digit.pen
        for digit in writing
        if sheet.left < digit.left
        and digit.right < sheet.right
        and sheet.top < digit.top
        and digit.bottom < sheet.bottom
        and FINER * digit.pen <= sheet.pen  # and not the same digit under another window
    )
    return within > ON_PAPER * sheet.merit


def _unframed(pieces: Pieces, chosen: np.ndarray) -> np.ndarray:
    """Return the chosen pieces without frames: those with ink on all sides of writing within (not of dots)."""
    left, top, right, bottom = (side[chosen] for side in (pieces.left, pieces.top, pieces.right, pieces.bottom))
    within = (left[:, None] < left) & (top[:, None] < top) & (right[:, None] > right) & (bottom[:, None] > bottom)
    outline = pieces.outline[chosen]
    within &= pieces.pen[chosen] <= 0.3 * np.maximum(right - left, bottom - top)
    frames = []
    for frame in np.flatnonzero(within @ outline >= 0.1 * outline):
        inner = np.flatnonzero(within[frame])
        largest = inner[outline[inner].argmax()]
        row, column = (top[largest] + bottom[largest]) // 2, (left[largest] + right[largest]) // 2
        across, down = pieces.number[row] == chosen[frame] + 1, pieces.number[:, column] == chosen[frame] + 1
        if across[:column].any() and across[column:].any() and down[:row].any() and down[row:].any():
            frames.append(chosen[frame])
    return chosen[~np.isin(chosen, frames)]


def usual_height(digits: list[Digit]) -> float:
    """Return the median of the heights, each weighed by its outline so that specks do not count."""
    return quantile([digit.height for digit in digits], [digit.outline for digit in digits], 0.5)


def _joined(digits: list[Digit], usual: float) -> list[Digit]:
    """Return the digits with those joined that are parts of one."""
    done: list[Digit] = []
    for digit in digits:
        while part := next((other for other in done if _are_one(digit, other, usual)), None):
            done.remove(part)
            digit |= part
        done.append(digit)
    return done


def _are_one(a: Digit, b: Digit, usual: float) -> bool:
    """Return whether two parts are one digit: a bar over a 5, the strokes of a 4, a stroke that broke."""
    large, small = (a, b) if a.side >= b.side else (b, a)
    across = min(a.right, b.right) - max(a.left, b.left)  # negative: the gap between the two
    along = min(a.bottom, b.bottom) - max(a.top, b.top)
    narrow = min(a.width, b.width)
    if across >= 0.8 * small.width and along >= 0.8 * small.height:
        return True  # one within the other
    pen = max(a.pen, b.pen)
    if across >= 0.6 * narrow and -along <= max(pen, 0.1 * usual):
        return True  # interlocked, or a stroke that broke, or the two rings of an 8
    if small.side < 0.6 * large.side and -across <= pen and -along <= pen:
        return True  # broken off
    partial = small.side < 0.6 * large.side or small.height < 0.5 * large.height
    return partial and across >= 0.4 * narrow and -along <= 0.3 * usual  # stacked


def quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    """Return the least value that, with those below it, has `share` of the weight; infinity where there is none."""
    order = np.argsort(values)
    weight = np.cumsum(np.asarray(weights)[order])
    return float(np.asarray(values)[order][np.searchsorted(weight, share * weight[-1])]) if len(order) else math.inf
