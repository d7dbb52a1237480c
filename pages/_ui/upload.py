"""A file that a person gives away, taken once: afterwards its place is empty for the next one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def uploader(name: str, label: str, kind: str, take: Callable[[bytes], None]) -> None:
    """Ask for a file whose name ends on `kind`; `take` is called with its bytes, before the page is drawn again."""
    key = f"{name}_file_{st.session_state.get(f'{name}_files', 0)}"  # another one after every file finds it empty
    st.file_uploader(label, [kind], key=key, on_change=taken, args=(name, key, take))


def taken(name: str, key: str, take: Callable[[bytes], None]) -> None:
    """Hand on the file that lies under `key`, if it was not just taken out again."""
    if (file := st.session_state[key]) is not None:
        take(file.getvalue())
        st.session_state[f"{name}_files"] = st.session_state.get(f"{name}_files", 0) + 1
