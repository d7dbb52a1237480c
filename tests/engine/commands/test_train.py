"""The command train: other programs rely on the keys of its JSON."""

import io
import json
import os
import stat
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

from engine import presets
from engine.__main__ import main
from engine.experiment import Experiment
from engine.presets import Preset, claims, results
from engine.training import checkpoint
from engine.training.trainer import Trainer
from tests.engine.commands.program import QUICK, run

CONTRACT = {
    "preset", "dataset", "train_size", "test_size", "parameters", "iterations", "seconds", "loss", "train_accuracy",
    "test_accuracy", "finished", "curves",
}  # fmt: skip


def test_numbers_do_not_depend_on_the_threads_of_blas(tmp_path):
    settings = {"network": "dense256 dense128", "steps": 5}
    file = tmp_path / "there.safetensors"
    assignments = [f"{name}={value}" for name, value in settings.items()]
    done = run("train", "--set", *assignments, "--out", file, env=os.environ | {"OPENBLAS_NUM_THREADS": "2"})
    assert done.returncode == 0, done.stderr
    trainer = Trainer(Experiment(**settings))
    trainer.advance()
    here, there = trainer.network.state_dict(), load_file(file)
    for name, array in here.items():
        np.testing.assert_array_equal(array, there[f"network.{name}"])


def test_train_prints_one_json_object():
    done = run("train", *QUICK, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert set(result) >= CONTRACT
    assert result["preset"] is None
    assert (result["dataset"], result["train_size"], result["test_size"]) == ("digits", 1437, 360)
    assert result["parameters"] == 64 * 10 + 10 + 10 * 10 + 10
    assert (result["iterations"], result["finished"]) == (30, "completed")
    assert 0 < result["seconds"] < 10
    assert 0 < result["loss"] < 10
    assert 0 <= result["test_accuracy"] <= 1
    assert result["curves"]["step"] == [0, 10, 20, 30]
    assert len(result["curves"]["loss"]) == 30


def test_train_in_words(say):
    (line,), errors = say("train", *QUICK)
    assert "30 steps" in line
    assert "digits" in line
    assert errors == []  # nobody watches


def test_train_a_preset(say):
    (line,), _ = say("train", "--preset", "d2-two-layer", "--json")
    result = json.loads(line)
    assert (result["preset"], result["dataset"]) == ("d2-two-layer", "mnist-5k")
    assert result["test_accuracy"] > 0.88
    assert "runs" not in result


@pytest.fixture
def tiny(monkeypatch):
    """A preset of two runs of 30 steps, in place of all others."""
    runs = {
        label: Experiment(data="digits", network="dense10", steps=30, l2=l2) for label, l2 in (("L2", 0.1), ("–", 0))
    }
    preset = Preset("tiny", "train", "t", "q?", runs, {}, claims.reaches("L2", 0.1))
    monkeypatch.setattr(presets, "PRESETS", {"tiny": preset})


def test_a_preset_of_several_runs_trains_all(say, tiny):
    (line,), _ = say("train", "--preset", "tiny", "--json")
    result = json.loads(line)
    assert list(result["runs"]) == ["L2", "–"]
    assert all(set(run) >= CONTRACT for run in result["runs"].values())
    assert {name: value for name, value in result.items() if name != "runs"} == result["runs"]["L2"]
    lines, _ = say("train", "--preset", "tiny")
    assert [line.split(":")[0] for line in lines] == ["tiny · L2", "tiny · –"]


def test_one_run_of_a_preset(say, tiny):
    (line,), _ = say("train", "--preset", "tiny", "--run", "–", "--json")
    result = json.loads(line)
    assert result["run"] == "–"
    assert "l2" not in result["experiment"]
    assert "runs" not in result


def test_the_seed_decides(say):
    def loss(seed):
        (line,), _ = say("train", *QUICK, "--seed", seed, "--json")
        return json.loads(line)["loss"]

    assert loss(3) == loss(3) != loss(4)


def test_data_and_seed_win_over_set(say):
    (line,), _ = say("train", *QUICK, "seed=5", "--set", "lr=0.5", "--data", "toy2d", "--seed", "6", "--json")
    result = json.loads(line)
    assert result["dataset"] == "toy2d"
    assert result["experiment"]["seed"] == 6
    assert result["experiment"]["lr"] == 0.5


def test_divergence_is_reported_in_legal_json(say):
    (line,), _ = say("train", *QUICK, "lr=100", "loss=squared_error", "--json")
    result = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert result["finished"] == "diverged"


def test_the_network_is_written_the_same_every_time(say, tmp_path):
    for name in ("a", "b", "b"):  # the last one takes the place of an older file
        say("train", *QUICK, "--out", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644
    assert set(load_file(tmp_path / "a")) == {
        "network.dense1.weight", "network.dense1.bias", "network.output.weight", "network.output.bias"
    }  # fmt: skip
    assert checkpoint.load_model(tmp_path / "a").experiment == Experiment.from_settings(
        dict(setting.split("=") for setting in QUICK[1:])
    )


def test_out_of_a_preset_is_the_run_it_is_about(say, tiny, tmp_path):
    say("train", "--preset", "tiny", "--out", tmp_path / "a")
    assert checkpoint.load_model(tmp_path / "a").experiment.l2 == 0.1


def test_progress_is_shown_to_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr(results, "SLICE", 0.0)
    assert main(["train", *QUICK]) == 0
    assert "\033[K10 of 30 steps, loss " in sys.stderr.getvalue()
    assert sys.stderr.getvalue().endswith("\r\033[K")
