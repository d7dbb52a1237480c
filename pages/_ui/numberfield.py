"""A field for a number that stays while the field is not shown: Streamlit forgets then what stood in it."""

from __future__ import annotations

import streamlit as st


def number_field(
    label: str, low: float | None, high: float | None, default: float | None, step: float, *, key: str, **layout: object
) -> float | None:
    """Draw the field and return what stands in it, at first `default`; None where it is empty.

    layout: what else `st.number_input` takes.
    """
    kept = st.session_state.setdefault("numbers", {})
    value = kept.get(key, default)
    st.session_state.setdefault(key, value)
    kept[key] = st.number_input(label, low, high, value, step, key=key, on_change=_keep, args=(key,), **layout)
    return kept[key]


def _keep(key: str) -> None:
    """Keep what was typed also where a part or page without the field is asked for at the same moment."""
    if key in st.session_state:  # its page is not being left
        st.session_state["numbers"][key] = st.session_state[key]
