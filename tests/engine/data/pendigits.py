"""Where the pen strokes of real writers lie; not part of the project, and tests that need them skip without them."""

from __future__ import annotations

from pathlib import Path

from engine.data.unipen import PenDigit, read_unipen

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"  # the repository's sibling
PENDIGITS = SHARED / "pendigits" / "pendigits-orig.tra.gz"


def read_pendigits(path: str | Path = PENDIGITS) -> list[PenDigit]:
    """Return all digits of a UNIPEN file."""
    return read_unipen(path)
