"""The normalization page without a browser: its rows, every control, numbers typed in, and hostile addresses."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from engine import presets
from engine.analysis import normalizing
from engine.errors import InputError
from engine.presets import SIGMAS
from pages._ui.normal import normal, scenes, typed
from pages._ui.normal.settings import PANEL, ROWS, SETTINGS
from tests.pages.conftest import sentences, shows

PARTS = SETTINGS["part"].options


def data(app):
    """Return what the page's component was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def widget(app, kind, name):
    return next(item for item in app.get(kind) if shows(item, f"normalization_{name}"))


# --- rows and addresses -----------------------------------------------------------------------------------------------


def test_every_published_row_of_the_page_is_here():
    published = {id for id, preset in presets.PRESETS.items() if preset.page == "normalization"}
    assert {*ROWS, PANEL} == published
    wanted = "d2-batchnorm normalizations normalizations-conv norm-regularizer batch-norm-batch-size"
    assert {*wanted.split(), "activation-statistics", "ch06-batchnorm"} == published


@pytest.mark.parametrize("id", [*ROWS, PANEL])
def test_every_row_is_reached_by_its_link(visit, id):
    app = visit("normalization", preset=id)
    assert sentences(app) == []
    assert app.query_params["preset"] == id
    preset = presets.get(id)
    assert [run["label"] for run in data(app)["runs"]] == list(preset.runs)
    assert any(preset.title in text.value and preset.question in text.value for text in app.markdown)


def test_layer_norm_is_another_name_of_a_row(visit):
    app = visit("normalization", preset="layer-norm")
    assert sentences(app) == []
    assert app.query_params["preset"] == "normalizations"


def test_every_row_is_reached_by_clicks(visit):
    app = visit("normalization")
    widget(app, "button_group", "part").set_value("runs").run()
    for id in ROWS:
        widget(app, "selectbox", "experiment").set_value(id).run()
        assert sentences(app) == []
        assert app.query_params["preset"] == id
    widget(app, "button_group", "part").set_value("panel").run()
    assert sentences(app) == []
    assert app.query_params["part"] == "panel"


def test_the_panel_is_four_by_four_with_and_without(visit):
    given = data(visit("normalization", preset=PANEL))
    assert (given["show"], given["columns"], len(given["runs"])) == (["panel"], 4, 32)
    assert given["lines"] == ["batch norm", "no batch norm"]
    assert len(given["panels"]) == 16
    runs = presets.get(PANEL).runs
    for panel, sigma in zip(given["panels"], SIGMAS, strict=True):
        with_, without = (runs[label] for label in panel["runs"])
        assert panel["title"] == f"σ = {sigma:.2g}"
        assert (with_.sigma, with_.normalization) == (sigma, "batch")
        assert (without.sigma, without.normalization) == (sigma, "none")


def test_statistics_are_shown_over_the_whole_of_training(visit):
    given = data(visit("normalization", preset="activation-statistics"))
    assert given["show"][0] == "history"
    assert given["over"] == "std"


def test_a_change_of_the_runs_stands_in_the_address_beside_the_row(visit):
    link = {"preset": "d2-batchnorm", "all.lr": "0.05", "all.seed": "3"}
    app = visit("normalization", **link)
    assert sentences(app) == []
    assert dict(app.query_params) == link | {"lang": "en"}


HOSTILE = {
    "no such kind": ("kind", "group"),
    "no such part": ("part", "runs_part"),
    "nobody": ("examples", "0"),
    "too many": ("units", "9"),
    "huge": ("pictures", "9" * 400),
    "a fraction": ("channels", "1.5"),
    "not finite": ("gamma", "nan"),
    "no number": ("beta", "<script>alert(1)</script>"),
    "no such experiment": ("experiment", "d2-l2"),
    "negative": ("draw", "-1"),
}


@pytest.mark.parametrize(("name", "value"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_answered_in_one_sentence(visit, name, value):
    app = visit("normalization", **{name: value})
    (said,) = sentences(app)
    assert said.startswith(SETTINGS[name].label)
    assert "must be" in said
    assert len(said) < 300
    assert app.session_state["normalization"][name] == SETTINGS[name].default
    assert sentences(app.run()) == []  # said once


# --- what is averaged over --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "language"), [*itertools.product(PARTS, ("en", "ja"))])
def test_every_part_opens_without_a_word(visit, part, language):
    app = visit("normalization", language, part=part)
    assert sentences(app) == []
    assert len(app.get("bidi_component")) == 1


@pytest.mark.parametrize(("kind", "given"), [*itertools.product(("batch", "layer"), ("units", "pictures"))])
def test_the_drawing_is_the_engines_arithmetic(visit, kind, given):
    app = visit("normalization", kind=kind, given=given, gamma="2", beta="-0.5", draw="3")
    scene = data(app)["scene"]
    x = normalizing.batch(4, 5, seed=3) if given == "units" else normalizing.pictures(3, 3, 2, seed=3)
    done = normalizing.normalize(x, kind, gamma=2, beta=-0.5)
    assert scene["shape"] == list(x.shape)
    for name in ("x", "group", "mean", "variance", "deviation", "normal", "y"):
        np.testing.assert_allclose(scene[name], getattr(done, name).ravel())


@pytest.mark.parametrize("name", ["examples", "units", "pictures", "channels", "gamma", "beta"])
def test_every_slider_is_obeyed_and_stands_in_the_address(visit, name):
    app = visit("normalization", given="pictures" if name in ("pictures", "channels") else "units")
    high = SETTINGS[name].high
    widget(app, "slider", name).set_value(high).run()
    assert sentences(app) == []
    assert float(app.query_params[name]) == high
    scene = data(app)["scene"]
    if name in ("examples", "pictures"):
        assert scene["shape"][0] == high
    elif name in ("units", "channels"):
        assert scene["shape"][-1] == high
    else:
        assert scene[name] == high


def test_a_link_brings_its_typed_numbers_and_new_numbers_forget_them(visit):
    app = visit("normalization", typed="0:2.5,7:-3")
    assert sentences(app) == []
    scene = data(app)["scene"]
    assert (scene["x"][0], scene["x"][7]) == (2.5, -3)
    assert app.query_params["typed"] == "0:2.5,7:-3"
    app.button(key="new_numbers").click().run()
    assert "typed" not in app.query_params
    assert data(app)["scene"]["x"][0] != 2.5
    assert app.query_params["draw"] == "1"


def test_another_shape_forgets_them_too(visit):
    app = visit("normalization", typed="0:2.5")
    widget(app, "slider", "units").set_value(5).run()
    assert "typed" not in app.query_params
    assert len(data(app)["scene"]["x"]) == 25


@pytest.mark.parametrize(
    "text",
    ["0", "0:x", "-1:2", "999:1", "0:100", "0:nan", "0:inf", ":", "a:1", "0:1,,", "0:1;2:3", "１:2:3", "0:1" * 900],
)
def test_typed_numbers_that_are_none_are_answered_in_one_sentence(visit, text):
    app = visit("normalization", typed=text)
    (said,) = sentences(app)
    assert said.startswith("A cell of the batch must be a number from −99 to 99, not")
    assert len(said) < 200
    assert "typed" not in app.query_params


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (-1, 1.0),
        (20, 1.0),
        (True, 1.0),
        (0.5, 1.0),
        (0, "1"),
        (0, None),
        (0, 99.5),
        (0, float("nan")),
        ([0], 1),
        (0, True),
    ],
)
def test_what_a_browser_types_is_checked(cell, value):
    with pytest.raises(InputError, match="A cell of the batch must be"):
        typed.checked(cell, value, 20)
    assert typed.checked(19, -99, 20) == (19, -99.0)


def test_a_browser_tells_several_numbers_at_once():
    assert normal.parse([[0, 1.5], [19, -3]], 20) == {0: 1.5, 19: -3.0}
    assert normal.parse([], 20) == {}


@pytest.mark.parametrize("said", ["0:1", {"0": 1}, [0, 1], [[0]], [[0, 1, 2]], [[0, 1], [20, 1]], [[[0], 1]], [None]])
def test_what_else_a_browser_sends_is_refused_in_one_sentence(said):
    with pytest.raises(InputError, match="A cell of the batch must be"):
        normal.parse(said, 20)


def test_places_outside_a_batch_change_nothing():
    x = scenes.batch("units", 2, 2, 0)
    np.testing.assert_array_equal(scenes.put(x.copy(), {4: 1.0, 50: 2.0}), x)
    assert scenes.put(x.copy(), {3: 1.5})[1, 1] == 1.5


@pytest.mark.parametrize("n", range(3))
def test_what_to_try_is_taken_up(visit, n):
    app = visit("normalization", kind="layer", typed="0:2.5")
    app.button(key=f"try_{n}").click().run()
    assert sentences(app) == []
    if n == 1:
        assert app.query_params["preset"] == "batch-norm-batch-size"
    else:
        scene = data(app)["scene"]
        assert (scene["kind"], scene["shape"], scene["gamma"]) == (("batch", [1, 4], 1), ..., ("batch", [5, 4], 2))[n]


def test_a_batch_of_one_leaves_nothing(visit):
    scene = data(visit("normalization", examples="1"))["scene"]
    assert scene["normal"] == [0] * 4
    scene = data(visit("normalization", examples="1", kind="layer"))["scene"]
    assert min(map(abs, scene["normal"])) > 0
