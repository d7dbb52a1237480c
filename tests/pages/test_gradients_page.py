"""The gradients page without a browser: every part, every row by its link, every control, hostile addresses."""

from __future__ import annotations

import itertools
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.analysis import graph
from engine.analysis.derivatives import CURVES
from engine.analysis.descent import SURFACES
from engine.errors import InputError
from pages._ui.channels import pool
from pages._ui.graph import cards, check, curves, losses, scenes
from pages._ui.graph.graph import legal
from pages._ui.graph.settings import GIVEN, ROWS, SETTINGS
from tests.pages.conftest import sentences, shows

PARTS = SETTINGS["part"].options
STAGED = {"derivative": "slope", "field": "field", "graph": "circuit"}


def scene(app):
    """Return the scene that the stage was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)["scene"]


def widget(app, kind, name):
    return next(item for item in app.get(kind) if shows(item, f"gradients_{name}"))


def tables(app):
    return [table.value for table in app.table]


def prose(app):
    return "\n".join(text.value for text in app.markdown)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Let nobody wait for 39,760 parameters more than once."""
    monkeypatch.setattr(check, "HS", (1e-2, 1e-5))


# --- parts and rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "language"), [*itertools.product(PARTS, ("en", "ja"))])
def test_every_part_opens_without_a_word(visit, part, language):
    app = visit("gradients", language, part=part, which="sample")
    assert sentences(app) == []
    assert len([button for button in app.button if button.key.startswith("try_")]) == 3
    staged = app.get("bidi_component")
    assert len(staged) == (part in STAGED or part == "losses")
    if part in STAGED:
        assert scene(app)["kind"] == STAGED[part]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_link_that_shows_it_and_stays(visit, row):
    app = visit("gradients", preset=row)
    assert sentences(app) == []
    assert dict(app.query_params) == {"lang": "en", "preset": row}
    chosen = app.session_state["gradients"]
    assert all(chosen[name] == value for name, value in ROWS[row].items())


def test_the_books_derivatives(visit):
    app = visit("gradients", preset="ch04-derivative")
    shown = scene(app)
    assert list(shown["points"]) == [5, 10]
    assert "f′(5) ≈ **0.1999999999990898**, f′(10) ≈ **0.2999999999986347**" in prose(app)


def test_the_books_field(visit):
    shown = scene(visit("gradients", preset="ch04-gradient-field"))
    arrows = np.array(shown["arrows"])
    assert arrows.shape == (18 * 18, 4)
    np.testing.assert_allclose(arrows[:, 2:], 2 * arrows[:, :2], atol=1e-9)
    assert shown["path"] == []
    assert np.shape(shown["shade"]) == (shown["side"] ** 2,)
    assert (min(shown["shade"]), max(shown["shade"])) == (0, 255)


@pytest.mark.parametrize(
    ("lr", "end"), [("0.1", (-0.0345876, 0.0461169)), ("1e-10", (-2.99999999, 3.99999998)), ("10", None)]
)
def test_the_books_descents(visit, lr, end):
    app = visit("gradients", part="field", lr=lr)
    path = np.array(scene(app)["path"])
    assert path.shape == (21, 2)
    if end:
        np.testing.assert_allclose(path[-1], end, atol=2e-7)
    else:
        assert np.abs(path[-1]).min() > 1e12
    assert "After 20 steps" in prose(app)


def test_an_explosion_is_said(visit):
    app = visit("gradients", part="field", lr="100", by="formula", steps="200")
    assert "The path ends where the numbers become too large." in prose(app)
    assert json.dumps(scene(app)).find("Infinity") == -1


def test_the_books_fruit(visit):
    app = visit("gradients", preset="ch05-apples")
    shown = scene(app)
    found = {node["id"]: node["gradient"] for node in shown["nodes"]}
    wanted = {"apple_price": 2.2, "apple_count": 110, "orange_price": 3.3, "orange_count": 165, "tax": 650}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    assert shown["nodes"][shown["order"][-1]]["value"] == pytest.approx(715)
    (table,) = tables(app)
    assert table["Gradient"].tolist() == ["2.2", "110", "165", "3.3", "650"]


def test_the_books_gradient_check(visit):
    app = visit("gradients", preset="ch05-gradient-check")
    assert sentences(app) == []
    (table,) = tables(app)
    assert table["Checked"].tolist() == ["39,200", "50", "500", "10", "39,760"]
    means = [float(text.replace("−", "-")) for text in table["Mean difference"]]
    assert max(means) <= 1e-8
    assert "**39,760** gradients" in prose(app)
    assert [bar.proto.value for bar in app.get("progress")] == [100]
    assert len(app.get("image")) == 3
    assert app.get("progress")[0].proto.text == "39,760 of 39,760 parameters"


def test_the_losses_are_compared_on_the_page(visit):
    app = visit("gradients", preset="losses")
    state = app.session_state["gradients_comparison"]
    assert state["preset"] == "losses"
    assert [pool().find(name).experiment.loss for name in state["runs"]] == ["cross_entropy", "squared_error"]


# --- controls ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_comes_with_a_point_of_its_own(visit, name):
    app = visit("gradients")
    widget(app, "selectbox", "curve").set_value(name).run()
    assert sentences(app) == []
    shown = scene(app)
    assert (shown["curve"], shown["x"]) == (name, CURVES[name].points[0])
    assert widget(app, "number_input", "x").value == shown["x"]


def test_a_surface_and_what_comes_with_it_in_one_moment(visit):
    """A busy server hears of several widgets at once."""
    app = visit("gradients", part="field")
    start, other = list(SURFACES)[:2]
    assert scene(app)["surface"] == start
    widget(app, "number_input", "lr").set_value(0.123)
    widget(app, "selectbox", "surface").set_value(other).run()
    assert sentences(app) == []
    assert scene(app)["surface"] == other
    assert scene(app)["lr"] in (0.123, SURFACES[other].lr)
    assert widget(app, "number_input", "lr").value == scene(app)["lr"]


def test_a_choice_and_another_language_in_one_moment(visit):
    app = visit("gradients", part="field")
    other = list(SURFACES)[1]
    widget(app, "selectbox", "surface").set_value(other)
    next(it for it in app.get("button_group") if it.key == "language_en").set_value("ja").run()
    assert sentences(app) == []
    assert scene(app)["surface"] == other
    assert widget(app, "selectbox", "surface").value == other
    assert app.query_params["lang"] == "ja"


def test_what_no_option_is_called_changes_nothing(visit):
    app = visit("gradients", part="field")
    before = scene(app)["surface"]
    box = widget(app, "selectbox", "surface")
    box.options.append("<script>")  # says a forged browser
    box.set_value("<script>").run()
    assert sentences(app) == []
    assert scene(app)["surface"] == before
    assert widget(app, "selectbox", "surface").value == before


@pytest.mark.parametrize("name", SURFACES)
def test_every_surface_comes_with_a_start_of_its_own(visit, name):
    app = visit("gradients", part="field")
    widget(app, "selectbox", "surface").set_value(name).run()
    assert sentences(app) == []
    shown = scene(app)
    assert shown["surface"] == name
    assert tuple(shown["path"][0]) == SURFACES[name].start
    assert shown["lr"] == SURFACES[name].lr
    assert shown["view"][0] <= min(shown["path"][0])
    assert max(shown["path"][0]) <= shown["view"][1]


def test_the_controls_of_the_derivative(visit):
    app = visit("gradients")
    widget(app, "button_group", "chord").set_value("forward").run()
    widget(app, "number_input", "x").set_value(12.5).run()
    shown = scene(app)
    assert (shown["chord"], shown["x"]) == ("forward", 12.5)
    assert dict(app.query_params) == {"lang": "en", "x": "12.5", "chord": "forward"}


ERRORS = {
    (
        "exp",
        1,
    ): "the central one twice as fast, until rounding takes over: in float64 near h = √ε = 1.5 × 10⁻⁸ for",
    ("book", 5): "The central difference of a parabola is exact: of its error only rounding is left",
    ("square", 0): "rounding does not take over",
    ("cube", 1): "the central one twice as fast",
    ("cube", 0): "equally fast, because f″(x) is 0 here, and rounding does not take over",
    (
        "sigmoid",
        0,
    ): "equally fast, because f″(x) is 0 here, until rounding takes over: in float64 near h = ∛ε = 6.1 × 10⁻⁶",
    ("abs", 1): "On a straight line every chord is exact",
    ("abs", 0): "At x = 0 there is no derivative",
}


@pytest.mark.parametrize(("curve", "x"), ERRORS)
def test_the_caption_says_what_the_errors_of_this_function_do(visit, curve, x):
    app = visit("gradients", curve=curve, x=str(x))
    assert sentences(app) == []
    said = next(
        text.value
        for text in app.caption
        if "forward" in text.value or "every chord" in text.value or "f″" in text.value
    )
    assert ERRORS[curve, x] in said
    assert len(app.get("plotly_chart")) == ((curve, x) != ("abs", 0))  # at a kink there is nothing to be drawn


def test_small_numbers_are_written_as_on_the_axes(visit):
    assert [curves.power(value) for value in (1e-4, 2**-26, 0.25)] == ["10⁻⁴", "1.5 × 10⁻⁸", "0.25"]
    assert "With h = 1.23 × 10⁻⁸:" in prose(visit("gradients", h="1.234e-8"))


def test_an_x_where_the_function_is_not_drawn(visit):
    app = visit("gradients", curve="log", x="-3")
    assert sentences(app) == ["x must be a number from 0.1 to 6, not -3."]
    widget(app, "number_input", "x").set_value(2.0).run()
    assert sentences(app) == []


def test_the_field_takes_every_x_where_the_function_is_drawn_and_no_other(visit):
    app = visit("gradients", curve="square", x="1")
    for name, curve in CURVES.items():
        widget(app, "selectbox", "curve").set_value(name).run()
        field = widget(app, "number_input", "x")
        assert (field.min, field.max) == (curve.low, curve.high)
        assert field.value == scene(app)["x"] == curve.points[0]
    field.set_value(curve.high).run()
    assert sentences(app) == []
    assert scene(app)["x"] == curve.high


@pytest.mark.parametrize(("language", "name"), [("en", "Activation functions"), ("ja", "活性化関数")])
def test_the_part_of_the_functions_is_not_called_by_the_name_of_their_outputs(visit, language, name):
    app = visit("gradients", lang=language)
    assert name in [option.content for option in widget(app, "button_group", "part").proto.options]


def test_the_controls_of_the_activations(visit):
    app = visit("gradients", part="activations")
    widget(app, "slider", "at").set_value(0.0).run()
    widget(app, "slider", "layers").set_value(10).run()
    assert sentences(app) == []
    assert any("10 layers" in text.value and "9.5 × 10⁻⁷" in text.value for text in app.caption)


def test_the_cards_say_what_they_show():
    html = cards.cards(0.0)
    assert html.count("<img ") == 10
    assert "f′(0) = 0.25" in html
    assert "<small>max f′ = 0.25</small>" in html
    assert "<b>GELU</b><small>max f′ = 1.129</small>" in html
    assert "<b>SiLU</b><small>max f′ = 1.1</small>" in html
    assert "<b>softplus</b><small>f′ &lt; 1</small>" in html  # 0.993 is only where the card ends
    rows = cards.as_csv().splitlines()
    assert rows[0].startswith("x,step,step′,sigmoid,sigmoid′")
    assert len(rows) == 202


def test_the_controls_of_the_field(visit):
    app = visit("gradients", part="field")
    for name, value in (("lr", 0.25), ("steps", 7), ("start0", 1.0), ("start1", -2.0)):
        widget(app, "number_input", name).set_value(value).run()
    widget(app, "button_group", "by").set_value("formula").run()
    path = np.array(scene(app)["path"])
    np.testing.assert_allclose(path, np.outer(0.5 ** np.arange(8), [1, -2]))
    widget(app, "toggle", "path").set_value(False).run()
    assert sentences(app) == []
    assert scene(app)["path"] == []
    assert not [item for item in app.number_input if item.key == "gradients_lr"]


@pytest.mark.parametrize(("bends", "label"), [*itertools.product(graph.ACTIVATIONS, (1, 2, 3))])
def test_the_controls_of_the_graphs(visit, bends, label):
    app = visit("gradients", part="graph", graph="neuron", bends=bends, w1="-0.75")
    assert sentences(app) == []
    shown = scene(app)
    result = graph.neuron(1.0, -0.75, -2.0, 0.3, 0.2, 1.0, bends)
    found = result.backward()
    assert {node["id"]: node["gradient"] for node in shown["nodes"]} == pytest.approx(found)
    widget(app, "button_group", "graph").set_value("softmax").run()
    widget(app, "button_group", "label").set_value(label).run()
    nodes = {node["id"]: node for node in scene(app)["nodes"]}
    for k in (1, 2, 3):
        assert nodes[f"z{k}"]["gradient"] == pytest.approx(nodes[f"y{k}"]["value"] - (k == label))


def test_the_table_writes_small_and_large_numbers_as_the_picture_does(visit):
    (table,) = tables(visit("gradients", part="graph", apple_price="1e-7"))
    cells = set(table.astype(str).to_numpy().ravel().tolist())
    assert "1e−7" in cells
    assert not [cell for cell in cells if "e-" in cell or "e−0" in cell]


@pytest.mark.parametrize("name", GIVEN)
def test_a_scene_of_a_graph_is_whole(visit, name):
    shown = scene(visit("gradients", part="graph", graph=name))
    nodes, edges = shown["nodes"], shown["edges"]
    assert {node["id"] for node in nodes if node["edit"]} == set(GIVEN[name])
    assert len({tuple(node["at"]) for node in nodes}) == len(nodes)
    for n, node in enumerate(nodes):
        arriving = sum(edge["gradient"] for edge in edges if edge["from"] == n)
        leaves = [edge for edge in edges if edge["from"] == n]
        assert node["gradient"] == pytest.approx(arriving if leaves else 1)
        for edge in (edges[i] for i in node["inputs"]):
            assert edge["gradient"] == pytest.approx(node["gradient"] * edge["slope"])
            assert edge["value"] == nodes[edge["from"]]["value"]


def test_the_controls_of_the_check(visit, monkeypatch):
    app = visit("gradients", part="check", which="sample")
    assert tables(app)[0]["Checked"].tolist() == ["60", "50", "60", "10", "180"]
    for name, value in (("precision", "float32"), ("hidden", "tanh")):
        widget(app, "button_group", name).set_value(value).run()
    widget(app, "selectbox", "check_h").set_value("1e-2").run()
    assert sentences(app) == []
    mean = float(tables(app)[0]["Mean difference"].tolist()[-1].replace("−", "-"))
    assert 1e-7 < mean < 1e-3
    measured = []
    monkeypatch.setattr(
        check, "check_gradients", lambda *args, **more: measured.append(args) or check_again(*args, **more)
    )
    app.run()
    assert not measured  # it was kept
    app.button(key="check_again").click().run()
    assert len(measured) == 1
    assert sentences(app) == []


check_again = check.check_gradients


def test_another_unit_is_another_picture(visit):
    app = visit("gradients", part="check")
    before = [str(image.proto) for image in app.get("image")]
    widget(app, "slider", "unit").set_value(7).run()
    assert sentences(app) == []
    assert [str(image.proto) for image in app.get("image")] != before


def test_what_is_measured_is_kept_but_not_for_ever(monkeypatch):
    monkeypatch.setattr(check, "_kept", dict.fromkeys(range(check.KEPT)))
    found = check.measure("relu", "float64", 1e-4, 1)
    assert len(check._kept) == check.KEPT
    assert check.measure("relu", "float64", 1e-4, 1) is found
    check.forget("relu", "float64", 1e-4, 1)
    assert check.measure("relu", "float64", 1e-4, 1) is not found


def test_a_class_that_asks_at_one_moment_is_answered_by_one_measurement(monkeypatch):
    monkeypatch.setattr(check, "_kept", {})
    begun = []

    def slow(*args, **more):
        begun.append(args)
        time.sleep(0.2)
        return check_again(*args, **more)

    monkeypatch.setattr(check, "check_gradients", slow)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: check.measure("relu", "float64", 1e-4, 1), range(8)))
    assert len(begun) == 1
    assert all(one is found[0] for one in found)
    with check._measuring:  # what is known already waits for nobody
        assert check.measure("relu", "float64", 1e-4, 1) is found[0]


def test_the_controls_of_the_losses(visit):
    app = visit("gradients", part="losses")
    (table,) = tables(app)
    assert table["Softmax y"].tolist() == ["0.0003", "0.9817", "0.0180"]
    widget(app, "slider", "score1").set_value(9.0).run()
    widget(app, "slider", "score2").set_value(-1.0).run()
    widget(app, "slider", "score3").set_value(-9.0).run()
    widget(app, "button_group", "truth").set_value(3).run()
    assert sentences(app) == []
    (table,) = tables(app)
    assert table["Target t"].tolist() == ["0", "0", "1"]
    assert table.iloc[2, 3] == "−1.0000"
    times = re.search(r"([\d,.]+) times", prose(app))[1]
    assert float(times.replace(",", "")) > 1e6
    assert "." not in times  # nobody reads the tenths of a million


def test_the_curves_of_the_losses_go_through_the_prediction():
    z, found = losses.course([-4.0, 4.0, 0.0], 0)
    n = int(np.argmin(np.abs(z + 4)))
    for name, (value, slopes) in graph.losses([-4.0, 4.0, 0.0], 0).items():
        assert found[name][0][n] == pytest.approx(value)
        assert found[name][1][n] == pytest.approx(slopes[0])


@pytest.mark.parametrize(
    ("scores", "label", "limit"), [([-4, 0, 0], 0, "0.75"), ([-4, 10, -10], 0, "1"), ([0, 1, 2.5], 2, "0.803")]
)
def test_where_squared_error_flattens_out(visit, scores, label, limit):
    """½ (1 + Σ y² of the other classes), which share the probability among themselves."""
    assert f"{graph.squared_error_limit(scores, label):.3g}" == limit
    far = [-400.0 if k == label else score for k, score in enumerate(scores)]
    assert graph.losses(far, label)["softmax_squared"][0] == pytest.approx(graph.squared_error_limit(scores, label))
    app = visit(
        "gradients", part="losses", truth=str(label + 1), **{f"score{k}": f"{z:g}" for k, z in enumerate(scores, 1)}
    )
    assert any(f"flattens out at {limit}." in text.value for text in app.caption)


def test_nothing_is_pushed_by_less_than_nothing(visit):
    (table,) = tables(visit("gradients", part="losses", score1="-10", score2="10", score3="-10", truth="2"))
    assert "−0.0000" not in table.to_string()
    assert losses.signed(-1e-9) == losses.signed(0.0) == "0.0000"
    assert [losses.signed(0.00006), losses.signed(-1.0)] == ["+0.0001", "-1.0000"]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_what_to_try_sets_the_controls_from_anywhere(visit, n):
    app = visit("gradients", part="losses")
    app.button(key=f"try_{n}").click().run()
    assert sentences(app) == []
    (component,) = app.get("bidi_component")
    data = json.loads(component.proto.json)
    assert data["attention"] == 1
    shown = data["scene"]
    if n == 0:
        assert shown["h"] == 1e-15
    elif n == 1:
        heights = shown["values"]
        assert heights == sorted(heights)  # it climbs
    else:
        gradients = {node["id"]: node["gradient"] for node in shown["nodes"]}
        assert [name for name in GIVEN["neuron"] if gradients[name]] == ["t"]


# --- what comes from outside ------------------------------------------------------------------------------------------


HOSTILE = {
    "no such part": ("part", "derivative_part"),
    "no such row": ("preset", "ch99-nothing"),
    "no such curve": ("curve", "../../etc/passwd"),
    "markup": ("surface", "<script>alert(1)</script>"),
    "too large": ("x", "1e9"),
    "not finite": ("lr", "nan"),
    "infinite": ("start0", "inf"),
    "negative": ("lr", "-1"),
    "no number": ("h", "small"),
    "huge": ("steps", "9" * 400),
    "a fraction": ("steps", "2.5"),
    "braces": ("graph", "{field.__class__}"),
    "too dear": ("apple_price", "1e300"),
    "a full-width digit": ("label", "３"),
    "empty": ("check_h", ""),
    "a boolean": ("path", "True"),
    "half a unit": ("unit", "1.5"),
}


@pytest.mark.parametrize(("name", "value"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_answered_in_one_sentence(visit, name, value):
    app = visit("gradients", **{name: value})
    (said,) = sentences(app)
    assert "must be" in said
    assert len(said) < 400
    assert said.startswith(SETTINGS[name].label if name in SETTINGS else name)
    assert name not in dict(app.query_params) or name == "preset"
    assert sentences(app.run()) == []  # said once


FORGED = [
    None, 5, "x", [], {}, {"x": "1"}, {"x": True}, {"x": float("nan")}, {"x": 1e9}, {"x": None}, {"x": [1]},
    {"part": "graph"}, {"x": 1.0, "y": 2.0}, {"__class__": 1}, {1: 2}, {"x": 10**400},
]  # fmt: skip


@pytest.mark.parametrize("values", FORGED, ids=repr)
def test_a_forged_change_is_not_made(values):
    with pytest.raises(InputError, match="must be") as error:
        legal(values, ("x", "h"))
    assert len(str(error.value)) < 250


def test_a_legal_change_is_made():
    assert legal({"x": 3, "h": 1e-15}, ("x", "h")) == {"x": 3.0, "h": 1e-15}


def test_a_scene_is_small(visit):
    """It is sent at every change."""
    for query in ({"part": "field", "steps": "200"}, {"part": "graph", "graph": "softmax"}, {}):
        assert len(json.dumps(scene(visit("gradients", **query)))) < 50_000


def test_every_node_has_a_place():
    for name, names in GIVEN.items():
        assert set(names) <= set(scenes.PLACES[name])
