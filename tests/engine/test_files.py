"""Files that one process at a time holds."""

import errno
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine import files
from engine.files import held

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import pathlib, sys
from engine.files import held
with held(pathlib.Path(sys.argv[1])):
    print(flush=True)
    input()
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"text")
    return path


def test_another_process_holds_a_file_until_it_dies(file):
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(BlockingIOError), held(file):
            pass
        assert file.read_bytes() == b"text"  # anybody may read it
        holder.kill()
    with held(file):
        pass


def test_one_holds_it_at_a_time_in_one_process_too(file):
    with held(file), pytest.raises(BlockingIOError), held(file):
        pass
    with held(file):
        pass


def test_a_file_that_is_not_there_holds_nobody_off(tmp_path):
    with held(tmp_path / "none"), held(tmp_path / "none"):
        pass


def test_a_disk_without_locks_holds_nobody_off(file, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(files, "fcntl", SimpleNamespace(flock=refuse, LOCK_EX=2, LOCK_NB=4))
    with held(file), held(file):
        pass


def test_on_windows_the_byte_that_is_locked_is_beyond_all_that_are_read(file, monkeypatch):
    def lock(handle, mode, count):
        place = files.os.lseek(handle, 0, files.os.SEEK_CUR)
        if locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        locked.append((mode, place, count))

    locked = []
    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=lock, LK_NBLCK=2))
    with held(file):
        assert locked == [(2, files.FAR, 1)]
        with pytest.raises(BlockingIOError), held(file):
            pass
    assert file.read_bytes() == b"text"
