"""Architectures: networks with a name, or one's own, drawn to scale, and what every layer of them costs."""

import streamlit as st

from engine import architecture, build
from engine.catalogue import CATALOGUE
from engine.errors import N_, InputError
from engine.experiment import Experiment
from engine.export.table import layers_to_csv
from pages._ui import blueprint, navigation, selection, session
from pages._ui.controls import option_label
from pages._ui.i18n import _, sentence, translate
from pages._ui.lesson import Lesson
from pages._ui.selection import OWN, chosen, control, controls, settings

lesson = Lesson(settings)
TRIES = (
    (
        N_("Twice the side"),
        N_("VGG-16 on 448 × 448: which layer's parameters grow, and what do the convolutions pay?"),
        {"net": "vgg16", "size": 448},
    ),
    (
        N_("No dense layer"),
        N_("A global average on 112 × 112: does a larger picture still cost more parameters?"),
        {"net": "gap", "size": 112},
    ),
    (
        N_("No pooling"),
        N_("The book's six convolutions alone: how far does the last one see, and who pays for the large picture?"),
        {"net": OWN, "network": "conv16@3p1 conv16@3p1 conv32@3p1 conv32@3p1 conv64@3p1 conv64@3p1 dense50 drop.5"},
    ),
)


def network_part() -> None:
    """Draw the chosen network, and its layers as a table."""
    selection.check_size()
    net = CATALOGUE.get(chosen("net"))
    name = translate(net.title) if net else _("Your own")
    spec = None if net else selection.own_experiment().replace(network=chosen("network"))
    shape, classes = (chosen("size"), chosen("size"), chosen("channels")), chosen("classes")
    normalized = spec is not None and spec.normalization != "none"
    rows = architecture.describe(net.network if net else spec.network, shape, classes, normalized=normalized)
    st.html(blueprint.totals(rows))
    label = _("{name}: {n} layers from {shape} to {classes} classes; the table below says the same.")
    st.html(
        blueprint.drawing(
            rows, label.format(name=name, n=len(rows), shape=blueprint.size(shape), classes=f"{classes:,}")
        )
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        train_button(net.preset if net else "", spec)
        st.download_button(
            _("Download as CSV"), layers_to_csv(rows), f"kasane-{chosen('net')}.csv", "text/csv",
            icon=":material/download:",
        )  # fmt: skip
    st.markdown(translate(net.note) if net else lesson.text("own"))
    if net:
        st.caption(f"{net.source}, {net.year}.")
    st.html(blueprint.table(rows))


def train_button(preset: str, own: Experiment | None) -> None:
    """Draw the button that takes a network to the Train page: as it was published, or one's own."""
    if not preset and own is None:
        st.caption(_("Too large to train here: look at it, and train a smaller one."), width="content")
        return
    data = option_label("data", own.data if own else "mnist-5k")
    words = _("On {data}, whatever the input above.").format(data=data)
    if st.button(
        _("Train it"), icon=":material/model_training:", type="primary", key="architectures_train", help=words
    ):
        if own:
            build.check(own)
            session.renew(own)
        else:
            session.open_preset(preset)
        st.switch_page(navigation.pages()["train"])


def filters_part() -> None:
    """Compare stacks of 3 × 3 convolutions with single larger ones that see as far."""
    c = chosen("filters")
    for column, n in zip(st.columns(2, gap="large"), (2, 3), strict=True):
        side = 2 * n + 1
        small, large = (
            architecture.describe(" ".join([f"conv{c}@{kernel}"] * layers), (side, side, c), 1)[:-1]
            for kernel, layers in ((3, n), (side, 1))
        )
        most = blueprint.weights(large)
        with column, st.container(border=True):
            st.html(blueprint.stack(small, most))
            st.html(blueprint.stack(large, most))
            said = _(
                "Both see {field} × {field} pixels. {n} layers of 3 × 3: {n} · 9 · C² = **{small}C²** weights; one of "
                "{field} × {field}: **{large}C²**. The stack has {saved} % fewer, and {n} activations instead of one."
            )
            st.markdown(
                said.format(
                    field=small[-1].receptive_field, n=n, small=blueprint.weights(small) // c**2, large=most // c**2,
                    saved=round(100 * (1 - blueprint.weights(small) / most)),
                )
            )  # fmt: skip


lesson.open(_("Architectures"), _("What is a network made of, and what does it cost?"))
st.html(blueprint.CSS)
if lesson.attention() > st.session_state.get("architectures_attended", 0):
    st.session_state["architectures_attended"] = lesson.attention()
    st.html(blueprint.to_the_top(lesson.attention()), unsafe_allow_javascript=True)
controls("net", "size", "channels", "classes")
if chosen("net") == OWN:
    control("network")
try:
    network_part()
except InputError as error:
    st.error(sentence(error), icon=":material/error:")
lesson.explain("filters")
control("filters")
filters_part()
lesson.explain("equations")
lesson.close(TRIES)
