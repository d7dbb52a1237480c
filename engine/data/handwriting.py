"""Handwriting: what a person drew, redrawn the way MNIST's digits were made.

A network that learned from MNIST knows digits that fill a box of 20×20 pixels, drawn with a pen about 2 pixels thick,
their centre of mass at pixel (14, 14) of 28×28 (Y. LeCun et al., "The MNIST database of handwritten digits"). A drawing
of another size, place or pen looks foreign to it. So a drawing's strokes are scaled to that box and redrawn with that
pen; the pen that the canvas showed never enters. A picture has no strokes, only ink: photo/ makes do with that.

Coordinates: x to the right, y downwards; the centre of pixel (row i, column j) of the result is (x, y) = (j, i).
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import reprlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.errors import N_, InputError, Text, shorten, unreadable

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

_GRID = np.arange(SIZE, dtype=np.float32)


# --- strokes ----------------------------------------------------------------------------------------------------------


def strokes_to_image(strokes: Sequence[Sequence[tuple[float, float]]]) -> np.ndarray:
    """Return the drawing as MNIST would show it: uint8 (28, 28), ink 255 on 0; no point at all gives zeros.

    strokes: one (n, 2) sequence of (x, y) for every stroke, in units of any size. With d the distance of a pixel's
    centre from the nearest stroke,

        ink = 255 · clip((PEN/2 + SOFTNESS/2 − d) / SOFTNESS, 0, 1)

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
    reach = BOX - PEN - SOFTNESS  # of the pen's centre, so that its ink reaches 20
    points = (points - (low + high) / 2) * (reach / side if side > DOT else 0.0)
    line, tips = _trace(points, np.cumsum([len(stroke) for stroke in strokes]))
    centre = (line if len(line) else tips).mean(axis=0)
    room, middle = (SIZE - BOX) / 2, (SIZE - 1) / 2
    points = np.concatenate([line, tips]) + np.clip(CENTRE - centre, middle - room, middle + room)
    ink = (PEN / 2 + SOFTNESS / 2 - _distance(points.astype(np.float32))) / SOFTNESS
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
    """Return the distance of every pixel of the picture from the nearest of `points`: (m, 2) → (28, 28)."""
    squares = (points[:, :, None] - _GRID) ** 2
    return np.sqrt((squares[:, 1, :, None] + squares[:, 0, None, :]).min(axis=0))


def parse_strokes(value: object) -> list[np.ndarray]:
    """Return strokes that came from outside (JSON: a list of lists of [x, y]) as float64 arrays (n, 2).

    Strokes without points are left out. Raises `InputError` for anything else than numbers from −10,000 to 10,000 in
    that form, and for more than `MAX_POINTS` points in all or `MAX_STROKES` strokes.
    """
    if not isinstance(value, list | tuple):
        raise InputError("strokes must be a list of strokes; received {value}.", value=_quote(value))
    if len(value) > MAX_STROKES:
        raise InputError(
            "strokes may hold at most {limit} strokes; received {count}.", limit=MAX_STROKES, count=len(value)
        )
    strokes, total = [], 0
    for i, stroke in enumerate(value):
        if not isinstance(stroke, list | tuple):
            raise InputError(
                "strokes[{stroke}] must be a list of points [x, y]; received {value}.", stroke=i, value=_quote(stroke)
            )
        total += len(stroke)
        if total > MAX_POINTS:
            raise InputError(
                "strokes may hold at most {limit} points in all; received {count} or more.",
                limit=MAX_POINTS,
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


def parse_picture(value: object) -> np.ndarray:
    """Return a picture that came from outside, 28 × 28 bytes in base64, as uint8 (28, 28). Raises `InputError`."""
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except ValueError:  # not ASCII, or not base64
        raw = b""
    if len(raw) != SIZE * SIZE:
        legal = Text(N_("28 × 28 bytes in base64"))
        raise InputError(
            N_("{field} must be {legal}, not {received}."), field="picture", legal=legal, received=shorten(value)
        )
    return np.frombuffer(raw, np.uint8).reshape(SIZE, SIZE)


def parse_drawing(line: bytes) -> dict[str, object]:
    """Return the JSON object of one line. Raises `InputError`."""
    try:
        drawing = json.loads(line)
    except (ValueError, RecursionError) as error:  # a ValueError is also what is not UTF-8
        raise InputError(N_("this is not a JSON object.")) from error
    if not isinstance(drawing, dict):
        raise InputError(N_("this is not a JSON object."))
    return drawing


def read_jsonl(path: str | os.PathLike[str]) -> list[np.ndarray]:
    """Return what a network is given of each drawing of a file, uint8 (28, 28).

    One drawing a line, `{"width": 280, "height": 280, "strokes": [[[x, y], ...], ...]}`; where there are no strokes,
    its "picture" counts (see `MyDigits`). Empty lines are skipped, all other keys are ignored: a drawing is recognized
    at any size. Raises `InputError` that names the file and the line.
    """
    file = Path(path)
    pictures = []
    try:
        with open(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    pictures.append(_picture_of_line(line.removeprefix(b"\xef\xbb\xbf"), file, number))
    except OSError as error:
        raise unreadable(file, error) from error
    return pictures


def _picture_of_line(line: bytes, file: Path, number: int) -> np.ndarray:
    try:
        drawing = parse_drawing(line)
        if "strokes" not in drawing:
            raise InputError('a drawing must be an object with "strokes"; received {value}.', value=_quote(drawing))
        strokes, picture = parse_strokes(drawing["strokes"]), drawing.get("picture")
        return strokes_to_image(strokes) if strokes or picture is None else parse_picture(picture)
    except InputError as error:
        raise InputError("{file}, line {line}: {problem}", file=str(file), line=number, problem=error.text) from error
