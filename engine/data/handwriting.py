"""Handwriting: what a person drew or photographed, redrawn the way MNIST's digits were made.

A network that learned from MNIST knows digits that fill a box of 20×20 pixels, drawn with a pen about 2 pixels thick,
their centre of mass at pixel (14, 14) of 28×28 (Y. LeCun et al., "The MNIST database of handwritten digits"). A drawing
of another size, place or pen looks foreign to it. So a drawing's strokes are scaled to that box and redrawn with that
pen; the pen that the canvas showed never enters. A picture has no strokes, only ink: there the pen is measured and
thickened if it is too thin.

Coordinates: x to the right, y downwards; the centre of pixel (row i, column j) of the result is (x, y) = (j, i).
"""

from __future__ import annotations

import itertools
import json
import math
import os
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from engine.errors import N_, InputError, Text, shorten

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = 28
BOX = 20
CENTRE = 14
# Pen and softness of its edge, in pixels: the best of a grid over the 15 odd-numbered writers of UCI's "Pen-Based
# Recognition of Handwritten Digits", judged by three networks trained on MNIST. Anything from 1.8 to 2.4 and from 1.1
# to 1.5 is within 0.2 points of it.
PEN = 2.0
SOFTNESS = 1.3
DOT = 1e-9  # a drawing that is smaller is a dot, and not enlarged
SPACING = 0.5  # of the points along a stroke, in pixels: the outline is off by 0.03 at most, a sharp corner by 0.2
MAX_SAMPLES = 2_000

MAX_POINTS = 20_000
MAX_STROKES = 200
MAX_COORDINATE = 10_000
MAX_PIXELS = 40_000_000

_GRID = np.arange(SIZE, dtype=np.float32)


# --- strokes ----------------------------------------------------------------------------------------------------------


def strokes_to_image(
    strokes: Sequence[Sequence[tuple[float, float]]], *, pen: float = PEN, softness: float = SOFTNESS
) -> np.ndarray:
    """Return the drawing as MNIST would show it: uint8 (28, 28), ink 255 on 0; no point at all gives zeros.

    strokes: one (n, 2) sequence of (x, y) for every stroke, in units of any size. With d the distance of a pixel's
    centre from the nearest stroke,

        ink = 255 · clip((pen/2 + softness/2 − d) / softness, 0, 1)

    after the strokes were scaled so that the ink's longer side is 20, and moved so that the mean of all points, taken
    at equal distances along the strokes, lies at (14, 14), or as near to it as keeps the ink within the picture.
    That mean counts a line drawn twice twice. MNIST moved by whole pixels, to the centre of mass of the picture; the
    mean of the strokes gave 0.4 to 0.8 points more accuracy on the digits of people who had no part in the choice.
    """
    strokes = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]
    if not strokes:
        return np.zeros((SIZE, SIZE), np.uint8)
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    side = (high - low).max()
    reach = BOX - pen - softness  # of the pen's centre, so that its ink reaches 20
    points = (points - (low + high) / 2) * (reach / side if side > DOT else 0.0)
    line, tips = _trace(points, np.cumsum([len(stroke) for stroke in strokes]))
    centre = (line if len(line) else tips).mean(axis=0)
    room, middle = (SIZE - BOX) / 2, (SIZE - 1) / 2
    points = np.concatenate([line, tips]) + np.clip(CENTRE - centre, middle - room, middle + room)
    ink = (pen / 2 + softness / 2 - _distance(points.astype(np.float32))) / softness
    return np.rint(255 * np.clip(ink, 0, 1)).astype(np.uint8)


def _trace(points: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return points at equal distances along the strokes, and the two ends of every stroke: (n, 2) → (m, 2), (2s, 2).

    Stroke i is points[ends[i − 1] : ends[i]]. The way from one stroke to the next counts as length 0, so that no point
    falls on it. Where all strokes are dots, m = 0.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    steps[ends[:-1] - 1] = 0
    along = np.concatenate([[0.0], np.cumsum(steps)])
    length = along[-1]
    wanted = np.linspace(0, length, min(int(length / SPACING) + 2, MAX_SAMPLES) if length else 0)
    line = np.stack([np.interp(wanted, along, points[:, axis]) for axis in (0, 1)], axis=1)
    return line, points[np.concatenate([[0], ends[:-1], ends - 1])]


def _distance(points: np.ndarray) -> np.ndarray:
    """Return the distance of every pixel of the picture from the nearest of `points`: (m, 2) → (28, 28).

    A matrix product would do the same, but wakes the threads of BLAS, for which this runs too often.
    """
    squares = (points[:, :, None] - _GRID) ** 2
    return np.sqrt((squares[:, 1, :, None] + squares[:, 0, None, :]).min(axis=0))


def parse_strokes(value: object, *, max_points: int = MAX_POINTS, max_strokes: int = MAX_STROKES) -> list[np.ndarray]:
    """Return strokes that came from outside (JSON: a list of lists of [x, y]) as float64 arrays (n, 2).

    Strokes without points are left out. Raises `InputError` for anything else than numbers from −10,000 to 10,000 in
    that form, and for more than `max_points` points in all or `max_strokes` strokes.
    """
    if not isinstance(value, list | tuple):
        raise InputError("strokes must be a list of strokes; received {value}.", value=_quote(value))
    if len(value) > max_strokes:
        raise InputError(
            "strokes may hold at most {limit} strokes; received {count}.", limit=max_strokes, count=len(value)
        )
    strokes, total = [], 0
    for i, stroke in enumerate(value):
        if not isinstance(stroke, list | tuple):
            raise InputError(
                "strokes[{stroke}] must be a list of points [x, y]; received {value}.", stroke=i, value=_quote(stroke)
            )
        total += len(stroke)
        if total > max_points:
            raise InputError(
                "strokes may hold at most {limit} points in all; received {count} or more.",
                limit=max_points,
                count=total,
            )
        if stroke:
            strokes.append(_parse_stroke(stroke, i))
    return strokes


def _parse_stroke(stroke: Sequence[object], i: int) -> np.ndarray:
    """Return one stroke as an array. The common case is tested as a whole, in C; only an error looks for its point."""
    if set(map(type, stroke)) <= {list, tuple} and set(map(len, stroke)) == {2}:
        flat = list(itertools.chain.from_iterable(stroke))
        # NaN fails both comparisons; bool and str are other types.
        if set(map(type, flat)) <= {int, float} and all(-MAX_COORDINATE <= number <= MAX_COORDINATE for number in flat):
            return np.array(flat, np.float64).reshape(-1, 2)
    j, point = next((j, point) for j, point in enumerate(stroke) if not _is_point(point))
    raise InputError(
        "strokes[{stroke}][{point}] must be two numbers [x, y] from −{limit} to {limit}; received {value}.",
        stroke=i,
        point=j,
        limit=f"{MAX_COORDINATE:,}",
        value=_quote(point),
    )


def _is_point(point: object) -> bool:
    return (
        type(point) in (list, tuple)
        and len(point) == 2
        and all(type(number) in (int, float) and abs(number) <= MAX_COORDINATE for number in point)
    )


def _quote(value: object) -> str:
    """Return `value` for an error sentence; it may be huge or deeply nested, and is not written out whole."""
    try:
        return shorten(reprlib.repr(value))
    except (ValueError, RecursionError):
        return type(value).__name__


def read_jsonl(path: str | os.PathLike[str]) -> list[list[np.ndarray]]:
    """Return the drawings of a file with one a line, `{"width": 280, "height": 280, "strokes": [[[x, y], ...], ...]}`.

    Empty lines are skipped, all keys but "strokes" are ignored: a drawing is recognized at any size. Raises
    `InputError` that names the file and the line.
    """
    file = Path(path)
    drawings = []
    try:
        with open(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    drawings.append(_parse_line(line.removeprefix(b"\xef\xbb\xbf"), file, number))
    except OSError as error:
        raise InputError(
            "The file {file} could not be read: {reason}.", file=str(file), reason=error.strerror or str(error)
        ) from error
    return drawings


def _parse_line(line: bytes, file: Path, number: int) -> list[np.ndarray]:
    try:
        drawing = json.loads(line)
    except (ValueError, RecursionError) as error:  # a ValueError is also what is not UTF-8
        problem = Text(N_("this is not a JSON object."))
        raise InputError("{file}, line {line}: {problem}", file=str(file), line=number, problem=problem) from error
    try:
        if not isinstance(drawing, dict) or "strokes" not in drawing:
            raise InputError('a drawing must be an object with "strokes"; received {value}.', value=_quote(drawing))
        return parse_strokes(drawing["strokes"])
    except InputError as error:
        raise InputError("{file}, line {line}: {problem}", file=str(file), line=number, problem=error.text) from error


# --- pictures ---------------------------------------------------------------------------------------------------------

FINE = 8  # a picture is worked on at this many times the resolution of the result
MAX_SIDE = 1_000
MIN_CONTRAST = 24  # of 255; less between ink and paper is an empty sheet


def image_to_input(source: str | os.PathLike[str] | BinaryIO | Image) -> np.ndarray:
    """Return a picture of one digit as MNIST would show it: uint8 (28, 28), ink 255 on 0.

    source: the path of a PNG or JPEG file, such a file opened to read bytes, or a Pillow image.

    A plane through the border is taken for the paper, because light seldom falls evenly on a photograph; what differs
    from it to the side where most does is ink, where Otsu's threshold says so. The ink is cut out, scaled so that its
    longer side is 20, thickened to `PEN` where it is thinner, and moved so that its centre of mass lies at (14, 14). A
    picture that is like MNIST's already comes back unchanged; an empty sheet gives zeros.

    Raises `InputError` for a file that is not such a picture and for more than 40 million pixels.

    Source: N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 9 (1979).
    """
    grey = read_grey(source)
    relief = grey - _paper(grey)
    relief *= np.sign(relief.sum())
    relief = np.rint(np.clip(relief, 0, 255)).astype(np.uint8)  # 0 on paper, whatever its colour and the ink's
    ink = relief > _otsu(relief)
    if not ink.any() or ink.all():
        return np.zeros((SIZE, SIZE), np.uint8)
    paper, full = relief[~ink].mean(dtype=np.float32), relief[ink].mean(dtype=np.float32)
    if full - paper < MIN_CONTRAST:
        return np.zeros((SIZE, SIZE), np.uint8)
    if _is_like_mnist(relief):
        return relief
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _redraw(np.clip((relief[cut] - paper) / (full - paper), 0, 1), _thickness(ink[cut]))


def read_grey(source: str | os.PathLike[str] | BinaryIO | Image) -> np.ndarray:
    """Return the picture upright and opaque, its longer side below 2 · `MAX_SIDE`: uint8 (H, W), 0 black, 255 white."""
    from PIL import Image, UnidentifiedImageError

    if isinstance(source, Image.Image):
        return _grey(source, "–")
    file = str(source if isinstance(source, str | os.PathLike) else getattr(source, "name", "–"))
    try:
        # Two formats, because every decoder that may be asked is one more that may be attacked.
        with Image.open(source, formats=("PNG", "JPEG")) as picture:
            return _grey(picture, file)
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(file) from error
    except OSError as error:
        if isinstance(error, UnidentifiedImageError) or not error.strerror:
            raise _not_a_picture(file) from error
        raise InputError("The file {file} could not be read: {reason}.", file=file, reason=error.strerror) from error
    except Exception as error:  # on broken files Pillow's decoders raise SyntaxError, struct.error, IndexError and more
        raise _not_a_picture(file) from error


def _grey(picture: Image, file: str) -> np.ndarray:
    from PIL import Image, ImageOps

    if picture.width * picture.height > MAX_PIXELS:  # known from the header, before anything is decoded
        raise _too_large(file)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits a pixel; convert("L") would cut off what is above 255
        picture = Image.fromarray(np.rint(np.clip(np.asarray(picture, np.float32) / 257, 0, 255)).astype(np.uint8))
    opaque = not picture.has_transparency_data
    picture = picture.convert("L") if opaque else picture.convert("RGBA").convert("LA")
    picture = picture.reduce(max(1, max(picture.size) // MAX_SIDE))
    if opaque:
        return np.asarray(picture)
    grey, alpha = (np.asarray(band, np.float32) for band in picture.split())
    # Transparent paper is taken to be the opposite of what is drawn on it.
    paper = 255.0 if (grey * alpha).sum() <= 127.5 * alpha.sum() else 0.0
    return np.rint(paper + (grey - paper) * alpha / 255).astype(np.uint8)


def _too_large(file: str) -> InputError:
    return InputError(
        "The picture {file} is too large: at most {limit} million pixels are read.",
        file=file,
        limit=MAX_PIXELS // 1_000_000,
    )


def _not_a_picture(file: str) -> InputError:
    return InputError("The file {file} is not a whole PNG or JPEG picture.", file=file)


def _paper(grey: np.ndarray) -> np.ndarray:
    """Return the plane a + b y + c x that fits the border of a picture with the least sum of absolute residuals.

    Float32, (H, W). It is found by ten weighted least-squares fits, each weighing a pixel with 1/|residual| of the one
    before; ink that touches the border then hardly counts.
    """
    height, width = grey.shape
    y, x = np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32)
    frame = np.ones((height, width), bool)
    frame[1:-1, 1:-1] = False
    rows, columns = np.nonzero(frame)
    border = grey[frame].astype(np.float32)
    terms = np.stack([np.ones_like(border), y[rows], x[columns]], axis=1)
    fit = np.float32([np.median(border), 0, 0])
    for _ in range(10):
        weight = 1 / np.maximum(np.abs(border - terms @ fit), 1)[:, None]
        fit += np.linalg.lstsq(terms.T @ (terms * weight), terms.T @ ((border - terms @ fit)[:, None] * weight))[0][
            :, 0
        ]
    return fit[0] + fit[1] * y[:, None] + fit[2] * x


def _otsu(grey: np.ndarray) -> int:
    """Return the grey value t that maximises the variance between the pixels ≤ t and those > t.

    With ω(t) the share of the pixels ≤ t, μ(t) the sum of their values over all pixels and μ the mean of all,
    σ²(t) = (μ ω(t) − μ(t))² / (ω(t) (1 − ω(t))).
    """
    share = np.bincount(grey.ravel(), minlength=256) / grey.size
    below = np.cumsum(share)
    mass = np.cumsum(share * np.arange(256))
    spread = below * (1 - below)
    variance = np.divide((mass[-1] * below - mass) ** 2, spread, out=np.zeros(256), where=spread > 1e-12)
    return int(variance.argmax())


def _is_like_mnist(grey: np.ndarray) -> bool:
    """Whether light ink on black fills a box of 20×20 at most, its centre of mass within a pixel of (14, 14)."""
    if grey.shape != (SIZE, SIZE):
        return False
    strong = grey > 32  # what JPEG adds to black is weaker
    box = max(np.ptp(np.flatnonzero(strong.any(axis=axis))) for axis in (0, 1)) + 1
    return BOX - 2 <= box <= BOX and np.abs(_centre(grey) - CENTRE).max() <= 1


def _centre(ink: np.ndarray) -> np.ndarray:
    """Return the centre of mass (row, column), in pixels."""
    total = ink.sum(dtype=np.float64)
    return np.array([(ink.sum(axis=1 - axis) * np.arange(ink.shape[axis])).sum() / total for axis in (0, 1)])


def _thickness(ink: np.ndarray) -> float:
    """Return the width of the lines of a mask, in its pixels: twice the area over the perimeter.

    The perimeter is π/4 of the pixel edges between ink and paper (Cauchy–Crofton), for lines of all directions.
    """
    framed = np.pad(ink, 1)
    edges = sum(np.count_nonzero(np.diff(framed, axis=axis)) for axis in (0, 1))
    return 2 * np.count_nonzero(ink) / (np.pi / 4 * edges)


def _redraw(ink: np.ndarray, thickness: float) -> np.ndarray:
    """Return the ink (h, w), 0 … 1, cut to its edges, with lines `thickness` pixels wide, as uint8 (28, 28)."""
    from PIL import Image

    reach = BOX - 1  # the averaging at the end widens the ink by up to half a pixel on either side
    side = max(ink.shape)
    scale, grow = reach / side, 0.0
    if thickness * scale < PEN:
        # side · scale + 2 grow = reach and thickness · scale + 2 grow = PEN, solved for both
        scale = (reach - PEN) / (side - thickness)
        grow = (PEN - thickness * scale) / 2
    scale *= FINE
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    small = np.asarray(Image.fromarray(ink.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))
    # A line thinner than one fine pixel covers only a part of it.
    mask = _dilate(small >= 0.5 * min(1.0, thickness * scale, small.max()), grow * FINE)
    fine = np.zeros((FINE * SIZE, FINE * SIZE), np.float32)
    room = np.subtract(fine.shape, mask.shape)
    top, left = np.clip(np.rint(FINE * (CENTRE + 0.5) - 0.5 - _centre(mask)), 0, room).astype(int)
    fine[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return np.rint(255 * fine.reshape(SIZE, FINE, SIZE, FINE).mean(axis=(1, 3))).astype(np.uint8)


def _dilate(mask: np.ndarray, radius: float) -> np.ndarray:
    """Return the mask (h, w) with everything within `radius` of it, (h + 2r, w + 2r) with r the radius rounded up."""
    r = math.ceil(radius)
    h, w = mask.shape
    grown = np.zeros((h + 2 * r, w + 2 * r), bool)
    for dy, dx in itertools.product(range(-r, r + 1), repeat=2):
        if dy * dy + dx * dx <= (radius + 0.5) ** 2:  # half a pixel: to the nearest whole one, not the next lower
            grown[r + dy : r + dy + h, r + dx : r + dx + w] |= mask
    return grown
