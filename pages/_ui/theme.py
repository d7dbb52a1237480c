"""The frame around every page: less empty space than Streamlit's own, and one row of title and language."""

from __future__ import annotations

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._ui.i18n import LANGUAGES, _, language, speak

# Streamlit keeps a sidebar after all that was in it has gone. On a phone it holds the navigation, which stays. In its
# narrow fields "Press Enter to apply" would stand over what is typed. Its captions are paler than can be read, and so
# is white on a dark page's blue; its links and switches do not show that they have the focus, and the button that lets
# a picture fill the screen is seen under a mouse only; and where the system forces its own few colours on a page, all
# that is said by a ground alone is gone: sliders, switches, what is chosen.
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
[data-testid="stPageLink-NavLink"] :is(span:last-child, span:last-child *) {white-space: normal} /* or words are cut */
:root [data-testid="stCaptionContainer"] {color: inherit; opacity: .75}
:root :is([data-testid^="stBaseButton-primary"]:not(:disabled), [data-tag]:not([data-disabled] *)) {
  color: light-dark(white, #06233f)
}
:root a:focus-visible, [data-testid="stCheckbox"] label:has(:focus-visible) > span + div {
  outline: 2px solid; outline-offset: 2px
}
[data-testid="stElementToolbar"]:focus-within {opacity: 1}
@media (pointer: coarse) {
  [data-testid="stMain"] [data-testid="stButtonGroup"] button {min-height: 2.75rem}
  [data-testid="stSlider"] [role="group"] > div::before {content: ""; position: absolute; inset: -.125rem 0}
}
@keyframes off-step {}
input[type="number"]:invalid {animation: off-step 1ms}
@media (forced-colors: active) {
  :root :is(a, button, input, [tabindex]):focus-visible {outline: 2px solid Highlight; outline-offset: 2px}
  [data-testid="stButtonGroup"] [role="radio"][aria-checked="true"] {
    &, & * {color: HighlightText; forced-color-adjust: none}
    & {background: Highlight}
  }
  [data-testid="stSlider"] [role="group"] > div > :first-child {border-top: 2px solid}
  [data-testid="stSlider"] [role="group"] > div > [data-rac] {border: 2px solid; background: Canvas}
  [data-testid="stCheckbox"] label > span + div {border: 1px solid ButtonText; forced-color-adjust: none}
  [data-testid="stCheckbox"] label > span + div > div {background: ButtonText}
  [data-testid="stCheckbox"] label[data-selected] > span + div {background: Highlight}
  [data-testid="stCheckbox"] label[data-selected] > span + div > div {background: HighlightText}
}
@media (max-width: 640px) {[data-testid="stMainBlockContainer"] {padding: 4.2rem .9rem 1.5rem}}
</style>"""

# What a screen reader goes by. Streamlit says "en" whatever the words are: Japanese would be read by English rules.
# And it tells the browser how far a click moves a number: 10000, which is not 1 and so many hundreds, would be read as
# invalid. The style sheet tells of such a field; Streamlit's own buttons and keys move it as before.
SPOKEN = """<script>
document.documentElement.lang = {language!r};
document.onanimationstart = ({{ animationName, target }}) => animationName === "off-step" && (target.step = "any");
</script>"""


def header(title: str, question: str) -> DeltaGenerator:
    """Draw a page's title, the question it answers, and the language switch; return their row."""
    st.html(CSS)
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    with row:
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
    return row


def _switch() -> None:
    # While a page is being left, Streamlit may call this for its control, which says nothing any more.
    if name := st.session_state.get(f"language_{language()}"):
        speak(name)
