"""IDX, the file format of MNIST: a magic number, the sizes of the axes, and then nothing but the values.

    byte 0, 1         0
    byte 2            type of a value: 0x08 = unsigned byte
    byte 3            d, the number of axes
    4 d bytes         the size of every axis, 32-bit big-endian
    the rest          the values in C order, one byte each

The whole file may be gzip-compressed. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten
digits", section "File formats".

A file comes from outside, so nothing in it is believed: its header is compared with the number of bytes that really
follow, before anything of that size is allocated.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np

from engine.errors import InputError, unreadable

GZIP_MAGIC = b"\x1f\x8b"
UNSIGNED_BYTE = 0x08
MAX_BYTES = 2**30  # 1 GiB of values; the largest set of the family (EMNIST "by class") has 0.55
DEFLATE_LIMIT = 1032  # no deflate stream grows by more than this factor (zlib's technical notes)


class DatasetError(InputError):
    """A data set that is absent or damaged: one sentence that names the file, what was expected and what was found."""


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the values of the IDX file at `path`, compressed or not: uint8, (N,) or (N, H, W), read-only.

    Raises `DatasetError` for everything that is not a whole IDX file of unsigned bytes with one or three axes.
    """
    file = Path(path)
    try:
        with open(file, "rb") as raw:
            size = os.fstat(raw.fileno()).st_size
            compressed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if not compressed:
                return _parse(raw, file, limit=size)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _parse(stream, file, limit=size * DEFLATE_LIMIT)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError("The gzip file {file} is damaged or cut short.", file=str(file)) from error
    except OSError as error:
        raise unreadable(file, error, DatasetError) from error


def _parse(stream, file: Path, *, limit: int) -> np.ndarray:
    """Read one IDX array from `stream`, which cannot yield more than `limit` bytes."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DatasetError(
            "The file {file} is not an IDX file: it should begin with the bytes 00 00, but begins with {found}.",
            file=str(file),
            found=magic.hex(" ") or "–",
        )
    _, kind, axes = struct.unpack(">HBB", magic)
    if kind != UNSIGNED_BYTE:
        raise DatasetError(
            "The IDX file {file} should hold unsigned bytes (type 0x08), but holds type {found}.",
            file=str(file),
            found=f"0x{kind:02x}",
        )
    if axes not in (1, 3):
        raise DatasetError(
            "The IDX file {file} should have 1 axis (labels) or 3 axes (images), but has {found}.",
            file=str(file),
            found=axes,
        )
    header = stream.read(4 * axes)
    if len(header) < 4 * axes:
        raise DatasetError("The IDX file {file} ends within its header.", file=str(file))
    shape = struct.unpack(f">{axes}I", header)
    expected = math.prod(shape)
    sizes = " × ".join(str(n) for n in shape)
    if expected > MAX_BYTES:
        raise DatasetError(
            "The IDX file {file} announces {sizes} values, but at most {limit} are read.",
            file=str(file),
            sizes=sizes,
            limit=MAX_BYTES,
        )
    # A header that promises more than the file can hold is refused here: `read(n)` would allocate n bytes first.
    values = stream.read(expected + 1) if expected <= limit else b""
    if len(values) < expected:
        raise DatasetError(
            "The IDX file {file} announces {sizes} values, but holds fewer.", file=str(file), sizes=sizes
        )
    if len(values) > expected:
        raise DatasetError("The IDX file {file} announces {sizes} values, but holds more.", file=str(file), sizes=sizes)
    return np.frombuffer(values, np.uint8).reshape(shape)
