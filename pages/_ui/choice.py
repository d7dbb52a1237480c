"""A widget that offers words.

Streamlit tells options apart by what a person reads, and keeps a widget for its key: after a change of language the
browser would go on naming an option by a word that there is no more. So each language has a widget of its own, under
the key that `face` gives, and what no option is called changes nothing.

Session state tells the browser a widget's value only once. One that misses that, as by two runs of the page before it
has drawn the first, would begin with the first option or the least value and hand it back as the person's. So what is
chosen is the widget's default, too, here and for all widgets of an experiment or a page's settings.

Whoever presses a button before the browser has been told of a new value hands the value before back with it, as the
person's. So a widget that is to show what was not chosen in it is another one from then on, with a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages._ui.i18n import LANGUAGES, language

FACES = "faces"  # in session state: how often the widget of a key was replaced by another one


def face(key: str, *, worded: bool = False, spoken: str = "") -> str:
    """Return the session-state key of the widget that shows what is chosen under a key.

    worded: its options are words, of the session's language or of that in which it was `spoken`: who has just changed
    the language may go on choosing before the page shows it.
    """
    n = st.session_state.get(FACES, {}).get(key, 0)
    return (f"{key}_{spoken or language()}" if worded else key) + (f"_{n}" if n else "")


def turn(key: str, *, worded: bool = False) -> None:
    """Show what is chosen under a key in another widget from now on, if one is shown: it was not chosen there."""
    keys = {face(key, worded=worded, spoken=spoken) for spoken in LANGUAGES}
    if shown := [it for it in keys if it in st.session_state]:
        for it in shown:
            del st.session_state[it]
        faces = st.session_state.setdefault(FACES, {})
        faces[key] = faces.get(key, 0) + 1


def heard(key: str, options: Sequence[object] = ()) -> object:
    """Return what the widget under a key says; None where it is gone or says nothing, or what no option is called.

    It is gone where the callback of another widget has chosen for it in the same moment. What no option is called is
    dropped, so that the widget shows again what is chosen. options: none for a widget that takes any number or text.
    """
    if options and st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    return st.session_state.get(key)


def choice(
    widget: Callable, label: str, options: Sequence[str], default: str | None, *, key: str,
    on_change: Callable[[], object] | None = None, **layout: object,
) -> str | None:  # fmt: skip
    """Draw a widget and return what is chosen; session state keeps it under `key`, whatever language it was said in.

    widget: st.selectbox, st.segmented_control or st.select_slider. default: what is chosen at first, and where what was
    chosen is no option any more. on_change: called after another choice. layout: what else `widget` takes.
    """
    if st.session_state.setdefault(key, default) not in options:
        st.session_state[key] = default
    chosen = st.session_state[key]
    if st.session_state.get(face(key, worded=True), chosen) != chosen:
        turn(key, worded=True)
    now = face(key, worded=True)
    st.session_state.setdefault(now, chosen)
    layout |= {
        st.selectbox: {"index": options.index(chosen) if chosen in options else None},
        st.segmented_control: {"default": chosen},
        st.select_slider: {"value": chosen},
    }[widget]
    widget(label, options, key=now, on_change=_take, args=(key, language(), [*options, default], on_change), **layout)
    return chosen


def _take(key: str, spoken: str, options: Sequence[str | None], on_change: Callable[[], object] | None) -> None:
    chosen = st.session_state.get(face(key, worded=True, spoken=spoken), st.session_state[key])
    # Streamlit calls this for the widget of a page that is being left, too: it says what it said before, or nothing.
    if chosen not in options or chosen == st.session_state[key]:
        return
    st.session_state[key] = chosen
    if on_change:
        on_change()
