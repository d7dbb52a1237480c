"""A frame is everything the live view draws of a run at one moment, small enough to send five times a second.

header: step, steps, epoch, seconds, lr, parameters, batch, data, classes, layers (names) and more
arrays: loss (n, 3) step, mini-batch loss, seconds; evaluated (m, 5) step and `EVALUATED`; layer0, layer1, … (k, 6)
step and `PROBED`; activations, gradients, weights (layers, BINS) counts with their limits (layers, 2); zeros
(layers, 1), the share of each layer's weights that are smaller than `ZERO`.
On toy2d also plane (G, G) uint8, P(class 1) over [−6, 6]² row by row from the top; inputs, responses and outputs
(units, R, R) uint8, what each input, hidden and output unit makes of the same square, with their limits (units, 2), the
numbers that 0 and 255 stand for, and in the header the inputs' names, how many units each hidden layer has, and of how
many of them there are responses, `shown`; links0, links1, … (in, out) the weights of each layer, where they can be told
apart as lines; points (n, 4) x1, x2, class, and 1 for those of the test set. Of a convolution that sees the picture
itself filters and, as they were before training, filters_before (F, k, k) uint8, of both with the largest |weight| of
each, filters_largest and filters_before_largest (F,). Of a run at rest also what `measure` tells: test_accuracy in the
header; confusion (K, K), rows right, columns predicted; wrong (w, H·W) uint8 images, wrong_labels (w, 2) right and
predicted, wrong_confidence (w,). The worker adds its own and the `Cloud`.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import numpy as np

from engine import build
from engine.data import toy2d
from engine.experiment import Experiment, parse_features
from engine.nn import Activation, Conv2d
from engine.runs import protocol
from engine.tokens import Dense, parse_network
from engine.training import metrics
from engine.training.probes import sample
from engine.training.trainer import Trainer

RESPONSE, MAX_RESPONSES = 20, 64
ROW = 12  # units that have room beside each other
MAX_WRONG, OF_PAIR = 100, 2  # the most confident mistakes of all, and of every pair, so that no cell is without
MAX_KEPT = 200
MAX_FILTERS = 64
ZERO = 1e-3  # an L1 decay leaves weights trembling around 0 by the learning rate times it
HISTOGRAMS = {"activations": "activation_limits", "gradients": "gradient_limits", "weights": "weight_limits"}


Part = tuple[dict[str, object], dict[str, np.ndarray]]  # header and arrays


def describe(trainer: Trainer) -> Part:
    """Return a frame but for what `measure` tells."""
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
    arrays = {"loss": history.loss.rows(), "evaluated": history.evaluated.rows()}
    for index, series in enumerate(history.layers.values()):
        arrays[f"layer{index}"] = series.rows()
    if history.latest:
        for name, limits in HISTOGRAMS.items():
            arrays[name] = np.array([getattr(layer, name) for layer in history.latest.layers], float)
            arrays[f"{name}_limits"] = np.array([getattr(layer, limits) for layer in history.latest.layers], float)
        weights = [sample(it.data) for it in trainer.network.parameters().values() if it.decays]
        arrays["zeros"] = np.array([[np.mean(np.abs(weight) < ZERO)] for weight in weights])
    arrays |= filters(trainer)
    if experiment.data == "toy2d":
        header["inputs"] = parse_features(experiment.features)
        header["units"] = hidden_units(experiment)
        header["shown"] = shown(header["units"])
        with np.errstate(over="ignore", invalid="ignore"), trainer.at_rest():
            arrays |= _plane(trainer)
    return header, arrays


def curves(frame: bytes) -> bytes:
    """Return a frame of a few kilobytes with loss and accuracy alone, to be drawn behind those of another run.

    Each curve is kept in at most `MAX_KEPT` of its points, the first and the last among them.
    """
    header, arrays = protocol.decode(frame)
    kept = {name: header[name] for name in ("step", "seconds", "batch", "train_size")}
    return protocol.encode(kept, {name: _every_so_often(arrays[name]) for name in ("loss", "evaluated")})


def _every_so_often(rows: np.ndarray) -> np.ndarray:
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_KEPT)).round().astype(int)]


def filters(trainer: Trainer) -> dict[str, np.ndarray]:
    """Return the kernels of a first convolution, now and before training, where they are pictures of one channel.

    Each is scaled by its own largest number, which is returned too: 1 is minus that, 128 zero, 255 plus that.
    """
    first = next((layer for layer in trainer.network.layers if layer.parameters()), None)
    if not isinstance(first, Conv2d) or first.weight.data.shape[2] != 1 or first.kernel == 1:
        return {}
    before = build.initial_weights(trainer.experiment, first.weight.data.shape)
    now, before = (weights[:, :, 0, :MAX_FILTERS].transpose(2, 0, 1) for weights in (first.weight.data, before))
    return _signed_bytes("filters", now) | _signed_bytes("filters_before", before)


def _signed_bytes(name: str, pictures: np.ndarray) -> dict[str, np.ndarray]:
    largest = np.abs(pictures).max(axis=(1, 2))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = np.nan_to_num(pictures / largest[:, None, None], nan=0.0, posinf=1.0, neginf=-1.0)
    return {name: np.rint(128 + 127 * share).astype(np.uint8), f"{name}_largest": largest}


def hidden_units(experiment: Experiment) -> list[int]:
    """Return how many units each hidden layer of an experiment on points has."""
    return [token.units for token in parse_network(experiment.network) if isinstance(token, Dense)]


def shown(units: Sequence[int]) -> list[int]:
    """Return how many units of each layer are shown, of `MAX_RESPONSES` in all.

    All of a layer, or an equal share of what the smaller ones leave. units: how many each layer has.
    """
    room, counts = MAX_RESPONSES, [0] * len(units)
    for done, layer in enumerate(sorted(range(len(units)), key=units.__getitem__)):
        counts[layer] = min(units[layer], room // (len(units) - done))
        room -= counts[layer]
    return counts


def _plane(trainer: Trainer) -> dict[str, np.ndarray]:
    """Return what the network and each of its units make of the whole plane, and the weights between them."""
    network, names = trainer.network, parse_features(trainer.experiment.features)
    outputs = network.forward(toy2d.features(square(toy2d.PLANE), names), training=False)
    plane = trainer.loss.probabilities(outputs)[:, 1].reshape(toy2d.PLANE, toy2d.PLANE)
    units, responses = hidden_units(trainer.experiment), []
    counts = iter(shown(units))

    def collect(layer, y):
        if isinstance(layer, Activation):
            responses.extend(y.T[: next(counts)].copy())

    inputs = toy2d.features(square(RESPONSE), names)
    with network.register_forward_hook(collect):
        outputs = network.forward(inputs, training=False)
    raw = build.load_raw(trainer.experiment).head(trainer.experiment.train_size, trainer.experiment.test_size)
    sets = ((raw.x_train, raw.y_train), (raw.x_test, raw.y_test))
    weights = [it.data for it in network.parameters().values() if it.decays]
    drawn = max(max(it.shape) for it in weights) <= ROW and sum(units) <= MAX_RESPONSES
    return {
        "plane": to_bytes(plane, 0.0, 1.0),
        **_pictures("inputs", inputs.T),
        **_pictures("responses", responses),
        **_pictures("outputs", outputs.T),
        "points": np.vstack([np.column_stack([x, y, np.full(len(y), test)]) for test, (x, y) in enumerate(sets)]),
    } | {f"links{index}": it for index, it in enumerate(weights if drawn else ())}


def _pictures(name: str, units: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Return what each unit makes of `square(RESPONSE)`, from its lowest number to its highest, and these two."""
    limits = np.array([(unit.min(), unit.max()) for unit in units], np.float32).reshape(-1, 2)
    pictures = [to_bytes(unit, low, high) for unit, (low, high) in zip(units, limits, strict=True)]
    return {
        name: np.array(pictures, np.uint8).reshape(-1, RESPONSE, RESPONSE),
        f"{name}_limits": limits,
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
    return np.rint(np.clip((values - low) * (255 / (high - low)), 0, 255)).astype(np.uint8)


def measure(trainer: Trainer) -> Generator[None, None, Part]:
    """Evaluate a run at rest, and find out piece by piece what its network gets wrong on the whole test set."""
    data = trainer.data
    outputs = yield from trainer.outputs(data.x_test)
    if not np.isfinite(outputs).all():
        return {}, {}
    yield from trainer.evaluation()
    probabilities = trainer.loss.probabilities(outputs)
    header: dict[str, object] = {"test_accuracy": float(np.mean(outputs.argmax(axis=1) == data.y_test))}
    arrays = {"confusion": metrics.confusion_matrix(outputs, data.y_test)}
    if data.x_test.dtype == np.uint8:
        wrong = metrics.misclassified(probabilities, data.y_test, MAX_WRONG, OF_PAIR)
        raw = data.x_test[wrong].astype(np.float32) * (255 * data.scale)
        header["image"] = data.shape[:2]
        arrays["wrong"] = raw.astype(np.uint8).reshape(len(wrong), math.prod(data.shape))
        arrays["wrong_labels"] = np.column_stack([data.y_test[wrong], outputs[wrong].argmax(axis=1)])
        arrays["wrong_confidence"] = probabilities[wrong].max(axis=1)
    return header, arrays
