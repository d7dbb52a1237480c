"""Early stopping against a plain reading of its rule."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.early_stopping import Stop, early_stop
from engine.errors import InputError


def by_definition(losses, patience):
    """The run is left as soon as `patience` evaluations in a row were no better than the best before them."""
    for last in range(len(losses)):
        best = losses.index(min(losses[: last + 1]))
        if last - best >= patience:
            return Stop(best, last, True)
    return Stop(losses.index(min(losses)), len(losses) - 1, False)


@given(losses=st.lists(st.integers(0, 9), min_size=1, max_size=30), patience=st.integers(1, 8))
def test_it_is_its_definition(losses, patience):
    assert early_stop(losses, patience) == by_definition(losses, patience)


def test_a_curve_with_a_bump():
    losses = [3, 2, 1, 1.5, 0.8, 0.9, 1.0, 1.1, 1.2]
    assert early_stop(losses, 1) == Stop(2, 3, True)
    assert early_stop(losses, 2) == Stop(4, 6, True)
    assert early_stop(losses, 4) == Stop(4, 8, True)
    assert early_stop(losses, 5) == Stop(4, 8, False)


def test_an_equal_loss_is_no_better():
    assert early_stop([1, 1, 1, 0], 2) == Stop(0, 2, True)


def test_nan_is_never_better():
    assert early_stop([1, math.nan, math.nan], 2) == Stop(0, 2, True)
    assert early_stop([math.nan, 2, 1], 2) == Stop(2, 2, False)
    assert early_stop([math.nan] * 10, 3) == Stop(0, 3, True)
    assert early_stop([math.nan, math.nan, 2, 3, 3], 2) == Stop(2, 4, True)


@pytest.mark.parametrize(("losses", "patience"), [([], 1), ([1.0], 0), ([1.0], -3)])
def test_nothing_to_watch_and_no_patience_are_refused(losses, patience):
    with pytest.raises(InputError, match="must be"):
        early_stop(losses, patience)
