"""The frame around every page: less empty space than Streamlit's own, and one row of title and language."""

from __future__ import annotations

from html import escape

import streamlit as st

from pages._ui.i18n import LANGUAGES, _, language, speak

# Streamlit keeps a sidebar after all that was in it has gone. On a phone it holds the navigation, which stays. In its
# narrow fields "Press Enter to apply" would stand over what is typed.
CSS = """<style>
[data-testid="stSidebar"]:not(:has([data-testid="stSidebarNav"], [data-testid="stVerticalBlock"] > *)) {
  &, & ~ * [data-testid="stExpandSidebarButton"] {display: none}
}
[data-testid="stMainBlockContainer"] {padding: 4.4rem 2rem 1.5rem; max-width: 1600px}
[data-testid="stMain"] header {display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .9rem}
[data-testid="stMain"] header h1 {font-size: 1.5rem; padding: 0; margin: 0; line-height: 1.25}
[data-testid="stMain"] header p {margin: 0; opacity: .7; font-size: 1rem}
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] {gap: .8rem}
[data-testid="stSidebarHeader"] {height: 2.4rem; min-height: 0; padding-block: .4rem}
[data-testid="stSidebarContent"] {padding-inline: .9rem}
[data-testid="stSidebarUserContent"] {padding: 0 0 1rem}
[data-testid="stSidebar"] [data-testid="stVerticalBlock"] {gap: .45rem}
[data-testid="stSidebar"] [data-testid="stHorizontalBlock"] {gap: .5rem}
[data-testid="stSidebar"] [data-testid="stExpanderDetails"] {padding: .1rem .7rem .7rem}
[data-testid="stSidebar"] [data-testid="stWidgetLabel"] {min-height: 0; margin-bottom: .1rem}
[data-testid="stSidebar"] [data-testid="stWidgetLabel"] p {font-size: .8rem; line-height: 1.2}
[data-testid="stSidebar"] [data-testid="InputInstructions"] {display: none}
[data-testid="stSidebar"] [data-testid="stTooltipIcon"] svg {width: .85rem; height: .85rem}
@media (pointer: coarse) {
  [data-testid="stMain"] [data-testid="stButtonGroup"] button {min-height: 2.75rem}
  [data-testid="stSlider"] [role="group"] > div::before {content: ""; position: absolute; inset: -.125rem 0}
}
@media (max-width: 640px) {[data-testid="stMainBlockContainer"] {padding: 4.2rem .9rem 1.5rem}}
</style>"""

# Streamlit says "en" whatever the words are: a screen reader would read Japanese by English rules.
SPOKEN = "<script>document.documentElement.lang = {language!r};</script>"


def header(title: str, question: str) -> None:
    """Draw a page's title, the question it answers, and the language switch."""
    st.html(CSS)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        words = f"<header><h1>{escape(title)}</h1><p>{escape(question)}</p></header>"
        spoken = SPOKEN.format(language=language())
        st.html(words + spoken, width="content", unsafe_allow_javascript=True)
        st.segmented_control(
            _("Language"),
            list(LANGUAGES),
            format_func=LANGUAGES.get,
            default=language(),
            required=True,
            key=f"language_{language()}",  # a control of its own for each language: it starts at the one in force
            label_visibility="collapsed",
            on_change=_switch,
        )


def _switch() -> None:
    # While a page is being left, Streamlit may call this for its control, which says nothing any more.
    if name := st.session_state.get(f"language_{language()}"):
        speak(name)
