"""How much memory something takes each time it is done."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

ROUNDS = 3


def memory_of(step: Callable[[], object], *, steps: int, before: int = 3) -> tuple[int, int]:
    """Return how many bytes more are held after so many steps than before them, and at most at any moment between.

    The first steps, `before`, are free. What other threads of this process take meanwhile counts too, so it is measured
    in three rounds and the smallest figures count: what a step really takes, it takes in every round.
    """
    tracemalloc.start()
    try:
        for _ in range(before):
            step()
        return tuple(map(min, zip(*(_round(step, steps) for _ in range(ROUNDS)), strict=True)))
    finally:
        tracemalloc.stop()


def _round(step: Callable[[], object], steps: int) -> tuple[int, int]:
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    for _ in range(steps):
        step()
    after, peak = tracemalloc.get_traced_memory()
    return after - held, peak - held
