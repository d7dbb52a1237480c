"""A trained network that reads pictures for whoever asks, and where the page's networks come from.

Answers are given in threads: a network's work buffers belong to one caller at a time, so every network has a lock. Its
weights are looked up anew at each answer, so that what asks follows a run that is being trained.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine import shipped as shipped_network
from engine.analysis import novelty, reasons
from engine.analysis.feature_maps import Block, feature_maps
from engine.data.handwriting import SIZE
from engine.errors import N_, InputError, Text
from engine.runs import store
from engine.runs.pool import Pool
from engine.training import metrics
from engine.training.checkpoint import CheckpointError, Model, load_model

RECONSIDERED = 10.0  # seconds after which a network that goes on learning is asked anew what it knows at all
SHEETS = 16  # lots of pictures whose readings a network keeps
SHIPPED = shipped_network.PATH
LABELS = {
    "run": N_("Just trained"),
    "shipped": N_("Shipped with Kasane"),
    "tuned": N_("Tuned on your digits"),
    "brought": N_("From a file"),
}
UNTRAINED = N_("This network has no weights yet; train it for a moment.")

log = logging.getLogger("kasane.reading")


@dataclass(frozen=True)
class Look:
    """What a pad wants to see of the inside of a network: its feature maps, and why it answers so.

    why: one of `reasons.WAYS`, or "".
    """

    network: str
    maps: bool
    why: str


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network made of a picture.

    known: False where the picture is like nothing that it learned. blocks: what every layer made of it, and why: what
    the answer hangs on, header and arrays, where that was asked for.
    """

    model: Model
    probabilities: np.ndarray
    known: bool
    blocks: tuple[Block, ...] = ()
    why: tuple[dict[str, object], dict[str, np.ndarray]] | None = None


class Network:
    """A trained network that several threads may ask, one after the other.

    newest: called with the bytes that are loaded (None at first); returns newer ones, the same object when there are
    none, or None when the network is nowhere to be found.
    """

    def __init__(self, newest: Callable[[bytes | None], bytes | None]) -> None:
        self._newest = newest
        self._lock = threading.Lock()
        self._blob: bytes | None = None
        self._model: Model | None = None
        self._aside: Model | None = None  # the same weights with work buffers of its own: reasons take long to find
        self._aside_lock = threading.Lock()
        self._problem: Text | None = None
        self._threshold, self._considered = -math.inf, -RECONSIDERED  # the energy below which it knows nothing; since
        self._reconsidered = False  # is the threshold newer than the latest answer?
        self._sheets: dict[bytes, list[Reading]] = {}  # what it made of whole lots of pictures, as it is now

    def read(self, image: np.ndarray, strokes: list[np.ndarray] | None = None, look: Look | None = None) -> Reading:
        """Return what it makes of a picture (28, 28) of these strokes. Raises `InputError` if it cannot read."""
        with self._lock, np.errstate(all="ignore"):
            self._refresh()
            model, aside, self._reconsidered = self._model, self._aside, False
            outputs, blocks = (
                feature_maps(model, image[:, :, None]) if look and look.maps else (_outputs(model, image), ())
            )
            probabilities = model.loss.probabilities(outputs[None])[0]
            if not np.isfinite(probabilities).all():
                raise InputError(N_("The weights of this network are no longer finite numbers; it cannot read."))
            known = not novelty.energy(outputs[None])[0] < self._threshold
        why = None
        if look and look.why:
            with self._aside_lock, np.errstate(all="ignore"):
                why = reasons.explain(aside, image, strokes or [], int(probabilities.argmax()), look.why)
        return Reading(model, probabilities, known, tuple(blocks), why)

    def read_all(self, images: Sequence[np.ndarray]) -> list[Reading]:
        """Return what it makes of each picture. The same ones it reads once, as long as it learns nothing new.

        Raises `InputError` if it cannot read.
        """
        key = b"".join(image.tobytes() for image in images)
        with self._lock:
            self._refresh()
            sheets = self._sheets  # what it has learned meanwhile begins others
        if (readings := sheets.get(key)) is None:
            readings = [self.read(image) for image in images]
            with self._lock:
                sheets[key] = readings
                while len(sheets) > SHEETS:
                    del sheets[next(iter(sheets))]
        return readings

    def model(self) -> Model:
        """Return what its newest weights are loaded into, to look at. Raises `InputError` if it cannot read."""
        with self._lock:
            self._refresh()
            return self._model

    def weights(self) -> bytes:
        """Return the bytes of its newest weights. Raises `InputError` when there are none."""
        if (blob := self._newest(self._blob)) is None:
            raise InputError(UNTRAINED)
        return blob

    def exists(self) -> bool:
        """Tell whether there are any weights to read with."""
        return self._newest(self._blob) is not None

    def has_changed(self) -> bool:
        """Tell whether the latest answer might be another one now."""
        return self._reconsidered or self._newest(self._blob) is not self._blob

    def forget(self) -> None:
        """Free the memory; the next `read` loads the weights again."""
        with self._lock:
            self._blob = self._model = self._aside = self._problem = None
            self._sheets = {}

    def _refresh(self) -> None:
        """Load newer weights, if there are any. Raises `InputError` if the network cannot read."""
        blob = self._newest(self._blob)
        if blob is None:
            self._problem = Text(UNTRAINED)
        elif blob is not self._blob:
            self._blob, self._sheets = blob, {}
            try:
                self._model = load_model(blob)
                self._aside = replace(self._model, network=self._model.network.replica())
                self._problem = _inability(self._model)
            except CheckpointError as error:
                self._problem = error.text
            now = time.monotonic()
            if not self._problem and now - self._considered >= RECONSIDERED:
                self._considered = now
                _considering.submit(self._consider, blob).add_done_callback(_report)
        if self._problem is not None:
            raise InputError(self._problem.template, **self._problem.values)

    def _consider(self, blob: bytes) -> None:
        """Find the energy below which these weights know nothing; answers go on meanwhile."""
        with np.errstate(all="ignore"):
            self._threshold = novelty.threshold_of(load_model(blob))
        self._sheets, self._reconsidered = {}, True


def _report(considered: Future) -> None:
    """Log what went wrong in a thread of its own, where nobody waits for it; the old threshold stays."""
    if error := considered.exception():
        log.error("what a network knows at all could not be found out", exc_info=error)


def _inability(model: Model) -> Text | None:
    """Return why a model cannot read drawings, None when it can."""
    if model.network.in_shape != (SIZE, SIZE, 1) or len(model.classes) < 2:
        template = N_("This network learned from “{data}”; it cannot read pictures of 28 × 28 pixels.")
        return Text(template, data=model.experiment.data)
    return None


def _outputs(model: Model, image: np.ndarray) -> np.ndarray:
    return metrics.predict(model.network, image[None, :, :, None], model.scale)[0]


_considering = ThreadPoolExecutor(1, thread_name_prefix="novelty")
_of_runs: weakref.WeakValueDictionary[str, Network] = weakref.WeakValueDictionary()


def of_run(pool: Pool, run: str) -> Network | None:
    """Return the network of a run, None as long as it has made no step.

    Its weights are the newest checkpoint while a worker has the run, else what the store has.
    """

    def newest(loaded: bytes | None) -> bytes | None:
        live = pool.find(run)
        return live.checkpoint if live and live.checkpoint else loaded or store.load(run)

    live = pool.find(run)
    if live and live.frame and not live.step:
        return None
    network = _of_runs.setdefault(run, Network(newest))
    return network if network.exists() else None


@lru_cache
def shipped() -> Network:
    """Return the network that comes with Kasane, one for the whole process."""

    def newest(loaded: bytes | None) -> bytes | None:
        return loaded or (SHIPPED.read_bytes() if SHIPPED.is_file() else None)

    return Network(newest)
