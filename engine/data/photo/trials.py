"""Trials: windows of the closing, wide and narrow, and what is found under each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.data.photo.digits import CONTACT, DEPTH, SMALLEST, Digit, digits_of, is_paper, quantile, usual_height
from engine.data.photo.pieces import Pieces, pieces_of
from engine.data.picture import MIN_SIDE


@dataclass(frozen=True, eq=False)
class Trial:
    """What is found under a window."""

    window: float
    pieces: Pieces
    digits: list[Digit]

    @property
    def merit(self) -> float:
        """How much good outline there is, see `Digit.merit`."""
        return sum(digit.merit for digit in self.digits)

    def merit_beside(self, trials: list[Trial]) -> float:
        """The merit of the digits that are not the paper of what other trials find."""
        return sum(d.merit for d in self.digits if not any(is_paper(d, trial.digits) for trial in trials))

    @property
    def pen(self) -> float:
        """The width of the thicker strokes: of the digits, or where there are none, of whatever stands out."""
        if self.digits:
            return quantile([digit.pen for digit in self.digits], [digit.outline for digit in self.digits], 0.9)
        real = (self.pieces.depth >= DEPTH) & (self.pieces.contact <= CONTACT * self.pieces.outline)
        return quantile(self.pieces.pen[real], self.pieces.outline[real], 0.5)


def trial_of(grey: np.ndarray, window: float, seen: np.ndarray | None = None) -> Trial:
    """Return what is found under a window, of digits those alone that reach to `seen`, a mask (H, W)."""
    pieces = pieces_of(grey, window)
    return Trial(window, pieces, digits_of(pieces, seen))


def trials_of(grey: np.ndarray) -> Iterator[Trial]:
    """Yield what is found under windows from wide to narrow.

    Half the long side is wide enough for one digit that fills the picture, a quarter of the short side for several;
    three times the pen, once that is known, follows the light most closely.
    """
    wide = [trial_of(grey, max(grey.shape) / 2), trial_of(grey, min(grey.shape) / 4)]
    yield from wide
    narrow = 3 * max(wide, key=lambda trial: trial.merit).pen
    if narrow < max(grey.shape) / 2:
        yield trial_of(grey, narrow)


def seen_in(overview: Trial, step: int, shape: tuple[int, int]) -> np.ndarray | None:
    """Return where the overview, reduced by `step`, shows digits, (H, W); None where it may have missed small ones.

    What shows elsewhere at full size only is no digit, but an edge of the sheet that is a pixel wide.
    """
    if usual_height(overview.digits) * SMALLEST < MIN_SIDE:
        return None
    seen = np.zeros(shape, bool)
    for digit in overview.digits:
        seen[step * digit.top : step * digit.bottom, step * digit.left : step * digit.right] = True
    return seen
