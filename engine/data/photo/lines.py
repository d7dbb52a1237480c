"""Lines: the slope that they have in common is the page's rotation; digits are read line by line along it."""

from __future__ import annotations

import math

import numpy as np

from engine.data.photo.digits import Digit
from engine.data.photo.paper import COARSE, reduced
from engine.data.photo.pieces import CLEAR

MAX_SLOPE = math.tan(math.radians(20))
TILTED = 10  # degrees; what is less is measured as well by the lines of digits
DISAGREED = math.tan(math.radians(5))  # lines that leave a sheet's edges by more are not written along them
SHARP = 1.8  # times the slope of the same edge blurred by 3 pixels: of edges that fade over σ = 1.6 pixels or less
EDGE = 3  # grey levels a pixel of the reduced picture, and `CLEAR` times what is usual there, are an edge


def tilt_of(grey: np.ndarray, digits: list[Digit]) -> float:
    """Return the slope of what may be a sheet's edges, downwards to the right, if it clearly lies at an angle, 0 else.

    A Hough transform: every pixel on an edge, but of the digits, votes for the lines through it that are nearly square
    to its gradient; the votes for a line are its length. A sheet has long lines in two directions square to each other.
    The direction with the largest sum of squared votes wins.

    A shadow or an object has such edges, too. Lines of digits tell, see `slope_of`. Where the digits form none, as a
    single one, each must lie on the brighter side of long lines in three of the four directions: it does within a
    sheet on a darker desk (of which the picture may cut one side off), but not within a shadow; beside a dark rectangle
    it does in two at most. Within a sheet on a lighter desk it lies on the darker side, as within a shadow: that counts
    where the lines are sharp.
    """
    from scipy import ndimage

    step = max(1, round(max(grey.shape) / COARSE))
    fine = ndimage.gaussian_filter(reduced(grey, step), 1)
    dy, dx = np.gradient(fine)
    size = np.hypot(dx, dy)
    edge = size > max(EDGE, CLEAR * float(np.median(size)))
    for digit in digits:
        soft = 3  # pixels of the blurred edge
        rows = slice(max(0, digit.top // step - soft), digit.bottom // step + soft)
        edge[rows, max(0, digit.left // step - soft) : digit.right // step + soft] = False
    y, x = np.nonzero(edge)
    normal = np.rint(np.degrees(np.arctan2(dy[edge], dx[edge]))).astype(int)
    reach = math.ceil(math.hypot(*fine.shape))
    sharp = size[edge] >= SHARP * np.hypot(*np.gradient(ndimage.gaussian_filter(reduced(grey, step), 3)))[edge]
    signed, clear = np.zeros((2, 360, 2 * reach + 1))  # normals point to the brighter side
    for off in range(-5, 6):
        angle = (normal + off) % 360
        distance = np.rint(x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))).astype(int) + reach
        np.add.at(signed, (angle, distance), 1)
        np.add.at(clear, (angle[sharp], distance[sharp]), 1)
    votes = signed[:180] + signed[180:, ::-1]  # the same line, whichever side is brighter
    squares, longest = (votes**2).sum(axis=1), votes.max(axis=1)
    best = int((squares[:90] + squares[90:]).argmax())
    long = 0.2 * min(fine.shape)
    if min(longest[best], longest[best + 90]) < long:
        return 0.0
    degrees = best if best < 45 else best - 90
    tilt = math.tan(math.radians(degrees))
    if abs(degrees) < TILTED:
        return 0.0
    if len(_lines(digits, tilt)) < len(digits):
        return tilt
    angles = best + np.arange(0, 360, 90)
    across = np.array([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    for digit in digits:
        places = np.rint(np.divide(digit.centre, step) @ across).astype(int) + reach
        sides = list(zip(angles, places, strict=True))
        brighter = sum(signed[angle, :place].max(initial=0) >= long for angle, place in sides)
        darker = sum(clear[angle, place:].max(initial=0) >= long for angle, place in sides)
        if max(brighter, darker) < 3:
            return 0.0
    return tilt


def _lines(digits: list[Digit], tilt: float) -> list[np.ndarray]:
    """Return the lines that the digits form along a slope: the centres (n, 2), as on a sheet that lies straight.

    Every digit is linked to the nearest one to its right that may follow it.
    """
    if not digits:
        return []
    h = float(np.median([digit.height for digit in digits]))
    turn = np.array([[1, -tilt], [tilt, 1]]) / math.hypot(1, tilt)
    centres = np.array([digit.centre for digit in digits]) @ turn
    number = list(range(len(digits)))
    for i, (x, y) in enumerate(centres):
        following = [
            (right - x, j)
            for j, (right, below) in enumerate(centres)
            if 0 < right - x <= 3 * h and abs(below - y) <= 0.3 * h + MAX_SLOPE * (right - x)
        ]
        if following:
            old, new = number[i], number[min(following)[1]]
            number = [new if other == old else other for other in number]
    return [centres[np.equal(number, one)] for one in dict.fromkeys(number)]


def slope_of(digits: list[Digit], tilt: float = 0.0) -> float:
    """Return the slope of the lines that the digits stand in, downwards to the right; `tilt` for a single digit.

    tilt: the slope of edges that may be the sheet's. If so, the lines differ little from it. If the digits form fewer
    lines without it, or lines that differ more from it than from the level, they are measured without it.

    Over all lines that the digits form:

        slope = Σ (x − x̄)(y − ȳ) / (Σ (x − x̄)² + h²),   x̄, ȳ: means of the digit's line, h: the median height

    The term h² is what a page at 7° (the expected rotation) and digits that dance by an eighth of their height make
    likeliest: two digits say little about the page, five say nearly all.
    """
    if len(digits) < 2:
        return tilt
    h = float(np.median([digit.height for digit in digits]))
    xy = xx = 0.0
    lines = _lines(digits, tilt)
    for line in lines:
        x, y = (line - line.mean(axis=0)).T
        xy, xx = xy + x @ y, xx + x @ x
    slope = np.clip(xy / (xx + h * h), -MAX_SLOPE, MAX_SLOPE)
    if tilt:
        alone = slope_of(digits)
        if len(_lines(digits, 0.0)) < len(lines) or (abs(slope) > DISAGREED and abs(alone) < abs(slope)):
            return alone
    return float((tilt + slope) / (1 - tilt * slope))


def in_reading_order(digits: list[Digit], slope: float) -> list[Digit]:
    """Return the digits line by line, those of a line from left to right, along the slope."""
    if not digits:
        return []
    h = float(np.median([digit.height for digit in digits]))

    def depth(digit: Digit) -> float:
        return (digit.centre[1] - slope * digit.centre[0]) / math.hypot(1, slope)

    lines: list[list[Digit]] = []
    for digit in sorted(digits, key=depth):
        if lines and depth(digit) - np.mean([depth(other) for other in lines[-1]]) <= 0.6 * h:
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [digit for line in lines for digit in sorted(line, key=lambda one: one.centre[0] + slope * one.centre[1])]
