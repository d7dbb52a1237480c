"""Products in pieces are the products themselves, whatever the shapes, and every piece is as small as it is to be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import aligned, blas

SIZE = st.integers(1, 90)
cuts = pytest.mark.parametrize("cut", ["by_rows", "by_columns"])
kinds = pytest.mark.parametrize("kind", [blas.SmallOnZen, blas.SmallOnIntel])


@pytest.fixture
def small(monkeypatch):
    """Make a few thousand multiply-adds the most, so that test arrays are cut; return the sizes of all products."""
    monkeypatch.setattr(blas, "SMALL", 4_000)
    monkeypatch.setattr(blas, "NARROW", 200)
    monkeypatch.setattr(blas, "COLUMNS", 32)
    monkeypatch.setattr(blas, "FEW_COLUMNS", 8)
    monkeypatch.setattr(blas, "LONG", 7)
    monkeypatch.setattr(blas, "MANY", 20)
    sizes = []
    whole = np.matmul

    def matmul(left, right, out):
        sizes.append((left.shape[-2], left.shape[-1], right.shape[-1]))
        return whole(left, right, out=out)

    monkeypatch.setattr(blas.np, "matmul", matmul)
    return sizes


@st.composite
def operands(draw):
    """Left and right, each as it is or a transposed view, alone or several, and a place for the result."""
    m, k, n, several = draw(SIZE), draw(SIZE), draw(SIZE), draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    make = draw(st.sampled_from([np.zeros, aligned.rows]))

    def array(rows, columns, turned, count):
        made = make((count,) * bool(count) + ((columns, rows) if turned else (rows, columns)), np.float32)
        made[...] = rng.integers(-9, 10, made.shape)  # of whole numbers every order gives the same sum
        return made.swapaxes(-1, -2) if turned else made

    left = array(m, k, draw(st.booleans()), several * draw(st.booleans()))
    right = array(k, n, draw(st.booleans()), several)
    return left, right, np.full((several,) * bool(several) + (m, n), np.nan, np.float32)


@kinds
@cuts
@given(case=operands())
def test_pieces_make_the_whole(small, kind, cut, case):
    left, right, out = case
    small.clear()
    result = getattr(kind(), cut)(left, right, out=out)
    assert result is out
    np.testing.assert_array_equal(out, left @ right)
    assert len(small) <= 2  # the pieces of one size, and the rest


@pytest.mark.parametrize(
    ("cut", "turned", "m", "n", "pieces"),
    [
        ("by_rows", False, 84, 10, [(42, 7, 10)]),
        ("by_rows", True, 84, 10, [(14, 7, 10)]),  # a narrow result, see NARROW
        ("by_rows", False, 85, 90, [(5, 7, 90)]),
        ("by_rows", False, 83, 10, [(83, 7, 10)]),  # has no equal parts
        ("by_rows", True, 84, 60, [(84, 7, 60)]),  # not even four rows would be narrow
        ("by_columns", False, 10, 85, [(10, 7, 32), (10, 7, 21)]),
        ("by_columns", True, 10, 85, [(10, 7, 32), (10, 7, 21)]),
        ("by_columns", False, 5, 200, [(5, 7, 96), (5, 7, 8)]),
        ("by_columns", False, 18, 85, [(18, 7, 8), (18, 7, 5)]),  # not even 32 columns would be small
        ("by_columns", False, 20, 85, [(20, 7, 8), (20, 7, 5)]),  # many rows and long columns
        ("by_columns", False, 85, 90, [(85, 7, 90)]),
    ],
)
def test_a_product_is_cut_into_the_largest_pieces_that_are_small(small, cut, turned, m, n, pieces):
    left, right = np.ones((m, 7), np.float32), np.ones((n, 7) if turned else (7, n), np.float32)
    getattr(blas.SmallOnZen(), cut)(left, right.T if turned else right, out=np.empty((m, n), np.float32))
    assert small == pieces


@pytest.mark.parametrize(
    ("cut", "turned", "m", "n", "pieces"),
    [
        ("by_rows", False, 84, 10, [(42, 7, 10)]),
        ("by_rows", True, 84, 10, [(14, 7, 10)]),
        ("by_columns", False, 5, 200, [(5, 7, 96), (5, 7, 8)]),  # so few rows that as many columns as stay small
        ("by_columns", False, 16, 85, [(16, 7, 32), (16, 7, 21)]),
        ("by_columns", False, 80, 85, [(16, 7, 32), (80, 7, 21)]),  # of all rows not even 32 columns would be small
        ("by_columns", False, 83, 85, [(83, 7, 85)]),  # has no equal parts
    ],
)
@pytest.mark.parametrize("whole_lines", [True, False])
def test_on_intel_only_rows_that_begin_with_a_cache_line_are_cut(small, cut, turned, m, n, pieces, whole_lines):
    make, rng = aligned.rows if whole_lines else np.zeros, np.random.default_rng(0)
    left, right = make((m, 7), np.float32), make((n, 7) if turned else (7, n), np.float32)
    for operand in (left, right):
        operand[...] = rng.integers(-9, 10, operand.shape)
    right, out = right.T if turned else right, np.empty((m, n), np.float32)
    getattr(blas.SmallOnIntel(), cut)(left, right, out=out)
    few = cut == "by_columns" and m < blas.FEW_ROWS
    assert small == (pieces if whole_lines or few else [(m, 7, n)])
    np.testing.assert_array_equal(out, left @ right)


def test_on_intel_of_two_operands_read_along_their_rows_one_that_begins_with_lines_is_enough(small):
    lines, plain = aligned.rows((84, 7), np.float32), np.zeros((10, 7), np.float32)
    blas.SmallOnIntel().by_rows(lines, plain.T, out=np.empty((84, 10), np.float32))
    assert small == [(14, 7, 10)]


@kinds
@cuts
def test_what_is_small_already_or_not_to_be_cut_is_one_product(small, kind, cut):
    for products, m, n in ((kind(), 20, 20), (blas.Products(), 90, 90)):
        small.clear()
        left, right = aligned.rows((m, 10)), aligned.rows((10, n))
        left[...] = right[...] = 1
        out = getattr(products, cut)(left, right, out=np.empty((m, n), np.float32))
        assert small == [(m, 10, n)]
        assert (out == 10).all()


HERE = {"internal_api": "openblas", "filepath": "/lib/numpy.libs/blas.so", "architecture": "SkylakeX", "num_threads": 1}
SCIPYS = HERE | {"filepath": "/lib/scipy.libs/blas.so"}


@pytest.mark.parametrize(
    ("libraries", "dtype", "kind"),
    [
        ([HERE], np.float32, blas.SmallOnIntel),
        ([SCIPYS | {"num_threads": 2}, HERE], np.float32, blas.SmallOnIntel),
        ([HERE | {"architecture": "Cooperlake"}], np.float32, blas.SmallOnZen),
        ([HERE], np.float64, blas.Products),
        ([HERE | {"num_threads": 2}], np.float32, blas.Products),
        ([SCIPYS, HERE | {"architecture": "Haswell"}], np.float32, blas.Products),
        ([{"internal_api": "mkl", "filepath": "/lib/numpy.libs/mkl.so", "num_threads": 1}], np.float32, blas.Products),
        ([], np.float32, blas.Products),
    ],
)
def test_products_are_cut_where_the_library_is_faster_so(monkeypatch, libraries, dtype, kind):
    monkeypatch.setattr(blas, "threadpool_info", lambda: libraries)
    assert type(blas.products(np.dtype(dtype))) is kind
