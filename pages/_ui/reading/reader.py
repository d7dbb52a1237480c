"""What answers a drawing pad: the networks that one page shows side by side, found by an unguessable token.

A drawing comes in as strokes; the 28×28 picture that a network is given goes back out, with what each network makes of
it. Of one network a pad may also ask to look inside: for its feature maps, and for what its answer hangs on.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Iterator, Mapping

import numpy as np

from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.errors import N_, InputError, shorten
from engine.runs import protocol
from pages._ui.reading.message import error_message, inside, measure, parse_look, parse_sequence, translated
from pages._ui.reading.network import LABELS, Look, Network, Reading, shipped

EXPIRY = 3600.0  # seconds a reader is kept for a page that may come back
MAX_READERS = 1000
PACE = 0.01  # seconds from one answer of a reader to the next; a pad asks every 0.016 at the most

log = logging.getLogger("kasane.reading")


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

    def turn(self) -> float:
        """Take the next turn to answer, `PACE` after the one before, and return the seconds until then.

        So whoever asks without end gets no more than others, and loses what is overtaken.
        """
        with _lock:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + PACE
        return begin - now

    def answer(self, message: object) -> bytes:
        """Return the reply to a pad's message. Never raises.

        message: {"seq": int, "strokes": [[[x, y], …], …]}; to look inside a network also "network", its name or "" for
        the first that can read, with "maps": true for its feature maps and "why", one of `reasons.WAYS`. A name that
        there is not (any more) is passed over.

        header: seq; empty; width and height of the box around the strokes, columns and rows of pixels that it became;
        networks, a list of name, label, about, classes, probabilities, digit (the most probable class's index) and
        known (whether it is like anything that the network learned), or of name, label and `unable`, a sentence;
        inside, see `inside`. array: image, uint8 (28, 28). For a message that cannot be read, see `error_message`.
        """
        seq = 0
        asked = self._asked = self.networks
        try:
            if not isinstance(message, dict):
                raise InputError(
                    N_("A drawing must be an object with seq and strokes, not {value}."), value=shorten(message)
                )
            seq = parse_sequence(message.get("seq"))
            strokes, look = parse_strokes(message.get("strokes")), parse_look(message)
            image = strokes_to_image(strokes)
            networks, insight, arrays = [], None, {"image": image}
            for name, network in asked.items():
                looked = look if look and look.network in ("", name) and not insight else None
                said, reading = self._ask(name, network, image, strokes, looked)
                networks.append(said)
                if looked and reading:
                    insight, more = inside(name, reading)
                    arrays |= more
            header = {"seq": seq, "empty": not strokes, "networks": networks, "inside": insight} | measure(strokes)
            return protocol.encode(header, arrays)
        except Exception as error:
            if not isinstance(error, InputError):
                log.exception("a drawing could not be answered")
            return error_message(seq, error, self.language)

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
            # so many digits of each, not decimals: the second and third likeliest are told apart however sure it is
            "probabilities": [float(f"{p:.6g}") for p in probabilities.tolist()],
            "digit": int(probabilities.argmax()) if strokes else None,
            "known": reading.known,
        }, reading

    def _translate(self, message: str) -> str:
        return translated(message, self.language)


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


def find_reader(token: str) -> Reader | None:
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
