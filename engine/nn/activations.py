"""An activation bends each number by itself: y = f(x). Without one, a stack of linear layers is one linear layer.

The base class runs the passes; a subclass is two equations, `value` for f and `slope` for f′, each writing into the
array it is given. f′ may be written with x, with y = f(x), or with both.
"""

from __future__ import annotations

import math

import numpy as np

from engine.nn.layer import Layer


class Activation(Layer):
    """y = f(x) elementwise, hence ∂L/∂x = dy · f′(x). Shapes are kept."""

    def build(self, in_shape, *, rng):
        return in_shape

    def forward(self, x, *, training):
        self._x = x
        self._y = self.scratch_like("y", x)
        self.value(x, out=self._y)
        return self._y

    def backward(self, dy):
        slope = self.scratch("slope", dy.shape)
        self.slope(self._x, self._y, out=slope)
        return np.multiply(slope, dy, out=self.gradient_like(dy))

    def value(self, x: np.ndarray, *, out: np.ndarray) -> None:
        """Write f(x) into `out`."""
        raise NotImplementedError

    def slope(self, x: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
        """Write f′(x) into `out`, given y = f(x)."""
        raise NotImplementedError

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return zeros for `np.maximum`, which is vectorised against an array and not, as `np.greater` is, a number."""
        return self.scratch("zeros", shape)


class Identity(Activation):
    """f(x) = x,  f′(x) = 1."""

    def value(self, x, *, out):
        np.copyto(out, x)

    def slope(self, x, y, *, out):
        out.fill(1)


class Sigmoid(Activation):
    """f(x) = 1 / (1 + e⁻ˣ) = ½ tanh(½x) + ½,  f′ = f (1 − f) ≤ ¼. The tanh form is faster and cannot overflow."""

    def value(self, x, *, out):
        np.multiply(x, 0.5, out=out)
        np.tanh(out, out=out)
        np.multiply(out, 0.5, out=out)
        np.add(out, 0.5, out=out)

    def slope(self, x, y, *, out):
        np.subtract(1, y, out=out)
        np.multiply(out, y, out=out)


class Tanh(Activation):
    """f(x) = tanh x,  f′ = 1 − f²."""

    def value(self, x, *, out):
        np.tanh(x, out=out)

    def slope(self, x, y, *, out):
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)


class ReLU(Activation):
    """f(x) = max(0, x),  f′ = 1 where x > 0, else 0. Written over x if nobody needs x. Source: Nair & Hinton 2010."""

    def forward(self, x, *, training):
        self._y = x if self.overwrites_input else self.scratch_like("y", x)
        return np.maximum(x, self.made_of(x, self._row_of_zeros), out=self._y)

    def backward(self, dy):
        positive = self.scratch("positive", dy.shape, bool)
        np.greater(self._y, 0, out=positive)
        return np.multiply(dy, positive, out=self.gradient_like(dy))

    def _row_of_zeros(self, x: np.ndarray) -> np.ndarray:
        """Return zeros for one stretch of x: vectorised like a whole array of them, and in the cache.

        Where x lies otherwise than its axes say, no axis is one stretch, and it is a whole array after all.
        """
        if not x.flags.c_contiguous:
            return self.scratch_like("zeros", x)
        return self.zeros(x.shape[1:] if math.prod(x.shape[1:]) >= 256 else x.shape)


class LeakyReLU(Activation):
    """f(x) = max(x, a x) with 0 < a < 1,  f′ = 1 where x > 0, else a. Source: Maas et al. 2013."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def value(self, x, *, out):
        np.multiply(x, self.negative_slope, out=out)
        np.maximum(x, out, out=out)

    def slope(self, x, y, *, out):
        np.greater(x, 0, out=out)
        np.multiply(out, 1 - self.negative_slope, out=out)
        np.add(out, self.negative_slope, out=out)


class ELU(Activation):
    """f(x) = x where x > 0, else eˣ − 1;  f′ = 1 where x > 0, else eˣ = f + 1. Source: Clevert et al. 2015."""

    def value(self, x, *, out):
        positive = np.maximum(x, self.zeros(x.shape), out=self.scratch("positive", x.shape))
        np.minimum(x, self.zeros(x.shape), out=out)
        np.expm1(out, out=out)
        np.add(out, positive, out=out)

    def slope(self, x, y, *, out):
        np.minimum(y, self.zeros(y.shape), out=out)
        np.add(out, 1, out=out)


class GELU(Activation):
    """f(x) = ½ x (1 + tanh u),  u = √(2/π) (x + 0.044715 x³),  the tanh form of x Φ(x).

    f′ = ½ (1 + tanh u) + ½ x (1 − tanh² u) u′. Source: Hendrycks & Gimpel 2016 (PyTorch's GELU, approximate="tanh").
    """

    C, A = math.sqrt(2 / math.pi), 0.044715

    def value(self, x, *, out):
        t = self._tanh = self.scratch("tanh", x.shape)
        np.multiply(x, x, out=t)
        np.multiply(t, self.C * self.A, out=t)
        np.add(t, self.C, out=t)
        np.multiply(t, x, out=t)
        np.tanh(t, out=t)
        np.add(t, 1, out=out)
        np.multiply(out, x, out=out)
        np.multiply(out, 0.5, out=out)

    def slope(self, x, y, *, out):
        t, w = self._tanh, self.scratch("work", x.shape)
        np.multiply(x, x, out=w)
        np.multiply(w, 3 * self.C * self.A, out=w)
        np.add(w, self.C, out=w)  # u′
        np.multiply(w, x, out=w)
        np.multiply(t, t, out=out)
        np.subtract(1, out, out=out)
        np.multiply(out, w, out=out)
        np.add(out, t, out=out)
        np.add(out, 1, out=out)
        np.multiply(out, 0.5, out=out)


class SiLU(Activation):
    """f(x) = x σ(x),  f′ = σ + f (1 − σ), σ the sigmoid. Source: Elfwing et al. 2017; Ramachandran et al. 2017."""

    def value(self, x, *, out):
        s = self._sigmoid = self.scratch("sigmoid", x.shape)
        Sigmoid.value(self, x, out=s)
        np.multiply(x, s, out=out)

    def slope(self, x, y, *, out):
        np.subtract(1, self._sigmoid, out=out)
        np.multiply(out, y, out=out)
        np.add(out, self._sigmoid, out=out)


class Softplus(Activation):
    """f(x) = ln(1 + eˣ) = max(0, x) + ln(1 + e^−|x|),  f′ = σ(x). Source: Dugas et al. 2001."""

    def value(self, x, *, out):
        positive = np.maximum(x, self.zeros(x.shape), out=self.scratch("positive", x.shape))
        np.abs(x, out=out)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        np.add(out, positive, out=out)

    def slope(self, x, y, *, out):
        Sigmoid.value(self, x, out=out)
