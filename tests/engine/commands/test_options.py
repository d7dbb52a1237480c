"""An output that cannot be written is refused before the work, and nobody meets a part of one."""

import os
import stat

import pytest

from engine import presets, shipped
from engine.__main__ import main
from engine.experiment import FIELDS
from tests.engine.commands.program import QUICK


@pytest.mark.parametrize("command", ["train", "search"])
def test_help_says_what_every_field_may_be(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    assert FIELDS.keys() <= said.keys()
    assert said["lr"] == "Learning rate: a number from 1e-10 to 100 (0.1)"
    assert said["optimizer"].startswith("Optimizer: one of sgd, momentum, ")


def test_what_cannot_be_written_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("no space")))
    assert main(["train", *QUICK, "--out", str(tmp_path / "a")]) == 2
    assert os.listdir(tmp_path) == []


def test_an_output_that_cannot_be_is_refused_before_the_work(monkeypatch, say, tmp_path):
    monkeypatch.setattr(presets, "train", lambda *_, **__: pytest.fail("it was trained in vain"))
    (tmp_path / "file").touch()
    for out in (tmp_path / "file" / "a", tmp_path / ("a" * 300)):
        _, errors = say("train", *QUICK, "--out", out, status=2)
        assert len(errors) == 1
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # write-protected, on Windows not to be replaced
    say("train", *QUICK, "--out", tmp_path / "file", status=2)
    assert os.listdir(tmp_path) == ["file"]


def test_an_output_does_not_take_the_place_of_a_device(say, tmp_path):
    pipe = tmp_path / "pipe"
    getattr(os, "mkfifo", lambda path: pytest.skip("has no named pipes"))(pipe)
    say("export", shipped.PATH, "--to", "csv", pipe, status=2)
    assert pipe.is_fifo()


def test_an_output_may_have_a_name_as_long_as_the_disk_allows(say, tmp_path):
    path = tmp_path / ("重" * 84)  # 252 bytes of UTF-8
    say("export", shipped.PATH, "--to", "csv", path)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.skipif(os.name == "nt", reason="has no permissions of this kind")
def test_an_output_is_for_whom_the_user_wants(say, tmp_path):
    umask = os.umask(0o077)
    try:
        say("export", shipped.PATH, "--to", "csv", tmp_path / "a")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
