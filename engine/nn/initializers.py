"""How weights are drawn before training. A good scale keeps the variance of the signal the same from layer to layer.

An initializer is called with a weight's shape, (…kernel, inputs, outputs), and returns float64 values.
fan_in = kernel size · inputs, fan_out = kernel size · outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


class Initializer:
    """Base class: `initializer(shape, rng=…)` returns an array of that shape."""

    def __call__(self, shape: tuple[int, ...], *, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Initializer):
    """w = value. Every unit of a layer then computes, and stays, the same: symmetry is never broken."""

    value: float

    def __call__(self, shape, *, rng):
        return np.full(shape, float(self.value))


class Zeros(Constant):
    """w = 0."""

    def __init__(self) -> None:
        super().__init__(0.0)


@dataclass(frozen=True)
class Gauss(Initializer):
    """w ~ N(0, σ²)."""

    sigma: float = 0.01

    def __call__(self, shape, *, rng):
        return self.sigma * rng.standard_normal(shape)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """w with variance scale / n, normal or uniform on ±√(3 · variance); n is fan_in or the mean of both fans."""

    scale: float
    mode: str  # "fan_in" or "fan_avg"
    distribution: str  # "normal" or "uniform"

    def __call__(self, shape, *, rng):
        kernel = math.prod(shape[:-2])
        fan_in, fan_out = kernel * shape[-2], kernel * shape[-1]
        n = fan_in if self.mode == "fan_in" else (fan_in + fan_out) / 2
        std = math.sqrt(self.scale / n)
        if self.distribution == "normal":
            return std * rng.standard_normal(shape)
        return rng.uniform(-math.sqrt(3) * std, math.sqrt(3) * std, shape)


class XavierNormal(VarianceScaling):
    """w ~ N(0, 2 / (fan_in + fan_out)). Source: Glorot & Bengio 2010."""

    def __init__(self) -> None:
        super().__init__(1.0, "fan_avg", "normal")


class XavierUniform(VarianceScaling):
    """w ~ U(±√(6 / (fan_in + fan_out))). Source: Glorot & Bengio 2010."""

    def __init__(self) -> None:
        super().__init__(1.0, "fan_avg", "uniform")


class HeNormal(VarianceScaling):
    """w ~ N(0, 2 / fan_in): ReLU lets half of the variance through. Source: He et al. 2015."""

    def __init__(self) -> None:
        super().__init__(2.0, "fan_in", "normal")


class HeUniform(VarianceScaling):
    """w ~ U(±√(6 / fan_in)). Source: He et al. 2015."""

    def __init__(self) -> None:
        super().__init__(2.0, "fan_in", "uniform")


class LecunNormal(VarianceScaling):
    """w ~ N(0, 1 / fan_in), called "Xavier" in『ゼロから作る Deep Learning』6.2. Source: LeCun et al. 1998."""

    def __init__(self) -> None:
        super().__init__(1.0, "fan_in", "normal")


class Orthogonal(Initializer):
    """w with orthonormal columns (or rows, where there are fewer rows): lengths are kept. Source: Saxe et al. 2014."""

    def __call__(self, shape, *, rng):
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the draw uniform over all orthogonal matrices
        return (q if rows >= columns else q.T).reshape(shape)
