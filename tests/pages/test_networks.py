"""Networks on the Draw page that are brought, kept and taken away: found again by the URL, and never trusted."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from safetensors.numpy import load, save

from engine.data.handwriting import parse_strokes
from engine.data.my_digits import MyDigits
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs import store, tuning
from engine.training.checkpoint import dump, load_model
from engine.training.fine_tuning import Tuned
from engine.training.trainer import Trainer
from pages._ui import networks, session, upload
from pages._ui.i18n import catalog
from pages._ui.reading.reader import find_reader
from tests.pages.conftest import sentences


def trained(**settings) -> Trainer:
    trainer = Trainer(Experiment(**{"network": "dense12", "train_size": 300, "test_size": 50, "steps": 5} | settings))
    trainer.advance()
    return trainer


RUN = trained()
MODEL = dump(RUN, network_only=True)
OTHER = dump(trained(network="dense8"), network_only=True)


def header_of(blob: bytes) -> dict[str, str]:
    """Return what a safetensors file says beside its arrays."""
    return json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]


HEADER, ARRAYS = header_of(MODEL), load(MODEL)


def renamed(*classes: str) -> bytes:
    """Return the network with outputs of other names, as many as it has or not."""
    return save(ARRAYS, HEADER | {"classes": json.dumps(classes)})


def readers(app) -> list[str]:
    """Return the names of the networks behind the pad."""
    (component,) = app.get("bidi_component")
    return list(find_reader(json.loads(component.proto.json)["token"]).networks)


def show(app, part: str):
    app.session_state["draw_part"] = part
    return app.run()


# ------------------------------------------------------------------------------------------------------------ the URL


def test_networks_are_found_again_by_the_url_and_stay_in_it(visit):
    store.save("tuned-12345678", MODEL)
    store.save("brought-12345678", OTHER)
    app = visit("draw", tuned="tuned-12345678", brought="brought-12345678")
    assert sentences(app) == []
    assert readers(app) == ["shipped", "tuned", "brought"]
    assert (app.query_params["tuned"], app.query_params["brought"]) == ("tuned-12345678", "brought-12345678")
    show(app, "digits")
    assert not [text for text in app.markdown if "Read right" in text.value]  # nobody knows any more
    app.query_params.clear()
    app.query_params["data"] = "digits"  # a link that says nothing of them takes nothing away
    assert readers(app.run()) == ["shipped", "tuned", "brought"]
    assert app.query_params["tuned"] == "tuned-12345678"


@pytest.mark.parametrize("kind", session.NETWORKS)
@pytest.mark.parametrize(
    "name", ["{kind}-none12", "../../etc/passwd", "{kind}-/../../x", "a-run-of-12", "", "{kind}-" * 999]
)
def test_of_a_name_that_is_none_one_sentence_is_said_and_nothing_is_lost(visit, kind, name):
    store.save("a-run-of-12", MODEL)  # is there, but no network of this kind
    store.save(f"{kind}-12345678", MODEL)
    app = visit("draw", **{kind: f"{kind}-12345678"})
    app.query_params[kind] = name.format(kind=kind)
    app.run()
    (said,) = sentences(app)
    assert said.startswith("There is no network ")
    assert len(said) < 120
    assert readers(app) == ["shipped", kind]


# ------------------------------------------------------------------------------------------------------------- a file


@pytest.fixture
def bring(monkeypatch):
    """Return what session state is after a file was brought, and a second."""
    state = {}
    shim = SimpleNamespace(session_state=state)
    monkeypatch.setattr(networks, "st", shim)
    monkeypatch.setattr(session, "st", shim)
    monkeypatch.setattr(upload, "st", shim)
    monkeypatch.setattr(networks, "sentence", str)

    def run(blob: bytes) -> dict:
        key = upload.place("network")
        state[key] = SimpleNamespace(getvalue=lambda: blob)
        upload.taken("network", key, networks.bring)
        return state

    return run


def test_a_network_from_a_file_is_kept_without_its_training_and_the_next_takes_its_place(bring):
    state = bring(dump(RUN))
    first = state["brought"]
    assert store.load(first) == MODEL
    bring(OTHER)
    assert store.load(state["brought"]) == OTHER
    assert store.load(first)  # others may have its address
    assert "network_problem" not in state
    assert state["network_files"] == 2  # the uploader is empty again


FILES = {
    "empty": (b"", "This is not a safetensors file"),
    "nonsense": (b"\x80\x04nonsense" * 9, "This is not a safetensors file"),
    "half": (MODEL[: len(MODEL) // 2], "This is not a safetensors file"),
    "of another program": (save(ARRAYS), "This safetensors file was not written by Kasane."),
    "of fewer classes": (renamed("0", "1"), "This is not a model of Kasane"),
    "of points": (
        dump(trained(data="toy2d", network="dense4"), network_only=True),
        "The network in the file must read pictures of 28 × 28 × 1, not examples of 2.",
    ),
    "of small pictures": (
        dump(trained(data="digits", network="dense4"), network_only=True),
        "The network in the file must read pictures of 28 × 28 × 1, not examples of 8 × 8 × 1.",
    ),
    "of endless names": (renamed(*"012345678", "9" * 41), "The network's classes must be at most 100 names"),
    "of half a character": (renamed(*"012345678", "\ud800"), "The network's classes must be at most 100 names"),
}


def test_a_disk_that_is_full_is_said_in_one_sentence(bring, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "save", refuse)
    state = bring(MODEL)
    assert state["network_problem"] == "The network cannot be kept: the server's disk refuses it."
    assert "brought" not in state


@pytest.mark.parametrize(("blob", "said"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_read_here_is_answered_in_one_sentence_and_changes_nothing(bring, blob, said):
    before = bring(MODEL)["brought"]
    state = bring(blob)
    assert state["network_problem"].startswith(said)
    assert state["network_problem"].endswith(".")
    assert len(state["network_problem"]) < 400
    assert state["brought"] == before


DAMAGED = {name: blob for name, (blob, _) in FILES.items()} | {
    "one array": save(dict([next(iter(ARRAYS.items()))]), HEADER),
    "other shapes": save({name: array.repeat(2, axis=0) for name, array in ARRAYS.items()}, HEADER),
    "whole numbers": save({name: array.astype("int32") for name, array in ARRAYS.items()}, HEADER),
    "infinities": save({name: array + float("inf") for name, array in ARRAYS.items()}, HEADER),
    "one class": renamed("0"),
    "no size": save(ARRAYS, HEADER | {"in_shape": "[]"}),
    "a size of words": save(ARRAYS, HEADER | {"in_shape": "many"}),
    "no scale": save(ARRAYS, HEADER | {"scale": "0"}),
    "a scale of words": save(ARRAYS, HEADER | {"scale": "large"}),
    "no classes": save(ARRAYS, {name: value for name, value in HEADER.items() if name != "classes"}),
    "an experiment out of range": save(ARRAYS, HEADER | {"experiment": json.dumps({"lr": -1})}),
}


@pytest.mark.parametrize("blob", DAMAGED.values(), ids=DAMAGED)
def test_what_is_wrong_with_a_file_is_said_in_japanese_to_the_end(blob):
    with pytest.raises(InputError) as error:
        networks.opened(blob)
    said = error.value.text.render(lambda message: catalog("ja").get(message, message))
    assert not re.search(r"[a-z]+ [a-z]+", said), said


def test_classes_beyond_counting_are_refused():
    experiment = Experiment(network="", train_size=300, test_size=50, steps=1)
    blob = dump(Trainer(experiment), network_only=True)
    header = header_of(blob)
    arrays = {name: array.repeat(20, axis=-1) for name, array in load(blob).items()}
    many = save(arrays, header | {"classes": json.dumps([f"{k}" for k in range(200)])})
    assert len(load_model(many).classes) == 200
    with pytest.raises(InputError, match="at most 100 names"):
        networks.opened(many)


# ----------------------------------------------------------------------------------------------------------- the list


def described(app) -> list[str]:
    return [text.value for text in app.markdown if text.value.startswith("**")]


def test_each_network_is_listed_with_what_it_is_and_a_download(visit):
    store.save("trained1", dump(RUN))
    store.save("brought-12345678", OTHER)
    app = visit("draw", brought="brought-12345678")
    app.session_state["run_id"] = "trained1"
    show(app, "networks")
    assert sentences(app) == []
    run, shipped, brought = described(app)
    assert run == "**Just trained** · 9,550 parameters  \n`dense12`"
    assert shipped.startswith("**Shipped with Kasane** · 130,950 parameters  \n`conv")
    assert brought == "**From a file** · 6,370 parameters  \n`dense8`"
    assert len(app.get("download_button")) == 3
    app.button(key="remove_brought").click().run()
    assert len(described(app)) == 2
    assert readers(app) == ["run", "shipped"]
    assert "brought" not in app.query_params


def test_a_run_that_cannot_read_says_so_in_the_list(visit):
    store.save("trained2", dump(trained(data="digits", network="dense4")))
    app = visit("draw", language="ja")
    app.session_state["run_id"] = "trained2"
    show(app, "networks")
    assert sentences(app) == []
    assert "28 × 28" in described(app)[0]
    assert len(app.get("download_button")) == 1


def test_what_was_wrong_with_a_file_is_said_once(visit):
    app = visit("draw")
    app.session_state["network_problem"] = "This file is none."
    show(app, "networks")
    assert sentences(app) == ["This file is none."]
    assert sentences(app.run()) == []


def test_a_network_from_a_file_can_learn_my_digits(visit, monkeypatch):
    asked = []
    monkeypatch.setattr(
        tuning, "tune", lambda model, *_: asked.append(model) or Tuned(MODEL, 40, (0.0, 1.0), (1.0, 1.0))
    )
    store.save("brought-12345678", OTHER)
    app = visit("draw", brought="brought-12345678")
    digits = MyDigits()
    digits.add(7, parse_strokes([[[80.0, 70.0], [200.0, 70.0], [120.0, 220.0]]]))
    app.session_state["my_digits"] = digits.records
    show(app, "digits")
    app.selectbox[0].select("brought").run()
    app.button[-1].click().run()
    assert sentences(app) == []
    assert asked == [OTHER]
    assert readers(app) == ["shipped", "tuned", "brought"]
    assert app.query_params["tuned"] == app.session_state["tuned"]
    assert [text for text in app.markdown if "Read right" in text.value]
