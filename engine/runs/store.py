"""Runs kept on disk, one checkpoint file each, so that a link to a run shows it again after the server forgot it.

The folder is `KASANE_RUNS`, else `runs` in the user's cache. A file is written beside its final place and then moved
there: a reader sees the old one or the new one, never half of one. Those go that were not asked for for the longest
time when together they take more than `LIMIT` bytes.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from engine.files import folder_of, prune, write_whole

LIMIT = 2_000_000_000  # bytes: 5,000 runs of the network that Train begins with
MOST = 10_000  # files, however small: they are looked through now and then
ABANDONED = 3600.0  # seconds after which nobody writes any more to a file that is not in its place
RUN_ID = re.compile(r"[A-Za-z0-9_-]{6,32}")

_unpruned = LIMIT  # bytes written since the folder was looked through; at first that is due


def folder() -> Path:
    """Return where runs are kept; it may not exist yet."""
    return folder_of("KASANE_RUNS", "runs")


def save(run: str, blob: bytes) -> None:
    """Keep the checkpoint of a run. Raises OSError when the disk refuses."""
    global _unpruned
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    write_whole(_path(run), blob)
    _unpruned += _cost(len(blob))
    if _unpruned <= LIMIT / 100:
        return
    _unpruned = 0
    for part in place.glob("*.part"):  # what servers have left behind that were ended while they wrote
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
    prune(place, "*.safetensors", limit=LIMIT, keep=_path(run), cost=lambda stat: _cost(stat.st_size))


def _cost(size: int) -> int:
    """Return what a file of so many bytes takes of `LIMIT`."""
    return max(size, LIMIT // MOST)


def load(run: str) -> bytes | None:
    """Return the checkpoint of a run, None when there is none of that name."""
    if not RUN_ID.fullmatch(run):
        return None
    path = _path(run)
    try:
        blob = path.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # a folder that may only be read
        os.utime(path)
    return blob


def _path(run: str) -> Path:
    if not RUN_ID.fullmatch(run):
        raise ValueError(f"{run!r} is no name of a run")
    return folder() / f"{run}.safetensors"
