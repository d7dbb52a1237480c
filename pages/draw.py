"""Draw: a digit by hand, or a photo of many, and beside it what the networks are given of it and what they read."""

import streamlit as st

from engine.data.my_digits import MyDigits
from pages._ui import collection, navigation, networks, photos, session, theme
from pages._ui.canvas.canvas import canvas
from pages._ui.channels import pool
from pages._ui.choice import choice
from pages._ui.i18n import _, language
from pages._ui.reading.network import of_run, shipped
from pages._ui.reading.reader import open_reader


def to_photo() -> None:
    """Show where a photo is given away, and go there."""
    st.session_state["draw_part"] = "photo"
    st.session_state["draw_gone"] = st.session_state.get("draw_gone", 0) + 1


with theme.header(_("Draw"), _("What does a network see in your handwriting?")):
    st.button(_("Read a photo"), icon=":material/photo_camera:", on_click=to_photo, key="to_photo")
session.experiment()
session.show_notices()

digits = MyDigits(st.session_state.setdefault("my_digits", []))
trained, tuned, brought = (of_run(pool(), st.session_state.get(key, "")) for key in ("run_id", "tuned", "brought"))
shown = {"run": trained, "shipped": shipped(), "tuned": tuned, "brought": brought}
shown = {name: network for name, network in shown.items() if network}
token = open_reader(shown, language=language(), token=st.session_state.get("reader"))
st.session_state["reader"] = token

canvas(
    token,
    key="pad",
    labelled=lambda drawings: collection.keep(digits, drawings),
    heard=collection.heard(digits),
    kept=collection.mirror(digits),
    bring_back=lambda kept: collection.bring_back(digits, kept),
)

# Three parts fit on a phone if they lie close.
CSS = """<style>
@media (max-width: 640px) {[class*="st-key-draw_part"] button {padding-inline: .5rem}}
@media (min-width: 641px) {.st-key-to_photo {display: none}} /* the parts are in sight there */
@media (pointer: coarse) {.st-key-to_photo button {min-height: 2.75rem}}
[class*="st-key-draw_part"] {scroll-margin-top: 4.5rem} /* of Streamlit's header */
</style>"""
GROWING = 5000  # ms at most until the file's place has its height: before, there is no room to scroll to it
GO = """<script>/* {n} */
(() => {{
  const part = document.querySelector("[class*=st-key-draw_part]"), hand = new AbortController();
  const grown = new ResizeObserver(() => part.scrollIntoView());
  hand.signal.addEventListener("abort", () => grown.disconnect());
  for (const sign of ["wheel", "touchmove", "pointerdown", "keydown"]) {{
    addEventListener(sign, () => hand.abort(), {{ capture: true, passive: true, signal: hand.signal }});
  }}
  setTimeout(() => hand.abort(), {ms});
  grown.observe(document.querySelector("[data-testid=stMainBlockContainer]"));
}})();
</script>"""
PARTS = {
    "photo": _("Read a photo or picture"),
    "digits": _("My digits ({n})").format(n=len(digits)),
    "networks": _("Networks"),
}
st.html(CSS)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    part = choice(
        st.segmented_control, _("More"), list(PARTS), None, key="draw_part", format_func=PARTS.get,
        label_visibility="collapsed",
    )  # fmt: skip
    if not trained:
        st.page_link(
            navigation.pages()["train"],
            label=_("Train a network of your own, and it reads here too."),
            icon=":material/model_training:",
        )
if part == "photo":
    photos.show(shown, digits)
    if n := st.session_state.get("draw_gone"):
        st.html(GO.format(n=n, ms=GROWING), unsafe_allow_javascript=True)  # once: then it is the same as before
elif part == "digits":
    collection.show(digits, shown)
elif part == "networks":
    networks.show(shown)
session.write_url()
