"""A run as one file: the spec, the weights, the optimizer's memory, the random streams and the curves.

The format is safetensors, arrays by name and a text header; nothing in it is ever executed. A model file that the
command line writes is the same with the network's arrays alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine import build
from engine.data.dataset import Dataset
from engine.errors import N_, InputError, Text
from engine.experiment import Experiment
from engine.nn import Loss, Sequential
from engine.training.averaging import load_averages
from engine.training.trainer import Trainer, part

FORMAT = "kasane-1"
MAX_BYTES = 256 * 1024 * 1024

# What may go wrong when the values of a file are not of the kind, the form or the size that they ought to be.
_MISFITS = (LookupError, ValueError, TypeError, ArithmeticError, RecursionError)


class CheckpointError(InputError):
    """A model or checkpoint is damaged, or is none."""


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network and what is needed to use it.

    network: in evaluation, takes raw examples times `scale`. classes: a name for each output.
    """

    experiment: Experiment
    network: Sequential
    classes: tuple[str, ...]
    scale: float

    @property
    def loss(self) -> type[Loss]:
        """What it was trained with, which knows how to read the network's outputs as probabilities."""
        return build.LOSSES[self.experiment.loss]

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return (N, K) for raw examples (N, *in_shape)."""
        outputs = self.network.forward(np.multiply(x, self.scale, dtype=np.float32), training=False)
        return self.loss.probabilities(outputs)


def dump(trainer: Trainer, *, network_only: bool = False) -> bytes:
    """Return a trainer's state, or only its network, as the bytes of a safetensors file: equal states, equal bytes."""
    model = Model(trainer.experiment, trainer.network, trainer.data.classes, trainer.data.scale)
    if not network_only:
        return _pack(model, *trainer.state_dict())
    with trainer.at_rest():
        return _pack(model, _weights(model.network))


def network_only(blob: bytes) -> bytes:
    """Return what `dump` writes of a run's network alone, from its checkpoint's bytes. Raises `CheckpointError`."""
    model = load_model(blob)
    return _pack(model, _weights(model.network))


def _weights(network: Sequential) -> dict[str, np.ndarray]:
    return {f"network.{name}": array for name, array in network.state_dict().items()}


def _pack(model: Model, arrays: dict[str, np.ndarray], rest: dict[str, object] | None = None) -> bytes:
    """Return the file that says what is needed to use a model, and what is left of its trainer, beside the arrays."""
    header = {
        "format": FORMAT,
        "experiment": model.experiment.to_json(),
        "in_shape": json.dumps(model.network.in_shape),
        "classes": json.dumps(model.classes),
        "scale": repr(model.scale),
    } | ({"trainer": json.dumps(rest)} if rest else {})
    return _canonical(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, header))


def _canonical(blob: bytes) -> bytes:
    """Return the safetensors file `blob` with its header in sorted order.

    The library writes the entries of a header in random order; so the same network would differ from file to file.
    """
    start = 8 + int.from_bytes(blob[:8], "little")
    header = json.dumps(json.loads(blob[8:start]), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)  # the arrays that follow stay aligned
    return len(header).to_bytes(8, "little") + header + blob[start:]


def restore(blob: bytes, data: Dataset | None = None) -> Trainer:
    """Return the trainer of a checkpoint, ready to go on. Raises `CheckpointError`."""
    header, arrays = _open(blob)
    try:
        trainer = Trainer(Experiment.from_json(header["experiment"]), data)
        trainer.load_state_dict(arrays, json.loads(header["trainer"]))
    except _MISFITS as error:
        raise CheckpointError(N_("This is not a checkpoint of a run ({reason})."), reason=_reason(error)) from error
    return trainer


def load_model(source: bytes | str | Path) -> Model:
    """Return the model in a file (path or bytes), a checkpoint's included. Raises `CheckpointError`, naming a path."""
    if isinstance(source, bytes):
        return _unpack(source)
    path = Path(source)
    if not path.is_file():
        raise CheckpointError(N_("There is no model file {file}."), file=str(path))
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(N_("The model file {file} is larger than {n} MB."), file=str(path), n=MAX_BYTES >> 20)
    try:
        return _unpack(path.read_bytes())
    except CheckpointError as error:
        raise CheckpointError(N_("{file}: {problem}"), file=str(path), problem=error.text) from error


def _unpack(blob: bytes) -> Model:
    """Return the model in the bytes of a file. Raises `CheckpointError`."""
    header, arrays = _open(blob)
    try:
        experiment = Experiment.from_json(header["experiment"])
        classes, in_shape, scale = json.loads(header["classes"]), json.loads(header["in_shape"]), float(header["scale"])
        if not (isinstance(classes, list) and len(classes) >= 2 and all(isinstance(name, str) for name in classes)):
            raise InputError("classes must be two names or more")
        whole = isinstance(in_shape, list) and all(type(size) is int and size > 0 for size in in_shape)
        if not whole or not 1 <= len(in_shape) <= 3:
            raise InputError("in_shape must be one to three positive whole numbers")
        if not 0 < scale < float("inf"):
            raise InputError("scale must be a positive number")
        network = build.build_network(experiment, tuple(in_shape), len(classes))
        network.load_state_dict(part(arrays, "network."))
        if "average.values" in arrays:
            targets = {"values": network.vector.data}
            targets |= {f"buffers.{name}": array for name, array in network.buffers().items()}
            load_averages(targets, part(arrays, "average."))
        return Model(experiment, network, tuple(classes), scale)
    except _MISFITS as error:
        raise CheckpointError(N_("This is not a model of Kasane ({reason})."), reason=_reason(error)) from error


def _reason(error: Exception) -> Text:
    """Return what is wrong with a file: what we say ourselves, else no more than can be said in every language."""
    if isinstance(error, InputError):
        return error.text
    return Text(N_("something that it needs is missing or of another kind"))


def read_experiment(blob: bytes) -> Experiment:
    """Return the spec alone. Raises `CheckpointError`."""
    header, _ = _open(blob)
    try:
        return Experiment.from_json(header["experiment"])
    except _MISFITS as error:
        raise CheckpointError(N_("This is not a checkpoint of a run ({reason})."), reason=_reason(error)) from error


def _open(blob: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Return header and arrays of safetensors bytes of our format."""
    try:
        arrays = load(blob)
        header = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError, OverflowError) as error:
        reason = Text(N_("its header does not describe what follows it"))
        raise CheckpointError(N_("This is not a safetensors file ({reason})."), reason=reason) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise CheckpointError(N_("This safetensors file was not written by Kasane."))
    return header, arrays
