"""Digits as the pen wrote them: the strokes of UCI's "Pen-Based Recognition of Handwritten Digits", in UNIPEN's format.

One digit is

    .SEGMENT DIGIT   17 ? "8"          (its place in the file, its label)
    .COMMENT 8  2  192                 (label, writer, number of the digit among the writer's 250)
    .PEN_DOWN                          one stroke: x and y of every point, y upwards
     221  271
    .PEN_UP
    .DT 100

Source: E. Alpaydin, F. Alimoglu, UCI Machine Learning Repository, CC BY 4.0.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

MAX_COORDINATE = 1_000_000  # no tablet tells so many points apart; far larger numbers have no finite distances


class PenDigit(NamedTuple):
    """A digit as one writer wrote it. strokes: float64 (n, 2) each, y downwards."""

    label: int
    writer: int
    number: int
    strokes: list[np.ndarray]


def read_unipen(path: str | Path) -> list[PenDigit]:
    """Return all digits of a UNIPEN file, compressed with gzip or not.

    Raises OSError or EOFError when it cannot be read and ValueError when it is something else.
    """
    with (gzip.open if Path(path).suffix == ".gz" else open)(path, "rt", encoding="ascii") as lines:
        return _parse(lines)


def _parse(lines: Iterable[str]) -> list[PenDigit]:
    digits: list[PenDigit] = []
    down = False
    for line in lines:
        match line.split():
            case [".COMMENT", label, writer, number]:
                digits.append(PenDigit(int(label), int(writer), int(number), []))
                down = False
            case [".PEN_DOWN"] if digits:
                digits[-1].strokes.append([])
                down = True
            case [".PEN_UP"]:
                down = False
            case [x, y] if down:
                digits[-1].strokes[-1].append(_point(x, y))
    if not digits or any(not 0 <= digit.label <= 9 for digit in digits):
        raise ValueError("no pen strokes of digits")
    return [digit._replace(strokes=[np.array(stroke) for stroke in digit.strokes if stroke]) for digit in digits]


def _point(x: str, y: str) -> tuple[float, float]:
    point = float(x), -float(y)
    if not all(abs(number) <= MAX_COORDINATE for number in point):  # NaN fails the comparison too
        raise ValueError("a point that is on no tablet")
    return point
