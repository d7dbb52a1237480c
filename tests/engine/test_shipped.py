"""The network that comes along: it is what its note says, and reads digits."""

import shlex
from pathlib import Path

import numpy as np
import pytest

from engine import shipped
from engine.__main__ import parse
from engine.commands.train import chosen_runs
from engine.data import datasets, handwriting
from engine.data.datasets import LEFT_OUT
from engine.training import checkpoint, metrics
from tests.engine.data.pendigits import PENDIGITS, read_pendigits

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "assets" / "models"


@pytest.fixture(scope="module")
def reader():
    return checkpoint.load_model(shipped.PATH)


def test_the_shipped_model_is_small(reader):
    assert shipped.PATH.stat().st_size < 600_000
    assert reader.network.vector.data.size <= 150_000


def test_the_shipped_model_was_made_by_the_command_beside_it(reader):
    command = next(line for line in (MODELS / "reader.txt").read_text().splitlines() if "engine train" in line)
    options = parse(shlex.split(command)[shlex.split(command).index("train") :])
    assert chosen_runs(options)["reader"] == reader.experiment
    assert Path(options.out) == shipped.PATH.relative_to(ROOT)


def test_the_shipped_model_reads_digits(reader):
    """Says that the file is whole, not how good the network is: 60,000 of the digits it learned from include many here.

    Its accuracy on MNIST's own test digits stands in reader.txt.
    """
    data = datasets.load("mnist-5k")
    outputs = metrics.predict(reader.network, data.x_test, reader.scale)
    assert np.mean(outputs.argmax(axis=1) == data.y_test) > 0.99


@pytest.mark.skipif(not PENDIGITS.is_file(), reason="needs ../shared/data/pendigits")
def test_the_shipped_model_reads_pen_strokes(reader):
    digits = read_pendigits()
    images = np.stack([handwriting.strokes_to_image(digit.strokes) for digit in digits])[..., np.newaxis]
    right = metrics.predict(reader.network, images, reader.scale).argmax(axis=1) == [digit.label for digit in digits]
    left_out = np.array([digit.writer % LEFT_OUT == 0 for digit in digits])
    assert right[left_out].mean() >= 0.985
    assert right[~left_out].mean() >= 0.99
