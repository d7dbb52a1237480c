"""The Train page: its controls reach the run, and what is wrong is said in one sentence."""

import base64
import gzip
import json
import time

import pytest
import streamlit

from engine.data import datasets
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs import protocol, store
from engine.training import checkpoint
from engine.training.trainer import Trainer
from pages._ui import controls, session
from pages._ui.channels import pool
from tests.pages.conftest import say, says, sentences, shows
from tests.patience import PATIENCE


def current_run(app):
    return pool().find(app.session_state["run_id"])


def wait(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def stepped(visit, **query):
    """Return the Train page whose run has made ten steps."""
    app = visit("train", **query)
    app.button(key="step10").click().run()
    wait(lambda: current_run(app).step == 10)
    return app


def diverge(run):
    """Have a run that rests be one that diverged; what it gets wrong is the last that its worker says of itself."""
    wait(lambda: run.frame and "confusion" in protocol.decode(run.frame)[1] and run.state == "paused")
    run.state = "diverged"


def widget(app, kind, key):
    return app.get(kind) and next(item for item in app.get(kind) if shows(item, key))


def test_it_opens_on_real_digits(visit):
    app = visit("train")
    assert sentences(app) == []
    assert current_run(app).experiment.data == "mnist-5k"


def test_every_field_that_matters_has_a_widget_with_help(visit):
    app = visit("train", optimizer="adam")
    keys = {item.key for kind in ("selectbox", "number_input", "text_input", "toggle") for item in app.get(kind)}
    assert {"field_network", "field_activation_en", "field_beta1", "field_bias_correction", "field_dropout"} <= keys
    assert "field_momentum" not in keys
    assert all(item.help for kind in ("selectbox", "number_input", "text_input") for item in app.get(kind))


def test_a_change_makes_a_new_run_and_a_new_url(visit):
    app = visit("train")
    first = current_run(app).id
    widget(app, "selectbox", "field_activation").set_value("tanh").run()
    assert sentences(app) == []
    assert current_run(app).id != first
    assert current_run(app).experiment.activation == "tanh"
    assert app.query_params["activation"] == "tanh"
    assert "network" not in app.query_params


def test_a_live_change_reaches_the_run_without_a_reset(visit):
    app = visit("train")
    first = current_run(app).id
    widget(app, "number_input", "field_lr").set_value(0.02).run()
    assert current_run(app).id == first
    assert current_run(app).experiment.lr == 0.02


def test_fields_changed_in_one_moment_are_all_changed(visit):
    """A busy server hears of several widgets at once."""
    app = visit("train")
    widget(app, "number_input", "field_lr").set_value(0.02)
    widget(app, "number_input", "field_batch_size").set_value(64)
    widget(app, "selectbox", "field_activation").set_value("tanh").run()
    assert sentences(app) == []
    changed = current_run(app).experiment
    assert (changed.lr, changed.batch_size, changed.activation) == (0.02, 64, "tanh")
    assert widget(app, "number_input", "field_lr").value == 0.02
    assert widget(app, "number_input", "field_batch_size").value == 64


def test_an_optimizer_and_a_learning_rate_in_one_moment(visit):
    app = visit("train")
    widget(app, "number_input", "field_lr").set_value(0.02)
    widget(app, "selectbox", "field_optimizer").set_value("adam").run()
    assert sentences(app) == []
    changed = current_run(app).experiment
    assert changed.optimizer == "adam"
    assert changed.lr in (0.02, 0.001)  # whichever was heard of last
    assert widget(app, "number_input", "field_lr").value == changed.lr


@pytest.mark.parametrize("key", ["field_optimizer", "preset_choice"])
def test_what_no_option_is_called_changes_nothing(visit, key):
    app = visit("train")
    before = current_run(app).experiment
    box = widget(app, "selectbox", key)
    box.options.append("<script>")  # says a forged browser
    box.set_value("<script>").run()
    assert sentences(app) == []
    assert current_run(app).experiment == before
    assert widget(app, "selectbox", key).value in ("sgd", None)


def test_steps_reset_and_new_weights(visit):
    app = stepped(visit, network="dense8")
    app.run()
    name = current_run(app).id
    assert app.query_params["run"] == name
    app.button(key="reset").click().run()
    assert current_run(app).id != name
    assert current_run(app).experiment.seed == 0
    app.button(key="new_weights").click().run()
    assert current_run(app).experiment.seed == 1
    assert app.query_params["seed"] == "1"


def test_fewer_steps_than_it_has_made_are_another_run(visit):
    app = stepped(visit, network="dense8", steps="1000")
    made = current_run(app)
    widget(app, "number_input", "field_steps").set_value(10).run()
    assert current_run(app).id == made.id  # exactly these are done
    widget(app, "number_input", "field_steps").set_value(9).run()
    assert current_run(app).id != made.id
    assert (current_run(app).step, current_run(app).experiment.steps) == (0, 9)


def test_a_widget_that_says_again_what_it_said_changes_nothing(visit):
    """As the widgets of a page do that is being left while the server is busy."""
    app = stepped(visit, preset="d2-relu-he")
    app.run()
    name = current_run(app).id
    for kind, key in (
        ("button_group", "language_en"), ("select_slider", "speed_en"), ("selectbox", "preset_choice_en"),
        ("selectbox", "field_optimizer_en"), ("number_input", "field_batch_size"),
    ):  # fmt: skip
        again = next(it for it in app.get(kind) if it.key == key)
        again.set_value(again.value)
        del app.session_state[key]
    app.run()
    assert sentences(app) == []
    assert (current_run(app).id, app.query_params["preset"]) == (name, "d2-relu-he")


def test_a_text_that_is_put_right_again_leaves_the_run_alone(visit):
    app = stepped(visit, network="dense8")
    name = current_run(app).id
    app.text_input(key="field_network").set_value("dense8 foo").run()
    assert sentences(app)
    app.text_input(key="field_network").set_value("dense8").run()
    assert (sentences(app), current_run(app).id) == ([], name)


def test_the_seed_behind_the_last_is_the_first(visit):
    app = visit("train", network="dense8", seed="2147483647")
    app.button(key="new_weights").click().run()
    assert sentences(app) == []
    assert current_run(app).experiment.seed == 0


def test_more_steps_than_a_run_may_have_are_refused_in_a_sentence(visit):
    app = visit("train", network="dense8", steps="10000000")
    widget(app, "number_input", "field_steps").set_value(1).run()
    app.button(key="train").click().run()
    wait(lambda: current_run(app).state == "completed")
    app.run()
    app.button(key="train").click().run()
    assert any("10000001" in sentence for sentence in sentences(app))
    assert current_run(app).experiment.steps == 1


def test_steps_that_take_a_while_can_be_paused(visit, monkeypatch):
    monkeypatch.setattr("engine.runs.pool.LEASE", PATIENCE)  # nobody watches here, and a busy machine takes its time
    app = visit("train", network="dense8")
    run = current_run(app)
    wait(lambda: run.state == "paused")
    assert app.button(key="train").label == "Train"
    pool().command(run, "step", 1_000_000)
    wait(lambda: run.state == "running")
    app.run()
    app.button(key="pause").click().run()
    assert app.button(key="train").label == "Resume"  # at once, not when the run has heard of it
    wait(lambda: run.state == "paused")
    assert run.step < 1_000_000


def test_what_a_run_does_while_its_page_is_drawn_is_news_to_the_page(visit, monkeypatch):
    app = visit("train", network="dense8")
    run = current_run(app)
    wait(lambda: run.state == "paused" and not run.header["measuring"])  # its worker has no more to say
    run.stepping = True
    monkeypatch.setattr(session, "describe_preset", lambda run: setattr(run, "state", "running"))  # after the buttons
    app.run()
    assert app.button(key="train").label == "Train"
    (component,) = app.get("bidi_component")
    told = json.loads(component.proto.json)
    assert (told["known"], told["pause"]) == ("paused", False)  # so the view, which sees it running, has the page rerun
    app.run()
    assert app.button(key="pause")


def test_a_link_to_a_run_shows_it_again(visit):
    app = visit("train", network="dense8")
    app.button(key="step10").click().run()
    wait(lambda: current_run(app).step == 10 and current_run(app).checkpoint)
    name = current_run(app).id
    other = visit("train", run=name)
    assert sentences(other) == []
    wait(lambda: current_run(other).step == 10)
    assert current_run(other).experiment.network == "dense8"


def test_a_preset_by_link(visit):
    app = visit("train", preset="d2-relu-he")
    assert current_run(app).experiment.initializer == "he_normal"
    assert any("published **0.9560**" in text.value for text in app.markdown)


def test_a_preset_by_click(visit):
    app = visit("train")
    app.selectbox(key="preset_choice_en").set_value("d2-two-layer").run()
    assert current_run(app).experiment.network == "dense40"
    assert app.query_params["preset"] == "d2-two-layer"


def test_a_network_that_cannot_be_built_is_refused_in_its_field(visit):
    app = visit("train", activation="tanh")
    before = current_run(app).id
    for value in ("conv8@11 conv8@11 conv8@11", "dense4096 dense4096", "dense-5"):
        app.text_input(key="field_network").set_value(value).run()
        (said,) = sentences(app)
        assert "Hidden layers" in said
        assert app.text_input(key="field_network").value == value
        assert current_run(app).id == before
    app.text_input(key="field_network").set_value("dense8").run()
    assert sentences(app) == []
    assert current_run(app).experiment.network == "dense8"


@pytest.mark.parametrize(("key", "kind", "value"), [("field_data", "selectbox", "kmnist")])
def test_the_url_says_what_cannot_be_trained_too(visit, key, kind, value):
    app = visit("train", activation="tanh")
    widget(app, kind, key).set_value(value).run()
    assert len(sentences(app)) == 1
    assert app.query_params[key.removeprefix("field_")] == value
    assert app.query_params["activation"] == "tanh"


def test_download_is_offered_for_absent_data(visit):
    app = visit("train", data="kmnist")
    (sentence,) = sentences(app)
    assert "kmnist" in sentence
    assert app.button(key="download").label == "Download it now"


def test_a_network_is_described_before_its_data_is_here(visit):
    app = visit("train", data="kmnist")
    absent = sentences(app)
    app.text_input(key="field_network").set_value("dense5").run()
    assert sentences(app) == absent
    assert Experiment.from_json(app.session_state["spec"]).network == "dense5"
    app.text_input(key="field_network").set_value("dense4096 dense4096").run()
    assert ["5,000,000 parameters" in box.value for box in app.sidebar.error] == [True]


def test_a_run_that_was_kept_comes_back_once_its_data_is_here(visit, monkeypatch):
    spec = Experiment(data="kmnist", network="dense8")
    trainer = Trainer(spec, datasets.load("digits"))
    trainer.advance(steps=3)
    store.save("kept-kana", checkpoint.dump(trainer))
    app = visit("train", run="kept-kana")
    (sentence,) = sentences(app)
    assert "kmnist is not on this computer" in sentence
    assert app.button(key="download").label == "Download it now"
    assert Experiment.from_json(app.session_state["spec"]) == spec
    assert current_run(app) is None  # nobody is shown what its worker said of the data
    monkeypatch.setattr(datasets, "load", lambda *_, **__: trainer.data)
    app.run()
    assert checkpoint.read_experiment(current_run(app).checkpoint) == spec


# ------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"lr": "-3"}, "Learning rate must be a number from 1e-10 to 100, not -3."),
        ({"lr": "\0\ufffd"}, "Learning rate must be a number from 1e-10 to 100, not"),
        ({"lr": "nan"}, "Learning rate must be a number from 1e-10 to 100, not nan."),
        ({"seed": "1e400"}, "Seed must be a whole number from 0 to 2147483647, not 1e400."),
        ({"seed": "9" * 20}, f"Seed must be a whole number from 0 to 2147483647, not {'9' * 20}."),
        ({"optimizer": "<script>"}, "one of sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, not <script>."),
        ({"network": "dense8 " * 80}, "Hidden layers must be at most 40 words, not 80 (dense8"),
        ({"network": "dense8 " * 10_000}, "Hidden layers must be a text of at most 600 characters"),
        ({"network": "dense99999"}, "Hidden layers must be layers of 1 to 4096 units, not dense99999."),
        (
            {"network": "rnn50"},
            "Hidden layers must be made of words such as dense100, drop.5, conv16@3p1, pool2 and gap, not rnn50.",
        ),
        ({"preset": "no-such"}, "preset must be one of"),
        ({"run": "../../etc/passwd"}, "There is no run ../../etc/passwd on this server"),
        ({"network": "dense4096 dense4096"}, "a network of at most 5,000,000 parameters"),
    ],
)  # fmt: skip
def test_a_hostile_url_gets_one_sentence(visit, query, said):
    app = visit("train", **query)
    (sentence,) = sentences(app)
    assert said in sentence
    assert len(sentence) < 300


def test_good_parts_of_a_bad_url_are_kept(visit):
    app = visit("train", lr="-3", activation="tanh")
    assert len(sentences(app)) == 1
    assert current_run(app).experiment.activation == "tanh"


def test_the_sentence_is_in_the_readers_language(visit):
    (sentence,) = sentences(visit("train", language="ja", lr="-3"))
    assert "学習率" in sentence
    assert "-3" in sentence


def test_a_wrong_text_in_a_widget_keeps_the_run(visit):
    app = visit("train")
    first = current_run(app).id
    app.text_input(key="field_network").set_value("dense8 banana").run()
    assert "not banana" in sentences(app)[0]
    assert current_run(app).id == first


def test_a_refused_text_stays_in_its_field_with_the_reason(visit):
    app = visit("train")
    app.text_input(key="field_network").set_value("dense8 banana").run()
    assert app.text_input(key="field_network").value == "dense8 banana"
    assert ["not banana" in box.value for box in app.sidebar.error] == [True]
    widget(app, "selectbox", "field_activation").set_value("tanh").run()  # it waits to be put right
    assert app.text_input(key="field_network").value == "dense8 banana"
    assert current_run(app).experiment.network == "dense100 dense100"
    app.text_input(key="field_network").set_value("dense8，dense4").run()
    assert sentences(app) == []
    assert app.text_input(key="field_network").value == current_run(app).experiment.network == "dense8 dense4"


def test_a_preset_is_shown_where_a_text_was_refused(visit):
    app = visit("train")
    app.text_input(key="field_network").set_value("banana").run()
    app.selectbox(key="preset_choice_en").set_value("d2-relu-he").run()
    assert sentences(app) == []
    assert widget(app, "text_input", "field_network").value == current_run(app).experiment.network


def test_damaged_data_is_one_sentence(visit, tmp_path, monkeypatch):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"no idx")[:-4])
    monkeypatch.setenv("KASANE_DATA", str(tmp_path))
    app = visit("train", data="mnist")
    (sentence,) = sentences(app)
    assert "ubyte.gz" in sentence


def test_a_preset_on_other_data_is_still_that_preset(visit):
    app = visit("train", preset="d2-relu-he", seed="3", data="digits")
    assert app.query_params["preset"] == "d2-relu-he"
    assert current_run(app).experiment.data == "digits"


def test_a_reset_keeps_the_preset(visit):
    app = visit("train", preset="d2-relu-he")
    app.button(key="new_weights").click().run()
    assert app.query_params["preset"] == "d2-relu-he"
    assert current_run(app).experiment.seed == 1


def test_a_run_opened_by_link_trains_at_the_chosen_speed(visit):
    app = visit("train", network="dense8", steps="5000")
    app.button(key="step10").click().run()
    wait(lambda: current_run(app).step == 10 and current_run(app).checkpoint)
    name = current_run(app).id
    pool().drop(current_run(app))
    assert current_run(visit("train", run=name)).speed == 500


def test_a_changed_preset_is_none_any_more(visit):
    app = visit("train", preset="d2-relu-he")
    widget(app, "selectbox", "field_activation").set_value("tanh").run()
    assert "preset" not in app.query_params
    assert not any("published **" in text.value for text in app.markdown)


def test_another_optimizer_brings_its_usual_learning_rate(visit):
    app = visit("train")
    widget(app, "selectbox", "field_optimizer").set_value("adam").run()
    assert current_run(app).experiment.lr == 0.001


def test_a_learning_rate_of_ones_own_is_kept(visit):
    app = visit("train", lr="0.05")
    widget(app, "selectbox", "field_optimizer").set_value("momentum").run()
    assert current_run(app).experiment.lr == 0.05


def test_more_steps_in_the_same_ten_seconds_are_a_faster_pace(visit):
    app = visit("train", network="dense8", steps="5000")
    widget(app, "number_input", "field_steps").set_value(9000).run()
    assert current_run(app).experiment.steps == 9000
    assert current_run(app).speed == 900


def test_points_are_not_augmented(visit):
    keys = {item.key for item in visit("train", data="toy2d").number_input}
    assert "field_l2" in keys
    assert not {"field_shift", "field_rotation", "field_scale", "field_shear", "field_elastic"} & keys


@pytest.mark.parametrize(("data", "points"), [("toy2d", True), ("digits", False)])
def test_new_weights_are_other_points_too_where_the_seed_draws_them(visit, data, points):
    assert ("other points" in visit("train", data=data).button(key="new_weights").help) == points


@pytest.mark.parametrize(("query", "lr", "family"), [
    ({"lr": "90"}, "0.1", None),  # what SGD usually takes
    ({"lr": "0.1"}, "0.01", None),
    ({"lr": "90", "optimizer": "adam"}, "0.001", None),
    ({"lr": "90", "activation": "tanh"}, "0.1", "The Xavier initialization suits tanh"),
    ({"lr": "90", "initializer": "gauss"}, "0.1", "The He initialization suits ReLU"),
    ({"lr": "90", "activation": "tanh", "initializer": "orthogonal"}, "0.1", None),
])  # fmt: skip
def test_after_a_divergence_it_advises_what_does_not_diverge(visit, query, lr, family):
    app = visit("train", network="dense8", **query)
    diverge(current_run(app))
    (said,) = sentences(app.run())
    assert f"Try a learning rate of {lr}." in said
    assert "initialization" not in said if family is None else family in said


def test_of_two_sessions_with_one_run_each_goes_on_with_its_own(visit):
    """The second takes it up while the first looks at another page, and changes it; the first comes back."""
    first = stepped(visit, network="dense8")
    first.switch_page("../home.py").run()
    second = visit("train", run=current_run(first).id)
    taken = current_run(second)
    assert taken is current_run(first)
    widget(second, "number_input", "field_lr").set_value(0.05).run()
    pool().attach(taken, watcher := lambda: None)
    first.switch_page("../train.py").run()
    own = current_run(first)
    assert own is not taken
    wait(lambda: own.step == 10)
    assert own.experiment == Experiment.from_json(first.session_state["spec"])
    assert widget(first, "number_input", "field_lr").value == own.experiment.lr
    widget(first, "number_input", "field_lr").set_value(0.02).run()
    assert (current_run(first).experiment.lr, taken.experiment.lr) == (0.02, 0.05)
    second.run()
    assert current_run(second) is taken
    assert widget(second, "number_input", "field_lr").value == 0.05
    pool().detach(taken, watcher)


def test_who_leaves_a_run_that_another_session_has_taken_up_does_not_end_it(visit):
    first = stepped(visit, network="dense8")
    taken = current_run(first)
    first.switch_page("../home.py").run()
    second = visit("train", run=taken.id)
    first.query_params["preset"] = "d2-relu-he"
    first.switch_page("../train.py").run()
    assert current_run(first) not in (None, taken)
    assert current_run(second) is taken


# -------------------------------------------------------------------------------------------------- the run before


def trained(app, steps=10):
    app.button(key="step10").click().run()
    run = current_run(app)
    wait(lambda: run.step == steps and run.state == "paused" and not run.header["measuring"])  # and is evaluated
    app.run()
    return run


def shown_before(app):
    """Return what the live view is told of the run before."""
    (view,) = app.get("bidi_component")
    return json.loads(view.proto.json)["before"]


def test_after_a_change_the_run_before_is_shown_by_what_was_different(visit):
    app = visit("train", network="dense8")
    assert shown_before(app) is None
    left = trained(app)
    widget(app, "selectbox", "field_activation").set_value("tanh").run()
    before = shown_before(app)
    assert (before["id"], before["name"]) == (left.id, "before: ReLU")
    header, arrays = protocol.decode(base64.b64decode(before["curves"]))
    assert header["step"] == 10
    assert arrays["evaluated"][:, 0].tolist() == [0, 10]
    app.text_input(key="field_network").set_value("dense4").run()  # the one that was left now has learned nothing
    assert shown_before(app)["id"] == left.id
    assert shown_before(app)["name"] == "before: dense8, ReLU"
    widget(app, "selectbox", "field_optimizer").set_value("momentum").run()
    assert shown_before(app)["name"] == "before: dense8, ReLU, SGD, …"
    other = trained(app)
    app.button(key="reset").click().run()
    assert (shown_before(app)["id"], shown_before(app)["name"]) == (other.id, "before")


def test_the_run_before_is_known_also_when_it_was_dropped_meanwhile(visit):
    """While another page is looked at the pool drops what nobody watches; a link there leads to another run."""
    app = visit("train", network="dense8")
    left = trained(app)
    app.switch_page("../home.py").run()
    pool().drop(left)
    app.query_params["network"] = "dense4"
    app.switch_page("../train.py").run()
    assert current_run(app).step == 0
    before = shown_before(app)
    assert (before["id"], before["name"]) == (left.id, "before: dense8")
    header, _ = protocol.decode(base64.b64decode(before["curves"]))
    assert header["step"] == 10


def test_a_run_that_cannot_be_opened_now_can_be_gone_back_to_later(monkeypatch):
    left = {"run": "abcdef12", "spec": Experiment().to_json(), "curves": ""}
    monkeypatch.setattr(session.st, "session_state", {"before": left})

    def full(name):
        raise InputError("The server is full.")

    monkeypatch.setattr(session, "_open_run", full)
    session.go_back("another")  # said twice by a browser: it is open by now
    assert session.st.session_state == {"before": left}
    session.go_back(left["run"])
    kept = session.st.session_state
    assert (kept["before"], kept["notices"]) == (left, ["The server is full."])


def test_a_run_that_diverged_does_not_flatten_the_next(visit):
    app = visit("train", network="dense8")
    diverge(trained(app))
    app.button(key="reset").click().run()
    assert shown_before(app) is None


def test_what_a_run_came_to_is_not_said_of_other_settings(visit):
    app = visit("train", network="dense8", steps="20")
    app.select_slider(key="speed_en").set_value("max").run()
    app.button(key="train").click().run()
    over = current_run(app)
    wait(lambda: over.state == "completed")
    app.run()
    widget(app, "number_input", "field_lr").set_value(0.02).run()
    assert current_run(app).id != over.id
    assert (current_run(app).experiment.lr, current_run(app).step) == (0.02, 0)
    assert shown_before(app)["name"] == "before: lr 0.1"


def test_a_live_change_leaves_no_run_behind(visit):
    app = visit("train", network="dense8")
    trained(app)
    widget(app, "number_input", "field_lr").set_value(0.02).run()
    assert shown_before(app) is None


def test_what_is_taken_away_is_shown_until_the_page_is_left(visit):
    app = visit("train")
    app.button(key="take_away").click().run()
    assert taken_away(app.run())
    app.switch_page("../home.py").run()
    assert not taken_away(app.switch_page("../train.py").run())


@pytest.mark.parametrize(("query", "field", "value", "said"), [
    ({}, "steps", 40, False),
    ({"schedule": "step"}, "steps", 40, False),
    ({"schedule": "cosine"}, "steps", 40, True),  # over so many steps its learning rates are others
    ({}, "lr", 0.02, True),
])  # fmt: skip
def test_what_is_taken_away_says_so_where_the_run_began_as_another(visit, query, field, value, said):
    app = visit("train", network="dense8", **query)
    trained(app)
    run = current_run(app)
    widget(app, "number_input", f"field_{field}").set_value(run.step + value if field == "steps" else value).run()
    app.button(key="take_away").click().run()
    assert current_run(app) is run
    assert any("Settings were changed" in it.value for it in app.caption) == said


def taken_away(app):
    return "take_kasane.ipynb" in {button.key for button in app.get("download_button")}


@pytest.mark.parametrize(("key", "steps"), [("train", 0), ("step10", 10), ("epoch", 400)])
def test_a_button_steers_the_run_that_a_change_made_before_its_page_was_drawn(visit, monkeypatch, key, steps):
    app = visit("train", network="dense8")
    left = current_run(app)
    button = app.button(key=key)
    widget(app, "number_input", "field_batch_size").set_value(10)
    changed = says(app)
    button.click()
    pressed = says(app)
    with monkeypatch.context() as patch:
        patch.setattr(controls, "experiment_form", lambda *_, **__: streamlit.stop())
        say(app, changed)
    say(app, pressed)
    assert sentences(app) == []
    assert current_run(app) is not left
    assert current_run(app).experiment.batch_size == 10
    if steps:
        wait(lambda: current_run(app).step == steps)
    assert current_run(app).wanted == (key == "train")


def test_a_completed_run_gets_as_many_steps_again_once_however_often_that_is_asked_for(visit, monkeypatch):
    app = visit("train", network="dense8", steps="20", data="digits")
    pool().command(current_run(app), "step", 20)
    wait(lambda: current_run(app).state == "completed")
    app.run()
    assert app.button(key="train").label == "Continue"
    app.button(key="train").click()
    pressed = says(app)
    monkeypatch.setattr(pool(), "receive", lambda *_: None)  # its worker is busy
    for _ in range(2):
        say(app, pressed)
    assert current_run(app).experiment.steps == 40


def test_what_is_chosen_before_the_page_shows_another_language_counts(visit):
    app = visit("train", network="dense8")
    app.get("button_group")[0].set_value("ja")
    switched = says(app)
    widget(app, "selectbox", "field_activation").set_value("tanh")
    widget(app, "select_slider", "speed").set_value("max")
    chosen = says(app)
    say(app, switched)
    say(app, chosen)
    assert sentences(app) == []
    assert (current_run(app).experiment.activation, app.session_state["speed"]) == ("tanh", "max")
    assert widget(app, "selectbox", "field_activation").label == "活性化関数"
