"""What answers a drawing pad: the networks that one page shows side by side, found by an unguessable token.

A drawing comes in as strokes; the 28×28 picture that a network is given goes back out, with what each network makes of
it. Answers are given in threads: a network's work buffers belong to one caller at a time, so every network has a lock.
Its weights are looked up anew at each answer, so that a pad follows a run that is being trained.

What comes from a browser is never trusted, and an error is an answer too, one sentence in the reader's language.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np

from engine.data.handwriting import BOX, SIZE, parse_strokes, strokes_to_image
from engine.errors import N_, InputError, Text, shorten
from engine.runs import protocol, store
from engine.runs.pool import Pool
from engine.training.checkpoint import CheckpointError, Model, load_model
from pages._ui.i18n import ASSETS, catalog

EXPIRY = 3600.0  # seconds a reader is kept for a page that may come back
MAX_READERS = 1000
MAX_SEQUENCE = 2**53 - 1  # the largest whole number that JavaScript counts to
SHIPPED = ASSETS / "models" / "reader-mlp.safetensors"
LABELS = {"run": N_("Just trained"), "shipped": N_("Shipped with Kasane")}

log = logging.getLogger("kasane.reading")


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
        self._problem: Text | None = None

    def read(self, image: np.ndarray) -> tuple[Model, np.ndarray]:
        """Return the model and its probabilities (K,) for a picture (28, 28). Raises `InputError` if it cannot read."""
        with self._lock:
            self._refresh()
            if self._problem is not None:
                raise InputError(self._problem.template, **self._problem.values)
            with np.errstate(all="ignore"):
                probabilities = self._model.probabilities(image[None, :, :, None])[0]
            model = self._model
        if not np.isfinite(probabilities).all():
            raise InputError(N_("The weights of this network are no longer finite numbers; it cannot read."))
        return model, probabilities

    def exists(self) -> bool:
        """Tell whether there are any weights to read with."""
        return self._newest(self._blob) is not None

    def has_changed(self) -> bool:
        """Tell whether there are newer weights than those of the latest answer."""
        return self._newest(self._blob) is not self._blob

    def forget(self) -> None:
        """Free the memory; the next `read` loads the weights again."""
        with self._lock:
            self._blob = self._model = self._problem = None

    def _refresh(self) -> None:
        blob = self._newest(self._blob)
        if blob is None:
            self._problem = Text(N_("This network has no weights yet; train it for a moment."))
        elif blob is not self._blob:
            self._blob = blob
            try:
                self._model = load_model(blob)
                self._problem = _inability(self._model)
            except CheckpointError as error:
                self._problem = error.text


def _inability(model: Model) -> Text | None:
    """Return why a model cannot read drawings, None when it can."""
    if model.network.in_shape != (SIZE, SIZE, 1) or len(model.classes) < 2:
        template = N_("This network learned from “{data}”; it cannot read pictures of 28 × 28 pixels.")
        return Text(template, data=model.experiment.data)
    return None


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
        return any(network.has_changed() for network in self.networks.values())

    def answer(self, message: object) -> bytes:
        """Return the reply to a pad's message, {"seq": int, "strokes": [[[x, y], …], …]}. Never raises.

        header: seq; empty; width and height of the box around the strokes, columns and rows of pixels that it became;
        networks, a list of name, label, about, classes, probabilities and digit (the most probable class's index), or
        of name, label and `unable`, a sentence. array: image, uint8 (28, 28). For a message that cannot be read, see
        `error_message`.
        """
        seq = 0
        try:
            if not isinstance(message, dict):
                raise InputError(
                    N_("A drawing must be an object with seq and strokes, not {value}."), value=shorten(message)
                )
            seq = _parse_sequence(message.get("seq"))
            strokes = parse_strokes(message.get("strokes"))
            image = strokes_to_image(strokes)
            networks = [self._ask(name, network, image, not strokes) for name, network in self.networks.items()]
            header = {"seq": seq, "empty": not strokes, "networks": networks} | _measure(strokes)
            return protocol.encode(header, {"image": image})
        except Exception as error:
            if not isinstance(error, InputError):
                log.exception("a drawing could not be answered")
            return error_message(seq, error, self.language)

    def _ask(self, name: str, network: Network, image: np.ndarray, empty: bool) -> dict[str, object]:
        said: dict[str, object] = {"name": name, "label": self._translate(LABELS.get(name, name))}
        try:
            model, probabilities = network.read(image)
        except InputError as error:
            return said | {"unable": error.text.render(self._translate)}
        if empty:
            probabilities = np.zeros_like(probabilities)
        return said | {
            "about": f"{model.experiment.network or '–'} · {model.experiment.data}",
            "classes": [self._translate(label) for label in model.classes],
            "probabilities": [round(p, 5) for p in probabilities.tolist()],
            "digit": None if empty else int(probabilities.argmax()),
        }

    def _translate(self, message: str) -> str:
        return catalog(self.language).get(message, message)


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
