"""The race: a component in which optimizers walk down a landscape, on a map or over a surface.

It is given the landscape's coefficients and every walk as the engine worked it out; what lies between (contours, the
surface, the clock) is race.js's. A click on the map comes back as a new start, which is checked here before use.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import N_
from pages._ui.i18n import _, language
from pages._ui.race.scenes import Scene
from pages._ui.race.settings import FAR
from pages._ui.served.served import component, heed, point, room

_mount = component("race", html=room(30), isolate_styles=False)  # Plotly's own styles stand in the page


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
        on_start_change=lambda: take_start and heed(key, "start", lambda said: take_start(*parse_start(said))),
    )


def parse_start(value: object) -> tuple[float, float]:
    """Return the point that a browser sent. Raises `InputError`."""
    return point(value, FAR, N_("A start must be two numbers from {low} to {high}, not {received}."))


def _labels() -> dict[str, str]:
    """Return every word of the race in the session's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One step back"),
        "forward": _("One step forward"),
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
        "keys": _("Arrow keys: a step back or forward. Space: play, pause. Plus, minus, 0: zoom. Drag: move the map."),
        "turn": _("Drag to turn. Click on the surface to start from there."),
        "turn_keys": _("Arrow keys: turn. Plus, minus, 0 or the mouse wheel: zoom. Space: play, pause."),
        "runner": _("Runner"),
        "value": _("f now"),
        "distance": _("Distance"),
        "distance_help": _("Distance to the nearest minimum"),
        "diverged": _("diverged at step {step}"),
        "nobody": _("Nobody is running: switch one on above."),
        "chart": _("f above its lowest value, at every step"),
        "steps": _("Steps"),
        "said": _("Step {step}. {values}."),
        "point": _("x {x}, y {y}: f {f}"),
    }
