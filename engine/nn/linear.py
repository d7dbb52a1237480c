"""The fully connected layer: every output is a weighted sum of every input."""

from __future__ import annotations

import numpy as np

from engine.nn.initializers import HeNormal, Initializer
from engine.nn.layer import Layer
from engine.nn.parameter import Parameter


class Linear(Layer):
    """y = x W + b.

    Shape: x (N, in_features) → y (N, out_features); W (in_features, out_features); b (out_features,), zero at first.
    Source:『ゼロから作る Deep Learning』5.6 (Affine); Goodfellow et al., Deep Learning, 6.5.6.
    """

    def __init__(self, out_features: int, *, initializer: Initializer | None = None, bias: bool = True) -> None:
        self.out_features = out_features
        self.initializer = initializer or HeNormal()
        self.weight: Parameter | None = None
        self.bias: Parameter | None = None
        self._has_bias = bias

    def build(self, in_shape, *, rng):
        if len(in_shape) != 1:
            raise ValueError(f"Linear takes inputs of one axis, not of shape {in_shape}: put a Flatten before it")
        self.in_features = in_shape[0]
        shape = (self.in_features, self.out_features)
        self.weight = Parameter(self.initializer(shape, rng=rng).astype(self.dtype), decays=True)
        if self._has_bias:
            self.bias = Parameter(np.zeros(self.out_features, self.dtype), decays=False)
        return (self.out_features,)

    def parameters(self):
        return {"weight": self.weight} | ({"bias": self.bias} if self.bias else {})

    def forward(self, x, *, training):
        self._x = x
        y = self.scratch("y", (len(x), self.out_features))
        self.products.by_rows(x, self.weight.data, out=y)
        if self.bias:
            np.add(y, self.bias.data, out=y)
        return y

    def backward(self, dy):
        """∂L/∂W = xᵀ dy,  ∂L/∂b = Σₙ dy,  ∂L/∂x = dy Wᵀ."""
        n = len(dy)
        self.products.by_rows(self._x.T, dy, out=self.weight.grad)
        if self.bias:
            # The sum of the rows as a product with ones. With two rows of them, for with a single one BLAS adds up the
            # last columns in another order than the others: equal units would drift apart.
            sums = np.matmul(self.ones(2, n), dy, out=self.scratch("sums", (2, self.out_features)))
            np.copyto(self.bias.grad, sums[0])
        if not self.needs_input_grad:
            return None
        batch_first = self._x.flags.c_contiguous  # otherwise x are flattened planes, whose gradient is to lie like them
        dx = self.scratch("dx", (n, self.in_features)) if batch_first else self.scratch("dx", (self.in_features, n)).T
        return np.matmul(dy, self.weight.data.T, out=dx)

    def __repr__(self) -> str:
        return f"Linear({self.out_features})"
