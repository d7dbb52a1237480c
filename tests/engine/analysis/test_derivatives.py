"""Chords against exact slopes: the order of their errors, where rounding takes over, and the activations' slopes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import build
from engine.analysis.derivatives import (
    ACTIVATIONS,
    CURVES,
    KINDS,
    activation,
    best_h,
    cancels,
    difference,
    errors,
    order,
    steepest,
    through_layers,
)

TORCH = {
    "book": lambda x: 0.01 * x**2 + 0.1 * x,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "sin": torch.sin,
    "exp": torch.exp,
    "sigmoid": torch.sigmoid,
    "abs": torch.abs,
    "log": torch.log,
}
TORCH_ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "gelu": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
    "silu": torch.nn.functional.silu,
    "softplus": torch.nn.functional.softplus,
    "identity": lambda x: x,
}


def by_torch(f, x):
    """Return f and f′ at every x."""
    x = torch.tensor(np.asarray(x), dtype=torch.float64, requires_grad=True)
    y = f(x)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


def test_the_books_numbers_to_the_last_digit():
    """『ゼロから作る Deep Learning』4.3.2 prints these for h = 1e-4."""
    found = difference(CURVES["book"].value, np.array([5.0, 10.0]), 1e-4)
    assert found.tolist() == [0.1999999999990898, 0.2999999999986347]


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_and_its_slope_are_pytorchs(name):
    curve = CURVES[name]
    x = np.linspace(curve.low, curve.high, 101)
    y, slope = by_torch(TORCH[name], x)
    if name == "abs":
        slope[x == 0] = np.nan  # PyTorch makes do with 0
    np.testing.assert_allclose(curve.value(x), y, atol=1e-12)
    np.testing.assert_allclose(curve.slope(x), slope, atol=1e-12)
    assert all(curve.low <= point <= curve.high for point in curve.points)


@given(x=st.floats(-10, 10), h=st.sampled_from([1e-2, 1e-3, 1e-4]))
def test_what_a_chord_of_a_parabola_is_wrong_by(x, h):
    """f = x²: forwards by h, centrally by nothing, apart from rounding."""
    f = CURVES["square"].value
    assert difference(f, np.float64(x), h, "forward") == pytest.approx(2 * x + h, abs=1e-9)
    assert difference(f, np.float64(x), h, "central") == pytest.approx(2 * x, abs=1e-9)


@pytest.mark.parametrize(("kind", "order"), [("forward", 1), ("central", 2)])
def test_the_order_of_the_error(kind, order):
    """f = eˣ at 1: ½ h e forwards, ⅙ h² e both ways."""
    h = np.array([1e-1, 1e-2, 1e-3])
    found = errors(CURVES["exp"], 1.0, h, kind)
    np.testing.assert_allclose(found, np.e * h**order / (2 if order == 1 else 6), rtol=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CURVES)
def test_the_order_of_the_error_of_every_curve(name, kind):
    """Ten times as small an h: ten or a hundred times as small an error, or nothing but rounding."""
    curve = CURVES[name]
    for x in [*curve.points, *([0.0] if curve.low < 0 and name != "abs" else [])]:
        wide, narrow = errors(curve, x, np.array([1e-2, 1e-3]), kind)
        wanted = order(curve, x, kind)
        if np.isinf(wanted):
            assert max(wide, narrow) < 1e-12
        else:
            assert np.log10(wide / narrow) == pytest.approx(wanted, abs=0.02)
    assert np.isnan(order(CURVES["abs"], 0.0, kind))


def test_no_digits_cancel_where_x_and_f_are_zero():
    assert [cancels(CURVES["cube"], 0.0), cancels(CURVES["sigmoid"], 0.0), cancels(CURVES["log"], 1.0)] == [0, 1, 1]
    h = np.logspace(-16, -1)
    assert (errors(CURVES["cube"], 0.0, h, "central") <= h**2 * (1 + 1e-9)).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_rounding_takes_over_where_the_theory_says(kind, dtype):
    h = np.logspace(-16, 0, 129)
    found = errors(CURVES["exp"], 1.0, h, kind, dtype)
    near = (h > best_h(kind, dtype) / 30) & (h < best_h(kind, dtype) * 30)
    assert found[near].min() == found.min()
    assert found[0] == pytest.approx(np.e)  # h is lost in x + h: the chord is flat
    assert found[-1] > 100 * found.min()


def test_the_best_h_are_roots_of_the_precision():
    assert best_h("forward") == pytest.approx(2**-26)
    assert best_h("central") == pytest.approx(2 ** (-52 / 3))
    assert best_h("forward", np.float32) == pytest.approx(2**-11.5)


def test_a_chord_in_float32_is_reckoned_in_float32():
    assert all(curve.value(np.float32(1)).dtype == np.float32 for curve in CURVES.values())


def test_a_chord_that_leaves_the_domain_is_no_number():
    assert np.isnan(errors(CURVES["log"], 0.5, np.array([1.0]), "central"))


def test_a_kink_has_no_slope():
    """|x| at 0: forwards 1, backwards −1, and the central difference says 0: no number is the right one."""
    f = CURVES["abs"].value
    assert np.isnan(CURVES["abs"].slope(np.float64(0)))
    assert all(np.isnan(errors(CURVES["abs"], 0.0, np.logspace(-16, 0), kind)).all() for kind in KINDS)
    assert difference(f, np.float64(0), 1e-3, "forward") == 1
    assert difference(f, np.float64(0), -1e-3, "forward") == -1
    assert difference(f, np.float64(0), 1e-3, "central") == 0


# -------------------------------------------------------------------------------------------------------- activations


@pytest.mark.parametrize("name", build.ACTIVATIONS)
def test_every_activation_and_its_slope_are_pytorchs(name):
    x = np.linspace(-5, 5, 202)
    for found, expected in zip(activation(name, x), by_torch(TORCH_ACTIVATIONS[name], x), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_step_has_no_slope():
    y, slope = activation("step", np.array([-1.0, 0.0, 2.0]))
    assert y.tolist() == [0, 0, 1]
    assert not slope.any()
    assert ACTIVATIONS[0] == "step"


def test_sigmoid_lets_a_quarter_through_at_most():
    slope = activation("sigmoid", np.linspace(-5, 5, 1001))[1]
    assert slope.max() == pytest.approx(0.25, abs=1e-6)
    assert slope.argmax() == 500


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_slope_is_above_the_steepest_and_some_come_near(name):
    slope = activation(name, np.linspace(-40, 40, 400_001))[1]
    assert slope.max() == pytest.approx(steepest(name), abs=1e-8)
    assert slope.max() <= steepest(name) + 1e-12


@given(x=st.floats(-20, 20), layers=st.integers(1, 40))
def test_nothing_is_left_after_many_sigmoids(x, layers):
    left = through_layers("sigmoid", x, layers)
    assert left.shape == (layers,)
    assert (left <= 0.25 ** np.arange(1, layers + 1) + 1e-15).all()
    np.testing.assert_array_equal(through_layers("relu", 1.0, layers), np.ones(layers))
