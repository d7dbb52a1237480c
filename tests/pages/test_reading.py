"""What answers a drawing pad: the networks to drawings, one sentence to everything else, and the channel stays open."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocket

from engine.analysis import reasons, saliency
from engine.analysis.feature_maps import feature_maps, to_bytes
from engine.data import datasets
from engine.data.dataset import Dataset
from engine.data.datasets import DatasetError
from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs import protocol, store
from engine.training import metrics
from engine.training.checkpoint import dump, load_model
from engine.training.trainer import Trainer
from pages._ui import channels
from pages._ui.reading import message as message_module
from pages._ui.reading import network as network_module
from pages._ui.reading import reader as reader_module
from pages._ui.reading.network import Network, of_run, shipped
from pages._ui.reading.reader import Reader, find_reader, open_reader
from tests.pages.conftest import run_async
from tests.patience import PATIENCE

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
    monkeypatch.setattr(message_module, "catalog", lambda language: JAPANESE if language == "ja" else {})


@pytest.fixture(autouse=True)
def _readers(monkeypatch):
    monkeypatch.setattr(reader_module, "_readers", {})


@pytest.fixture(autouse=True)
def considering(monkeypatch):
    """What a network knows at all is found out in the background: here, when a test says so."""
    waiting = []

    def submit(job, *arguments) -> Future:
        future = Future()
        waiting.append((future, job, *arguments))
        return future

    monkeypatch.setattr(network_module, "_considering", SimpleNamespace(submit=submit))
    return waiting


def consider(waiting: list) -> int:
    """Do what is waiting in the background; return how much it was."""
    count = len(waiting)
    while waiting:
        future, job, *arguments = waiting.pop(0)
        try:
            future.set_result(job(*arguments))
        except ArithmeticError as error:  # what a test lets happen; all else is the test's own
            future.set_exception(error)
    return count


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
        np.testing.assert_allclose(network["probabilities"], expected, rtol=1e-5)  # the least likely, too, has its rank
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
    run, second = ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"]
    assert run["unable"] == f"This network learned from “{other['data']}”; it cannot read pictures of 28 × 28 pixels."
    assert "probabilities" not in run
    assert len(second["probabilities"]) == 10


@pytest.mark.parametrize("damaged", [None, b"", b"nonsense", RUN[:-40]])
def test_missing_and_damaged_weights_are_said_in_a_sentence(reader, damaged):
    reader.networks["run"] = Network(lambda loaded: damaged)
    run, second = ask(reader, {"seq": 1, "strokes": SEVEN})[0]["networks"]
    assert run["unable"].endswith(".")
    assert second["digit"] is not None


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


# ------------------------------------------------------------------------------------------------- looking inside

DEEP = weights(network="conv5@5p2 pool2 conv70@3 dense20", batch_size=10, train_size=40)


@pytest.fixture
def convolutional(reader) -> Reader:
    reader.networks["deep"] = Network(lambda loaded: DEEP)
    return reader


def test_feature_maps_come_with_the_answer_when_they_are_asked_for(convolutional):
    plain, _ = ask(convolutional, {"seq": 1, "strokes": SEVEN})
    assert plain["inside"] is None
    header, arrays = ask(convolutional, {"seq": 1, "strokes": SEVEN, "network": "deep", "maps": True})
    assert header["networks"] == plain["networks"]
    inside = header["inside"]
    assert (inside["network"], inside["why"]) == ("deep", None)
    said = [(block["name"], block["words"], block["shape"], block["count"]) for block in inside["blocks"]]
    assert said == [
        ("conv1", "conv5@5p2 pool2", [5, 14, 14], 5),
        ("conv2", "conv70@3", [70, 12, 12], message_module.MAX_MAPS),
        ("dense1", "dense20", [20], 20),
        ("output", "output", [10], 10),
    ]
    places = [(block["field"], block["jump"], block["start"]) for block in inside["blocks"]]
    assert places == [(6, 2, 1.0), (10, 2, 3.0), (None, None, None), (None, None, None)]
    picture = strokes_to_image(parse_strokes(SEVEN))[:, :, None]
    for index, block in enumerate(feature_maps(load_model(DEEP), picture)[1]):
        shown = block.maps[: inside["blocks"][index]["count"]]
        expected, low, high = to_bytes(shown)
        np.testing.assert_array_equal(arrays[f"block{index}"], expected)
        assert (inside["blocks"][index]["low"], inside["blocks"][index]["high"]) == pytest.approx((low, high), abs=1e-4)


def test_maps_of_a_huge_network_are_cut_to_what_a_screen_can_show(convolutional):
    blob = weights(network=" ".join(["conv80@1"] * 5), batch_size=2, train_size=4)
    convolutional.networks["deep"] = Network(lambda loaded: blob)
    reply = convolutional.answer({"seq": 1, "strokes": SEVEN, "network": "deep", "maps": True})
    assert len(reply) < 1.2 * message_module.MAX_CELLS
    assert protocol.decode(reply)[0]["inside"]["blocks"][0]["count"] == message_module.MAX_CELLS // 6 // 28**2


@pytest.mark.parametrize("why", ["gradient", "patch"])
def test_why_is_a_picture_of_what_the_answer_hangs_on(reader, blob, why):
    header, arrays = ask(reader, {"seq": 1, "strokes": SEVEN, "network": "shipped", "why": why})
    assert header["inside"]["blocks"] == []
    said = header["inside"]["why"]
    assert said["kind"] == why
    model, picture = load_model(blob), strokes_to_image(parse_strokes(SEVEN))
    digit = header["networks"][1]["digit"]
    x = (picture[None, :, :, None] * model.scale).astype(np.float32)
    if why == "gradient":
        expected = saliency.gradient(model.network, x, digit)[0, :, :, 0]
    else:

        def lead(pictures):
            outputs = metrics.predict(model.network, pictures[..., None], model.scale)
            return outputs[:, digit] - np.delete(outputs, digit, axis=1).max(axis=1)

        expected = saliency.occlusion(lead, picture) / lead(picture[None])[0]
    assert said["peak"] == pytest.approx(np.abs(expected).max(), rel=1e-4)
    np.testing.assert_allclose((arrays["why"] - 128.0) / 127 * said["peak"], expected, atol=said["peak"] / 200)


def test_why_tells_of_every_piece_what_the_answer_loses_without_it(reader):
    header, arrays = ask(reader, {"seq": 1, "strokes": SEVEN, "network": "shipped", "why": "strokes"})
    assert header["inside"]["why"]["kind"] == "strokes"
    assert len(arrays["drops"]) == len(arrays["ends"]) == saliency.PIECES
    assert np.abs(arrays["drops"]).max() <= header["inside"]["why"]["peak"] + 1e-6
    assert arrays["points"].shape == (arrays["ends"][-1], 2)
    np.testing.assert_allclose(arrays["points"][0], SEVEN[0][0])
    np.testing.assert_allclose(arrays["points"][-1], SEVEN[0][-1])


def test_looking_for_reasons_takes_no_more_memory_for_drawings_of_more_pieces(convolutional):
    network = convolutional.networks["deep"]
    sizes = set()
    for count in (1, 2, 5, 20, 40):
        strokes = [[[10 * k, 20], [10 * k + 4, 90]] for k in range(count)]
        header, _ = ask(convolutional, {"seq": 1, "strokes": strokes, "network": "deep", "why": "strokes"})
        assert header["inside"]["why"]["kind"] == "strokes"
        sizes.add(len(network._aside.network.layers[1].workspace.arrays))
    assert len(sizes) == 1


@pytest.mark.parametrize(
    "look", [{"maps": False, "why": ""}, {"network": "gone", "maps": True, "why": "patch"}, {"network": "run"}]
)
def test_without_a_network_to_look_into_there_is_only_the_answer(reader, look):
    header, arrays = ask(reader, {"seq": 1, "strokes": SEVEN} | look)
    assert header["inside"] is None
    assert list(arrays) == ["image"]


def test_without_a_name_the_first_that_can_read_is_looked_into(reader):
    assert ask(reader, {"seq": 1, "strokes": SEVEN, "maps": True})[0]["inside"]["network"] == "run"
    reader.networks["run"] = Network(lambda loaded: None)
    assert ask(reader, {"seq": 1, "strokes": SEVEN, "maps": True})[0]["inside"]["network"] == "shipped"


def test_an_empty_pad_has_maps_but_no_reasons(convolutional):
    for why in ("", *reasons.WAYS):
        header, arrays = ask(convolutional, {"seq": 1, "strokes": [], "network": "deep", "maps": True, "why": why})
        assert header["inside"]["why"] is None
        assert {"block0", "block3"} <= set(arrays)


def test_looking_into_a_network_that_cannot_read_is_no_error(reader):
    reader.networks["run"] = Network(lambda loaded: None)
    header, _ = ask(reader, {"seq": 1, "strokes": SEVEN, "network": "run", "maps": True, "why": "gradient"})
    assert header["inside"] is None
    assert header["networks"][0]["unable"]


@pytest.mark.parametrize(
    ("look", "named"),
    [
        ({"maps": 1}, "maps must be one of true, false"),
        ({"maps": None}, "maps must be"),
        ({"maps": "yes"}, "maps must be"),
        ({"why": "because"}, "why must be one of"),
        ({"why": None}, "why must be"),
        ({"why": ["gradient"]}, "why must be"),
        ({"maps": True, "network": 5}, "network must be a name"),
        ({"maps": True, "network": ["run"]}, "network must be a name"),
        ({"network": {"a": 1}}, "network must be a name"),
    ],
)
def test_a_look_that_is_none_is_refused(reader, look, named):
    header, _ = ask(reader, {"seq": 1, "strokes": SEVEN} | look)
    assert header["error"].startswith(named)
    assert header["error"].endswith(".")


# ----------------------------------------------------------------------------------------------- what is no digit

SCRAWL = [[[20.0 + 7 * i, 20.0 if i % 2 else 260.0] for i in range(30)], [[20, 20], [260, 260]], [[260, 20], [20, 260]]]


def test_what_is_like_nothing_learned_is_said_to_be_unknown(considering):
    blob = network_module.SHIPPED.read_bytes()
    reader = Reader({"shipped": Network(lambda loaded: blob)}, "en")

    def known(strokes):
        return ask(reader, {"seq": 1, "strokes": strokes})[0]["networks"][0]["known"]

    assert known(SEVEN)
    assert known(SCRAWL)  # nobody has found out yet what it knows
    assert not reader.has_changed()
    assert consider(considering) == 1
    assert reader.has_changed()  # so the pad's drawing is answered again
    assert not known(SCRAWL)
    assert known(SEVEN)
    assert not reader.has_changed()


def test_a_network_that_goes_on_learning_is_considered_anew_now_and_then(blob, considering, monkeypatch):
    now, newest = [1000.0], [RUN]
    monkeypatch.setattr(network_module.time, "monotonic", lambda: now[0])
    network, image = Network(lambda loaded: newest[0]), np.zeros((28, 28), np.uint8)
    network.read(image)
    assert consider(considering) == 1
    before = network._threshold
    newest[0] = blob
    network.read(image)
    assert consider(considering) == 0  # too soon
    now[0] += network_module.RECONSIDERED
    newest[0] = bytes(bytearray(blob))  # newer weights, though equal ones
    network.read(image)
    assert consider(considering) == 1
    assert network._threshold != before


def test_without_examples_everything_counts_as_known(considering, monkeypatch):
    def nowhere(name):
        raise DatasetError("{name} is not here.", name=name)

    monkeypatch.setattr(datasets, "load", nowhere)
    network = Network(lambda loaded: RUN)
    network.read(np.zeros((28, 28), np.uint8))
    consider(considering)
    assert network.read(np.zeros((28, 28), np.uint8)).known


def test_an_accident_while_considering_is_logged_and_changes_nothing(considering, monkeypatch, caplog):
    network = Network(lambda loaded: RUN)
    network.read(np.zeros((28, 28), np.uint8))
    monkeypatch.setattr(network_module.novelty, "threshold", lambda *_: 1 / 0)
    consider(considering)
    assert network.read(np.zeros((28, 28), np.uint8)).known
    assert "could not be found out" in caplog.text


def test_whoever_asks_without_end_is_kept_to_a_pace(reader, monkeypatch):
    monkeypatch.setattr(reader_module, "time", SimpleNamespace(monotonic=lambda: 5.0))
    assert [reader.turn() for _ in range(20)] == pytest.approx([n * reader_module.PACE for n in range(20)])


# ---------------------------------------------------------------------------------------------------- hostile messages

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
POINT = st.lists(st.integers() | st.floats() | JSON, max_size=3)
STROKES = st.lists(st.lists(POINT, max_size=4) | JSON, max_size=4)
WHYS = ("", *reasons.WAYS)
LOOKS = {"network": st.just("shipped") | JSON, "maps": st.booleans() | JSON, "why": st.sampled_from(WHYS) | JSON}
HOSTILE = JSON | st.fixed_dictionaries({}, optional={"seq": st.integers() | JSON, "strokes": STROKES | JSON} | LOOKS)


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
    assert "disk" not in protocol.decode(message_module.error_message(1, OSError("the disk is gone")))[0]["error"]
    assert protocol.decode(message_module.error_message(1, InputError("No."))) == ({"seq": 1, "error": "No."}, {})


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
    monkeypatch.setattr(network_module, "load_model", lambda blob: loads.append(1) or load_model(blob))
    network, image = Network(lambda loaded: blob), np.zeros((28, 28), np.uint8)
    for _ in range(3):
        network.read(image)
    assert len(loads) == 1
    network.forget()
    network.read(image)
    assert len(loads) == 2


def test_many_pictures_are_read_once_until_the_network_learns_more(blob, considering, monkeypatch):
    newest, reads, plain = [RUN], [], Network.read
    monkeypatch.setattr(Network, "read", lambda it, image: reads.append(1) or plain(it, image))
    network = Network(lambda loaded: newest[0])
    pictures = [np.full((28, 28), value, np.uint8) for value in (0, 200)]

    def count(pictures) -> int:
        """Return how many pictures are read when these are asked for."""
        before = len(reads)
        readings = network.read_all(pictures)
        for picture, reading in zip(pictures, readings, strict=True):
            np.testing.assert_array_equal(reading.probabilities, plain(network, picture).probabilities)
        return len(reads) - before

    assert [count(pictures), count(pictures), count(pictures[::-1]), count(pictures)] == [2, 0, 2, 0]
    newest[0] = blob
    assert [count(pictures), count(pictures)] == [2, 0]
    assert consider(considering) == 1  # what it knows at all is part of the answer
    assert [count(pictures), count(pictures)] == [2, 0]
    network.forget()
    assert [count(pictures), count(pictures)] == [2, 0]
    for value in range(2 * network_module.SHEETS):
        network.read_all([np.full((28, 28), value, np.uint8)])
    assert len(network._sheets) == network_module.SHEETS


def test_a_drawing_is_read_anew_when_a_network_comes_or_goes(blob, considering):
    ours, brought = Network(lambda loaded: blob), Network(lambda loaded: blob)
    token = open_reader({"shipped": ours})
    reader, drawing = find_reader(token), {"seq": 1, "strokes": SEVEN}
    for networks in ({"shipped": ours}, {"shipped": ours, "brought": brought}, {"shipped": ours}):
        open_reader(networks, token=token)
        assert reader.has_changed()
        ask(reader, drawing)
        open_reader(dict(networks), token=token)
        assert not reader.has_changed()


def fake_pool(**runs):
    return SimpleNamespace(find=runs.get)


def test_a_run_is_read_from_the_pool_and_after_that_from_the_store(blob):
    live = SimpleNamespace(frame=b"", step=0, checkpoint=None)
    pool = fake_pool(running1=live)
    assert of_run(pool, "running1") is None
    live.frame, live.checkpoint = b"frame", RUN
    assert of_run(pool, "running1") is None  # at step 0 nothing was learned
    live.step = 10
    network = of_run(pool, "running1")
    assert of_run(pool, "running1") is network
    network.read(np.zeros((28, 28), np.uint8))
    live.checkpoint = blob
    assert network.has_changed()

    assert of_run(fake_pool(), "elsewhere1") is None
    store.save("elsewhere1", blob)
    read = of_run(fake_pool(), "elsewhere1").read(np.zeros((28, 28), np.uint8))
    assert read.model.experiment.network == "dense24"


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "x" * 100])
def test_a_name_that_is_none_has_no_network(name):
    assert of_run(fake_pool(), name) is None


def test_the_shipped_network_is_one_for_all(monkeypatch, tmp_path, blob):
    file = tmp_path / "reader.safetensors"
    monkeypatch.setattr(network_module, "SHIPPED", file)
    shipped.cache_clear()
    assert shipped() is shipped()
    for use in (shipped().weights, lambda: shipped().read(np.zeros((28, 28), np.uint8))):
        with pytest.raises(InputError, match="no weights"):
            use()
    file.write_bytes(blob)
    assert shipped().weights() == blob
    assert shipped().read(np.zeros((28, 28), np.uint8)).model.experiment.network == "dense24"
    shipped.cache_clear()


# ------------------------------------------------------------------------------------------------------------- readers


def test_a_token_names_its_reader_and_no_other():
    first, second = open_reader({}), open_reader({}, language="ja")
    assert first != second
    assert len(first) >= 20
    assert find_reader(second).language == "ja"
    for unknown in ("", "x", first + "x"):
        assert find_reader(unknown) is None


def test_a_page_keeps_its_token_through_reruns(blob):
    token = open_reader({}, language="en")
    reader, networks = find_reader(token), {"run": Network(lambda loaded: blob)}
    assert open_reader(networks, language="ja", token=token) == token
    assert find_reader(token) is reader
    assert (reader.networks, reader.language) == (networks, "ja")
    assert open_reader({}, token="of another server") not in (token, "of another server")


def test_readers_expire_when_nobody_watches():
    left, watched = open_reader({}), open_reader({})
    for token in (left, watched):
        find_reader(token).left -= reader_module.EXPIRY + 1
    with find_reader(watched).watched():
        open_reader({})
        assert find_reader(left) is None
        assert find_reader(watched)


def test_the_number_of_readers_is_capped_and_those_left_first_go_first(monkeypatch):
    monkeypatch.setattr(reader_module, "MAX_READERS", 3)
    tokens = [open_reader({}) for _ in range(3)]
    with find_reader(tokens[0]).watched():
        newer = [open_reader({}) for _ in range(2)]
        assert [bool(find_reader(token)) for token in (*tokens, *newer)] == [True, False, False, True, True]


def test_weights_are_let_go_when_the_last_channel_closes(reader, monkeypatch):
    monkeypatch.setattr(reader_module, "shipped", lambda: reader.networks["shipped"])
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
        return await asyncio.wait_for(self.received.get(), PATIENCE)

    async def hear_reply(self) -> dict:
        return protocol.decode((await self.hear())["bytes"])[0]


def converse(talk, *arguments, **headers) -> None:
    """Run the channel on one side and `talk(browser)` on the other; at the end the channel must end too."""

    async def both() -> None:
        browser = Browser(*arguments, **headers)
        channel = asyncio.create_task(channels.read(browser.socket))
        await talk(browser)
        browser.leave()
        await asyncio.wait_for(channel, PATIENCE)

    run_async(both())


def drawing(seq: int, strokes=SEVEN) -> str:
    return json.dumps({"seq": seq, "strokes": strokes})


def test_channel_answers_and_stays_open_after_errors(reader):
    reader_module._readers["token"] = reader

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


def test_channels_that_wait_for_their_turn_leave_the_threads_to_others_and_end_when_they_are_closed(
    reader, monkeypatch
):
    reader_module._readers["token"] = reader
    monkeypatch.setattr(reader, "turn", lambda: 3600.0)

    async def crowd() -> None:
        browsers = [Browser("token") for _ in range(64)]
        waiting = [asyncio.create_task(channels.read(it.socket)) for it in browsers]
        for browser in browsers:
            browser.say(text=drawing(1))
            await browser.hear()
        assert await asyncio.wait_for(asyncio.to_thread(int), PATIENCE) == 0
        for browser in browsers:
            browser.leave()
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE)

    run_async(crowd())


def test_channel_says_its_errors_in_the_readers_language(reader):
    reader.language = "ja"
    reader_module._readers["token"] = reader

    async def talk(browser):
        await browser.hear()
        browser.say(text="{")
        assert (await browser.hear_reply())["error"] == "JSON ではありません。"

    converse(talk, "token")


def test_channel_skips_what_a_newer_drawing_has_overtaken(reader):
    reader_module._readers["token"] = reader

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
    reader_module._readers["token"] = reader

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
    reader_module._readers["token"] = reader

    async def unknown(browser):
        assert (await browser.hear())["type"] == "websocket.accept"
        assert await browser.hear() == {"type": "websocket.close", "code": channels.UNKNOWN, "reason": ""}

    async def foreign(browser):
        assert await browser.hear() == {"type": "websocket.close", "code": channels.FOREIGN, "reason": ""}

    converse(unknown, "another")
    converse(foreign, "token", origin="http://evil.example", host="localhost:8501")
