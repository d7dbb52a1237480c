"""The networks that read here: one that a person brings in a file, and each of them as a file to take away."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from engine.data.handwriting import SIZE
from engine.errors import N_, InputError, shorten
from engine.training import checkpoint
from pages._ui import session
from pages._ui.i18n import _, sentence, translate
from pages._ui.reading.network import LABELS, Network
from pages._ui.upload import uploader

MAX_CLASSES, MAX_NAME = 100, 40  # each is a bar beside the pad, and goes with every answer


def show(networks: Mapping[str, Network]) -> None:
    """Ask for a network, and list those that read here."""
    source, listed = st.columns([1, 1.6], gap="medium")
    with source:
        uploader("network", _("Let a network from a file (.safetensors) read here too"), ["safetensors"], bring)
        if problem := st.session_state.pop("network_problem", ""):
            st.error(problem, icon=":material/error:")
        st.caption(
            _(
                "A file from a download button of Kasane, or from `python -m engine train --out FILE`, of a network "
                "that reads pictures of 28 × 28. The address of this page remembers it."
            )
        )
    with listed:
        for name, network in networks.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                describe(name, network)


def describe(name: str, network: Network) -> None:
    """Say what a network is, and offer it as a file."""
    title = f"**{translate(LABELS[name])}**"
    try:
        model = network.model()
        size = _("{n} parameters").format(n=f"{model.network.vector.data.size:,}")
        st.markdown(f"{title} · {size}  \n`{model.experiment.network or '–'}`", width="stretch")
    except InputError as error:
        model = None
        st.markdown(f"{title}  \n{sentence(error)}", width="stretch")
    if name == "brought":  # its file stays in the store, for others who have the address
        remove = st.session_state.pop
        st.button(_("Remove"), icon=":material/delete:", on_click=remove, args=(name, None), key="remove_brought")
    if model:
        st.download_button(
            _("Download"), lambda: checkpoint.network_only(network.weights()), f"kasane-{name}.safetensors",
            "application/octet-stream", icon=":material/download:", key=f"take_{name}", on_click="ignore",
        )  # fmt: skip


def bring(blob: bytes) -> None:
    """Let the network in a file read here, or keep the sentence that says why it cannot."""
    try:
        session.keep_network("brought", opened(blob))
    except InputError as error:
        st.session_state["network_problem"] = sentence(error)


def opened(blob: bytes) -> bytes:
    """Return the network alone of a file that somebody brought. Raises `InputError` unless a pad can show it."""
    model = checkpoint.load_model(blob)
    if (shape := model.network.in_shape) != (SIZE, SIZE, 1):
        template = N_("The network in the file must read pictures of 28 × 28 × 1, not examples of {received}.")
        raise InputError(template, received=" × ".join(map(str, shape)))
    legal = all(name.isprintable() and len(name) <= MAX_NAME for name in model.classes)
    if not legal or len(model.classes) > MAX_CLASSES:
        template = N_("The network's classes must be at most {n} names of up to {length} characters, not {received}.")
        raise InputError(template, n=MAX_CLASSES, length=MAX_NAME, received=shorten(model.classes))
    return checkpoint.network_only(blob)
