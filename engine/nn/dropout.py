"""Dropout switches units off at random while training, so that none can rely on another."""

from __future__ import annotations

import numpy as np

from engine.nn.layer import Layer


class Dropout(Layer):
    """y = x · m / (1 − p) in training, m = 0 with probability p and 1 otherwise ("inverted"); y = x in evaluation.

    p is rounded to 1/65536, the step of the 16-bit random numbers the masks are cut from; raw bits of the generator
    cost a quarter of uniform floats. 0 ≤ p ≤ 1; with 1 nothing is left, y = 0. `rate` may be changed between steps.
    Shapes are kept.

    Source: Srivastava et al. 2014;『ゼロから作る Deep Learning』6.4.3.
    """

    def __init__(self, rate: float, *, rng: np.random.Generator) -> None:
        self._settings = {"rate": rate}  # one for all replicas
        self.rng = rng

    @property
    def rate(self) -> float:
        """p."""
        return self._settings["rate"]

    @rate.setter
    def rate(self, rate: float) -> None:
        self._settings["rate"] = rate

    def build(self, in_shape, *, rng):
        return in_shape

    def forward(self, x, *, training):
        self._mask = None
        threshold = round(self.rate * 65536) if training else 0
        if threshold == 0:
            return x
        mask, y = self.scratch("mask", x.shape), self.scratch("y", x.shape)
        raw = self.rng.bit_generator.random_raw((x.size + 3) // 4).view(np.uint16)[: x.size].reshape(x.shape)
        np.greater_equal(raw, threshold, out=mask)
        np.multiply(mask, 65536 / max(65536 - threshold, 1), out=mask)
        self._mask = mask
        return np.multiply(x, mask, out=y)

    def backward(self, dy):
        if self._mask is None:
            return dy
        return np.multiply(dy, self._mask, out=self.gradient_like(dy))

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g})"
