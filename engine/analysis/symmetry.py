"""Symmetry: units that start with equal weights compute the same, get the same gradient, and so stay the same.

Let every weight of a layer be equal. Then every unit of it has the same input and output; the gradient of a unit's
weights depends on nothing but its input, its output and the weights that it sends to, all of which are equal: after
any number of steps the layer is one unit, drawn many times.
"""

from __future__ import annotations

import numpy as np

from engine.experiment import Experiment
from engine.training.trainer import Trainer


def unit_differences(experiment: Experiment, steps: int) -> dict[str, float]:
    """Train for some steps and return, of each dense hidden layer, how far apart its most different units are.

    That is the largest |w − w′| between weights that two of its units give the same input, divided by the layer's
    largest |w|: 0 for identical units, about 2 for random ones, 0 also where every weight is 0.
    """
    trainer = Trainer(experiment.replace(steps=steps), probe_every=0)
    while trainer.finished is None:
        trainer.advance(steps=steps)
    return {
        layer.name: difference(layer.weight.data)
        for layer in trainer.network.layers
        if layer.name.startswith("dense") and "." not in layer.name
    }


def difference(weight: np.ndarray) -> float:
    """Return the largest distance between two columns of a weight (inputs, units), relative to its largest entry."""
    largest = float(np.abs(weight).max())
    return float((weight.max(axis=1) - weight.min(axis=1)).max()) / largest if largest else 0.0
