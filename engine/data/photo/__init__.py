"""A photo: the digits that somebody wrote on paper, a board or a screen, found and redrawn as MNIST would show them.

Five steps, each a module here:

1. Paper. A wide morphological closing wipes dark strokes out and leaves the light as it falls; its difference from the
   picture is how much darker the ink is, shadow or not. Light ink is dark ink of the inverted picture; both are tried,
   each under several windows (trials.py).
2. Pieces. What stands out from the noise and hangs together is a piece, cut anew at half of its own depth: a pale digit
   and a bold one each get the edge that an eye would see. An edge that is the closing's and not the picture's, a soft
   shadow and a frame are recognized and dropped.
3. Digits. Pieces that lie within or close above each other are one digit.
   What holds much finer writing is none, but a sheet on a desk.
4. Lines. The lines' common slope is the page's rotation, undone for every digit; lines are read from top to bottom.
   A sheet that lies at an angle says by its edges which way the lines go.
5. Pen. Each digit is scaled to 20×20, its strokes thinned or thickened towards MNIST's, its centre of mass put at
   (14, 14) of 28×28 (Y. LeCun et al., "The MNIST database of handwritten digits").

Digits that touch stay one piece, and are read as one digit or, if wider than any digit, not at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.data.handwriting import BOX, CENTRE, SIZE
from engine.data.photo.lines import in_reading_order, slope_of, tilt_of
from engine.data.photo.paper import denoised, reduced, resized
from engine.data.photo.pen import redraw, upright
from engine.data.photo.trials import seen_in, trial_of, trials_of
from engine.data.picture import MIN_SIDE

MAX_DIGITS = 50
OVERVIEW = 800  # the longer side of the picture that ink's colour and window are chosen on


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """A digit of a picture. Everything from the pixel (left, top) to the one before (right, bottom) is its box."""

    image: np.ndarray  # uint8 (28, 28), ink 255 on 0
    box: tuple[int, int, int, int]


def find_digits(picture: np.ndarray) -> tuple[list[FoundDigit], int]:
    """Return the first digits of a picture in reading order, at most 50, and how many there are in all.

    picture: finite numbers (H, W) from 0, black, to 255, white; the ink may be darker or lighter than its paper.

    Dark and light ink are tried, each under several windows of the closing; the trial with the most merit counts. On
    pictures above 800 pixels that is settled on a reduced one.
    """
    grey = np.clip(picture, 0, 255).astype(np.float32)
    if min(grey.shape) < MIN_SIDE:
        return [], 0
    if ready := _as_it_is(grey):
        return [ready], 1
    zoom = max(1, min(4, OVERVIEW // 2 // max(grey.shape)))  # edges are found to a pixel; small pictures need better
    grey = denoised(resized(grey, (zoom * grey.shape[0], zoom * grey.shape[1])))
    step = math.ceil(max(grey.shape) / OVERVIEW)
    trials = [
        (trial, light) for light in (False, True) for trial in trials_of(reduced(255 - grey if light else grey, step))
    ]
    best, light = max(trials, key=lambda pair: pair[0].merit_beside([trial for trial, _ in trials]))
    if step > 1:
        best = trial_of(255 - grey if light else grey, step * best.window, seen_in(best, step, grey.shape))
    pieces, digits = best.pieces, best.digits
    slope = slope_of(digits, tilt_of(grey, digits))
    first = [
        FoundDigit(
            redraw(upright(pieces, digit, slope)),
            (digit.left // zoom, digit.top // zoom, -(-digit.right // zoom), -(-digit.bottom // zoom)),
        )
        for digit in in_reading_order(digits, slope)[:MAX_DIGITS]
    ]
    return first, len(digits)


def _as_it_is(grey: np.ndarray) -> FoundDigit | None:
    """Return a picture of 28×28 unchanged that is like MNIST's already: an even paper, ink in 20×20, in the middle."""
    for image in (grey, 255 - grey):
        ink = image > 32  # what JPEG adds to black is weaker
        if grey.shape != (SIZE, SIZE) or not ink.any():
            continue
        rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
        box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
        off = [(image.sum(axis=axis) * np.arange(SIZE)).sum() / image.sum() - CENTRE for axis in (0, 1)]
        if BOX - 2 <= max(box[2] - box[0], box[3] - box[1]) <= BOX and np.abs(off).max() <= 1:
            return FoundDigit(np.rint(image).astype(np.uint8), box)
    return None
