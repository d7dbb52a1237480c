"""Home: what this is, and three ways in."""

import streamlit as st

from pages._ui import navigation, theme
from pages._ui.i18n import _

theme.header("Kasane 重ね", _("Watch a neural network learn, layer by layer."))

st.markdown(
    _(
        "Choose an activation, an initialization, an optimizer, dropout and weight decay, and press Train. "
        "A network written in NumPy learns before your eyes: every layer's activations and gradients and the loss move "
        "several times a second. Then draw a digit and see what it reads."
    )
)

WAYS = (
    (
        "train",
        ":material/model_training:",
        _("Train on handwritten digits"),
        _("5,000 real digits are built in. See the loss fall and the layers come alive, and what goes wrong when."),
        {},
    ),
    (
        "train",
        ":material/scatter_plot:",
        _("Watch a boundary form"),
        _("Two colours of points in a plane: the border between them moves while eight units each find their line."),
        {
            "data": "toy2d",
            "network": "dense8 dense8",
            "activation": "tanh",
            "initializer": "xavier_normal",
            "lr": "0.03",
        },
    ),
    (
        "draw",
        ":material/draw:",
        _("Draw a digit"),
        _("With mouse, pen or finger. The network reads while you draw, and shows you what it sees."),
        {},
    ),
)

for column, (page, icon, title, text, query) in zip(st.columns(len(WAYS)), WAYS, strict=True):
    with column, st.container(border=True, height="stretch", vertical_alignment="distribute"):
        st.subheader(f"{icon} {title}", anchor=False)
        st.write(text)
        st.page_link(navigation.pages()[page], label=_("Open"), icon=":material/arrow_forward:", query_params=query)
