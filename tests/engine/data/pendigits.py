"""UCI's "Pen-Based Recognition of Handwritten Digits" in its original form (UNIPEN): what hands really draw on a pad.

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
from pathlib import Path
from typing import NamedTuple

import numpy as np

# The repository's sibling; not part of the project, and tests that need it skip without it.
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
PENDIGITS = SHARED / "pendigits" / "pendigits-orig.tra.gz"


class PenDigit(NamedTuple):
    label: int
    writer: int
    number: int
    strokes: list[np.ndarray]  # float64 (n, 2) each, y downwards


def read_pendigits(path: str | Path = PENDIGITS) -> list[PenDigit]:
    """Return all digits of a UNIPEN file, compressed or not."""
    digits, down = [], False
    with (gzip.open if Path(path).suffix == ".gz" else open)(path, "rt", encoding="ascii") as lines:
        for line in lines:
            match line.split():
                case [".COMMENT", label, writer, number]:
                    digits.append(PenDigit(int(label), int(writer), int(number), []))
                case [".PEN_DOWN"]:
                    digits[-1].strokes.append([])
                    down = True
                case [".PEN_UP"]:
                    down = False
                case [x, y] if down:
                    digits[-1].strokes[-1].append((float(x), -float(y)))
    return [digit._replace(strokes=[np.array(stroke) for stroke in digit.strokes if stroke]) for digit in digits]
