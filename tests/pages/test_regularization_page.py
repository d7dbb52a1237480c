"""The regularization page without a browser: its rows, every control, hostile addresses, and what a hand sends."""

from __future__ import annotations

import base64
import itertools
import json
import re

import numpy as np
import pytest

from engine import presets
from engine.analysis import lp_norms
from engine.data import datasets
from engine.data.augment import Augmentation
from engine.errors import InputError
from pages._ui.regular import figures, regular, scenes
from pages._ui.regular.settings import BUDGETS, FAR, ROWS, SETTINGS
from tests.pages.conftest import sentences, shows

PARTS = SETTINGS["part"].options
ALL_ROWS = [*ROWS, "lp-norms"]


def scene(app):
    """Return the scene that the moving picture was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)["scene"]


def widget(app, kind, name):
    return next(item for item in app.get(kind) if shows(item, f"regularization_{name}"))


# --- rows and addresses -----------------------------------------------------------------------------------------------


def test_every_published_row_of_the_page_is_here():
    published = {id for id, preset in presets.PRESETS.items() if preset.page == "regularization"}
    assert set(ALL_ROWS) == published
    wanted = "course-regularizers d2-overfit d2-l2 d2-l1 d2-dropout d2-dropout-l1 ch06-weight-decay ch06-dropout"
    assert {*wanted.split(), "ch08-augmentation", "lp-norms"} == published


@pytest.mark.parametrize("id", ALL_ROWS)
def test_every_row_is_reached_by_its_link(visit, id):
    app = visit("regularization", preset=id)
    assert sentences(app) == []
    assert app.query_params["preset"] == id
    preset = presets.get(id)
    if preset.runs:
        (component,) = app.get("bidi_component")
        data = json.loads(component.proto.json)
        assert [run["label"] for run in data["runs"]] == list(preset.runs)
        assert (data["show"], data["quantity"]) == (["loss", "accuracy", "layers"], "weights")
        assert any(preset.title in text.value and preset.question in text.value for text in app.markdown)
    else:
        assert scene(app)["kind"] == "norms"
        assert any(str(preset.claim.text) in text.value for text in app.caption)


def test_every_row_is_reached_by_clicks(visit):
    app = visit("regularization")
    for id in ROWS:
        widget(app, "selectbox", "experiment").set_value(id).run()
        assert sentences(app) == []
        assert app.query_params["preset"] == id


def test_the_five_course_runs_stand_together_with_their_published_figures(visit):
    (component,) = visit("regularization").get("bidi_component")
    runs = json.loads(component.proto.json)["runs"]
    assert [(run["published"]["train"], run["published"]["test"]) for run in runs] == [
        (1.0, 0.758), (0.9, 0.705), (0.797, 0.618), (0.887, 0.686), (0.923, 0.707),
    ]  # fmt: skip
    five = presets.get("course-regularizers").runs
    alone = {id: presets.get(id) for id in ("d2-overfit", "d2-l2", "d2-l1", "d2-dropout", "d2-dropout-l1")}
    assert list(five.values()) == [preset.runs[preset.headline] for preset in alone.values()]


def test_a_change_of_the_runs_stands_in_the_address_beside_the_row(visit):
    link = {"preset": "d2-dropout", "all.dropout": "0.4", "all.seed": "3"}
    app = visit("regularization", **link)
    assert sentences(app) == []
    assert dict(app.query_params) == link | {"lang": "en"}


HOSTILE = {
    "too much": ("p", "5"),
    "too little": ("p", "0"),
    "not finite": ("budget", "nan"),
    "huge": ("c1", "9" * 400),
    "no number": ("c2", "<script>alert(1)</script>"),
    "negative": ("rate", "-0.1"),
    "a fraction": ("units", "4.5"),
    "no such part": ("part", "runs_part"),
    "no such run": ("trained", "../../etc/passwd"),
    "too patient": ("patience", "21"),
    "no such experiment": ("experiment", "d2-batchnorm"),
    "no digit": ("digit", "10"),
    "braces": ("watched", "{field.__class__}"),
}


@pytest.mark.parametrize(("name", "value"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_answered_in_one_sentence(visit, name, value):
    app = visit("regularization", **{"part": "norms", name: value})
    (said,) = sentences(app)
    assert said.startswith(SETTINGS[name].label)
    assert "must be" in said
    assert len(said) < 300
    assert app.session_state["regularization"][name] == SETTINGS[name].default
    assert sentences(app.run()) == []  # said once


def test_an_unknown_row_is_answered_in_one_sentence(visit):
    (said,) = sentences(visit("regularization", preset="d2-l3"))
    assert "d2-l3" in said


# --- the parts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "language"), [*itertools.product(PARTS, ("en", "ja"))])
def test_every_part_opens_without_a_word(visit, part, language):
    app = visit("regularization", language, part=part)
    assert sentences(app) == []
    assert len(app.button) >= 3  # what to try
    assert len(app.get("bidi_component")) == (part != "stopping")


@pytest.mark.parametrize("n", range(3))
def test_what_to_try_is_taken_up(visit, n):
    app = visit("regularization", part="augmentation", draw="7")
    app.button(key=f"try_{n}").click().run()
    assert sentences(app) == []
    assert app.query_params["part"] == ("norms", "dropout", "stopping")[n]
    assert "draw" not in app.query_params


def test_the_ball_and_the_bowl_are_the_engines(visit):
    app = visit("regularization", part="norms", p="1.5", budget="0.8", c1="-1.2", c2="2", narrow="4", angle="-30")
    given = scene(app)
    a, c = lp_norms.bowl(4, -30), np.array([-1.2, 2.0])
    budgets = np.linspace(0, FAR, BUDGETS)
    np.testing.assert_array_equal(given["path"], lp_norms.constrained_minimum(c, a, budgets, 1.5))
    assert given["budgets"][given["place"]] == pytest.approx(0.8)
    np.testing.assert_allclose(given["errors"], lp_norms.error(np.array(given["path"]), c, a))
    np.testing.assert_allclose(given["norms"], lp_norms.norm(np.array(given["path"]), 1.5))


def test_the_page_opens_on_a_corner(visit):
    given = scene(visit("regularization", part="norms"))
    w1, w2 = given["path"][given["place"]]
    assert w1 > 0.5
    assert w2 == 0


def test_every_budget_of_the_slider_has_a_place():
    setting = SETTINGS["budget"]
    for n in range(round(setting.high / setting.step) + 1):
        given = scenes.norms(1, round(n * setting.step, 10), (1.0, 1.0), narrow=1, angle=0)
        assert given["budgets"][given["place"]] == pytest.approx(n * setting.step, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["p", "budget", "c1", "c2", "narrow", "angle", "strength", "rate", "units", "patience"]
)
def test_every_slider_is_obeyed_and_stands_in_the_address(visit, name):
    part = {"rate": "dropout", "units": "dropout", "patience": "stopping"}.get(name, "norms")
    app = visit("regularization", part=part)
    setting = SETTINGS[name]
    widget(app, "slider", name).set_value(setting.high).run()
    assert sentences(app) == []
    assert float(app.query_params[name]) == setting.high


@pytest.mark.parametrize("value", [[0.333, -2], [3, -3.0]])
def test_a_hand_may_put_the_lowest_point(value):
    assert regular.parse_centre(value) == (round(value[0], 2), value[1])


@pytest.mark.parametrize(
    "value", [[4, 0], [0], "1,1", None, [True, 0], [float("nan"), 0], {"x": 1}, ["1", "1"], [[1], 2]]
)
def test_what_else_a_browser_sends_is_refused_in_one_sentence(value):
    with pytest.raises(InputError, match="must be two numbers from -3 to 3, not") as caught:
        regular.parse_centre(value)
    assert len(str(caught.value)) < 150


def test_the_thinned_networks_follow_rate_and_numbers(visit):
    app = visit("regularization", part="dropout", rate="0.5", units="10")
    given = scene(app)
    assert given["layers"] == [5, 10, 10, 4]
    assert (given["scale"], given["networks"]) == (2, 2**20)
    assert np.shape(given["masks"]) == (16, 20)
    app.button(key="new_numbers").click().run()
    assert scene(app)["masks"] != given["masks"]
    assert app.query_params["draw"] == "1"
    whole = scenes.dropout(0.0, 4, draw=0)
    assert np.all(whole["masks"])
    assert whole["scale"] == 1


def pixels(given):
    return np.frombuffer(base64.b64decode(given["pixels"]), np.uint8).reshape(given["places"], given["tiles"], 28, 28)


def test_the_sheet_shows_the_digits_as_they_are_and_changed(visit):
    app = visit("regularization", part="augmentation", digit="3")
    looks = pixels(scene(app))
    data = datasets.load("mnist-5k")
    first = data.x_train[np.flatnonzero(data.y_train == 3)[0], :, :, 0]
    assert (looks[0] == first).all()
    assert len({look.tobytes() for look in looks[1:].reshape(-1, 28, 28)}) == 6 * 24
    app.button(key="new_numbers").click().run()
    assert (pixels(scene(app))[1:] != looks[1:]).any()
    widget(app, "toggle", "mixed").set_value(True).run()
    assert scene(app)["labels"] == [n % 10 for n in range(24)]
    for name in ("moved", "turned", "scaled", "slanted", "kneaded"):
        widget(app, "slider", name).set_value(0.0).run()
    assert sentences(app) == []
    still = pixels(scene(app))
    assert (still == still[0]).all()


@pytest.mark.parametrize("field", ["shift", "rotation", "scale", "shear", "elastic"])
def test_every_way_of_changing_changes_something(field):
    looks = pixels(scenes.sheet(Augmentation(**{field: 0.5 if field != "rotation" else 30.0}), digit=5, draw=0))
    assert (looks[1:] != looks[:1]).any(axis=(2, 3)).all()


def test_a_six_can_be_stood_on_its_head(visit):
    """The guide asks for it."""
    app = visit("regularization", part="augmentation", digit="6")
    widget(app, "slider", "turned").set_value(180.0).run()
    assert sentences(app) == []
    assert "6 that stands on its head" in " ".join(text.value for text in app.markdown)


def test_without_dropout_the_next_layer_is_given_one_number(visit):
    app = visit("regularization", part="dropout", rate="0")
    made = json.loads(app.get("plotly_chart")[0].proto.spec)
    x = made["data"][0]["x"]
    assert np.ptp(np.frombuffer(base64.b64decode(x["bdata"]), x["dtype"])) > 1  # not the rounding of a single number


def test_augmentation_leads_to_its_runs(visit):
    app = visit("regularization", part="augmentation")
    app.button(key="train_augmented").click().run()
    assert sentences(app) == []
    assert app.query_params["preset"] == "ch08-augmentation"


def test_early_stopping_saves_what_it_says(visit):
    app = visit("regularization", part="stopping", patience="4")
    found = figures.curves(figures._RUNS["fast"].to_json())
    best = int(np.argmin(found["test_loss"]))
    said = next(text.value for text in app.caption if "test loss" in text.value)
    assert found["test_loss"][-1] > found["test_loss"][best] * 1.1  # it overfits
    assert re.search(r"Given up at step \d+, after 4 evaluations without a better one\.", said)
    widget(app, "slider", "patience").set_value(1).run()
    assert any("at the first evaluation that was no better" in text.value for text in app.caption)
    widget(app, "slider", "patience").set_value(20).run()
    said = next(text.value for text in app.caption if "test loss" in text.value)
    assert f"Best at step {found['step'][best]:g}: test loss {found['test_loss'][best]:.3f}" in said
    widget(app, "button_group", "watched").set_value("accuracy").run()
    assert sentences(app) == []
    assert app.query_params["watched"] == "accuracy"
