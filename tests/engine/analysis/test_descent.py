"""Gradients of two numbers against PyTorch, and descents against what the book prints."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.descent import FAR, SURFACES, descend, numerical_gradient

BOWL = SURFACES["bowl"]
START = (-3.0, 4.0)


def by_differences(x):
    return numerical_gradient(BOWL.value, x)


@pytest.mark.parametrize("name", SURFACES)
def test_every_gradient_is_pytorchs(name):
    surface = SURFACES[name]
    grid = surface.grid()
    x = torch.tensor(grid, requires_grad=True)
    surface.value(x).sum().backward()
    np.testing.assert_allclose(surface.gradient(grid), x.grad.numpy(), atol=1e-9)
    np.testing.assert_allclose(numerical_gradient(surface.value, grid), x.grad.numpy(), rtol=1e-6, atol=1e-6)


def test_the_books_grid():
    grid = BOWL.grid()
    assert grid.shape == (2, 18, 18)
    assert (grid.min(), grid.max()) == (-2, 2.25)
    np.testing.assert_allclose(np.diff(grid[0], axis=1), 0.25)
    np.testing.assert_allclose(np.diff(grid[1], axis=0), 0.25)


def test_the_books_descents():
    """『ゼロから作る Deep Learning』4.4.1 prints these ends of 100 steps."""
    np.testing.assert_allclose(
        descend(by_differences, START, 0.1, 100)[-1], [-6.11110793e-10, 8.14814391e-10], rtol=1e-6
    )
    np.testing.assert_allclose(
        descend(by_differences, START, 10.0, 100)[-1], [-2.58983747e13, -1.29524862e12], rtol=1e-8
    )
    np.testing.assert_allclose(descend(by_differences, START, 1e-10, 100)[-1], [-2.99999994, 3.99999992], rtol=1e-8)


def test_twenty_steps():
    path = descend(by_differences, START, 0.1, 20)
    assert path.shape == (21, 2)
    np.testing.assert_allclose(path, np.outer(0.8 ** np.arange(21), START), atol=1e-9)
    np.testing.assert_allclose(path[-1], [-0.0345876, 0.0461169], atol=1e-7)


@given(lr=st.floats(0, 2), start=st.tuples(st.floats(-5, 5), st.floats(-5, 5)))
def test_a_step_in_the_bowl_is_a_factor(lr, start):
    path = descend(BOWL.gradient, start, lr, 12)
    np.testing.assert_allclose(path, np.outer((1 - 2 * lr) ** np.arange(13), start), rtol=1e-9, atol=1e-12)


def test_an_explosion_ends_before_numbers_overflow():
    path = descend(BOWL.gradient, START, 100.0, 200)
    assert len(path) < 60
    assert np.isfinite(path).all()
    assert np.abs(path).max() < FAR
    np.testing.assert_array_equal(path, descend(BOWL.gradient, START, 100.0, 5000))


@pytest.mark.parametrize("name", SURFACES)
def test_the_descents_that_are_offered_show_something(name):
    surface = SURFACES[name]
    path = descend(surface.gradient, surface.start, surface.lr, 40)
    heights = surface.value(path.T)
    assert heights[-1] < heights[0] - 0.1 * abs(heights[0])
    assert len(path) == 41
