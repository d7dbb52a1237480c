"""Novelty: is this anything that the network has learned, or something it has never seen the like of?

A classifier must name one of its classes, whatever it is given; its probabilities only compare the classes with each
other. How loudly it answers at all says more: the energy of its outputs z,

    E = ln Σₖ eᶻᵏ

is high where something speaks for a class, and low where nothing speaks for any. An answer below a threshold is no
answer. The threshold belongs to the network: it is where `REFUSED` of real examples lie below, turned, slanted and
stretched a little, because the hands that draw are not those that the network learned from.

Source: Liu, Wang, Owens & Li, "Energy-based Out-of-distribution Detection", NeurIPS 2020.
"""

from __future__ import annotations

import math

import numpy as np

from engine.data import datasets
from engine.data.augment import Augmentation, Augmenter
from engine.data.handwriting import SIZE
from engine.training import metrics
from engine.training.checkpoint import Model

# Chosen on five networks, among 1 % and 0.5 % and five degrees of distortion, so that of MNIST's test digits and of pen
# strokes of unseen writers, as they are, at most 1 % are refused. Without distortion one network refuses 7 % of the
# latter. The shipped one refuses 0.6 % of either, and of what is no digit all dots, 88 % of blots and 68 % of
# scribbles; many letters look like digits, and are read as such.
REFUSED = 0.005
STYLES = Augmentation(rotation=10, shear=0.2, scale=0.1)
PICTURES = 1_000


def energy(outputs: np.ndarray) -> np.ndarray:
    """Return E (N,) of outputs (N, K)."""
    highest = outputs.max(axis=1, keepdims=True)
    return highest[:, 0] + np.log(np.exp(outputs - highest).sum(axis=1))


def threshold(model: Model, pictures: np.ndarray) -> float:
    """Return the energy below which `REFUSED` of real examples lie, each in another style.

    pictures: raw examples (N, H, W, C) of what the model learned; the first `PICTURES` of them are used.
    """
    pictures = pictures[:PICTURES]
    styled = np.empty(pictures.shape, np.float32)
    Augmenter(STYLES, rng=np.random.Generator(np.random.SFC64(0)))(pictures, styled)
    return float(np.quantile(energy(metrics.predict(model.network, styled, model.scale)), REFUSED))


def threshold_of(model: Model) -> float:
    """Return the threshold that belongs to a network of pictures, found on test examples of what it learned: of digits
    of 28×28 the built-in ones. Of a network whose examples are not on this computer, or are no pictures of the size
    that it reads, it is minus infinity: nothing is refused.
    """
    shape = model.network.in_shape
    digits = model.classes == datasets.DIGITS and shape == (SIZE, SIZE, 1)
    try:
        data = datasets.load("mnist-5k" if digits else model.experiment.data)
    except datasets.DatasetError:
        return -math.inf
    return threshold(model, data.x_test) if data.shape == shape and len(shape) == 3 else -math.inf
