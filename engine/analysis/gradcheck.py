"""Is backpropagation right? Ask the loss itself: move one number a little both ways and see how the loss changes.

    f′(w) ≈ (f(w + h) − f(w − h)) / 2h        the central difference, wrong by h² f‴/6

Slow, but too simple to be wrong. In float64 it agrees with a correct backward pass in eight digits and more; float32
rounds most of them away, so build the network with `dtype=np.float64`. An activation with a kink (ReLU) agrees only
where no number crosses it within h.

Source:『ゼロから作る Deep Learning』4.3, 5.7.3.
"""

from __future__ import annotations

import time
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

    mean, max: of |backward − numerical|.
    """

    size: int
    mean: float
    max: float


@dataclass(frozen=True, eq=False)
class Checked:
    """A parameter's gradient both ways, at some of its numbers or all.

    shape: of the parameter. places: (n,), where in the raveled parameter the numbers stand. backward, numerical: (n,)
    float64. seconds: that the differences took.
    """

    name: str
    shape: tuple[int, ...]
    places: np.ndarray
    backward: np.ndarray
    numerical: np.ndarray
    seconds: float

    @property
    def agreement(self) -> Agreement:
        """How well the two agree."""
        return compare(self.backward, self.numerical)


def compare(backward: np.ndarray, numerical: np.ndarray) -> Agreement:
    """Return how well two gradients of the same shape agree."""
    difference = np.abs(backward - numerical)
    return Agreement(difference.size, float(difference.mean()), float(difference.max()))


def differences(
    f: Callable[[], float], w: np.ndarray, places: np.ndarray, *, h: float = H, tick: Callable[[], None] | None = None
) -> np.ndarray:
    """Return ∂f/∂w by central differences at some places of the raveled `w`, (n,) as these.

    f takes nothing and depends on `w`, whose numbers are moved one by one and put back. tick is called after each.
    """
    gradient = np.zeros(len(places))
    numbers = w.flat
    for n, place in enumerate(places):
        value = numbers[place]
        numbers[place] = value + h
        above = f()
        numbers[place] = value - h
        below = f()
        numbers[place] = value
        gradient[n] = (above - below) / (2 * h)
        if tick:
            tick()
    return gradient


def together(checked: list[Checked]) -> Agreement:
    """Return the agreement of all numbers of several parameters."""
    return compare(*(np.concatenate([getattr(one, side) for one in checked]) for side in ("backward", "numerical")))


def both_ways(
    network: Sequential,
    loss: Loss,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    h: float = H,
    sample: int = 0,
    progress: Progress | None = None,
) -> tuple[list[Checked], float]:
    """Return the gradients of a network's parameters by its backward pass and by differences, in training mode.

    x: (N, *in_shape) in the network's precision. sample: how many numbers of each parameter are looked at, evenly
    spread; 0 for all. To move a parameter of a layer changes nothing before it: what enters each layer is kept, and
    only the layers from there on are run again. Dropout switches the same units off each time, running averages stay as
    they are. progress(done, total) is called now and then, and at the end. Also returned: the seconds that one pass
    forwards and backwards took.
    """
    buffers = {name: array.copy() for name, array in network.buffers().items()}
    forwards = [_repeatable(layer) for layer in network.in_training]
    entering = []
    for forward in forwards:
        entering.append(x)
        x = forward(x).copy()
    loss.forward(x, labels)
    _backward(network, loss.backward())
    seconds = _time_of_a_pass(forwards, network, loss, entering[0], labels)
    backward = {name: parameter.grad.copy() for name, parameter in network.parameters().items()}
    places = {name: _spread(gradient.size, sample) for name, gradient in backward.items()}
    tick = _counter(sum(map(len, places.values())), progress)

    checked = []
    for depth, layer in enumerate(network.in_training):

        def tail(depth: int = depth) -> float:
            y = entering[depth].copy()  # for the next number moved: a layer may write over what enters it
            for forward in forwards[depth:]:
                y = forward(y)
            return loss.forward(y, labels)

        for parameter in layer.parameters().values():
            name, start = parameter.name, time.perf_counter()
            numerical = differences(tail, parameter.data, places[name], h=h, tick=tick)
            there = backward[name].ravel()[places[name]].astype(np.float64)
            took = time.perf_counter() - start
            checked.append(Checked(name, parameter.data.shape, places[name], there, numerical, took))
    for name, array in network.buffers().items():
        array[...] = buffers[name]
    return checked, seconds


def _time_of_a_pass(
    forwards: list[Callable[[np.ndarray], np.ndarray]],
    network: Sequential,
    loss: Loss,
    x: np.ndarray,
    labels: np.ndarray,
) -> float:
    """Return the seconds of a pass forwards and backwards, the work arrays of which are already there."""
    start = time.perf_counter()
    for forward in forwards:
        x = forward(x)
    loss.forward(x, labels)
    _backward(network, loss.backward())
    return time.perf_counter() - start


def _backward(network: Sequential, dy: np.ndarray | None) -> None:
    """Make the backward pass that belongs to forward passes layer by layer."""
    for layer in reversed(network.in_training):
        if dy is not None:
            dy = layer.backward(dy)


def _spread(size: int, sample: int) -> np.ndarray:
    """Return `sample` places from the first to the last of `size`, all of them for 0 or where there are fewer."""
    return np.arange(size) if not 0 < sample < size else np.linspace(0, size - 1, sample).astype(int)


def _repeatable(layer: Layer) -> Callable[[np.ndarray], np.ndarray]:
    """Return the layer's forward pass in training; dropout draws the same mask at every call."""
    if not isinstance(layer, Dropout):
        return lambda x: layer.forward(x, training=True)
    generator = layer.rng.bit_generator
    state = generator.state

    def forward(x: np.ndarray) -> np.ndarray:
        generator.state = state
        return layer.forward(x, training=True)

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
