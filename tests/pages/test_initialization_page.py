"""The initialization page without a browser: every control, every row by link, and what hostile visitors send."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from engine import build, presets
from engine.analysis import derivatives, propagation
from engine.errors import InputError
from engine.presets import initialization as published
from pages._ui import i18n
from pages._ui.spread import scenes, spread
from pages._ui.spread.settings import ACTIVATIONS, AT_FIRST, EXPERIMENTS, ROWS, SETTINGS, STARTS
from tests.pages.conftest import sentences, shows

PAGE = "initialization"
PARTS = SETTINGS["part"].options


def data(app):
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def scene(app):
    return data(app)["scene"]


def widget(app, kind, name):
    return next(item for item in app.get(kind) if shows(item, f"{PAGE}_{name}"))


def close(found, wanted):
    np.testing.assert_allclose(np.array(found, float), wanted, rtol=1e-5)


# --- every part and every row -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "language"), [*itertools.product(PARTS, ("en", "ja"))])
def test_every_part_opens_without_a_word(visit, part, language):
    app = visit(PAGE, language, part=part)
    assert sentences(app) == []
    assert [button.key for button in app.button if button.key.startswith("try_")] == ["try_0", "try_1", "try_2"]
    labels = data(app)["labels"]
    assert all(isinstance(text, str) and text for text in labels.values())


@pytest.mark.parametrize("row", ROWS)
def test_every_row_opens_by_its_link(visit, row):
    app = visit(PAGE, preset=row)
    assert sentences(app) == []
    assert app.query_params["preset"] == row
    assert {name: app.session_state[PAGE][name] for name in ROWS[row]} == ROWS[row]
    title = i18n.translate(presets.get(row).title)
    assert any(title in text.value for text in app.markdown)


def test_every_row_of_the_page_has_a_link():
    assert set(ROWS) == {preset.id for preset in presets.PRESETS.values() if preset.page == PAGE}


@pytest.mark.parametrize("id", EXPERIMENTS)
def test_every_experiment_can_be_chosen(visit, id):
    app = visit(PAGE, part="runs")
    widget(app, "selectbox", "experiment").set_value(id).run()
    assert sentences(app) == []
    assert app.query_params["preset"] == id
    preset = presets.get(id)
    assert [run["label"] for run in data(app)["runs"]] == list(preset.runs)
    assert ("panel" in data(app)["show"]) == (len(preset.runs) > 1)


@pytest.mark.parametrize("id", ["ch06-activation-hist", "vanishing-gradients"])
def test_a_button_sets_the_controls_to_a_row(visit, id):
    app = visit(PAGE, part="before", activation="relu", layers="7", gauss="0")
    app.button(key=f"show_{id}").click().run()
    assert sentences(app) == []
    assert app.query_params["preset"] == id


def test_what_is_said_to_be_computed_here_is(visit, monkeypatch):
    def verdicts():
        return [text.value[:3] for text in visit(PAGE).markdown if "Computed here" in text.value]

    assert verdicts() == [":gr", ":gr"]
    monkeypatch.setattr(published, "_piles_up", lambda: False)
    assert verdicts() == [":or", ":gr"]


@pytest.mark.parametrize("n", range(3))
def test_what_to_try_takes_up_its_settings(visit, n):
    app = visit(PAGE, part="slope")
    before = dict(app.session_state[PAGE])
    app.button(key=f"try_{n}").click().run()
    assert sentences(app) == []
    assert dict(app.session_state[PAGE]) != before


# --- before training --------------------------------------------------------------------------------------------------


def test_the_published_histograms_are_those_of_the_engine(visit):
    shown = scene(visit(PAGE, preset="ch06-activation-hist"))
    assert [row["id"] for row in shown["rows"]] == list(AT_FIRST)
    assert (shown["columns"], shown["examples"]) == ([1, 2, 3, 4, 5], 1000)
    for row, sigma in zip(shown["rows"], (1.0, 0.01, 0.1, math.sqrt(2) / 10), strict=True):
        initializer = STARTS[row["id"]][0]
        found = propagation.propagate("sigmoid", initializer, sigma=sigma)
        assert row["sigma"] == pytest.approx(sigma)
        close(row["std"], found.spread)
        close(row["norms"], found.gradient_norms / found.gradient_norms[-1])
        for cell, values in zip(row["cells"], found.activations[1:], strict=True):
            assert (cell["low"], cell["high"], cell["outside"]) == (0, 1, 0)
            assert cell["counts"] == np.histogram(values, 30, (0, 1))[0].tolist()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_start(visit, activation):
    shown = scene(visit(PAGE, activation=activation, layers="3", width="20", **dict.fromkeys(STARTS, "1")))
    assert [row["id"] for row in shown["rows"]] == list(STARTS)
    for row in shown["rows"]:
        initializer, fixed, _words = STARTS[row["id"]]
        found = propagation.propagate(activation, initializer, sigma=fixed or 1.0, layers=3, width=20)
        close(row["std"], found.spread)
        for cell in row["cells"]:
            assert sum(cell["counts"]) == round(20_000 * (1 - cell["outside"]))


def test_the_engine_knows_no_other_starts_and_activations():
    assert set(ACTIVATIONS) == set(build.ACTIVATIONS)
    assert {initializer for initializer, _sigma, _words in STARTS.values()} == set(build.INITIALIZERS)


@pytest.mark.parametrize("layers", [2, 8, 9, 30])
def test_of_many_layers_some_get_a_histogram_the_first_and_last_among_them(visit, layers):
    shown = scene(visit(PAGE, layers=str(layers)))
    assert (shown["columns"][0], shown["columns"][-1]) == (1, layers)
    assert len(shown["columns"]) == min(layers, 8)
    for row in shown["rows"]:
        assert len(row["cells"]) == len(shown["columns"])
        assert len(row["std"]) == layers + 1


@pytest.mark.parametrize(("quantity", "bins"), [*itertools.product(("activations", "gradients"), ("unit", "all"))])
def test_quantity_and_bins(visit, quantity, bins):
    app = visit(PAGE, activation="tanh")
    widget(app, "segmented_control", "quantity").set_value(quantity).run()
    widget(app, "segmented_control", "bins").set_value(bins).run()
    cells = scene(app)["rows"][2]["cells"]
    if (quantity, bins) == ("activations", "unit"):
        assert all((cell["low"], cell["high"]) == (0, 1) and 0.4 < cell["outside"] < 0.6 for cell in cells)
    else:
        assert all(cell["low"] < 0 < cell["high"] and cell["outside"] == 0 for cell in cells)


def test_the_gradient_of_activations_or_of_weights(visit):
    app = visit(PAGE, activation="relu", layers="20")
    assert len(scene(app)["rows"][0]["norms"]) == 21
    assert scene(app)["rows"][0]["norms"][0] > 1e10
    widget(app, "segmented_control", "of").set_value("weights").run()
    assert len(scene(app)["rows"][0]["norms"]) == 20
    assert 0.1 < scene(app)["rows"][0]["norms"][0] < 10
    assert app.query_params["of"] == "weights"


def test_pills_say_which_starts_are_drawn(visit):
    app = visit(PAGE)
    pills = app.get("button_group")
    pills = next(it for it in pills if shows(it, "initialization_starts"))
    assert set(pills.value) == set(AT_FIRST)
    pills.set_value(["orthogonal", "gauss"]).run()
    assert [row["id"] for row in scene(app)["rows"]] == ["gauss", "orthogonal"]
    assert app.query_params["orthogonal"] == "1"
    assert app.query_params["small"] == "0"
    next(it for it in app.get("button_group") if shows(it, "initialization_starts")).set_value([]).run()
    assert sentences(app) == []
    assert scene(app)["rows"] == []


def test_new_numbers_are_other_numbers(visit):
    app = visit(PAGE)
    before = scene(app)["rows"][0]["std"]
    app.button(key="new_numbers").click().run()
    assert scene(app)["rows"][0]["std"] != before
    assert app.query_params["seed"] == "1"


def test_zero_weights_leave_gaps_and_no_error(visit):
    shown = scene(visit(PAGE, activation="relu", gauss="0", small="0", lecun_normal="0", he_normal="0", zeros="1"))
    (row,) = shown["rows"]
    assert row["std"][1:] == [0] * 5
    assert row["norms"] == [0, 0, 0, 0, 0, 1]
    assert all(sum(cell["counts"]) == 100_000 for cell in row["cells"])


def test_moving_sigma_computes_again_what_depends_on_it_only(visit):
    visit(PAGE, seed="77")
    before = scenes.row.cache_info().misses
    visit(PAGE, seed="77", sigma="0.5")
    assert scenes.row.cache_info().misses == before + 1


def test_the_limits_of_a_histogram_are_round_and_hold_everything():
    rng = np.random.default_rng(0)
    for scale in (1e-40, 1e-3, 1.0, 3e7, 1e60):
        values = scale * rng.standard_normal(100)
        low, high = scenes.limits(values)
        assert low <= values.min() < values.max() <= high
        assert high - low < 2.5 * (values.max() - values.min())
    assert scenes.limits(np.array([1.0, np.inf])) == (0.0, 1.0)
    low, high = scenes.limits(np.full(5, 3.0))
    assert low <= 3 < high
    assert scenes.limits(np.array([-3.2e25, 3.4e25])) == (-3.5e25, 3.5e25)  # no 3.5000000000000004e25


# --- the derivative ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derivative_and_what_is_measured(visit, name):
    app = visit(PAGE, part="slope", f=name, z="1.5", passed="20")
    shown = scene(app)
    y, slope = derivatives.activation(name, np.linspace(-6, 6, 241))
    close(shown["y"], y)
    close(shown["slope"], slope)
    assert shown["values"] == {"z": 1.5, "passed": 20}
    for ys in shown["measured"].values():
        assert len(ys) == 31
        assert ys[0] == 1
    if name == "sigmoid":
        assert max(shown["slope"]) == 0.25
        assert all(value <= 1.05 * 0.25**k for k, value in enumerate(shown["measured"]["lecun_normal"]))


# --- what comes from outside ------------------------------------------------------------------------------------------

BAD = {
    "sigma": "0", "layers": "31", "width": "1e3", "z": "nan", "passed": "-2", "part": "<script>",
    "activation": "cosine", "gauss": "2", "seed": "1.5", "experiment": "d2-relu-hee", "preset": "ch04-descent",
    "of": "x" * 5000, "f": "",
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_address_is_answered_in_one_sentence(visit, name, language):
    app = visit(PAGE, language, **{name: BAD[name]})
    (said,) = sentences(app)
    assert len(said) < 400
    assert dict(app.session_state[PAGE]) == {it: setting.default for it, setting in SETTINGS.items()}


def test_a_name_that_nothing_has_is_named(visit):
    (said,) = sentences(visit(PAGE, part="before", nonsense="1"))
    assert "nonsense" in said


@pytest.mark.parametrize(
    ("said", "values", "settled"),
    [
        ({"values": {"sigma": 0.5}, "settled": False}, {"sigma": 0.5}, False),
        ({"values": {"sigma": 1, "layers": 30.0, "width": 10}, "settled": True},
         {"sigma": 1.0, "layers": 30, "width": 10}, True),
        ({"values": {"layers": 2}}, {"layers": 2}, True),
    ],
)  # fmt: skip
def test_where_sliders_stand(said, values, settled):
    found, rests = spread.legal(said, ("sigma", "layers", "width"))
    assert (found, rests) == (values, settled)
    assert all(type(value) is type(SETTINGS[name].default) for name, value in found.items())


@pytest.mark.parametrize(
    "said",
    [
        None, 3, "x", [], {}, {"values": None}, {"values": []}, {"values": {}}, {"values": {"part": "runs"}},
        {"values": {"sigma": "1"}}, {"values": {"sigma": True}}, {"values": {"sigma": math.nan}},
        {"values": {"sigma": math.inf}}, {"values": {"sigma": 10.5}}, {"values": {"layers": 2.5}},
        {"values": {"layers": 10**30}}, {"values": {"width": -1}}, {"values": {"sigma": [1]}}, {"values": {"z": 0}},
    ],
)  # fmt: skip
def test_a_hostile_slider_is_refused_in_one_sentence(said):
    with pytest.raises(InputError) as caught:
        spread.legal(said, ("sigma", "layers", "width"))
    assert len(str(caught.value)) < 300


def test_a_slider_moves_the_figure(visit):
    """As the browser does it, but for the callback, which AppTest does not call."""
    app = visit(PAGE)
    app.session_state[PAGE] = dict(app.session_state[PAGE]) | {"sigma": 0.05}
    app.run()
    assert scene(app)["values"]["sigma"] == 0.05
    assert scene(app)["rows"][0]["sigma"] == 0.05
    assert app.query_params["sigma"] == "0.05"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_session_state_holds_strings_and_numbers_only(visit, language):
    app = visit(PAGE, language, preset="vanishing-gradients")
    json.dumps(app.session_state[PAGE])
