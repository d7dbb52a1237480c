"""The stage: a component that moves through a scene, and tells the page what a hand changes in it.

It is given what the engine computed (scenes.py). What comes back is a few names and numbers, from a browser: nothing of
it is chosen before it was found to be legal.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import streamlit as st

from engine.errors import N_, InputError, shorten
from pages._ui.graph.scenes import Scene
from pages._ui.graph.settings import SETTINGS, settings
from pages._ui.i18n import _, language
from pages._ui.served.served import component, heed, room

_HEARD = "graph_heard"  # what a hand changed last, in session state

_mount = component("graph", html=room(30))


def stage(scene: Scene, *, key: str, names: Collection[str], attention: int = 0) -> None:
    """Show a scene in which a hand may change the settings `names`.

    The browser is told what was heard of it last. When `attention` grows, the stage scrolls into sight and starts again
    from the beginning.
    """

    def take(said: object) -> None:
        settings.choose(**legal(said, names))
        st.session_state[_HEARD] = said

    _mount(
        key=key,
        data={
            "scene": scene,
            "heard": st.session_state.get(_HEARD),
            "attention": attention,
            "language": language(),
            "labels": _labels(),
        },
        on_chosen_change=lambda: heed(key, "chosen", take),
    )


def legal(values: object, names: Collection[str]) -> dict[str, float]:
    """Return what a browser wants to be chosen. Raises `InputError` for other names than `names` and illegal values."""
    if not isinstance(values, dict) or not values or not set(values) <= set(names):
        template = N_("What is changed in the drawing must be some of {options}, not {received}.")
        raise InputError(template, options=", ".join(names), received=shorten(values))
    for name, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        SETTINGS[name].check(value if number else math.nan)
    return {name: float(value) for name, value in values.items()}


def _labels() -> dict[str, str]:
    """Return every word of the stage in the session's language."""
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "back": _("One step back"),
        "forward": _("One step forward"),
        "moment": _("Moment"),
        "speed": _("Speed"),
        "csv": _("Download as CSV"),
        # the slope of a chord
        "lens": _("Under the lens: from x − 2h to x + 2h"),
        "chord_forward": _("Chord, forward"),
        "chord_central": _("Chord, central"),
        "tangent": _("Tangent f′(x)"),
        "error": _("Difference"),
        "slope_text": _("The curve {formula}, a chord over h and the tangent at x. Drag to move x."),
        "slope_said": _("At x = {x} with h = {h} the chord has a slope of {chord}, the tangent one of {tangent}."),
        "slope_none": _(
            "At x = {x} with h = {h} the chord has a slope of {chord}; there is no derivative, and no tangent."
        ),
        "no_derivative": _("no derivative"),
        # the field
        "field_hint": _("Click into the picture to start somewhere else."),
        "field_arrows": _("Arrows point against the gradient; the longer, the steeper."),
        "field_text": _("Arrows against the gradient of {formula}, and the path of the descent."),
        "field_said": _("Step {step}: ({x0}, {x1}), f = {value}."),
        "course": _("f(x) step by step"),
        "course_log": _("f(x) step by step, log scale"),
        "step": _("Step"),
        "step_of": _("Step {step} of {steps}"),
        # the graph
        "circuit_text": _("A computational graph. Values, with gradients in brackets: {values}."),
        "given": _("What is given. Change any number."),
        "given_short": _("Given"),
        "forwards": _("Forwards, {step} of {steps}"),
        "backwards": _("Backwards, {step} of {steps}"),
        "result": _("Result L"),
    }
