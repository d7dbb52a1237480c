"""A whole run in a process of its own has the curves of one that is trained here."""

import subprocess

import pytest

from engine import presets, processes
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs import whole

RUN = Experiment(data="digits", network="dense10 dense8", steps=40, evaluate_every=20, optimizer="adam", lr=0.003)


def test_its_curves_are_those_of_a_run_that_is_trained_here():
    found, expected = whole.curves(RUN), presets.train(RUN).history.curves()
    del found["seconds"], expected["seconds"]
    assert found == expected


@pytest.mark.parametrize(
    "error",
    [
        subprocess.TimeoutExpired("engine", 1),
        subprocess.CalledProcessError(-9, "engine"),  # no memory left, say
        OSError("no processes left"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_server_does_not_get_to_is_said_in_a_sentence(monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setattr(processes.subprocess, "run", fail)
    with pytest.raises(InputError, match="The server is busy"):
        whole.curves(RUN)
