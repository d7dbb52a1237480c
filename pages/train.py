"""Train: pick a network and a way to train it, press the button, watch."""

from collections.abc import Callable

import streamlit as st

from engine import build
from engine.data import datasets
from engine.errors import InputError
from engine.experiment import Experiment
from engine.runs.pool import Run
from pages._ui import controls, session, takeaway, theme
from pages._ui.channels import pool
from pages._ui.choice import choice
from pages._ui.i18n import _, sentence
from pages._ui.liveview.liveview import liveview

# The names of experiments are longer than the sidebar is wide. Their list is drawn outside of it.
WIDE_LIST = """<style>
[data-testid="stSelectboxVirtualDropdown"]:has([aria-label="{label}"]) {{width: min(30rem, 100vw - 3rem) !important}}
</style>"""


def transport(run: Run) -> None:
    """Draw the row of buttons that steer the run, and its speed."""

    def now() -> Run | None:
        """Return the session's run, which may be another one than is drawn here; say why if there can be none."""
        try:
            return session.run()
        except InputError as error:
            session.notice(sentence(error))
            return None

    def steer(name: str, steps: Callable[[Experiment], int] | None = None) -> None:
        if it := now():
            pool().command(it, name, steps(it.experiment) if steps else None)

    def train() -> None:
        """Start or resume; a completed run gets as many steps again, once, however often it is asked for."""
        if it := now():
            if it.state == "completed" and it.step >= it.experiment.steps:
                session.train_on(it)
            pool().command(it, "resume")

    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="transport"):
        if run.can_pause:
            st.button(_("Pause"), icon=":material/pause:", type="primary", on_click=steer, args=("pause",), key="pause")
        else:
            label = _("Continue") if run.state == "completed" else _("Resume") if run.started else _("Train")
            st.button(
                label, icon=":material/play_arrow:", type="primary", on_click=train, key="train",
                disabled=run.state == "diverged",
            )  # fmt: skip
        resting = run.state in ("completed", "diverged")
        for key, text, steps in (
            ("step1", _("1 step"), lambda _spec: 1),
            ("step10", _("10 steps"), lambda _spec: 10),
            ("epoch", _("1 epoch"), build.steps_per_epoch),
        ):
            st.button(text, on_click=steer, args=("step", steps), key=key, disabled=resting)
        st.button(
            _("Reset"), icon=":material/replay:", on_click=session.renew, key="reset",
            help=_("Back to step 0 with the same initial weights."),
        )  # fmt: skip
        st.button(
            _("New weights"), icon=":material/casino:", on_click=session.new_seed, key="new_weights",
            help=_("Back to step 0 with other initial weights and other points: the next seed.")
            if run.experiment.data == "toy2d"
            else _("Back to step 0 with other initial weights: the next seed."),
        )  # fmt: skip
        choice(
            st.select_slider,
            _("Speed"),
            session.SPEEDS,
            session.DEFAULT_SPEED,
            key="speed",
            format_func=session.speed_label,
            on_change=session.change_speed,
            width=170,  # all in one row on a laptop, 1366 pixels wide
            label_visibility="collapsed",
        )
        takeaway.button()


theme.header(_("Train"), _("What happens inside a network while it learns?"))
spec = session.experiment()
session.show_notices()

st.session_state["preset_choice"] = session.current_preset() or None
st.html(WIDE_LIST.format(label=_("Published experiments")))
with st.sidebar:
    choice(
        st.selectbox,
        _("Published experiments"),
        list(session.preset_runs()),
        default=None,
        key="preset_choice",
        format_func=session.preset_label,
        placeholder=_("Choose one …"),
        on_change=session.choose_preset,
        help=_("Settings of published experiments, with the figure that was published."),
    )
    controls.experiment_form(spec, change=session.change)

try:
    current = session.run()
except InputError as error:
    st.error(sentence(error), icon=":material/error:")
    if isinstance(error, datasets.DatasetError) and datasets.downloadable(spec.data):
        controls.offer_download(spec.data)
else:
    known, pause = current.state, current.can_pause  # now: the run goes on while its buttons are drawn
    transport(current)
    session.describe_preset(current)
    if current.error:
        st.error(sentence(current.error), icon=":material/error:")
    if current.state == "diverged":
        st.error(session.advice(current), icon=":material/trending_up:")
    liveview(current, known, pause, key="live", before=session.before(), on_back=session.go_back)
    takeaway.show(pool(), current)
session.write_url()
