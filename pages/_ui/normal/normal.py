"""A batch of numbers and what normalization makes of it, cell by cell.

The component is given a scene of scenes.py, and goes from cell to cell, by hand and in time; the sums that it writes
out are made of the numbers that the engine computed. What comes back, from a browser, are numbers typed into cells:
checked before use. It is told what the page has heard last, and repeats what came after that.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages._ui.i18n import _, language
from pages._ui.normal.scenes import Scene
from pages._ui.normal.typed import checked
from pages._ui.served.served import component, heed, room

_mount = component("normal", html=room(34))


def normalized(scene: Scene, *, key: str, take: Callable[[dict[int, float]], None], attention: int = 0) -> None:
    """Show a scene. When `attention` grows, it scrolls into sight and starts to move.

    take: called before the page reruns with the numbers that were typed, by their cells' places in the batch.
    """
    cells, heard = len(scene["x"]), f"{key}_heard"

    def hear(said: object) -> None:
        st.session_state[heard] = said  # even where it is refused: it is not to be repeated
        take(parse(said, cells))

    data = {"key": key, "scene": scene, "attention": attention, "language": language(), "labels": _labels()}
    data["heard"] = st.session_state.get(heard)
    _mount(key=key, data=data, on_typed_change=lambda: heed(key, "typed", hear))


def parse(said: object, cells: int) -> dict[int, float]:
    """Return the numbers that a browser says were typed into a batch of so many cells. Raises `InputError`."""
    pairs = said if isinstance(said, list) else [said]
    return dict(checked(*_pair(it), cells) for it in pairs)


def _pair(said: object) -> tuple[object, object]:
    return tuple(said) if isinstance(said, list) and len(said) == 2 else (said, None)


def _labels() -> dict[str, str]:
    """Return every word of the drawing in the session's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One cell back"),
        "forward": _("One cell forward"),
        "csv": _("Download as CSV"),
        "keys": _("Arrow keys go from cell to cell, Space plays and pauses."),
        "number": _("Number in this cell"),
        "x": _("Batch x"),
        "normal": _("Normalized x̂"),
        "y": _("Output y = γ x̂ + β"),
        "unit": _("unit {n}"),
        "example": _("example {n}"),
        "channel": _("Channel {n}"),
        "picture": _("Picture {n}"),
        "batch_units": _("One mean for each unit, over all {n} examples"),
        "batch_units_one": _("One mean for each unit, over the only example"),
        "layer_units": _("One mean for each example, over all its {n} units"),
        "layer_units_one": _("One mean for each example, over its only unit"),
        "batch_pictures": _("One mean for each channel, over all examples and pixels: {n} numbers"),
        "layer_pictures": _("One mean for each picture, over all pixels and channels: {n} numbers"),
        "mean": _("mean"),
        "variance": _("variance"),
        "standard": _("normalized"),
        "output": _("scaled and shifted"),
        "alone": _("A mean over a single number is that number: x̂ is 0, and nothing is left of it."),
        "said": _("{where}: {x} becomes {normal}, then {y}."),
    }
