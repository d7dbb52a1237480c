"""Where a kernel of one's own is made: the picture that it lies on, and its numbers, each of which can be changed."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from engine.analysis.convolution import KERNELS
from engine.data.picture import SUFFIXES
from pages._ui import navigation
from pages._ui.i18n import _
from pages._ui.numberfield import number_field
from pages._ui.pictures import as_url
from pages._ui.upload import accept, held, show_refusal, uploader
from pages._ui.window import sources
from pages._ui.window.settings import chosen

LARGEST_WEIGHT = 1000.0

# The state of the Draw page's pad goes with its page; what stays is the copy in the browser's tab (see canvas.js).
_kept = st.components.v2.component(
    "kasane_kept_drawing",
    js="""
export default ({ parentElement, setStateValue }) => {
  if (parentElement.wasRead) return;
  parentElement.wasRead = true;
  try {
    setStateValue("strokes", JSON.parse(sessionStorage.getItem("kasane-canvas-pad")));
  } catch {
    // a browser that keeps nothing
  }
};
""",
)


def picture() -> np.ndarray | None:
    """Return the picture that is chosen, uint8 (H, W), None as long as there is none."""
    match chosen("picture"):
        case "digit":
            return sources.digit(chosen("digit"))
        case "drawing":
            drawing = sources.drawing(_kept(key="kept_drawing", on_strokes_change=lambda: None).strokes)
            if drawing is None:
                st.page_link(navigation.pages()["draw"], label=_("Draw something first"), icon=":material/draw:")
            return drawing
    uploader("convolution", _("A picture"), SUFFIXES, partial(accept, "convolution", sources.uploaded))
    show_refusal("convolution")
    data = held("convolution")
    return None if data is None else sources.uploaded(data)


def kernel() -> np.ndarray:
    """Draw the table in which the kernel's numbers can be changed, and return the kernel (k, k)."""
    named, size = chosen("named"), int(chosen("named_size"))
    known = KERNELS[named]
    if size not in known.numbers:
        st.info(_("This kernel is usually written 3 × 3."))
        size = 3
    numbers = np.empty((size, size))
    st.caption(_("Change any number."))
    for i in range(size):
        with st.container(horizontal=True, gap="xsmall"):
            for j in range(size):
                numbers[i, j] = number_field(
                    _("Row {row}, column {column}").format(row=i + 1, column=j + 1),
                    -LARGEST_WEIGHT, LARGEST_WEIGHT, float(known.numbers[size][i, j]), 1.0,
                    key=f"weight_{named}_{size}_{i}_{j}", format="%g", label_visibility="collapsed", width=62,
                )  # fmt: skip
    divisor = number_field(
        _("All divided by"), 1, 1000, known.divisor(size), 1, key=f"divisor_{named}_{size}", width=150
    )
    return numbers / divisor


def show(picture: np.ndarray, caption: str) -> None:
    """Draw a picture so large that its pixels are seen."""
    st.html("<style>[data-testid=stImage] img {image-rendering: pixelated}</style>")
    st.image(as_url(picture), caption, width="stretch", alt=caption)
