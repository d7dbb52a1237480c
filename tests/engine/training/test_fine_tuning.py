"""Fine-tuning: what was drawn is learned, what was known is not forgotten, and the network given stays as it is."""

import dataclasses

import numpy as np
import pytest

from engine import processes, shipped
from engine.data import datasets
from engine.data.handwriting import strokes_to_image
from engine.errors import InputError
from engine.runs import tuning
from engine.training import fine_tuning
from engine.training.checkpoint import dump, load_model
from engine.training.fine_tuning import fine_tune
from engine.training.trainer import Trainer


@pytest.fixture(scope="module")
def blob(blobs, small):
    trainer = Trainer(small.replace(steps=150, optimizer="adam", lr=0.01), blobs)
    trainer.advance()
    return dump(trainer, network_only=True)


@pytest.fixture(scope="module")
def odd(blobs):
    """Pictures unlike all others, said to be of class "b"."""
    pictures = np.random.default_rng(3).integers(0, 256, (1, 6, 6, 1)) + np.zeros((5, 1, 1, 1))
    return pictures.astype(np.uint8), np.full(5, 1)


def read(blob, pictures):
    return load_model(blob).probabilities(pictures).argmax(axis=1)


def test_drawings_are_learned_and_the_rest_is_not_forgotten(blob, blobs, odd, monkeypatch):
    monkeypatch.setitem(fine_tuning.SETTINGS, "lr", 0.01)  # a network of twelve units takes larger steps
    model = load_model(blob)
    assert (model.probabilities(odd[0]).argmax(axis=1) != 1).any()
    tuned = fine_tune(model, odd, blobs, steps=120, seconds=None)
    assert tuned.steps == 120
    assert tuned.before[0] < tuned.after[0] == 1.0
    assert tuned.before[1] == tuned.after[1] == 1.0
    assert (read(tuned.model, odd[0]) == 1).all()
    assert (read(tuned.model, blobs.x_test) == blobs.y_test).all()


def test_no_decay_that_a_network_learned_with_goes_on(blobs, small, odd):
    trainer = Trainer(small.replace(steps=5, optimizer="adamw", l2=0.15, l1=0.1), blobs)
    trainer.advance()
    tuned = fine_tune(load_model(dump(trainer, network_only=True)), odd, blobs, steps=5, seconds=None)
    experiment = load_model(tuned.model).experiment
    assert (experiment.l2, experiment.l1) == (0.0, 0.0)


@pytest.mark.parametrize("settings", [{"eps": 1.0}, {"beta1": 0.0, "beta2": 0.0}, {"bias_correction": False}], ids=str)
def test_how_a_network_was_trained_does_not_change_how_it_learns_more(blob, blobs, odd, settings):
    model = load_model(blob)
    tuned = fine_tune(model, odd, blobs, steps=20, seconds=None)
    other = dataclasses.replace(model, experiment=model.experiment.replace(**settings))
    assert fine_tune(other, odd, blobs, steps=20, seconds=None).model == tuned.model


@pytest.mark.parametrize("steps", [50, 300])
def test_the_shipped_network_learns_a_four_as_a_nine_and_keeps_the_rest(steps):
    """However many steps a machine makes in its two seconds."""
    four = strokes_to_image([[(90, 60), (80, 150), (200, 150)], [(170, 50), (170, 240)]])[None, :, :, None]
    assert shipped.load().probabilities(four).argmax() == 4
    tuned = fine_tune(shipped.load(), (four, np.array([9])), datasets.load("mnist-5k"), steps=steps, seconds=None)
    assert tuned.after[0] == 1.0
    assert tuned.after[1] >= 0.98 * tuned.before[1]


def test_the_network_that_was_given_stays_as_it_is(blob, blobs, odd):
    model = load_model(blob)
    before = model.network.state_dict()
    fine_tune(model, odd, blobs, steps=5, seconds=None)
    for name, array in model.network.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_seed_decides(blob, blobs, odd):
    first, again, other = (
        fine_tune(load_model(blob), odd, blobs, steps=8, seconds=None, seed=seed).model for seed in (1, 1, 2)
    )
    assert first == again != other


def test_time_ends_it_but_not_before_a_few_steps(blob, blobs, odd):
    tuned = fine_tune(load_model(blob), odd, blobs, steps=10_000, seconds=0.0)
    assert tuned.steps == fine_tuning.FEWEST


@pytest.mark.parametrize(("n", "copies"), [(1, 40), (4, 15), (500, 1)])
def test_new_drawings_are_repeated_but_never_more_than_a_third(blob, blobs, monkeypatch, n, copies):
    seen = {}
    monkeypatch.setattr(fine_tuning, "Trainer", lambda experiment, data, **rest: seen.update(data=data) or Stop())
    with pytest.raises(Stopped):
        fine_tune(load_model(blob), (np.ones((n, 6, 6, 1), np.uint8), np.zeros(n, int)), blobs)
    assert len(seen["data"].x_train) == len(blobs.x_train) + copies * n


class Stopped(Exception):
    pass


class Stop:
    @property
    def network(self):
        raise Stopped


def test_a_network_of_other_classes_cannot_learn_from_digits(blob, blobs, odd):
    model = load_model(blob)
    for other in (
        dataclasses.replace(model, classes=("a", "b", "c", "e")),
        dataclasses.replace(model, classes=("a", "b", "c")),
    ):
        with pytest.raises(InputError, match="cannot learn from drawings"):
            fine_tune(other, odd, blobs)
    with pytest.raises(InputError, match="cannot learn from drawings"):
        fine_tune(model, (np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1, int)), blobs)


def test_numbers_that_run_away_are_said_in_a_sentence(blob, blobs, odd, monkeypatch):
    monkeypatch.setitem(fine_tuning.SETTINGS, "lr", 100.0)
    monkeypatch.setitem(fine_tuning.SETTINGS, "optimizer", "sgd")
    model = load_model(blob)
    model.network.vector.data[:] *= 1e15
    with pytest.raises(InputError, match="left as it was"):
        fine_tune(model, odd, blobs, steps=60, seconds=None)


# ------------------------------------------------------------------------------------------------ in its own process


def test_another_process_gives_the_same_kind_of_answer(blob, blobs, odd):
    tuned = tuning.tune(blob, odd, blobs, seconds=0.0)
    assert tuned.steps == fine_tuning.FEWEST
    assert tuned.before == fine_tune(load_model(blob), odd, blobs, steps=1, seconds=None).before
    assert load_model(tuned.model).classes == blobs.classes


def test_its_errors_come_back_as_sentences(blob, blobs, odd):
    with pytest.raises(InputError, match="cannot learn from drawings"):
        tuning.tune(blob, odd, dataclasses.replace(blobs, classes=("1", "2", "3", "4")))
    with pytest.raises(InputError, match="not a safetensors file"):
        tuning.tune(b"nonsense", odd, blobs)


def test_a_process_that_dies_is_said_in_a_sentence(blob, blobs, odd, monkeypatch):
    monkeypatch.setattr(processes.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="try again"):
        tuning.tune(blob, odd, blobs)


def test_who_waits_too_long_for_a_turn_is_told(blob, blobs, odd, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.01)
    with processes._turns, pytest.raises(InputError, match="busy"):
        tuning.tune(blob, odd, blobs)
    assert tuning.tune(blob, odd, blobs, seconds=0.0).steps
