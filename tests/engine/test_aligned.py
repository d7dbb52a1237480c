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


def test_a_run_computes_on_aligned_arrays():
    trainer = Trainer(Experiment(network="conv4@3p1 pool2 dense16", optimizer="adam", steps=2, batch_size=16))
    trainer.advance()
    arrays = [trainer.network.vector.data, trainer.network.vector.grad, *trainer.optimizer.memory.values()]
    layers = {*trainer.network.layers, *trainer.network.in_training}
    arrays += [array for layer in layers for array in layer.workspace.arrays.values()]
    assert len(arrays) > 10
    assert all(array.ctypes.data % aligned.LINE == 0 for array in arrays)
