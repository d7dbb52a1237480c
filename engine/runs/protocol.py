"""One message format for pipes and WebSockets: a JSON header, then plain arrays.

    message = uint32 length of the header | header (JSON, padded to 4 bytes) | arrays, each padded to 4 bytes

The header's "arrays" lists [name, dtype, shape] in order. All numbers are little-endian; nothing in a message is ever
executed. On a pipe each message is preceded by its own length as a uint32.
"""

from __future__ import annotations

import json
import math
import struct
from typing import BinaryIO

import numpy as np

DTYPES = {"f4": np.dtype("<f4"), "i4": np.dtype("<i4"), "u1": np.dtype("u1")}
MAX_MESSAGE = 512 * 1024 * 1024


class ProtocolError(ValueError):
    """The bytes are no message."""


def encode(header: dict[str, object], arrays: dict[str, np.ndarray] | None = None) -> bytes:
    """Return a message. Arrays: float (sent as float32), uint8, other integers (sent as int32)."""
    parts, listing = [], []
    for name, array in (arrays or {}).items():
        kind = "u1" if array.dtype == np.uint8 else "f4" if array.dtype.kind == "f" else "i4"
        listing.append([name, kind, list(array.shape)])
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            raw = np.ascontiguousarray(array, DTYPES[kind]).tobytes()
        parts.append(raw + b"\0" * (-len(raw) % 4))
    head = json.dumps(header | {"arrays": listing}, separators=(",", ":"), allow_nan=False).encode()
    head += b" " * (-len(head) % 4)
    return b"".join([struct.pack("<I", len(head)), head, *parts])


def decode(message: bytes) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Invert `encode`. Raises `ProtocolError`."""
    try:
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length])
        position, arrays = 4 + length, {}
        for name, kind, shape in header.pop("arrays"):
            if any(size < 0 for size in shape):  # NumPy would take −1 for "all the rest"
                raise ValueError(f"an array of shape {shape}")
            dtype, count = DTYPES[kind], math.prod(shape)
            arrays[name] = np.frombuffer(message, dtype, count, position).reshape(shape)
            position += -(-count * dtype.itemsize // 4) * 4
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ProtocolError(str(error)) from error
    return header, arrays


def write_frame(stream: BinaryIO, message: bytes) -> None:
    """Write one message to a pipe."""
    stream.write(struct.pack("<I", len(message)) + message)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next message of a pipe, None at its end. Raises `ProtocolError` for an absurd length."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("<I", head)
    if length > MAX_MESSAGE:
        raise ProtocolError(f"a message of {length} bytes")
    message = stream.read(length)
    return message if len(message) == length else None
