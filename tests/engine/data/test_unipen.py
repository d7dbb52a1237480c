"""Pen strokes: read from UNIPEN files, split by writer, joined with MNIST."""

import gzip

import numpy as np
import pytest

from engine.data import datasets
from engine.data.handwriting import strokes_to_image
from engine.data.unipen import read_unipen
from tests.engine.data.pendigits import PENDIGITS
from tests.engine.data.test_datasets import write_set

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


@pytest.mark.parametrize("text", ["", "hello", ".COMMENT 12 1 1", ".PEN_DOWN\n1 2\n.PEN_UP", ".COMMENT x y z"])
def test_other_files_are_refused(folder, text):
    (folder / "pendigits" / datasets.PEN_FILE).write_text(text)
    with pytest.raises(datasets.DatasetError, match="does not hold pen strokes of digits"):
        datasets.load("pendigits")


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
