"""Normalization: what one mean is taken over, what that makes possible, and where it fails."""

import streamlit as st

from engine import presets
from engine.errors import N_, InputError
from engine.presets import SIGMAS
from pages._ui import lesson, session, theme
from pages._ui.comparison.comparison import Figure, compare
from pages._ui.i18n import _, sentence
from pages._ui.normal import scenes, typed
from pages._ui.normal.normal import normalized
from pages._ui.normal.settings import PANEL, chosen, control, settings

TRIES = (
    (
        N_("A batch of one"),
        N_("What does batch norm leave of a single example, and what does layer norm?"),
        {"examples": 1, "units": 4},
    ),
    (
        N_("Two examples a batch"),
        N_("Train with 100, 10 and 2 examples a batch: which of the two norms suffers more?"),
        {"part": "runs", "experiment": "batch-norm-batch-size"},
    ),
    (
        N_("Undo it"),
        N_("With γ = 2 and β = −1 every group leaves with the same mean and spread. What are they?"),
        {"gamma": 2.0, "beta": -1.0},
    ),
)
STATISTICS = Figure(("history", "layers", "accuracy"), over="std")
FIGURES = {"activation-statistics": STATISTICS}


def averaged_part() -> dict[str, str]:
    """A batch in numbers, with the cells that one mean is taken over."""
    sizes = ("examples", "units") if chosen("given") == "units" else ("pictures", "channels")
    with st.container(horizontal=True, vertical_alignment="bottom", key="knobs"):
        for name in ("kind", "given"):
            control(name, **{} if name == "kind" else {"on_change": another_batch, "args": (name,)})
        for name in sizes:
            control(name, on_change=another_batch, args=(name,))
        for name in ("gamma", "beta"):
            control(name, format="%g")
        st.button(_("New numbers"), icon=":material/casino:", key="new_numbers", on_click=new_numbers)
    x = scenes.batch(chosen("given"), *map(chosen, sizes), chosen("draw"))
    scene = scenes.scene(scenes.put(x, typed.numbers()), chosen("kind"), gamma=chosen("gamma"), beta=chosen("beta"))
    normalized(scene, key="normalized", take=typed.put, attention=lesson.attention("normalization"))
    explain("averaged")
    return typed.written()


def runs_part() -> dict[str, str]:
    """Train networks with and without."""
    control("experiment")
    figure = FIGURES.get(chosen("experiment"), Figure(("loss", "accuracy", "layers")))
    said = compare("normalization", chosen("experiment"), figure, others)
    explain("runs")
    explain("statistics")
    return said


def panel_part() -> dict[str, str]:
    """The book's sixteen starting points, each with batch norm and without."""
    labels = list(presets.get(PANEL).runs)
    pairs = zip(SIGMAS, labels[: len(SIGMAS)], labels[len(SIGMAS) :], strict=True)
    panels = {f"σ = {sigma:.2g}": pair for sigma, *pair in pairs}
    figure = Figure(("panel",), panels=panels, lines=(N_("batch norm"), N_("no batch norm")))
    said = compare("normalization", PANEL, figure, others)
    explain("panel")
    return said


def new_numbers() -> None:
    """Draw another batch."""
    typed.forget()
    settings.choose(draw=(chosen("draw") + 1) % 100)


def another_batch(name: str) -> None:
    """Take over another shape of the batch: what was typed into the old one goes."""
    if value := settings.said(name):
        typed.forget()
        settings.choose(**{name: value})


def explain(section: str) -> None:
    """Write a section of this page's guide, in lines that can be read."""
    with st.container(key=f"explained_{section}", width=980):
        st.markdown(lesson.text("normalization", section))


def take_up(values: dict[str, int | float | str]) -> None:
    """Set the controls to an example, and bring the batch into sight."""
    typed.forget()
    settings.choose(**settings.defaults() | values)
    if chosen("part") == "averaged":  # else a later look would answer
        lesson.call_attention("normalization")


PARTS = {"averaged": averaged_part, "runs": runs_part, "panel": panel_part}

theme.header(_("Normalization"), _("What if every layer saw numbers of the same scale?"))
others = settings.open_address()
said = None
try:
    if others is not None:
        typed.read(others.pop("typed", ""))
except InputError as error:
    st.warning(sentence(error), icon=":material/info:")
control("part", label_visibility="collapsed")
session.show_notices()
try:
    said = PARTS[chosen("part")]()
except InputError as error:
    st.error(sentence(error), icon=":material/error:")
lesson.what_to_try(TRIES, take_up)
settings.write_address(said)
