"""Downloads: whole or not at all, from the first mirror that delivers."""

import dataclasses
import hashlib
import http.server
import shutil
import threading

import pytest

from engine.data.datasets import DatasetError, available, download, load
from engine.data.remote import FILES, REMOTES, Remote
from tests.engine.data.idx import write_set


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Every test has an empty cache and no data folder of its own."""
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KASANE_DATA", raising=False)
    return tmp_path


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
        remote = Remote(tuple(f"http://127.0.0.1:{server.server_port}/{name}/" for name in names), md5)
        monkeypatch.setitem(REMOTES, "kmnist", remote)

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
    monkeypatch.setitem(REMOTES, "kmnist", dataclasses.replace(REMOTES["kmnist"], mirrors=("http://127.0.0.1:1/",)))
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


def test_official_addresses_are_whole():
    assert list(REMOTES) == ["mnist", "fashion-mnist", "kmnist"]
    for remote in REMOTES.values():
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in remote.mirrors)
        assert [len(md5) for md5 in remote.md5] == [32] * 4
