"""A step worked out as the textbooks write it comes to where the optimizer's own code came."""

import numpy as np
import pytest

from engine.analysis.landscapes import LANDSCAPES, descend, noise
from engine.analysis.steps import work_out
from engine.build import OPTIMIZERS

MORE = {
    "momentum": [{"momentum": 0.8}],
    "nesterov": [{"momentum": 0.8}],
    "adagrad": [{}, {"initial_accumulator": 0.1, "eps": 1e-3}],
    "rmsprop": [{"alpha": 0.9, "eps": 1e-3}],
    "adam": [{}, {"beta1": 0.8, "beta2": 0.99, "bias_correction": False}],
    "adamw": [{"l2": 0.1}, {"l2": 0.1, "eps": 1e-3}],
}


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_quantities_are_those_of_the_optimizer(rule):
    landscape = LANDSCAPES["noisy"]
    for more in MORE.get(rule, [{}]):
        walk = descend(landscape, rule, lr=landscape.rates[rule], steps=25, noise=noise(landscape, 25, 1), **more)
        for t in range(1, 26):
            found = work_out(walk, t)
            assert next(iter(found)) == "slope"
            np.testing.assert_array_equal(found["slope"], walk.gradients[t - 1])
            for name, values in walk.memory.items():
                np.testing.assert_allclose(found[name], values[t], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found["position"], walk.points[t], rtol=1e-9, atol=1e-12)


def test_without_correction_there_are_no_hats():
    for corrected in (True, False):
        walk = descend(LANDSCAPES["ravine"], "adam", lr=0.3, steps=1, bias_correction=corrected)
        found = work_out(walk, 1)
        assert ("mean_hat" in found, "squares_hat" in found) == (corrected, corrected)
        if corrected:
            np.testing.assert_allclose(found["mean_hat"], found["slope"])
            np.testing.assert_allclose(found["squares_hat"], found["slope"] ** 2)
