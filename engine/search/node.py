"""A process of a Dask cluster: its scheduler, which prints its address, or a worker, which reads one as its first line.

    python -m engine.search.node scheduler | worker

It ends with its standard input, so that nothing outlives who started it. A worker computes one trial at a time, on one
BLAS thread. What is local listens on 127.0.0.1 only; there is no dashboard.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from urllib.parse import urlsplit

import dask
from distributed import Scheduler, Worker

LOOPBACK = "127.0.0.1"
NICENESS = 10
SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


async def schedule() -> None:
    """Serve as a scheduler of this machine."""
    async with Scheduler(host=LOOPBACK, port=0, dashboard=False, dashboard_address=f"{LOOPBACK}:0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()


async def work(address: str) -> None:
    """Serve as a worker of the scheduler at `address` until that is gone."""
    local = urlsplit(address).hostname in (LOOPBACK, "localhost")
    async with Worker(address, nthreads=1, host=LOOPBACK if local else None, memory_limit=0) as worker:
        await worker.finished()


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)  # a trial is not worth finishing: it will be tried again


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; who started this ends it
    logging.getLogger("distributed").setLevel(logging.ERROR)
    dask.config.set(SETTINGS)
    if sys.argv[1] == "scheduler":
        serve = schedule()
    else:
        import engine.search.trial  # noqa: F401 (while the scheduler starts)

        if hasattr(os, "nice"):  # elsewhere who starts this sets the priority
            os.nice(NICENESS)
        address = sys.stdin.readline().strip()
        if not address:
            return
        serve = work(address)
    threading.Thread(target=_end_with_input, daemon=True).start()
    asyncio.run(serve)


if __name__ == "__main__":
    main()
