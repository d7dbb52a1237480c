"""The pages there are, by name. One table for the navigation bar and for links from page to page."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from urllib.parse import unquote, urlsplit

import streamlit as st

from pages._ui.i18n import _

FOLDER = Path(__file__).resolve().parents[1]
START = {"default": True, "url_path": ""}  # else Streamlit would keep its name, at which nothing is shown


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
            name: st.Page(FOLDER / f"{name}.py", title=title, icon=icon, **(START if name == "home" else {}))
            for name, (title, icon) in part.items()
        }
        for heading, part in titles.items()
    }


def pages() -> dict[str, st.Page]:
    """Return every page by name; the first is the one that opens."""
    return {name: page for part in sections().values() for name, page in part.items()}


def nowhere(known: Collection[str]) -> st.Page | None:
    """Return the page for an address at which there is none, None where every address so far had one.

    Streamlit itself would say so in English, whatever the language, and show Home. It stays for the way "Back".
    known: the names in the addresses of all pages.
    """
    try:
        name = unquote(urlsplit(st.context.url or "").path).rstrip("/").rpartition("/")[2].strip()
    except ValueError:  # the address comes from outside
        name = ""
    if name not in known:
        st.session_state["nowhere"] = name
    name = st.session_state.get("nowhere")
    title = _("There is no such page")
    return st.Page(FOLDER / "nowhere.py", title=title, url_path=name, visibility="hidden") if name else None
