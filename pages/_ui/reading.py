"""What answers a drawing pad: the networks that one page shows side by side, found by an unguessable token.

A drawing comes in as strokes; the 28×28 picture that a network is given goes back out, with what each network makes of
it. Of one network a pad may also ask to look inside: for its feature maps, and for what its answer hangs on. Answers
are given in threads: a network's work buffers belong to one caller at a time, so every network has a lock. Its weights
are looked up anew at each answer, so that a pad follows a run that is being trained.

What comes from a browser is never trusted, and an error is an answer too, one sentence in the reader's language.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine import shipped as shipped_network
from engine.analysis import novelty, reasons
from engine.analysis.feature_maps import Block, feature_maps, to_bytes
from engine.data.handwriting import BOX, SIZE, parse_strokes, strokes_to_image
from engine.errors import N_, InputError, Text, shorten
from engine.runs import protocol, store
from engine.runs.pool import Pool
from engine.training import metrics
from engine.training.checkpoint import CheckpointError, Model, load_model
from pages._ui.i18n import catalog

EXPIRY = 3600.0  # seconds a reader is kept for a page that may come back
MAX_READERS = 1000
MAX_SEQUENCE = 2**53 - 1  # the largest whole number that JavaScript counts to
PACE = 0.01  # seconds from one answer of a reader to the next; a pad asks every 0.016 at the most
RECONSIDERED = 10.0  # seconds after which a network that goes on learning is asked anew what it knows at all
SHIPPED = shipped_network.PATH
LABELS = {
    "run": N_("Just trained"),
    "shipped": N_("Shipped with Kasane"),
    "tuned": N_("Tuned on your digits"),
    "brought": N_("From a file"),
}
UNTRAINED = N_("This network has no weights yet; train it for a moment.")
MAX_MAPS, MAX_UNITS = 64, 1024  # of a block that are sent
MAX_CELLS = 200_000  # of all of them

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

    def _refresh(self) -> None:
        """Load newer weights, if there are any. Raises `InputError` if the network cannot read."""
        blob = self._newest(self._blob)
        if blob is None:
            self._problem = Text(UNTRAINED)
        elif blob is not self._blob:
            self._blob = blob
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
        self._reconsidered = True


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


class Reader:
    """The networks behind one pad, by name, and the language in which they answer."""

    def __init__(self, networks: Mapping[str, Network], language: str) -> None:
        self.networks, self.language = dict(networks), language
        self.watchers = 0
        self.left = time.monotonic()  # when nobody was watching last
        self._asked: dict[str, Network] = {}  # for the latest answer
        self._next = 0.0  # when the next answer may begin

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """While a channel is open: the reader does not expire. When the last one closes, its weights are let go."""
        with _lock:
            self.watchers += 1
        try:
            yield
        finally:
            with _lock:
                self.watchers -= 1
                self.left = time.monotonic()
            if not self.watchers:
                for network in self.networks.values():
                    if network is not shipped():
                        network.forget()

    def has_changed(self) -> bool:
        """Tell whether the same drawing might now be read differently."""
        return self._asked != self.networks or any(network.has_changed() for network in self.networks.values())

    def answer(self, message: object) -> bytes:
        """Return the reply to a pad's message, no sooner than `PACE` after the one before. Never raises.

        message: {"seq": int, "strokes": [[[x, y], …], …]}; to look inside a network also "network", its name or "" for
        the first that can read, with "maps": true for its feature maps and "why", one of `reasons.WAYS`. A name that
        there is not (any more) is passed over.

        header: seq; empty; width and height of the box around the strokes, columns and rows of pixels that it became;
        networks, a list of name, label, about, classes, probabilities, digit (the most probable class's index) and
        known (whether it is like anything that the network learned), or of name, label and `unable`, a sentence;
        inside, see `_inside`. array: image, uint8 (28, 28). For a message that cannot be read, see `error_message`.
        """
        seq = 0
        asked = self._asked = self.networks
        try:
            self._keep_pace()
            if not isinstance(message, dict):
                raise InputError(
                    N_("A drawing must be an object with seq and strokes, not {value}."), value=shorten(message)
                )
            seq = _parse_sequence(message.get("seq"))
            strokes, look = parse_strokes(message.get("strokes")), _parse_look(message)
            image = strokes_to_image(strokes)
            networks, inside, arrays = [], None, {"image": image}
            for name, network in asked.items():
                looked = look if look and look.network in ("", name) and not inside else None
                said, reading = self._ask(name, network, image, strokes, looked)
                networks.append(said)
                if looked and reading:
                    inside, more = _inside(name, reading)
                    arrays |= more
            header = {"seq": seq, "empty": not strokes, "networks": networks, "inside": inside} | _measure(strokes)
            return protocol.encode(header, arrays)
        except Exception as error:
            if not isinstance(error, InputError):
                log.exception("a drawing could not be answered")
            return error_message(seq, error, self.language)

    def _keep_pace(self) -> None:
        """Wait until it is time: whoever asks without end gets no more than others, and loses what is overtaken."""
        with _lock:
            begin = max(time.monotonic(), self._next)
            self._next = begin + PACE
        time.sleep(max(0.0, begin - time.monotonic()))

    def _ask(
        self, name: str, network: Network, image: np.ndarray, strokes: list[np.ndarray], look: Look | None
    ) -> tuple[dict[str, object], Reading | None]:
        said: dict[str, object] = {"name": name, "label": self._translate(LABELS.get(name, name))}
        try:
            reading = network.read(image, strokes, look)
        except InputError as error:
            return said | {"unable": error.text.render(self._translate)}, None
        probabilities = reading.probabilities if strokes else np.zeros_like(reading.probabilities)
        model = reading.model
        return said | {
            "about": f"{model.experiment.network or '–'} · {model.experiment.data}",
            "classes": [self._translate(label) for label in model.classes],
            "probabilities": [round(p, 5) for p in probabilities.tolist()],
            "digit": int(probabilities.argmax()) if strokes else None,
            "known": reading.known,
        }, reading

    def _translate(self, message: str) -> str:
        return catalog(self.language).get(message, message)


def _inside(name: str, reading: Reading) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Return header and arrays of what a pad sees of the inside of a network.

    header: network; blocks, a list of name, words, shape (C, H, W) or (D,), count of its maps or units that are sent,
    low and high, the values of the bytes 0 and 255, field, jump and start (see `Block`); why, see `reasons.explain`.
    arrays: block0, block1, …, uint8, and those of `reasons.explain`.
    """
    blocks, arrays = [], {}
    room = MAX_CELLS // max(1, len(reading.blocks))
    for index, block in enumerate(reading.blocks):
        size = block.maps[0].size
        shown = block.maps[: min(MAX_MAPS, max(1, room // size)) if block.maps.ndim > 1 else MAX_UNITS]
        arrays[f"block{index}"], low, high = to_bytes(shown)
        said = {"name": block.name, "words": block.words, "shape": block.maps.shape, "count": len(shown)}
        place = {"field": block.receptive_field, "jump": block.jump, "start": block.start}
        blocks.append(said | {"low": round(low, 4), "high": round(high, 4)} | place)
    why, more = reading.why or (None, {})
    return {"network": name, "blocks": blocks, "why": why}, arrays | more


def _measure(strokes: list[np.ndarray]) -> dict[str, int]:
    """Return the size of the box around the strokes, and the size to which `strokes_to_image` scales it."""
    width, height = np.ptp(np.concatenate(strokes), axis=0) if strokes else (0, 0)
    scale = BOX / max(width, height, 1)
    sizes = {"width": width, "height": height, "columns": width * scale, "rows": height * scale}
    return {name: round(float(size)) for name, size in sizes.items()}


def _parse_sequence(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SEQUENCE:
        legal = Text(N_("a whole number from {low} to {high}"), low=0, high=MAX_SEQUENCE)
        raise InputError(
            N_("{field} must be {legal}, not {received}."), field="seq", legal=legal, received=shorten(value)
        )
    return value


def _parse_look(message: dict) -> Look | None:
    """Return what a pad wants to see, None where it wants nothing. Raises `InputError`."""
    maps, why = message.get("maps", False), message.get("why", "")
    for field, value, legal in (("maps", maps, (True, False)), ("why", why, ("", *reasons.WAYS))):
        if type(value) is not type(legal[0]) or value not in legal:
            options = Text(N_("one of {options}"), options=", ".join(json.dumps(option) for option in legal))
            raise InputError(
                N_("{field} must be {legal}, not {received}."), field=field, legal=options, received=shorten(value)
            )
    name = message.get("network", "")
    if not isinstance(name, str):
        raise InputError(
            N_("{field} must be {legal}, not {received}."),
            field="network",
            legal=Text(N_("a name")),
            received=shorten(name),
        )
    return Look(name, maps, why) if maps or why else None


def error_message(seq: int, error: Exception, language: str = "en") -> bytes:
    """Return the reply to a message that could not be read: header seq and `error`, one sentence. No picture."""
    text = error.text if isinstance(error, InputError) else Text(N_("This drawing could not be read."))
    return protocol.encode({"seq": seq, "error": text.render(lambda message: catalog(language).get(message, message))})


_lock = threading.Lock()
_readers: dict[str, Reader] = {}


def open_reader(networks: Mapping[str, Network], *, language: str = "en", token: str | None = None) -> str:
    """Return the token of a reader of these networks, by name in the order in which they are shown.

    `token`: of an earlier call; if it still names a reader, that one takes over the networks and the language.
    """
    with _lock:
        if (reader := _readers.get(token or "")) is None:
            token = secrets.token_urlsafe(16)
            _readers[token] = Reader(networks, language)
        else:
            reader.networks, reader.language = dict(networks), language
            reader.left = time.monotonic()
        _expire()
        return token


def find(token: str) -> Reader | None:
    """Return the reader of a token, None when there is none (any more)."""
    with _lock:
        return _readers.get(token)


def _expire() -> None:
    """Drop the readers that were left long ago and, beyond the cap, those that were left first.

    An open channel keeps its reader; it only cannot be found again.
    """
    now = time.monotonic()
    for token in [t for t, reader in _readers.items() if not reader.watchers and now - reader.left > EXPIRY]:
        del _readers[token]
    first = sorted(_readers, key=lambda token: (_readers[token].watchers > 0, _readers[token].left))
    for token in first[: max(0, len(_readers) - MAX_READERS)]:
        del _readers[token]
