"""The spread: a component that shows what flows through an untrained network, and keeps up with a hand on its sliders.

It is given what the engine computed (scenes.py) and tells the page where its sliders stand. A move of a slider reruns
the fragment that the component stands in, and nothing else; nothing of what it says is chosen before it is checked.
"""

from __future__ import annotations

import math

import streamlit as st

from engine.errors import N_, InputError, shorten
from pages._ui import session
from pages._ui.i18n import _, language
from pages._ui.served.served import component, heed, room
from pages._ui.spread.scenes import Scene
from pages._ui.spread.settings import SETTINGS, settings

SETTLED = "initialization_settled"  # whether the hand rests: only then the address is written

_mount = component("spread", html=room(36), imports=["liveview"], isolate_styles=False)


def spread(scene: Scene, *, key: str, attention: int = 0) -> bool:
    """Show a scene whose sliders are settings, and return whether the hand on them rests.

    When `attention` grows, the component scrolls into sight.
    """
    _mount(
        key=key,
        data={"key": key, "scene": scene, "attention": attention, "language": language(), "labels": _labels()},
        on_chosen_change=lambda: heed(key, "chosen", lambda said: _take(said, tuple(scene["values"]))),
    )
    session.show_notices()  # here, in the fragment
    return st.session_state.pop(SETTLED, True)


def legal(said: object, names: tuple[str, ...]) -> tuple[dict[str, float], bool]:
    """Return where a browser says that the sliders stand, and whether the hand rests. Raises `InputError`."""
    values = said.get("values") if isinstance(said, dict) else None
    if not isinstance(values, dict) or not values or not set(values) <= set(names):
        template = N_("What is changed in the drawing must be some of {options}, not {received}.")
        raise InputError(template, options=", ".join(names), received=shorten(said))
    chosen = {}
    for name, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        setting = SETTINGS[name]
        chosen[name] = type(setting.default)(setting.check(value if number else math.nan))
    return chosen, said.get("settled") is not False


def _take(said: object, names: tuple[str, ...]) -> None:
    values, st.session_state[SETTLED] = legal(said, names)
    settings.choose(**values)


def _labels() -> dict[str, str]:
    """Return every word of the component in the session's language."""
    return {
        "sigma": _("σ of the weights"),
        "layers": _("Layers"),
        "width": _("Units in a layer"),
        "z": _("Input z of every unit"),
        "passed": _("Layers passed"),
        "csv": _("Download as CSV"),
        "times": _("σ√n = {value}"),
        "xavier": _("Xavier, √(1/n)"),
        "he": _("He, √(2/n)"),
        "layer": _("Layer {n}"),
        "std": _("standard deviation {value}"),
        "std_short": _("SD {value}"),  # where there is no room for the words
        "std_meaning": _("SD: standard deviation"),
        "outside": _("{share} outside"),
        "from_to": _("{low} … {high}"),
        "arrives": _("Gradient at the input: {value}"),
        "arrives_weights": _("Gradient of layer 1: {value}"),
        "times_as_large": _("{value}×"),
        "forward": _("Forwards: standard deviation of the activations"),
        "backward": _("Backwards: norm of the gradient, the last layer's = 1"),
        "depth": _("Layer; 0 is the input"),
        "depth_weights": _("Layer"),
        "nothing": _("Nothing is drawn: choose an initialization above."),
        "activations": _("Activations"),
        "gradients": _("Gradients"),
        "cell": _("{name}, layer {layer}: {what} from {low} to {high}, standard deviation {std}, {outside} outside."),
        "lines": _("{title}. {values}."),
        "first_last": _("{name} from {first} to {last}"),
        "examples": _("{n} random examples, a weight matrix of {width} × {width} for every layer"),
        # the derivative
        "f": "f(z)",
        "df": "f′(z)",
        "curve": _("The activation f and its derivative f′"),
        "most": _("never above {value}"),
        "product": _("What is left of a gradient, layer by layer"),
        "here": _("f′(z) to the power of the layers passed"),
        "best": _("the largest f′ to that power"),
        "measured_lecun_normal": _("measured: √(1/n) weights"),
        "measured_he_normal": _("measured: √(2/n) weights"),
        "passed_axis": _("Layers passed on the way back"),
        "left": _("After {n} layers f′ alone leaves {value} of the gradient; at best {best}."),
        "curve_text": _("At z = {z}: f = {y}, f′ = {slope}. f′ is never above {most}."),
    }
