"""A trained network looked into: its first filters before and after, its mistakes, and what precision it needs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine import build, presets, shipped
from engine.analysis.precision import Comparison, compare
from engine.data import datasets
from engine.training import metrics
from pages._ui import navigation, session
from pages._ui.i18n import _
from pages._ui.pictures import as_url
from pages._ui.window import sources

MISTAKES = 48
TESTED, WRONG = 10_000, 39  # MNIST's own test digits, and those of them that it misreads: assets/models/reader.txt
COLUMNS = 8  # filters side by side
GAP, GREY = ((3, 3), (3, 3), (0, 0)), 190  # pixels between them, and their shade


def _data() -> str:
    """Return the digits it is tried on: all of MNIST's where they are at hand."""
    return "mnist" if datasets.available("mnist") else "mnist-5k"


@st.cache_resource(max_entries=2, show_spinner=False)  # of those who ask at the same moment, one measures
def _measured(name: str) -> tuple[list[Comparison], np.ndarray]:
    data = datasets.load(name)
    return compare(shipped.load(), data.x_test, data.y_test)


def filters() -> None:
    """Draw the filters of the shipped reader's first convolution, as they were drawn at random and as they are."""
    model = shipped.load()
    now = next(parameter.data for parameter in model.network.parameters().values() if parameter.data.ndim == 4)
    before = build.initial_weights(model.experiment, now.shape)
    captions = (_("Before training: random numbers"), _("After training"))
    for column, weights, caption in zip(st.columns(2, gap="medium"), (before, now), captions, strict=True):
        column.image(sheet(weights[:, :, 0].transpose(2, 0, 1)), caption, alt=caption, width="stretch")
    st.caption(
        _(
            "The {n} filters of {k} × {k} of the network that reads on the page Draw: blue positive, red negative."
        ).format(n=now.shape[-1], k=now.shape[0])
    )
    if st.button(
        _("Train the book's network and watch its 30 filters move"), icon=":material/play_arrow:", key="watch_filters"
    ):
        preset = presets.get("ch07-simple-conv")
        session.renew(preset.runs[preset.headline])
        st.switch_page(navigation.pages()["train"])


def sheet(pictures: np.ndarray) -> np.ndarray:
    """Return small pictures (n, h, w) side by side on one sheet, uint8 in colour, each scaled for itself."""
    cells = [np.pad(sources.in_colour(p).repeat(12, 0).repeat(12, 1), GAP, constant_values=GREY) for p in pictures]
    cells += [np.full_like(cells[0], GREY)] * (-len(cells) % COLUMNS)
    return np.vstack([np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)])


def precision() -> None:
    """Show accuracy and size of the shipped reader in double, single and half precision."""
    rows, _probabilities = _measured(_data())
    n = len(datasets.load(_data()).y_test)
    st.table(
        {
            _("Precision"): [row.precision for row in rows],
            _("Parameters, KB"): [f"{row.bytes / 1000:,.0f}" for row in rows],
            _("Accuracy on {n} digits").format(n=f"{n:,}"): [f"{row.accuracy:.2%}" for row in rows],
            _("Largest change of a probability"): [f"{row.change:.1e}" if row.change else "0" for row in rows],
        }
    )
    _say_what_was_learned()


def _say_what_was_learned() -> None:
    """Where the digits are not all of MNIST's: say that the reader knows them, and what it reads of those unseen."""
    if _data() == "mnist":
        return
    st.caption(
        _(
            "These {n} digits are built in, and are among those that the network learned from. Of MNIST's own {tested} "
            "test digits, which it was never shown, it reads {share} right and {wrong} wrongly."
        ).format(
            n=f"{len(datasets.load(_data()).y_test):,}",
            tested=f"{TESTED:,}",
            share=f"{1 - WRONG / TESTED:.2%}",
            wrong=WRONG,
        )
    )


def mistakes() -> None:
    """Show the digits that the shipped reader gets wrong, the most confident first."""
    data = datasets.load(_data())
    _rows, probabilities = _measured(_data())
    count = int((probabilities.argmax(axis=1) != data.y_test).sum())
    wrong = metrics.misclassified(probabilities, data.y_test, MISTAKES)
    unseen, learned = (
        _("Of the {n} test digits of MNIST the reader names {count} wrongly."),
        _("Of these {n} digits of MNIST the reader names {count} wrongly."),
    )
    st.markdown((unseen if _data() == "mnist" else learned).format(n=f"{len(data.y_test):,}", count=count))
    _say_what_was_learned()
    with st.container(horizontal=True):
        for index in wrong:
            answer = int(probabilities[index].argmax())
            caption = _("{right}, read as {answer}").format(right=int(data.y_test[index]), answer=answer)
            picture = 255 - data.x_test[index, :, :, 0].repeat(3, 0).repeat(3, 1)
            st.image(as_url(picture), caption, alt=caption, width=84)
