"""A file that a person gives away, taken once: afterwards its place is empty for the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st


def uploader(name: str, label: str, kinds: Sequence[str], take: Callable[[bytes], None]) -> None:
    """Ask for a file whose name ends on one of `kinds`; `take` is called with its bytes before the page is redrawn."""
    key = place(name)
    st.file_uploader(label, kinds, key=key, on_change=taken, args=(name, key, take))


def camera(name: str, label: str, take: Callable[[bytes], None]) -> None:
    """Ask for a photograph; `take` is called with its bytes before the page is redrawn."""
    key = place(name)
    st.camera_input(label, key=key, on_change=taken, args=(name, key, take))


def count(name: str) -> int:
    """Return how many files were taken under this name."""
    return st.session_state.get(f"{name}_files", 0)


def place(name: str) -> str:
    """Return the key of the widget for the next file: another one after every file, which finds it empty."""
    return f"{name}_file_{count(name)}"


def taken(name: str, key: str, take: Callable[[bytes], None]) -> None:
    """Hand on the file that lies under `key`, if it was not just taken out again."""
    if (file := st.session_state[key]) is not None:
        take(file.getvalue())
        st.session_state[f"{name}_files"] = count(name) + 1


def held(name: str) -> bytes | None:
    """Return the bytes that `hold` keeps under this name."""
    return st.session_state.get(f"{name}_held")


def hold(name: str, data: bytes | None) -> None:
    """Keep a file's bytes while other parts and pages are looked at; None: no longer."""
    st.session_state[f"{name}_held"] = data
