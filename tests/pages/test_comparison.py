"""Comparisons without a browser: links, changes for all and for one, the buttons, and what became of the runs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time

import numpy as np
import pytest
import streamlit

from engine import build, presets
from engine.experiment import FIELDS, Experiment
from engine.runs import protocol, store
from engine.training.checkpoint import read_experiment
from engine.training.trainer import Trainer
from pages._ui import changed
from pages._ui.channels import pool
from pages._ui.comparison import comparison
from pages._ui.regular.settings import ROWS
from tests.pages.conftest import say, says, sentences, shows
from tests.patience import PATIENCE

PAGE = "initialization"
FOUR = list(presets.get("course-inits").runs)


def state(app):
    return app.session_state[f"{PAGE}_comparison"]


def runs(app):
    return [pool().find(name) for name in state(app)["runs"]]


def component(app):
    """Return what comparison.js was given."""
    (it,) = app.get("bidi_component")
    return json.loads(it.proto.json)


def press(app, name):
    return app.button(key=f"{PAGE}_{name}").click().run()


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextlib.contextmanager
def watched(app):
    """Hold the lease of the runs, as an open page does."""
    watching, notify = runs(app), lambda: None
    for run in watching:
        pool().attach(run, notify)
    try:
        yield watching
    finally:
        for run in watching:
            pool().detach(run, notify)


@pytest.fixture
def published_short(monkeypatch):
    """Let the experiments be published with so many steps."""

    def run(steps):
        short = {
            id: dataclasses.replace(it, runs={label: run.replace(steps=steps) for label, run in it.runs.items()})
            for id, it in presets.PRESETS.items()
        }
        monkeypatch.setattr(presets, "PRESETS", short)

    return run


def verdict(app):
    """Return the lines in which the page says what is claimed, and whether it is so."""
    (at,) = [i for i, text in enumerate(app.markdown) if text.value.startswith("**") and " — " in text.value]
    return app.markdown[at + 1].value.split("  \n")


def finished(visit, preset="symmetry", **query):
    """Open a row and train it to its end at full speed."""
    app = visit(PAGE, preset=preset, **query)
    app.select_slider(key=f"{PAGE}_speed_en").set_value("max").run()
    with watched(app) as all_runs:
        press(app, "train")
        until(lambda: all(run.state == "completed" for run in all_runs))
    app.run()
    return app


# --- a fair comparison ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["course-inits-all", "ch06-init-compare"])
def test_compared_runs_see_the_same_batches_and_weights_of_the_same_draw(id):
    trainers = {label: Trainer(it) for label, it in presets.get(id).runs.items()}
    batches = [build.build_batches(it.experiment, it.data) for it in trainers.values()]
    for _ in range(5):
        first, *others = [it.next() for it in batches]
        for other in others:
            np.testing.assert_array_equal(other[0], first[0])
            np.testing.assert_array_equal(other[1], first[1])
    for name, (first, *others) in zip(
        trainers[next(iter(trainers))].network.parameters(),
        zip(*(it.network.parameters().values() for it in trainers.values()), strict=True),
        strict=True,
    ):
        for other in others:  # all are normal: one draw, scaled
            if first.data.any():
                scale = other.data.std() / first.data.std()
                np.testing.assert_allclose(other.data, scale * first.data, rtol=1e-3, atol=1e-6, err_msg=name)


def test_the_runs_of_a_page_share_the_seed_and_a_group(visit):
    app = visit(PAGE, preset="course-inits")
    assert [run.experiment for run in runs(app)] == list(presets.get("course-inits").runs.values())
    assert len({run.group for run in runs(app)}) == 1
    assert {run.experiment.seed for run in runs(app)} == {0}
    press(app, "seed")
    assert {run.experiment.seed for run in runs(app)} == {1}
    assert app.query_params["all.seed"] == "1"


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_link_changes_all_runs_or_one(visit):
    app = visit(PAGE, **{"preset": "course-inits", "lr": "0.02", "2.lr": "0.5", "1.optimizer": "adam"})
    assert sentences(app) == []
    assert [run.experiment.lr for run in runs(app)] == [0.02, 0.02, 0.5, 0.02]
    assert [run.experiment.optimizer for run in runs(app)] == ["sgd", "adam", "sgd", "sgd"]
    assert dict(app.query_params) == {
        "preset": "course-inits",
        "lang": "en",
        "all.lr": "0.02",
        "2.lr": "0.5",
        "1.optimizer": "adam",
    }


BAD = {
    "lr": "-1",
    "9.lr": "0.1",
    "x.lr": "0.1",
    "1.nonsense": "2",
    "nonsense": "<img src=x>",
    "steps": "9" * 3000,
    "1.activation": "cosine",
    "network": "dense9 " * 300,
    "0.data": "../../etc/passwd",
    "1.": "3",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_wrong_in_a_link_is_said_in_one_sentence(visit, name, language):
    app = visit(PAGE, language, preset="course-inits", **{name: BAD[name]})
    (said,) = sentences(app)
    assert len(said) < 400
    assert "\n" not in said
    assert [run.experiment for run in runs(app)] == list(presets.get("course-inits").runs.values())
    assert not {name, f"all.{name}"} & set(app.query_params)


def test_a_field_that_the_page_has_a_setting_of_its_own_for_stays_the_comparisons(visit):
    """The optimizers' page has a σ too, of the noise on a slope."""
    link = {"preset": "course-optimizers", "all.sigma": "0.3"}
    app = visit("optimizers", **link)
    assert sentences(app) == []
    names = app.session_state["optimizers_comparison"]["runs"]
    assert {pool().find(name).experiment.sigma for name in names} == {0.3}
    assert dict(app.query_params) == link | {"lang": "en"}


HOSTILE = ["", "a,b,c,d", "../../x,../../y,z,w", ",,,", "," * 5000, "日本語", "\x00,\x01,\x02,\x03", "x" * 5000]


@pytest.mark.parametrize("names", HOSTILE)
def test_runs_that_are_not_there_start_afresh(visit, names):
    app = visit(PAGE, preset="course-inits", runs=names)
    (said,) = sentences(app)
    assert "starts afresh" in said
    assert len(said) < 300
    assert len(runs(app)) == len(FOUR)
    assert all(run.step == 0 for run in runs(app))


def test_runs_of_something_else_are_not_shown_under_wrong_names(visit):
    other = visit(PAGE, preset="ch06-init-compare")
    press(other, "step1")
    names = state(other)["runs"]
    app = visit(PAGE, preset="course-inits", runs=",".join([*names, names[0]]))
    assert len(sentences(app)) == 1
    assert not set(state(app)["runs"]) & set(names)
    assert all(pool().find(name) for name in names)  # nor taken from whoever watches them


def test_the_same_run_four_times_is_no_comparison(visit):
    first = visit(PAGE, preset="course-inits")
    press(first, "step1")
    app = visit(PAGE, preset="course-inits", runs=",".join([state(first)["runs"][0]] * 4))
    assert len(sentences(app)) == 1
    assert len(set(state(app)["runs"])) == 4


def test_a_link_shows_finished_runs_again(visit, published_short):
    published_short(200)
    first = finished(visit, steps="300")
    link = dict(first.query_params)
    assert link["all.steps"] == "300"
    assert link["runs"].split(",") == state(first)["runs"]
    with watched(first):  # the first tab is still open
        again = visit(PAGE, **link)
        assert sentences(again) == []
        assert not set(state(again)["runs"]) & set(state(first)["runs"])  # its buttons are its own
        with watched(again) as copies:
            until(lambda: all(run.state == "completed" for run in copies))
        for run, copy in zip(runs(first), copies, strict=True):
            assert copy.experiment == run.experiment
            (_, a), (_, b) = protocol.decode(run.frame), protocol.decode(copy.frame)
            for name in ("loss", "evaluated", "plane", "responses", "weights"):
                np.testing.assert_array_equal(a[name], b[name])
        again.run()
        assert any("bear it out" in text.value or "Not in these" in text.value for text in again.markdown)


def test_of_two_sessions_with_one_comparison_each_goes_on_with_its_own(visit):
    """The second takes it up while the first looks at another page; what it does then is not the first one's."""
    first = visit(PAGE, preset="course-inits", network="dense8")
    press(first, "step1")
    until(lambda: all(run.step == 1 and run.checkpoint for run in runs(first)))
    link = dict(first.query_params)
    first.switch_page("../home.py").run()
    second = visit(PAGE, **link)
    taken = runs(second)
    assert taken == runs(first)
    first.switch_page(f"../{PAGE}.py").run()
    assert not set(state(first)["runs"]) & set(state(second)["runs"])
    assert [run.checkpoint for run in runs(first)] == [run.checkpoint for run in taken]

    first.switch_page("../home.py").run()
    third = visit(PAGE, **link | {"runs": ",".join(state(first)["runs"])})
    field(third, "lr").set_value(0.02).run()
    until(lambda: all(read_experiment(run.checkpoint).lr == 0.02 for run in runs(third)))
    first.switch_page(f"../{PAGE}.py").run()
    assert {run.experiment.lr for run in runs(first)} != {0.02}

    second.switch_page("../home.py").run()
    fourth = visit(PAGE, **link)
    second.query_params["preset"] = "symmetry"
    second.switch_page(f"../{PAGE}.py").run()
    assert runs(fourth) == taken


def test_a_link_to_a_run_that_cannot_be_read_any_more_starts_afresh(visit):
    first = finished(visit, lr="0.2")
    names = [f"kept_{index}" for index in range(len(runs(first)))]
    for name, run in zip(names, runs(first), strict=True):
        store.save(name, run.checkpoint)
    link = dict(first.query_params) | {"runs": ",".join(names)}
    again = visit(PAGE, **link)
    assert sentences(again) == []
    assert {run.experiment.lr for run in runs(again)} == {0.2}
    store.save(names[-1], store.load(names[-1])[:1000])
    (said,) = sentences(visit(PAGE, **link))
    assert said.startswith("There are no runs kept_0")


# --- changes ----------------------------------------------------------------------------------------------------------


def field(app, name):
    return next(
        it for kind in ("number_input", "selectbox", "text_input") for it in app.get(kind)
        if shows(it, f"{PAGE}_field_{name}")
    )  # fmt: skip


def choose_target(app, place):
    app.selectbox(key=f"{PAGE}_target_{app.session_state[PAGE]['experiment']}_en").set_value(place).run()


def test_a_live_field_changes_in_the_runs_as_they_are(visit):
    app = visit(PAGE, preset="course-inits")
    before = state(app)["runs"]
    field(app, "lr").set_value(0.05).run()
    assert sentences(app) == []
    assert state(app)["runs"] == before
    assert [run.experiment.lr for run in runs(app)] == [0.05] * 4
    assert app.query_params["all.lr"] == "0.05"


def test_any_other_field_begins_anew(visit):
    app = visit(PAGE, preset="course-inits")
    before = state(app)["runs"]
    field(app, "network").set_value("dense30").run()
    assert sentences(app) == []
    assert not set(state(app)["runs"]) & set(before)
    assert not any(pool().find(name) for name in before)
    assert [run.experiment.network for run in runs(app)] == ["dense30"] * 4


def test_fields_changed_in_one_moment_are_all_changed(visit):
    """A busy server hears of several widgets at once."""
    app = visit(PAGE, preset="course-inits")
    field(app, "lr").set_value(0.05)
    field(app, "batch_size").set_value(64)
    field(app, "network").set_value("dense30").run()
    assert sentences(app) == []
    assert {(it.experiment.lr, it.experiment.batch_size, it.experiment.network) for it in runs(app)} == {
        (0.05, 64, "dense30")
    }


def test_one_run_can_be_changed_by_itself_and_all_again(visit):
    app = visit(PAGE, preset="course-inits")
    assert not [it for it in app.selectbox if shows(it, f"{PAGE}_field_activation")]  # they differ in it
    choose_target(app, "3")
    field(app, "activation").set_value("tanh").run()
    field(app, "lr").set_value(0.3).run()
    assert [run.experiment.activation for run in runs(app)] == ["sigmoid", "relu", "sigmoid", "tanh"]
    assert [run.experiment.lr for run in runs(app)] == [0.1, 0.1, 0.1, 0.3]
    assert app.query_params["3.activation"] == "tanh"
    choose_target(app, "")
    assert not [it for it in app.number_input if it.key == f"{PAGE}_field_lr"]  # now they differ in that, too
    app.session_state[f"{PAGE}_speed"] = "max"
    assert sentences(app.run()) == []


def test_what_is_changed_for_all_is_changed_for_the_one_that_had_its_own(visit):
    app = visit(PAGE, **{"preset": "course-inits", "1.seed": "5"})
    press(app, "seed")
    assert [run.experiment.seed for run in runs(app)] == [1] * 4
    assert "1.seed" not in app.query_params


def test_an_illegal_value_is_refused_in_one_sentence(visit):
    app = visit(PAGE, preset="course-inits")
    before = state(app)["runs"]
    field(app, "network").set_value("dense40 sausage").run()
    assert len(sentences(app)) == 1
    assert state(app)["runs"] == before
    assert field(app, "network").value == "dense40 dense20"


def test_no_run_is_started_where_one_of_them_cannot_be(visit, monkeypatch):
    started = []
    monkeypatch.setattr(pool(), "start", lambda *given, **how: started.append(given))
    (said,) = sentences(visit(PAGE, **{"preset": "course-inits", "3.network": "dense4096 dense4096"}))
    assert "5,000,000 parameters" in said
    assert started == []


def test_another_optimizer_brings_its_usual_learning_rate(visit):
    app = visit(PAGE, preset="course-inits")
    assert field(app, "lr").value == 0.1  # what is usual for SGD
    field(app, "optimizer").set_value("adam").run()
    assert [(run.experiment.optimizer, run.experiment.lr) for run in runs(app)] == [("adam", 0.001)] * 4


def test_another_experiment_has_fields_of_its_own(visit):
    app = visit(PAGE, preset="course-inits")
    field(app, "lr").set_value(0.07).run()
    app.selectbox(key=f"{PAGE}_experiment_en").set_value("ch06-init-compare").run()
    assert field(app, "lr").value == 0.01
    assert [run.experiment.lr for run in runs(app)] == [0.01] * 3
    assert "all.lr" not in app.query_params


def test_data_that_is_not_here_is_offered_and_changes_still_do_no_harm(visit):
    app = visit(PAGE, preset="course-inits", data="fashion-mnist")
    assert len(sentences(app)) == 1
    assert any(it.key == "download" for it in app.button)
    field(app, "lr").set_value(0.02).run()
    assert len(sentences(app)) == 1
    field(app, "data").set_value("mnist-5k").run()
    assert sentences(app) == []
    assert [run.experiment.lr for run in runs(app)] == [0.02] * 4


def test_runs_that_are_over_are_left_for_a_change_that_they_have_not_seen(visit):
    app = finished(visit)
    before = state(app)["runs"]
    field(app, "network").set_value(f" {field(app, 'network').value}").run()  # no change
    assert state(app)["runs"] == before
    field(app, "steps").set_value(2000).run()
    assert state(app)["runs"] == before  # they go on
    field(app, "steps").set_value(1).run()
    assert not set(state(app)["runs"]) & set(before)  # fewer than they have made
    app = finished(visit)
    before = state(app)["runs"]
    field(app, "lr").set_value(0.05).run()
    assert not set(state(app)["runs"]) & set(before)
    assert {(run.experiment.lr, run.step) for run in runs(app)} == {(0.05, 0)}


def test_a_run_of_other_data_seed_or_steps_than_the_others_says_so(visit):
    app = visit(PAGE, **{"preset": "course-inits", "0.steps": "20", "1.seed": "9"})
    shown = component(app)["runs"]
    assert [run["name"] for run in shown] == [f"{FOUR[0]} → Steps 20", f"{FOUR[1]} → Seed 9", *FOUR[2:]]
    assert [bool(run["published"]) for run in shown] == [False, False, True, True]
    app = visit(PAGE, **{"preset": "course-inits", "all.steps": "700", "2.steps": "20"})
    assert [run["name"].split(" → ")[1] for run in component(app)["runs"]] == [
        "Steps 700", "Steps 700", "Steps 20", "Steps 700",
    ]  # fmt: skip
    app = visit(PAGE, **{"preset": "course-inits", "all.steps": "700", "all.seed": "3"})  # the same for all
    assert [run["name"] for run in component(app)["runs"]] == FOUR


def test_a_run_that_is_over_takes_no_change_while_others_train(visit):
    app = visit(PAGE, **{"preset": "course-inits", "all.steps": "100000", "0.steps": "5"})
    app.select_slider(key=f"{PAGE}_speed_en").set_value("1").run()
    with watched(app) as (first, *others):
        press(app, "train")
        until(lambda: first.state == "completed" and all(run.state == "running" for run in others))
        before = state(app)["runs"]
        choose_target(app, "1")
        field(app, "lr").set_value(0.05).run()
        assert state(app)["runs"] == before  # it trains: the change counts from its next step on
        choose_target(app, "0")
        field(app, "lr").set_value(0.05).run()
    assert not set(state(app)["runs"]) & set(before)
    assert [(run.experiment.lr, run.step) for run in runs(app)] == [(0.05, 0), (0.05, 0), (0.1, 0), (0.1, 0)]


def test_the_seed_behind_the_last_is_the_first(visit):
    app = visit(PAGE, **{"preset": "course-inits", "all.seed": "2147483647"})
    press(app, "seed")
    assert sentences(app) == []
    assert {run.experiment.seed for run in runs(app)} == {0}


# --- the buttons ------------------------------------------------------------------------------------------------------


def test_train_pause_step_and_reset(visit):
    app = visit(PAGE, preset="course-inits", steps="100000")
    with watched(app) as all_runs:
        press(app, "train")
        until(lambda: all(run.state == "running" and run.step > 100 for run in all_runs))
        press(app, "pause")
        until(lambda: all(run.state == "paused" for run in all_runs))
        at = [run.step for run in all_runs]
        assert max(at) - min(at) <= max(at) / 3, "they keep in step"
        press(app, "step10")
        until(lambda: [run.step for run in all_runs] == [step + 10 for step in at])
        press(app, "step1")
        until(lambda: [run.step for run in all_runs] == [step + 11 for step in at])
        assert app.button(key=f"{PAGE}_train").label == "Resume"
        before = state(app)["runs"]
    press(app, "reset")
    assert not set(before) & set(state(app)["runs"])
    assert [run.step for run in runs(app)] == [0] * 4
    assert app.button(key=f"{PAGE}_train").label == "Train all"


@pytest.mark.parametrize("speed", comparison.SPEEDS)
def test_the_speed_is_that_of_every_run(visit, speed):
    app = visit(PAGE, preset="course-inits")
    app.select_slider(key=f"{PAGE}_speed_en").set_value(speed).run()
    wanted = {"auto": 2000 / comparison.RUN_SECONDS, "max": 0.0}.get(speed)
    assert {run.speed for run in runs(app)} == {float(speed) if wanted is None else wanted}


def test_when_all_is_over_the_page_says_whether_it_is_so(visit):
    app = finished(visit)
    assert any("These runs bear it out" in text.value for text in app.markdown)
    assert all(app.button(key=f"{PAGE}_{name}").disabled for name in ("step1", "step10"))
    before = state(app)["runs"]
    press(app, "train")  # once more, from the beginning
    assert not set(before) & set(state(app)["runs"])
    assert all(run.wanted for run in runs(app))


def test_runs_that_refute_the_claim_are_said_to(visit, published_short):
    published_short(1)
    app = finished(visit, preset="d2-relu-he")
    (said,) = verdict(app)
    assert said == ":orange[✗ Not in these runs:] “ReLU, He” reaches a test accuracy of 0.9."


def test_each_claim_is_judged_by_itself(visit, published_short):
    """After a step nobody is ahead; that equal weights stay equal is so nevertheless."""
    published_short(1)
    lead, equal, ahead = verdict(finished(visit))
    assert lead == ":orange[These runs bear out some of it:]"
    assert equal.startswith(":green[✓] All hidden units")
    assert ahead.startswith(":orange[✗] “random” is ahead of")


def test_what_is_claimed_of_other_settings_is_not_judged(visit):
    app = finished(visit, lr="0.0001")
    lead, *claims = verdict(app)
    assert lead.startswith("With this experiment's own settings (some are changed here")
    assert [claim[:2] for claim in claims] == ["– ", "– "]
    assert not any(word in text.value for text in app.markdown for word in ("bear", "Not in these runs", "✓", "✗"))


def test_what_is_claimed_of_a_whole_run_is_not_judged_by_its_beginning(visit):
    lead, *claims = verdict(finished(visit, steps="1"))
    assert lead == "After 1,500 steps (here there are fewer, so it is not judged):"
    assert [claim[:2] for claim in claims] == ["– ", "– "]


def test_more_steps_than_were_published_are_judged(visit, published_short):
    published_short(1)
    lead, *_ = verdict(finished(visit, preset="d2-relu-he", steps="2"))
    assert "✗" in lead


def test_a_full_server_is_told_in_one_sentence(visit, monkeypatch):
    app = finished(visit)
    monkeypatch.setattr("engine.runs.pool.MAX_RUNS", 0)
    press(app, "train")
    assert set(sentences(app)) == {"The server already has 0 runs, and takes no more; try again soon."}


# --- what the figure is given -----------------------------------------------------------------------------------------


def test_what_runs_do_while_their_page_is_drawn_is_news_to_the_page(visit, monkeypatch):
    app = visit(PAGE, preset="course-inits")
    all_runs = runs(app)
    until(lambda: all(run.state == "paused" and not run.header["measuring"] for run in all_runs))

    def end(self, of):  # after the buttons
        for run in of:
            run.state = "completed"

    monkeypatch.setattr("pages._ui.comparison.comparison.Comparison._introduce", end)
    app.run()
    assert not app.button(key=f"{PAGE}_step1").disabled
    assert component(app)["known"] == "paused"  # so the figure, which sees that they have ended, has the page rerun


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_figure_knows_names_figures_and_tokens(visit, language):
    app = visit(PAGE, language, preset="course-inits")
    data = component(app)
    assert data["language"] == language
    assert data["token"] == ",".join(run.token for run in runs(app))
    assert [run["id"] for run in data["runs"]] == state(app)["runs"]
    assert [run["published"]["test"] for run in data["runs"]] == [0.1135, 0.9197, 0.8724, 0.956]
    assert [run["units"] for run in data["runs"]] == [[40, 20]] * 4
    assert data["known"] in ("starting", "paused")
    assert all(isinstance(text, str) and text for text in data["labels"].values())


@pytest.mark.parametrize(
    ("language", "name", "others"),
    [
        ("en", "sigmoid, std 0.01 → tanh, lr 0.5", FOUR[1:]),
        ("ja", "シグモイド、std 0.01 → tanh、学習率 0.5", ["ReLU、std 0.01", "シグモイド、Xavier", "ReLU、He"]),
    ],
)
def test_a_run_that_was_changed_has_neither_its_name_nor_its_figure(visit, language, name, others):
    app = visit(PAGE, language, **{"preset": "course-inits", "0.lr": "0.5", "0.activation": "tanh", "seed": "3"})
    data = component(app)
    assert [run["name"] for run in data["runs"]] == [name, *others]
    assert [run["csv"] for run in data["runs"]] == ["sigmoid, std 0.01 → activation=tanh lr=0.5", *FOUR[1:]]
    assert [panel["title"] for panel in data["panels"]] == [name, *others]
    assert [run["label"] for run in data["runs"]] == FOUR
    assert [run["published"] and run["published"]["test"] for run in data["runs"]] == [None, 0.9197, 0.8724, 0.956]


CHANGED = [
    ({"lr": 0.2}, "lr 0.2", "学習率 0.2"),
    ({"activation": "sigmoid", "sigma": 0.5}, "sigmoid, σ 0.5", "シグモイド、σ 0.5"),
    ({"optimizer": "momentum", "momentum": 0.5}, "Momentum, μ 0.5", "Momentum、μ 0.5"),
    ({"initializer": "gauss", "batch_size": 20}, "Gauss, batch 20", "ガウス分布、バッチ 20"),
    ({"normalization": "none"}, "no normalization", "正規化なし"),
    ({"bias_correction": False}, "Bias correction off", "バイアス補正 オフ"),
    ({"network": "dense10 " * 9}, "dense10 dense10 dense10…", "dense10 dense10 dense10…"),
    ({"l1": 0.1, "l2": 0.1, "dropout": 0.5}, "L1 0.1, L2 0.1, Dropout 0.5", "L1 0.1、L2 0.1、ドロップアウト 0.5"),
    ({"lr": 0.2, "l1": 0.1, "l2": 0.1, "ema": 0.9}, "lr 0.2, L1 0.1, L2 0.1, …", "学習率 0.2、L1 0.1、L2 0.1、…"),
]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(("departures", "english", "japanese"), CHANGED)
def test_changes_are_said_in_few_words(monkeypatch, language, departures, english, japanese):
    monkeypatch.setattr("streamlit.session_state", {"lang": language})
    assert changed.said(departures) == {"en": english, "ja": japanese}[language]


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("data", "seed", "steps")])
def test_every_field_can_be_said_to_have_changed(name):
    for value in FIELDS[name].metadata.get("options", [FIELDS[name].default]):
        assert changed.said({name: value})


def test_a_panel_of_several_runs_says_what_was_changed_in_them(visit):
    data = component(visit("normalization", preset="ch06-batchnorm", **{"lr": "0.2", "1.lr": "0.3"}))
    assert [panel["title"] for panel in data["panels"]][:2] == ["σ = 1 → lr 0.2", "σ = 0.54 → lr 0.3 / lr 0.2"]


@pytest.mark.parametrize(
    ("states", "together"),
    [
        (["running", "completed"], "running"),
        (["starting", "paused"], "starting"),
        (["paused", "completed"], "paused"),
        (["completed", "diverged"], "completed"),
        (["diverged", "diverged"], "diverged"),
        (["error", "error"], "error"),
        (["error", "completed"], "completed"),
    ],
)
def test_the_state_of_several_runs(states, together):
    assert comparison._together(states) == together


def test_session_state_holds_strings_and_numbers_only(visit):
    app = visit(PAGE, **{"preset": "course-inits", "lr": "0.02", "1.optimizer": "adam"})
    json.dumps(state(app))
    assert isinstance(runs(app)[0].experiment, Experiment)


@pytest.mark.parametrize("key", ["train", "step1", "seed"])
def test_a_button_is_for_the_comparison_that_was_chosen_before_it_was_pressed(visit, monkeypatch, key):
    app = visit("regularization", preset="ch06-weight-decay")  # of two runs
    others = list(ROWS)
    next(it for it in app.selectbox if shows(it, "regularization_experiment")).select_index(
        others.index("course-regularizers")
    )
    chosen = says(app)
    app.button(key=f"regularization_{key}").click()
    pressed = says(app)
    with monkeypatch.context() as patch:  # the press ends the page's run that is to draw its buttons anew
        patch.setattr(comparison.Comparison, "_transport", lambda *_: streamlit.stop())
        say(app, chosen)
    say(app, pressed)
    assert sentences(app) == []
    assert app.session_state["regularization_comparison"]["preset"] == "course-regularizers"
    found = [pool().find(name) for name in app.session_state["regularization_comparison"]["runs"]]
    assert len(found) == len(presets.get("course-regularizers").runs)
    assert {run.started for run in found} == {key != "seed"}
    assert {run.experiment.seed for run in found} == {int(key == "seed")}
