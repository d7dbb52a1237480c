"""A file that a person gives away, taken once: afterwards its place is empty for the next one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from engine.errors import InputError
from pages._ui.i18n import _, sentence

# Streamlit's own words in there are English whatever the language.
UPLOAD = '[data-testid="stFileUploaderDropzone"] button p'
LIMITS = '[data-testid="stFileUploaderDropzoneInstructions"] span'
REFUSED = '[data-testid="stFileUploader"]:has([aria-invalid="true"])'  # it never arrives: too large, or of another kind
SHUTTER = '[data-testid="stCameraInputButton"]'


def uploader(name: str, label: str, kinds: Sequence[str], take: Callable[[bytes], None]) -> None:
    """Ask for a file whose name ends on one of `kinds`; `take` is called with its bytes before the page is redrawn."""
    key = place(name)
    limits = _("Up to {size} MB: {kinds}").format(size=st.get_option("server.maxUploadSize"), kinds=", ".join(kinds))
    reword(key, {UPLOAD: _("Choose a file"), LIMITS: limits, REFUSED: _("Not taken. {limits}").format(limits=limits)})
    st.file_uploader(label, kinds, key=key, on_change=taken, args=(name, key, take))


def camera(name: str, label: str, take: Callable[[bytes], None]) -> None:
    """Ask for a photograph; `take` is called with its bytes before the page is redrawn."""
    key = place(name)
    reword(key, {SHUTTER: _("Take the photo")})
    st.camera_input(label, key=key, on_change=taken, args=(name, key, take))


def reword(key: str, words: Mapping[str, str]) -> None:
    """Say something else in the widget with this key: words by the CSS selectors of its parts."""
    rule = ".st-key-{} {} {{font-size: 0; &::after {{content: {}; font-size: .875rem}}}}"
    rules = (rule.format(key, part, json.dumps(text, ensure_ascii=False)) for part, text in words.items())
    st.html(f"<style>{''.join(rules)}</style>")


def count(name: str) -> int:
    """Return how many files were taken under this name."""
    return st.session_state.get(f"{name}_files", 0)


def place(name: str) -> str:
    """Return the key of the widget for the next file: another one after every file, which finds it empty."""
    return f"{name}_file_{count(name)}"


def taken(name: str, key: str, take: Callable[[bytes], None]) -> None:
    """Hand on the file that lies under `key`, if it was not just taken out again, nor its page is being left.

    Until the browser is told that the place is another one, it says with every click that the file lies there.
    """
    if key == place(name) and (file := st.session_state.get(key)) is not None:
        take(file.getvalue())
        st.session_state[f"{name}_files"] = count(name) + 1


def held(name: str) -> bytes | None:
    """Return the bytes that `hold` keeps under this name."""
    return st.session_state.get(f"{name}_held")


def accept(name: str, check: Callable[[bytes], object], data: bytes) -> None:
    """Hold a file's bytes if `check` takes them. Where it raises `InputError`, what was held stays."""
    try:
        check(data)
    except InputError as error:
        st.session_state[f"{name}_refused"] = sentence(error)
    else:
        hold(name, data)


def show_refusal(name: str) -> None:
    """Say, once, why the latest file was not taken, if it was not."""
    if refused := st.session_state.pop(f"{name}_refused", ""):
        st.error(refused, icon=":material/error:")


def hold(name: str, data: bytes | None) -> None:
    """Keep a file's bytes while other parts and pages are looked at; None: no longer."""
    st.session_state[f"{name}_held"] = data
