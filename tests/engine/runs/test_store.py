"""Kept runs: whole or not at all, and never outside their folder."""

import os
import time

import pytest

from engine.runs import store


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))


def test_what_is_kept_comes_back():
    store.save("abcdef12", b"one")
    store.save("abcdef12", b"two")
    assert store.load("abcdef12") == b"two"
    assert len(os.listdir(store.folder())) == 1


@pytest.mark.parametrize(
    "name", ["nothere1", "../../etc/passwd", "", "a/b/c/d/e", "x" * 1000, "\0\0\0\0\0\0", "日本語日本語"]
)
def test_no_such_run(name):
    assert store.load(name) is None


def test_a_name_that_is_a_path_is_never_written():
    with pytest.raises(ValueError, match="no name of a run"):
        store.save("../outside", b"")


def test_a_failed_write_leaves_nothing(monkeypatch):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        store.save("abcdef12", b"one")
    assert os.listdir(store.folder()) == []


def test_all_is_on_the_disk_before_it_is_given_its_name(monkeypatch):
    """A power cut afterwards would leave an empty file under that name."""
    done, replace = [], os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(os.fstat(handle).st_size))
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("named"), replace(*names)))
    store.save("abcdef12", b"one")
    assert done == [len(b"one"), "named"]


def test_the_oldest_go(monkeypatch):
    monkeypatch.setattr(store, "LIMIT", 3)
    for index in range(5):
        store.save(f"run-{index:04}", b"x")
        os.utime(store.folder() / f"run-{index:04}.safetensors", (index, index))
    assert sorted(path.stem for path in store.folder().iterdir()) == ["run-0002", "run-0003", "run-0004"]


def test_what_is_asked_for_outlives_what_is_not(monkeypatch):
    """A class that reads with one network trains thousands of others."""
    monkeypatch.setattr(store, "LIMIT", 30)
    store.save("tuned-network", bytes(10))
    for index in range(9):
        for path in store.folder().iterdir():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
        assert store.load("tuned-network") == bytes(10)
        store.save(f"run-{index:04}", bytes(10))
    assert sorted(path.stem for path in store.folder().iterdir()) == ["run-0007", "run-0008", "tuned-network"]


def test_a_large_one_takes_the_room_of_many_small_ones(monkeypatch):
    monkeypatch.setattr(store, "LIMIT", 30)
    for index in range(5):
        store.save(f"run-{index:04}", bytes(5))
        os.utime(store.folder() / f"run-{index:04}.safetensors", (index, index))
    store.save("large-run", bytes(20))
    assert sorted(path.stem for path in store.folder().iterdir()) == ["large-run", "run-0003", "run-0004"]
    store.save("larger-run", bytes(99))  # kept, though it is more than all may take
    assert [path.stem for path in store.folder().iterdir()] == ["larger-run"]


def test_the_newest_stays_though_the_clock_was_set_back(monkeypatch):
    monkeypatch.setattr(store, "LIMIT", 2)
    for index in range(3):
        store.save(f"run-{index:04}", b"x")
        os.utime(store.folder() / f"run-{index:04}.safetensors", (2**33 + index, 2**33 + index))
    store.save("newest", b"x")
    assert sorted(path.stem for path in store.folder().iterdir()) == ["newest", "run-0002"]


def test_what_a_server_left_behind_that_was_ended_goes(monkeypatch):
    store.save("abcdef12", b"one")
    for name, age in (("old.part", 2 * store.ABANDONED), ("new.part", 0)):
        (store.folder() / name).touch()
        os.utime(store.folder() / name, (time.time() - age,) * 2)
    monkeypatch.setattr(store, "_unpruned", store.LIMIT)
    store.save("abcdef12", b"two")
    assert sorted(os.listdir(store.folder())) == ["abcdef12.safetensors", "new.part"]


def test_the_folder_is_looked_through_now_and_then_and_small_files_count_as_larger_ones(monkeypatch):
    monkeypatch.setattr(store, "LIMIT", 100 * store.MOST)  # an empty file counts as 100 bytes, and 10,000 are due
    monkeypatch.setattr(store, "_unpruned", 0)
    saves, looks = range(1, 251), []
    for save in saves:
        monkeypatch.setattr(store, "prune", lambda *_, save=save, **__: looks.append(save))
        store.save("abcdef12", b"")
    assert looks == [101, 202]
