"""What answers a drawing pad: the networks to drawings, one sentence to everything else, and the channel stays open."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocket

from engine.data.datasets import Dataset
from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs import protocol, store
from engine.training.checkpoint import dump, load_model
from engine.training.trainer import Trainer
from pages._ui import channels, reading
from pages._ui.reading import Network, Reader

SEVEN = [[[80.0, 70.0], [200.0, 70.0], [120.0, 220.0]]]
JAPANESE = {
    "strokes must be a list of strokes; received {value}.": "strokes は線のリストです（{value}）。",
    "This network learned from “{data}”; it cannot read pictures of 28 × 28 pixels.": "{data} では読めません。",
    "A drawing must be JSON.": "JSON ではありません。",
    "Just trained": "いま学習",
    "Trouser": "ズボン",
}


def weights(**settings) -> bytes:
    """Return an untrained network."""
    experiment = Experiment(**{"network": "dense12", "train_size": 300, "test_size": 50} | settings)
    return dump(Trainer(experiment), network_only=True)


RUN = weights(seed=3)


@pytest.fixture(scope="module")
def blob() -> bytes:
    trainer = Trainer(Experiment(network="dense24", train_size=600, test_size=50, steps=60, optimizer="adam", lr=0.01))
    trainer.advance()
    return dump(trainer, network_only=True)


@pytest.fixture
def reader(blob) -> Reader:
    return Reader({"run": Network(lambda loaded: RUN), "shipped": Network(lambda loaded: blob)}, "en")


@pytest.fixture(autouse=True)
def _catalog(monkeypatch):
    monkeypatch.setattr(reading, "catalog", lambda language: JAPANESE if language == "ja" else {})


@pytest.fixture(autouse=True)
def _readers(monkeypatch):
    monkeypatch.setattr(reading, "_readers", {})


def ask(reader: Reader, message: object) -> tuple[dict, dict]:
    return protocol.decode(reader.answer(message))


# ------------------------------------------------------------------------------------------------------ right answers


def test_answer_is_what_each_network_makes_of_the_preprocessed_picture(reader, blob):
    header, arrays = ask(reader, {"seq": 5, "strokes": SEVEN})
    image = strokes_to_image(parse_strokes(SEVEN))
    np.testing.assert_array_equal(arrays["image"], image)
    assert arrays["image"].dtype == np.uint8
    assert (header["seq"], header["empty"]) == (5, False)
    assert [network["name"] for network in header["networks"]] == ["run", "shipped"]
    for network, source in zip(header["networks"], (RUN, blob), strict=True):
        expected = load_model(source).probabilities(image[None, :, :, None])[0]
        np.testing.assert_allclose(network["probabilities"], expected, atol=1e-5)
        assert network["digit"] == expected.argmax()
        assert network["classes"] == list("0123456789")


def test_the_box_of_the_strokes_and_what_became_of_it(reader):
    header, _ = ask(reader, {"seq": 1, "strokes": SEVEN})
    assert [header[name] for name in ("width", "height", "columns", "rows")] == [120, 150, 16, 20]


@pytest.mark.parametrize("strokes", [[], [[]], [[], []]])
def test_an_empty_pad_has_no_prediction(reader, strokes):
    header, arrays = ask(reader, {"seq": 2, "strokes": strokes})
    assert header["empty"]
    assert not arrays["image"].any()
    for network in header["networks"]:
        assert network["digit"] is None
        assert network["probabilities"] == [0] * 10


def test_classes_and_labels_are_in_the_readers_language():
    pictures = np.zeros((4, 28, 28, 1), np.uint8)
    clothes = Dataset("x", pictures, np.arange(4) % 2, pictures, np.arange(4) % 2, ("Trouser", "Dress"), 1 / 255)
    blob = dump(Trainer(Experiment(network="dense4", batch_size=2), clothes), network_only=True)
    header, _ = ask(Reader({"run": Network(lambda loaded: blob)}, "ja"), {"seq": 0, "strokes": SEVEN})
    assert header["networks"][0]["label"] == "いま学習"
    assert header["networks"][0]["classes"] == ["ズボン", "Dress"]
    assert len(header["networks"][0]["probabilities"]) == 2


@pytest.mark.parametrize("other", [{"data": "digits"}, {"data": "toy2d", "train_size": 0, "test_size": 0}])
def test_a_network_for_other_inputs_says_that_it_cannot_read(other, reader):
    blob = weights(**other)
    reader.networks["run"] = Network(lambda loaded: blob)
    run, shipped = ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"]
    assert run["unable"] == f"This network learned from “{other['data']}”; it cannot read pictures of 28 × 28 pixels."
    assert "probabilities" not in run
    assert len(shipped["probabilities"]) == 10


@pytest.mark.parametrize("damaged", [None, b"", b"nonsense", RUN[:-40]])
def test_missing_and_damaged_weights_are_said_in_a_sentence(reader, damaged):
    reader.networks["run"] = Network(lambda loaded: damaged)
    run, shipped = ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"]
    assert run["unable"].endswith(".")
    assert shipped["digit"] is not None


def test_weights_beyond_all_numbers_are_said_in_a_sentence(reader):
    trainer = Trainer(Experiment(network="dense12", train_size=100, test_size=50))
    trainer.network.vector.data[:] = 3e38
    blob = dump(trainer, network_only=True)
    reader.networks["run"] = Network(lambda loaded: blob)
    run = ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"][0]
    assert run["unable"].startswith("The weights of this network are no longer finite")


def test_threads_do_not_disturb_each_other(reader):
    drawings = [{"seq": i, "strokes": [[[0, 0], [100, 10 * i], [10 * i, 100]]]} for i in range(20)]
    alone = [reader.answer(drawing) for drawing in drawings]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            assert list(threads.map(reader.answer, drawings)) == alone


# ---------------------------------------------------------------------------------------------------- hostile messages

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
POINT = st.lists(st.integers() | st.floats() | JSON, max_size=3)
STROKES = st.lists(st.lists(POINT, max_size=4) | JSON, max_size=4)
HOSTILE = JSON | st.fixed_dictionaries({}, optional={"seq": st.integers() | JSON, "strokes": STROKES | JSON})


@settings(max_examples=300)
@given(message=HOSTILE, language=st.sampled_from(["ja", "en", "xx"]))
def test_no_message_is_fatal(blob, message, language):
    header, arrays = ask(Reader({"shipped": Network(lambda loaded: blob)}, language), message)
    if "error" in header:
        assert isinstance(header["error"], str)
        assert 0 < len(header["error"]) < 300
        assert not arrays
    else:
        assert arrays["image"].shape == (28, 28)
        assert len(header["networks"][0]["probabilities"]) == 10


@settings(max_examples=300)
@given(text=st.text(max_size=60) | HOSTILE.map(lambda message: json.dumps(message)))
def test_no_text_is_fatal(blob, text):
    header, _ = protocol.decode(channels._answer(Reader({"shipped": Network(lambda loaded: blob)}, "en"), text))
    assert "error" in header or "networks" in header


def deep(levels: int) -> list:
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "seq",
        {"strokes": []},
        {"seq": True, "strokes": []},
        {"seq": -1, "strokes": []},
        {"seq": 1.0, "strokes": []},
        {"seq": 2**60, "strokes": []},
        {"seq": 10**6000, "strokes": []},
        {"seq": 1},
        {"seq": 1, "strokes": [[[float("nan"), 1]]]},
        {"seq": 1, "strokes": [[[1, float("inf")]]]},
        {"seq": 1, "strokes": [[[1, 10**400]]]},
        {"seq": 1, "strokes": [[[1, 2]]] * 1000},
        {"seq": 1, "strokes": [[[1, 2]] * 30_000]},
        {"seq": 1, "strokes": deep(3000)},
    ],
)
def test_errors_are_one_sentence(reader, message):
    header, _ = ask(reader, message)
    assert header["error"].endswith(".")
    assert "\n" not in header["error"]
    assert header["seq"] in (0, 1)


def test_errors_are_in_the_readers_language(reader):
    message = {"seq": 9, "strokes": 5}
    assert ask(reader, message)[0] == {"seq": 9, "error": "strokes must be a list of strokes; received 5."}
    reader.language = "ja"
    assert ask(reader, message)[0] == {"seq": 9, "error": "strokes は線のリストです（5）。"}


def test_an_error_of_ours_is_a_sentence_too(reader, caplog):
    def newest(loaded):
        raise OSError("the disk is gone")

    reader.networks["run"] = Network(newest)
    assert ask(reader, {"seq": 4, "strokes": SEVEN})[0] == {"seq": 4, "error": "This drawing could not be read."}
    assert "could not be answered" in caplog.text
    assert "disk" not in protocol.decode(reading.error_message(1, OSError("the disk is gone")))[0]["error"]
    assert protocol.decode(reading.error_message(1, InputError("No."))) == ({"seq": 1, "error": "No."}, {})


# --------------------------------------------------------------------------------------------------- weights that move


def test_the_prediction_follows_training(blob):
    newest = [RUN]
    network = Network(lambda loaded: newest[0])
    reader = Reader({"run": network}, "en")
    before = ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"]
    assert not reader.has_changed()
    newest[0] = blob
    assert reader.has_changed()
    assert ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"] != before
    assert not reader.has_changed()


def test_weights_are_loaded_once_and_again_after_forgetting(blob, monkeypatch):
    loads = []
    monkeypatch.setattr(reading, "load_model", lambda blob: loads.append(1) or load_model(blob))
    network, image = Network(lambda loaded: blob), np.zeros((28, 28), np.uint8)
    for _ in range(3):
        network.read(image)
    assert len(loads) == 1
    network.forget()
    network.read(image)
    assert len(loads) == 2


def fake_pool(**runs):
    return SimpleNamespace(find=runs.get)


def test_a_run_is_read_from_the_pool_and_after_that_from_the_store(blob):
    live = SimpleNamespace(frame=b"", step=0, checkpoint=None)
    pool = fake_pool(running1=live)
    assert reading.of_run(pool, "running1") is None
    live.frame, live.checkpoint = b"frame", RUN
    assert reading.of_run(pool, "running1") is None  # at step 0 nothing was learned
    live.step = 10
    network = reading.of_run(pool, "running1")
    assert reading.of_run(pool, "running1") is network
    network.read(np.zeros((28, 28), np.uint8))
    live.checkpoint = blob
    assert network.has_changed()

    assert reading.of_run(fake_pool(), "elsewhere1") is None
    store.save("elsewhere1", blob)
    model, _ = reading.of_run(fake_pool(), "elsewhere1").read(np.zeros((28, 28), np.uint8))
    assert model.experiment.network == "dense24"


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "x" * 100])
def test_a_name_that_is_none_has_no_network(name):
    assert reading.of_run(fake_pool(), name) is None


def test_the_shipped_network_is_one_for_all(monkeypatch, tmp_path, blob):
    monkeypatch.setattr(reading, "SHIPPED", tmp_path / "reader.safetensors")
    reading.shipped.cache_clear()
    assert reading.shipped() is reading.shipped()
    with pytest.raises(InputError):
        reading.shipped().read(np.zeros((28, 28), np.uint8))
    reading.SHIPPED.write_bytes(blob)
    reading.shipped().read(np.zeros((28, 28), np.uint8))
    reading.shipped.cache_clear()


# ------------------------------------------------------------------------------------------------------------- readers


def test_a_token_names_its_reader_and_no_other():
    first, second = reading.open_reader({}), reading.open_reader({}, language="ja")
    assert first != second
    assert len(first) >= 20
    assert reading.find(second).language == "ja"
    for unknown in ("", "x", first + "x"):
        assert reading.find(unknown) is None


def test_a_page_keeps_its_token_through_reruns(blob):
    token = reading.open_reader({}, language="en")
    reader, networks = reading.find(token), {"run": Network(lambda loaded: blob)}
    assert reading.open_reader(networks, language="ja", token=token) == token
    assert reading.find(token) is reader
    assert (reader.networks, reader.language) == (networks, "ja")
    assert reading.open_reader({}, token="of another server") not in (token, "of another server")


def test_readers_expire_when_nobody_watches():
    left, watched = reading.open_reader({}), reading.open_reader({})
    for token in (left, watched):
        reading.find(token).left -= reading.EXPIRY + 1
    with reading.find(watched).watched():
        reading.open_reader({})
        assert reading.find(left) is None
        assert reading.find(watched)


def test_the_number_of_readers_is_capped_and_those_left_first_go_first(monkeypatch):
    monkeypatch.setattr(reading, "MAX_READERS", 3)
    tokens = [reading.open_reader({}) for _ in range(3)]
    with reading.find(tokens[0]).watched():
        newer = [reading.open_reader({}) for _ in range(2)]
        assert [bool(reading.find(token)) for token in (*tokens, *newer)] == [True, False, False, True, True]


def test_weights_are_let_go_when_the_last_channel_closes(reader, monkeypatch):
    monkeypatch.setattr(reading, "shipped", lambda: reader.networks["shipped"])
    forgotten = []
    for name, network in reader.networks.items():
        monkeypatch.setattr(network, "forget", lambda name=name: forgotten.append(name))
    with reader.watched():
        with reader.watched():
            pass
        assert forgotten == []
    assert forgotten == ["run"]


# --------------------------------------------------------------------------------------------------------- the channel


class Browser:
    """The other end of a channel: queues in place of a network."""

    def __init__(self, token: str, **headers: str) -> None:
        self.sent: asyncio.Queue = asyncio.Queue()
        self.received: asyncio.Queue = asyncio.Queue()
        self.sent.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "path_params": {"token": token},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.socket = WebSocket(scope, self.sent.get, self.received.put)

    def say(self, **message) -> None:
        self.sent.put_nowait({"type": "websocket.receive"} | message)

    def leave(self) -> None:
        self.sent.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def hear(self) -> dict:
        return await asyncio.wait_for(self.received.get(), 5)

    async def hear_reply(self) -> dict:
        return protocol.decode((await self.hear())["bytes"])[0]


def converse(talk, *arguments, **headers) -> None:
    """Run the channel on one side and `talk(browser)` on the other; at the end the channel must end too."""

    async def both() -> None:
        browser = Browser(*arguments, **headers)
        channel = asyncio.create_task(channels.read(browser.socket))
        await talk(browser)
        browser.leave()
        await asyncio.wait_for(channel, 5)

    with ThreadPoolExecutor(1) as thread:  # the browser tests' driver keeps a loop running in the main one
        thread.submit(asyncio.run, both()).result()


def drawing(seq: int, strokes=SEVEN) -> str:
    return json.dumps({"seq": seq, "strokes": strokes})


def test_channel_answers_and_stays_open_after_errors(reader):
    reading._readers["token"] = reader

    async def talk(browser):
        assert (await browser.hear())["type"] == "websocket.accept"
        for seq in (1, 2):
            browser.say(text=drawing(seq))
            assert (await browser.hear_reply())["seq"] == seq
        assert reader.watchers == 1
        for nonsense in ("", "{", "[" * 100_000, '{"seq": 1e999}', "x" * (channels.MAX_STROKES_BYTES + 1)):
            browser.say(text=nonsense)
            assert "error" in await browser.hear_reply()
        browser.say(bytes=b"\x00\x01")
        assert "error" in await browser.hear_reply()
        browser.say(text=drawing(7))
        assert (await browser.hear_reply())["networks"][1]["digit"] is not None

    converse(talk, "token")
    assert reader.watchers == 0


def test_channel_says_its_errors_in_the_readers_language(reader):
    reader.language = "ja"
    reading._readers["token"] = reader

    async def talk(browser):
        await browser.hear()
        browser.say(text="{")
        assert (await browser.hear_reply())["error"] == "JSON ではありません。"

    converse(talk, "token")


def test_channel_skips_what_a_newer_drawing_has_overtaken(reader):
    reading._readers["token"] = reader

    async def talk(browser):
        await browser.hear()
        for seq in range(1, 31):
            browser.say(text=drawing(seq))
        answered = [(await browser.hear_reply())["seq"]]
        while answered[-1] != 30:
            answered.append((await browser.hear_reply())["seq"])
        assert answered == sorted(answered)
        assert len(answered) < 10

    converse(talk, "token")


def test_channel_answers_again_when_a_network_has_learned_more(reader, blob, monkeypatch):
    monkeypatch.setattr(channels, "LEARNED_EVERY", 0.02)
    newest = [RUN]
    reader.networks = {"run": Network(lambda loaded: newest[0])}
    reading._readers["token"] = reader

    async def talk(browser):
        await browser.hear()
        browser.say(text=drawing(3))
        before = await browser.hear_reply()
        newest[0] = blob
        after = await browser.hear_reply()
        assert after["seq"] == before["seq"] == 3
        assert after["networks"] != before["networks"]
        await asyncio.sleep(0.1)
        assert browser.received.empty()

    converse(talk, "token")


def test_channel_refuses_unknown_tokens_and_foreign_pages(reader):
    reading._readers["token"] = reader

    async def unknown(browser):
        assert (await browser.hear())["type"] == "websocket.accept"
        assert await browser.hear() == {"type": "websocket.close", "code": channels.UNKNOWN, "reason": ""}

    async def foreign(browser):
        assert await browser.hear() == {"type": "websocket.close", "code": channels.FOREIGN, "reason": ""}

    converse(unknown, "another")
    converse(foreign, "token", origin="http://evil.example", host="localhost:8501")
