"""Matrix products in the sizes that the library behind NumPy's, OpenBLAS, is fast at.

Before it multiplies, OpenBLAS copies both operands into the order in which its kernels read them, and of a narrow
product that is much of the work. Its kernels for AVX-512 do without where a product is small. There, one large product
cut into small ones takes between a tenth and a half less time, if the pieces suit the processor; everywhere else, and
where several threads share a product, it is left whole.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from engine import aligned

# Of OpenBLAS 0.3.31.
SMALL = 1_000_000  # multiply-adds of a product up to which nothing is copied
NARROW = 1_200  # numbers in its result, the same where its right operand is transposed

LEAST_ROWS = 4  # of a piece
COLUMNS = 64  # four registers; a piece has a multiple of them

# On Zen 4: columns of a piece whose `right` would else leave the nearest cache before all rows of `left` have come by,
# and the rows of `right`, and of `left`, from which on that is so.
FEW_COLUMNS = 16
LONG, MANY = 256, 32

FEW_ROWS = 13  # of `left`; on Intel, fewer make copying `right` most of the work


class Products:
    """left @ right, written into `out`. Shapes as for `np.matmul`: (…, m, k), (…, k, n) and (…, m, n)."""

    def by_rows(self, left: np.ndarray, right: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return `out`; where that is faster, some rows of `left` at a time, as many each time."""
        return np.matmul(left, right, out=out)

    def by_columns(self, left: np.ndarray, right: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return `out`; where that is faster, some columns of `right` at a time, if need be of some rows of `left`."""
        return np.matmul(left, right, out=out)


class SmallProducts(Products):
    """The same in pieces that are small. What is left of the columns makes a last piece.

    A subclass knows which size is best on its processors.
    """

    def by_rows(self, left, right, *, out):
        m = left.shape[-2]
        rows = self.rows(left, right) if m > LEAST_ROWS else m  # so few are not cut: one picture does not ask
        if rows == m:
            return np.matmul(left, right, out=out)
        np.matmul(_in_rows(left, rows), right[..., None, :, :], out=_in_rows(out, rows))
        return out

    def by_columns(self, left, right, *, out):
        m, k, n = *left.shape[-2:], right.shape[-1]
        rows, columns = self.tile(left, right) if m * k * n > SMALL else (m, n)
        if columns >= n:
            return np.matmul(left, right, out=out)
        whole = n - n % columns
        np.matmul(
            _in_rows(left, rows)[..., None, :, :, :],
            _in_columns(right, whole, columns)[..., None, :, :],
            out=_in_rows(_in_columns(out, whole, columns), rows),
        )
        if whole < n:
            np.matmul(left, right[..., whole:], out=out[..., whole:])
        return out

    def rows(self, left: np.ndarray, right: np.ndarray) -> int:
        """Return how many rows of `left` a piece of `by_rows` has; all of them for a product that is to be whole."""
        m, k, n = *left.shape[-2:], right.shape[-1]
        most = SMALL // (k * n)
        return _equal_parts(m, min(most, NARROW // n) if _transposed(right) else most)

    def tile(self, left: np.ndarray, right: np.ndarray) -> tuple[int, int]:
        """Return how many rows and columns a piece of `by_columns` has; all columns for a product to be whole."""
        raise NotImplementedError


class SmallOnZen(SmallProducts):
    """Sizes for AMD's Zen 4, which loads a register from anywhere."""

    def tile(self, left, right):
        m, k = left.shape[-2:]
        most = SMALL // (m * k)
        columns = most // COLUMNS * COLUMNS
        if not columns or (k >= LONG and m >= MANY):
            columns = FEW_COLUMNS
        return m, columns if columns <= most else right.shape[-1]


class SmallOnIntel(SmallProducts):
    """Sizes for Intel's processors, which take twice as long for a register that lies across two cache lines.

    What was copied does not. So a product is cut only where rows begin with a line, or where so little is multiplied
    with what would be copied that copying is most of the work.
    """

    def rows(self, left, right):
        begin_with_lines = aligned.has_aligned_rows(right) or (_transposed(right) and aligned.has_aligned_rows(left))
        return super().rows(left, right) if begin_with_lines else left.shape[-2]

    def tile(self, left, right):
        m, k = left.shape[-2:]
        if m < FEW_ROWS:
            return m, SMALL // (m * k) // COLUMNS * COLUMNS or right.shape[-1]
        rows = _equal_parts(m, SMALL // (k * COLUMNS))
        small = rows * k * COLUMNS <= SMALL
        return rows, COLUMNS if small and aligned.has_aligned_rows(right) else right.shape[-1]


# By OpenBLAS's names of processors with AVX-512. "SkylakeX" was measured on Ice Lake, and Sapphire Rapids, whose cores
# are built alike, is taken for the same. Zen 4 has no name of its own: it runs the kernels of "Cooperlake".
SMALL_ON = {"SkylakeX": SmallOnIntel, "Cooperlake": SmallOnZen, "SapphireRapids": SmallOnIntel}


def one_thread() -> None:
    """Have matrix products of this process computed by one thread from now on; called in the process's first thread.

    Two add up in another order, so equal seeds would not give equal numbers on every machine. And where other processes
    compute, two wait for the busy core: what takes half a second took 24.
    """
    threadpool_limits(1, user_api="blas")


def products(dtype: np.dtype) -> Products:
    """Return how to multiply arrays of this type, here and with as many BLAS threads as there are now."""
    found = [info for info in threadpool_info() if info.get("internal_api") == "openblas"]
    ours = next((info for info in found if "numpy" in info["filepath"]), {})
    small = SMALL_ON.get(ours.get("architecture"))
    return small() if small and ours["num_threads"] == 1 and dtype == np.float32 else Products()


def _transposed(array: np.ndarray) -> bool:
    return array.strides[-1] != array.itemsize


@cache
def _equal_parts(m: int, most: int) -> int:
    """Return the size of equal parts of m, the largest between LEAST_ROWS and `most`; m itself where there is none."""
    return m if m <= most else max((part for part in range(LEAST_ROWS, most + 1) if m % part == 0), default=m)


def _in_rows(array: np.ndarray, rows: int) -> np.ndarray:
    """Return (…, m, n) as a view (…, pieces, rows, n)."""
    *rest, m, n = array.shape
    return array.reshape(*rest, m // rows, rows, n, copy=False)


def _in_columns(array: np.ndarray, whole: int, columns: int) -> np.ndarray:
    """Return the first `whole` columns of (…, m, n) as a view (…, pieces, m, columns)."""
    return array[..., :whole].reshape(*array.shape[:-1], -1, columns, copy=False).swapaxes(-3, -2)
