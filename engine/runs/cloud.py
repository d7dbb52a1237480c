"""Where the last hidden layer puts the test examples: a cloud in which, while a network learns, classes come apart.

It is looked at beside the training, a piece of the examples at a time and so rarely that it costs a fiftieth of the
time whatever the network; between two looks the picture stays as it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator

import numpy as np

from engine.analysis.projection import PrincipalPlane
from engine.nn import Flatten
from engine.training import metrics
from engine.training.trainer import Trainer, completed

EXAMPLES = 250  # the first ones of the test set
MAX_UNITS = 8_192  # of the layer: what is kept of 250 examples then takes 8 MB
TOO_FAR = 1e30  # farther out float32 has no room for the coordinates
RARELY = 50  # times as long as a look took nobody looks again


class Cloud:
    """The cloud of a run.

    layer: name of the layer that is seen, with so many units; "" where nothing is: on toy2d, whose points lie in a
    plane already, without a hidden layer, and where the layer is too large. arrays: cloud (n, 4) float32, two
    coordinates, right and predicted class; nothing before all examples were seen, and where they lie too far out.
    share: of the variance in these two coordinates.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        layers = trainer.network.layers
        hidden = layers[: [layer.name for layer in layers].index("output")]  # dropout may come after the output
        self.layer, self.units = "", 0
        if trainer.data.x_test.ndim > 2 and any(layer.parameters() for layer in hidden):
            units = math.prod(hidden[-1].out_shape)
            if units <= MAX_UNITS:
                names = [layer.name for layer in hidden if not isinstance(layer, Flatten)]
                self.layer, self.units, self._seen = names[-1].split(".")[0], units, hidden[-1]
        self.arrays: dict[str, np.ndarray] = {}
        self.share = 0.0
        self._plane = PrincipalPlane()
        self._pieces: Generator[None, None, None] | None = None
        self._due = 0.0

    def look(self) -> None:
        """See one piece of the examples, if that is due."""
        start = time.monotonic()
        if start < self._due:
            return
        self._pieces = self._pieces or self._see()
        if next(self._pieces, StopIteration) is StopIteration:
            self._pieces = None
        self._due = time.monotonic() + RARELY * (time.monotonic() - start)

    def refresh(self) -> Generator[None, None, None]:
        """See all the examples as the network is now, piece by piece."""
        self._pieces = None
        yield from self._see()

    def _see(self) -> Generator[None, None, None]:
        if not self.layer:
            return
        trainer = self.trainer
        x, labels = trainer.data.x_test[:EXAMPLES], trainer.data.y_test[:EXAMPLES]
        points = np.empty((len(x), self.units), np.float32)
        predicted = np.empty(len(x))
        for piece in metrics.pieces(trainer.network, len(x)):
            if piece.start:
                yield

            def collect(layer, y, piece=piece):
                if layer is self._seen:
                    points[piece] = y

            with trainer.network.register_forward_hook(collect):  # not for longer: the network trains between pieces
                outputs = completed(trainer.outputs(x[piece]))
            predicted[piece] = outputs.argmax(axis=1)
        self.arrays = {}
        if np.abs(points).max() < TOO_FAR:  # NaN is not
            coordinates, self.share = self._plane.project(points)
            self.arrays = {"cloud": np.column_stack([coordinates, labels, predicted]).astype(np.float32)}
