"""Pieces: what hangs together, over corners too."""

import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from engine.data.photo.pieces import label, pieces_of


@settings(deadline=None)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)))
def test_pieces_are_what_flooding_finds(mask):
    piece, count = label(mask)
    number = np.full(mask.shape, -1)
    number[mask] = piece
    flooded = 0
    left = set(zip(*np.nonzero(mask), strict=True))
    while left:
        flooded += 1
        wet, found = [left.pop()], set()
        while wet:
            y, x = wet.pop()
            found.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            wet += near
        (same,) = {number[place] for place in found}
        assert np.count_nonzero(number == same) == len(found)
    assert count == flooded


def test_thousands_of_links_are_no_loop_without_end():
    spiral = np.zeros((201, 201), bool)
    for k in range(0, 100, 2):
        spiral[k, k : 200 - k] = spiral[k : 200 - k, 199 - k] = spiral[199 - k, k : 200 - k] = True
        spiral[k + 2 : 200 - k, k] = True
        spiral[k + 2, k : k + 3] = True
    assert label(spiral)[1] == 1
    assert label(np.indices((200, 200)).sum(axis=0) % 2 == 0)[1] == 1  # touching at corners only


def test_boxes_hold_their_pieces_and_no_more():
    grey = np.full((60, 90), 220, np.float32)
    grey[10:30, 20:24] = grey[40:45, 50:80] = grey[5:8, 70:75] = 40
    pieces = pieces_of(grey, 50)
    for i in range(len(pieces.area)):
        rows, columns = np.nonzero(pieces.number == i + 1)
        box = pieces.left[i], pieces.top[i], pieces.right[i], pieces.bottom[i]
        assert box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert len(pieces.area) == 3
    assert len(pieces_of(np.full((60, 90), 220, np.float32), 50).left) == 0
