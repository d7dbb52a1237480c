"""A validation set: examples taken from the training set, to choose by, so that the test set stays unseen."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.data.dataset import Dataset
from engine.errors import N_, InputError


def hold_out(data: Dataset, share: float, *, rng: np.random.Generator) -> Dataset:
    """Return the set with `share` of its training examples, drawn at random, in place of the test examples.

    n examples are shuffled first (files are often sorted by class): round(share · n) of them are held out, the others
    stay to learn from. What was the test set is in neither part.

    Raises `InputError` when a part would be empty.
    """
    n = len(data.x_train)
    held = round(share * n)
    if not 0 < held < n:
        raise InputError(N_("A share of {share} cannot be held out of {n} training examples."), share=share, n=n)
    order = rng.permutation(n)
    arrays = [array[part] for part in (order[held:], order[:held]) for array in (data.x_train, data.y_train)]
    for array in arrays:
        array.setflags(write=False)
    x_train, y_train, x_test, y_test = arrays
    return dataclasses.replace(data, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
