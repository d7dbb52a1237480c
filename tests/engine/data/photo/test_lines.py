"""Lines: their slope is the page's."""

import numpy as np
import pytest

from engine.data.photo.lines import slope_of
from engine.data.photo.trials import trial_of
from tests.engine.data.pages import SEVEN, laid_out, photographed, written


def test_the_slope_is_the_textbook_s():
    inks = [written(SEVEN, 60, 6)] * 8
    picture = photographed(laid_out(inks, angle=-9.0, dance=0)[0])
    digits = trial_of(picture, 40).digits
    x, y = np.array([digit.centre for digit in digits]).T
    h = np.median([digit.height for digit in digits])
    x, y = x - x.mean(), y - y.mean()
    assert slope_of(digits) == pytest.approx(x @ y / (x @ x + h * h))
    assert slope_of(digits) == pytest.approx(np.tan(np.radians(9)), rel=0.1)
    assert slope_of(digits[:1]) == slope_of([]) == 0
