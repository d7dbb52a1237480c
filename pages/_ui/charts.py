"""Charts that stand still: drawn by Streamlit in the page's theme, each with a text alternative and its numbers as CSV.

Series differ by dash and marker as well as by colour. What moves is drawn by a component (liveview, comparison, …).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import plotly.graph_objects as go
import streamlit as st

from pages._ui.i18n import _

# Okabe and Ito's colours, which colour-blind people tell apart, the two palest darker, to be seen on white; grey last.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#9A6B00", "#3787B3", "#7F7F7F")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross")


def colour(index: int) -> str:
    """Return the colour of the series at `index`."""
    return COLOURS[index % len(COLOURS)]


def line(index: int, x: Sequence[float], y: Sequence[float], name: str, **more: object) -> go.Scatter:
    """Return the curve of the series at `index`, in a colour and a dash of its own."""
    style = {"color": colour(index), "dash": DASHES[index % len(DASHES)], "width": 2}
    return go.Scatter(x=x, y=y, name=name, mode="lines", line=style, **more)


def figure(*traces: object, x: str = "", y: str = "", height: int = 320, log_x: bool = False, **layout: object):
    """Return a figure of traces with titled axes, without the margins that Plotly leaves."""
    made = go.Figure(list(traces))
    made.update_layout(height=height, margin={"l": 10, "r": 10, "t": 30, "b": 10}, **layout)
    made.update_layout(legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    made.update_xaxes(title=x, automargin=True, **({"type": "log"} if log_x else {}))
    made.update_yaxes(title=y, automargin=True)
    return made


def show(made: go.Figure, *, key: str, alt: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Draw a figure; `alt` says in words what is to be seen, `header` and `rows` are its numbers.

    A file is the same in both languages, its header too.
    """
    st.plotly_chart(made, key=key, config={"displayModeBar": False, "responsive": True}, width="stretch")
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(alt, width="stretch")
        st.download_button(
            _("CSV"), text.getvalue(), f"kasane-{key}.csv", "text/csv", key=f"{key}_csv", type="tertiary",
            icon=":material/download:", help=_("Download the numbers of this figure."), on_click="ignore",
        )  # fmt: skip
