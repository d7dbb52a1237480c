"""The rows of the gradients page, and the check that its page runs. Their claims are checked with all others'."""

import numpy as np
import pytest

from engine import presets
from engine.analysis.gradcheck import together
from engine.presets import gradients

COMPUTED = [preset for preset in gradients.PRESETS if not preset.runs]


def test_the_rows_are_those_that_were_published():
    assert [preset.id for preset in COMPUTED] == [
        "ch03-activations", "ch04-derivative", "ch04-gradient-field", "ch04-descent", "ch05-apples",
        "ch05-gradient-check",
    ]  # fmt: skip


def test_the_two_losses_differ_in_nothing_else():
    first, second = presets.get("losses").runs.values()
    assert first.replace(loss="squared_error") == second


@pytest.mark.parametrize(("activation", "dtype", "most"), [("sigmoid", np.float64, 1e-9), ("relu", np.float32, 1e-2)])
def test_a_sample_says_the_same(activation, dtype, most):
    checked, seconds = gradients.check_gradients(activation, dtype=dtype, sample=20)
    assert [(one.name, one.shape, len(one.places)) for one in checked] == [
        ("dense1.weight", (784, 50), 20),
        ("dense1.bias", (50,), 20),
        ("output.weight", (50, 10), 20),
        ("output.bias", (10,), 10),
    ]
    assert together(checked).mean < most
    assert seconds > 0
    if dtype is np.float32:
        assert together(checked).mean > 1e-6  # too few digits
