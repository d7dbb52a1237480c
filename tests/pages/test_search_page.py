"""The search page without a browser: every control, the row by its link, hostile addresses, and the channel."""

import asyncio
import json
import time

import pytest
import streamlit

from engine.experiment import FIELDS, Experiment
from engine.search.axes import SEARCHABLE, parse_axes
from engine.search.journal import Journal
from engine.search.plan import Plan
from engine.search.trial import Trial
from pages._ui.channels import FOREIGN, UNKNOWN
from pages._ui.lesson import Lesson
from pages._ui.searching import form, server
from pages._ui.searching.searchview import chosen_trial
from pages._ui.searching.server import close_searches, describe, message, searches, watch
from pages._ui.searching.settings import SETTINGS, START
from tests.pages.conftest import run_async, say, says, sentences, shows
from tests.patience import PATIENCE

SMALL = {"data": "digits", "network": "dense16", "train_size": "200", "steps": "20", "trials": "3"}
PLAN = Plan(
    Experiment(data="digits", network="dense16", train_size=200, steps=20, evaluate_every=4), parse_axes("lr,l2"), 3
)


@pytest.fixture(scope="module", autouse=True)
def _end():
    yield
    close_searches()


def view(app):
    """Return what the view of the search was told."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def button(app, name):
    return next(it for it in app.button if shows(it, f"search_{name}"))


def buttons(app):
    return {it.key.removeprefix("search_") for it in app.button if str(it.key).startswith("search_")}


def widget(app, kind, key):
    return next(it for it in app.get(kind) if shows(it, key))


def address(app):
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def rest(app):
    """Wait until the search that is shown rests, and return it."""
    search = searches().find(app.session_state["search_id"])
    assert search.wait(PATIENCE)
    return search


# ------------------------------------------------------------------------------------------------- settings and address


def test_the_page_opens_with_the_books_search(visit):
    app = visit("search")
    assert sentences(app) == []
    assert address(app)["preset"] == "ch06-search"
    told = view(app)
    assert (told["search"], told["known"], told["asked"]) == ("", "ready", 100)
    assert [(it["name"], it["low"], it["high"], it["log"]) for it in told["fields"]] == [
        ("lr", 1e-6, 1e-2, True), ("l2", 1e-8, 1e-4, True),
    ]  # fmt: skip
    assert buttons(app) == {"start", "new", "train"}
    assert "400 examples to learn from, 100 held out. 200 steps: 50 epochs." in [it.value for it in app.caption]


def test_the_row_by_its_link(visit):
    app = visit("search", preset="ch06-search")
    assert sentences(app) == []
    assert app.session_state["search"] == {name: it.default for name, it in SETTINGS.items()}


@pytest.mark.parametrize(("name", "value"), [
    ("trials", 7), ("sampler", "tpe"), ("pruning", 1), ("draws", 5), ("share", 0.3), ("over", "optimizer:sgd|adam"),
    ("network", "dense10 drop.5"), ("optimizer", "adam"), ("bias_correction", False), ("steps", 30), ("dropout", 0.25),
])  # fmt: skip
def test_every_kind_of_setting_by_link(visit, name, value):
    app = visit("search", **{name: str(value)})
    assert sentences(app) == []
    assert app.session_state["search"][name] == value
    assert address(app)[name] == str(value)
    again = visit("search", **{k: v for k, v in address(app).items() if k != "lang"})
    assert again.session_state["search"] == app.session_state["search"]


@pytest.mark.parametrize(("name", "value", "said"), [
    ("trials", "0", "Trials must be a whole number from 1 to 500, not 0."),
    ("trials", "9" * 400, "Trials must be"),
    ("sampler", "grid", "Next values must be one of random, tpe, not grid."),
    ("pruning", "yes", "Prune must be"),
    ("share", "nan", "Held-out share must be a number from 0.05 to 0.5, not nan."),
    ("over", "", "over must be one of"),
    ("over", "steps:1..2", "over must be one of"),
    ("over", "lr:5..1 log", "Learning rate must be a range whose lower end is below its upper end, not 5..1."),
    ("over", "x" * 5000, "over must be one of"),
    ("lr", "1e999", "Learning rate must be a number"),
    ("network", "<script>", "Hidden layers must be made of words"),
    ("preset", "nope", "preset must be one of ch06-search, not nope."),
    ("search", "nowhere12345", "There is no search nowhere12345 on this server."),
    ("search", "../../etc/passwd", "There is no search ../../etc/passwd on this server."),
])  # fmt: skip
def test_a_bad_link_is_named_in_one_sentence(visit, name, value, said):
    app = visit("search", **{name: value})
    (sentence,) = sentences(app)
    assert sentence.startswith(said)
    assert len(sentence) < 700
    assert app.session_state["search"][name] == SETTINGS[name].default if name in SETTINGS else True
    assert not button(app, "start").disabled


def test_controls_change_what_is_chosen(visit):
    app = visit("search")
    widget(app, "number_input", "search_trials").set_value(50).run()
    widget(app, "button_group", "search_sampler").set_value("tpe").run()
    widget(app, "toggle", "search_pruning").set_value(True).run()
    widget(app, "number_input", "search_share").set_value(0.5).run()
    widget(app, "number_input", "search_draws").set_value(9).run()
    widget(app, "selectbox", "search_optimizer").set_value("adam").run()
    widget(app, "number_input", "search_batch_size").set_value(50).run()
    widget(app, "text_input", "search_network").set_value("dense20").run()
    assert sentences(app) == []
    chosen = app.session_state["search"]
    assert (chosen["trials"], chosen["sampler"], chosen["pruning"], chosen["share"]) == (50, "tpe", 1, 0.5)
    assert (chosen["draws"], chosen["optimizer"], chosen["lr"], chosen["batch_size"]) == (9, "adam", 0.001, 50)
    assert address(app)["network"] == "dense20"
    assert any("250 examples to learn from, 250 held out" in it.value for it in app.caption)
    widget(app, "text_input", "search_network").set_value("potato").run()
    assert "made of words" in sentences(app)[0]
    assert app.session_state["search"]["network"] == "dense20"


def test_what_is_searched_can_be_changed(visit):
    app = visit("search")
    fields = widget(app, "multiselect", "axis_names")
    assert set(fields.options) <= {FIELDS[name].metadata["label"] for name in SEARCHABLE}
    fields.set_value(["lr", "optimizer", "network"]).run()
    widget(app, "multiselect", "axis_names").set_value(["lr", "optimizer", "network", "bias_correction"]).run()
    assert sentences(app) == []
    names = [axis.name for axis in parse_axes(app.session_state["search"]["over"])]
    assert set(names) == {"lr", "optimizer", "network", "bias_correction"}
    assert "search_optimizer" not in {it.key for it in app.selectbox}  # it is searched: nothing all have in common
    widget(app, "multiselect", "axis_optimizer_options").set_value(["sgd", "adam"]).run()
    widget(app, "text_input", "axis_network_options").set_value("dense5 | dense9 drop.5").run()
    widget(app, "number_input", "axis_lr_high").set_value(1.0).run()
    widget(app, "toggle", "axis_lr_log").set_value(False).run()
    assert sentences(app) == []
    assert set(app.session_state["search"]["over"].split(",")) == {
        "network:dense5|dense9 drop.5", "optimizer:sgd|adam", "lr:1e-06..1", "bias_correction:false|true",
    }  # fmt: skip
    assert {it["name"] for it in view(app)["fields"]} == set(names)
    before = app.session_state["search"]["over"]
    widget(app, "text_input", "axis_network_options").set_value("dense5").run()
    assert "2 to 12 options" in sentences(app)[0]
    assert app.session_state["search"]["over"] == before
    widget(app, "multiselect", "axis_names").set_value([]).run()
    assert app.session_state["search"]["over"] == before  # something must be searched
    more = ["lr", "optimizer", "network", "bias_correction", "l1", "l2", "dropout"]
    widget(app, "multiselect", "axis_names").set_value(more).run()
    assert sentences(app) == ["A search has at most 6 fields. Leave one out first."]
    assert app.session_state["search"]["over"] == before
    assert sorted(widget(app, "multiselect", "axis_names").value) == sorted(names)
    assert not any(it.proto.max_selections or it.proto.select_all for it in app.multiselect)  # said in English alone


def test_a_range_is_moved_upwards_from_either_end(visit):
    app = visit("search", over="lr:0.001..0.1 log,l2:0..0.1")
    refused = "Learning rate must be a range whose lower end is below its upper end, not 1..0.1."
    widget(app, "number_input", "axis_lr_low").set_value(1.0).run()
    assert sentences(app) == [refused]
    assert app.session_state["search"]["over"] == "lr:0.001..0.1 log,l2:0..0.1"
    widget(app, "number_input", "axis_l2_high").set_value(0.2).run()
    assert sentences(app) == [refused]  # until it is put right
    button(app, "start").click().run()
    assert (sentences(app), buttons(app)) == ([refused, refused], {"start", "new", "train"})
    widget(app, "number_input", "axis_lr_high").set_value(10.0).run()
    widget(app, "toggle", "axis_l2_log").set_value(True).run()
    assert sentences(app) == ["L2 decay λ must be a range above 0 on a logarithmic scale, not 0..0.2."]
    widget(app, "number_input", "axis_l2_low").set_value(0.01).run()
    assert sentences(app) == []
    assert app.session_state["search"]["over"] == "lr:1..10 log,l2:0.01..0.2 log"
    widget(app, "number_input", "axis_l2_low").set_value(3.0).run()
    next(it for it in app.button if it.key == "try_0").click().run()
    assert sentences(app) == []
    widget(app, "number_input", "axis_lr_low").set_value(0.5).run()
    next(it for it in app.button if it.key == "try_0").click().run()  # which has this very range
    assert (sentences(app), widget(app, "number_input", "axis_lr_low").value) == ([], 1e-6)


def test_changes_in_one_moment_are_all_made(visit):
    """A busy server hears of several widgets at once."""
    app = visit("search", over="lr:0.001..0.1 log,l2:0.001..0.1 log")
    widget(app, "number_input", "axis_lr_low").set_value(0.01)
    widget(app, "number_input", "axis_lr_high").set_value(1.0)
    widget(app, "toggle", "axis_lr_log").set_value(False)
    widget(app, "number_input", "axis_l2_high").set_value(0.2)
    widget(app, "number_input", "search_trials").set_value(7)
    widget(app, "number_input", "search_batch_size").set_value(50).run()
    assert sentences(app) == []
    assert set(app.session_state["search"]["over"].split(",")) == {"lr:0.01..1", "l2:0.001..0.2 log"}
    assert (app.session_state["search"]["trials"], app.session_state["search"]["batch_size"]) == (7, 50)
    widget(app, "number_input", "axis_lr_high").set_value(0.5)
    widget(app, "multiselect", "axis_names").set_value(["l2"]).run()
    assert sentences(app) == []
    assert app.session_state["search"]["over"] == "l2:0.001..0.2 log"


def test_the_experiment_of_the_train_page_can_be_taken_over(visit):
    app = visit("search")
    app.session_state["spec"] = Experiment(network="dense33", optimizer="adam", lr=0.002).to_json()
    button(app, "train").click().run()
    chosen = app.session_state["search"]
    assert (chosen["network"], chosen["optimizer"], chosen["train_size"]) == ("dense33", "adam", 0)


@pytest.mark.parametrize("n", range(3))
def test_what_to_try_can_be_started(visit, n):
    app = visit("search", network="dense7")
    next(it for it in app.button if it.key == f"try_{n}").click().run()
    assert sentences(app) == []
    chosen = app.session_state["search"]
    assert chosen["network"] == START.experiment.network
    Plan(Experiment(**{name: chosen[name] for name in FIELDS}), parse_axes(chosen["over"]))
    assert (address(app).get("preset") == "ch06-search") == (n == 0)
    assert view(app)["attention"] == 1


def test_the_page_speaks_japanese(visit):
    app = visit("search", language="ja")
    assert sentences(app) == []
    assert any("検証データ" in it.value for it in app.markdown)
    assert view(app)["language"] == "ja"


# ------------------------------------------------------------------------------------------------------------- commands


def test_start_resume_new_and_a_second_session(visit):
    app = visit("search", **SMALL)
    button(app, "start").click().run()
    assert sentences(app) == []
    assert set(address(app)) == {"search", "lang"}
    search = rest(app)
    app.run()
    told = view(app)
    assert (told["search"], told["known"], search.state) == (search.id, "complete", "complete")
    assert buttons(app) == {"resume", "new", "train"}
    assert button(app, "resume").disabled
    assert widget(app, "number_input", "search_share").disabled

    other = visit("search", search=search.id)
    assert view(other)["search"] == search.id
    assert other.session_state["search"]["network"] == "dense16"
    widget(other, "number_input", "search_trials").set_value(5).run()
    button(other, "resume").click().run()
    rest(other)
    app.run()
    assert len(search.finished()) == 5
    assert search.plan.trials == 5

    button(app, "new").click().run()
    assert buttons(app) == {"start", "new", "train"}
    assert view(app)["search"] == ""
    assert app.session_state["search"]["network"] == "dense16"
    assert "search" not in address(app)


def go(app, name, address):
    """Come to a page by an entry of the browser's history."""
    app.switch_page(f"../{name}.py")
    app.query_params.clear()
    for key, value in address.items():
        app.query_params[key] = value
    return app.run()


def test_a_search_is_started_once_and_keeps_what_it_was_started_with(visit, monkeypatch):
    """A person may go on clicking before the page shows that it has started."""
    before = kept()
    app = visit("search", **SMALL, preset="ch06-search")
    button(app, "start").click()
    pressed = says(app)
    button(app, "train").click()
    widget(app, "selectbox", "search_optimizer").set_value("adam")
    widget(app, "button_group", "search_sampler").set_value("tpe")
    widget(app, "number_input", "axis_lr_low").set_value(1e-5)
    widget(app, "multiselect", "axis_names").set_value(["lr"])
    pressed_again = says(app)
    with monkeypatch.context() as patch:
        patch.setattr(form, "sidebar", lambda **_: streamlit.stop())
        say(app, pressed)
    say(app, pressed_again)
    assert sentences(app) == []
    plan = rest(app).plan
    assert len(kept() - before) == 1
    assert settings_of(app) == settings_of(visit("search", search=app.session_state["search_id"]))
    assert (plan.experiment.optimizer, plan.sampler) == ("sgd", "random")
    assert widget(app, "selectbox", "search_optimizer").value == "sgd"
    assert widget(app, "number_input", "axis_lr_low").value == 1e-6
    assert widget(app, "multiselect", "axis_names").value == ["lr", "l2"]


def settings_of(app):
    return app.session_state["search"]


def kept():
    return set(searches().folder.glob("*.jsonl"))


def test_the_train_pages_address_is_no_link_of_the_search(visit):
    app = visit("search", **SMALL)
    button(app, "start").click().run()
    search, before = rest(app), dict(app.session_state["search"])
    app.session_state["spec"] = search.plan.trial({"lr": 0.5, "l2": 0.0}).to_json()
    go(app, "train", {})
    trained = address(app)
    assert (trained["network"], trained["lr"]) == ("dense16", "0.5")
    go(app, "search", trained)
    assert sentences(app) == []
    assert address(app)["search"] == view(app)["search"] == search.id
    assert app.session_state["search"] == before
    go(app, "search", trained | {"lr": "0.25"})  # which nobody wrote: a link
    assert app.session_state["search"]["lr"] == 0.25
    assert view(app)["search"] == ""


def test_stop(visit):
    app = visit("search", **SMALL | {"steps": "10000000"})
    button(app, "start").click().run()
    assert {"stop", "new"} <= buttons(app)
    assert button(app, "new").disabled
    search = searches().find(app.session_state["search_id"])
    button(app, "stop").click().run()
    assert search.wait(PATIENCE)
    app.run()
    assert search.state == "stopped"
    assert view(app)["known"] == "stopped"
    assert not button(app, "resume").disabled


def test_what_a_search_does_while_its_page_is_drawn_is_news_to_the_page(visit, monkeypatch):
    app = visit("search", **SMALL | {"steps": "10000000"})
    button(app, "start").click().run()
    search = searches().find(app.session_state["search_id"])

    def end(lesson):  # after the buttons
        search.stop()
        assert search.wait(PATIENCE)
        return 0

    monkeypatch.setattr(Lesson, "attention", end)
    app.run()
    assert "stop" in buttons(app)
    assert view(app)["known"] == "running"  # so the view, which sees that it has stopped, has the page rerun
    app.run()
    assert "resume" in buttons(app)


def test_a_search_is_there_after_a_restart_of_the_server(visit):
    close_searches()  # those of other tests keep their own folder
    app = visit("search", **SMALL)
    button(app, "start").click().run()
    before = rest(app)
    close_searches()
    again = visit("search", search=before.id)
    assert sentences(again) == []
    assert searches().find(before.id) is not before
    assert searches().find(before.id).trials == before.trials
    assert view(again)["known"] == "complete"


def test_what_cannot_run_is_said(visit):
    app = visit("search", **SMALL | {"train_size": "2"})
    button(app, "start").click().run()
    assert "cannot be held out of 2 training examples" in sentences(app)[0]
    assert buttons(app) == {"start", "new", "train"}


def test_trials_that_cannot_be_trained_are_told(visit):
    app = visit("search", **SMALL | {"normalization": "batch", "over": "batch_size:1..2", "trials": "6"})
    button(app, "start").click().run()
    rest(app)
    app.run()
    (said,) = sentences(app)
    assert "could not be trained; the first: Batch size must be 2 or more" in said
    assert "batch normalization" in said


# ---------------------------------------------------------------------------------------------------------- the channel


@pytest.fixture
def search(tmp_path, monkeypatch):
    """A search that rests, with three trials."""
    made = server.Searches(tmp_path)
    monkeypatch.setattr(server, "searches", lambda: made)
    journal = Journal(tmp_path, "abcdef")
    journal.create(PLAN)
    for number in range(3):
        curve = tuple(0.1 * number for _ in range(300))
        trial = Trial(number, {"lr": 0.1, "l2": 1e-5}, "complete", tuple(range(300)), curve, curve, 1.0)
        journal.append({"trial": trial.to_dict()})
    return made.find("abcdef")


def test_messages_hold_what_has_changed(search):
    text, sequence = message(search, 0)
    content = json.loads(text)
    assert content["whole"]
    assert (content["state"], content["asked"]) == ("complete", 3)
    assert [it["number"] for it in content["trials"]] == [0, 1, 2]
    later = json.loads(message(search, sequence)[0])
    assert not later["whole"]
    assert later["trials"] == []


def test_curves_are_thinned_and_keep_their_ends(search):
    shown = describe(search.trials[2])
    assert len(shown["steps"]) == len(shown["train"]) == len(shown["validation"]) <= server.POINTS + 1
    assert (shown["steps"][0], shown["steps"][-1]) == (0, 299)
    assert describe(Trial(9, {"lr": 1.0}))["steps"] == []


@pytest.mark.parametrize("number", [None, "0", 0.0, True, -1, 7, [0], {"number": 0}, 10**30])
def test_only_a_finished_trial_can_be_opened(search, number):
    assert chosen_trial(search, number) is None
    search.trials[7] = Trial(7, {"lr": 1.0})
    assert chosen_trial(search, 7) is None
    assert chosen_trial(search, 1) is search.trials[1]


class Socket:
    """As much of a WebSocket as the channel needs."""

    def __init__(self, name, origin=None):
        self.path_params = {"search": name}
        self.headers = {"host": "here:8501"} | ({"origin": origin} if origin else {})
        self.sent, self.code = [], None
        self.gone = asyncio.Event()

    async def accept(self):
        pass

    async def close(self, code):
        self.code = code

    async def send_text(self, text):
        self.sent.append(json.loads(text))

    async def receive(self):
        await self.gone.wait()
        return {"type": "websocket.disconnect"}


def test_the_channel_refuses_other_sites_and_unknown_searches(search):
    for socket, code in (
        (Socket("abcdef", "http://evil.example"), FOREIGN),
        (Socket("nowhere"), UNKNOWN),
        (Socket("../../x"), UNKNOWN),
    ):
        run_async(watch(socket))
        assert (socket.code, socket.sent) == (code, [])


def test_the_channel_tells_everything_and_then_what_changes(search):
    async def session():
        socket = Socket("abcdef", "http://here:8501")
        task = asyncio.create_task(watch(socket))
        await until(lambda: socket.sent)
        assert search.is_watched
        await asyncio.to_thread(search.on_trial, Trial(3, {"lr": 0.5, "l2": 1e-6}))
        await until(lambda: len(socket.sent) == 2)
        socket.gone.set()
        await asyncio.wait_for(task, PATIENCE)
        return socket.sent

    first, second = run_async(session())
    assert [it["number"] for it in first["trials"]] == [0, 1, 2]
    assert [it["number"] for it in second["trials"]] == [3]
    assert not second["whole"]
    assert not search.is_watched


async def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
