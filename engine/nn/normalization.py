"""Normalization shifts and scales numbers to mean 0 and variance 1, then lets the network undo it: y = γ x̂ + β.

What is averaged over is the whole difference: batch norm averages each feature over the batch, layer norm averages
each example over its features.
"""

from __future__ import annotations

import numpy as np

from engine.nn.layer import Layer
from engine.nn.parameter import Parameter


class BatchNorm(Layer):
    """y = γ (x − μ) / √(σ² + ε) + β, μ and σ² each feature's mean and (biased) variance over the batch.

    In evaluation, running averages stand for μ and σ²: r ← (1 − m) r + m · batch statistic, the variance made unbiased
    by N / (N − 1). A training batch needs two examples at least.

    Shape: (N, D) → (N, D); γ, β (D,).  Source: Ioffe & Szegedy 2015;『ゼロから作る Deep Learning』6.3.
    """

    def __init__(self, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.momentum = momentum
        self.eps = eps

    def build(self, in_shape, *, rng):
        (features,) = in_shape
        self.weight = Parameter(np.ones(features, self.dtype), decays=False)
        self.bias = Parameter(np.zeros(features, self.dtype), decays=False)
        self.running_mean = np.zeros(features, self.dtype)
        self.running_var = np.ones(features, self.dtype)
        return in_shape

    def parameters(self):
        return {"weight": self.weight, "bias": self.bias}

    def buffers(self):
        return {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x, *, training):
        y, scale = self.scratch("y", x.shape), self.scratch("scale", x.shape[1:])
        if not training:
            np.add(self.running_var, self.eps, out=scale)
            np.sqrt(scale, out=scale)
            np.divide(self.weight.data, scale, out=scale)
            centred = np.subtract(x, self.running_mean, out=y)
        else:
            n = len(x)
            if n < 2:
                raise ValueError("batch norm cannot train on a batch of one example: its variance is zero")
            mean, inverse_std = self.scratch("mean", x.shape[1:]), self.scratch("inverse_std", x.shape[1:])
            centred = self._centred = self.scratch("centred", x.shape)
            average = self._average(n)
            np.matmul(average, x, out=mean)
            np.subtract(x, mean, out=centred)
            np.multiply(centred, centred, out=y)
            np.matmul(average, y, out=scale)  # the biased variance
            self._follow(self.running_mean, mean, out=inverse_std)
            self._follow(self.running_var, np.multiply(scale, n / (n - 1), out=inverse_std), out=inverse_std)
            np.add(scale, self.eps, out=scale)
            np.sqrt(scale, out=scale)
            self._inverse_std = np.divide(1, scale, out=inverse_std)
            np.multiply(self.weight.data, inverse_std, out=scale)
        np.multiply(centred, scale, out=y)
        return np.add(y, self.bias.data, out=y)

    def backward(self, dy):
        """With x̂ = (x − μ)/s:  ∂L/∂γ = Σ dy x̂,  ∂L/∂β = Σ dy,  ∂L/∂x = γ/s · (dy − mean(dy) − x̂ · mean(dy x̂)).

        Sums and means run over the batch; x̂ is never stored, its factor 1/s is folded into the per-feature vectors.
        """
        centred, inverse_std = self._centred, self._inverse_std
        dx, work = self.scratch("dx", dy.shape), self.scratch("work", dy.shape)
        share = self.scratch("share", dy.shape[1:])
        average, n = self._average(len(dy)), len(dy)
        np.multiply(dy, centred, out=work)
        np.matmul(average, work, out=share)
        np.multiply(share, inverse_std, out=share)  # mean(dy x̂)
        np.multiply(share, n, out=self.weight.grad)
        np.multiply(share, inverse_std, out=share)
        np.matmul(average, dy, out=self.bias.grad)  # mean(dy)
        np.multiply(centred, share, out=work)
        np.subtract(dy, work, out=dx)
        np.subtract(dx, self.bias.grad, out=dx)
        np.multiply(self.bias.grad, n, out=self.bias.grad)
        np.multiply(self.weight.data, inverse_std, out=share)
        return np.multiply(dx, share, out=dx)

    def _follow(self, running: np.ndarray, statistic: np.ndarray, *, out: np.ndarray) -> None:
        """r ← r + m (statistic − r), with `out` to work in."""
        np.subtract(statistic, running, out=out)
        np.multiply(out, self.momentum, out=out)
        np.add(running, out, out=running)

    def _average(self, n: int) -> np.ndarray:
        """Return the row vector (1/n, …, 1/n): a product with it takes the mean over the batch, faster than `mean`."""
        average = self.scratch("average", (n,))
        if average[0] == 0:
            average.fill(1 / n)
        return average


class LayerNorm(Layer):
    """y = γ (x − μ) / √(σ² + ε) + β, μ and σ² each example's mean and (biased) variance over its features.

    Shape: (N, D) → (N, D); γ, β (D,).  Source: Ba, Kiros & Hinton 2016.
    """

    def __init__(self, *, eps: float = 1e-5) -> None:
        self.eps = eps

    def build(self, in_shape, *, rng):
        (features,) = in_shape
        self.weight = Parameter(np.ones(features, self.dtype), decays=False)
        self.bias = Parameter(np.zeros(features, self.dtype), decays=False)
        return in_shape

    def parameters(self):
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x, *, training):
        y, normal = self.scratch("y", x.shape), self.scratch("normal", x.shape)
        column = self.scratch("column", (len(x), 1))
        np.mean(x, axis=1, keepdims=True, out=column)
        np.subtract(x, column, out=normal)
        np.multiply(normal, normal, out=y)
        np.mean(y, axis=1, keepdims=True, out=column)
        np.add(column, self.eps, out=column)
        np.sqrt(column, out=column)
        np.divide(1, column, out=column)
        np.multiply(normal, column, out=normal)
        self._normal, self._inverse_std = normal, column
        np.multiply(normal, self.weight.data, out=y)
        return np.add(y, self.bias.data, out=y)

    def backward(self, dy):
        """∂L/∂γ = Σₙ dy x̂,  ∂L/∂β = Σₙ dy,  ∂L/∂x = 1/s · (g − mean(g) − x̂ · mean(g x̂)) with g = γ dy.

        The sums run over the batch, the means over each example's features.
        """
        normal = self._normal
        dx, work = self.scratch("dx", dy.shape), self.scratch("work", dy.shape)
        column = self.scratch("mean", (len(dy), 1))
        np.multiply(dy, normal, out=work)
        np.sum(work, axis=0, out=self.weight.grad)
        np.sum(dy, axis=0, out=self.bias.grad)
        np.multiply(dy, self.weight.data, out=dx)
        np.multiply(dx, normal, out=work)
        np.mean(work, axis=1, keepdims=True, out=column)
        np.multiply(normal, column, out=work)
        np.mean(dx, axis=1, keepdims=True, out=column)
        np.subtract(dx, column, out=dx)
        np.subtract(dx, work, out=dx)
        return np.multiply(dx, self._inverse_std, out=dx)
