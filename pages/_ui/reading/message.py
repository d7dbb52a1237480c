"""What a drawing pad asks, checked, and what it is told: header and arrays in one message.

What comes from a browser is never trusted, and an error is an answer too, one sentence in the reader's language.
"""

from __future__ import annotations

import json
from functools import partial

import numpy as np

from engine.analysis import reasons
from engine.analysis.feature_maps import to_bytes
from engine.data.handwriting import BOX
from engine.errors import N_, InputError, Text, shorten
from engine.runs import protocol
from pages._ui.i18n import catalog
from pages._ui.reading.network import Look, Reading

MAX_SEQUENCE = 2**53 - 1  # the largest whole number that JavaScript counts to
MAX_MAPS, MAX_UNITS = 64, 1024  # of a block that are sent
MAX_CELLS = 200_000  # of all of them


def parse_sequence(value: object) -> int:
    """Return the number of a question. Raises `InputError`."""
    if type(value) is not int or not 0 <= value <= MAX_SEQUENCE:
        legal = Text(N_("a whole number from {low} to {high}"), low=0, high=MAX_SEQUENCE)
        raise InputError(
            N_("{field} must be {legal}, not {received}."), field="seq", legal=legal, received=shorten(value)
        )
    return value


def parse_look(message: dict) -> Look | None:
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
    return protocol.encode({"seq": seq, "error": text.render(partial(translated, language=language))})


def translated(message: str, language: str) -> str:
    """Return what a message of the catalog is in a language."""
    return catalog(language).get(message, message)


def inside(name: str, reading: Reading) -> tuple[dict[str, object], dict[str, np.ndarray]]:
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


def measure(strokes: list[np.ndarray]) -> dict[str, int]:
    """Return the size of the box around the strokes, and the size to which `strokes_to_image` scales it."""
    width, height = np.ptp(np.concatenate(strokes), axis=0) if strokes else (0, 0)
    scale = BOX / max(width, height, 1)
    sizes = {"width": width, "height": height, "columns": width * scale, "rows": height * scale}
    return {name: round(float(size)) for name, size in sizes.items()}
