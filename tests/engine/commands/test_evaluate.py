"""The command evaluate: a network on all test examples, in any precision."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.engine.commands.test_predict import metadata, spoil


@pytest.mark.parametrize("precision", ["float64", "float32", "float16"])
def test_evaluate_a_model(say, precision):
    model = "assets/models/reader.safetensors"
    lines, errors = say("evaluate", model, "--data", "mnist-5k", "--precision", precision, "--json")
    assert errors == []
    row = json.loads(lines[-1])
    assert (row["dataset"], row["test_size"], row["precision"]) == ("mnist-5k", 1000, precision)
    assert row["test_accuracy"] > 0.97
    lines, _ = say("evaluate", model, "--data", "mnist-5k", "--precision", precision)
    assert f"test {row['test_accuracy']:.4f}" in lines[-1]


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_model_whose_numbers_overflow_is_evaluated_quietly(say, model, tmp_path, precision):
    large = tmp_path / "large.safetensors"
    save_file(spoil(load_file(model), lambda a: np.full_like(a, 3e38)), large, metadata(model.read_bytes()))
    (line,), errors = say("evaluate", large, "--precision", precision, "--json")
    assert errors == []
    assert json.loads(line)["test_loss"] is None
