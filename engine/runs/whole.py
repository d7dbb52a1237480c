"""A whole run for a caller that waits for it: the command line trains it, in a process of its own.

The server goes on answering everybody meanwhile. Unlike a run of the pool it is watched by nobody, takes no turns with
others and has an ordinary priority: a person waits for it. So only one is trained at a time.
"""

from __future__ import annotations

import json
import subprocess
import threading

from engine.errors import N_, InputError
from engine.experiment import Experiment
from engine.processes import command

PATIENCE = 120.0  # seconds for a run that takes one to three where nothing else is done

_turn = threading.Lock()


def curves(experiment: Experiment) -> dict[str, list[float]]:
    """Return the curves of a run, see `History.curves`. Raises `InputError` when the server does not get to it."""
    settings = (part for name, text in experiment.to_query().items() for part in ("--set", f"{name}={text}"))
    call = command("engine", "train", "--json", *settings)
    try:
        with _turn:
            done = subprocess.run(**call, stdout=subprocess.PIPE, timeout=PATIENCE, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        raise InputError(N_("The server is busy with other networks; try again in a moment.")) from error
    return json.loads(done.stdout.splitlines()[-1])["curves"]
