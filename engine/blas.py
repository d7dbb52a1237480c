"""Matrix products in the sizes that the library behind NumPy's, OpenBLAS, is fast at.

Before it multiplies, OpenBLAS copies both operands into the order in which its kernels read them, and of a narrow
product that is much of the work. Its kernels for AVX-512 do without where a product is small. There, one large product
cut into small ones takes between a tenth and a half less time; everywhere else, and where several threads share a
product, it is left whole.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

# Measured with OpenBLAS 0.3.31 on Sapphire Rapids.
SMALL = 1_000_000  # multiply-adds of a product up to which nothing is copied
NARROW = 1_000  # numbers in its result, the same where its right operand is transposed
WITH_SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}  # OpenBLAS's names of processors with AVX-512
ROWS = (64, 32, 24, 16)  # of a piece, the best first
COLUMNS = 64  # of a piece


class Products:
    """left @ right, written into `out`. Shapes as for `np.matmul`: (…, m, k), (…, k, n) and (…, m, n)."""

    def by_rows(self, left: np.ndarray, right: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return `out`; where that is faster, some rows of `left` at a time."""
        return np.matmul(left, right, out=out)

    def by_columns(self, left: np.ndarray, right: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return `out`; where that is faster, some columns of `right` at a time."""
        return np.matmul(left, right, out=out)


class SmallProducts(Products):
    """The same in pieces that are small. The rest of the rows or columns makes a last piece."""

    def by_rows(self, left, right, *, out):
        m, k, n = *left.shape[-2:], right.shape[-1]
        most = SMALL // (k * n)
        if right.strides[-1] != right.itemsize:  # transposed
            most = min(most, NARROW // n)
        rows = m if m <= most else next((rows for rows in ROWS if rows <= most), m)
        if rows >= m:
            return np.matmul(left, right, out=out)
        whole = m - m % rows
        np.matmul(_in_rows(left, whole, rows), right[..., None, :, :], out=_in_rows(out, whole, rows))
        if whole < m:
            np.matmul(left[..., whole:, :], right, out=out[..., whole:, :])
        return out

    def by_columns(self, left, right, *, out):
        m, k, n = *left.shape[-2:], right.shape[-1]
        if m * k * n <= SMALL or m * k * COLUMNS > SMALL:
            return np.matmul(left, right, out=out)
        whole = n - n % COLUMNS
        np.matmul(left[..., None, :, :], _in_columns(right, whole), out=_in_columns(out, whole))
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


def _in_rows(array: np.ndarray, whole: int, rows: int) -> np.ndarray:
    """Return the first `whole` rows of (…, m, n) as a view (…, pieces, rows, n)."""
    *rest, _, n = array.shape
    return array[..., :whole, :].reshape(*rest, whole // rows, rows, n, copy=False)


def _in_columns(array: np.ndarray, whole: int) -> np.ndarray:
    """Return the first `whole` columns of (…, m, n) as a view (…, pieces, m, COLUMNS)."""
    return array[..., :whole].reshape(*array.shape[:-1], -1, COLUMNS, copy=False).swapaxes(-3, -2)
