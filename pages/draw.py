"""Draw: a digit goes in by hand; beside it, what the networks are given of it and what they read."""

import numpy as np
import streamlit as st

from engine.data.handwriting import BOX, SIZE
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

strokes = canvas(token, key="pad")

if strokes:
    width, height = np.ptp(np.concatenate(strokes), axis=0)
    scale = BOX / max(width, height, 1)
    between = _(
        "In between, the box around your strokes, {width:.0f} × {height:.0f} of 280, was scaled to {columns:.0f} × "
        "{rows:.0f} pixels, redrawn with a pen two pixels thick, and moved until its centre of mass lay in the middle "
        "of {size} × {size}: so were the digits of MNIST made. Size, place and pen of your drawing make no difference."
    ).format(width=width, height=height, columns=width * scale, rows=height * scale, size=SIZE)
else:
    between = _(
        "Draw with mouse, pen, finger or the arrow keys: the networks read while you draw. In between, the box around "
        "your strokes is scaled to {box} × {box} pixels, redrawn with a pen two pixels thick, and moved until its "
        "centre of mass lies in the middle of {size} × {size}: so were the digits of MNIST made."
    ).format(box=BOX, size=SIZE)
st.caption(between)

if not trained:
    st.page_link(
        navigation.pages()["train"],
        label=_("Train a network of your own, and it reads here beside the shipped one."),
        icon=":material/model_training:",
    )
session.write_url()
