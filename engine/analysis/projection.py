"""The plane in which a cloud of points is widest, spanned by its two principal components.

What a layer says of an example is a point, with a coordinate for each unit. Of hundreds of coordinates nobody can draw
more than two; the two directions in which the points differ most lose least.

Source: Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901.
"""

from __future__ import annotations

import numpy as np

FIRST, THEN = 30, 2  # rounds of the iteration: to find the plane, and to follow it


class PrincipalPlane:
    """Projects a cloud of points into its principal plane, and follows it while the cloud changes.

    Orthogonal iteration, W ← orthonormal basis of Xᵀ(X W) with the centred points X (n, d), leads to the two leading
    right singular vectors of X. It goes on from where it was: a few products instead of a decomposition, and a picture
    that turns but never flips over. Source: Golub & Van Loan, Matrix Computations, 8.2.4.

    axes: W (d, 2), orthonormal columns in the points' dtype; None before the first points.
    """

    def __init__(self) -> None:
        self.axes: np.ndarray | None = None

    def project(self, points: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the coordinates (n, 2) of points (n, d), their mean at the origin, and the share of variance seen.

        The share is from 0 to 1; 0 where all points are the same. Of points on a line the second coordinate is 0.
        Every call must bring points of the same dimension d, all of them finite. They are measured by the farthest of
        them: products of large or small numbers leave float32's range.
        """
        unit = np.abs(points).max() or points.dtype.type(1)
        centred = points / unit
        centred -= centred.mean(axis=0)
        rounds = THEN
        if self.axes is None:
            rng = np.random.Generator(np.random.SFC64(0))
            self.axes = rng.standard_normal((points.shape[1], 2)).astype(points.dtype)
            rounds = FIRST
        for _ in range(rounds):
            basis, triangle = np.linalg.qr(centred.T @ (centred @ self.axes))
            if basis.shape == self.axes.shape:
                self.axes = basis * np.copysign(1, np.diag(triangle))  # QR may turn an axis round
            else:  # one coordinate
                self.axes = np.array([[1, 0]], points.dtype)
        coordinates = centred @ self.axes
        whole = np.square(centred).sum()
        share = min(float(np.square(coordinates).sum() / whole), 1.0) if whole else 0.0  # rounding may exceed it
        return coordinates * unit, share
