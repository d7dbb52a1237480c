"""Home: what this is, three ways in, and a page for every subject."""

import streamlit as st

from engine.data import datasets
from pages._ui import address, i18n, navigation, session, theme
from pages._ui.i18n import _, language, sentence
from pages._ui.pictures import png_url

theme.header("Kasane 重ね", _("Watch a neural network learn, layer by layer."))
if others := [name for name in st.query_params if name != "lang"]:
    st.warning(sentence(session.unknown(others)), icon=":material/info:")

st.markdown(
    _(
        "Pick an activation, an initialization, an optimizer, dropout and weight decay, and press Train: a network "
        "written in NumPy learns before your eyes. Then draw a digit and see what it reads."
    )
)

OF_DIGITS = ("mnist-5k", "mnist", "digits", "pendigits", "handwriting")
DIGITS = {"data": "mnist-5k"}
PLANE = {
    "data": "toy2d", "shape": "spiral", "network": "dense12 dense12", "activation": "tanh",
    "initializer": "xavier_normal", "optimizer": "adam", "lr": "0.01",
}  # fmt: skip
data = session.known().data
WAYS = (
    (
        "train",
        "layers",
        _("Train on handwritten digits"),
        _("5,000 real digits are built in. See the loss fall, the layers come alive, and what goes wrong when."),
        {} if data in OF_DIGITS and datasets.available(data) else session.link(DIGITS),
    ),
    (
        "train",
        "plane",
        _("Watch a boundary form"),
        _("Points of two colours in a plane: the border moves while each hidden unit finds its own line."),
        {} if data == "toy2d" else session.link(PLANE),
    ),
    (
        "draw",
        "digit",
        _("Draw a digit"),
        _("With mouse, pen or finger. The network reads while you draw, and shows you what it sees."),
        {},
    ),
)

for column, (page, picture, title, text, query) in zip(st.columns(len(WAYS)), WAYS, strict=True):
    with column, st.container(border=True, height="stretch"):
        st.image(png_url((i18n.ASSETS / "images" / f"home-{picture}.png").read_bytes()), width="stretch", alt="")
        st.page_link(
            navigation.pages()[page], label=f"**{title}**", icon=":material/arrow_forward:", query_params=query
        )
        st.markdown(text)

SUBJECTS = (
    ("initialization", _("What do the first weights decide?")),
    ("optimizers", _("Which way down, and how fast?")),
    ("regularization", _("Why does it fail on new digits, and what helps?")),
    ("normalization", _("What if every layer saw numbers of the same scale?")),
    ("gradients", _("What is a gradient, and how does backpropagation find it?")),
    ("search", _("Which learning rate, which decay? Let the machine try.")),
    ("convolution", _("What does a convolution compute?")),
    ("architectures", _("What is a network made of, and what does it cost?")),
)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    st.markdown("## " + _("One subject, one question"), width="content")
    if address.on_this_machine(st.context.url) and (url := address.in_network()):
        st.caption(_("Others on the same LAN or Wi-Fi join at **{url}**").format(url=url), width="content")
for start in range(0, len(SUBJECTS), 4):
    for column, (page, question) in zip(st.columns(4), SUBJECTS[start : start + 4], strict=True):
        with column, st.container(border=True, height="stretch", gap=None):
            st.page_link(navigation.pages()[page], icon=":material/arrow_forward:")
            st.caption(question)
st.query_params.from_dict({"lang": language()})
