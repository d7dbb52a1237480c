"""The published experiments of the optimizers page that only compute: what a row asks and teaches."""

from __future__ import annotations

import streamlit as st

from engine import presets
from pages._ui.i18n import _, sentence, translate


def show_row(id: str) -> None:
    """Say what a row that only computes asks, and what is to be seen."""
    preset = presets.get(id)
    with st.container(border=True, gap=None):
        st.markdown(f"**{translate(preset.title)}** — {translate(preset.question)}")
        st.caption(_("What to see: {claim}").format(claim=sentence(preset.claim.text)))
