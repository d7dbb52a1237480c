"""The draw page without a browser: who reads, and what it says to component state that nobody drew."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from engine.data import datasets, photo
from engine.data.handwriting import parse_strokes
from engine.data.my_digits import MyDigits
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs import store, tuning
from engine.training.checkpoint import dump
from engine.training.fine_tuning import Tuned
from engine.training.trainer import Trainer
from pages._ui import collection, photos
from pages._ui.canvas import canvas
from pages._ui.reading import reader
from pages._ui.reading.network import Network, shipped
from pages._ui.served import served
from pages._ui.upload import taken
from tests.pages.conftest import say, says, sentences
from tests.patience import PATIENCE

STROKES = [[[80.0, 70.0], [200.0, 70.0], [120.0, 220.0]]]


def buttons(app):
    """Return the buttons of the part that is shown."""
    return [button for button in app.button if button.key != "to_photo"]


def pad(app):
    """Return what the pad was given."""
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def keep(*labels):
    """Return the records of digits that were kept."""
    digits = MyDigits()
    for label in labels:
        digits.add(label, parse_strokes(STROKES))
    return digits.records


def draw(app, state):
    """Put component state in as a browser would, and rerun."""
    app.session_state["pad"] = state
    return app.run()


def test_the_page_gives_the_pad_a_reader_of_the_shipped_network(visit):
    app = visit("draw")
    assert sentences(app) == []
    data = pad(app)
    assert list(reader.find_reader(data["token"]).networks) == ["shipped"]
    assert data["language"] == "en"
    assert data["labels"]["clear"] == "Clear"
    assert app.get("page_link")


def test_the_token_outlives_reruns_and_is_replaced_when_it_is_gone(visit):
    app = visit("draw")
    token = pad(app)["token"]
    assert pad(app.run())["token"] == token
    reader._readers.pop(token)
    renewed = pad(app.run())["token"]
    assert renewed != token
    assert reader.find_reader(renewed)


def test_a_trained_run_reads_beside_the_shipped_network(visit):
    trainer = Trainer(Experiment(network="dense12", train_size=300, test_size=50, steps=5))
    trainer.advance()
    store.save("trained1", dump(trainer))
    app = visit("draw")
    app.session_state["run_id"] = "trained1"
    app.run()
    assert sentences(app) == []
    assert list(reader.find_reader(pad(app)["token"]).networks) == ["run", "shipped"]
    assert not app.get("page_link")


def said(label, strokes=STROKES, serial=1):
    """Return one thing that the pad says of a drawing."""
    return {"serial": serial, "label": label, "strokes": strokes}


FORGED = {
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


FORGED_MESSAGES = {
    "nothing": None,
    "a number": 5,
    "an object": said(7),
    "an empty list": [],
    "a list of numbers": [7, STROKES],
    "no serial": [{"label": 7, "strokes": STROKES}],
    "a fraction": [said(7, serial=1.5)],
    "a serial of text": [said(7, serial="1")],
    "below 1": [said(7, serial=0)],
    "huge": [said(7, serial=10**400)],
    "too many": [said(7)] * (canvas.MAX_LABELLED + 1),
} | {name: [said(7, drawing.get("strokes"))] for name, drawing in FORGED.items()}


@pytest.mark.parametrize("value", FORGED_MESSAGES.values(), ids=FORGED_MESSAGES)
def test_a_forged_drawing_is_refused_in_one_sentence(value):
    with pytest.raises(InputError) as error:
        canvas.parse_labelled(value)
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("state", [5, "drawing", [STROKES], None, {}, {"gone": {"a": 1}}, {"labelled": 0, "other": 1}])
def test_state_that_is_no_state_does_no_harm(visit, state):
    assert sentences(draw(visit("draw"), state)) == []


# --------------------------------------------------------------------------------------------------------- my digits


@pytest.mark.parametrize(
    ("probability", "word"),
    [(1, "certainly"), (0.9, "very probably"), (0.3, "perhaps"), (0.29, "unlikely"), (0.09, "very unlikely"),
     (0.01, "very unlikely"), (0, "almost impossible")],
)  # fmt: skip
def test_only_what_is_printed_as_nothing_is_as_good_as_never(visit, probability, word):
    assert next(said for least, said in pad(visit("draw"))["labels"]["words"] if probability >= least) == word


def test_what_a_component_says_is_handed_over_while_it_is_there(monkeypatch):
    state, notices, taken = {}, [], []
    monkeypatch.setattr(served, "st", SimpleNamespace(session_state={"pad": state}))
    monkeypatch.setattr(served, "session", SimpleNamespace(notice=notices.append))
    monkeypatch.setattr(served, "sentence", str)

    def take(value):
        taken.extend(canvas.parse_labelled(value))

    served.heed("pad", "labelled", take)  # the trigger is over
    served.heed("gone", "labelled", take)  # a component that has left the page
    assert (taken, notices) == ([], [])
    for value in ([said(3, serial=2), said(7)], 5):
        state["labelled"] = value
        served.heed("pad", "labelled", take)
    assert [drawing.label for drawing in taken] == [7, 3]
    assert notices == ["What was drawn must be a list of 1 to 50 drawings, not 5."]


def test_what_the_pad_says_it_was_is_kept_once_and_can_be_put_right(session_state, monkeypatch):
    digits, notices = MyDigits(), []
    monkeypatch.setattr(collection.session, "notice", notices.append)
    monkeypatch.setattr(collection, "sentence", str)

    def hear(*drawings):
        collection.keep(digits, canvas.parse_labelled(list(drawings)))
        return collection.heard(digits)

    other = [[[10.0, 10.0], [10.0, 200.0]]]
    assert collection.heard(digits) == {"serial": 0, "kept": False}
    assert hear(said(7, serial=4)) == {"serial": 4, "kept": True}
    assert hear(said(7, serial=4), said(1, other, serial=5)) == {"serial": 5, "kept": True}  # both, one again
    assert [record["label"] for record in digits.records] == [7, 1]
    assert hear(said(3, other, serial=6)) == {"serial": 6, "kept": True}
    assert [record["label"] for record in digits.records] == [7, 3]
    digits.remove_last()
    assert collection.heard(digits) == {"serial": 6, "kept": False}
    assert hear(said(3, other, serial=6)) == {"serial": 6, "kept": False}
    assert hear(said(3, other, serial=7)) == {"serial": 7, "kept": True}
    assert notices == []
    assert hear(said(12, serial=8), said(5, [[[1, 2], [3, 4]]], serial=9)) == {"serial": 9, "kept": True}
    assert hear(said("7", serial=10)) == {"serial": 10, "kept": False}
    assert notices == ["label must be a digit from 0 to 9, not 12.", "label must be a digit from 0 to 9, not 7."]
    assert [record["label"] for record in digits.records] == [7, 3, 5]


def test_my_digits_are_shown_counted_and_taken_back(visit):
    app = visit("draw")
    app.session_state["my_digits"] = keep(7, 1, 7)
    app.session_state["draw_part"] = "digits"
    app.run()
    assert sentences(app) == []
    (shown,) = [html.proto.body for html in app.get("html") if "counts" in html.proto.body]
    assert "<b>7</b>× 2" in shown
    assert shown.count("<figure ") == 3
    assert shown.count('alt="7"') == 2
    buttons(app)[0].click().run()
    assert app.session_state["my_digits"] == keep(7, 1)
    json.dumps(app.session_state["my_digits"])  # plain values


def test_the_browser_is_given_what_to_keep_and_asked_for_it_in_a_new_session(visit):
    app = visit("draw")
    assert pad(app)["kept"] is None  # let it say what it has
    app.session_state["my_digits"] = keep(7)
    text = MyDigits(keep(7)).to_jsonl()
    assert pad(app.run())["kept"] == text
    app.session_state["my_digits"].clear()
    assert pad(app.run())["kept"] == ""  # no longer anything, and nothing is asked for


@pytest.fixture
def session_state(monkeypatch):
    """Return the session state that the collection sees."""
    state = {}
    for module in (collection, collection.session):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=state))
    return state


def test_what_the_browser_kept_is_taken_back_once(session_state):
    digits, text = MyDigits(keep(1)), MyDigits(keep(7, 3)).to_jsonl()
    collection.bring_back(digits, text)
    assert digits.records == keep(1, 7, 3)
    collection.bring_back(digits, text)
    assert len(digits) == 3
    assert collection.mirror(digits) == digits.to_jsonl()


def test_what_an_address_names_in_vain_is_still_said_when_the_browser_has_handed_back_what_it_kept(visit):
    app = visit("draw", brought="brought-none")
    said = sentences(app)
    assert said
    with pytest.MonkeyPatch.context() as patch:
        for module in (collection, collection.session):
            patch.setattr(module, "st", SimpleNamespace(session_state=app.session_state))
        collection.bring_back(MyDigits(app.session_state["my_digits"]), MyDigits(keep(7)).to_jsonl())
    assert sentences(app.run()) == said
    assert sentences(app.run()) == []


RETURNED = {
    "nothing": None,
    "a number": 5,
    "a list": [1, 2],
    "bytes": b"{}",
    "no JSON": "{",
    "half a character": "\ud800",
    "a label of text": '{"label": "7", "strokes": [[[1, 2]]]}',
    "nested deep": "[" * 100_000,
    "too many": '{"label": 1, "strokes": [[[1, 2], [3, 4]]]}\n' * 2_001,
    "too long": " " * (collection.MIRRORED + 1),
}


@pytest.mark.parametrize("kept", RETURNED.values(), ids=RETURNED)
def test_what_a_browser_can_not_have_kept_is_refused_in_one_sentence(session_state, kept):
    digits = MyDigits(keep(7))
    with pytest.raises(InputError) as error:
        collection.bring_back(digits, kept)
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 250
    assert digits.records == keep(7)


def test_how_long_my_digits_are_kept_is_said(visit, monkeypatch):
    app = visit("draw")
    app.session_state["my_digits"] = keep(7)
    app.session_state["draw_part"] = "digits"
    app.run()
    assert "even when it is reloaded" in app.caption[0].value
    monkeypatch.setattr(collection, "MIRRORED", 100)
    app.run()
    assert "too many to survive a reload" in app.caption[0].value
    assert pad(app)["kept"] == ""


def test_without_digits_there_is_nothing_to_learn(visit):
    app = visit("draw")
    app.session_state["draw_part"] = "digits"
    app.run()
    assert sentences(app) == []
    assert [button.disabled for button in buttons(app)] == [True, True]


def test_a_network_learns_my_digits_and_reads_beside_the_others(visit, monkeypatch):
    asked = []
    blob = dump(Trainer(Experiment(network="dense12", train_size=300, test_size=50)), network_only=True)

    def tune(model, drawings, old):
        asked.append((model, drawings[1].tolist(), old.name))
        if len(asked) == 1:  # meanwhile the person clicks on something else
            page = get_script_run_ctx()
            page.script_requests.request_rerun(RerunData(page.query_string, page_script_hash=page.page_script_hash))
        return Tuned(blob, 40, (0.5, 0.99), (1.0, 0.98))

    monkeypatch.setattr(tuning, "tune", tune)
    app = visit("draw")
    app.session_state["my_digits"] = keep(7, 1)
    app.session_state["draw_part"] = "digits"
    app.run()
    app.button[-1].click().run()
    assert sentences(app) == []
    assert asked == 2 * [(shipped().weights(), [7, 1], "mnist-5k")]
    assert list(reader.find_reader(pad(app)["token"]).networks) == ["shipped", "tuned"]
    assert store.load(app.session_state["tuned"]) == blob
    (told,) = [text.value for text in app.markdown if "Read right" in text.value]
    assert "**1** and **2** of 2" in told
    assert "**495** and **490** of 500" in told
    assert "did not learn from this time" in told  # the shipped network learned from them once
    assert "not shown" not in told
    app.selectbox[0].select("tuned").run()
    app.button[-1].click().run()
    assert asked[-1][0] == blob  # what was tuned can learn more


def test_what_hinders_learning_is_said(visit, monkeypatch):
    def tune(*_):
        raise InputError("No time.")

    monkeypatch.setattr(tuning, "tune", tune)
    app = visit("draw")
    app.session_state["my_digits"] = keep(7)
    app.session_state["draw_part"] = "digits"
    app.run()
    app.button[-1].click().run()
    assert sentences(app) == ["No time."]
    assert "tuned" not in app.session_state


@pytest.mark.parametrize(
    ("data", "said", "count"),
    [
        (b'{"label": 3, "strokes": [[[1, 2], [3, 4]]]}\n', {"my_digits_added": "Added to My digits: 1."}, 2),
        (MyDigits(keep(7, 1)).to_jsonl().encode(), {"my_digits_added": "Added to My digits: 1. Already there: 1."}, 2),
        (b"{", {"my_digits_problem": "Line 1: this is not a JSON object."}, 1),
        (b"\xff\xfe", {"my_digits_problem": "Line 1: this is not a JSON object."}, 1),
        (b"", {"my_digits_problem": "There are no drawings in this file."}, 1),
        (b"\n \n", {"my_digits_problem": "There are no drawings in this file."}, 1),
    ],
)
def test_digits_come_back_from_a_file(monkeypatch, session_state, data, said, count):
    digits = MyDigits(keep(7))
    session_state["my_digits_file_0"] = SimpleNamespace(getvalue=lambda: data)
    monkeypatch.setattr("pages._ui.upload.st", SimpleNamespace(session_state=session_state))
    monkeypatch.setattr(collection, "sentence", str)
    taken("my_digits", "my_digits_file_0", lambda data: collection.bring_file(digits, data))
    del session_state["my_digits_file_0"]
    assert {name: session_state[name] for name in session_state if name.startswith("my_digits_")} == {
        "my_digits_files": 1
    } | said
    assert len(digits) == count


@pytest.mark.parametrize(("name", "box"), [("my_digits_added", "success"), ("my_digits_problem", "error")])
def test_what_came_of_a_file_is_said_once_after_its_uploader(visit, name, box):
    app = visit("draw")
    app.session_state["draw_part"] = "digits"
    app.session_state[name] = "So it went."
    app.run()
    uploader, said = app.get("file_uploader")[0], app.get(box)[0]
    assert said.value == "So it went."
    column = [element.type for element in app.columns[0].children.values()]
    assert column[-2:] == [uploader.type, said.type]
    assert not app.run().get(box)


def test_a_file_is_taken_once_however_often_the_browser_says_that_it_is_there(visit):
    app = visit("draw")
    app.session_state["draw_part"] = "digits"
    app.run()
    lines = b'{"label": 3, "strokes": [[[1, 2], [3, 4]]]}\n'
    app.file_uploader[0].set_value(("digits.jsonl", lines, "application/jsonl"))
    told, browser = says(app), app._tree
    for _ in range(2):
        app._tree = browser  # it has the file
        say(app, told)
        assert sentences(app) == []
        assert [len(app.session_state["my_digits"]), app.session_state["my_digits_files"]] == [1, 1]


def test_one_drawing_of_several_is_taken_out_by_its_number(visit):
    app = visit("draw")
    app.session_state["my_digits"] = keep(7, 1, 3)
    app.session_state["draw_part"] = "digits"
    app.run()
    (shown,) = [html.proto.body for html in app.get("html") if "counts" in html.proto.body]
    assert [int(number) for number in re.findall('data-number="(.)"><img alt=".', shown)] == [3, 2, 1]
    app.number_input[0].set_value(2).run()
    assert sentences(app) == []
    button = app.button(key="remove_my_digit")
    assert button.label == "Remove number 2 (“1”)"
    button.click().run()
    assert sentences(app) == []
    assert app.session_state["my_digits"] == keep(7, 3)
    assert app.number_input[0].value is None  # the next one has to be chosen
    buttons(app)[0].click().run()
    assert not app.number_input  # of one, "the last" says it


def test_a_second_click_removes_no_other_drawing():
    digits = MyDigits(keep(7, 1, 1))
    first = digits.records[1]
    collection.remove(digits, first)
    collection.remove(digits, first)
    assert digits.records == keep(7, 1)


# ------------------------------------------------------------------------------------------------------------- photos


def page_of(*numbers) -> bytes:
    """Return a picture of digits of the embedded set in a row, dark on light."""
    data = datasets.load("mnist-5k")
    paper = np.full((90, 80 * len(numbers) + 20), 230.0)
    for place, number in enumerate(numbers):
        digit = data.x_test[np.flatnonzero(data.y_test == number)[0], :, :, 0]
        enlarged = np.asarray(Image.fromarray(digit).resize((70, 70)), float)
        paper[10:80, 80 * place + 10 : 80 * place + 80] -= 0.8 * enlarged
    file = io.BytesIO()
    Image.fromarray(paper.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def show_photo():
    """A script of its own for the part of the page that reads photos: files cannot be uploaded in these tests."""
    import streamlit as st

    from engine.data.my_digits import MyDigits
    from pages._ui import photos
    from pages._ui.reading.network import shipped
    from pages._ui.upload import place, taken

    if "arriving" in st.session_state:
        st.session_state[place("photo")] = st.session_state.pop("arriving")
        taken("photo", place("photo"), photos.take)
    photos.show({"shipped": shipped()}, MyDigits(st.session_state.setdefault("my_digits", [])))


@pytest.fixture
def upload():
    """Return what the page makes of an uploaded file."""

    def run(data: bytes, app: AppTest | None = None) -> AppTest:
        app = app or AppTest.from_function(show_photo, default_timeout=PATIENCE)
        app.session_state["arriving"] = SimpleNamespace(getvalue=lambda: data)
        shipped().forget()
        return app.run()

    return run


def keep_button(app: AppTest) -> Button:
    return next(button for button in app.button if button.label == "Keep in My digits")


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("http://localhost:8501/draw", True),
        ("http://127.0.0.1:8501/draw", True),
        ("http://[::1]:8501/draw", True),
        ("https://kasane.example/draw", True),
        ("http://192.168.0.7:8501/draw", False),
        ("http://teacher.local:8501/draw", False),
        (None, True),
    ],
)
def test_the_camera_is_offered_where_a_browser_gives_it(url, there, monkeypatch):
    monkeypatch.setattr(type(photos.st.context), "url", url)
    app = AppTest.from_function(show_photo, default_timeout=PATIENCE).run()
    (toggle,) = app.toggle
    assert toggle.disabled is not there
    assert ("HTTPS" in toggle.help) is not there


def test_every_digit_of_a_photo_is_framed_and_read_in_order(upload):
    app = upload(page_of(3, 1, 4))
    assert sentences(app) == []
    (shown,) = [html.proto.body for html in app.get("html") if "<figure>" in html.proto.body]
    assert "Shipped with Kasane: <b>3 1 4</b>" in shown
    assert shown.count("<figure>") == 3
    assert 'alt="What the network sees of digit 2"' in shown
    assert app.text_input[0].value == "314"


def test_what_a_photo_has_more_than_can_be_read_is_said(upload, monkeypatch):
    monkeypatch.setattr(photo, "MAX_DIGITS", 2)
    app = upload(page_of(3, 1, 4))
    assert sentences(app) == [
        "Only the first 2 of these 3 digits are read. For the others, use a picture of their part alone."
    ]
    assert app.text_input[0].value == "31"


def test_of_what_is_no_digit_a_photo_says_only_what_it_would_be():
    found = photos.find(page_of(3))[1]
    html = "".join(photos.figures(found, {"Shipped": [("3", 0.9, False)]}))
    assert "<b>?</b> Not a digit<small>If it had to be one: 3: 90%</small>" in html
    assert "<b>3</b>" not in html


def test_digits_of_a_photo_are_kept_as_the_person_says(upload):
    app = upload(page_of(3, 1))
    app.text_input[0].input("3 7").run()
    keep_button(app).click().run()
    assert sentences(app) == []
    assert [record["label"] for record in app.session_state["my_digits"]] == [3, 7]
    assert [record["strokes"] for record in app.session_state["my_digits"]] == [[], []]
    assert [said.value for said in app.success] == ["Kept in My digits: 2."]


def test_the_same_photo_is_kept_once(upload):
    app = upload(page_of(3, 1))
    assert not keep_button(app).disabled
    keep_button(app).click().run()
    assert keep_button(app).disabled
    assert [record["label"] for record in app.session_state["my_digits"]] == [3, 1]
    app.session_state["my_digits"].pop()
    app.run()
    assert list(app.success) == []
    keep_button(app).click().run()  # what was removed can be kept again, and nothing else is
    assert [record["label"] for record in app.session_state["my_digits"]] == [3, 1]


def test_digits_of_a_photo_are_counted_in_the_run_that_they_are_kept_in(visit):
    app = visit("draw")
    app.session_state["photo_held"] = page_of(3, 1)
    app.session_state["draw_part"] = "photo"
    app.run()
    keep_button(app).click().run()
    assert sentences(app) == []
    (more,) = [group for group in app.get("button_group") if group.label == "More"]
    assert "My digits (2)" in more.options


def test_every_picture_begins_upright(upload):
    app = upload(page_of(3, 1))
    (turn,) = app.get("button_group")
    turn.set_value(90).run()
    assert app.get("button_group")[0].value == 90
    upload(page_of(4), app)
    assert app.get("button_group")[0].value == 0
    assert app.text_input[0].value == "4"


def test_a_photo_is_looked_at_once_however_often_the_page_is_drawn(upload, monkeypatch):
    looks, reads, find, read = [], [], photos.find, Network.read
    monkeypatch.setattr(photos, "find", lambda data, turn: looks.append(turn) or find(data, turn))
    monkeypatch.setattr(Network, "read", lambda it, image: reads.append(1) or read(it, image))
    app = upload(page_of(3, 1))
    (turn,) = app.get("button_group")
    turn.set_value(180).run()
    app.run()
    keep_button(app).click().run()
    assert looks == [0, 180]
    assert len(reads) in (2 + 2, 2 + 2 + 2)  # what the network knows at all may become known meanwhile
    app.button(key="photo_remove").click().run()
    assert "photo_found" not in app.session_state


def test_what_is_not_read_as_a_digit_is_not_kept_unless_the_person_says_so(upload, monkeypatch):
    data = page_of(3, 1)
    one, plain = photos.find(data)[1][1].image, Network.read
    monkeypatch.setattr(
        Network, "read", lambda it, image: replace(plain(it, image), known=not np.array_equal(image, one))
    )
    app = upload(data)
    assert app.text_input[0].value == "3-"
    assert "A hyphen (-) in place of a digit: do not keep this one." in [caption.value for caption in app.caption]
    keep_button(app).click().run()
    assert [record["label"] for record in app.session_state["my_digits"]] == [3]
    assert [said.value for said in app.success] == ["Kept in My digits: 1."]
    assert keep_button(app).disabled
    app.text_input[0].input("31").run()  # the other one after all
    keep_button(app).click().run()
    assert [record["label"] for record in app.session_state["my_digits"]] == [3, 1]
    assert app.text_input[0].disabled


def test_a_picture_on_its_side_can_be_turned(upload):
    file = io.BytesIO()
    Image.open(io.BytesIO(page_of(3, 1, 4))).transpose(Image.Transpose.ROTATE_90).save(file, "PNG")  # counterclockwise
    app = upload(file.getvalue())
    (turn,) = app.get("button_group")
    assert (turn.label, turn.options) == ("Turn", ["0°", "90°", "180°", "270°"])
    assert app.text_input[0].value != "314"
    turn.set_value(90).run()
    assert sentences(app) == []
    assert app.text_input[0].value == "314"


@pytest.mark.parametrize("written", ["3", "31a", "3x", "³a", "٣1", "----", ""])
def test_what_is_not_a_digit_for_each_frame_is_refused(upload, written):
    app = upload(page_of(3, 1))
    app.text_input[0].input(written).run()
    keep_button(app).click().run()
    (said,) = sentences(app)
    assert said.startswith("What is written must be as many digits or hyphens as there are frames, 2, not")
    assert app.session_state["my_digits"] == []


@pytest.mark.parametrize(
    ("written", "labels"),
    [("３７", [3, 7]), ("３　７", [3, 7]), ("3－", [3]), ("３ー", [3]), ("ｰ7", [7]), ("−7", [7])],
)
def test_what_a_japanese_keyboard_types_is_understood(upload, written, labels):
    app = upload(page_of(3, 1))
    app.text_input[0].input(written).run()
    keep_button(app).click().run()
    assert sentences(app) == []
    assert [record["label"] for record in app.session_state["my_digits"]] == labels


def test_where_nothing_would_be_kept_there_is_nothing_to_press(upload, monkeypatch):
    plain = Network.read
    monkeypatch.setattr(Network, "read", lambda it, image: replace(plain(it, image), known=False))
    app = upload(page_of(3, 1))
    assert app.text_input[0].value == "--"
    assert keep_button(app).disabled
    app.text_input[0].input("-1").run()
    assert not keep_button(app).disabled
    app.text_input[0].input("－ー").run()
    assert keep_button(app).disabled
    assert list(app.success) == []


@pytest.mark.parametrize("data", [b"", b"nonsense", page_of(3)[:200]], ids=["empty", "nonsense", "half"])
def test_a_file_that_is_no_picture_is_said_in_a_sentence(upload, data):
    (said,) = sentences(upload(data))
    assert said.endswith(".")


def test_what_cannot_be_read_leaves_the_picture_before_until_that_is_removed(upload):
    app = upload(b"nonsense", upload(page_of(3)))
    assert len(sentences(app)) == 1
    assert app.text_input[0].value == "3"
    app.run()
    assert sentences(app) == []
    assert app.get("image")
    app.button(key="photo_remove").click().run()
    assert not app.text_input
    assert not app.get("image")


def test_a_photo_stays_while_another_part_or_page_is_looked_at(visit):
    app = visit("draw")
    app.session_state["photo_held"] = page_of(3, 1)
    app.session_state["draw_part"] = "digits"
    app.run()
    assert not [said for said in app.text_input if said.label.startswith("What is really")]
    app.session_state["draw_part"] = "photo"
    app.run()
    assert next(said for said in app.text_input if said.label.startswith("What is really")).value == "31"


def test_a_picture_without_digits_is_said_to_have_none(upload):
    file = io.BytesIO()
    Image.new("L", (200, 100), 200).save(file, "PNG")
    app = upload(file.getvalue())
    (said,) = sentences(app)
    assert said.startswith("No digits were found.")
    assert [image.proto.imgs[0].caption for image in app.get("image")] == ["The picture"]


def test_a_network_that_cannot_read_pictures_says_so_beside_the_others():
    blob = dump(Trainer(Experiment(data="digits", network="dense4", steps=1)), network_only=True)
    found = photos.find(page_of(3))[1]
    answers = photos.read({"run": Network(lambda _: blob), "shipped": shipped()}, found)
    assert answers["Just trained"].startswith("This network learned from")
    assert [name for name, _, _ in answers["Shipped with Kasane"]] == ["3"]
    html = "".join(photos.figures(found, answers | {"Odd": [("<b>", 0.5, False)]}))
    assert "cannot read pictures" in html
    assert "&lt;b&gt;" in html
    assert "Nothing it knows" in html
    spoken = re.sub("<[^>]*>", "|", "".join(photos.figures(found, {"Sure": [("2", 1.0, True)]})))
    assert "|2| 100%|" in spoken  # not "2100%"
