"""The command predict: a line for every digit, and one for every file that holds none."""

import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from engine.commands.predict import CHUNK
from engine.data import datasets
from tests.engine.commands.program import MANY, run


def check(line: str) -> int | None:
    """Check a line of predictions and return the digit."""
    prediction = json.loads(line)
    assert list(prediction) == ["digit", "probabilities", "known"]
    assert len(prediction["probabilities"]) == 10
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert type(prediction["known"]) is bool
    if prediction["digit"] is None:
        assert not prediction["known"]
    else:
        assert prediction["digit"] == int(np.argmax(prediction["probabilities"]))
    return prediction["digit"]


def test_predict_drawings(drawings):
    done = run("predict", drawings)
    assert (done.returncode, done.stderr) == (0, "")
    digits = [check(line) for line in done.stdout.splitlines()]
    assert digits == [1, 0, None]  # nothing is drawn on the third
    assert [json.loads(line)["known"] for line in done.stdout.splitlines()] == [True, True, False]


def test_predict_says_what_is_like_nothing_that_the_model_learned(say, tmp_path):
    scrawl = [[[28 + 224 * (i % 2), 28 + 11 * i] for i in range(21)]]
    (tmp_path / "scrawl.jsonl").write_text(json.dumps({"strokes": scrawl}))
    (line,), errors = say("predict", tmp_path / "scrawl.jsonl")
    assert errors == []
    assert check(line) is not None  # it is still said what it would have to be
    assert not json.loads(line)["known"]


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_predict_a_picture(say, tmp_path, format):
    data = datasets.load("mnist-5k")
    path = tmp_path / f"digit.{format.lower()}"
    right = 0
    for image, label in zip(data.x_test[:10], data.y_test[:10], strict=True):
        Image.fromarray(255 - image[:, :, 0]).resize((280, 280), Image.Resampling.BICUBIC).save(path, format)
        (line,), errors = say("predict", path, "--json")
        assert errors == []
        right += check(line) == label
    assert right >= 9


@pytest.mark.parametrize("light", [False, True])
def test_predict_every_digit_of_a_picture_in_reading_order(say, tmp_path, light):
    data = datasets.load("mnist-5k")
    page = np.zeros((200, 600), np.uint8)
    for place, image in enumerate(data.x_test[:6]):
        top, left = 20 + 90 * (place // 3), 60 + 190 * (place % 3)
        page[top : top + 84, left : left + 84] = Image.fromarray(image[:, :, 0]).resize((84, 84))
    Image.fromarray(page if light else 255 - page).save(tmp_path / "page.webp", lossless=True)
    lines, errors = say("predict", tmp_path / "page.webp")
    assert errors == []
    assert [check(line) for line in lines] == data.y_test[:6].tolist()


def test_predict_more_digits_than_are_read(say, tmp_path):
    one = np.zeros((40, 40), np.uint8)
    one[8:32, 18:21] = 255
    Image.fromarray(np.tile(one, (6, 10))).save(tmp_path / "many.png")
    lines, errors = say("predict", tmp_path / "many.png")
    assert len([check(line) for line in lines]) == 50
    assert errors == ["the first 50 of 60 digits are read"]


def test_predict_an_empty_page(say, tmp_path):
    Image.new("L", (280, 280), 255).save(tmp_path / "empty.png")
    lines, (error,) = say("predict", tmp_path / "empty.png", status=2)
    assert lines == []
    assert error == f"error: No digits were found in {tmp_path / 'empty.png'}."


def test_predict_with_another_model(say, drawings, model):
    lines, _ = say("predict", drawings, "--model", model)
    assert len([check(line) for line in lines]) == 3
    assert lines != say("predict", drawings)[0]


def test_predict_many_drawings_in_their_order(say, drawings, tmp_path):
    line, ring, _ = drawings.read_text().splitlines()
    many = tmp_path / "many.JSONL"
    many.write_text("\n".join(ring if i % 3 else line for i in range(CHUNK + 50)))
    lines, _ = say("predict", many)
    assert [check(line) for line in lines] == [int(i % 3 == 0) for i in range(CHUNK + 50)]


def test_predict_no_drawing(say, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n\n")
    assert say("predict", tmp_path / "empty.jsonl") == ([], [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b""),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100),
        ("a.jpg", b"\xff\xd8\xff\xe0" + b"\x00" * 100),
        ("a.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
        ("a.txt", b"3"),
        ("a.jsonl", b"\xff\xfe\x00"),
        ("a.jsonl", b"[1, 2"),
        ("a.jsonl", b"{}"),
        ("a.jsonl", b'{"strokes": [[[1, 2]]]}\n{"strokes": 7}\n'),
        ("a.jsonl", b'{"strokes": [[[NaN, 2]]]}'),
        ("a.jsonl", b'{"strokes": [[[1e999, 2]]]}'),
        ("a.jsonl", b'{"strokes": ' + b"[" * 100_000),
    ],
)
def test_files_that_are_no_drawings(say, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    lines, errors = say("predict", tmp_path / name, status=2)
    assert (lines, len(errors)) == ([], 1)


def spoil(arrays: dict[str, np.ndarray], how) -> dict[str, np.ndarray]:
    return {name: how(array) for name, array in arrays.items()}


def metadata(blob: bytes) -> dict[str, str]:
    return json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]


@pytest.mark.parametrize(
    "how",
    [
        lambda a: np.full_like(a, np.nan),
        lambda a: np.full_like(a, 3e38),  # legal numbers, but their sums are not
        lambda a: a.astype(np.float64) * 1e300,
        lambda a: a[:-1].copy(),
        lambda a: a.astype(np.int8),
    ],
)
def test_models_with_spoilt_weights(say, drawings, model, tmp_path, how):
    bad = tmp_path / "bad.safetensors"
    save_file(spoil(load_file(model), how), bad, metadata(model.read_bytes()))
    lines, errors = say("predict", drawings, "--model", bad, status=2)
    assert (lines, len(errors)) == ([], 1)


@pytest.mark.parametrize("cut", [0, 7, 8, 100, -1])
def test_models_cut_short(say, drawings, model, tmp_path, cut):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(model.read_bytes()[:cut])
    lines, errors = say("predict", drawings, "--model", bad, status=2)
    assert (lines, len(errors)) == ([], 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("in_shape", "[28]"), ("in_shape", "[0, 28, 1]"), ("in_shape", "[" * 10_000), ("classes", "5"),
     ("classes", json.dumps(list("0123456789") * 100)), ("scale", "nan"), ("scale", "1e300"), ("format", "other"),
     ("experiment", "{}"), ("experiment", '{"network": "' + MANY + '"}')],
)  # fmt: skip
def test_models_with_a_spoilt_header(say, drawings, model, tmp_path, name, value):
    bad = tmp_path / "bad.safetensors"
    save_file(load_file(model), bad, metadata(model.read_bytes()) | {name: value})
    lines, errors = say("predict", drawings, "--model", bad, status=2)
    assert (lines, len(errors)) == ([], 1)


def test_a_model_for_other_inputs(say, drawings, tmp_path):
    say("train", "--set", "data=toy2d", "network=dense4", "steps=2", "--out", tmp_path / "m")
    _, errors = say("predict", drawings, "--model", tmp_path / "m", status=2)
    assert errors == [f"error: The model {tmp_path / 'm'} reads 2, not pictures of 28×28."]
