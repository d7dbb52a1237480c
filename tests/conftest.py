"""What all tests share: one BLAS thread, the same examples in every run, and a small data set to train on."""

import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so in a shell's background, and in all that tests start there
    signal.signal(signal.SIGINT, signal.default_int_handler)

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy loads

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from engine.data.dataset import Dataset  # noqa: E402
from engine.experiment import Experiment  # noqa: E402

_calm = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("kasane", derandomize=True, deadline=None, max_examples=40, suppress_health_check=_calm)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=_calm)
settings.load_profile("kasane")  # the other one: pytest --hypothesis-profile=thorough


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    """120 + 40 pictures of 6 × 6 pixels in four classes, each class a pattern under noise: learnt in a few steps."""
    rng = np.random.default_rng(7)
    patterns = rng.uniform(40, 215, (4, 6, 6, 1))

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(n) % 4
        pictures = np.clip(patterns[labels] + rng.normal(0, 30, (n, 6, 6, 1)), 0, 255).astype(np.uint8)
        pictures.setflags(write=False)
        return pictures, labels

    x_train, y_train = draw(120)
    x_test, y_test = draw(40)
    return Dataset("blobs", x_train, y_train, x_test, y_test, classes=("a", "b", "c", "d"), scale=1 / 255)


@pytest.fixture(scope="session")
def small() -> Experiment:
    """A run on `blobs` of 40 steps, evaluated every 10: a few milliseconds."""
    return Experiment(network="dense12 dense8", batch_size=16, steps=40, evaluate_every=10, lr=0.05)
