"""What a run came to, measured when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from engine.experiment import Experiment
from engine.training.history import EVALUATED
from engine.training.trainer import Trainer

SLICE = 0.25  # seconds of training from one look at a run to the next


@dataclass(frozen=True, eq=False)
class Result:
    """What a run came to.

    Sizes, loss and accuracies (0 … 1) are those of all the examples that the experiment takes from either set, with the
    network at rest; `loss` is the training set's, `test_loss` the other. seconds: spent in updates alone. finished:
    "completed" or "diverged"; the losses of a diverged run may be NaN. curves: see `History.curves`.
    """

    dataset: str
    train_size: int
    test_size: int
    parameters: int
    iterations: int
    seconds: float
    loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    finished: str
    curves: Mapping[str, list[float]]

    @classmethod
    def of(cls, trainer: Trainer) -> Result:
        """Measure a trainer whose run is over."""
        measured = trainer.evaluate(limit=0)
        return cls(
            dataset=trainer.experiment.data,
            train_size=len(trainer.data.x_train),
            test_size=len(trainer.data.x_test),
            parameters=trainer.network.vector.data.size,
            iterations=trainer.step,
            seconds=trainer.seconds,
            loss=measured.train_loss,
            test_loss=measured.test_loss,
            train_accuracy=measured.train_accuracy,
            test_accuracy=measured.test_accuracy,
            finished=trainer.finished.reason,
            curves=trainer.history.curves(),
        )

    @classmethod
    def of_frame(cls, experiment: Experiment, header: Mapping, arrays: Mapping[str, np.ndarray]) -> Result:
        """Return what the last frame of a live run says (engine/runs/frames.py): of at most 1,000 examples a set."""
        loss, evaluated = arrays["loss"], arrays["evaluated"]
        _, train_loss, train_accuracy, test_loss, test_accuracy = map(float, evaluated[-1])
        curves = {"loss_step": loss[:, 0].tolist(), "loss": loss[:, 1].tolist(), "seconds": loss[:, 2].tolist()}
        curves |= {name: evaluated[:, i].tolist() for i, name in enumerate(("step", *EVALUATED))}
        return cls(
            dataset=experiment.data,
            train_size=header["train_size"],
            test_size=header["test_size"],
            parameters=header["parameters"],
            iterations=header["step"],
            seconds=header["seconds"],
            loss=train_loss,
            test_loss=test_loss,
            train_accuracy=train_accuracy,
            test_accuracy=header.get("test_accuracy", test_accuracy),
            finished=header["state"],
            curves=curves,
        )


Results = Mapping[str, Result]


def train(experiment: Experiment, watch: Callable[[Trainer], None] | None = None, *, threads: int = 1) -> Trainer:
    """Return a trainer after its whole run; `watch` is shown it about every `SLICE` seconds meanwhile.

    threads: see `Trainer`; they change no number.

    Raises `InputError` when the data is not there or the network is too large.
    """
    trainer = Trainer(experiment, probe_every=0, threads=threads)
    while trainer.finished is None:
        trainer.advance(seconds=SLICE)
        if watch:
            watch(trainer)
    return trainer
