"""The command datasets: what is here, and what is fetched first."""

import json

from engine.data import datasets


def test_datasets(say):
    lines, _ = say("datasets")
    assert [line.split()[0] for line in lines] == list(datasets.NAMES)
    (line,), _ = say("datasets", "--json")
    row = json.loads(line)[0]
    assert row["name"] == "mnist-5k"
    assert row["available"] is True
    assert row["shape"] == [28, 28, 1]


def test_what_is_not_here_is_to_download_only_where_it_can_be(say, monkeypatch, tmp_path):
    monkeypatch.setenv("KASANE_DATA", str(tmp_path))
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path))
    lines, _ = say("datasets")
    states = {line.split()[0]: line[32:45].strip() for line in lines}
    missing = {name: state for name, state in states.items() if state != "here"}
    assert missing == {name: "to download" for name in ("mnist", "fashion-mnist", "kmnist")} | {
        name: "missing" for name in ("pendigits", "handwriting")
    }


def test_download_comes_first_and_is_watched(say, monkeypatch):
    asked = []

    def download(name, progress):
        asked.append(name)
        progress(2**20, 2**21, "images.gz")
        progress(2**20, 0, "images.gz")

    monkeypatch.setattr(datasets, "download", download)
    lines, _ = say("datasets", "--download", "kmnist")
    assert asked == ["kmnist"]
    assert len(lines) == len(datasets.NAMES)
