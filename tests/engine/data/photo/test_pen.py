"""Pen: thinning takes layers and breaks nothing."""

import numpy as np
import pytest

from engine.data.photo.pen import _thinned
from engine.data.photo.pieces import label
from tests.engine.data.pages import SEVEN, stroke_width, written


def test_thinning_takes_layers_and_breaks_nothing():
    mask = written(SEVEN, 100, 15) > 0.5
    pieces = label(mask)[1]
    areas = []
    for layers in range(12):
        thin = _thinned(mask, layers)
        assert label(thin)[1] == pieces
        assert not (thin & ~mask).any()
        areas.append(np.count_nonzero(thin))
    assert areas == sorted(areas, reverse=True)
    assert stroke_width(np.pad(255 * _thinned(mask, 3), 1)) == pytest.approx(15 - 2 * 3, abs=1.5)
    line = _thinned(mask, 50)
    assert not (line[1:, 1:] & line[:-1, 1:] & line[1:, :-1] & line[:-1, :-1]).any()  # one pixel wide
