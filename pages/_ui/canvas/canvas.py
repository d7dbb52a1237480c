"""The drawing pad: strokes go in, what the networks see and read comes out beside them while the pen still moves.

The pad speaks with the networks over its own channel, /read/{token}, and needs no rerun for that. Only when a person
says what they drew does the page hear of a drawing. That comes from a browser: it is checked here before anybody uses
it. So does what the browser has kept for the page over a reload; whoever takes it back checks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.data.handwriting import MAX_POINTS, MAX_STROKES, parse_strokes
from engine.errors import N_, InputError, shorten
from pages._ui.i18n import _, language, translate
from pages._ui.served.served import component, heed

MAX_LABELLED = 50  # drawings that one message says something of
MAX_SERIAL = 2**53 - 1  # the largest whole number that JavaScript counts to
# What one says for a probability, from this value on; what counts is the percentage that is printed.
WORDS = (
    (0.99, N_("certainly")),
    (0.9, N_("very probably")),
    (0.6, N_("probably")),
    (0.3, N_("perhaps")),
    (0.1, N_("unlikely")),
    (0.01, N_("very unlikely")),
    (0.0, N_("almost impossible")),
)

_mount = component("canvas")


@dataclass(frozen=True, eq=False)
class Labelled:
    """What a person says that a drawing is; whoever keeps it checks the label. Who says more has a higher serial."""

    serial: int
    label: object
    strokes: list[np.ndarray]


def canvas(
    token: str,
    *,
    key: str,
    labelled: Callable[[list[Labelled]], None],
    heard: dict[str, object],
    kept: str | None,
    bring_back: Callable[[object], None],
) -> None:
    """Show a drawing pad whose drawings the reader of `token` reads.

    Strokes are float64 (n, 2) each, x to the right, y downwards, in a square of 280. The page reruns when the server no
    longer knows the token; it has to come with a new one then.

    labelled: called before such a rerun with what the person has said of drawings, in the order of their serials. A
    message may say again what an earlier one has said.

    heard: "serial", the highest of those that were heard, and "kept", whether that drawing is kept as what was said.

    kept: a text that the browser is to keep as long as its tab is open. With None, as after a reload, it hands back the
    one that it has, if any: `bring_back` is called with that, which is yet to be checked, and the page reruns.
    """
    _mount(
        key=key,
        data={
            "key": key,
            "token": token,
            "limits": {"strokes": MAX_STROKES // 2, "points": MAX_POINTS // 2, "labelled": MAX_LABELLED},
            "heard": heard,
            "kept": kept,
            "language": language(),
            "labels": _labels(),
        },
        on_gone_change=lambda: None,
        on_returned_change=lambda: heed(key, "returned", bring_back),
        on_labelled_change=lambda: heed(key, "labelled", lambda said: labelled(parse_labelled(said))),
    )


def parse_labelled(value: object) -> list[Labelled]:
    """Return what a browser sent. Raises `InputError`."""
    if not isinstance(value, list) or not 0 < len(value) <= MAX_LABELLED:
        template = N_("What was drawn must be a list of 1 to {limit} drawings, not {received}.")
        raise InputError(template, limit=MAX_LABELLED, received=shorten(value))
    return sorted(map(_parse_drawing, value), key=lambda drawing: drawing.serial)


def _parse_drawing(value: object) -> Labelled:
    serial = value.get("serial") if isinstance(value, dict) else None
    if type(serial) is not int or not 0 < serial <= MAX_SERIAL:
        template = N_("A drawing must be an object with serial, label and strokes, not {value}.")
        raise InputError(template, value=shorten(value))
    return Labelled(serial, value.get("label"), parse_strokes(value.get("strokes")))


def _labels() -> dict[str, object]:
    """Return everything that the pad says, in the session's language."""
    return {
        "draw": _("Your drawing"),
        "box": _("Its box"),
        "sees": _("What the network sees"),
        "reads": _("What it says"),
        "pad": _("Drawing pad"),
        "hint": _("Draw a digit here"),
        "keys": _("Arrow keys move the pen, Space lowers and lifts it, E: eraser, Ctrl+Z: undo, Delete: clear."),
        "pen": _("Pen"),
        "eraser": _("Eraser"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "clear": _("Clear"),
        "width": _("Pen width"),
        "picture": _("The picture that the network is given, 28 by 28 pixels"),
        "before": _(
            "Your strokes are redrawn to look like the digits of MNIST: the box around them scaled to fit into 20 × 20 "
            "pixels, the pen two pixels thick, their centre of mass moved to the middle of 28 × 28."
        ),
        "between": _(
            "The box around your strokes, {width} × {height}, was scaled to {columns} × {rows} pixels, redrawn with a "
            "pen two pixels thick, and moved until its centre of mass lay in the middle of 28 × 28, as in MNIST. Size, "
            "place and pen of your drawing make no difference."
        ),
        "empty": _("Nothing to read yet"),
        "no_digit": _("Not a digit"),
        "nothing_known": _("Nothing it knows"),
        "words": [[least, translate(word)] for least, word in WORDS],
        "rank": _("{name}: {word}, {percent}"),
        "forced": _("If it had to be one:"),
        "share": _("{name}: {percent}"),
        "correct": _("It was a"),
        "keep": _("Keep this drawing as a {digit}"),
        "kept": _("Kept as a {digit}"),
        "probability": _("Probability of {name}"),
        "top": _("{network}: {name} ({percent})"),
        "full": _("The pad is full; clear it or undo a stroke to go on."),
        "lost": _("The connection is lost; trying again …"),
        "tools": _("Drawing tools"),
        "why": _("Why this answer?"),
        "why_off": _("Off"),
        "why_gradient": _("Gradient"),
        "why_patch": _("Grey patch"),
        "why_strokes": _("Strokes"),
        "whose": _("{network}: {reason}"),
        "because_gradient": _(
            "The gradient of the output for {digit}: blue where a little more ink would speak for it, orange where it "
            "would speak against it. Black, too, can count."
        ),
        "because_patch": _(
            "A grey patch was laid over every place in turn: with a blue place covered {digit} loses some of its lead "
            "over the next digit, with an orange one it gains. The strongest colour stands for {percent} of the lead."
        ),
        "because_strokes": _(
            "Your strokes were erased piece by piece: without a blue piece {digit} loses some of its lead over the "
            "next digit, without an orange one it gains. The strongest colour stands for {percent} of the lead."
        ),
        "inside": _("Inside the network"),
        "network": _("Network"),
        "maps": _("Feature maps"),
        "strip": _("Feature maps of {block} ({words})"),
        "map": _("{block}, map {name} of {count}"),
        "unit": _("{block}, unit {name} of {count}: {value}"),
        "output": _("Output for {name}, before softmax: {value}"),
        "strongest": _("Strongest: {value} in row {row}, column {column}. {note}"),
        "cell": _("Row {row}, column {column}: {value}. {note}"),
        "point": _(
            "Point at a cell, or press Enter and move with the arrow keys: the frame shows what it has seen of the "
            "picture."
        ),
        "sees_part": _("It has seen {rows} × {columns} pixels (framed)."),
        "sees_all": _("It has seen the whole picture."),
        "field": _("The picture that the network is given, with a frame around what the unit has seen."),
    }
