"""Work arrays begin with a cache line, and are otherwise NumPy's zeros."""

import numpy as np
import pytest

from engine import aligned
from engine.experiment import Experiment
from engine.training.trainer import Trainer


@pytest.mark.parametrize("shape", [0, 7, (3,), (0, 4), (5, 3), (2, 3, 4, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, bool, np.intp])
def test_zeros_like_numpys_but_on_a_line(shape, dtype):
    array, plain = aligned.zeros(shape, dtype), np.zeros(shape, dtype)
    assert array.shape == plain.shape
    assert array.dtype == plain.dtype
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert not array.any()
    assert array.size == 0 or array.ctypes.data % aligned.LINE == 0


@pytest.mark.parametrize(
    ("n", "apart"),
    [(1, 64), (16, 64), (17, 128), (700, 2816), (1000, 4032), (1024, 4160)],  # as far as 4096 bytes the sets repeat
)
@pytest.mark.parametrize("others", [(), (3,), (2, 3)])
def test_rows_begin_with_lines_of_different_sets(n, apart, others):
    array = aligned.rows((*others, 2, n))
    assert array.shape == (*others, 2, n)
    assert array.dtype == np.float32
    assert not array.any()
    assert array.ctypes.data % aligned.LINE == 0
    assert array.strides[-2:] == (apart, 4)
    assert aligned.has_aligned_rows(array)
    assert aligned.has_aligned_rows(array.swapaxes(-1, -2))


@pytest.mark.parametrize("n", [7, 50, 1024])
def test_rows_without_gaps_begin_with_lines_only_by_chance(n):
    assert not aligned.has_aligned_rows(aligned.zeros((2, n)))
    assert aligned.has_aligned_rows(aligned.zeros((2, 48)))


def test_a_run_computes_on_aligned_arrays():
    trainer = Trainer(Experiment(network="conv4@3p1 pool2 dense16", optimizer="adam", steps=2, batch_size=16))
    trainer.advance()
    arrays = [trainer.network.vector.data, trainer.network.vector.grad, *trainer.optimizer.memory.values()]
    layers = {*trainer.network.layers, *trainer.network.in_training}
    arrays += [array for layer in layers for array in layer.workspace.arrays.values()]
    assert len(arrays) > 10
    assert all(array.ctypes.data % aligned.LINE == 0 for array in arrays)
