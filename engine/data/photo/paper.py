"""Paper: a wide morphological closing wipes dark strokes out and leaves the light, from which ink stands out."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageFilter

COARSE = 400  # the longer side of the picture that the light is measured on


def relief_of(grey: np.ndarray, window: float) -> tuple[np.ndarray, float]:
    """Return how much darker than its paper every pixel is, (H, W), and the paper's noise in the same unit.

    The paper is the morphological closing with a square `window` wide: the maximum over the window around every pixel,
    then the minimum of those. Strokes narrower than the window vanish in it; slopes and edges of the light remain.
    """
    step = max(1, round(max(grey.shape) / COARSE))
    width = max(3, math.ceil(window / step))
    relief = resized(closing(reduced(grey, step), width), grey.shape) - grey
    relief -= np.median(_sample(relief))  # the maximum over noise lies above the paper
    return relief, _deviation(relief)


def closing(grey: np.ndarray, width: int) -> np.ndarray:
    """Return the morphological closing with a square of `width` pixels (odd, or one more), (H, W); edges go on."""
    from scipy import ndimage  # takes a third of a second, and most visitors bring no photo

    side = 2 * (width // 2) + 1
    return ndimage.grey_closing(grey, (side, side), mode="nearest")


def denoised(grey: np.ndarray) -> np.ndarray:
    """Return the picture blurred as far as its noise asks for, not at all where there is little.

    The noise is measured by the median of |p − mean of the four neighbours of p|, which strokes and light hardly enter.
    """
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    noise = _deviation(grey[1:-1, 1:-1] - neighbours / 4) / math.sqrt(1.25)
    radius = min(1.2, noise / 5)
    if radius < 0.3:
        return grey
    picture = Image.fromarray(np.rint(grey).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32)


def resized(grey: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the picture enlarged or reduced to a shape, between pixels linearly."""
    if grey.shape == shape:
        return grey
    return np.asarray(Image.fromarray(grey).resize(shape[::-1], Image.Resampling.BILINEAR))


def reduced(grey: np.ndarray, step: int) -> np.ndarray:
    """Return the means of squares of `step` pixels: (H, W) → (⌈H/step⌉, ⌈W/step⌉)."""
    return np.asarray(Image.fromarray(grey).reduce(step)) if step > 1 else grey


def _sample(values: np.ndarray) -> np.ndarray:
    """Return about 50,000 of the values at equal distances, for medians."""
    step = max(1, math.isqrt(values.size // 50_000))
    return values[::step, ::step]


def _deviation(values: np.ndarray) -> float:
    """Return the standard deviation of normally distributed values around 0 with outliers: 1.4826 median |v|."""
    return 1.4826 * float(np.median(np.abs(_sample(values))))
