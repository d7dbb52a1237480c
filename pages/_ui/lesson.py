"""What the pages about one subject share: settings that the address says, parts, sections of prose, runs that are
compared, and three concrete settings to try at the end, which bring the picture that answers into sight."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.errors import InputError
from pages._ui import session, theme
from pages._ui.comparison import comparison
from pages._ui.i18n import _, guide, sentence, translate
from pages._ui.settings import Settings

LINE = 980  # pixels: a line of prose that can be read
BESIDE = '<style>[class*="st-key-beside"] [data-testid="stColumn"] {min-width: min(100%, 23rem)}</style>'


class Lesson:
    """A page about one subject. compared: its parts that train runs, of which the address says more."""

    def __init__(self, settings: Settings, compared: Collection[str] = ()) -> None:
        self.settings, self.compared = settings, compared
        self.page = settings.page
        self._link: Mapping[str, str] | None = None
        self._address: Mapping[str, str] = {}

    def open(self, title: str, question: str) -> None:
        """Draw the head of the page, and take over what the address says."""
        theme.header(title, question)
        self._link = self.settings.open_address()
        if self._link and self._part not in self.compared:
            st.warning(sentence(session.unknown(self._link)), icon=":material/info:")
        session.show_notices()
        if self._part:
            self.settings.control("part", label_visibility="collapsed")

    def show(self, parts: Mapping[str, Callable[[], None]]) -> None:
        """Draw the part that is chosen."""
        try:
            parts[self._part]()
        except InputError as error:
            st.error(sentence(error), icon=":material/error:")

    def close(self, tries: Sequence[tuple[str, str, Mapping[str, object]]]) -> None:
        """Draw what to try, buttons (title, question, settings), and write the address."""
        st.markdown("## " + _("What to try"))
        for n, (column, (title, question, values)) in enumerate(zip(st.columns(len(tries)), tries, strict=True)):
            with column:
                self.take_up_button(translate(title), values, key=f"try_{n}", icon=":material/science:")
                st.caption(translate(question))
        self.settings.write_address(self._address)

    def take_up_button(self, label: str, values: Mapping[str, object], **layout: object) -> None:
        """Draw a button that chooses these settings, and brings the picture into sight."""
        st.button(label, on_click=self._take_up, args=(values,), **layout)

    def text(self, section: str) -> str:
        """Return a section ("# name" in the Markdown file) of the page's guide in the session's language."""
        return dict(part.split("\n", 1) for part in guide(self.page).split("\n# ")[1:])[section]

    def explain(self, section: str) -> None:
        """Write a section of the page's guide."""
        st.markdown(self.text(section), width=LINE)

    def compare(self, id: str, figure: comparison.Figure) -> None:
        """Draw the comparison of a preset, which the address then says too."""
        self._address = comparison.compare(self.page, id, figure, self._link)

    def attention(self) -> int:
        """Return how often attention was called for, if that was for the part that is shown (see served/mount.js)."""
        times, part = self._called
        return times if part == self._part else 0

    @property
    def _part(self) -> str:
        return self.settings["part"] if "part" in self.settings.table else ""

    @property
    def _called(self) -> tuple[int, str]:
        return st.session_state.get(f"{self.page}_attention", (0, ""))

    def _take_up(self, values: Mapping[str, object]) -> None:
        self.settings.begin(values)
        times, _of = self._called
        st.session_state[f"{self.page}_attention"] = times + 1, self._part


def beside(wide: float, name: str = "", gap: str = "large") -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a column so many times as wide as the one beside it; where there is no room, that stands below.

    name: tells several of them on a page apart.
    """
    st.html(BESIDE)
    wider, narrower = st.container(key=f"beside{name}").columns([wide, 1], gap=gap)
    return wider, narrower
