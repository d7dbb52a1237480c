"""Files that are there whole or not at all: written under another name, and then given their own in one stroke.

And folders: where they are, and that they do not grow for ever, for of the files in them the oldest go.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_dir


def write_whole(path: Path, blob: bytes) -> None:
    """Put `blob` into a file such that nobody ever meets a part of it. Raises OSError, leaving nothing behind."""
    part = part_of(path)
    try:
        with part.open("xb") as file:
            file.write(blob)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name that comes next without what was written
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


def folder_of(variable: str, usual: str = "") -> Path:
    """Return the folder that an environment variable names, by default `usual` in the user's cache; it may not exist.

    Of a home that is nobody's, `~nobody/data`, the ~ stays as it is.
    """
    return Path(os.path.expanduser(os.environ.get(variable) or Path(user_cache_dir("kasane"), usual)))


def prune(folder: Path, pattern: str, *, limit: int, keep: Path, cost: Callable[[os.stat_result], int]) -> None:
    """Remove the oldest files of a folder that match, until what the others cost is within the limit.

    Never `keep`, the newest, which a clock that was set back makes the oldest.
    """
    found = []
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):  # another server may be pruning too
            stat = path.stat()
            found.append((stat.st_mtime, path, cost(stat)))
    total = sum(price for *_, price in found)
    for _, path, price in sorted(found):
        if total > limit and path != keep:
            with contextlib.suppress(OSError):  # on Windows, of a file that somebody reads
                path.unlink()
                total -= price
