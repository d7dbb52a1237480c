"""Files that are there whole or not at all: written under another name, and then given their own in one stroke."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_whole(path: Path, blob: bytes) -> None:
    """Put `blob` into a file such that nobody ever meets a part of it. Raises OSError, leaving nothing behind."""
    part = part_of(path)
    try:
        with part.open("xb") as file:
            file.write(blob)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def part_of(path: Path) -> Path:
    """Return a new name beside `path`, short: that of `path` may be as long as the disk allows.

    Not by `tempfile.mkstemp`, which on Windows tries names without end in a folder that is protected.
    """
    return path.with_name(f".{secrets.token_hex(8)}.part")
