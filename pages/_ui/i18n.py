"""Two languages, Japanese and English. English sentences are the message ids; Japanese stands in assets/locales/ja.po.

The language of a session is chosen by the URL (`?lang=ja`), else by what the browser prefers, and switched by the
control at the top of every page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import streamlit as st
from babel.messages.pofile import read_po

from engine.errors import N_, InputError, Text
from engine.experiment import FIELDS

LANGUAGES = {"ja": "日本語", "en": "English"}
MARKUP = re.compile(r"[\\`*~$:\[\]]|(?<!\w)_|_(?!\w)")  # what Markdown, as Streamlit reads it, could take for a sign
ASSETS = Path(__file__).resolve().parents[2] / "assets"


@lru_cache
def catalog(language: str) -> dict[str, str]:
    """Return message id → translation."""
    if language == "en":
        return {}
    with (ASSETS / "locales" / f"{language}.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id and message.string}


def language() -> str:
    """Return the session's language, "ja" or "en"."""
    chosen = st.session_state.get("lang")
    if chosen not in LANGUAGES:
        asked = st.query_params.get("lang")
        prefers = "ja" if (st.context.locale or "").lower().startswith("ja") else "en"
        chosen = st.session_state["lang"] = asked if asked in LANGUAGES else prefers
    return chosen


def speak(name: str) -> None:
    """Change the language, from the page's next run on: until then widgets are known by words of this one."""
    st.session_state["next_lang"] = name


def begin() -> None:
    """Begin a run of the page, in another language if one was asked for."""
    if (name := st.session_state.pop("next_lang", None)) in LANGUAGES:
        st.session_state["lang"] = name


def translate(message: str) -> str:
    """Return the message in the session's language.

    Written `_("…")` where the message is a literal, so that Babel collects it; `translate(…)` where it comes from data.
    """
    return catalog(language()).get(message, message)


_ = translate


def joined(words: Iterable[str]) -> str:
    """Return the words as a list, with the comma of the session's language between them: "a, b" or "a、b"."""
    between = _("{first}, {second}").format(first="", second="")
    return between.join(words)


def run_name(label: str) -> str:
    """Return the label of a preset's run in the session's language; part by part where it names two: "tanh, std 1"."""
    whole = translate(label)
    return whole if whole != label else joined(map(translate, label.split(", ")))


def sentence(text: Text | InputError) -> str:
    """Return a translatable sentence of the engine in the session's language, as Markdown.

    Fields go by the name that their widget has. What a sentence quotes, from an address perhaps, is shown as it is.
    """
    return _quoting(text.text if isinstance(text, InputError) else text).render(translate)


def _quoting(text: Text) -> Text:
    """Return the sentence with its field named and what it quotes escaped, for in Markdown it could fetch a picture."""
    values = {name: _quoted(value) for name, value in text.values.items()}
    field = text.values.get("field")
    if isinstance(field, str) and field in FIELDS:
        label = FIELDS[field].metadata["label"]
        values["field"] = Text(label)
    return Text(text.template, **values)


def _quoted(value: object) -> object:
    if isinstance(value, Text):
        return _quoting(value)
    return MARKUP.sub(r"\\\g<0>", value) if isinstance(value, str) else value


def guide(name: str) -> str:
    """Return the Markdown of assets/guide in the session's language."""
    return (ASSETS / "guide" / language() / f"{name}.md").read_text(encoding="utf-8")


__all__ = ["LANGUAGES", "N_", "_", "guide", "joined", "language", "run_name", "sentence", "translate"]
