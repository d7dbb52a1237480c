"""Is backpropagation right? Ask the loss itself: move one number a little both ways and see how the loss changes.

    f′(w) ≈ (f(w + h) − f(w − h)) / 2h        the central difference, wrong by h² f‴/6

Slow, but too simple to be wrong. In float64 it agrees with a correct backward pass in eight digits and more; float32
rounds most of them away, so build the network with `dtype=np.float64`. An activation with a kink (ReLU) agrees only
where no number crosses it within h.

Source:『ゼロから作る Deep Learning』4.3, 5.7.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.nn import Dropout, Layer, Loss, Sequential

H = 1e-5  # near ε^(1/3): rounding, ε f/h, and the formula's own error, h² f‴/6, are equally small
PROGRESS_EVERY = 500  # numbers from one report of the progress to the next

Progress = Callable[[int, int], None]  # (numbers done, numbers in all)


@dataclass(frozen=True)
class Agreement:
    """How well a backward pass agrees with central differences on `size` numbers.

    mean, max: of |backward − numerical|. relative: ‖backward − numerical‖ / ‖numerical‖, 0 where both are 0.
    """

    name: str
    size: int
    mean: float
    max: float
    relative: float


def compare(name: str, backward: np.ndarray, numerical: np.ndarray) -> Agreement:
    """Return how well two gradients of the same shape agree."""
    difference = np.abs(backward - numerical)
    distance, length = np.linalg.norm(difference), np.linalg.norm(numerical)
    relative = float(distance / length) if length else float("inf" if distance else 0)
    return Agreement(name, difference.size, float(difference.mean()), float(difference.max()), relative)


def numerical_gradient(
    f: Callable[[], float], w: np.ndarray, *, h: float = H, tick: Callable[[], None] | None = None
) -> np.ndarray:
    """Return ∂f/∂w, the shape of `w`, by central differences.

    f takes nothing and depends on `w`, whose numbers are moved one by one and put back. tick is called after each.
    """
    gradient = np.zeros(w.shape)
    for index in np.ndindex(w.shape):
        value = w[index]
        w[index] = value + h
        above = f()
        w[index] = value - h
        below = f()
        w[index] = value
        gradient[index] = (above - below) / (2 * h)
        if tick:
            tick()
    return gradient


def check_layer(layer: Layer, x: np.ndarray, dy: np.ndarray, *, training: bool = True, h: float = H) -> list[Agreement]:
    """Check ∂f/∂x and ∂f/∂ every parameter of one built layer, with f = Σ dy · forward(x), so that ∂f/∂y = dy.

    x, dy: float64 (N, *in_shape) and (N, *out_shape); x is moved and put back.
    """
    forward = _repeatable(layer, training=training)
    forward(x)
    backward = {"x": layer.backward(dy).copy()} | {name: p.grad.copy() for name, p in layer.parameters().items()}
    places = {"x": x} | {name: p.data for name, p in layer.parameters().items()}
    return [
        compare(name, backward[name], numerical_gradient(lambda: float(np.sum(dy * forward(x))), place, h=h))
        for name, place in places.items()
    ]


def check_network(
    network: Sequential,
    loss: Loss,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    h: float = H,
    progress: Progress | None = None,
) -> list[Agreement]:
    """Check ∂loss/∂ every number of every parameter of a float64 network, in training mode.

    x: float64 (N, *in_shape). Returns one agreement for each parameter, by its name, and last that of all together,
    named "all". To move a parameter of a layer changes nothing before it: what enters each layer is kept, and only the
    layers from there on are run again. Dropout switches the same units off each time, running averages stay as they
    are. progress(done, total) is called now and then, and at the end.
    """
    total = network.vector.data.size
    buffers = {name: array.copy() for name, array in network.buffers().items()}
    forwards = [_repeatable(layer, training=True) for layer in network.layers]
    entering = []
    for forward in forwards:
        entering.append(x)
        x = forward(x).copy()
    loss.forward(x, labels)
    network.backward(loss.backward())
    backward = {name: parameter.grad.copy() for name, parameter in network.parameters().items()}

    tick = _counter(total, progress)
    numerical = {}
    for depth, layer in enumerate(network.layers):

        def tail(depth: int = depth) -> float:
            y = entering[depth]
            for forward in forwards[depth:]:
                y = forward(y)
            return loss.forward(y, labels)

        for parameter in layer.parameters().values():
            numerical[parameter.name] = numerical_gradient(tail, parameter.data, h=h, tick=tick)
    for name, array in network.buffers().items():
        array[...] = buffers[name]
    agreements = [compare(name, backward[name], numerical[name]) for name in numerical]
    joined = [np.concatenate([gradients[name].ravel() for name in numerical]) for gradients in (backward, numerical)]
    return [*agreements, compare("all", *joined)]


def _repeatable(layer: Layer, *, training: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Return the layer's forward pass; dropout draws the same mask at every call."""
    if not isinstance(layer, Dropout):
        return lambda x: layer.forward(x, training=training)
    generator = layer.rng.bit_generator
    state = generator.state

    def forward(x: np.ndarray) -> np.ndarray:
        generator.state = state
        return layer.forward(x, training=training)

    return forward


def _counter(total: int, progress: Progress | None) -> Callable[[], None]:
    """Return a function to be called once for each of `total` numbers, which reports to `progress` at intervals."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress and (done % PROGRESS_EVERY == 0 or done == total):
            progress(done, total)

    return tick
