"""A whole run for a caller that waits for it: the command line trains it, in a process of its own.

Unlike a run of the pool it is watched by nobody and takes no turns with others.
"""

from __future__ import annotations

import json
import subprocess

from engine.errors import N_, InputError
from engine.experiment import Experiment
from engine.processes import ask

PATIENCE = 120.0  # seconds for a run that takes one to three where nothing else is done


def curves(experiment: Experiment) -> dict[str, list[float]]:
    """Return the curves of a run, see `History.curves`. Raises `InputError` when the server does not get to it."""
    settings = (part for name, text in experiment.to_query().items() for part in ("--set", f"{name}={text}"))
    try:
        printed = ask("engine", "train", "--json", *settings, timeout=PATIENCE)
    except (subprocess.SubprocessError, OSError) as error:
        raise InputError(N_("The server is busy with other networks; try again in a moment.")) from error
    return json.loads(printed.splitlines()[-1])["curves"]
