"""The race: a component in which optimizers walk down a landscape, on a map or over a surface.

It is given the landscape's coefficients and every walk as the engine worked it out; what lies between (contours, the
surface, the clock) is race.js's. A click on the map comes back as a new start, which is checked here before use.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from engine.errors import N_, InputError, shorten
from pages._ui import session
from pages._ui.i18n import _, language, sentence
from pages._ui.race.scenes import Scene
from pages._ui.race.settings import FAR

HERE = Path(__file__).resolve().parent
FILES = sorted(file for file in HERE.iterdir() if file.suffix in (".js", ".css"))
# Part of the files' address, so that no cache ever serves an old one.
VERSION = hashlib.sha256(b"".join(file.read_bytes() for file in FILES)).hexdigest()[:12]

# Inline code is sent with every message: the race itself is a file, fetched once.
BOOTSTRAP = f"""
const url = new URL("ui/race/race.js?{VERSION}", document.baseURI);
export default async (component) => (await import(url)).default(component);
"""

_mount = st.components.v2.component(
    "kasane_race",
    html='<div class="kasane-race-room" style="min-height: 30rem"></div>',  # the place is kept while the files load
    js=BOOTSTRAP,
    isolate_styles=False,  # Plotly's own styles stand in the page
)


def race(
    scene: Scene, *, key: str, attention: int = 0, take_start: Callable[[float, float], None] | None = None
) -> None:
    """Show a scene of `scenes.scene`. When `attention` grows, the race scrolls into sight and starts again.

    take_start: called before the page reruns with the point of the map that was chosen as a new start; None where the
    start cannot be chosen.
    """
    _mount(
        key=key,
        data={
            "key": key,
            "scene": scene | {"movable": take_start is not None},
            "attention": attention,
            "language": language(),
            "labels": _labels(),
        },
        on_start_change=lambda: _take(key, take_start),
    )


def _take(key: str, take_start: Callable[[float, float], None] | None) -> None:
    said = st.session_state[key].get("start")
    if said is None or take_start is None:
        return
    try:
        take_start(*parse_start(said))
    except InputError as error:
        session.notice(sentence(error))


def parse_start(value: object) -> tuple[float, float]:
    """Return the point that a browser sent. Raises `InputError`."""
    numbers = value if isinstance(value, list) and len(value) == 2 else [math.nan]
    if not all(isinstance(it, int | float) and not isinstance(it, bool) and -FAR <= it <= FAR for it in numbers):
        template = N_("A start must be two numbers from {low} to {high}, not {received}.")
        raise InputError(template, low=f"{-FAR:g}", high=f"{FAR:g}", received=shorten(value))
    return float(numbers[0]), float(numbers[1])


def _labels() -> dict[str, str]:
    """Return every word of the race in the session's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One step back"),
        "forward": _("One step on"),
        "first": _("Back to the start"),
        "scrub": _("Step of the race"),
        "step": _("Step {step} of {steps}"),
        "speed": _("Speed"),
        "times": _("{speed}×"),
        "closer": _("Zoom in"),
        "farther": _("Zoom out"),
        "fit": _("Reset zoom"),
        "csv": _("Download as CSV"),
        "map": _("Map of the landscape"),
        "surface": _("The landscape as a surface"),
        "signs": _("Star: a lowest point. Ring: the start."),
        "click": _("Click on the map to start from there."),
        "keys": _("Arrow keys: a step back or on. Space: play, pause. Plus, minus, 0: zoom. Drag: move the map."),
        "turn": _("Drag to turn, scroll to zoom. Click on the surface to start from there."),
        "runner": _("Runner"),
        "value": _("f now"),
        "distance": _("Distance"),
        "distance_help": _("Distance to the nearest minimum"),
        "diverged": _("left the numbers at step {step}"),
        "nobody": _("Nobody runs: switch one on above."),
        "chart": _("f above its lowest value, at every step"),
        "steps": _("Steps"),
        "said": _("Step {step}. {values}."),
        "point": _("x {x}, y {y}: f {f}"),
    }
