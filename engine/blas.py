"""Matrix products in the sizes that the library behind NumPy's, OpenBLAS, is fast at.

Before it multiplies, OpenBLAS copies both operands into the order in which its kernels read them, and of a narrow
product that is much of the work. Its kernels for AVX-512 do without where a product is small. There, one large product
cut into small ones takes between a tenth and a half less time; everywhere else, and where several threads share a
product, it is left whole.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

# Measured with OpenBLAS 0.3.31 on Sapphire Rapids and Zen 4.
SMALL = 1_000_000  # multiply-adds of a product up to which nothing is copied
NARROW = 1_000  # numbers in its result, the same where its right operand is transposed
WITH_SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # OpenBLAS's names of processors with AVX-512
LEAST_ROWS = 4  # of a piece
COLUMNS = 64  # four registers; a piece has a multiple of them
FEW_COLUMNS = 16  # of a piece whose `right` would else leave the nearest cache before all rows of `left` have come by
LONG, MANY = 256, 32  # rows of `right`, and of `left`, from which on that is so


class Products:
    """left @ right, written into `out`. Shapes as for `np.matmul`: (…, m, k), (…, k, n) and (…, m, n)."""

    def by_rows(self, left: np.ndarray, right: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return `out`; where that is faster, some rows of `left` at a time, as many each time."""
        return np.matmul(left, right, out=out)

    def by_columns(self, left: np.ndarray, right: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return `out`; where that is faster, some columns of `right` at a time."""
        return np.matmul(left, right, out=out)


class SmallProducts(Products):
    """The same in pieces that are small. What is left of the columns makes a last piece."""

    def by_rows(self, left, right, *, out):
        m, k, n = *left.shape[-2:], right.shape[-1]
        most = SMALL // (k * n)
        if right.strides[-1] != right.itemsize:  # transposed
            most = min(most, NARROW // n)
        rows = _equal_parts(m, most)
        if rows == m:
            return np.matmul(left, right, out=out)
        np.matmul(_in_rows(left, rows), right[..., None, :, :], out=_in_rows(out, rows))
        return out

    def by_columns(self, left, right, *, out):
        m, k, n = *left.shape[-2:], right.shape[-1]
        most = SMALL // (m * k)
        columns = FEW_COLUMNS if k >= LONG and m >= MANY else most // COLUMNS * COLUMNS or FEW_COLUMNS
        if n <= most or columns > most:
            return np.matmul(left, right, out=out)
        whole = n - n % columns
        np.matmul(left[..., None, :, :], _in_columns(right, whole, columns), out=_in_columns(out, whole, columns))
        if whole < n:
            np.matmul(left, right[..., whole:], out=out[..., whole:])
        return out


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
    small = ours.get("architecture") in WITH_SMALL_KERNELS and ours["num_threads"] == 1 and dtype == np.float32
    return SmallProducts() if small else Products()


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
