"""How much memory something takes each time it is done."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

ROUNDS, AT_MOST = 3, 30
NOISE = 1024  # bytes
PAUSE = 0.1  # seconds


def memory_of(step: Callable[[], object], *, steps: int, before: int = 3) -> tuple[int, int]:
    """Return how many bytes more are held after so many steps than before them, and at most at any moment between.

    The first steps, `before`, are free. What other threads of this process take meanwhile counts too, and dask's go on
    when its tests are over. So the smallest figures of some rounds count, of more rounds if every one of the first took
    something: what a step really takes, it takes in all of them.
    """
    tracemalloc.start()
    try:
        for _ in range(before):
            step()
        rounds = [_round(step, steps) for _ in range(ROUNDS)]
        while min(rounds)[0] > NOISE and len(rounds) < AT_MOST:
            time.sleep(PAUSE)
            rounds.append(_round(step, steps))
        return tuple(map(min, zip(*rounds, strict=True)))
    finally:
        tracemalloc.stop()


def _round(step: Callable[[], object], steps: int) -> tuple[int, int]:
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    for _ in range(steps):
        step()
    after, peak = tracemalloc.get_traced_memory()
    return after - held, peak - held
