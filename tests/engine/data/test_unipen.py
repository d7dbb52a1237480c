"""Pen strokes: read from UNIPEN files, split by writer, joined with MNIST."""

import gzip

import numpy as np
import pytest

from engine.data import datasets
from engine.data.handwriting import strokes_to_image
from engine.data.unipen import MAX_COORDINATE, read_unipen
from tests.engine.data.idx import write_set
from tests.engine.data.pendigits import PENDIGITS

ONE = [[(10, 0), (12, 100)]]
SEVEN = [[(0, 100), (60, 100), (20, 0)], [(10, 50), (50, 50)]]


def unipen(digits) -> str:
    """Return (label, writer, number, strokes) of digits, y upwards, in UNIPEN's format."""
    lines = [".VERSION 1.0"]
    for label, writer, number, strokes in digits:
        lines += [f'.SEGMENT DIGIT 0 ? "{label}"', f".COMMENT {label}  {writer}  {number}"]
        for stroke in strokes:
            lines += [".PEN_DOWN", *(f" {x}  {y}" for x, y in stroke), ".PEN_UP", ".DT 100"]
    return "\n".join(lines)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a data folder with pen strokes of ten writers, two digits each."""
    monkeypatch.setenv("KASANE_DATA", str(tmp_path))
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pendigits").mkdir()
    digits = [(label, writer, n, s) for writer in range(1, 11) for n, (label, s) in enumerate([(1, ONE), (7, SEVEN)])]
    (tmp_path / "pendigits" / datasets.PEN_FILE).write_text(unipen(digits))
    return tmp_path


def test_strokes_come_out_with_y_downwards(tmp_path):
    for name, opened in (("pen.tra", open), ("pen.tra.gz", gzip.open)):
        with opened(tmp_path / name, "wt") as file:
            file.write(unipen([(7, 3, 12, SEVEN)]))
        (digit,) = read_unipen(tmp_path / name)
        assert (digit.label, digit.writer, digit.number) == (7, 3, 12)
        assert [stroke.tolist() for stroke in digit.strokes] == [[[x, -y] for x, y in stroke] for stroke in SEVEN]


def test_a_pen_is_not_down_where_the_next_digit_begins(tmp_path):
    (tmp_path / "pen.tra").write_text(".COMMENT 8 2 192\n.PEN_DOWN\n 1 2\n.COMMENT 8 5 193\n 221 271\n.PEN_UP\n")
    first, second = read_unipen(tmp_path / "pen.tra")
    assert [stroke.tolist() for stroke in first.strokes] == [[[1, -2]]]
    assert second.strokes == []


@pytest.mark.parametrize("text", ["", "hello", ".COMMENT 12 1 1", ".PEN_DOWN\n1 2\n.PEN_UP", ".COMMENT x y z"])
def test_other_files_are_refused(folder, text):
    (folder / "pendigits" / datasets.PEN_FILE).write_text(text)
    with pytest.raises(datasets.DatasetError, match="does not hold pen strokes of digits"):
        datasets.load("pendigits")


@pytest.mark.parametrize("point", ["nan nan", "3 nan", "inf 3", "3 -inf", "1e308 -1e308", "3 1000001"])
def test_points_that_are_on_no_tablet_are_refused(folder, point):
    file = folder / "pendigits" / datasets.PEN_FILE
    file.write_text(file.read_text().replace(" 12  100", f" {point}", 1))
    with pytest.raises(datasets.DatasetError, match="does not hold pen strokes of digits"):
        datasets.load("pendigits")


def test_the_coordinates_of_any_tablet_are_drawn(folder):
    """The size of a drawing does not matter, up to the largest that is read."""
    file = folder / "pendigits" / datasets.PEN_FILE
    expected = datasets.load("pendigits")
    large = [[(x * 10_000, y * 10_000) for x, y in stroke] for stroke in SEVEN]
    assert max(map(max, large[0])) == MAX_COORDINATE
    file.write_text(unipen([(7, writer, 1, large) for writer in (4, 5)]))
    data = datasets.load("pendigits")
    np.testing.assert_array_equal(data.x_test[0], expected.x_test[1])


@pytest.mark.parametrize(("writers", "found"), [([1], "1"), ([5], "5"), ([20, 5, 10], "5, 10, 20"), ([3, 4], "3, 4")])
def test_writers_that_leave_a_part_empty_are_refused(folder, writers, found):
    file = folder / "pendigits" / datasets.PEN_FILE
    file.write_text(unipen([(7, writer, n, SEVEN) for n in range(3) for writer in writers]))
    sentence = f"multiples of 5 and of others, but holds those of {found} only"
    with pytest.raises(datasets.DatasetError, match=sentence) as caught:
        datasets.load("pendigits")
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
def test_a_changed_file_is_read_again(folder, packed):
    file = folder / "pendigits" / datasets.PEN_FILE
    if packed:
        file.unlink()
        file = file.with_name(file.name + ".gz")
    for count in (5, 9):
        text = unipen([(7, writer, n, SEVEN) for n in range(count) for writer in (1, 5)])
        file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        data = datasets.load("pendigits")
        assert (len(data.x_train), len(data.x_test)) == (count, count)
        assert datasets.load("pendigits") is data


def test_every_fifth_writer_is_left_out(folder):
    data = datasets.load("pendigits")
    assert (len(data.x_train), len(data.x_test)) == (16, 4)
    assert data.y_test.tolist() == [1, 7, 1, 7]
    seven = strokes_to_image([np.array(stroke, float) * (1, -1) for stroke in SEVEN])
    assert (data.x_test[1, :, :, 0] == seven).all()
    assert data.shape == (28, 28, 1)


def test_handwriting_is_both_sets_mixed_with_a_tenth_of_mnist_for_the_test(folder):
    assert not datasets.available("handwriting")
    train, _, _, _ = write_set(folder / "mnist", train=40)
    assert datasets.available("handwriting")
    data = datasets.load("handwriting")
    assert (len(data.x_train), len(data.x_test)) == (36 + 16, 4 + 4)
    assert {image.tobytes() for image in data.x_train} >= {image.tobytes() for image in train[:36]}
    assert {image.tobytes() for image in data.x_test} >= {image.tobytes() for image in train[36:]}
    again = datasets.load("handwriting")
    assert (again.x_train == data.x_train).all()


def test_what_is_absent_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(tmp_path))
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path / "cache"))
    assert not datasets.available("pendigits")
    with pytest.raises(datasets.DatasetError, match="KASANE_DATA"):
        datasets.load("pendigits")
    assert not datasets.downloadable("pendigits")
    assert datasets.downloadable("mnist")


@pytest.mark.skipif(not PENDIGITS.is_file(), reason="needs ../shared/data/pendigits")
def test_the_real_file(monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(PENDIGITS.parents[1]))
    about = next(row for row in datasets.describe() if row["name"] == "pendigits")
    data = datasets.load("pendigits")
    assert (len(data.x_train), len(data.x_test)) == (about["train_size"], about["test_size"])
    digits = read_unipen(PENDIGITS)
    assert {digit.writer for digit in digits} == set(range(1, 31))
    assert max(np.bincount([digit.writer for digit in digits])) == 250
