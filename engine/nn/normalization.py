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

    # What BatchNorm2d does differently: how x lies in memory, how a vector of features stands beside it, and the mean.

    def _rows(self, x: np.ndarray) -> np.ndarray:
        return x

    def _beside(self, features: np.ndarray) -> np.ndarray:
        return features

    def _count(self, x: np.ndarray) -> int:
        return len(x)

    def _mean(self, x: np.ndarray, *, out: np.ndarray) -> np.ndarray:
        """Write the mean over the batch into `out`: as a product with (1/n, …, 1/n), faster than `mean`."""
        n = len(x)
        return np.matmul(self.kept(("average", n), lambda: np.full(n, 1 / n, self.dtype)), x, out=out)

    def __init__(self, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.momentum = momentum
        self.eps = eps

    def build(self, in_shape, *, rng):
        features = in_shape[-1]
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
        shape, x = x.shape, self._rows(x)
        features = self.weight.data.shape
        y, scale = self.scratch("y", x.shape), self.scratch("scale", features)
        centred = self._centred = x if self.overwrites_input else self.scratch("centred", x.shape)
        inverse_std = self._inverse_std = self.scratch("inverse_std", features)
        self._statistics_move = training
        if not training:
            np.add(self.running_var, self.eps, out=scale)
            np.sqrt(scale, out=scale)
            np.divide(1, scale, out=inverse_std)
            np.divide(self.weight.data, scale, out=scale)
            np.subtract(x, self._beside(self.running_mean), out=centred)
        else:
            n = self._count(x)
            if n < 2:
                raise ValueError("batch norm cannot train on a batch of one example: its variance is zero")
            mean = self._mean(x, out=self.scratch("mean", features))
            np.subtract(x, self._beside(mean), out=centred)
            np.multiply(centred, centred, out=y)
            self._mean(y, out=scale)  # the biased variance
            self._follow(self.running_mean, mean, out=inverse_std)
            self._follow(self.running_var, np.multiply(scale, n / (n - 1), out=inverse_std), out=inverse_std)
            np.add(scale, self.eps, out=scale)
            np.sqrt(scale, out=scale)
            np.divide(1, scale, out=inverse_std)
            np.multiply(self.weight.data, inverse_std, out=scale)
        np.multiply(centred, self._beside(scale), out=y)
        return np.add(y, self._beside(self.bias.data), out=y).reshape(shape)

    def backward(self, dy):
        """With x̂ = (x − μ)/s:  ∂L/∂γ = Σ dy x̂,  ∂L/∂β = Σ dy,  ∂L/∂x = γ/s · (dy − mean(dy) − x̂ · mean(dy x̂)).

        Sums and means run over the batch; x̂ is never stored, its factor 1/s is folded into the per-feature vectors.
        After an evaluation μ and s do not depend on x, and ∂L/∂x = γ/s · dy.
        """
        shape, dy = dy.shape, self._rows(dy)
        centred, inverse_std, n = self._centred, self._inverse_std, self._count(dy)
        dx, work = self.gradient_like(dy), self.scratch("work", dy.shape)
        share = self.scratch("share", inverse_std.shape)
        np.multiply(dy, centred, out=work)
        self._mean(work, out=share)
        np.multiply(share, inverse_std, out=share)  # mean(dy x̂)
        np.multiply(share, n, out=self.weight.grad)
        self._mean(dy, out=self.bias.grad)  # mean(dy)
        if self._statistics_move:
            np.multiply(share, inverse_std, out=share)
            np.multiply(centred, self._beside(share), out=work)
            np.subtract(dy, work, out=dx)
            np.subtract(dx, self._beside(self.bias.grad), out=dx)
            dy = dx
        np.multiply(self.bias.grad, n, out=self.bias.grad)
        np.multiply(self.weight.data, inverse_std, out=share)
        return np.multiply(dy, self._beside(share), out=dx).reshape(shape)

    def _follow(self, running: np.ndarray, statistic: np.ndarray, *, out: np.ndarray) -> None:
        """r ← r + m (statistic − r), with `out` to work in."""
        np.subtract(statistic, running, out=out)
        np.multiply(out, self.momentum, out=out)
        np.add(running, out, out=running)


class BatchNorm2d(BatchNorm):
    """Batch norm of pictures: μ and σ² are each channel's mean and variance over the batch and all its pixels.

    Shape: (H, W, C) → (H, W, C), as planes (H, C, W, N); γ, β (C,).
    """

    def _rows(self, x):
        return x.reshape(*x.shape[:2], -1)  # (H, C, W·N)

    def _beside(self, features):
        return features[:, None]

    def _count(self, x):
        return x.shape[0] * x.shape[2]

    def _mean(self, x, *, out):
        sums = self.scratch("sums", x.shape[:2])
        np.matmul(x, self.ones(x.shape[2]), out=sums)
        np.add.reduce(sums, axis=0, out=out)
        return np.multiply(out, 1 / self._count(x), out=out)


class LayerNorm(Layer):
    """y = γ (x − μ) / √(σ² + ε) + β, μ and σ² each example's mean and (biased) variance over its features.

    Shape: (N, D) → (N, D); γ, β (D,).  Source: Ba, Kiros & Hinton 2016.
    """

    axes: int | tuple[int, ...] = 1  # of x: the features of one example
    others: int | tuple[int, ...] = 0  # of x: all but the axis that γ and β run along

    def __init__(self, *, eps: float = 1e-5) -> None:
        self.eps = eps

    def _beside(self, features: np.ndarray) -> np.ndarray:
        return features

    def _statistic(self, name: str, x: np.ndarray) -> np.ndarray:
        """Return a work array for one number an example, that stands beside x."""
        return self.scratch(name, (len(x), 1))

    def build(self, in_shape, *, rng):
        features = in_shape[-1]
        self.weight = Parameter(np.ones(features, self.dtype), decays=False)
        self.bias = Parameter(np.zeros(features, self.dtype), decays=False)
        return in_shape

    def parameters(self):
        return {"weight": self.weight, "bias": self.bias}

    def forward(self, x, *, training):
        y, normal = self.scratch("y", x.shape), self.scratch("normal", x.shape)
        statistic = self._statistic("statistic", x)
        np.mean(x, axis=self.axes, keepdims=True, out=statistic)
        np.subtract(x, statistic, out=normal)
        np.multiply(normal, normal, out=y)
        np.mean(y, axis=self.axes, keepdims=True, out=statistic)
        np.add(statistic, self.eps, out=statistic)
        np.sqrt(statistic, out=statistic)
        np.divide(1, statistic, out=statistic)
        np.multiply(normal, statistic, out=normal)
        self._normal, self._inverse_std = normal, statistic
        np.multiply(normal, self._beside(self.weight.data), out=y)
        return np.add(y, self._beside(self.bias.data), out=y)

    def backward(self, dy):
        """∂L/∂γ = Σₙ dy x̂,  ∂L/∂β = Σₙ dy,  ∂L/∂x = 1/s · (g − mean(g) − x̂ · mean(g x̂)) with g = γ dy.

        The sums run over the batch, the means over each example's features.
        """
        normal = self._normal
        dx, work = self.gradient_like(dy), self.scratch("work", dy.shape)
        mean = self._statistic("mean", dy)
        np.multiply(dy, normal, out=work)
        np.sum(work, axis=self.others, out=self.weight.grad)
        np.sum(dy, axis=self.others, out=self.bias.grad)
        np.multiply(dy, self._beside(self.weight.data), out=dx)
        np.multiply(dx, normal, out=work)
        np.mean(work, axis=self.axes, keepdims=True, out=mean)
        np.multiply(normal, mean, out=work)
        np.mean(dx, axis=self.axes, keepdims=True, out=mean)
        np.subtract(dx, mean, out=dx)
        np.subtract(dx, work, out=dx)
        return np.multiply(dx, self._inverse_std, out=dx)


class LayerNorm2d(LayerNorm):
    """Layer norm of pictures: μ and σ² over all pixels and channels of a picture, γ and β one for each channel.

    Shape: (H, W, C) → (H, W, C), as planes (H, C, W, N); γ, β (C,). PyTorch's GroupNorm with one group.
    """

    axes = (0, 1, 2)
    others = (0, 2, 3)

    def _beside(self, features):
        return features[:, None, None]

    def _statistic(self, name, x):
        return self.scratch(name, (1, 1, 1, x.shape[-1]))
