"""Pieces: what stands out from the noise and hangs together, cut anew at half of its own depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.photo.paper import relief_of

FAINTEST = 12  # grey levels between paper and the palest ink that is looked at
CLEAR = 4  # and as many times the noise


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of ink that hang together, by their number 0, 1, …; of every one its measures, arrays (n,)."""

    relief: np.ndarray  # (H, W), how much darker than its paper a pixel is
    number: np.ndarray  # int32 (H, W), 1 + the number of the piece, 0 on paper
    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray
    area: np.ndarray
    outline: np.ndarray
    contact: np.ndarray  # pixels on the border of the picture
    depth: np.ndarray  # of the ink, twice the threshold that the piece was cut at
    noise: float  # of the paper
    doubt: np.ndarray  # how far the picture's steps across the outline are from the relief's, of those; ink: 0
    sharpness: np.ndarray  # the picture's step across the outline over the depth; soft shadows: little

    @property
    def pen(self) -> np.ndarray:
        """The width of the strokes: twice the area over the outline."""
        return 2 * self.area / self.outline

    @property
    def width(self) -> np.ndarray:
        return self.right - self.left

    @property
    def height(self) -> np.ndarray:
        return self.bottom - self.top


def pieces_of(grey: np.ndarray, window: float) -> Pieces:
    """Return the pieces of dark ink on lighter paper.

    What is `CLEAR` times the noise deep hangs together in a first set of pieces. The depth of each is Σ d⁴ / Σ d³ over
    its pixels: a mean in which the core of the strokes counts, not the blurred edge. Cut anew at half of that it may
    fall apart; those are the pieces.

    The outline's length is π/4 of the pixel edges along it (Cauchy–Crofton).
    """
    from scipy import ndimage

    relief, noise = relief_of(grey, window)
    least = max(FAINTEST, CLEAR * noise)
    mask = relief > least
    piece, count = label(mask)
    d = relief[mask]
    depth = np.bincount(piece, d**4, count) / np.bincount(piece, d**3, count)
    cut = np.maximum(depth / 2, least)[piece]
    mask[mask] = d > cut
    cut = cut[d > cut]
    piece, count = label(mask)
    number = np.zeros(grey.shape, np.int32)
    number[mask] = piece + 1
    area = np.bincount(piece, minlength=count)
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(number)]
    border = np.concatenate([number[0], number[-1], number[:, 0], number[:, -1]])
    edges, in_picture, doubt = _steps(grey, relief, number, area)
    depth = 2 * np.bincount(piece, cut, count) / area
    return Pieces(
        relief,
        number,
        *np.array(boxes, int).reshape(-1, 4).T,
        area,
        np.pi / 4 * edges,
        np.bincount(border, minlength=count + 1)[1:],
        depth,
        noise,
        doubt,
        in_picture / (edges * depth),
    )


def label(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Return for every pixel of the mask, row by row, the number of its piece (8 neighbours), and their count."""
    from scipy import ndimage

    number, count = ndimage.label(mask, np.ones((3, 3)))
    return number[mask] - 1, count


def _steps(grey: np.ndarray, relief: np.ndarray, number: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return for every piece its edges between ink and paper, the sum of the picture's steps there, and the doubt.

    A step is the difference between a pixel on the paper's side and one on the ink's, a little way from the edge,
    because no picture is quite sharp: a quarter of the pen. Steps of picture and relief are compared on each of the
    four sides: at the edge of a sheet a sliver of shadow has twice its step on one side and none on the other.
    """
    reach = 8
    framed = np.pad(number, reach)
    grey, relief = np.pad(grey, reach, mode="edge").ravel(), np.pad(relief, reach, mode="edge").ravel()
    ink = framed > 0
    row = framed.shape[1]
    count = len(area) + 1
    sides = [
        (ink & ~np.roll(ink, -shift, axis), shift * (row if axis == 0 else 1)) for axis in (0, 1) for shift in (1, -1)
    ]
    outer = [(np.flatnonzero(side), way) for side, way in sides]
    edges = sum(np.bincount(framed.ravel()[places], minlength=count) for places, _ in outer)
    pen = 2 * np.concatenate([[1], area]) / np.maximum(np.pi / 4 * edges, 1)
    away = np.clip(np.rint(pen / 4) + 1, 2, reach).astype(int)
    within = np.minimum(away - 1, np.maximum(pen / 2 - 0.5, 0)).astype(int)
    in_picture, in_relief, apart = np.zeros(count), np.zeros(count), np.zeros(count)
    for places, way in outer:
        piece = framed.ravel()[places]
        paper, core = places + away[piece] * way, places - within[piece] * way
        of_picture = np.bincount(piece, grey[paper] - grey[core], count)
        of_relief = np.bincount(piece, np.maximum(relief[core] - relief[paper], 0), count)
        in_picture += of_picture
        in_relief += of_relief
        apart += np.abs(of_picture - of_relief)
    return edges[1:], in_picture[1:], (apart / np.maximum(in_relief, 1e-9))[1:]
