"""Fine-tuning: a network that can read already learns a few drawings more, without forgetting what it knew.

A copy of the network goes on training, with small steps, on a mixture: the new drawings, each many times and each time
a little different (augmentation), among the digits of the old kind. Without the old ones it would soon read everything
as what it was shown last ("catastrophic forgetting", McCloskey & Cohen 1989).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from engine.data.dataset import Dataset
from engine.errors import N_, InputError
from engine.training import metrics
from engine.training.checkpoint import Model, dump
from engine.training.trainer import Trainer

STEPS, SECONDS = 300, 2.0  # whichever is over first,
FEWEST = 30  # but on a busy machine at least so many steps
REPEATS = 40  # of every new drawing in one pass through the mixture,
SHARE = 1 / 3  # but together not more of it than this, unless once each is more
OTHERS = 500  # old examples that are held back to see what was forgotten
# With the shipped reader and nine pen strokes that it misreads, 50 such steps (2 s of one core) make it read all nine
# right, and 1.1 % of MNIST's test digits wrong that it read right before; 300 steps forget no more. Half the rate gives
# as much.
SETTINGS = {
    "optimizer": "adam",
    "lr": 0.001,
    # Not the network's own: with an ε of 1, say, Adam's steps are too small to learn anything in so few.
    "beta1": 0.9,
    "beta2": 0.999,
    "eps": 1e-8,
    "bias_correction": True,
    # What AdamW takes off the weights themselves, Adam would add to the gradient, where the reader's 0.15 drowns it.
    "l2": 0.0,
    "l1": 0.0,
    "schedule": "constant",
    "warmup": 0,
    "batch_size": 50,
    "evaluate_every": 100_000,
    "ema": 0.0,
    "shift": 1.0,
    "rotation": 10.0,
    "scale": 0.1,
    "shear": 0.1,
}


@dataclass(frozen=True, eq=False)
class Tuned:
    """A network that was fine-tuned.

    model: the bytes of its file. before, after: the share (0 … 1) it reads right of the new drawings, which it learned
    from, and of old examples, which it was not shown now (though perhaps when it was trained).
    """

    model: bytes
    steps: int
    before: tuple[float, float]
    after: tuple[float, float]


def fine_tune(
    model: Model,
    drawings: tuple[np.ndarray, np.ndarray],
    old: Dataset,
    *,
    steps: int = STEPS,
    seconds: float | None = SECONDS,
    seed: int = 0,
) -> Tuned:
    """Return a copy of the network trained on for so many steps, or about so many seconds.

    drawings: new examples (N, H, W, C) uint8, and their labels (N,). old: what the network knows already.
    The numbers are decided by the seed where `seconds` is None. Raises `InputError` for a network of other classes or
    pictures, and when the numbers diverge.
    """
    x, y = drawings
    if model.classes != old.classes or model.network.in_shape != x.shape[1:]:
        raise InputError(N_("This network does not read digits of 28 × 28 pixels; it cannot learn from drawings."))
    repeats = max(1, min(REPEATS, round(SHARE / (1 - SHARE) * len(old.x_train) / len(x))))
    mixture = Dataset(
        "mixture",
        np.concatenate([old.x_train, *[x] * repeats]),
        np.concatenate([old.y_train, *[y] * repeats]),
        old.x_test[:OTHERS],
        old.y_test[:OTHERS],
        model.classes,
        model.scale,
    )
    settings = SETTINGS | {"steps": steps, "seed": seed, "train_size": 0, "test_size": 0}
    trainer = Trainer(model.experiment.replace(**settings), mixture, probe_every=0)
    trainer.network.load_state_dict(model.network.state_dict())

    def measure() -> tuple[float, float]:
        outputs = [metrics.predict(trainer.network, examples, model.scale) for examples in (x, mixture.x_test)]
        pairs = zip(outputs, (y, mixture.y_test), strict=True)
        return tuple(float(np.mean(answers.argmax(axis=1) == labels)) for answers, labels in pairs)

    with np.errstate(over="ignore", invalid="ignore"):  # what leaves all bounds is told in a sentence
        before, made = measure(), _train(trainer, steps, seconds)
        if not np.isfinite(trainer.network.vector.data).all():
            raise InputError(N_("Training on the drawings diverged; the network is left as it was."))
        return Tuned(dump(trainer, network_only=True), made, before, measure())


def _train(trainer: Trainer, steps: int, seconds: float | None) -> int:
    """Make the steps and return how many they were; without the evaluations that a run would make on its way."""
    deadline = time.monotonic() + (float("inf") if seconds is None else seconds)
    network, loss = trainer.network, trainer.loss
    for made in range(steps):
        if made >= FEWEST and time.monotonic() >= deadline:
            return made
        x, labels = trainer.batches.next()
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        trainer.optimizer.step()
    return steps
