"""Landscapes: their slopes are autograd's, and every optimizer's walk over them is PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import optim
from engine.analysis.landscapes import LANDSCAPES, MAX_STEPS, descend, noise
from engine.build import OPTIMIZERS
from engine.errors import InputError
from tests import torch_oracle

each_landscape = pytest.mark.parametrize("name", LANDSCAPES)
every_optimizer = pytest.mark.parametrize("rule", OPTIMIZERS)
COORDINATE = st.floats(-5, 5)

SETTINGS = {"adamw": {"l2": 0.01}}  # PyTorch's default decay
FACTORS = (1.0, 0.3, 1.7)  # on the landscape's own learning rates
ORACLE_SETTINGS = {"adagrad": {"eps": 1e-8}}  # PyTorch's default is 1e-10


def pytorchs(landscape, rule, lr, start, steps, *, added=None, schedule=None, l2=0.0, **settings):
    """Return PyTorch's walk in float64, (n + 1, 2), up to the last position where all is finite."""
    position = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    oracle = torch_oracle.OPTIMIZERS[rule]([position], lr, **ORACLE_SETTINGS.get(rule, {}) | settings)
    for group in oracle.param_groups:
        group["weight_decay"] = l2
    points = [position.detach().numpy().copy()]
    for step in range(steps):
        for group in oracle.param_groups:
            group["lr"] = lr * (schedule(step) if schedule else 1)
        oracle.zero_grad()
        landscape.f(*position).backward()
        if added is not None:
            position.grad += torch.from_numpy(added[step])
        oracle.step()
        with torch.no_grad():
            if not (position.isfinite().all() and landscape.f(*position).isfinite()):
                break
        points.append(position.detach().numpy().copy())
    return np.array(points)


def same(walk, points):
    assert walk.points.shape == points.shape
    np.testing.assert_allclose(walk.points, points, rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------------------------------------- the functions


@each_landscape
@given(x=COORDINATE, y=COORDINATE)
def test_the_slope_is_autograds(name, x, y):
    landscape = LANDSCAPES[name]
    position = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
    landscape.f(*position).backward()
    np.testing.assert_allclose(landscape.gradient(x, y), position.grad.numpy(), rtol=1e-9, atol=1e-9)


@each_landscape
@given(x=COORDINATE, y=COORDINATE)
def test_the_coefficients_are_the_function(name, x, y):
    landscape = LANDSCAPES[name]
    drawn = np.polynomial.polynomial.polyval2d(x, y, landscape.coefficients)
    assert drawn == pytest.approx(landscape.f(x, y), rel=1e-9, abs=1e-6)


@each_landscape
def test_its_minima_are_where_it_is_lowest(name):
    landscape = LANDSCAPES[name]
    for point in landscape.minima:
        assert landscape.f(*point) == pytest.approx(landscape.lowest, abs=1e-20)
        assert landscape.gradient(*point) == pytest.approx((0, 0), abs=1e-12)
    (left, right), (bottom, top) = landscape.domain
    x, y = np.meshgrid(np.linspace(left, right, 301), np.linspace(bottom, top, 301))
    assert landscape.f(x, y).min() >= landscape.lowest
    inside = [left < x < right and bottom < y < top for x, y in (landscape.start, *landscape.minima)]
    assert all(inside)


@each_landscape
def test_it_says_where_it_is_from(name):
    landscape = LANDSCAPES[name]
    assert landscape.title
    assert landscape.source
    assert landscape.formula.startswith("f(x, y) =")
    assert set(landscape.rates) == set(OPTIMIZERS)


@given(x=COORDINATE, y=COORDINATE)
def test_the_distance_is_to_the_nearest_minimum(x, y):
    landscape = LANDSCAPES["himmelblau"]
    nearest = min(np.hypot(x - a, y - b) for a, b in landscape.minima)
    assert landscape.distance(np.array([[x, y]])) == pytest.approx([nearest])


# --------------------------------------------------------------------------------------------------------- the walks


@each_landscape
@every_optimizer
@pytest.mark.parametrize("factor", FACTORS)
def test_every_walk_is_pytorchs(name, rule, factor):
    """From the landscape's own start and from others, noise included, over the whole race; at other rates as well.

    At a rate so large that a walk jumps to and fro, the last digit of a number becomes the first in a hundred steps.
    """
    landscape = LANDSCAPES[name]
    (left, right), (bottom, top) = landscape.domain
    starts = [landscape.start, (0.7 * left, 0.6 * top), (0.3 * right, 0.8 * bottom)]
    settings, lr, steps = SETTINGS.get(rule, {}), factor * landscape.rates[rule], landscape.steps
    if factor > 1:
        steps = min(steps, 80)
    for seed, start in enumerate(starts if factor == 1 else starts[:1]):
        added = noise(landscape, steps, seed)
        walk = descend(landscape, rule, lr=lr, steps=steps, start=start, noise=added, **settings)
        same(walk, pytorchs(landscape, rule, lr, start, steps, added=added, **settings))


@every_optimizer
@given(
    lr=st.floats(1e-4, 0.9), x=COORDINATE, y=COORDINATE,
    kept=st.floats(0.01, 0.95), name=st.sampled_from(["ravine", "noisy"]), seed=st.integers(0, 99),
)  # fmt: skip
def test_with_any_settings_it_is_pytorchs(rule, lr, x, y, kept, name, seed):
    landscape = LANDSCAPES[name]
    names = {"momentum": ["momentum"], "nesterov": ["momentum"], "rmsprop": ["alpha"]}
    if rule in ("adam", "adamw"):
        settings = {"beta1": kept, "beta2": 0.5 + kept / 2}
    else:
        settings = dict.fromkeys(names.get(rule, []), kept)
    added = noise(landscape, 20, seed, 0.5) if name == "noisy" else None
    walk = descend(landscape, rule, lr=lr, steps=20, start=(x, y), noise=added, **settings)
    same(walk, pytorchs(landscape, rule, lr, (x, y), 20, added=added, **settings))


SCHEDULES = [
    optim.Step(7, 0.5),
    optim.Exponential(0.02, 60),
    optim.Cosine(60),
    optim.OneCycle(60),
    optim.WarmUp(6, optim.Cosine(60)),
]


@pytest.mark.parametrize("rule", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda it: type(it).__name__)
def test_a_walk_under_a_schedule_is_pytorchs(rule, schedule):
    landscape = LANDSCAPES["noisy"]
    added, lr = noise(landscape, 60, 1), landscape.rates[rule]
    walk = descend(landscape, rule, lr=lr, steps=60, schedule=schedule, noise=added)
    same(walk, pytorchs(landscape, rule, lr, landscape.start, 60, added=added, schedule=schedule))
    np.testing.assert_allclose(walk.rates, [lr * schedule(step) for step in range(60)])


@pytest.mark.parametrize(("name", "rule", "lr"), [
    ("rosenbrock", "sgd", 0.1), ("beale", "momentum", 1.0), ("himmelblau", "nesterov", 0.5), ("saddle", "sgd", 50.0),
    ("ravine", "sgd", 100.0), ("ravine", "momentum", 100.0),
])  # fmt: skip
def test_a_walk_that_leaves_the_finite_numbers_ends_where_pytorchs_does(name, rule, lr):
    landscape = LANDSCAPES[name]
    walk = descend(landscape, rule, lr=lr, steps=400)
    points = pytorchs(landscape, rule, lr, landscape.start, 400)
    assert walk.diverged
    assert 0 < len(walk.rates) < 400
    assert walk.points.shape == points.shape
    np.testing.assert_allclose(walk.points, points, rtol=1e-6, atol=1e-6)
    assert np.isfinite(walk.points).all()
    assert np.isfinite(walk.values).all()


@each_landscape
@every_optimizer
def test_it_comes_down(name, rule):
    """The learning rates that are offered suit the landscape: nobody ends as high as it began."""
    landscape = LANDSCAPES[name]
    walk = descend(landscape, rule, lr=landscape.rates[rule], steps=landscape.steps, noise=noise(landscape, 400, 0))
    assert not walk.diverged
    assert walk.values[-1] - landscape.lowest < 0.5 * (walk.values[0] - landscape.lowest)


# ---------------------------------------------------------------------------------------------------- what is kept


@every_optimizer
def test_what_is_kept_of_every_step_fits_together(rule):
    landscape = LANDSCAPES["himmelblau"]
    walk = descend(landscape, rule, lr=0.01, steps=12)
    n = len(walk.rates)
    assert n == 12
    assert len(walk.points) == len(walk.values) == n + 1
    for point, value, gradient in zip(walk.points[:-1], walk.values, walk.gradients, strict=False):
        assert value == landscape.f(*point)
        np.testing.assert_array_equal(gradient, landscape.gradient(*point))
    assert all(len(it) == n + 1 for it in walk.memory.values())
    assert all((it[0] == 0).all() for it in walk.memory.values())


def test_adams_memory_is_the_textbooks():
    walk = descend(LANDSCAPES["ravine"], "adam", lr=0.3, steps=10, beta1=0.8, beta2=0.9)
    m = v = np.zeros(2)
    for t, g in enumerate(walk.gradients, start=1):
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        np.testing.assert_allclose(walk.memory["mean"][t], m)
        np.testing.assert_allclose(walk.memory["squares"][t], v)


def test_noise_is_the_same_for_all_and_a_longer_race_begins_with_it():
    landscape = LANDSCAPES["noisy"]
    short, long = noise(landscape, 10, 5), noise(landscape, 30, 5)
    np.testing.assert_array_equal(short, long[:10])
    np.testing.assert_array_equal(noise(landscape, 10, 5, 2.0), 2 * short)
    assert (noise(landscape, 10, 6) != short).all()
    assert noise(landscape, 10, 5, 0.0) is None
    assert noise(LANDSCAPES["ravine"], 10, 5) is None
    assert noise(landscape, 1000, 0).std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("steps", [-1, MAX_STEPS + 1])
def test_too_many_steps_are_named(steps):
    with pytest.raises(InputError, match=f"from 0 to {MAX_STEPS}, not {steps}"):
        descend(LANDSCAPES["ravine"], "sgd", lr=0.1, steps=steps)


def test_an_unknown_optimizer_is_named():
    with pytest.raises(InputError, match=r"one of sgd, .*, not sdg"):
        descend(LANDSCAPES["ravine"], "sdg", lr=0.1, steps=1)


def test_no_steps_are_a_start():
    walk = descend(LANDSCAPES["ravine"], "adam", lr=0.1, steps=0)
    assert walk.points.tolist() == [[-7.0, 2.0]]
    assert walk.gradients.shape == (0, 2)
    assert not walk.diverged
