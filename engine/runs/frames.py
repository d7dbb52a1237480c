"""A frame is everything the live view draws of a run at one moment, small enough to send five times a second.

header: step, steps, epoch, seconds, lr, parameters, batch, data, classes, layers (names) and more
arrays: loss (n, 3) step, mini-batch loss, seconds; evaluated (m, 5) step and `EVALUATED`; layer0, layer1, … (k, 6)
step and `PROBED`; activations, gradients, weights (layers, BINS) counts with their limits (layers, 2); zeros
(layers, 1), the share of each layer's weights that are smaller than `ZERO`.
On toy2d also plane (G, G) uint8, P(class 1) over [−6, 6]² row by row from the top; responses (units, R, R) uint8, each
hidden unit's output on the same square; points (n, 3) x1, x2, class. Of a convolution that sees the picture itself
filters and, as they were before training, filters_before (F, k, k) uint8. At rest also confusion (K, K), rows right,
columns predicted; wrong (w, H·W) uint8 images, wrong_labels (w, 2) right and predicted, wrong_confidence (w,).
"""

from __future__ import annotations

import math

import numpy as np

from engine import build
from engine.data import toy2d
from engine.experiment import parse_features
from engine.nn import Activation, Conv2d
from engine.training import metrics
from engine.training.history import EVALUATED
from engine.training.probes import sample
from engine.training.trainer import Trainer

PLANE, RESPONSE, MAX_RESPONSES = 64, 20, 64
MAX_WRONG = 40
MAX_FILTERS = 64
ZERO = 1e-3  # an L1 decay leaves weights trembling around 0 by the learning rate times it
HISTOGRAMS = {"activations": "activation_limits", "gradients": "gradient_limits", "weights": "weight_limits"}


def describe(trainer: Trainer, *, at_rest: bool) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return header and arrays of a frame. at_rest: also measure what the network gets wrong on the whole test set."""
    history, experiment = trainer.history, trainer.experiment
    header: dict[str, object] = {
        "step": trainer.step,
        "steps": experiment.steps,
        "epoch": trainer.epoch,
        "seconds": trainer.seconds,
        "lr": trainer.optimizer.current_lr,
        "parameters": int(trainer.network.vector.data.size),
        "batch": trainer.batches.size,
        "train_size": len(trainer.data.x_train),
        "test_size": len(trainer.data.x_test),
        "data": trainer.data.name,
        "classes": trainer.data.classes,
        "layers": list(history.layers),
    }
    arrays = {"loss": history.loss.rows(), "evaluated": _evaluated(trainer) if at_rest else history.evaluated.rows()}
    for index, series in enumerate(history.layers.values()):
        arrays[f"layer{index}"] = series.rows()
    if history.latest:
        for name, limits in HISTOGRAMS.items():
            arrays[name] = np.array([getattr(layer, name) for layer in history.latest.layers], float)
            arrays[f"{name}_limits"] = np.array([getattr(layer, limits) for layer in history.latest.layers], float)
        weights = [sample(it.data) for it in trainer.network.parameters().values() if it.decays]
        arrays["zeros"] = np.array([[np.mean(np.abs(weight) < ZERO)] for weight in weights])
    arrays |= filters(trainer)
    with np.errstate(over="ignore", invalid="ignore"):
        if experiment.data == "toy2d":
            arrays |= _plane(trainer)
        if at_rest:
            arrays |= _mistakes(trainer, header)
    return header, arrays


def _evaluated(trainer: Trainer) -> np.ndarray:
    """Return the evaluations so far, the present step's among them (which the run itself may not have asked for)."""
    rows = trainer.history.evaluated.rows()
    if trainer.finished is None and (not len(rows) or rows[-1, 0] != trainer.step):
        now = trainer.evaluate()
        rows = np.vstack([rows.reshape(-1, 1 + len(EVALUATED)), [now.step, *(getattr(now, n) for n in EVALUATED)]])
    return rows


def filters(trainer: Trainer) -> dict[str, np.ndarray]:
    """Return the kernels of a first convolution, now and before training, where they are pictures of one channel.

    Each is scaled by its own largest number: 1 is minus that, 128 zero, 255 plus that.
    """
    first = next((layer for layer in trainer.network.layers if layer.parameters()), None)
    if not isinstance(first, Conv2d) or first.weight.data.shape[2] != 1 or first.kernel == 1:
        return {}
    before = build.initial_weights(trainer.experiment, first.weight.data.shape)
    pairs = {"filters": first.weight.data, "filters_before": before}
    return {name: _signed_bytes(weights[:, :, 0, :MAX_FILTERS].transpose(2, 0, 1)) for name, weights in pairs.items()}


def _signed_bytes(pictures: np.ndarray) -> np.ndarray:
    largest = np.abs(pictures).max(axis=(1, 2), keepdims=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = np.nan_to_num(pictures / largest, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.rint(128 + 127 * share).astype(np.uint8)


def _plane(trainer: Trainer) -> dict[str, np.ndarray]:
    """Return what the network and each hidden unit make of the whole plane."""
    names = parse_features(trainer.experiment.features)
    outputs = trainer.network.forward(toy2d.features(square(PLANE), names), training=False)
    plane = trainer.loss.probabilities(outputs)[:, 1].reshape(PLANE, PLANE)
    responses: list[np.ndarray] = []

    def collect(layer, y):
        if isinstance(layer, Activation):
            responses.extend(y.T.reshape(-1, RESPONSE, RESPONSE).copy())

    with trainer.network.register_forward_hook(collect):
        trainer.network.forward(toy2d.features(square(RESPONSE), names), training=False)
    raw = build.load_raw(trainer.experiment).head(trainer.experiment.train_size)
    points = np.column_stack([raw.x_train, raw.y_train])
    return {
        "plane": to_bytes(plane, 0.0, 1.0),
        "responses": np.array([to_bytes(unit, unit.min(), unit.max()) for unit in responses[:MAX_RESPONSES]], np.uint8),
        "points": points,
    }


def square(size: int) -> np.ndarray:
    """Return (size², 2) float32: the centres of size × size cells of [−6, 6]², row by row from the top left."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size * 12 - 6
    x1, x2 = np.meshgrid(centres, centres[::-1])
    return np.column_stack([x1.ravel(), x2.ravel()])


def to_bytes(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return `values` as uint8, 0 for `low` and below, 255 for `high` and above; 128 where nothing can be said."""
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return np.full(values.shape, 128, np.uint8)
    return np.clip((values - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def _mistakes(trainer: Trainer, header: dict[str, object]) -> dict[str, np.ndarray]:
    """Return the confusion matrix of the whole test set and its most confident errors; put the accuracy in `header`."""
    data = trainer.data
    with trainer.at_rest():
        outputs = metrics.predict(trainer.network, data.x_test, data.scale)
    if not np.isfinite(outputs).all():
        return {}
    probabilities = trainer.loss.probabilities(outputs)
    header["test_accuracy"] = float(np.mean(outputs.argmax(axis=1) == data.y_test))
    arrays = {"confusion": metrics.confusion_matrix(outputs, data.y_test)}
    if data.x_test.dtype == np.uint8:
        wrong = metrics.misclassified(probabilities, data.y_test, MAX_WRONG)
        raw = data.x_test[wrong].astype(np.float32) * (255 * data.scale)
        header["image"] = data.shape[:2]
        arrays["wrong"] = raw.astype(np.uint8).reshape(len(wrong), -1)
        arrays["wrong_labels"] = np.column_stack([data.y_test[wrong], outputs[wrong].argmax(axis=1)])
        arrays["wrong_confidence"] = probabilities[wrong].max(axis=1)
    return arrays
