"""Networks of every kind of layer, as models that look trained."""

from __future__ import annotations

import numpy as np

from engine import build
from engine.experiment import Experiment
from engine.training.checkpoint import Model

CLASSES = tuple("0123456789")

DENSE = "dense20 drop.3 dense15"
CONV = "conv4@5p2 pool2 conv6@3s2 dense12"

CASES = {
    "no hidden layer": {"network": ""},
    "dense": {"network": DENSE},
    "dense, batch norm": {"network": DENSE, "normalization": "batch", "dropout": 0.2},
    "dense, layer norm": {"network": DENSE, "normalization": "layer"},
    "convolution": {"network": CONV},
    "convolution, batch norm": {"network": CONV, "normalization": "batch"},
    "convolution, layer norm": {"network": CONV, "normalization": "layer", "activation": "gelu"},
    "stride and padding": {"network": "conv4@5p3s2 conv5@4p1s3"},
    "pools that overlap": {"network": "conv4@3 pool3s2 avgpool3s1", "activation": "silu"},
    "pools that leave a rest": {"network": "conv4@3 avgpool3 pool3", "activation": "gelu"},
    "pools that skip": {"network": "pool2s3 conv4@3 avgpool1s2 dense9"},
    "global average": {"network": "conv4@3p1 pool2 conv7@3 gap"},
    "global average and more": {"network": "conv4@3p1s2 gap dense9", "normalization": "batch"},
    "nothing but a pool": {"network": "pool4"},
    "dropout of the output": {"network": "conv3@3 pool2 dense9 drop.5 output drop.5"},
    "squared error": {"network": CONV, "loss": "squared_error"},
    **{name: {"network": "conv4@3s2 dense12", "activation": name} for name in build.ACTIVATIONS},
}


def make(settings: dict, in_shape=(28, 28, 1), classes=CLASSES, scale=1 / 255) -> Model:
    """Return a model that looks trained: weights that keep the size of the numbers, nothing at its initial value."""
    experiment = Experiment(**settings)
    network = build.build_network(experiment, in_shape, len(classes))
    rng = np.random.default_rng(1)
    for name, parameter in network.parameters().items():
        noise = rng.normal(0, 0.2, parameter.data.shape)
        parameter.data[...] += 0.1 * noise if parameter.decays else noise
        if name == "output.bias" and experiment.loss == "squared_error":
            parameter.data += 0.3  # some of the outputs between 0 and 1, some outside
    for name, array in network.buffers().items():
        array[...] = rng.uniform(0.5, 2, array.shape) if name.endswith("var") else rng.normal(0, 0.5, array.shape)
    return Model(experiment, network, tuple(classes), scale)
