"""Digits are read, and what is none is not taken for one: measured on the reader that ships, with room to spare."""

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine import build
from engine.analysis import novelty
from engine.data import datasets
from engine.data.augment import Augmentation
from engine.data.handwriting import strokes_to_image
from engine.experiment import Experiment
from engine.training import metrics
from engine.training.checkpoint import Model, load_model
from tests.engine.data.pendigits import PENDIGITS

READER = Path(__file__).resolve().parents[3] / "assets" / "models" / "reader.safetensors"


@pytest.fixture(scope="module")
def reader():
    return load_model(READER)


@pytest.fixture(scope="module")
def least(reader):
    return novelty.threshold(reader, datasets.load("mnist-5k").x_test)


def energies(reader, pictures):
    return novelty.energy(metrics.predict(reader.network, pictures, reader.scale))


def test_energy_is_the_log_of_the_sum_of_exponentials():
    outputs = np.array([[1.0, 2.0, 3.0], [-5.0, 0.0, 5.0]])
    np.testing.assert_allclose(novelty.energy(outputs), np.log(np.exp(outputs).sum(axis=1)))
    np.testing.assert_allclose(novelty.energy(np.array([[1000.0, 1000.0]])), 1000 + np.log(2))


def test_the_threshold_refuses_the_share_that_it_is_asked_to(reader, monkeypatch):
    pictures = datasets.load("mnist-5k").x_test[:400]
    monkeypatch.setattr(novelty, "REFUSED", 0.5)
    styled = novelty.threshold(reader, pictures)
    assert styled == novelty.threshold(reader, pictures)  # nothing is left to chance
    monkeypatch.setattr(novelty, "STYLES", Augmentation())
    plain = novelty.threshold(reader, pictures)
    assert np.mean(energies(reader, pictures) < plain) == 0.5
    assert styled < plain  # digits in other styles are known less well


def test_the_threshold_of_a_network_is_found_on_what_it_learned(reader, least, monkeypatch):
    assert novelty.threshold_of(reader) == least
    clothes = dataclasses.replace(
        reader, classes=("shirt", "boot"), experiment=reader.experiment.replace(data="fashion-mnist")
    )
    monkeypatch.setattr(datasets, "load", lambda name: SimpleNamespace(x_test=name, shape=(28, 28, 1)))
    monkeypatch.setattr(novelty, "threshold", lambda model, pictures: pictures)
    assert novelty.threshold_of(clothes) == "fashion-mnist"


def test_the_threshold_is_found_on_pictures_of_the_size_that_it_reads():
    """Small digits have the names of the large ones; of what only says that it learned them no examples fit."""
    small = untrained("digits", (8, 8, 1), datasets.DIGITS)
    assert novelty.threshold_of(small) == novelty.threshold(small, datasets.load("digits").x_test)
    assert novelty.threshold_of(untrained("digits", (28, 28, 1), ("odd", "even"))) == -math.inf
    assert novelty.threshold_of(untrained("toy2d", (2,), ("0", "1"))) == -math.inf


def untrained(data, in_shape, classes):
    experiment = Experiment(data=data, network="dense8")
    return Model(experiment, build.build_network(experiment, in_shape, len(classes)), classes, 1.0)


def test_without_examples_nothing_is_refused(reader, monkeypatch):
    def nowhere(name):
        raise datasets.DatasetError("{name} is not here.", name=name)

    monkeypatch.setattr(datasets, "load", nowhere)
    assert novelty.threshold_of(reader) == -math.inf


def test_of_real_digits_at_most_one_in_a_hundred_is_refused(reader, least):
    assert np.mean(energies(reader, datasets.load("mnist-5k").x_test) < least) <= 0.01


@pytest.mark.skipif(not PENDIGITS.exists(), reason="the pen strokes are not part of the project")
def test_of_pen_strokes_of_unseen_writers_at_most_one_in_a_hundred_is_refused(reader, least, monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(PENDIGITS.parents[1]))
    assert np.mean(energies(reader, datasets.load("pendigits").x_test) < least) <= 0.01  # 0.006


def scribbles(rng, n=200):
    for _ in range(n):
        steps = rng.normal(0, 1, (rng.integers(20, 60), 2))
        yield [np.cumsum(0.3 * np.cumsum(steps - steps.mean(axis=0), axis=0) + 0.5 * steps, axis=0)]


def dots(rng, n=100):
    for _ in range(n):
        yield list(rng.uniform(0, 100, (rng.integers(1, 6), 1, 2)))


def blots(rng, n=100):
    """Paper rubbed full with the pen, to and fro."""
    for _ in range(n):
        across = np.where(np.arange(40) % 2, 1.0, 0.0) * rng.uniform(40, 90)
        yield [np.column_stack([across, np.linspace(0, 100, 40)]) + rng.normal(0, 2, (40, 2))]


@pytest.mark.parametrize(("draw", "caught"), [(scribbles, 0.5), (dots, 0.9), (blots, 0.85)])
def test_of_what_is_no_digit_most_is_caught(reader, least, draw, caught):
    pictures = np.array([strokes_to_image(drawing) for drawing in draw(np.random.default_rng(4))])[..., None]
    assert np.mean(energies(reader, pictures) < least) >= caught
