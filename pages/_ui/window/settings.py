"""The controls of the convolution page in one table: what may be chosen, what is chosen, and the address that says so.

Session state holds what is chosen under `convolution`, by name; a widget is only its face, and may come and go with the
part of the page that it belongs to. The address names what differs from the default, so that a link shows the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from engine.analysis.convolution import KERNELS
from engine.errors import N_, InputError, Text, shorten
from pages._ui.i18n import _, language, sentence, translate

STATE = "convolution"
WRITTEN = "convolution_addresses"
REMEMBERED = 20  # addresses: a rerun may carry one that is a little older than the one written last

Value = int | str


@dataclass(frozen=True)
class Setting:
    """What may be chosen under a name. words: what a person reads for an option that does not stand for itself."""

    label: str
    options: tuple[Value, ...]
    default: Value
    widget: str = "segments"
    words: Mapping[Value, str] = field(default_factory=dict)
    help: str = ""
    width: int = 120

    def word(self, option: Value) -> str:
        """Return what a person reads for an option, in the session's language."""
        return translate(self.words[option]) if option in self.words else str(option)

    def parse(self, text: str) -> Value:
        """Return the option that an address names. Raises `InputError` when there is none."""
        for option in self.options:
            if text == str(option):
                return option
        if all(isinstance(option, int) for option in self.options):
            legal = Text(N_("a whole number from {low} to {high}"), low=self.options[0], high=self.options[-1])
        else:
            legal = Text(N_("one of {options}"), options=", ".join(map(str, self.options)))
        template = N_("{field} must be {legal}, not {received}.")
        raise InputError(template, field=Text(self.label), legal=legal, received=shorten(text))


def _whole(label: str, low: int, high: int, default: int, widget: str = "segments", help: str = "") -> Setting:
    return Setting(label, tuple(range(low, high + 1)), default, widget, help=help)


def _named(label: str, words: Mapping[str, str], default: str, widget: str = "select", help: str = "") -> Setting:
    return Setting(label, tuple(words), default, widget, words, help)


_SIZE, _KERNEL, _STRIDE, _PADDING = N_("Input size"), N_("Kernel"), N_("Stride"), N_("Padding")
_CHANNELS, _FILTERS = N_("Input channels"), N_("Filters")
_INPUTS = {"digit": N_("A digit"), "random": N_("Random"), "ramp": N_("A ramp")}
_PICTURES = {"digit": N_("A digit"), "drawing": N_("My drawing"), "upload": N_("A picture of mine")}
_WEIGHTS = {"edges": N_("Edges"), "random": N_("Random")}
_PARTS = {
    "window": N_("The window"),
    "kernels": N_("Your own kernel"),
    "pooling": N_("Pooling"),
    "im2col": N_("im2col and col2im"),
    "network": N_("A trained network"),
    "quiz": N_("Quiz"),
}

SETTINGS = {
    "part": _named(N_("Part of the page"), _PARTS, "window", "segments"),
    # the window
    "size": _whole(_SIZE, 4, 12, 8, "slider"),
    "kernel": _whole(_KERNEL, 1, 5, 3, help=N_("Cells on a side of the window.")),
    "stride": _whole(_STRIDE, 1, 3, 1, help=N_("Cells from one place of the window to the next.")),
    "padding": _whole(_PADDING, 0, 3, 0, help=N_("Rows and columns of zeros put around the input.")),
    "channels": _whole(_CHANNELS, 1, 3, 1, help=N_("A colour picture has three. A kernel has a plane for each.")),
    "filters": _whole(_FILTERS, 1, 3, 1, help=N_("Each filter makes one channel of the output.")),
    "input": _named(N_("Under the window"), _INPUTS, "digit"),
    "digit": Setting(N_("Digit"), tuple(range(10)), 7, "select", width=75),
    "weights": _named(
        N_("Kernel's numbers"), _WEIGHTS, "edges", help=N_("Edges: filter 1 vertical, 2 horizontal, 3 the sum of all.")
    ),
    "seed": _whole(N_("Random seed"), 0, 99, 0, "none"),
    # a kernel of one's own
    "picture": _named(N_("Picture"), _PICTURES, "digit", "segments"),
    "named": Setting(
        N_("Kernel"), tuple(KERNELS), "sobel_x", "select", {name: it.title for name, it in KERNELS.items()}, width=280
    ),
    "named_size": _named(N_("Kernel size"), {"3": "3 × 3", "5": "5 × 5"}, "3", "segments"),
    "same": _whole(N_("Pad with zeros: the size stays"), 0, 1, 1, "toggle"),
    "relu": _whole(N_("ReLU: keep only what is positive"), 0, 1, 0, "toggle"),
    # pooling
    "pool_size": _whole(_SIZE, 4, 12, 8, "slider"),
    "pool": _whole(N_("Window"), 1, 4, 2),
    "pool_stride": _whole(_STRIDE, 1, 4, 2, help=N_("Cells from one place of the window to the next.")),
    "pool_channels": _whole(_CHANNELS, 1, 3, 1, help=N_("Each channel is pooled by itself.")),
    # im2col
    "matrix_size": _whole(_SIZE, 3, 5, 4),
    "matrix_kernel": _whole(_KERNEL, 1, 3, 3),
    "matrix_stride": _whole(_STRIDE, 1, 2, 1),
    "matrix_padding": _whole(_PADDING, 0, 1, 0),
    "matrix_channels": _whole(_CHANNELS, 1, 2, 1),
    "matrix_filters": _whole(_FILTERS, 1, 3, 2),
}


def chosen(name: str) -> Value:
    """Return what is chosen."""
    return st.session_state[STATE][name]


def choose(**values: Value) -> None:
    """Set controls; their widgets follow."""
    st.session_state[STATE] |= values
    for name in values:
        st.session_state.pop(_key(name), None)


def open_address() -> None:
    """Take over what the address says, at the first visit and whenever a link was followed; say what is wrong in it."""
    asked = {name: value for name, value in st.query_params.to_dict().items() if name in SETTINGS}
    if STATE not in st.session_state:
        st.session_state[STATE] = {name: setting.default for name, setting in SETTINGS.items()}
    if not asked or asked in st.session_state.get(WRITTEN, []):
        return
    values = {name: setting.default for name, setting in SETTINGS.items()}
    for name, text in asked.items():
        try:
            values[name] = SETTINGS[name].parse(text)
        except InputError as error:
            st.warning(sentence(error), icon=":material/info:")
    choose(**values)


def write_address() -> None:
    """Make the address say what is chosen."""
    wanted = {name: str(chosen(name)) for name, setting in SETTINGS.items() if chosen(name) != setting.default}
    earlier = [it for it in st.session_state.get(WRITTEN, []) if it != wanted]
    st.session_state[WRITTEN] = [*earlier, wanted][-REMEMBERED:]
    st.query_params.from_dict(wanted | {"lang": language()})


def control(name: str, **layout: object) -> Value:
    """Draw the widget of a setting and return what is chosen."""
    setting, key = SETTINGS[name], _key(name)
    if key not in st.session_state:
        st.session_state[key] = bool(chosen(name)) if setting.widget == "toggle" else chosen(name)
    common = {"label": translate(setting.label), "key": key, "on_change": _take, "args": (name,)} | layout
    if setting.help:
        common["help"] = translate(setting.help)
    match setting.widget:
        case "segments":
            st.segmented_control(options=setting.options, format_func=setting.word, required=True, **common)
        case "slider":
            st.slider(min_value=setting.options[0], max_value=setting.options[-1], **{"width": 115} | common)
        case "select":
            st.selectbox(options=setting.options, format_func=setting.word, **{"width": setting.width} | common)
        case "toggle":
            st.toggle(**common)
    return chosen(name)


def controls(*names: str, new: bool = False) -> None:
    """Draw the widgets of several settings in a row. new: also a button that takes other random numbers."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name in names:
            control(name)
        if new:
            st.button(_("New numbers"), icon=":material/casino:", key="new_numbers", on_click=_reseed)


def _reseed() -> None:
    choose(seed=(chosen("seed") + 1) % len(SETTINGS["seed"].options))


def _take(name: str) -> None:
    value = st.session_state[_key(name)]
    if value is not None:
        st.session_state[STATE][name] = int(value) if SETTINGS[name].widget == "toggle" else value


def _key(name: str) -> str:
    return f"convolution_{name}"
