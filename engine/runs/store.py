"""Runs kept on disk, one checkpoint file each, so that a link to a run shows it again after the server forgot it.

The folder is `KASANE_RUNS`, else `runs` in the user's cache. A file is written beside its final place and then moved
there: a reader sees the old one or the new one, never half of one. The oldest go when there are more than `LIMIT`.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

import pooch

from engine.files import write_whole

LIMIT = 500
ABANDONED = 3600.0  # seconds after which nobody writes any more to a file that is not in its place
RUN_ID = re.compile(r"[A-Za-z0-9_-]{6,32}")


def folder() -> Path:
    """Return where runs are kept; it may not exist yet."""
    return Path(os.path.expanduser(os.environ.get("KASANE_RUNS") or pooch.os_cache("kasane") / "runs"))


def save(run: str, blob: bytes) -> None:
    """Keep the checkpoint of a run. Raises OSError when the disk refuses."""
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    write_whole(_path(run), blob)
    _prune(place, keep=_path(run))


def load(run: str) -> bytes | None:
    """Return the checkpoint of a run, None when there is none of that name."""
    try:
        return _path(run).read_bytes() if RUN_ID.fullmatch(run) else None
    except OSError:
        return None


def _path(run: str) -> Path:
    if not RUN_ID.fullmatch(run):
        raise ValueError(f"{run!r} is no name of a run")
    return folder() / f"{run}.safetensors"


def _prune(place: Path, keep: Path) -> None:
    """Remove the oldest files, and what servers have left behind that were ended while they wrote.

    Never `keep`, the newest, which a clock that was set back makes the oldest.
    """
    for part in place.glob("*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()
    files = list(place.glob("*.safetensors"))
    if len(files) <= LIMIT:
        return
    dated = []
    for path in files:
        with contextlib.suppress(OSError):  # another server may be pruning too
            dated.append((path.stat().st_mtime, path))
    oldest = [path for _, path in sorted(dated) if path != keep]
    for path in oldest[: len(dated) - LIMIT]:
        with contextlib.suppress(OSError):
            path.unlink()
