"""Processes of Kasane's own beside the server: started anew on every system, never forked.

Each has one BLAS thread: two on two busy cores cost a factor of thirty.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ROOT = Path(__file__).resolve().parents[1]


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
