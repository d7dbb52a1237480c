"""Components of our own: how their files reach the browser, and what of their state reaches a page.

A component is a folder of pages/_ui with a .js file of the same name. Inline code is sent with every message, so it
only imports that file, which app.py serves under /ui/FOLDER. The address of a file names the content of all that it may
import: no cache ever serves an old one.

This folder holds what they share: mount.js (Streamlit's calls, in whatever order they come), dom.js (elements and style
sheets), numbers.js (numbers as they are shown), channel.js (the way to the server and back), tools.js and tools.css
(what stands above a moving picture), walk.js (what goes through one from place to place), drag.js (a picture under a
hand), canvas.js (what is drawn on a canvas), series.js (what lines look like), plotly.js (Plotly, loaded once).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from engine.errors import InputError, shorten
from pages._ui import session
from pages._ui.i18n import sentence

HERE = Path(__file__).resolve().parent
UI = HERE.parent
FOLDERS = sorted({file.parent.name for file in UI.glob("*/*.js")})


def component(
    folder: str, *, html: str | None = None, imports: Sequence[str] = (), isolate_styles: bool = True
) -> Callable:
    """Return the function that mounts the component of a folder.

    html: what keeps its place while the files load. imports: other folders whose files it imports; those of this one
    every component does.
    """
    folders = (folder, HERE.name, *imports)
    files = sorted(file for name in folders for file in (UI / name).iterdir() if file.suffix in (".js", ".css"))
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    bootstrap = f"""
const url = new URL("ui/{folder}/{folder}.js?v={version}", document.baseURI);
export default async (component) => (await import(url)).default(component);
"""
    return st.components.v2.component(f"kasane_{folder}", html=html, js=bootstrap, isolate_styles=isolate_styles)


def room(rem: int) -> str:
    """Return the HTML that keeps so much height, in rem, for a component until it draws itself."""
    return f'<div class="room" style="min-height: {rem}rem"></div>'


def heed(key: str, name: str, take: Callable[[object], None]) -> None:
    """Hand over what a component's state `name` says. Of what `take` refuses (`InputError`) the page says why."""
    said = st.session_state.get(key, {}).get(name)
    if said is None:  # or the component has gone while it was saying something
        return
    try:
        take(said)
    except InputError as error:
        session.notice(sentence(error))


def point(value: object, far: float, template: str) -> tuple[float, float]:
    """Return the point of [−far, far]² that a browser sent.

    Raises `InputError`; its template says {low}, {high} and {received}.
    """
    numbers = value if isinstance(value, list) and len(value) == 2 else [math.nan]
    if not all(isinstance(it, int | float) and not isinstance(it, bool) and -far <= it <= far for it in numbers):
        raise InputError(template, low=f"{-far:g}", high=f"{far:g}", received=shorten(value))
    return float(numbers[0]), float(numbers[1])
