"""The optimizers page without a browser: every control, every row by link, hostile addresses, and the equations."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
import streamlit

from engine import presets
from engine.analysis.landscapes import LANDSCAPES, MAX_STEPS, descend, noise
from engine.errors import InputError
from pages._ui import i18n
from pages._ui.race import equations, race, scenes
from pages._ui.race.settings import CLASS_CONTROLS, NAMES, ROWS, SCHEDULES, SETTINGS
from tests.pages.conftest import say, says, sentences, shows

PARTS = SETTINGS["part"].options


def scene(app):
    """Return the scene that the race was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)["scene"]


def runners(app):
    return {run["id"]: run for run in scene(app)["runs"]}


def widget(app, kind, name):
    return next(item for item in app.get(kind) if shows(item, f"optimizers_{name}"))


def same(run, walk):
    np.testing.assert_allclose(run["points"], walk.points, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(run["values"], walk.values, rtol=1e-6, atol=1e-9)
    assert run["diverged"] == walk.diverged


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "language"), [*itertools.product(PARTS, ("en", "ja"))])
def test_every_part_opens_without_a_word(visit, part, language):
    app = visit("optimizers", language, part=part)
    assert sentences(app) == []
    assert [button.key for button in app.button if button.key.startswith("try_")] == ["try_0", "try_1", "try_2"]
    assert len(app.get("bidi_component")) == 1


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("row", ROWS)
def test_every_row_opens_by_its_link(visit, row, language):
    app = visit("optimizers", language, preset=row)
    assert sentences(app) == []
    assert app.query_params["preset"] == row
    preset = presets.get(row)
    assert preset.page == "optimizers"
    question = i18n.catalog(language).get(preset.question, preset.question)
    assert any(question in text.value for text in app.markdown)


def test_the_rows_are_reached_by_clicks_alone(visit):
    app = visit("optimizers")
    app.button(key="try_0").click().run()
    assert app.query_params["preset"] == "ch06-landscape"
    app = visit("optimizers")
    for part, row in (("averages", "bias-correction"), ("schedules", "schedules")):
        widget(app, "button_group", "part").set_value(part).run()
        assert app.query_params["preset"] == row
        assert sentences(app) == []


def test_the_books_row_is_the_books_race(visit):
    found = runners(visit("optimizers", preset="ch06-landscape"))
    assert list(found) == ["sgd", "momentum", "adagrad", "adam"]
    ravine = LANDSCAPES["ravine"]
    for (name, run), lr in zip(found.items(), (0.95, 0.1, 1.5, 0.3), strict=True):
        assert run["points"][0] == [-7.0, 2.0]
        assert len(run["points"]) == 31
        same(run, descend(ravine, name, lr=lr, steps=30))


HOSTILE = {
    "no such part": ("part", "race_part"),
    "no such landscape": ("landscape", "../../etc/passwd"),
    "too far": ("ravine_x", "1e9"),
    "no number": ("ravine_y", "<script>alert(1)</script>"),
    "not finite": ("ravine_sgd", "nan"),
    "infinite": ("ravine_sgd", "inf"),
    "negative": ("beale_adam", "-1"),
    "huge": ("ravine_steps", "9" * 400),
    "a fraction": ("ravine_steps", "1.5"),
    "no steps": ("ravine_steps", "0"),
    "empty": ("mu", ""),
    "one": ("beta1", "1"),
    "no such view": ("view", "4-D"),
    "markup": ("optimizer", "**adam**{0}"),
    "no switch": ("sgd", "2"),
    "no such row": ("preset", "ch06-landscapes"),
    "long": ("preset", "x" * 5000),
}


@pytest.mark.parametrize(("name", "value"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_address_is_answered_in_one_sentence(visit, name, value):
    app = visit("optimizers", **{name: value})
    (said,) = sentences(app)
    assert "must be" in said
    assert len(said) < 250
    assert name not in app.query_params
    assert sentences(app.run()) == []  # said once


def test_the_address_says_what_differs_from_the_default(visit):
    app = visit("optimizers")
    assert dict(app.query_params) == {"lang": "en"}
    widget(app, "number_input", "ravine_sgd").set_value(0.5).run()
    widget(app, "toggle", "adam").set_value(False).run()
    assert dict(app.query_params) == {"lang": "en", "ravine_sgd": "0.5", "adam": "0"}


# --- the race ---------------------------------------------------------------------------------------------------------


def test_all_seven_race_from_the_same_start(visit):
    found = runners(visit("optimizers"))
    assert list(found) == list(NAMES)
    assert {tuple(run["points"][0]) for run in found.values()} == {(-7.0, 2.0)}
    looks = {(run["colour"], run["dash"], run["marker"]) for run in found.values()}
    assert (
        len(looks)
        == len({run["colour"] for run in found.values()})
        == len({run["marker"] for run in found.values()})
        == 7
    )
    assert found["adam"]["points"] != found["adamw"]["points"]


@pytest.mark.parametrize("name", LANDSCAPES)
def test_every_landscape_is_raced_on_at_its_own_rates(visit, name):
    app = visit("optimizers")
    widget(app, "selectbox", "landscape").set_value(name).run()
    assert sentences(app) == []
    landscape, shown = LANDSCAPES[name], scene(app)
    assert shown["landscape"]["id"] == name
    assert shown["steps"] == landscape.steps
    assert shown["start"] == list(landscape.start)
    added = noise(landscape, landscape.steps, 18)
    for rule, run in runners(app).items():
        more = {"l2": 0.01} if rule == "adamw" else {}
        walk = descend(landscape, rule, lr=landscape.rates[rule], steps=landscape.steps, noise=added, **more)
        same(run, walk)
        np.testing.assert_allclose(run["distances"], landscape.distance(walk.points), rtol=1e-6)


def test_every_control_of_the_race_reaches_it(visit):
    app = visit("optimizers")
    changes = {
        "ravine_x": 3.5, "ravine_y": -1.5, "ravine_steps": 40, "ravine_sgd": 0.5, "ravine_momentum": 0.05,
        "ravine_nesterov": 0.06, "ravine_adagrad": 1.1, "ravine_rmsprop": 0.2, "ravine_adam": 0.4,
        "ravine_adamw": 0.25, "mu": 0.8, "alpha": 0.9, "beta1": 0.7, "beta2": 0.99, "decay": 0.1,
    }  # fmt: skip
    for name, value in changes.items():
        widget(app, "number_input", name).set_value(value)
    app.run()
    assert sentences(app) == []
    betas = {"beta1": 0.7, "beta2": 0.99}
    settings = {
        "sgd": {}, "momentum": {"momentum": 0.8}, "nesterov": {"momentum": 0.8}, "adagrad": {},
        "rmsprop": {"alpha": 0.9}, "adam": betas, "adamw": betas | {"l2": 0.1},
    }  # fmt: skip
    for rule, run in runners(app).items():
        lr = changes[f"ravine_{rule}"]
        same(run, descend(LANDSCAPES["ravine"], rule, lr=lr, steps=40, start=(3.5, -1.5), **settings[rule]))


def test_what_is_chosen_for_a_landscape_stays_with_it(visit):
    app = visit("optimizers")
    widget(app, "number_input", "ravine_sgd").set_value(0.5).run()
    widget(app, "selectbox", "landscape").set_value("beale").run()
    assert runners(app)["sgd"]["points"][0] == [1.0, 1.5]
    widget(app, "selectbox", "landscape").set_value("ravine").run()
    same(runners(app)["sgd"], descend(LANDSCAPES["ravine"], "sgd", lr=0.5, steps=30))


@pytest.mark.parametrize("rule", NAMES)
def test_a_runner_can_be_switched_off(visit, rule):
    app = visit("optimizers")
    widget(app, "toggle", rule).set_value(False).run()
    assert sentences(app) == []
    assert list(runners(app)) == [name for name in NAMES if name != rule]


def test_nobody_needs_to_run(visit):
    app = visit("optimizers", **dict.fromkeys(NAMES, "0"))
    assert sentences(app) == []
    assert scene(app)["runs"] == []


def test_the_view_is_the_races_own(visit):
    app = visit("optimizers")
    assert scene(app)["view"] == "contour"
    widget(app, "button_group", "view").set_value("surface").run()
    assert scene(app)["view"] == "surface"


def test_noise_is_there_only_where_it_belongs_and_the_same_for_all(visit):
    app = visit("optimizers", landscape="noisy", noisy_sgd="0.1", noisy_momentum="0.1", mu="0")
    found = runners(app)
    assert found["sgd"]["points"] == found["momentum"]["points"]  # without momentum the same rule, under the same noise
    widget(app, "number_input", "sigma").set_value(0.0).run()
    calm = runners(app)
    same(calm["sgd"], descend(LANDSCAPES["ravine"], "sgd", lr=0.1, steps=60))
    widget(app, "number_input", "sigma").set_value(1.0).run()
    app.button(key="new_numbers").click().run()
    assert sentences(app) == []
    assert runners(app)["sgd"]["points"] != found["sgd"]["points"]
    assert not [it for it in visit("optimizers").button if it.key == "new_numbers"]


def test_a_walk_that_leaves_the_numbers_is_shown_as_far_as_it_goes(visit):
    app = visit("optimizers", landscape="rosenbrock", rosenbrock_sgd="5")
    assert sentences(app) == []
    run = runners(app)["sgd"]
    assert run["diverged"]
    assert 1 <= len(run["points"]) < 20
    assert np.isfinite(run["points"]).all()
    assert np.isfinite(run["values"]).all()


@pytest.mark.parametrize("name", LANDSCAPES)
def test_the_longest_race_at_the_wildest_rates_is_shown(visit, name):
    values = {f"{name}_{rule}": "100" for rule in NAMES} | {f"{name}_steps": str(MAX_STEPS), f"{name}_x": "100"}
    app = visit("optimizers", landscape=name, **values)
    assert sentences(app) == []
    assert len(runners(app)) == 7


@pytest.mark.parametrize(("n", "landscape", "count"), [(0, "ravine", 4), (1, "saddle", 7), (2, "ravine", 2)])
def test_what_to_try_sets_the_controls_from_anywhere(visit, n, landscape, count):
    app = visit("optimizers", part="schedules", landscape="beale", sgd="0", ravine_sgd="3")
    app.button(key=f"try_{n}").click().run()
    assert sentences(app) == []
    assert scene(app)["landscape"]["id"] == landscape
    assert len(runners(app)) == count
    (component,) = app.get("bidi_component")
    assert json.loads(component.proto.json)["attention"] == 1
    if n == 2:  # beyond the floor at every step, and farther from it; at 0.98 nearer. The height f falls at first
        far, near = (descend(LANDSCAPES["ravine"], "sgd", lr=lr, steps=60).points[:, 1] for lr in (1.02, 0.98))
        same(runners(app)["sgd"], descend(LANDSCAPES["ravine"], "sgd", lr=1.02, steps=60))
        assert (far[1:] * far[:-1] < 0).all()
        assert (np.diff(np.abs(far)) > 0).all()
        assert (np.diff(np.abs(near)) < 0).all()


# --- a start from the map ---------------------------------------------------------------------------------------------


def test_a_point_of_the_map_is_a_start():
    assert race.parse_start([1.5, -2]) == (1.5, -2.0)


@pytest.mark.parametrize(
    "said",
    [None, 5, "12", [], [1], [1, 2, 3], ["1", "2"], [True, False], [float("nan"), 0], [float("inf"), 0], [1e9, 0],
     {"0": 1, "1": 2}, [[1], [2]], [None, None], [0] * 100_000],
)  # fmt: skip
def test_a_forged_start_is_answered_in_one_sentence(said):
    with pytest.raises(InputError, match="two numbers from -100 to 100") as caught:
        race.parse_start(said)
    assert len(str(caught.value)) < 200


# --- step by step -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", NAMES)
def test_the_equations_come_to_the_engines_position(rule):
    for corrected in (True, False):
        settings = {
            "momentum": {"momentum": 0.9}, "nesterov": {"momentum": 0.9}, "rmsprop": {"alpha": 0.99},
            "adam": {"beta1": 0.9, "beta2": 0.999, "bias_correction": corrected},
            "adamw": {"beta1": 0.9, "beta2": 0.999, "l2": 0.1, "bias_correction": corrected},
        }.get(rule, {})  # fmt: skip
        for name, landscape in LANDSCAPES.items():
            walk = descend(
                landscape, rule, lr=landscape.rates[rule], steps=25, noise=noise(landscape, 25, 1), **settings
            )
            for t in range(1, len(walk.rates) + 1):
                lines = equations.lines(walk, t, noisy=name == "noisy")
                np.testing.assert_allclose(lines[-1].result, walk.points[t], rtol=1e-9, atol=1e-12)
                np.testing.assert_array_equal(lines[0].result, walk.gradients[t - 1])
                for line in lines:
                    assert equations.vector(line.result) in line.latex


def filled(rule, start=(-7.0, 2.0), **settings):
    """Return the numbers in the equations of the first step on the ravine, by symbol."""
    walk = descend(LANDSCAPES["ravine"], rule, start=start, lr=0.3, steps=1, **settings)
    return {line.symbol: line.filled for line in equations.lines(walk, 1)}


def test_numbers_that_are_filled_in_come_to_the_result():
    """Where rounded to four digits they would not: 1 / (1 − 1), 0 / √0, an old place that does not shrink."""
    said = filled("adam", beta1=0.9, beta2=0.99999)
    assert said["v"] == r"0.99999 (0, 0) + 10^{-5} (0.49, 16)"
    assert said[r"\hat v"].startswith(r"\frac{1}{1-0.99999^{1}}")
    assert filled("adamw", beta1=0.9, beta2=0.999, l2=0.0001)["(x, y)"].startswith("0.99997 (-7, 2) -")
    for rule, settings in (("adagrad", {}), ("rmsprop", {"alpha": 0.99}), ("adam", {"beta1": 0.9, "beta2": 0.999})):
        steep, flat = filled(rule, start=(-7.0, 0.0), **settings)["d"].split(",\\ ")
        assert "+" not in steep
        assert flat.startswith(r"0 / \left(\!\sqrt{0} + ")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (-7.0, "-7"),
        (0.123456, "0.1235"),
        (1.5e-5, r"1.5\!\cdot\!10^{-5}"),
        (2.5e7, r"2.5\!\cdot\!10^{7}"),
        (1e-8, "10^{-8}"),
    ],
)
def test_numbers_in_equations_are_short(value, said):
    assert equations.number(value) == said


@pytest.mark.parametrize("rule", NAMES)
def test_every_optimizer_is_stepped_through(visit, rule):
    app = visit("optimizers", part="steps")
    widget(app, "selectbox", "optimizer").set_value(rule).run()
    assert sentences(app) == []
    assert list(runners(app)) == [rule]
    assert scene(app)["alone"]
    for t in (1, 2, 3):
        assert scene(app)["time"] == t - 1
        points = runners(app)[rule]["points"]
        assert [arrow["from"] for arrow in scene(app)["arrows"]] == [points[t - 1]] * 2
        assert scene(app)["arrows"][1]["to"] == points[t]
        assert any(equations.vector(np.array(points[t])) in line.value for line in app.latex)
        app.button(key="next").click().run()
    app.button(key="previous").click().run()
    assert scene(app)["time"] == 2
    said = next(text.value for text in app.caption if text.value.startswith("Solid"))
    assert ("Dashed" in said) == (rule != "sgd")  # whose step is plain SGD's
    shown = {item.key for item in app.number_input}
    assert {f"optimizers_{name}" for name in CLASS_CONTROLS[rule]} <= shown


def test_the_ends_of_the_walk_are_the_ends_of_the_buttons(visit, monkeypatch):
    app = visit("optimizers", part="steps")
    assert app.button(key="previous").disabled
    app.button(key="next").click()
    pressed = says(app)
    with monkeypatch.context() as patch:  # each press ends the page's run that the one before began
        patch.setattr(scenes, "descent", lambda *_, **__: streamlit.stop())
        for _ in range(2):
            say(app, pressed)
    assert scene(say(app, pressed))["time"] == 3
    widget(app, "slider", "t").set_value(30).run()
    assert app.button(key="next").disabled
    assert scene(app)["time"] == 29
    widget(app, "selectbox", "landscape").set_value("himmelblau").run()
    assert sentences(app) == []
    assert scene(app)["time"] == 29
    app = visit("optimizers", part="steps", t="900")
    assert scene(app)["time"] == 29


def test_without_correction_the_equations_have_no_hats(visit):
    app = visit("optimizers", part="steps")
    assert any(r"\hat m" in line.value for line in app.latex)
    widget(app, "toggle", "correction").set_value(False).run()
    assert sentences(app) == []
    assert not any(r"\hat" in line.value for line in app.latex)


@pytest.mark.parametrize(("rate", "said"), [("100", 1), ("0", 0)])
def test_no_step_or_no_way_at_all(visit, rate, said):
    app = visit(
        "optimizers", part="steps", optimizer="sgd", landscape="beale", beale_sgd=rate, beale_x="1e2", beale_y="90"
    )
    found = sentences(app)
    assert len(found) == said or runners(app)["sgd"]["points"]
    app = visit("optimizers", part="steps", ravine_steps="1")
    assert sentences(app) == []
    assert app.button(key="next").disabled


# --- moving averages --------------------------------------------------------------------------------------------------


def test_adam_races_against_itself_uncorrected(visit):
    app = visit("optimizers", part="averages", beta1="0.8")
    found = runners(app)
    assert list(found) == ["with", "without"]
    kept = {"lr": 0.3, "steps": 30, "beta1": 0.8}
    same(found["with"], descend(LANDSCAPES["ravine"], "adam", **kept))
    same(found["without"], descend(LANDSCAPES["ravine"], "adam", bias_correction=False, **kept))


def test_the_averages_follow_their_controls(visit):
    app = visit("optimizers", part="averages")
    said = [text.value for text in app.caption if "The series begins with" in text.value]
    widget(app, "slider", "beta").set_value(0.5).run()
    widget(app, "slider", "scatter").set_value(0.0).run()
    (calm,) = [text.value for text in app.caption if "The series begins with" in text.value]
    assert calm != said[0]
    assert calm == "The series begins with 1.000, the average with 0.500, the corrected one with 1.000."
    low = visit("optimizers", part="averages", scatter="2", beta="0.99")
    assert any("with −0.016, the average with 0.000, the" in text.value for text in low.caption)
    widget(app, "slider", "scatter").set_value(1.0).run()
    before = [text.value for text in app.caption if "The series begins with" in text.value]
    app.button(key="new_numbers").click().run()
    assert sentences(app) == []
    assert [text.value for text in app.caption if "The series begins with" in text.value] != before


@pytest.mark.parametrize(("name", "value"), [("ravine_adam", "0"), ("beta1", "0"), ("beta2", "0"), ("beta", "0")])
def test_averages_at_their_limits(visit, name, value):
    assert sentences(visit("optimizers", part="averages", **{name: value})) == []


# --- schedules --------------------------------------------------------------------------------------------------------


def test_the_schedules_race_with_one_optimizer(visit):
    app = visit("optimizers", part="schedules")
    found = runners(app)
    assert list(found) == list(SCHEDULES)
    noisy = LANDSCAPES["noisy"]
    same(found["constant"], descend(noisy, "sgd", lr=0.7, steps=60, noise=noise(noisy, 60, 18)))
    assert len({run["values"][-1] for run in found.values()}) == 6


def test_every_control_of_the_schedules_reaches_them(visit):
    app = visit("optimizers", part="schedules")
    before = runners(app)
    for name, changed in (("every", "step"), ("gamma", "step"), ("final", "exponential"), ("warmup", "warmup")):
        value = {"every": 5, "gamma": 0.9, "final": 0.5, "warmup": 20}[name]
        widget(app, "number_input", name).set_value(value).run()
        assert sentences(app) == []
        after = runners(app)
        assert [it for it in SCHEDULES if after[it]["points"] != before[it]["points"]] == [changed]
        before = after
    for name in SCHEDULES:
        widget(app, "toggle", f"s_{name}").set_value(False).run()
        assert name not in runners(app)
    assert sentences(app) == []
    layout = json.loads(app.get("plotly_chart")[0].proto.spec)["layout"]
    assert (layout["xaxis"]["range"], layout["yaxis"]["range"]) == ([1, 60], [0, 0.7])  # though nothing is drawn


@pytest.mark.parametrize("rule", NAMES)
def test_any_optimizer_takes_any_schedule_anywhere(visit, rule):
    app = visit("optimizers", part="schedules")
    widget(app, "selectbox", "s_optimizer").set_value(rule)
    widget(app, "selectbox", "s_landscape").set_value("saddle")
    widget(app, "number_input", "s_rate").set_value(0.05)
    widget(app, "number_input", "s_steps").set_value(2)
    app.run()
    assert sentences(app) == []
    assert scene(app)["landscape"]["id"] == "saddle"
    assert all(len(run["points"]) == 3 for run in runners(app).values())


# --- digits -----------------------------------------------------------------------------------------------------------

TRAINED = [preset for preset in presets.PRESETS.values() if preset.page == "optimizers" and preset.runs]


@pytest.mark.parametrize("preset", TRAINED, ids=lambda preset: preset.id)
def test_a_training_is_compared_on_the_page(visit, preset):
    app = visit("optimizers", part="digits")
    app.selectbox(key="optimizers_experiment_en").set_value(preset.id).run()
    assert sentences(app) == []
    assert app.session_state["optimizers_comparison"]["preset"] == preset.id
    assert app.query_params["preset"] == preset.id


# --- the guide --------------------------------------------------------------------------------------------------------


def sections(language):
    text = (i18n.ASSETS / "guide" / language / "optimizers.md").read_text("utf-8")
    return dict(part.split("\n", 1) for part in text.split("\n# ")[1:])


def test_the_guides_have_the_same_sections_and_equations():
    english, japanese = sections("en"), sections("ja")
    assert list(english) == list(japanese) == ["race", "steps", "averages", "correction", "schedules", "digits"]
    for name in english:
        for text in (english, japanese):
            assert ("Source:" if text is english else "出典：") in text[name]
        displays = [
            [
                re.sub(r"\\ \\text\{[^}]*\}|\\text\{[^}]*\}|\\ ", "", it)
                for it in re.findall(r"\$\$(.+?)\$\$", text[name], re.S)
            ]
            for text in (english, japanese)
        ]
        assert len(displays[0]) == len(displays[1]) > 0 or name == "steps"
        if name != "schedules":
            assert displays[0] == displays[1]


def test_arrows_start_where_the_walk_is():
    walk = descend(LANDSCAPES["ravine"], "momentum", lr=0.1, steps=5)
    dashed, solid = scenes.arrows(walk, 2)
    assert dashed["dashed"]
    assert not solid["dashed"]
    np.testing.assert_allclose(solid["to"], walk.points[2], rtol=1e-6)
    np.testing.assert_allclose(dashed["to"], walk.points[1] - 0.1 * walk.gradients[1], rtol=1e-6)
