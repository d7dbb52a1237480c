"""The pages there are, by name. One table for the navigation bar and for links from page to page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages._ui.i18n import _

FOLDER = Path(__file__).resolve().parents[1]


def sections() -> dict[str, dict[str, st.Page]]:
    """Return the pages, by name, under the headings of the navigation bar, in the session's language."""
    titles = {
        "": {
            "home": (_("Home"), ":material/home:"),
            "train": (_("Train"), ":material/model_training:"),
            "draw": (_("Draw"), ":material/draw:"),
        },
        _("Learning"): {
            "initialization": (_("Initialization"), ":material/casino:"),
            "optimizers": (_("Optimizers"), ":material/downhill_skiing:"),
            "regularization": (_("Regularization"), ":material/balance:"),
            "normalization": (_("Normalization"), ":material/equalizer:"),
            "gradients": (_("Gradients"), ":material/trending_down:"),
            "search": (_("Search"), ":material/manage_search:"),
        },
        _("Networks"): {
            "convolution": (_("Convolution"), ":material/grid_on:"),
            "architectures": (_("Architectures"), ":material/account_tree:"),
        },
    }
    return {
        heading: {
            name: st.Page(FOLDER / f"{name}.py", title=title, icon=icon, default=name == "home")
            for name, (title, icon) in part.items()
            if (FOLDER / f"{name}.py").exists()
        }
        for heading, part in titles.items()
    }


def pages() -> dict[str, st.Page]:
    """Return every page by name; the first is the one that opens."""
    return {name: page for part in sections().values() for name, page in part.items()}
