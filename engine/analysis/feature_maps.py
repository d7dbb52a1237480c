"""Feature maps: what every layer of a network makes of one picture, and how much of the picture each number has seen.

A block is a layer with weights and what follows it up to the next: its maps are the numbers that go on, after
normalization, pooling and activation. They are taken by a hook on the way of an ordinary forward pass, which therefore
also gives the network's answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine import build
from engine.architecture import Row
from engine.experiment import Experiment
from engine.nn import Layer
from engine.training.checkpoint import Model
from engine.training.probes import block_name


@dataclass(frozen=True, eq=False)
class Block:
    """One block's answer to a picture.

    name: of its first layer, conv1. words: the network's words for it, "conv16@5p2 pool2". maps: float32 (C, H, W), a
    picture for every channel, or (D,), a number for every unit. receptive_field, jump, start: in input pixels, see
    `architecture.Row`; None where every number has seen the whole picture.
    """

    name: str
    words: str
    maps: np.ndarray
    receptive_field: int | None
    jump: int | None
    start: float | None

    def seen(self, row: int, column: int) -> tuple[float, float, float, float] | None:
        """Return top, left, bottom and right of what the number at that place of a map depends on.

        In input pixels, pixel i reaching from i to i + 1; where padding was seen too, beyond the picture. With s the
        start, j the jump and r the receptive field, a place i has seen from s + j i − r/2 to s + j i + r/2.
        """
        if self.receptive_field is None:
            return None
        y, x = (self.start + self.jump * place for place in (row, column))
        half = self.receptive_field / 2
        return y - half, x - half, y + half, x + half


def feature_maps(model: Model, picture: np.ndarray) -> tuple[np.ndarray, list[Block]]:
    """Return the network's outputs (K,) for one raw example (H, W, C), and its blocks from input to output."""
    rows = _rows(model.experiment, model.network.in_shape, len(model.classes))
    taken: dict[str, np.ndarray] = {}
    ends: dict[str, Row] = {}  # the row that a block's last layer stands for: it may have a pooling in it

    def take(layer: Layer, y: np.ndarray) -> None:
        name = block_name(layer.name)
        if name not in rows:  # what turns pictures into planes or into one row, or a dropout on the input
            return
        if layer.name.endswith(".pool"):  # the network's next word
            ends[name] = _following(rows, name)
        taken[name] = y

    with model.network.register_forward_hook(take):
        x = np.multiply(picture[None], model.scale, dtype=np.float32)
        outputs = model.network.forward(x, training=False)[0].copy()
        # Copied at once: the next pass overwrites them.
        blocks = [_block(rows[name], ends.get(name, rows[name]), y) for name, y in taken.items()]
    return outputs, blocks


def _block(first: Row, last: Row, y: np.ndarray) -> Block:
    """Return a block from what came out of its last layer, planes (H, C, W, 1) or (1, D)."""
    maps = y[..., 0].transpose(1, 0, 2).copy() if y.ndim == 4 else y[0].copy()
    words = str(first.token) if first is last else f"{first.token} {last.token}"
    return Block(first.name, words, maps, last.receptive_field, last.jump, last.start)


@lru_cache(maxsize=100)
def _rows(experiment: Experiment, in_shape: tuple[int, ...], classes: int) -> dict[str, Row]:
    return {row.name: row for row in build.describe(experiment, in_shape, classes)}


def _following(rows: dict[str, Row], name: str) -> Row:
    names = list(rows)
    return rows[names[names.index(name) + 1]]


def to_bytes(maps: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the maps as uint8, all on one scale, and the values that 0 and 255 stand for: low ≤ 0 ≤ high.

    Zero belongs to every scale, so that a unit that says nothing is black wherever the others say something.
    """
    low, high = min(0.0, float(maps.min())), max(0.0, float(maps.max()))
    if not np.isfinite(high - low) or high == low:
        return np.zeros(maps.shape, np.uint8), 0.0, 0.0
    return np.rint((maps - low) * (255 / (high - low))).astype(np.uint8), low, high
