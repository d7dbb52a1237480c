"""Pen: a digit scaled to 20×20, its strokes thinned or thickened towards MNIST's, its centre of mass in the middle."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from engine.data.handwriting import BOX, CENTRE, PEN, SIZE
from engine.data.photo.digits import Digit
from engine.data.photo.paper import resized
from engine.data.photo.pieces import Pieces

FINE = 4  # a digit is worked on at this many times the resolution of the result
# Pens in pixels of the result. Measured on 750 digits of 30 writers (UCI's pen digits) drawn with pens of 3 to 25 % of
# their height, and on MNIST's thickest 672: thinning to 2.6 what is above 3 gains 2 points at 20 % and 4 at 25 %, and
# loses nothing elsewhere.
THICK, THINNED = 3.0, 2.6
CORE = 0.5  # of the pen's radius, put back around the centre line where thinning reaches it


def upright(pieces: Pieces, digit: Digit, slope: float) -> np.ndarray:
    """Return the digit's ink alone, 0 … 1, 0.5 where it was cut, the page's rotation undone: float32 (h, w)."""
    soft = 2  # pixels around the pieces that belong to their edge
    height, width = pieces.number.shape
    rows = slice(max(0, digit.top - soft), min(height, digit.bottom + soft))
    columns = slice(max(0, digit.left - soft), min(width, digit.right + soft))
    number = pieces.number[rows, columns]
    own = np.isin(number, np.add(digit.pieces, 1))
    near = _dilated(own, soft)[soft:-soft, soft:-soft] & (own | (number == 0))
    ink = np.where(near, np.clip(pieces.relief[rows, columns] / digit.depth, 0, 1), 0).astype(np.float32)
    angle = math.degrees(math.atan(slope))
    if abs(angle) < 1:
        return ink
    return np.asarray(Image.fromarray(np.pad(ink, 1)).rotate(angle, Image.Resampling.BILINEAR, expand=True))


def redraw(ink: np.ndarray) -> np.ndarray:
    """Return the ink (h, w), 0 … 1, as MNIST would show it: uint8 (28, 28).

    With t the pen's width and s the ink's longer side, the scale k and the pen p wanted solve k (s − t) + p = 19,
    because thinning and thickening move the outline, too; the averaging at the end widens it to 20. p is k t, but
    `PEN` where that is thinner, and `THINNED` where it is thicker than `THICK`.
    """
    half = ink.max() / 2  # 0.5, but where turning has blurred a hairline
    ink = _cropped(ink, ink >= half)
    mask = ink >= half
    edges = sum(np.count_nonzero(np.diff(np.pad(mask, 1), axis=axis)) for axis in (0, 1))
    side, pen = max(ink.shape), 2 * np.count_nonzero(mask) / (np.pi / 4 * edges)
    reach = BOX - 1
    scale = reach / side
    wanted = PEN if scale * pen < PEN else THINNED if scale * pen > THICK else None
    if wanted:
        scale = (reach - wanted) / (side - pen)
    grow = (wanted - scale * pen) / 2 * FINE if wanted else 0.0
    height, width = (max(1, round(n * scale * FINE)) for n in ink.shape)
    fine = resized(ink, (height, width))
    # A line thinner than one fine pixel covers only a part of it.
    mask = fine >= 0.5 * min(1.0, pen * scale * FINE, fine.max())
    mask = _dilated(mask, grow) if grow >= 0 else _dilated(_thinned(mask, round(CORE * FINE - grow)), CORE * FINE)
    mask = _cropped(mask, mask)
    sheet = np.zeros((FINE * SIZE, FINE * SIZE), np.float32)
    room = np.subtract(sheet.shape, mask.shape)
    centre = np.array([np.mean(places) for places in np.nonzero(mask)])
    top, left = np.clip(np.rint(FINE * (CENTRE + 0.5) - 0.5 - centre), 0, room).astype(int)
    sheet[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return np.rint(255 * sheet.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))).astype(np.uint8)


def _cropped(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the part of a picture that the mask reaches to."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _dilated(mask: np.ndarray, radius: float) -> np.ndarray:
    """Return the mask (h, w) with everything within `radius` of it, (h + 2r, w + 2r) with r the radius rounded up."""
    from scipy import ndimage

    r = math.ceil(radius)
    y, x = np.ogrid[-r : r + 1, -r : r + 1]
    disc = x * x + y * y <= (radius + 0.5) ** 2  # half a pixel: to the nearest whole one, not the next lower
    return ndimage.binary_dilation(np.pad(mask, r), disc)


def _thinned(mask: np.ndarray, layers: int) -> np.ndarray:
    """Return the mask without its outermost `layers` of pixels, except where that would break or shorten a line.

    Source: T. Y. Zhang, C. Y. Suen, "A fast parallel algorithm for thinning digital patterns", CACM 27 (1984).
    """
    framed = np.pad(mask, 1).astype(np.int8)
    inner = framed[1:-1, 1:-1]
    h, w = mask.shape
    around = [  # the eight neighbours clockwise from above, as views
        framed[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w]
        for dy, dx in ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    ]
    north, east, south, west = around[::2]
    for _ in range(layers):
        for corner in ((east, south, north, west), (north, west, east, south)):
            a, b, c, d = corner
            neighbours = sum(around)
            rises = sum((1 - p) & q for p, q in zip(around, around[1:] + around[:1], strict=True))
            loose = (a & b & (c | d)) == 0
            inner[(inner == 1) & (neighbours >= 2) & (neighbours <= 6) & (rises == 1) & loose] = 0
    return inner.astype(bool)
