"""Fine-tuning in a process of its own: the server goes on answering everybody while one person's network learns.

    python -m engine.runs.tuning        one message in on standard input, one out on standard output, then it ends

The process has one BLAS thread, so one core at most, and nothing of it outlives its answer.
"""

from __future__ import annotations

import signal
import subprocess
import sys

import numpy as np

from engine.data.dataset import Dataset
from engine.errors import N_, InputError, Text
from engine.processes import ask
from engine.runs import protocol
from engine.training.checkpoint import load_model
from engine.training.fine_tuning import SECONDS, Tuned, fine_tune

MARGIN = 30.0  # seconds beyond its own in which a process must be done
ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def tune(model: bytes, drawings: tuple[np.ndarray, np.ndarray], old: Dataset, *, seconds: float = SECONDS) -> Tuned:
    """Return what `fine_tune` makes of the network in these bytes, trained for so many seconds in another process.

    Raises `InputError` when the network cannot learn from the drawings, or the server has no time for it.
    """
    header = {"seconds": seconds, "classes": old.classes, "scale": old.scale}
    arrays = {"model": np.frombuffer(model, np.uint8), "x": drawings[0], "y": drawings[1]}
    message = protocol.encode(header, arrays | {name: getattr(old, name) for name in ARRAYS})
    try:
        answered = ask("engine.runs.tuning", message=message, timeout=seconds + MARGIN)
    except (subprocess.SubprocessError, OSError) as error:
        raise InputError(N_("The network could not be trained on your digits; try again.")) from error
    header, arrays = protocol.decode(answered)
    if problem := header.get("problem"):
        text = Text.from_dict(problem)
        raise InputError(text.template, **text.values)
    return Tuned(arrays["model"].tobytes(), header["steps"], tuple(header["before"]), tuple(header["after"]))


def answer(message: bytes) -> bytes:
    """Return the reply to a message of `tune`."""
    header, arrays = protocol.decode(message)
    old = Dataset("old", *(arrays[name] for name in ARRAYS), tuple(header["classes"]), header["scale"])
    try:
        model = load_model(arrays["model"].tobytes())
        tuned = fine_tune(model, (arrays["x"], arrays["y"].astype(np.int64)), old, seconds=header["seconds"])
    except InputError as error:
        return protocol.encode({"problem": error.text.to_dict()})
    figures = {"steps": tuned.steps, "before": tuned.before, "after": tuned.after}
    return protocol.encode(figures, {"model": np.frombuffer(tuned.model, np.uint8)})


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl+C is for the server
    sink, sys.stdout = sys.stdout.buffer, sys.stderr  # a stray print must not enter the message
    sink.write(answer(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
