"""The drawing pad: strokes go in, what the networks see and read comes out beside them while the pen still moves.

The pad speaks with the networks over its own channel, /read/{token}, and needs no rerun for that. Only at the end of a
stroke does the drawing also become component state, so that the rest of the page has it. That state comes from a
browser: it is checked here before anybody uses it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import streamlit as st

from engine.data.handwriting import MAX_POINTS, MAX_STROKES, parse_strokes
from engine.errors import InputError
from pages._ui.i18n import _, language, sentence

HERE = Path(__file__).resolve().parent
PEN_WIDTHS = (6, 28)  # in units of the pad, which is 280 wide
VERSION = hashlib.sha256(b"".join((HERE / f"canvas.{kind}").read_bytes() for kind in ("js", "css"))).hexdigest()[:12]

# Inline code is sent with every message: the pad itself is a file, fetched once.
BOOTSTRAP = f"""
const url = new URL("ui/canvas/canvas.js?{VERSION}", document.baseURI);
export default async (component) => (await import(url)).default(component);
"""

_mount = st.components.v2.component("kasane_canvas", js=BOOTSTRAP)


def canvas(token: str, *, key: str, pen: int = 16) -> list[np.ndarray] | None:
    """Show a drawing pad whose drawings the reader of `token` reads; return the strokes at the end of the latest one.

    pen: the width of the pen at first, from 6 to 28. Strokes are float64 (n, 2) each, x to the right, y downwards, in a
    square of 280. None: nothing was drawn yet, or what came is no drawing, which the page then says in a sentence. The
    page reruns when the server no longer knows the token; it has to come with a new one then.
    """
    low, high = PEN_WIDTHS
    state = _mount(
        key=key,
        data={
            "key": key,
            "token": token,
            "pen": {"value": min(max(pen, low), high), "low": low, "high": high},
            "limits": {"strokes": MAX_STROKES // 2, "points": MAX_POINTS // 2},
            "language": language(),
            "labels": _labels(),
        },
        on_drawing_change=lambda: None,
        on_gone_change=lambda: None,
    )
    if (drawing := state.drawing) is None:
        return None
    try:
        return parse_strokes(drawing.get("strokes") if isinstance(drawing, dict) else drawing)
    except InputError as error:
        st.error(sentence(error), icon=":material/error:")
        return None


def _labels() -> dict[str, str]:
    """Return everything that the pad says, in the session's language."""
    return {
        "draw": _("Your drawing"),
        "sees": _("What the network sees"),
        "reads": _("What it reads"),
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
            "Your strokes are redrawn the way the digits of MNIST were made: the box around them scaled to 20 × 20 "
            "pixels, the pen two pixels thick, their centre of mass moved to the middle of 28 × 28."
        ),
        "between": _(
            "The box around your strokes, {width} × {height}, was scaled to {columns} × {rows} pixels, redrawn with a "
            "pen two pixels thick, and moved until its centre of mass lay in the middle of 28 × 28, as in MNIST. Size, "
            "place and pen of your drawing make no difference."
        ),
        "empty": _("Nothing to read yet"),
        "probability": _("Probability of {name}"),
        "top": _("{network}: {name} ({percent})"),
        "full": _("The pad is full; clear it or undo a stroke to go on."),
        "lost": _("The connection is lost; trying again …"),
        "tools": _("Drawing tools"),
    }
