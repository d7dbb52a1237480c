"""A photo: the digits that somebody wrote on paper, a board or a screen, found and redrawn as MNIST would show them.

Five steps, each a few functions here:

1. Paper. A wide morphological closing wipes dark strokes out and leaves the light as it falls; its difference from the
   picture is how much darker the ink is, shadow or not. Light ink is dark ink of the inverted picture; both are tried.
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

import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from engine.data.handwriting import BOX, CENTRE, PEN, SIZE
from engine.errors import N_, InputError, unreadable

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
MIN_SIDE = 8
LONG_SIDE = 1600  # a larger picture is reduced to it
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # every other decoder would be one more that may be attacked
SUFFIXES = ("png", "jpg", "jpeg", "webp", "bmp", "gif")  # of files in these formats
MAX_DIGITS = 50


class PhotoError(InputError):
    """A file that is no picture, or none that can be read here."""


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """A digit of a picture. Everything from the pixel (left, top) to the one before (right, bottom) is its box."""

    image: np.ndarray  # uint8 (28, 28), ink 255 on 0
    box: tuple[int, int, int, int]


# --- the file ---------------------------------------------------------------------------------------------------------


def load_picture(data: bytes) -> np.ndarray:
    """Return the picture in a PNG, JPEG, WebP, BMP or GIF file (its first frame), upright and opaque.

    Float32 (H, W) from 0, black, to 255, white; the longer side is 1600 at most. What is transparent lies on white, or
    on black where light ink is all that a mostly transparent picture shows.

    Raises `PhotoError` for anything else, for more than 20 MB, for more than 40 million pixels to be decoded (of a JPEG
    in a single scan, what is left when it is reduced by a power of two), and for less than 8×8 pixels.
    """
    if len(data) > MAX_BYTES:
        raise PhotoError(
            N_("The picture must have at most {limit} MB; it has {size}."),
            limit=MAX_BYTES // 1_000_000,
            size=f"{len(data) / 1e6:.1f}",
        )
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            return _grey(picture, data)
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(
            N_("The picture must have at most {limit} million pixels; it has far more."), limit=MAX_PIXELS // 1_000_000
        ) from error
    except Exception as error:  # on broken files Pillow's decoders raise OSError, SyntaxError, struct.error and more
        raise PhotoError(
            N_("The file must be a whole PNG, JPEG, WebP, BMP or GIF picture; this one is not.")
        ) from error


def _in_one_scan(jpeg: bytes, components: int) -> bool:
    """Return whether a JPEG's first scan holds all its components, and each of them whole: it is not progressive.

    Anything else than segments of a marker and a length up to that scan counts as several scans.
    """
    at, baseline = 2, False
    while jpeg[at : at + 1] == b"\xff" and len(jpeg) > at + 4:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == 0xDA:  # start of scan; the number of its components is next
            return baseline and jpeg[at + 4] == components
        baseline = baseline or marker in (0xC0, 0xC1)
        at += 2 + length
    return False


def _grey(picture: Image.Image, data: bytes) -> np.ndarray:
    width, height = picture.size  # known from the header, before anything is decoded
    if min(picture.size) < MIN_SIDE:
        raise PhotoError(
            N_("The picture must have at least {limit}×{limit} pixels; it has {width}×{height}."),
            limit=MIN_SIDE,
            width=width,
            height=height,
        )
    # A large JPEG is decoded at a fraction of its size. Of several scans, all is kept in memory while that is done.
    whole = not _in_one_scan(data, getattr(picture, "layers", 0))  # JPEG and MPO, which telephones write, have layers
    picture.draft("L", (LONG_SIDE, LONG_SIDE))
    if (width * height if whole else picture.width * picture.height) > MAX_PIXELS:
        raise PhotoError(
            N_("The picture must have at most {limit} million pixels; it has {width}×{height}."),
            limit=MAX_PIXELS // 1_000_000,
            width=width,
            height=height,
        )
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits a pixel; convert("L") would cut off what is above 255
        picture = Image.fromarray(np.rint(np.clip(np.asarray(picture, np.float32) / 257, 0, 255)).astype(np.uint8))
    opaque = not picture.has_transparency_data
    picture = picture.convert("L" if opaque else "RGBA")
    picture.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.BILINEAR)
    if opaque:
        return np.asarray(picture, np.float32)
    grey, alpha = (np.asarray(band, np.float32) for band in picture.convert("LA").split())
    light_ink = alpha.mean() < 127.5 and (grey * alpha).sum() > 127.5 * alpha.sum()
    paper = 0.0 if light_ink else 255.0
    return paper + (grey - paper) * alpha / 255


def open_picture(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the picture in the file at `path`, float32 (H, W) as from `load_picture`.

    Raises `InputError` that names the file, if it cannot be read or holds no picture that `load_picture` takes.
    """
    try:
        with open(path, "rb") as file:
            return load_picture(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise unreadable(path, error) from error
    except PhotoError as error:
        raise InputError("{file}: {problem}", file=str(path), problem=error.text) from error


# --- the digits -------------------------------------------------------------------------------------------------------

OVERVIEW = 800  # the longer side of the picture that ink's colour and window are chosen on


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
    grey = _denoised(_resized(grey, (zoom * grey.shape[0], zoom * grey.shape[1])))
    step = math.ceil(max(grey.shape) / OVERVIEW)
    trials = [
        (trial, light) for light in (False, True) for trial in _trials(_reduced(255 - grey if light else grey, step))
    ]
    best, light = max(trials, key=lambda pair: pair[0].merit_beside([trial for trial, _ in trials]))
    if step > 1:
        best = _trial(255 - grey if light else grey, step * best.window, _seen(best, step, grey.shape))
    pieces, digits = best.pieces, best.digits
    slope = _slope(digits, _tilt(grey, digits))
    first = [
        FoundDigit(
            _redraw(_upright(pieces, digit, slope)),
            (digit.left // zoom, digit.top // zoom, -(-digit.right // zoom), -(-digit.bottom // zoom)),
        )
        for digit in _in_reading_order(digits, slope)[:MAX_DIGITS]
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


@dataclass(frozen=True, eq=False)
class _Trial:
    """What is found under a window."""

    window: float
    pieces: _Pieces
    digits: list[_Digit]

    @property
    def merit(self) -> float:
        """How much good outline there is, see `_Digit.merit`."""
        return sum(digit.merit for digit in self.digits)

    def merit_beside(self, trials: list[_Trial]) -> float:
        """The merit of the digits that are not the paper of what other trials find."""
        return sum(d.merit for d in self.digits if not any(_is_paper(d, trial.digits) for trial in trials))

    @property
    def pen(self) -> float:
        """The width of the thicker strokes: of the digits, or where there are none, of whatever stands out."""
        if self.digits:
            return _quantile([digit.pen for digit in self.digits], [digit.outline for digit in self.digits], 0.9)
        real = (self.pieces.depth >= DEPTH) & (self.pieces.contact <= CONTACT * self.pieces.outline)
        return _quantile(self.pieces.pen[real], self.pieces.outline[real], 0.5)


def _trial(grey: np.ndarray, window: float, seen: np.ndarray | None = None) -> _Trial:
    pieces = _pieces(grey, window)
    return _Trial(window, pieces, _digits(pieces, seen))


def _seen(overview: _Trial, step: int, shape: tuple[int, int]) -> np.ndarray | None:
    """Return where the overview, reduced by `step`, shows digits, (H, W); None where it may have missed small ones.

    What shows elsewhere at full size only is no digit, but an edge of the sheet that is a pixel wide.
    """
    if _usual_height(overview.digits) * SMALLEST < MIN_SIDE:
        return None
    seen = np.zeros(shape, bool)
    for digit in overview.digits:
        seen[step * digit.top : step * digit.bottom, step * digit.left : step * digit.right] = True
    return seen


def _trials(grey: np.ndarray) -> Iterator[_Trial]:
    """Yield what is found under windows from wide to narrow.

    Half the long side is wide enough for one digit that fills the picture, a quarter of the short side for several;
    three times the pen, once that is known, follows the light most closely.
    """
    wide = [_trial(grey, max(grey.shape) / 2), _trial(grey, min(grey.shape) / 4)]
    yield from wide
    narrow = 3 * max(wide, key=lambda trial: trial.merit).pen
    if narrow < max(grey.shape) / 2:
        yield _trial(grey, narrow)


def _resized(grey: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if grey.shape == shape:
        return grey
    return np.asarray(Image.fromarray(grey).resize(shape[::-1], Image.Resampling.BILINEAR))


def _reduced(grey: np.ndarray, step: int) -> np.ndarray:
    """Return the means of squares of `step` pixels: (H, W) → (⌈H/step⌉, ⌈W/step⌉)."""
    return np.asarray(Image.fromarray(grey).reduce(step)) if step > 1 else grey


def _denoised(grey: np.ndarray) -> np.ndarray:
    """Return the picture blurred as far as its noise asks for, not at all where there is little.

    The noise is measured by the median of |p − mean of the four neighbours of p|, which strokes and light hardly enter.
    """
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    noise = _deviation(grey[1:-1, 1:-1] - neighbours / 4) / math.sqrt(1.25)
    radius = min(1.2, noise / 5)
    if radius < 0.3:
        return grey
    picture = Image.fromarray(np.rint(grey).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32)


def _sample(values: np.ndarray) -> np.ndarray:
    """Return about 50,000 of the values at equal distances, for medians."""
    step = max(1, math.isqrt(values.size // 50_000))
    return values[::step, ::step]


def _deviation(values: np.ndarray) -> float:
    """Return the standard deviation of normally distributed values around 0 with outliers: 1.4826 median |v|."""
    return 1.4826 * float(np.median(np.abs(_sample(values))))


# --- paper ------------------------------------------------------------------------------------------------------------

COARSE = 400  # the longer side of the picture that the light is measured on


def _relief(grey: np.ndarray, window: float) -> tuple[np.ndarray, float]:
    """Return how much darker than its paper every pixel is, (H, W), and the paper's noise in the same unit.

    The paper is the morphological closing with a square `window` wide: the maximum over the window around every pixel,
    then the minimum of those. Strokes narrower than the window vanish in it; slopes and edges of the light remain.
    """
    step = max(1, round(max(grey.shape) / COARSE))
    width = max(3, math.ceil(window / step))
    paper = _slide(_slide(_reduced(grey, step), width, np.maximum), width, np.minimum)
    relief = _resized(paper, grey.shape) - grey
    relief -= np.median(_sample(relief))  # the maximum over noise lies above the paper
    return relief, _deviation(relief)


def _slide(grey: np.ndarray, width: int, extreme: np.ufunc) -> np.ndarray:
    """Return the maximum or minimum over the square of `width` pixels (odd, or one more) around every pixel, (H, W)."""
    from scipy import ndimage  # takes a third of a second, and most visitors bring no photo

    slide = ndimage.maximum_filter if extreme is np.maximum else ndimage.minimum_filter
    return slide(grey, 2 * (width // 2) + 1, mode="nearest")


# --- pieces -----------------------------------------------------------------------------------------------------------

FAINTEST = 12  # grey levels between paper and the palest ink that is looked at
CLEAR = 4  # and as many times the noise


@dataclass(frozen=True, eq=False)
class _Pieces:
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
    support: np.ndarray  # the share of the steps in the relief across the outline that the picture itself has; ink: 1
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


def _pieces(grey: np.ndarray, window: float) -> _Pieces:
    """Return the pieces of dark ink on lighter paper.

    What is `CLEAR` times the noise deep hangs together in a first set of pieces. The depth of each is Σ d⁴ / Σ d³ over
    its pixels: a mean in which the core of the strokes counts, not the blurred edge. Cut anew at half of that it may
    fall apart; those are the pieces.

    The outline's length is π/4 of the pixel edges along it (Cauchy–Crofton).
    """
    relief, noise = _relief(grey, window)
    least = max(FAINTEST, CLEAR * noise)
    mask = relief > least
    piece, count = _label(mask)
    d = relief[mask]
    depth = np.bincount(piece, d**4, count) / np.bincount(piece, d**3, count)
    cut = np.maximum(depth / 2, least)[piece]
    mask[mask] = d > cut
    cut = cut[d > cut]
    piece, count = _label(mask)
    number = np.zeros(grey.shape, np.int32)
    number[mask] = piece + 1
    area = np.bincount(piece, minlength=count)
    rows, columns = np.nonzero(mask)
    low, high = np.full((2, count), max(grey.shape)), np.zeros((2, count), int)
    for axis, places in enumerate((rows, columns)):
        np.minimum.at(low[axis], piece, places)
        np.maximum.at(high[axis], piece, places + 1)
    border = np.concatenate([number[0], number[-1], number[:, 0], number[:, -1]])
    edges, in_picture, in_relief = _steps(grey, relief, number, area)
    depth = 2 * np.bincount(piece, cut, count) / area
    return _Pieces(
        relief,
        number,
        low[1],
        low[0],
        high[1],
        high[0],
        area,
        np.pi / 4 * edges,
        np.bincount(border, minlength=count + 1)[1:],
        depth,
        noise,
        in_picture / np.maximum(in_relief, 1e-9),
        in_picture / (edges * depth),
    )


def _label(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Return for every pixel of the mask, row by row, the number of its piece (8 neighbours), and their count."""
    from scipy import ndimage

    number, count = ndimage.label(mask, np.ones((3, 3)))
    return number[mask] - 1, count


def _steps(grey: np.ndarray, relief: np.ndarray, number: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return for every piece its edges between ink and paper, and the sums of the steps of picture and relief there.

    A step is the difference between a pixel on the paper's side and one on the ink's, a little way from the edge,
    because no picture is quite sharp: a quarter of the pen.
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
    in_picture, in_relief = np.zeros(count), np.zeros(count)
    for places, way in outer:
        piece = framed.ravel()[places]
        paper, core = places + away[piece] * way, places - within[piece] * way
        in_picture += np.bincount(piece, grey[paper] - grey[core], count)
        in_relief += np.bincount(piece, np.maximum(relief[core] - relief[paper], 0), count)
    return edges[1:], in_picture[1:], in_relief[1:]


def _quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    """Return the least value that, with those below it, has `share` of the weight; infinity where there is none."""
    order = np.argsort(values)
    weight = np.cumsum(np.asarray(weights)[order])
    return float(np.asarray(values)[order][np.searchsorted(weight, share * weight[-1])]) if len(order) else math.inf


# --- digits -----------------------------------------------------------------------------------------------------------

DEPTH = 24  # of ink that is taken for writing, in grey levels,
DEEP = 5  # and in multiples of the noise
CONTACT = 0.25  # of the outline may lie on the border of the picture
DOUBT = 0.15  # how far the support of an outline may be from 1
SHARPNESS = 0.25
FINER = 2  # at least as many times the pen of what is written on it is the width of a sheet
ON_PAPER = 1.25  # merit times fineness of what is written on a sheet, over the sheet's merit; holes of digits: to 1.1
SMALLEST = 0.35  # height of a digit, in usual heights
MAX_PIECES = 300


@dataclass(frozen=True)
class _Digit:
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

    def __or__(self, other: _Digit) -> _Digit:
        return _Digit(
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


def _digits(pieces: _Pieces, seen: np.ndarray | None = None) -> list[_Digit]:
    """Return the digits that the pieces make up, in no order: of those alone that reach to `seen`, a mask (H, W)."""
    doubt = np.abs(pieces.support - 1)
    side = np.maximum(pieces.width, pieces.height)
    writing = (
        (pieces.depth >= max(DEPTH, DEEP * pieces.noise))
        & (pieces.contact <= CONTACT * pieces.outline)
        & (doubt <= DOUBT)
        & (pieces.sharpness >= SHARPNESS)
        & (pieces.pen <= 0.6 * side)
    )
    if seen is not None:
        writing &= np.isin(np.arange(len(writing)) + 1, pieces.number[seen])
    chosen = np.flatnonzero(writing)
    chosen = _unframed(pieces, chosen[np.argsort(-pieces.outline[chosen], kind="stable")][:MAX_PIECES])
    merit = pieces.outline * pieces.depth * pieces.sharpness * (1 - 5 * doubt)
    digits = [
        _Digit(
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
    usual = _usual_height([digit for digit in digits if digit.width <= 2 * digit.height])
    digits = [
        digit
        for digit in digits
        if 0.1 * usual <= digit.side
        and digit.height <= 2.5 * usual
        # a bar may be part of a digit, a ruled line is not
        and (digit.width <= 2.5 * usual or digit.height >= 0.6 * usual)
    ]
    digits = _joined(digits, usual)
    least = max(MIN_SIDE, SMALLEST * _usual_height(digits))
    return [
        digit
        for digit in digits
        if digit.height >= least and digit.width <= 2 * digit.height and digit.pen <= 0.5 * digit.side
    ]


def _is_paper(sheet: _Digit, writing: list[_Digit]) -> bool:
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


def _unframed(pieces: _Pieces, chosen: np.ndarray) -> np.ndarray:
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


def _usual_height(digits: list[_Digit]) -> float:
    """Return the median of the heights, each weighed by its outline so that specks do not count."""
    return _quantile([digit.height for digit in digits], [digit.outline for digit in digits], 0.5)


def _joined(digits: list[_Digit], usual: float) -> list[_Digit]:
    """Return the digits with those joined that are parts of one."""
    done: list[_Digit] = []
    for digit in digits:
        while part := next((other for other in done if _are_one(digit, other, usual)), None):
            done.remove(part)
            digit |= part
        done.append(digit)
    return done


def _are_one(a: _Digit, b: _Digit, usual: float) -> bool:
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


# --- lines ------------------------------------------------------------------------------------------------------------

MAX_SLOPE = math.tan(math.radians(20))
TILTED = 10  # degrees; what is less is measured as well by the lines of digits
DISAGREED = math.tan(math.radians(5))  # lines that leave a sheet's edges by more are not written along them
EDGE = 3  # grey levels a pixel of the reduced picture, and `CLEAR` times what is usual there, are an edge


def _tilt(grey: np.ndarray, digits: list[_Digit]) -> float:
    """Return the slope of what may be a sheet's edges, downwards to the right, if it clearly lies at an angle, 0 else.

    A Hough transform: every pixel on an edge, but of the digits, votes for the lines through it that are nearly square
    to its gradient; the votes for a line are its length. A sheet has long lines in two directions square to each other.
    The direction with the largest sum of squared votes wins.

    A shadow or an object has such edges, too. Lines of digits tell, see `_slope`. Where the digits form none, as a
    single one, each must lie on the brighter side of long lines in three of the four directions: it does within a
    sheet on a darker desk (of which the picture may cut one side off), but not within a shadow; beside a dark rectangle
    it does in two at most. A sheet on a lighter desk looks like a shadow, and does not count.
    """
    from scipy import ndimage

    step = max(1, round(max(grey.shape) / COARSE))
    fine = ndimage.gaussian_filter(_reduced(grey, step), 1)
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
    signed = np.zeros((360, 2 * reach + 1))  # normals point to the brighter side
    for off in range(-5, 6):
        angle = (normal + off) % 360
        distance = np.rint(x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))).astype(int) + reach
        np.add.at(signed, (angle, distance), 1)
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
        if sum(signed[angle, :place].max(initial=0) >= long for angle, place in zip(angles, places, strict=True)) < 3:
            return 0.0
    return tilt


def _lines(digits: list[_Digit], tilt: float) -> list[np.ndarray]:
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


def _slope(digits: list[_Digit], tilt: float = 0.0) -> float:
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
        alone = _slope(digits)
        if len(_lines(digits, 0.0)) < len(lines) or (abs(slope) > DISAGREED and abs(alone) < abs(slope)):
            return alone
    return float((tilt + slope) / (1 - tilt * slope))


def _in_reading_order(digits: list[_Digit], slope: float) -> list[_Digit]:
    """Return the digits line by line, those of a line from left to right, along the slope."""
    if not digits:
        return []
    h = float(np.median([digit.height for digit in digits]))

    def depth(digit: _Digit) -> float:
        return (digit.centre[1] - slope * digit.centre[0]) / math.hypot(1, slope)

    lines: list[list[_Digit]] = []
    for digit in sorted(digits, key=depth):
        if lines and depth(digit) - np.mean([depth(other) for other in lines[-1]]) <= 0.6 * h:
            lines[-1].append(digit)
        else:
            lines.append([digit])
    return [digit for line in lines for digit in sorted(line, key=lambda one: one.centre[0] + slope * one.centre[1])]


# --- the pen ----------------------------------------------------------------------------------------------------------

FINE = 4  # a digit is worked on at this many times the resolution of the result
# Pens in pixels of the result. Measured on 750 digits of 30 writers (UCI's pen digits) drawn with pens of 3 to 25 % of
# their height, and on MNIST's thickest 672: thinning to 2.6 what is above 3 gains 2 points at 20 % and 4 at 25 %, and
# loses nothing elsewhere.
THICK, THINNED = 3.0, 2.6
CORE = 0.5  # of the pen's radius, put back around the centre line where thinning reaches it


def _upright(pieces: _Pieces, digit: _Digit, slope: float) -> np.ndarray:
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


def _redraw(ink: np.ndarray) -> np.ndarray:
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
    fine = _resized(ink, (height, width))
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
