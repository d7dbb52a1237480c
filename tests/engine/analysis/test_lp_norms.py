"""The lowest point within a budget, against a brute search, closed forms, and what the geometry demands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis import lp_norms
from engine.errors import InputError

coordinates = st.floats(-3, 3).map(lambda x: round(x, 2))
bowls = st.builds(lp_norms.bowl, st.floats(1, 8), st.floats(-90, 90))


def brute(c, a, t, p, points=400_000):
    """Return the least error on the boundary, found by trying very many places of it."""
    phi = np.linspace(0, 2 * np.pi, points)
    w = t * np.stack([np.sign(f(phi)) * np.abs(f(phi)) ** (2 / p) for f in (np.cos, np.sin)], axis=1)
    return lp_norms.error(w, c, a).min()


@settings(max_examples=40, deadline=None)
@given(c=st.tuples(coordinates, coordinates), a=bowls, t=st.floats(0.1, 2), p=st.sampled_from([0.5, 0.8, 1, 1.3, 2, 4]))
def test_no_place_of_the_ball_is_lower(c, a, t, p):
    c = np.array(c)
    (w,) = lp_norms.constrained_minimum(c, a, np.array([t]), p)
    assert lp_norms.norm(w, p) <= t * (1 + 1e-9)
    if lp_norms.norm(c, p) <= t:
        np.testing.assert_array_equal(w, c)
    else:
        assert lp_norms.norm(w, p) == pytest.approx(t)
        assert lp_norms.error(w, c, a) <= brute(c, a, t, p) * (1 + 1e-6) + 1e-9


@given(c=st.tuples(coordinates, coordinates), t=st.floats(0.1, 3))
def test_a_round_bowl_is_cut_back_to_the_circle_by_l2(c, t):
    c = np.array(c)
    (w,) = lp_norms.constrained_minimum(c, lp_norms.bowl(1, 0), np.array([t]), 2)
    np.testing.assert_allclose(w, c * min(1, t / max(np.hypot(*c), 1e-12)), atol=1e-6)


@given(c=st.tuples(coordinates, coordinates), t=st.floats(0.1, 3))
def test_a_round_bowl_is_soft_thresholded_by_l1(c, t):
    """Both weights lose the same, as much as it takes; the one that has less is then exactly 0."""
    c = np.array(c)
    (w,) = lp_norms.constrained_minimum(c, lp_norms.bowl(1, 0), np.array([t]), 1)
    large, small = np.sort(np.abs(c))[::-1]
    if large + small > t:
        loss = (large + small - t) / 2 if small >= large - t else large - t
        np.testing.assert_allclose(w, lp_norms.soft_threshold(c, loss), atol=1e-6)
        if small < large - t - 1e-6:
            assert w[np.abs(c).argmin()] == 0


def test_the_corner_is_met_exactly_and_left_at_a_bend():
    c, a = np.array([1.6, 0.7]), lp_norms.bowl(2, 20)
    budgets = np.linspace(0, 3, 61)
    path = lp_norms.constrained_minimum(c, a, budgets, 1)
    zero = path[:, 1] == 0
    assert zero[budgets <= 0.5].all()
    assert not zero[budgets >= 1].any()
    np.testing.assert_array_equal(path[0], [0, 0])
    np.testing.assert_array_equal(path[-1], c)
    np.testing.assert_array_equal(path[zero][:, 0], budgets[zero])


def test_errors_fall_as_the_budget_grows():
    c, a = np.array([-1.2, 2.4]), lp_norms.bowl(5, -40)
    for p in (0.5, 1, 1.5, 2, 4):
        errors = lp_norms.error(lp_norms.constrained_minimum(c, a, np.linspace(0, 3, 61), p), c, a)
        assert (np.diff(errors) <= 1e-9).all()


def test_l1_selects_and_l2_shrinks():
    shares = [lp_norms.share_on_axes(p, lp_norms.bowl(3, 30)) for p in (0.5, 1, 1.5, 2, 4)]
    assert shares[0] > 0.8
    assert shares[1] > 0.4
    assert shares[2:] == [0, 0, 0]


def test_many_centres_are_the_same_as_one_by_one():
    centres, a = np.array([[1.6, 0.7], [-2, 0.1], [0.1, 0.2]]), lp_norms.bowl(3, 30)
    together = lp_norms.constrained_minimum(centres, a, np.ones(3), 1)
    alone = [lp_norms.constrained_minimum(c, a, np.ones(1), 1)[0] for c in centres]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("p", [0.1, 0.5, 1, 2, 20])
def test_the_sphere_has_norm_one_and_its_four_corners(p):
    points = lp_norms.sphere(p)
    assert points.shape == (240, 2)
    np.testing.assert_allclose(lp_norms.norm(points, p), 1)
    np.testing.assert_allclose(points[::60], [[1, 0], [0, 1], [-1, 0], [0, -1]], atol=1e-12)
    turns = np.unwrap(np.arctan2(points[:, 1], points[:, 0]))
    assert (np.diff(turns) >= -1e-12).all()  # once around, counterclockwise
    assert turns[-1] < 2 * np.pi + 1e-9


@given(w=st.tuples(coordinates, coordinates), p=st.floats(1, 8))
def test_the_norm_is_numpys(w, p):
    assert lp_norms.norm(np.array(w), p) == pytest.approx(np.linalg.norm(w, p))


@given(narrowness=st.floats(0.1, 10), angle=st.floats(-180, 180))
def test_a_bowl_is_as_steep_as_it_says(narrowness, angle):
    a = lp_norms.bowl(narrowness, angle)
    np.testing.assert_allclose(a, a.T)
    np.testing.assert_allclose(np.linalg.eigvalsh(a), sorted([1, narrowness]))
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    np.testing.assert_allclose(a @ along, along, atol=1e-12)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 2.0])
def test_the_search_for_one_weight_agrees_with_the_closed_forms(strength):
    a = np.linspace(-3, 3, 121)
    np.testing.assert_allclose(lp_norms.penalized(a, strength, 1), lp_norms.soft_threshold(a, strength), atol=1e-6)
    np.testing.assert_allclose(lp_norms.penalized(a, strength, 2), lp_norms.shrinkage(a, strength), atol=1e-6)


def test_below_one_a_weight_is_nought_or_far_from_it():
    a = np.linspace(0, 3, 301)
    w = lp_norms.penalized(a, 0.5, 0.5)
    assert (w[a < 0.9] == 0).all()
    assert w[w > 0].min() > 0.3  # it jumps
    assert w[-1] > 2.5


def test_soft_thresholds_zero_what_is_small():
    a = np.array([-2.0, -0.5, -0.4, 0.0, 0.4, 0.5, 2.0])
    np.testing.assert_array_equal(lp_norms.soft_threshold(a, 0.5), [-1.5, 0, 0, 0, 0, 0, 1.5])
    assert (lp_norms.shrinkage(a[a != 0], 0.5) != 0).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: lp_norms.norm(np.ones(2), 0),
        lambda: lp_norms.norm(np.ones(2), float("nan")),
        lambda: lp_norms.sphere(21),
        lambda: lp_norms.bowl(0, 0),
        lambda: lp_norms.constrained_minimum(np.ones(2), np.eye(2), np.array([-1.0]), 1),
        lambda: lp_norms.constrained_minimum(np.ones(2), np.eye(2), np.array([np.nan]), 1),
        lambda: lp_norms.penalized(np.ones(2), 1, -1),
    ],
)
def test_illegal_numbers_are_refused_in_one_sentence(call):
    with pytest.raises(InputError, match="must be"):
        call()
