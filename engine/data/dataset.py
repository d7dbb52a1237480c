"""A data set: examples with their labels, in a part to learn from and a part to be tested on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """Examples with their labels, split into a part to learn from and a part to be tested on.

    Raw values are kept as they came; a network gets `x * scale`.
    """

    name: str
    x_train: np.ndarray  # images: uint8 (N, H, W, C); toy2d: float32 (N, 2); C-contiguous
    y_train: np.ndarray  # int64 (N,), 0 … len(classes) − 1
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    scale: float  # 1/255 for images, 1/16 for the 8×8 digits, 1 for points

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example: (H, W, C) or (2,)."""
        return self.x_train.shape[1:]

    def head(self, train_size: int = 0, test_size: int = 0) -> Dataset:
        """Return the set with only its first `train_size` and `test_size` examples (views); 0, or too many, is all."""
        train, test = slice(train_size or None), slice(test_size or None)
        return dataclasses.replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_test=self.x_test[test],
            y_test=self.y_test[test],
        )
