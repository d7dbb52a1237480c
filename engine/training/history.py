"""What a run has shown so far, as curves that never outgrow a fixed length.

A series that is full halves itself: every second point goes, and from then on only every second one that comes is
kept, but the first and the newest always. A million steps so cost the memory of a thousand, and a picture of them the
same few kilobytes.
"""

from __future__ import annotations

import numpy as np

from engine.errors import N_, InputError
from engine.training.events import Evaluated, Event, LayerReading, Snapshot, Step

EVALUATED = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
PROBED = ("mean", "std", "dead", "grad_norm", "update_ratio")


class Series:
    """Rows of numbers against steps, at most `limit` (an even number) of them.

    averaged: every row kept is the mean of `stride` rows that came in turn, the steps' numbers included (for the noisy
    loss of a mini-batch); else it is the first of them, and the others are left out, the newest excepted.
    """

    def __init__(self, width: int, limit: int, *, averaged: bool = False) -> None:
        self.limit, self.averaged = limit, averaged
        self.stride = 1
        self._rows = np.zeros((limit, 1 + width))
        self._length = 0
        self._pending = np.zeros(1 + width)
        self._pending_count = 0

    def append(self, step: int, *values: float) -> None:
        """Add one row."""
        row = (step, *values)
        if self.averaged:
            self._pending += row
        else:
            self._pending[:] = row
        self._pending_count += 1
        if self._pending_count == self.stride:
            self._push(self._pending / self.stride if self.averaged else row)

    def _push(self, row) -> None:
        """Keep a row; where that fills the series, halve it at once, so that the rows to come fill whole strides."""
        self._rows[self._length] = row
        self._length += 1
        self._pending[:] = 0
        self._pending_count = 0
        if self._length < self.limit:
            return
        kept, newest = self._rows[0::2], self._rows[-1].copy()
        if self.averaged:
            kept = (kept + self._rows[1::2]) / 2
        else:
            self._pending[:] = newest
            self._pending_count = self.stride
        self._length = self.limit // 2
        self._rows[: self._length] = kept
        self.stride *= 2

    @property
    def first(self) -> np.ndarray:
        """The first row, which is never left out; zeros as long as there is none."""
        return self._rows[0]

    def rows(self) -> np.ndarray:
        """Return (n, 1 + width) float64: step, then the values."""
        kept = self._rows[: self._length]
        if not self._pending_count:
            return kept.copy()
        last = self._pending / (self._pending_count if self.averaged else 1)
        return np.vstack([kept, last])

    def state(self) -> np.ndarray:
        """Return everything as one array that `restore` inverts."""
        head = np.zeros((2, self._rows.shape[1]))
        head[0, :2] = self.stride, self._pending_count
        head[1] = self._pending
        return np.vstack([head, self._rows[: self._length]])

    def restore(self, state: np.ndarray) -> None:
        """Invert `state`. Raises `InputError` for an array that no series of this shape gives."""
        if state.ndim != 2 or state.shape[1] != self._rows.shape[1] or not 2 <= len(state) < self.limit + 2:
            template = N_("a curve must have {width} columns and at most {limit} rows")
            raise InputError(template, width=self._rows.shape[1], limit=self.limit)
        if not (1 <= state[0, 0] < 2**53 and 0 <= state[0, 1] < state[0, 0]):
            raise InputError("a curve must say how many rows each of its own stands for")
        self.stride, self._pending_count = int(state[0, 0]), int(state[0, 1])
        self._pending[:] = state[1]
        self._length = len(state) - 2
        self._rows[: self._length] = state[2:]


class History:
    """The curves of a run: `loss` (and the seconds) of every step, `evaluated`, and `layers`, the readings of each."""

    def __init__(self) -> None:
        self.loss = Series(2, 800, averaged=True)
        self.evaluated = Series(len(EVALUATED), 400)
        self.layers: dict[str, Series] = {}
        self.latest: Snapshot | None = None
        self.dead: dict[str, float] = {}  # by layer, of the newest evaluation

    def record(self, event: Event) -> None:
        """Add what an event says."""
        match event:
            case Step():
                self.loss.append(event.step, event.loss, event.seconds)
            case Evaluated():
                self.evaluated.append(event.step, *(getattr(event, name) for name in EVALUATED))
                self.dead = dict(event.dead)
            case Snapshot():
                self.latest = event
                for layer in event.layers:
                    series = self.layers.setdefault(layer.name, Series(len(PROBED), 160))
                    series.append(event.step, *(getattr(layer, name) for name in PROBED))

    def curves(self) -> dict[str, list[float]]:
        """Return the loss and the evaluations as lists, for JSON and CSV."""
        loss, evaluated = self.loss.rows(), self.evaluated.rows()
        curves = {"loss_step": loss[:, 0].tolist(), "loss": loss[:, 1].tolist(), "seconds": loss[:, 2].tolist()}
        curves |= {"step": evaluated[:, 0].tolist()}
        return curves | {name: evaluated[:, 1 + i].tolist() for i, name in enumerate(EVALUATED)}

    def state(self) -> dict[str, np.ndarray]:
        """Return the curves as arrays by name, for a checkpoint, which keeps names but not their order."""
        layers = {f"layer.{i:02}.{name}": series.state() for i, (name, series) in enumerate(self.layers.items())}
        state = {"loss": self.loss.state(), "evaluated": self.evaluated.state(), **layers}
        state |= {f"dead.{name}": np.array([share]) for name, share in self.dead.items()}
        if self.latest:
            state["latest"] = np.array([self.latest.step])
            state |= {f"latest.{i:02}.{layer.name}": layer.to_row() for i, layer in enumerate(self.latest.layers)}
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Invert `state`. Raises `InputError` or KeyError for anything else."""
        self.loss.restore(state["loss"])
        self.evaluated.restore(state["evaluated"])
        readings = []
        for name in sorted(state):
            kind, _, place = name.partition(".")
            _, _, layer = place.partition(".")
            if kind == "layer":
                self.layers[layer] = Series(len(PROBED), 160)
                self.layers[layer].restore(state[name])
            elif kind == "latest" and layer:
                readings.append(LayerReading.from_row(layer, state[name]))
            elif kind == "dead":
                self.dead[place] = float(state[name].item())
        if "latest" in state:
            self.latest = Snapshot(int(state["latest"][0]), tuple(readings))
