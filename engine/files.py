"""Files that are there whole or not at all: written under another name, and then given their own in one stroke.

And files of which one process at a time is the holder. And folders: where they are, and that they do not grow for
ever, for of the files in them the oldest go.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from platformdirs import user_cache_dir

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FAR = 1 << 30  # where no file of ours has a byte: on Windows nobody else may read one that is locked


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


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a file, alone in this process and among all others; the system lets go of it where a process dies.

    Raises BlockingIOError when somebody else holds it. A file that is not there, or a disk that knows no locks, holds
    nobody off.
    """
    with contextlib.ExitStack() as stack:
        try:
            _lock(stack.enter_context(path.open("rb+")))
        except BlockingIOError:
            raise
        except OSError:
            pass
        yield


def _lock(file: BinaryIO) -> None:
    """Lock an open file until it is closed. Raises BlockingIOError when it is locked."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    file.seek(FAR)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(*error.args) from error


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
