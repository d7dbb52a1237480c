"""Draw: a digit goes in by hand; beside it, what the networks are given of it and what they read."""

import streamlit as st

from pages._ui import navigation, reading, session, theme
from pages._ui.canvas.canvas import canvas
from pages._ui.channels import pool
from pages._ui.i18n import _, language

theme.header(_("Draw"), _("What does a network see in your handwriting?"))
session.experiment()
session.show_notices()

trained = reading.of_run(pool(), st.session_state.get("run_id", ""))
networks = ({"run": trained} if trained else {}) | {"shipped": reading.shipped()}
token = reading.open_reader(networks, language=language(), token=st.session_state.get("reader"))
st.session_state["reader"] = token

canvas(token, key="pad")

st.caption(
    _("Draw with mouse, pen, finger or the arrow keys. The networks read while you draw: watch them change their mind.")
)
if not trained:
    st.page_link(
        navigation.pages()["train"],
        label=_("Train a network of your own, and it reads here beside the shipped one."),
        icon=":material/model_training:",
    )
session.write_url()
