"""What the pages about one subject share: sections of prose, three concrete settings to try at the end, and the picture
that these then bring into sight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from pages._ui.i18n import _, guide, translate


def text(page: str, section: str) -> str:
    """Return a section ("## name" in the Markdown file) of a page's guide in the session's language."""
    return dict(part.split("\n", 1) for part in guide(page).split("\n## ")[1:])[section]


def what_to_try(
    tries: Sequence[tuple[str, str, Mapping[str, object]]], take_up: Callable[[Mapping[str, object]], None]
) -> None:
    """Draw buttons (title, question, settings) that each take up their settings."""
    st.markdown("#### " + _("What to try"))
    for n, (column, (title, question, values)) in enumerate(zip(st.columns(len(tries)), tries, strict=True)):
        with column:
            st.button(translate(title), key=f"try_{n}", icon=":material/science:", on_click=take_up, args=(values,))
            st.caption(translate(question))


def call_attention(page: str) -> None:
    """Have the page's next run bring its picture into sight."""
    st.session_state[f"{page}_attention"] = attention(page) + 1


def attention(page: str) -> int:
    """Return how often attention was called for: another number than before is a call (served/mount.js)."""
    return st.session_state.get(f"{page}_attention", 0)
