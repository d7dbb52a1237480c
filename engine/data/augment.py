"""Augmentation: every time a picture is learned from it looks a little different, though it shows the same.

A picture is moved, turned, stretched, slanted (an affine map) and kneaded (an elastic one: a random displacement of
every pixel, smooth enough that neighbours move together). Both together are one field of coordinates: where in the old
picture each pixel of the new one comes from. There the old picture is read by bilinear interpolation.

Coordinates are (row, column) in pixels, rows downwards, and everything turns about the picture's centre,
((H − 1)/2, (W − 1)/2). Source: P. Simard, D. Steinkraus & J. Platt, "Best Practices for Convolutional Neural Networks
Applied to Visual Document Analysis", 2003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import aligned
from engine.errors import N_, InputError, shorten

SMOOTHING = 4.0  # σ of the Gauss that smooths elastic displacements, in pixels; what is usual for MNIST
REACH = 3  # in σ: how far the grid of noise goes beyond the picture
_LIMITS = {"shift": 100, "rotation": 180, "scale": 10, "shear": 10, "elastic": 100}
_DRAWS = 6  # numbers that decide a picture's affine map
_BYTE_STD = np.sqrt((256**2 - 1) / 12)  # of a byte drawn uniformly


@dataclass(frozen=True)
class Augmentation:
    """How far pictures may be changed; 0 leaves them as they are. For each picture u₁ … u₆ ~ U(−1, 1) are drawn.

    shift: pixels; down by u₁ · shift and to the right by u₂ · shift. rotation: degrees, counterclockwise, u₃ times it.
    scale: size times (1 + scale)^u₄, so .1 is from 1/1.1 to 1.1, and width/height times (1 + scale)^(u₅/2).
    shear: with x and y from the centre, x ← x + u₆ · shear · y. elastic: standard deviation of each pixel's
    displacement along each axis, in pixels; neighbours 4 pixels apart or less move much alike. A picture is scaled
    first, then sheared, rotated and shifted.

    Raises `InputError` for a value below 0, above 100 pixels, 180 degrees, scale 10 or shear 10, and for NaN.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0

    def __post_init__(self) -> None:
        for name, limit in _LIMITS.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise InputError(
                    N_("{field} must be from 0 to {limit}, not {value}."),
                    field=name,
                    limit=limit,
                    value=shorten(value),
                )

    @property
    def active(self) -> bool:
        """Whether anything changes at all."""
        return self != Augmentation()


class Augmenter:
    """Writes changed copies of pictures; what comes next is decided by the state of `rng` alone.

    Shape: x (N, H, W, C), uint8 or float32 → out (N, H, W, C) float32 in the same units, 0 where a pixel
    comes from outside the picture. `out` may be `x` itself. N pictures use up 6 N numbers of `rng`, whatever is
    switched on, and with `elastic` also the bytes of a displacement field; without any augmentation, none.

    Work arrays are made for one shape and kept until another comes. `augmentation` may be changed between calls.
    """

    def __init__(self, augmentation: Augmentation, *, rng: np.random.Generator) -> None:
        self.augmentation = augmentation
        self.rng = rng
        self._made_for: tuple[tuple[int, ...], Augmentation] | None = None

    def __call__(self, x: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill `out` with changed copies of the pictures `x` and return it."""
        if x.ndim != 4 or x.shape != out.shape:
            raise ValueError(f"pictures must be (N, H, W, C), the same in and out, not {x.shape} and {out.shape}")
        if not self.augmentation.active:
            np.copyto(out, x)
            return out
        if self._made_for != (x.shape, self.augmentation):
            self._made_for = x.shape, self.augmentation
            self._coordinates = Coordinates(x.shape[:3], elastic=self.augmentation.elastic)
            self._read = Bilinear(x.shape)
        maps = affine(self.augmentation, self.rng.uniform(-1, 1, (_DRAWS, len(x))))
        return self._read(x, self._coordinates(maps, rng=self.rng), out)


def affine(augmentation: Augmentation, u: np.ndarray) -> np.ndarray:
    """Return the affine maps that the draws u (6, N) stand for, from pixels of the new picture to the old one.

    Shape: (2, N, 3); the pixel at (r, c) from the centre comes from (a r + b c + d) from the centre, (a, b, d) being
    maps[0, n] for the row and maps[1, n] for the column. A point of the old picture goes to M p + t; hence with
    M = R S D (rotation, shear, stretching) the way back is D⁻¹ S⁻¹ Rᵀ (p − t).
    """
    down, right = augmentation.shift * u[0], augmentation.shift * u[1]
    angle = np.deg2rad(augmentation.rotation * u[2])
    log_scale = np.log1p(augmentation.scale)
    height, width = np.exp(log_scale * (u[3] - u[4] / 4)), np.exp(log_scale * (u[3] + u[4] / 4))
    slant = augmentation.shear * u[5]
    cos, sin = np.cos(angle), np.sin(angle)
    row = np.stack([cos, sin]) / height
    column = (np.stack([-sin, cos]) - slant * np.stack([cos, sin])) / width
    return np.stack([[a, b, -a * down - b * right] for a, b in (row, column)]).transpose(0, 2, 1)


class Coordinates:
    """Where each pixel comes from: an affine map plus a smooth random displacement, for pictures of one shape.

    Both are one product B_H Z B_Wᵀ for each picture and coordinate. With B = [K | t | 1], t the pixels' places counted
    from the centre, Z holds the numbers of the affine map in its last two rows and columns,

        Z = ⎡noise  0  0⎤      so that    (B_H Z B_Wᵀ)ᵢⱼ = (K noise Kᵀ)ᵢⱼ + a tᵢ + b tⱼ + d.
            ⎢  0    0  a⎥
            ⎣  0    b  d⎦

    The noise stands on a grid of points σ = 4 pixels apart and K is the Gauss of width σ around each pixel (`gauss`). A
    grid as fine as the pixels costs seven times as much and gives correlations that differ by less than 0.0002, since
    the smoothed field has no waves that short. The noise is uniform, as in the paper, so that bytes will do; smoothed,
    it is nearly normal (excess kurtosis −0.19).

    Shape: maps (2, N, 3) → float32 (2, N, H, W), rows and columns; overwritten by the next call.
    """

    def __init__(self, shape: tuple[int, int, int], *, elastic: float) -> None:
        n, height, width = shape
        gauss_h, gauss_w = (gauss(size) if elastic else np.empty((size, 0)) for size in (height, width))
        self._centre = np.array([[(height - 1) / 2], [(width - 1) / 2]])
        self._rows = self._basis(gauss_h * (elastic / _BYTE_STD))
        self._columns = np.ascontiguousarray(self._basis(gauss_w).T)
        self._z = aligned.zeros((2, n, self._rows.shape[1], len(self._columns)))
        self._noise = self._z[..., :-2, :-2]
        self._half = aligned.zeros((*self._z.shape[:3], width))
        self._field = aligned.zeros((2, n, height, width))

    @staticmethod
    def _basis(k: np.ndarray) -> np.ndarray:
        """Return B = [K | t | 1] for one axis: (size, m) → float32 (size, m + 2)."""
        t = np.arange(len(k)) - (len(k) - 1) / 2
        return np.column_stack([k, t, np.ones(len(k))]).astype(np.float32)

    def __call__(self, maps: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Return the coordinates for the affine maps given, with displacements drawn from `rng`."""
        z, noise = self._z, self._noise
        z[..., -2, -1], z[..., -1, -2], z[..., -1, -1] = maps[..., 0], maps[..., 1], maps[..., 2] + self._centre
        if noise.size:
            raw = rng.bit_generator.random_raw((noise.size + 7) // 8).view(np.uint8)[: noise.size]
            np.subtract(raw.reshape(noise.shape), np.float32(127.5), out=noise)
        np.matmul(z.reshape(-1, z.shape[-1]), self._columns, out=self._half.reshape(-1, self._half.shape[-1]))
        return np.matmul(self._rows, self._half, out=self._field)


def gauss(size: int) -> np.ndarray:
    """Return K (size, m): for each pixel of one axis the weights of m grid points, σ apart.

    Kᵢₖ ∝ exp(−(i − gₖ)² / 2σ²). The grid reaches 3 σ beyond both ends and rows have norm 1; so displacements have the
    variance of the noise at every pixel, and a correlation of exp(−d² / 4σ²) between pixels d apart.
    """
    grid = SMOOTHING * np.arange(-REACH, np.ceil((size - 1) / SMOOTHING) + REACH + 1)
    k = np.exp(-0.5 * ((np.arange(size)[:, None] - grid) / SMOOTHING) ** 2)
    return k / np.linalg.norm(k, axis=1, keepdims=True)


class Bilinear:
    """Reads pictures of one shape (N, H, W, C) between their pixels; outside they are 0.

    At row i + s and column j + t, with 0 ≤ s, t < 1, the four pixels around are mixed by their nearness:

        (1−s) ((1−t) xᵢⱼ + t xᵢ,ⱼ₊₁) + s ((1−t) xᵢ₊₁,ⱼ + t xᵢ₊₁,ⱼ₊₁)

    The pictures are first copied into a frame of zeros, and points far outside pulled to it; so no pixel needs a
    condition, and its four neighbours are the same index into four views of the copy.
    """

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        n, height, width, channels = shape
        rows, self._stride = height + 3, width + 3  # one before the picture; two after, for the neighbour of the last
        framed = aligned.zeros((n, rows, self._stride, channels))
        self._inside = framed[:, 1 : height + 1, 1 : width + 1]
        cells = framed.reshape(-1, channels)
        self._corners = [cells[offset:] for offset in (0, 1, self._stride, self._stride + 1)]
        self._first = ((np.arange(n) * rows + 1) * self._stride + 1)[:, None, None]  # of each picture, in `cells`
        self._share, self._floor = aligned.zeros((2, 2, n, height, width))
        self._local = aligned.zeros((n, height, width))
        self._index = aligned.zeros((n, height, width), np.intp)
        self._a, self._b, self._c = aligned.zeros((3, *shape))

    def __call__(self, x: np.ndarray, coordinates: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fill `out` with the pictures x as seen at the coordinates (2, N, H, W), and return it; `out` may be `x`."""
        share, floor, local, index = self._share, self._floor, self._local, self._index
        np.copyto(self._inside, x)
        for axis, size in enumerate(x.shape[1:3]):
            np.clip(coordinates[axis], -1, size, out=share[axis])
        np.floor(share, out=floor)
        np.subtract(share, floor, out=share)
        np.multiply(floor[0], self._stride, out=local)
        np.add(local, floor[1], out=local)  # whole in float32 up to 16 million pixels a picture
        np.copyto(index, local, casting="unsafe")
        np.add(index, self._first, out=index)

        down, right = share[..., None]
        upper_left, upper_right, lower_left, lower_right = self._corners
        a, b, c = self._a, self._b, self._c
        upper_left.take(index, axis=0, out=a, mode="clip")  # "clip" skips a copy that "raise" makes
        upper_right.take(index, axis=0, out=b, mode="clip")
        upper = self._mix(a, b, right, out=a)
        lower_left.take(index, axis=0, out=c, mode="clip")
        lower_right.take(index, axis=0, out=b, mode="clip")
        lower = self._mix(c, b, right, out=c)
        return self._mix(upper, lower, down, out=out)

    @staticmethod
    def _mix(a: np.ndarray, b: np.ndarray, share: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Return a + share · (b − a); b is lost."""
        np.subtract(b, a, out=b)
        np.multiply(b, share, out=b)
        return np.add(a, b, out=out)
