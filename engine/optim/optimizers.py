"""An optimizer moves the parameters against their gradient. Each is one equation for the step d in w ← w − d.

The base class owns the rest: learning-rate schedule, L1 and L2 decay, and the walk over the parameter vector in blocks
that stay in the cache. A subclass names the vectors it remembers between steps and returns d.
"""

from __future__ import annotations

import math

import numpy as np

from engine import aligned
from engine.nn.parallel import Both, in_turn
from engine.nn.parameter import ParameterVector, load_arrays
from engine.optim.schedules import Constant, Schedule

BLOCK = 65_536  # numbers: few enough that what an equation touches stays near, many enough to call NumPy rarely
CLEAR_EVERY = 64  # steps


class Block:
    """One stretch of the parameter vector with its gradient, its work array and what the optimizer remembers of it.

    decaying: how many of its numbers, from the front, are weights.
    """

    def __init__(self, vector: ParameterVector, start: int, stop: int, memory: dict[str, np.ndarray], work: np.ndarray):
        self.data = vector.data[start:stop]
        self.grad = vector.grad[start:stop]
        self.work = work[: stop - start]
        self.decaying = min(max(vector.n_decaying - start, 0), stop - start)
        for name, array in memory.items():
            setattr(self, name, array[start:stop])


class Optimizer:
    """Base class.

    lr: learning rate, before the schedule's factor. l2, l1: decay λ of ½λΣw² and λΣ|w|, added to the gradient of the
    weights (never of biases or normalization). lr, l1 and l2 may be changed between steps.
    """

    memory_names: tuple[str, ...] = ()

    def __init__(
        self,
        vector: ParameterVector,
        *,
        lr: float,
        schedule: Schedule | None = None,
        l2: float = 0.0,
        l1: float = 0.0,
    ) -> None:
        self.lr, self.l2, self.l1 = lr, l2, l1
        self.schedule = schedule or Constant()
        self.iteration = 0
        size = vector.data.size
        self.memory = {name: aligned.zeros(size, vector.data.dtype) for name in self.memory_names}
        pairs = math.ceil(size / (2 * BLOCK))
        length = size if size <= BLOCK else 16 * math.ceil(size / (2 * pairs) / 16)  # from cache line to cache line
        works = [aligned.zeros(length, vector.data.dtype) for _ in range(min(2, math.ceil(size / length)))]
        self._blocks = [
            Block(vector, start, min(start + length, size), self.memory, works[index % 2])
            for index, start in enumerate(range(0, size, length))
        ]

    @property
    def current_lr(self) -> float:
        """The learning rate of the next step."""
        return self.lr * self.schedule(self.iteration)

    def step(self, both: Both = in_turn) -> None:
        """Move every parameter once. The gradient vector is used up: it holds intermediate results afterwards.

        both: calls what it is given with 0 and with 1, for every second block each; at the same time if it likes.
        """
        lr = self.current_lr
        self.iteration += 1
        clear = self.iteration % CLEAR_EVERY == 0

        def move(first: int) -> None:
            for block in self._blocks[first::2]:
                if clear:
                    for name in self.memory_names:
                        _clear(getattr(block, name), block.work)
                self.decay(block, lr)
                np.subtract(block.data, self.direction(block, lr), out=block.data)

        (both if len(self._blocks) > 1 else in_turn)(move)

    def decay(self, block: Block, lr: float) -> None:
        """g ← g + λ₂ w + λ₁ sign(w), on the weights of the block."""
        n = block.decaying
        if not n or not (self.l2 or self.l1):
            return
        weights, grad, work = block.data[:n], block.grad[:n], block.work[:n]
        if self.l2:
            np.add(grad, np.multiply(weights, self.l2, out=work), out=grad)
        if self.l1:
            np.sign(weights, out=work)
            np.add(grad, np.multiply(work, self.l1, out=work), out=grad)

    def direction(self, block: Block, lr: float) -> np.ndarray:
        """Return d, the step that is subtracted from the block's parameters."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return copies of what the optimizer remembers."""
        return {name: array.copy() for name, array in self.memory.items()}

    def load_state_dict(self, state: dict[str, np.ndarray], iteration: int) -> None:
        """Continue from `state`, after so many steps. Raises ValueError when it belongs to another optimizer.

        Infinities are taken: squares overflow long before the weights do.
        """
        load_arrays(self.memory, state, finite=False)
        self.iteration = iteration


class SGD(Optimizer):
    """d = η g. Stochastic gradient descent."""

    def direction(self, block, lr):
        return np.multiply(block.grad, lr, out=block.grad)  # in place: one array less to go through the cache


class Momentum(Optimizer):
    """v ← μ v + g,  d = η v. The velocity v keeps what past gradients agree on.

    With a constant η this is the book's v ← μ v − η g, w ← w + v.
    Source: Polyak 1964;『ゼロから作る Deep Learning』6.1.4.
    """

    memory_names = ("velocity",)

    def __init__(self, vector, *, momentum: float = 0.9, **settings) -> None:
        super().__init__(vector, **settings)
        self.momentum = momentum

    def direction(self, block, lr):
        np.multiply(block.velocity, self.momentum, out=block.velocity)
        np.add(block.velocity, block.grad, out=block.velocity)
        return np.multiply(block.velocity, lr, out=block.work)


class Nesterov(Momentum):
    """v ← μ v + g,  d = η (g + μ v): looks one step ahead along the velocity. Source: Sutskever et al. 2013."""

    def direction(self, block, lr):
        np.multiply(block.velocity, self.momentum, out=block.velocity)
        np.add(block.velocity, block.grad, out=block.velocity)
        np.multiply(block.velocity, self.momentum, out=block.work)
        np.add(block.work, block.grad, out=block.work)
        return np.multiply(block.work, lr, out=block.work)


class AdaGrad(Optimizer):
    """h ← h + g²,  d = η g / (√h + ε), h starting at θ. Parameters that moved much move less.

    Source: Duchi et al. 2011;『ゼロから作る Deep Learning』6.1.5.
    """

    memory_names = ("squares",)

    def __init__(self, vector, *, initial_accumulator: float = 0.0, eps: float = 1e-8, **settings) -> None:
        super().__init__(vector, **settings)
        self.eps = eps
        self.memory["squares"].fill(initial_accumulator)

    def direction(self, block, lr):
        np.multiply(block.grad, block.grad, out=block.work)
        np.add(block.squares, block.work, out=block.squares)
        return _scaled(block.grad, block.squares, lr, self.eps, block.work)


class RMSProp(Optimizer):
    """h ← α h + (1 − α) g²,  d = η g / (√h + ε): AdaGrad that forgets. Source: Hinton, Coursera lecture 6e, 2012."""

    memory_names = ("squares",)

    def __init__(self, vector, *, alpha: float = 0.99, eps: float = 1e-8, **settings) -> None:
        super().__init__(vector, **settings)
        self.alpha, self.eps = alpha, eps

    def direction(self, block, lr):
        np.multiply(block.grad, block.grad, out=block.work)
        np.multiply(block.work, 1 - self.alpha, out=block.work)
        np.multiply(block.squares, self.alpha, out=block.squares)
        np.add(block.squares, block.work, out=block.squares)
        return _scaled(block.grad, block.squares, lr, self.eps, block.work)


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  d = η m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ).

    Without bias correction m̂ = m and v̂ = v. `memory` holds m / (1 − β₁) and v / (1 − β₂): the constant factors are
    folded into η and ε, which saves two passes over the parameters. Source: Kingma & Ba 2014.
    """

    memory_names = ("mean", "squares")

    def __init__(
        self,
        vector,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        bias_correction: bool = True,
        **settings,
    ) -> None:
        super().__init__(vector, **settings)
        self.beta1, self.beta2, self.eps, self.bias_correction = beta1, beta2, eps, bias_correction

    def direction(self, block, lr):
        t = self.iteration if self.bias_correction else math.inf
        mean_factor = (1 - self.beta1) / (1 - self.beta1**t)  # m̂ = mean_factor · memory
        root_factor = math.sqrt((1 - self.beta2) / (1 - self.beta2**t))  # √v̂ = root_factor · √memory
        np.multiply(block.mean, self.beta1, out=block.mean)
        np.add(block.mean, block.grad, out=block.mean)
        np.multiply(block.grad, block.grad, out=block.work)
        np.multiply(block.squares, self.beta2, out=block.squares)
        np.add(block.squares, block.work, out=block.squares)
        return _scaled(block.mean, block.squares, lr * mean_factor / root_factor, self.eps / root_factor, block.work)


class AdamW(Adam):
    """Adam, its L2 decay applied to the weights directly, w ← w − η λ w; L1 decay goes through the gradient still.

    Source: Loshchilov & Hutter 2017.
    """

    def decay(self, block, lr):
        n = block.decaying
        if n and self.l2:
            np.multiply(block.data[:n], 1 - lr * self.l2, out=block.data[:n])
        if n and self.l1:
            work = np.sign(block.data[:n], out=block.work[:n])
            np.add(block.grad[:n], np.multiply(work, self.l1, out=work), out=block.grad[:n])


def _clear(memory: np.ndarray, work: np.ndarray) -> None:
    """Set to zero what has faded to almost nothing.

    The memory of a weight whose gradient stays zero, a dead unit's, shrinks by a factor at every step and ends among
    the denormal numbers, those below the smallest that have all their digits. There rounding keeps it for ever, and a
    processor takes a hundred times as long for every operation. The limit is so far above them that a factor of 0.9
    does not reach them before the next time.
    """
    np.abs(memory, out=work)
    np.greater(work, 1000 * np.finfo(memory.dtype).tiny, out=work)
    np.multiply(memory, work, out=memory)


def _scaled(numerator: np.ndarray, squares: np.ndarray, lr: float, eps: float, out: np.ndarray) -> np.ndarray:
    """Return lr · numerator / (√squares + eps), written into `out`."""
    np.sqrt(squares, out=out)
    np.add(out, eps, out=out)
    np.divide(numerator, out, out=out)
    return np.multiply(out, lr, out=out)
