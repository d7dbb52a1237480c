"""What a kernel can lie on: a digit, numbers, a drawing, a picture from outside. And its answer, in colours."""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.analysis.convolution import plain_filters
from engine.data import datasets
from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.data.picture import load_picture

LEVELS = 9  # the largest number that a digit is shown with in cells
MAX_SIDE = 200  # pixels of an uploaded picture that are kept

RED, WHITE, BLUE = (np.array(colour, np.float64) for colour in ((178, 24, 43), (247, 247, 247), (33, 102, 172)))


def digit(label: int) -> np.ndarray:
    """Return the first test digit of a class: uint8 (28, 28), ink 255 on 0."""
    data = datasets.load("mnist-5k")
    return data.x_test[np.flatnonzero(data.y_test == label)[0], :, :, 0]


def numbers(kind: str, size: int, channels: int, *, label: int = 0, seed: int = 0) -> np.ndarray:
    """Return whole numbers to lay a window on: float64 (size, size, channels).

    "digit": digits reduced to `size`, from 0 to 9, each channel showing the next one; "ramp": rising to the right, then
    downwards, then both ways; "random": from 0 to 5.
    """
    if kind == "random":
        return np.random.default_rng(seed).integers(0, 6, (size, size, channels)).astype(np.float64)
    if kind == "ramp":
        i, j = np.mgrid[:size, :size].astype(np.float64)
        return np.stack([j, i, i + j][:channels], axis=-1)
    return np.stack([_reduce(digit((label + c) % 10), size) for c in range(channels)], axis=-1)


def weights(kind: str, kernel: int, channels: int, filters: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return filters of whole numbers and their biases: float64 (k, k, C, F) and (F,).

    "edges": see `plain_filters`, with biases of 0; "random": from −2 to 2, biases from −3 to 3.
    """
    if kind == "edges":
        return plain_filters(kernel, channels, filters), np.zeros(filters)
    rng = np.random.default_rng([seed, 1])
    weight = rng.integers(-2, 3, (kernel, kernel, channels, filters)).astype(np.float64)
    return weight, rng.integers(-3, 4, filters).astype(np.float64)


def _reduce(picture: np.ndarray, size: int) -> np.ndarray:
    """Return a picture of 28 × 28 as levels of size × size cells, each the mean of what it covers."""
    mean = np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BOX), np.float64)
    return np.rint(mean / max(mean.max(), 1) * LEVELS)


def drawing(strokes: object) -> np.ndarray | None:
    """Return what was drawn on a pad: uint8 (28, 28); None when nothing was. Raises `InputError` for other objects."""
    drawn = [] if strokes is None else parse_strokes(strokes)
    return strokes_to_image(drawn) if drawn else None


def uploaded(data: bytes) -> np.ndarray:
    """Return the picture in a file in grey, its longer side at most 200 pixels: uint8 (H, W). Raises `InputError`."""
    picture = Image.fromarray(np.rint(load_picture(data)).astype(np.uint8))
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def in_colour(values: np.ndarray) -> np.ndarray:
    """Return numbers as a picture, uint8 (H, W, 3): 0 white, positive ones blue, negative ones red."""
    share = np.clip(values / (np.abs(values).max() or 1), -1, 1)[..., None]
    return np.rint(WHITE + np.abs(share) * (np.where(share < 0, RED, BLUE) - WHITE)).astype(np.uint8)
