"""The draw page without a browser: who reads, and what it says to component state that nobody drew."""

from __future__ import annotations

import json

import pytest

from engine.experiment import Experiment
from engine.runs import store
from engine.training.checkpoint import dump
from engine.training.trainer import Trainer
from pages._ui import reading
from tests.pages.conftest import sentences

STROKES = [[[80.0, 70.0], [200.0, 70.0], [120.0, 220.0]]]


def pad(app):
    """Return what the pad was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def draw(app, state):
    """Put component state in as a browser would, and rerun."""
    app.session_state["pad"] = state
    return app.run()


def test_the_page_gives_the_pad_a_reader_of_the_shipped_network(visit):
    app = visit("draw")
    assert sentences(app) == []
    data = pad(app)
    assert list(reading.find(data["token"]).networks) == ["shipped"]
    assert data["language"] == "en"
    assert data["labels"]["clear"] == "Clear"
    assert app.get("page_link")


def test_the_token_outlives_reruns_and_is_replaced_when_it_is_gone(visit):
    app = visit("draw")
    token = pad(app)["token"]
    assert pad(app.run())["token"] == token
    reading._readers.pop(token)
    renewed = pad(app.run())["token"]
    assert renewed != token
    assert reading.find(renewed)


def test_a_trained_run_reads_beside_the_shipped_network(visit):
    trainer = Trainer(Experiment(network="dense12", train_size=300, test_size=50, steps=5))
    trainer.advance()
    store.save("trained1", dump(trainer))
    app = visit("draw")
    app.session_state["run_id"] = "trained1"
    app.run()
    assert sentences(app) == []
    assert list(reading.find(pad(app)["token"]).networks) == ["run", "shipped"]
    assert not app.get("page_link")


@pytest.mark.parametrize("drawing", [None, {"strokes": []}, {"strokes": STROKES}])
def test_drawings_are_taken_without_a_word(visit, drawing):
    assert sentences(draw(visit("draw"), {"drawing": drawing})) == []


FORGED = {
    "no object": "strokes",
    "a number": 5,
    "a list": [1, 2],
    "no strokes": {"pixels": []},
    "strokes of text": {"strokes": "abc"},
    "a point of text": {"strokes": [[["0", "1"]]]},
    "a point of three": {"strokes": [[[0, 1, 2]]]},
    "not a number": {"strokes": [[[float("nan"), 1.0]]]},
    "infinite": {"strokes": [[[1.0, float("inf")]]]},
    "far away": {"strokes": [[[1e9, 0]]]},
    "too many strokes": {"strokes": [[[0, 0]]] * 5_000},
    "too many points": {"strokes": [[[0, 0]] * 50_000]},
    "an object in it": {"strokes": [[{"x": 1, "y": 2}]]},
}


@pytest.mark.parametrize("drawing", FORGED.values(), ids=FORGED)
def test_a_forged_drawing_is_answered_in_one_sentence(visit, drawing):
    app = draw(visit("draw"), {"drawing": drawing})
    (said,) = sentences(app)
    assert said.endswith(".")
    assert len(said) < 200
    assert pad(app)["token"]  # the pad is still there


@pytest.mark.parametrize("state", [5, "drawing", [STROKES], None, {}, {"gone": {"a": 1}}, {"drawing": 0, "other": 1}])
def test_state_that_is_no_state_does_no_harm(visit, state):
    sentences(draw(visit("draw"), state))
