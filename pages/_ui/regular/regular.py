"""The moving pictures of the regularization page: balls against bowls, thinned networks, changed digits.

The component is given a scene of scenes.py, a series of places, and goes from place to place, by hand and in time. What
comes back is where a hand has put the lowest point of the bowl: two numbers from a browser, checked before use.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from engine.errors import N_
from pages._ui.i18n import _, language
from pages._ui.regular.scenes import Scene
from pages._ui.regular.settings import FAR
from pages._ui.served.served import component, heed, point, room

_mount = component("regular", html=room(30))


def moving(
    scene: Scene, *, key: str, attention: int = 0, take_centre: Callable[[float, float], None] | None = None
) -> None:
    """Show a scene. When `attention` grows, it scrolls into sight and starts to move.

    take_centre: called before the page reruns with where the lowest point was put; None where there is none.
    """
    heard = f"{key}_heard"

    def hear(said: object) -> None:
        st.session_state[heard] = said
        take_centre(*parse_centre(said))

    if take_centre:  # the hand may be ahead of the page: it is told what the page has heard
        scene = scene | {"heard": st.session_state.get(heard)}
    _mount(
        key=key,
        data={"key": key, "scene": scene, "attention": attention, "language": language(), "labels": _labels()},
        on_centre_change=lambda: take_centre and heed(key, "centre", hear),
    )


def parse_centre(value: object) -> tuple[float, float]:
    """Return the point that a browser sent, to two decimals. Raises `InputError`."""
    x, y = point(value, FAR, N_("The lowest point must be two numbers from {low} to {high}, not {received}."))
    return round(x, 2), round(y, 2)


def _labels() -> dict[str, str]:
    """Return every word of the pictures in the session's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One step back"),
        "forward": _("One step forward"),
        "csv": _("Download as CSV"),
        # norms
        "ball": _("Ball of the L{p} norm and contours of the error"),
        "centre": _("Lowest point of the error: drag it, or move it with the arrow keys."),
        "budget": _("Budget t"),
        "weights": _("Weights w"),
        "norm": _("Norm ‖w‖"),
        "error": _("Error E(w)"),
        "zero": _("{weight} is exactly 0."),
        "both_zero": _("Both weights are 0."),
        "no_zero": _("No weight is 0."),
        "inside": _("The budget is large enough: nothing is given up."),
        "norms_said": _("Budget {t}: weights {w1} and {w2}, error {e}."),
        # dropout
        "network": _("The network in this step of training"),
        "network_test": _("The network at test time"),
        "input": _("Input"),
        "hidden": _("Hidden layer {n}"),
        "output": _("Output"),
        "test": _("Test time"),
        "thinned": _("{n} of {all} thinned networks"),
        "mask": _("Mask {n}"),
        "mask_said": _("Mask {n}: {kept} of {all} hidden units are there, each scaled by {scale}."),
        "test_said": _("At test time all {all} hidden units are there, and none is scaled."),
        # sheet
        "sheet": _("Digits, each changed at random"),
        "original": _("As it is"),
        "look": _("Look {n} of {all}"),
        "look_said": _("Look {n}: every digit is changed in another way."),
        "original_said": _("The digits as they are."),
    }
