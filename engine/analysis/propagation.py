"""Signals through a deep network that has not been trained: forwards the activations, backwards the gradients.

    a₀ = x ~ N(0, 1),   aₖ = f(aₖ₋₁ Wₖ);   δ_L ~ N(0, 1),   δₖ₋₁ = (δₖ ∘ f′(aₖ₋₁ Wₖ)) Wₖᵀ,   gₖ = aₖ₋₁ᵀ (δₖ ∘ f′)

One layer multiplies the spread of the signal by about √n σ, times what f lets through, and that of the gradient by
about √n σ · rms f′. Only where both factors are near 1 do all layers have something to learn from. Weights alone, no
biases: those start at 0.

Source: Glorot & Bengio 2010; He et al. 2015; 『ゼロから作る Deep Learning』6.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine import build
from engine.experiment import Experiment
from engine.nn.initializers import Gauss, Orthogonal, VarianceScaling

BINS = 30
EXAMPLES = 1_000
WORK = 50_000_000  # multiplications forwards: 5 layers of 100 for 1,000 examples


@dataclass(frozen=True, eq=False)
class Signals:
    """What flows through `layers` layers of `width` units.

    activations: a₀ … a_L, and gradients: δ₀ … δ_L, both (layers + 1, examples, width) float64; place 0 is the input,
    and δ_L the gradient that enters at the top. weight_norms: ‖gₖ‖ of the layers 1 … L, (layers,).
    Far too large weights leave inf and NaN.
    """

    activations: np.ndarray
    gradients: np.ndarray
    weight_norms: np.ndarray

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of a₀ … a_L, (layers + 1,)."""
        with np.errstate(invalid="ignore", over="ignore"):
            return self.activations.std(axis=(1, 2))

    @property
    def gradient_norms(self) -> np.ndarray:
        """‖δ₀‖ … ‖δ_L‖, (layers + 1,)."""
        flat = self.gradients.reshape(len(self.gradients), -1)
        with np.errstate(invalid="ignore", over="ignore"):
            return np.sqrt(np.einsum("ij,ij->i", flat, flat))


def propagate(
    activation: str,
    initializer: str,
    *,
    sigma: float = 0.01,
    layers: int = 5,
    width: int = 100,
    examples: int = EXAMPLES,
    seed: int = 0,
) -> Signals:
    """Send random examples forwards and random gradients backwards through a fresh network.

    activation, initializer: names of `build.ACTIVATIONS` and `build.INITIALIZERS`; sigma: of "gauss" and "constant".
    The same seed gives the same examples and gradients, and weights that differ only by their scale where the
    initializer is a normal one.
    """
    draw = build.INITIALIZERS[initializer](Experiment(sigma=sigma))
    rng = build.stream(seed, "init")
    weights = [draw((width, width), rng=rng) for _ in range(layers)]
    bends = [build.build_activation(activation, (width,)) for _ in range(layers)]
    rng = build.stream(seed, "signals")
    a, d = np.empty((2, layers + 1, examples, width))
    a[0], d[layers] = rng.standard_normal((2, examples, width))
    norms = np.empty(layers)
    with np.errstate(over="ignore", invalid="ignore"):
        for k, (weight, bend) in enumerate(zip(weights, bends, strict=True)):
            a[k + 1] = bend.forward(a[k] @ weight, training=True)
        for k in reversed(range(layers)):
            through = bends[k].backward(d[k + 1])
            np.matmul(through, weights[k].T, out=d[k])
            norms[k] = np.linalg.norm(a[k].T @ through)
    return Signals(a, d, norms)


def affordable(layers: int, width: int) -> int:
    """Return how many examples keep the work within `WORK`, at most `EXAMPLES`: deep networks are sent fewer."""
    return max(20, min(EXAMPLES, WORK // (layers * width * width)))


def standard_deviation(initializer: str, width: int, sigma: float = 0.01) -> float:
    """Return the standard deviation that weights between two layers of `width` units are drawn with."""
    match build.INITIALIZERS[initializer](Experiment(sigma=sigma)):
        case Gauss():
            return sigma
        case VarianceScaling(scale=scale):
            return math.sqrt(scale / width)
        case Orthogonal():
            return math.sqrt(1 / width)
        case _:
            return 0.0


def histogram(values: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float]:
    """Return counts (BINS,) int64 of equal bins from low to high, and the share of the values that lie outside.

    The upper limit belongs to the last bin, as in `np.histogram`; what is not finite lies outside.
    """
    flat = values.ravel()
    inside = flat[(flat >= low) & (flat <= high)]  # a comparison with NaN is false
    places = np.minimum(((inside - low) * (BINS / (high - low))).astype(np.intp), BINS - 1)
    return np.bincount(places, minlength=BINS), 1 - inside.size / flat.size
