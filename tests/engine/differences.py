"""Central differences as the oracle of a backward pass, of any function and of one layer at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine import nn
from engine.analysis import gradcheck


def numerical_gradient(f: Callable[[], float], w: np.ndarray, h: float = gradcheck.H) -> np.ndarray:
    """Return ∂f/∂w, the shape of `w`, whose numbers are moved one by one and put back."""
    return gradcheck.differences(f, w, np.arange(w.size), h=h).reshape(w.shape)


def relative(backward: np.ndarray, numerical: np.ndarray) -> float:
    """Return ‖backward − numerical‖ / ‖numerical‖, 0 where both are 0."""
    distance, length = np.linalg.norm(backward - numerical), np.linalg.norm(numerical)
    return float(distance / length) if length else float("inf" if distance else 0)


def both_ways(
    layer: nn.Layer, x: np.ndarray, dy: np.ndarray, *, training: bool = True, h: float = gradcheck.H
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return ∂f/∂x and ∂f/∂ every parameter of a built layer by its backward pass and by differences.

    f = Σ dy · forward(x), so that ∂f/∂y = dy. x, dy: float64 and as a batch comes; x is moved and put back. Dropout
    switches the same units off each time.
    """
    generator = layer.rng.bit_generator if isinstance(layer, nn.Dropout) else None
    state = generator and generator.state

    def forward() -> np.ndarray:
        if generator:
            generator.state = state
        return layer.forward(x, training=training)

    forward()
    backward = {"x": layer.backward(dy).copy()} | {name: p.grad.copy() for name, p in layer.parameters().items()}
    places = {"x": x} | {name: p.data for name, p in layer.parameters().items()}
    return {
        name: (backward[name], numerical_gradient(lambda: float(np.sum(dy * forward())), place, h))
        for name, place in places.items()
    }
