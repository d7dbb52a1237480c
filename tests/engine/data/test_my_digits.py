"""What a person kept comes back as it was, and a file that is none is refused in one sentence, with nothing taken."""

import base64
import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import handwriting, my_digits
from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.data.my_digits import MyDigits
from engine.errors import InputError

SEVEN = [np.array([[80.0, 70.0], [200.04, 70.0], [120.0, 220.0]])]
ONE = [np.array([[140.0, 60.0], [140.0, 220.0]])]


def some() -> MyDigits:
    digits = MyDigits()
    digits.add(7, SEVEN)
    digits.add(1, ONE)
    digits.add(7, SEVEN)
    return digits


def test_drawings_are_counted_and_become_pictures_with_labels():
    digits = some()
    assert len(digits) == 3
    assert digits.counts().tolist() == [0, 1, 0, 0, 0, 0, 0, 2, 0, 0]
    pictures, labels = digits.arrays()
    assert (pictures.shape, pictures.dtype, labels.dtype) == ((3, 28, 28, 1), np.uint8, np.int64)
    assert labels.tolist() == [7, 1, 7]
    np.testing.assert_array_equal(pictures[1, :, :, 0], strokes_to_image(ONE))


def test_without_drawings_there_are_empty_arrays():
    digits = MyDigits()
    assert digits.counts().tolist() == [0] * 10
    pictures, labels = digits.arrays()
    assert (pictures.shape, labels.shape) == ((0, 28, 28, 1), (0,))
    digits.remove_last()
    assert digits.to_jsonl() == ""


def test_the_last_one_can_be_taken_back():
    digits = some()
    digits.remove_last()
    assert [record["label"] for record in digits.records] == [7, 1]


def test_records_are_plain_values_and_belong_to_whoever_brought_them():
    records = []
    MyDigits(records).add(7, SEVEN)
    assert json.loads(json.dumps(records)) == records
    assert MyDigits(records).counts()[7] == 1


def test_a_picture_without_strokes_is_kept_too():
    digits, picture = MyDigits(), strokes_to_image(SEVEN)
    digits.add(7, picture=picture)
    assert digits.records[0]["strokes"] == []
    np.testing.assert_array_equal(digits.arrays()[0][0, :, :, 0], picture)


def test_a_drawing_that_is_said_to_be_another_digit_is_kept_as_that_one():
    digits = MyDigits()
    seven = digits.label(7, SEVEN)
    one = digits.label(1, ONE)
    assert digits.label(4, SEVEN) is seven
    assert digits.records == [seven, one]
    assert [seven["label"], one["label"]] == [4, 1]
    with pytest.raises(InputError, match="a digit from 0 to 9, not 12"):
        digits.label(12, ONE)
    assert digits.arrays()[1].tolist() == [4, 1]


def test_pictures_are_kept_once_and_all_or_none(monkeypatch):
    digits, (seven, one) = MyDigits(), map(strokes_to_image, (SEVEN, ONE))
    digits.add_pictures([7, 7], [seven, seven])  # a page may show the very same digit twice
    assert digits.holds([seven, one]) == [True, False]
    digits.add_pictures([2, 1], [seven, one])
    assert [record["label"] for record in digits.records] == [7, 7, 1]
    digits.remove_last()
    monkeypatch.setattr(my_digits, "LIMIT", 3)
    with pytest.raises(InputError, match="At most 3 drawings"):
        digits.add_pictures([1, 1], [one, one])
    assert len(digits) == 2


def test_a_file_brings_everything_back():
    digits, other = some(), MyDigits()
    digits.add(3, picture=strokes_to_image(ONE))
    text = digits.to_jsonl()
    assert len(text.splitlines()) == 4
    assert other.read_jsonl(text.encode()) == 4
    assert other.records == digits.records
    other.remove_last()
    assert other.read_jsonl(text.encode()) == 4  # the other three do not come twice
    assert other.records == digits.records


def test_the_command_line_reads_the_file(tmp_path):
    file = tmp_path / "my-digits.jsonl"
    digits = some()
    photographed = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    digits.add(3, picture=photographed)  # and has no strokes
    file.write_text(digits.to_jsonl())
    *drawn, last = handwriting.read_jsonl(file)
    np.testing.assert_array_equal(last, photographed)
    for picture, record in zip(drawn, digits.records, strict=False):
        np.testing.assert_array_equal(picture, strokes_to_image(parse_strokes(record["strokes"])))


def test_a_file_may_leave_pictures_out_and_lines_empty():
    digits = MyDigits()
    text = '\ufeff{"label": 1, "strokes": [[[140, 60], [140, 220]]]}\r\n\n  \n{"label": 7, "strokes": [[[1, 1]], []]}\n'
    assert digits.read_jsonl(text.encode()) == 2
    np.testing.assert_array_equal(digits.arrays()[0][0, :, :, 0], strokes_to_image(ONE))


PICTURE = base64.b64encode(bytes(range(256)) * 3 + bytes(16)).decode()
BAD = {
    "not JSON": "{",
    "not an object": "[1]",
    "no label": {"strokes": [[[1, 2], [3, 4]]]},
    "label of text": {"label": "7", "strokes": [[[1, 2]]]},
    "label true": {"label": True, "strokes": [[[1, 2]]]},
    "label 10": {"label": 10, "strokes": [[[1, 2]]]},
    "label −1": {"label": -1, "strokes": [[[1, 2]]]},
    "nothing drawn": {"label": 3, "strokes": []},
    "an empty picture": {"label": 3, "picture": base64.b64encode(bytes(784)).decode()},
    "a short picture": {"label": 3, "picture": PICTURE[:-4]},
    "a long picture": {"label": 3, "picture": PICTURE + "AAAA"},
    "no base64": {"label": 3, "picture": "*" * len(PICTURE)},
    "no ASCII": {"label": 3, "picture": "あ" * len(PICTURE)},
    "a picture of numbers": {"label": 3, "picture": [0] * 784},
    "strokes of text": {"label": 3, "strokes": "abc"},
    "far away": {"label": 3, "strokes": [[[1e9, 0]]]},
    "nested deep": "[" * 100_000,
    "bytes": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD)
def test_a_bad_line_is_named_and_nothing_is_taken(line):
    digits = some()
    good = json.dumps({"label": 3, "picture": PICTURE}).encode()
    bad = line if isinstance(line, bytes) else (line if isinstance(line, str) else json.dumps(line)).encode()
    with pytest.raises(InputError, match=r"^Line 2: ") as error:
        digits.read_jsonl(good + b"\n" + bad + b"\n" + good)
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 250
    assert len(digits) == 3
    assert MyDigits().read_jsonl(good) == 1


@given(data=st.binary(max_size=80) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    digits, count = MyDigits(), 0
    with contextlib.suppress(InputError):
        count = digits.read_jsonl(data)
    assert len(digits) == count


@pytest.mark.parametrize("label", [10, -1, "7", None, 7.0, True])
def test_a_label_is_a_digit(label):
    with pytest.raises(InputError, match="a digit from 0 to 9"):
        MyDigits().add(label, SEVEN)


def test_an_empty_pad_is_not_kept():
    with pytest.raises(InputError, match="nothing drawn"):
        MyDigits().add(7, [])


def test_there_is_a_limit_of_drawings(monkeypatch):
    monkeypatch.setattr(my_digits, "LIMIT", 4)
    digits = some()
    others = "".join(json.dumps({"label": 3, "strokes": [[[0, 9], [9 * k, 0]]]}) + "\n" for k in (1, 2))
    with pytest.raises(InputError, match="At most 4 drawings"):
        digits.read_jsonl(others.encode())
    with pytest.raises(InputError, match="At most 4 drawings"):
        digits.read_jsonl(2 * some().to_jsonl().encode())  # also where all of them are kept
    assert len(digits) == 3
    digits.add(1, ONE)
    with pytest.raises(InputError, match="At most 4 drawings"):
        digits.add(1, ONE)


def test_there_is_a_limit_of_points(monkeypatch):
    monkeypatch.setattr(my_digits, "MAX_POINTS", 9)
    digits = some()
    with pytest.raises(InputError, match="at most 9 points, not 11"):
        digits.add(7, SEVEN)
    assert len(digits) == 3
