"""Processes of Kasane's own beside the server: started anew on every system, never forked.

Each has one BLAS thread: two on two busy cores cost a factor of thirty.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from engine.errors import N_, InputError

AT_A_TIME = 1  # processes that somebody waits for
PATIENCE = 15.0  # seconds to wait for one's turn
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ROOT = Path(__file__).resolve().parents[1]

_turns = threading.BoundedSemaphore(AT_A_TIME)


def command(module: str, *arguments: str, background: bool = False) -> dict[str, object]:
    """Return what to call `subprocess.Popen` or `subprocess.run` with to run a module as `python -m` does.

    background: with a lower priority on Windows; elsewhere a process lowers its own.
    """
    return {
        "args": [sys.executable, "-m", module, *arguments],
        "cwd": ROOT,
        "env": os.environ | dict.fromkeys(BLAS_THREADS, "1") | {"PYTHONPATH": os.pathsep.join(sys.path)},
        "creationflags": getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) if background else 0,
    }


def ask(module: str, *arguments: str, message: bytes = b"", timeout: float) -> bytes:
    """Return what a module, run as `python -m` does, answers to a message within so many seconds.

    The server goes on serving everybody meanwhile. A person waits for the answer, so the process has an ordinary
    priority and only so many run at a time; who comes while all are busy waits a little. Raises `InputError` when that
    is not enough, `OSError` or `subprocess.SubprocessError` when the process fails.
    """
    if not _turns.acquire(timeout=PATIENCE):
        raise InputError(N_("The server is busy with other networks; try again in a moment."))
    try:
        call = command(module, *arguments)
        return subprocess.run(**call, input=message, stdout=subprocess.PIPE, timeout=timeout, check=True).stdout
    finally:
        _turns.release()
