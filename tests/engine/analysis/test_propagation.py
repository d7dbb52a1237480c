"""Signals through untrained networks: against the network itself, against PyTorch, and against what theory says."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import build
from engine.analysis import propagation
from engine.analysis.propagation import BINS, affordable, histogram, propagate, standard_deviation
from engine.experiment import Experiment

LAYERS, WIDTH, EXAMPLES = 4, 12, 30
SMALL = {"layers": LAYERS, "width": WIDTH, "examples": EXAMPLES, "seed": 3}


def weights(initializer, sigma=0.3):
    rng = build.stream(3, "init")
    draw = build.INITIALIZERS[initializer](Experiment(sigma=sigma))
    return [draw((WIDTH, WIDTH), rng=rng) for _ in range(LAYERS)]


@pytest.mark.parametrize("activation", build.ACTIVATIONS)
@pytest.mark.parametrize("initializer", build.INITIALIZERS)
def test_pytorch_sends_the_same_both_ways(activation, initializer):
    found = propagate(activation, initializer, sigma=0.3, **SMALL)
    functions = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.01),
        "elu": torch.nn.functional.elu,
        "gelu": lambda z: torch.nn.functional.gelu(z, approximate="tanh"),
        "silu": torch.nn.functional.silu,
        "softplus": lambda z: torch.logaddexp(z, torch.zeros_like(z)),  # torch's own is linear above 20
        "identity": lambda z: z,
    }
    matrices = [torch.tensor(w, requires_grad=True) for w in weights(initializer)]
    a = [torch.tensor(found.activations[0], requires_grad=True)]
    for matrix in matrices:
        a.append(functions[activation](a[-1] @ matrix))
        a[-1].retain_grad()
    a[-1].backward(torch.tensor(found.gradients[-1]))
    for k in range(LAYERS + 1):
        np.testing.assert_allclose(found.activations[k], a[k].detach(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.gradients[k], a[k].grad, rtol=1e-9, atol=1e-12)
    norms = [float(matrix.grad.norm()) for matrix in matrices]
    np.testing.assert_allclose(found.weight_norms, norms, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.spread, [it.detach().numpy().std() for it in a], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.gradient_norms, [float(it.grad.norm()) for it in a], rtol=1e-9, atol=1e-12)


def test_the_same_seed_gives_the_same_numbers():
    one, other, third = (propagate("tanh", "he_normal", **SMALL | {"seed": seed}) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.activations, other.activations)
    assert not np.array_equal(one.activations, third.activations)


def test_sigma_only_scales_the_weights():
    """So a figure moves with σ, and does not jump from draw to draw."""
    one = propagate("identity", "gauss", sigma=0.1, **SMALL)
    two = propagate("identity", "gauss", sigma=0.2, **SMALL)
    for k in range(LAYERS + 1):
        np.testing.assert_allclose(two.activations[k], 2.0**k * one.activations[k])
        np.testing.assert_allclose(two.gradients[k], 2.0 ** (LAYERS - k) * one.gradients[k])


def test_xavier_keeps_a_linear_network_and_he_keeps_relu():
    for activation, initializer in (("identity", "lecun_normal"), ("relu", "he_normal")):
        norms = propagate(activation, initializer, layers=20, width=200, examples=100).gradient_norms
        assert 0.4 < norms.min() / norms[-1] <= norms.max() / norms[-1] < 2.5, activation


def test_thirty_layers_of_tanh_keep_signal_and_gradient_near_xavier_only():
    def kept(sigma):
        found = propagate("tanh", "gauss", sigma=sigma, layers=30, examples=affordable(30, 100))
        return found.spread[-1] / found.spread[0], found.gradient_norms[0] / found.gradient_norms[-1]

    assert max(kept(0.08)) < 1e-3
    assert all(0.1 < share < 2 for sigma in (0.1, 0.12) for share in kept(sigma))
    assert kept(0.2)[1] > 50


def test_orthogonal_weights_keep_every_length():
    found = propagate("identity", "orthogonal", **SMALL)
    lengths = np.linalg.norm(found.activations, axis=2)
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape))


def test_the_weights_of_relu_have_equal_gradients_at_every_depth_whatever_sigma():
    for sigma in (0.01, 1.0):
        norms = propagate("relu", "gauss", sigma=sigma, layers=20, examples=100).weight_norms
        assert norms.max() / norms.min() < 3


@pytest.mark.parametrize("activation", build.ACTIVATIONS)
def test_the_largest_weights_that_can_be_chosen_stay_within_float64(activation):
    for initializer in ("constant", "gauss"):
        found = propagate(activation, initializer, sigma=10.0, layers=30, width=200, examples=20)
        for numbers in (found.spread, found.gradient_norms, found.weight_norms):
            assert np.isfinite(numbers).all()


@pytest.mark.parametrize("name", build.INITIALIZERS)
def test_the_standard_deviation_is_that_of_what_is_drawn(name):
    drawn = build.INITIALIZERS[name](Experiment(sigma=0.2))((200, 200), rng=np.random.default_rng(0))
    assert standard_deviation(name, 200, 0.2) == pytest.approx(drawn.std(), rel=0.02, abs=1e-12)


@given(layers=st.integers(2, 30), width=st.integers(10, 200))
def test_deep_networks_are_sent_fewer_examples(layers, width):
    n = affordable(layers, width)
    assert 20 <= n <= propagation.EXAMPLES
    assert n == 20 or n * layers * width**2 <= propagation.WORK


@given(
    values=st.lists(st.floats(-3, 4), min_size=1, max_size=50),
    low=st.floats(-3, 3),
    width=st.sampled_from([0.1, 1, 2.5]),
)
def test_histograms_count_what_numpy_counts(values, low, width):
    """But for values that lie on an edge between two bins, up to rounding."""
    values, high = np.array(values), low + width
    counts, outside = histogram(values, low, high)
    inside = (values >= low) & (values <= high)
    assert counts.shape == (BINS,)
    assert counts.sum() == inside.sum()
    assert math.isclose(outside, 1 - inside.mean(), abs_tol=1e-12)
    places = (values - low) * (BINS / width)
    if not (inside & (np.abs(places - np.rint(places)) < 1e-9)).any():
        np.testing.assert_array_equal(counts, np.histogram(values, BINS, (low, high))[0])


def test_what_is_not_finite_lies_outside():
    counts, outside = histogram(np.array([np.nan, np.inf, -np.inf, 1.0]), 0.0, 1.0)
    assert counts.tolist() == [0] * 29 + [1]
    assert outside == 0.75
