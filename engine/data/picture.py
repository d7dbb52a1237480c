"""A picture file: PNG, JPEG, WebP, BMP or GIF, as an upright array of greys; what is none, or too large, is refused."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image, ImageOps

from engine.errors import N_, InputError, unreadable

MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
MIN_SIDE = 8
LONG_SIDE = 1600  # a larger picture is reduced to it
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # every other decoder would be one more that may be attacked
SUFFIXES = ("png", "jpg", "jpeg", "webp", "bmp", "gif")  # of files in these formats


class PictureError(InputError):
    """A file that is no picture, or none that can be read here."""


def load_picture(data: bytes) -> np.ndarray:
    """Return the picture in a PNG, JPEG, WebP, BMP or GIF file (its first frame), upright and opaque.

    Float32 (H, W) from 0, black, to 255, white; the longer side is 1600 at most. What is transparent lies on white, or
    on black where light ink is all that a mostly transparent picture shows.

    Raises `PictureError` for anything else, for more than 20 MB, for more than 40 million pixels to be decoded (of a
    JPEG in a single scan, what is left when it is reduced by a power of two), and for less than 8×8 pixels.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(
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
        raise PictureError(
            N_("The picture must have at most {limit} million pixels; it has far more."), limit=MAX_PIXELS // 1_000_000
        ) from error
    except Exception as error:  # on broken files Pillow's decoders raise OSError, SyntaxError, struct.error and more
        raise PictureError(
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
        raise PictureError(
            N_("The picture must have at least {limit}×{limit} pixels; it has {width}×{height}."),
            limit=MIN_SIDE,
            width=width,
            height=height,
        )
    # A large JPEG is decoded at a fraction of its size. Of several scans, all is kept in memory while that is done.
    whole = not _in_one_scan(data, getattr(picture, "layers", 0))  # JPEG and MPO, which telephones write, have layers
    picture.draft("L", (LONG_SIDE, LONG_SIDE))
    if (width * height if whole else picture.width * picture.height) > MAX_PIXELS:
        raise PictureError(
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
    except PictureError as error:
        raise InputError("{file}: {problem}", file=str(path), problem=error.text) from error
