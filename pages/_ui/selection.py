"""What is chosen on the Architectures page: a network, the input it is given, and the address that says so.

Session state holds it under `architectures`, by name; widgets are only its face. The address names the network and what
differs from the input that the network was made for, so that a link shows the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from engine.architecture import smallest_side
from engine.catalogue import CATALOGUE
from engine.errors import N_, InputError, Text
from engine.experiment import FIELDS, Experiment
from engine.fields import ExperimentError, check
from pages._ui import session
from pages._ui.choice import heard, worded
from pages._ui.i18n import language, sentence, translate

STATE = "architectures"
WRITTEN = "architectures_addresses"
REMEMBERED = 20  # addresses: a rerun may carry one that is a little older than the one written last

OWN = "own"
NETWORKS = (*CATALOGUE, OWN)
NUMBERS = {
    "size": (N_("Input size"), 1, 1024),
    "channels": (N_("Channels"), 1, 512),
    "classes": (N_("Classes"), 1, 100_000),
    "filters": (N_("Channels C"), 1, 512),
}
# published experiments, and the network that shows each of them
ROWS = {it.preset: id for id, it in CATALOGUE.items() if it.preset} | {"architectures": "vgg16"}
START = {"net": "lenet5", "network": None, "filters": 64}


def chosen(name: str) -> str | int:
    """Return what is chosen; for the network of one's own, until one is written, the one that the session trains."""
    value = st.session_state[STATE][name]
    return own_experiment().network if value is None else value


def choose(values: Mapping[str, object]) -> None:
    """Choose a network, and with it the input it was made for where `values` do not say otherwise."""
    kept = st.session_state.get(STATE, START)
    now = st.session_state[STATE] = kept | usual_input(values["net"]) | values
    for name in now:
        if now[name] != kept.get(name):
            st.session_state.pop(_key(name), None)


def usual_input(net: str) -> dict[str, int]:
    """Return the input that a network was made for."""
    it = CATALOGUE.get(net)
    size, _, channels = it.in_shape if it else (28, 28, 1)
    return {"size": size, "channels": channels, "classes": it.classes if it else 10}


def check_size() -> None:
    """Raise `InputError` when the input is too small for the chosen network of the catalogue."""
    it = CATALOGUE.get(chosen("net"))
    label, _, high = NUMBERS["size"]
    if it and chosen("size") < (low := smallest_side(it.network)):
        legal = Text(
            N_("a whole number from {low} to {high} for {network}"), low=low, high=high, network=Text(it.title)
        )
        template = N_("{field} must be {legal}, not {received}.")
        raise InputError(template, field=Text(label), legal=legal, received=chosen("size"))


def own_experiment() -> Experiment:
    """Return the experiment that a network of one's own comes from and is trained in: the session's, if of pictures."""
    spec = session.known()
    return spec if spec.data != "toy2d" else Experiment()


def control(widget: Callable, name: str, **settings: object) -> None:
    """Draw the widget of something chosen."""
    st.session_state.setdefault(_key(name), chosen(name))
    if name in NUMBERS:
        label, low, high = NUMBERS[name]
        settings |= {"label": translate(label), "min_value": low, "max_value": high, "step": 1}
    widget(key=_key(name), on_change=_take, args=(name,), **settings)


def open_address() -> None:
    """Take over what the address says, at the first visit and whenever a link was followed; say what is wrong in it."""
    query = st.query_params.to_dict()
    asked = {name: value for name, value in query.items() if name in {*START, *NUMBERS, "preset"}}
    known = not asked or asked in st.session_state.get(WRITTEN, []) or session.wrote(query)
    if STATE in st.session_state and known:
        return
    values = dict(START)
    for name, text in asked.items():
        try:
            if name == "preset":
                values["net"] = _row(text)
            else:
                values[name] = _parse(name, text)
        except InputError as error:
            st.warning(sentence(error), icon=":material/info:")
    choose(values)


def write_address() -> None:
    """Make the address say what is chosen."""
    usual = START | usual_input(chosen("net"))
    wanted = {"net": chosen("net")} | {name: str(chosen(name)) for name in NUMBERS if chosen(name) != usual[name]}
    if chosen("net") == OWN:
        wanted["network"] = chosen("network")
    earlier = [it for it in st.session_state.get(WRITTEN, []) if it != wanted]
    st.session_state[WRITTEN] = [*earlier, wanted][-REMEMBERED:]
    st.query_params.from_dict(wanted | {"lang": language()})


def _parse(name: str, text: str) -> str | int:
    """Return what an address says under a name. Raises `ExperimentError`."""
    if name == "network":
        return check(FIELDS[name], text)
    if name == "net":
        if text not in NETWORKS:
            raise ExperimentError(name, Text(N_("one of {options}"), options=", ".join(NETWORKS)), text)
        return text
    low, high = NUMBERS[name][1:]
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise ExperimentError(name, Text(N_("a whole number from {low} to {high}"), low=low, high=high), text)
    return int(text)


def _row(text: str) -> str:
    """Return the network that shows a published experiment. Raises `ExperimentError`."""
    if text not in ROWS:
        raise ExperimentError("preset", Text(N_("one of {options}"), options=", ".join(ROWS)), text)
    return ROWS[text]


def _take(name: str) -> None:
    value = heard(_key(name), NETWORKS if name == "net" else ())
    if name == "net" and value:
        choose({"net": value})
    elif value is not None:
        st.session_state[STATE][name] = value


def _key(name: str) -> str:
    return worded("architectures_net") if name == "net" else f"architectures_{name}"
