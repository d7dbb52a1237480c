"""What the tests of the commands share: a way to say a command line, drawings, and a network."""

import json

import numpy as np
import pytest

from engine.__main__ import main


@pytest.fixture
def say(capsys):
    """Return a function that carries out a command line in this process: (lines of output, lines of error)."""

    def say(*arguments, status=0):
        assert main([str(argument) for argument in arguments]) == status
        output, errors = capsys.readouterr()
        return output.splitlines(), errors.splitlines()

    return say


@pytest.fixture
def drawings(tmp_path):
    """A file of a vertical line, a ring and an empty drawing."""
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([140 + 60 * np.cos(angle), 140 + 90 * np.sin(angle)], axis=1).tolist()
    strokes = [[[[140, 40], [140, 240]]], [ring], []]
    lines = [json.dumps({"width": 280, "height": 280, "strokes": drawing}) for drawing in strokes]
    path = tmp_path / "drawings.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A network that knows little."""
    path = tmp_path_factory.mktemp("model") / "little.safetensors"
    assert main(["train", "--set", "network=dense10", "steps=100", "--out", str(path)]) == 0
    return path
