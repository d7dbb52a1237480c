"""The pages there are, by name. One table for the navigation bar and for links from page to page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages._ui.i18n import _

FOLDER = Path(__file__).resolve().parents[1]


def pages() -> dict[str, st.Page]:
    """Return every page by name, titled in the session's language; the first is the one that opens."""
    titles = {
        "home": (_("Home"), ":material/home:"),
        "train": (_("Train"), ":material/model_training:"),
        "convolution": (_("Convolution"), ":material/grid_on:"),
        "architectures": (_("Architectures"), ":material/account_tree:"),
        "draw": (_("Draw"), ":material/draw:"),
    }
    return {
        name: st.Page(FOLDER / f"{name}.py", title=title, icon=icon, default=name == "home")
        for name, (title, icon) in titles.items()
    }
