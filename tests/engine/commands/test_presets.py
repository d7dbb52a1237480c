"""The command presets: a table of what is published, and whether it still holds."""

import json

from engine import presets
from engine.experiment import Experiment


def test_presets_are_listed(say):
    lines, errors = say("presets")
    assert [line.split()[0] for line in lines if line[0] != " "] == list(presets.PRESETS)
    assert errors == []


def test_presets_as_json(say):
    (line,), _ = say("presets", "--json")
    rows = json.loads(line)
    assert [row["id"] for row in rows] == list(presets.PRESETS)
    row = next(row for row in rows if row["id"] == "d2-l2")
    assert row["published"]["L2 0.1"] == {"test": 0.705, "train": 0.9, "about": False}
    assert row["published"]["no decay"] is None
    assert Experiment(**row["runs"]["L2 0.1"]) == presets.get("d2-l2").runs["L2 0.1"]
    assert {"page", "title", "question", "note", "claim"} <= set(row)


def test_presets_are_checked(say):
    (figures, verdict), _ = say("presets", "d2-two-layer", "--check", "--seed", "1")
    assert figures.split()[0] == "d2-two-layer"
    assert "–/0.9201" in figures
    assert verdict.startswith(" " * 22 + " holds: ")


def test_a_claim_that_fails_is_exit_status_1(say):
    (line,), _ = say("presets", "d2-opt-sgd", "--check", "--data", "toy2d", "--json", status=1)  # chance is one half
    (row,) = json.loads(line)
    assert row["holds"] is False
    assert row["results"]["SGD 0.01"]["dataset"] == "toy2d"
