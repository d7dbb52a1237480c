"""Draw: a digit by hand, or a photo of many, and beside it what the networks are given of it and what they read."""

import streamlit as st

from engine.data.my_digits import MyDigits
from pages._ui import collection, navigation, photos, reading, session, theme
from pages._ui.canvas.canvas import canvas
from pages._ui.channels import pool
from pages._ui.choice import choice
from pages._ui.i18n import _, language

theme.header(_("Draw"), _("What does a network see in your handwriting?"))
session.experiment()
session.show_notices()

digits = MyDigits(st.session_state.setdefault("my_digits", []))
trained = reading.of_run(pool(), st.session_state.get("run_id", ""))
tuned = reading.of_run(pool(), st.session_state.get("tuned", {}).get("run", ""))
networks = {"run": trained, "shipped": reading.shipped(), "tuned": tuned}
networks = {name: network for name, network in networks.items() if network}
token = reading.open_reader(networks, language=language(), token=st.session_state.get("reader"))
st.session_state["reader"] = token

canvas(token, key="pad", keep=digits.add)

PARTS = {"photo": _("Read a photo or picture"), "digits": _("My digits ({n})").format(n=len(digits))}
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
    photos.show(networks, digits)
elif part == "digits":
    collection.show(digits, networks)
session.write_url()
