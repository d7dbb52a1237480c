"""Paper: what is left of a picture when its strokes are closed is its light."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engine.data.photo.paper import closing, relief_of
from tests.engine.data.pages import SEVEN, laid_out, written


@given(
    arrays(np.int64, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9), elements=st.integers(0, 99)),
    st.integers(1, 6),
)
def test_the_closing_is_the_minimum_of_the_maximum_of_slices(grey, reach):
    def slide(grey, extreme):
        near = [[grey[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
                 for x in range(grey.shape[1])] for y in range(grey.shape[0])]  # fmt: skip
        return np.array([[extreme(part) for part in row] for row in near])

    expected = slide(slide(grey, np.max), np.min)
    for width in (2 * reach, 2 * reach + 1):
        np.testing.assert_array_equal(closing(grey, width), expected)


def test_the_paper_is_what_light_makes_it():
    light = np.add.outer(np.linspace(90, 200, 300), np.linspace(0, 50, 400))
    light[:, 250:] *= 0.6  # a shadow's hard edge
    strokes = laid_out([written(SEVEN, 150, 12)], size=(400, 300))[0][:300, :400]
    relief, noise = relief_of((light * (1 - 0.7 * strokes)).astype(np.float32), 50)
    error = np.abs(relief - 0.7 * light * strokes)
    assert error.max() < 16  # at a border the light goes on as it was half a window before
    assert error[25:-25, 25:-25].mean() < 0.5
    assert noise < 1
