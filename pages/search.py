"""Search: many trials with other values of the hyper-parameters, compared on examples that none of them learns from."""

import streamlit as st

from engine.errors import N_, InputError, Text
from engine.search.axes import format_axes, parse_axes
from pages._ui import navigation, session
from pages._ui.i18n import _, sentence
from pages._ui.lesson import Lesson
from pages._ui.searching import form
from pages._ui.searching.searchview import searchview, state_of
from pages._ui.searching.server import searches
from pages._ui.searching.settings import SEARCH, chosen, control, settings

lesson = Lesson(settings)
TRIES = (
    (
        N_("The book's search"),
        N_("λ and learning rate at random, 100 times. In which power of ten do the best twenty lie?"),
        {},
    ),
    (
        N_("Random or TPE"),
        N_("Forty trials that learn from one another: how many of them land near the best?"),
        {"sampler": "tpe", "trials": 40},
    ),
    (
        N_("Does the optimizer matter?"),
        N_("Four optimizers, one wide range of learning rates, and the hopeless are ended early."),
        {
            "over": format_axes(parse_axes("optimizer:sgd|momentum|adagrad|adam,lr:0.0001..1 log")),
            "pruning": 1,
            "trials": 60,
        },
    ),
)


def start() -> None:
    """Start the search that is chosen, and show it; a second click finds it started."""
    if settings.search():
        return
    try:
        form.check()
        st.session_state[SEARCH] = searches().start(settings.plan()).id
    except InputError as error:
        session.notice(sentence(error))


def resume() -> None:
    """Go on with the search that is shown, to the number of trials that is asked for."""
    if not (it := settings.search()):  # it was left at the same moment
        return
    try:
        searches().resume(it, chosen("trials"))
    except InputError as error:
        session.notice(sentence(error))


def commands() -> None:
    """Draw the buttons and what decides how the next trial is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="search_commands"):
        running = search is not None and search.is_running
        if running:
            st.button(
                _("Stop"), icon=":material/stop:", type="primary", on_click=search.stop, key="search_stop",
                disabled=search.state == "stopping",
            )  # fmt: skip
        elif search is None:
            st.button(_("Start"), icon=":material/play_arrow:", type="primary", on_click=start, key="search_start")
        else:
            st.button(
                _("Resume"), icon=":material/play_arrow:", type="primary", on_click=resume, key="search_resume",
                disabled=len(search.finished()) >= chosen("trials"),
                help=_("Continues up to the number of trials beside it; finished trials stay."),
            )  # fmt: skip
        st.button(
            _("New"), icon=":material/add:", on_click=settings.leave, key="search_new",
            disabled=search is None or running, help=_("Leaves this search; its link still opens it."),
        )  # fmt: skip
        control("trials", disabled=running)
        control("sampler", disabled=search is not None)
        control("pruning", disabled=search is not None)


lesson.open(_("Search"), _("Which learning rate, which decay? Let the machine try."))
search = settings.search()
form.sidebar(fixed=search is not None)
known = state_of(search)
commands()
if search is not None:
    if search.error:
        st.error(sentence(search.error), icon=":material/error:")
    reasons = [trial.reason for trial in search.finished() if trial.state == "failed"]
    if reasons:
        said = _("{n} trials could not be trained; the first: {reason}")
        st.warning(said.format(n=len(reasons), reason=sentence(Text.from_dict(reasons[0]))), icon=":material/info:")
trial = searchview(search, known, settings.axes(), chosen("trials"), key="search_view", attention=lesson.attention())
if trial is not None:
    session.renew(search.plan.trial(trial.values))
    st.switch_page(navigation.pages()["train"])
lesson.explain("validation")
for column, section in zip(st.columns(2, gap="large"), ("scales", "samplers"), strict=True):
    with column:
        lesson.explain(section)
lesson.explain("machines")
lesson.close(TRIES)
