"""Where the pen strokes of real writers lie; not part of the project, and tests that need them skip without them."""

from __future__ import annotations

import functools
from pathlib import Path

from engine.data.unipen import PenDigit, read_unipen

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"  # the repository's sibling
PENDIGITS = SHARED / "pendigits" / "pendigits-orig.tra.gz"


@functools.cache
def read_pendigits(path: str | Path = PENDIGITS) -> tuple[PenDigit, ...]:
    """Return all digits of a UNIPEN file, which takes more than half a second to read."""
    return tuple(read_unipen(path))
