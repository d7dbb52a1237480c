"""Training on two cores: each half of a batch goes through a replica of the network that shares its weights.

The gradient of the whole batch is the sum of its halves'. The halves are the same whether two threads compute them or
one after the other, so the numbers do not depend on the machine. (Two threads inside every matrix product gain less:
a small product that waits for a busy core costs a hundred times its own time.)
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine import blas
from engine.nn.dropout import Dropout
from engine.nn.normalization import BatchNorm
from engine.nn.sequential import Sequential

Both = Callable[[Callable[[int], None]], None]  # calls what it is given with 0 and with 1


def in_turn(run: Callable[[int], None]) -> None:
    """Call run(0), then run(1)."""
    run(0)
    run(1)


class DataParallel:
    """Makes the passes of a training step on both halves of a batch; outputs and gradients are the whole batch's.

    network: a built network that `suits`. networks: itself and its replica. rng: what the replica's dropout draws from.
    threads: 2 to compute the halves at the same time; BLAS then keeps to one thread each, in the whole process.
    """

    def __init__(self, network: Sequential, *, rng: np.random.Generator, threads: int = 1) -> None:
        self.network = network
        self.networks = [network, network.replica()]
        for layer in self.networks[1].layers:
            if isinstance(layer, Dropout):
                layer.rng = rng
        self._second: ThreadPoolExecutor | None = None
        if threads > 1:
            blas.one_thread()
            self._second = ThreadPoolExecutor(1, thread_name_prefix="second-half")
        self._outputs = np.empty((0, *network.out_shape), network.dtype)
        self._halves: list[slice] = []

    @staticmethod
    def suits(network: Sequential) -> bool:
        """Tell whether the network treats every example by itself; batch normalization looks at the whole batch."""
        return not any(isinstance(layer, BatchNorm) for layer in network.layers)

    def forward(self, x: np.ndarray, *, training: bool) -> np.ndarray:
        n = len(x)
        self._halves = [slice(0, (n + 1) // 2), slice((n + 1) // 2, n)][: min(n, 2)]
        if len(self._outputs) != n:
            self._outputs = np.empty((n, *self.network.out_shape), self.network.dtype)

        def run(index: int) -> None:
            half = self._halves[index]
            self._outputs[half] = self.networks[index].forward(x[half], training=training)

        self._each(run)
        return self._outputs

    def backward(self, dy: np.ndarray) -> None:
        self._each(lambda index: self.networks[index].backward(dy[self._halves[index]]))
        if len(self._halves) > 1:
            np.add(self.network.vector.grad, self.networks[1].vector.grad, out=self.network.vector.grad)

    def _each(self, run: Callable[[int], None]) -> None:
        """Call `run` with the index of each half; a batch of one example has one."""
        if len(self._halves) > 1:
            self.both(run)
        else:
            run(0)

    def both(self, run: Callable[[int], None]) -> None:
        """Call run(0) and run(1): at the same time where there are two threads."""
        if self._second:
            # the caller's context holds its `np.errstate`
            second = self._second.submit(contextvars.copy_context().run, run, 1)
            run(0)
            second.result()
        else:
            in_turn(run)
