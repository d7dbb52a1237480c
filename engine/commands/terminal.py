"""What commands say: progress on a terminal's standard error, JSON on standard output."""

from __future__ import annotations

import json
import math
import sys


class Line:
    """One line on a terminal's standard error that keeps changing; silent where nobody watches."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self.live:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        self.show("")


def print_json(value: object) -> None:
    """Print a value as one line of JSON, numbers that are not finite as null."""
    print(json.dumps(finite(value), allow_nan=False))


def finite(value: object) -> object:
    """Return `value` with None for every float that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
