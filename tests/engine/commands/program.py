"""The command line as a program of its own, and what is soon trained."""

import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
QUICK = ["--set", "data=digits", "network=dense10", "steps=30", "evaluate_every=10"]
MANY = "network=" + " ".join(["dense10"] * 10_000)


def run(*arguments, **settings) -> subprocess.CompletedProcess:
    """Run the command line as a program."""
    command = [sys.executable, "-W", "error", "-m", "engine", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, **settings)
