"""Regularization: a network that learns 300 digits by heart, what helps against it, and why."""

import streamlit as st

from engine import presets
from engine.data.augment import Augmentation
from engine.errors import N_, InputError
from pages._ui import lesson, session, theme
from pages._ui.comparison.comparison import Figure, compare
from pages._ui.i18n import _, sentence
from pages._ui.regular import figures, scenes
from pages._ui.regular.regular import moving
from pages._ui.regular.settings import chosen, control, settings

TRIES = (
    (
        N_("Into the corner"),
        N_("p = 1: up to which budget is one weight exactly 0? And at p = 2?"),
        {"part": "norms", "p": 1.0, "budget": 0.5, "c1": 2.0, "c2": 0.8, "narrow": 2.0, "angle": 20},
    ),
    (
        N_("Half of them missing"),
        N_("Dropout 0.5, the rate of its inventors: do any two of the sixteen networks agree?"),
        {"part": "dropout", "rate": 0.5, "units": 8},
    ),
    (
        N_("Stop in time"),
        N_("A patience of 3 saves most of the steps. What does it save of the loss, and what of the accuracy?"),
        {"part": "stopping", "trained": "fast", "patience": 3, "watched": "loss"},
    ),
)


def runs_part() -> dict[str, str]:
    """Train the runs of an experiment against each other; return what the address is to say of them."""
    control("experiment")
    figure = Figure(("loss", "accuracy", "layers"), quantity="weights")
    address = compare("regularization", chosen("experiment"), figure, others)
    explain("runs")
    return address


def norms_part() -> None:
    """The ball of a norm against the contours of an error, and what becomes of a single weight."""
    knobs("p", "budget", "c1", "c2", "narrow", "angle")
    shape = {"narrow": chosen("narrow"), "angle": chosen("angle")}
    scene = scenes.norms(chosen("p"), chosen("budget"), (chosen("c1"), chosen("c2")), **shape)
    st.html("<style>[class*=st-key-beside] [data-testid=stColumn] {min-width: min(100%, 23rem)}</style>")
    picture, words = st.container(key="beside_bowl").columns([1.3, 1], gap="large")
    with picture:
        show(scene, take_centre=lambda c1, c2: settings.choose(c1=c1, c2=c2))
        claim = presets.get("lp-norms").claim.text
        st.caption(_("What to see: {claim}").format(claim=sentence(claim)))
    with words:
        explain("norms")
    st.markdown("#### " + _("One weight by itself"))
    picture, words = st.container(key="beside_curves").columns([1.3, 1], gap="large")
    with picture:
        control("strength", format="%g")
        figures.thresholds(chosen("strength"), chosen("p"))
    with words:
        explain("thresholds")


def dropout_part() -> None:
    """A network without some of its units, another set of them in every step."""
    knobs("rate", "units", new=True)
    show(scenes.dropout(chosen("rate"), chosen("units"), draw=chosen("draw")))
    explain("dropout")
    st.markdown("#### " + _("What the next layer is given"))
    figures.received(chosen("rate"), chosen("draw"))
    explain("scale")


def augmentation_part() -> None:
    """The same digits, changed at random."""
    names = {"shift": "moved", "rotation": "turned", "scale": "scaled", "shear": "slanted", "elastic": "kneaded"}
    knobs("mixed", *["digit"] * (not chosen("mixed")), *names.values(), new=True)
    augmentation = Augmentation(**{field: chosen(name) for field, name in names.items()})
    show(scenes.sheet(augmentation, digit=None if chosen("mixed") else chosen("digit"), draw=chosen("draw")))
    st.button(
        _("Train with and without"), icon=":material/model_training:", key="train_augmented",
        on_click=settings.show_row, args=("ch08-augmentation",),
    )  # fmt: skip
    explain("augmentation")


def stopping_part() -> None:
    """Where a run that overfits should have been left."""
    knobs("trained", "watched", "patience")
    figures.stopping(chosen("trained"), chosen("patience"), chosen("watched"))
    explain("stopping")


def knobs(*names: str, new: bool = False) -> None:
    """Draw the widgets of several settings in a row. new: also a button that draws other random numbers."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="knobs"):
        for name in names:
            control(name, **{"format": "%g"} if isinstance(settings.defaults()[name], float) else {})
        if new:
            st.button(
                _("New numbers"), icon=":material/casino:", key="new_numbers",
                on_click=lambda: settings.choose(draw=(chosen("draw") + 1) % 100),
            )  # fmt: skip


def show(scene: scenes.Scene, **hands: object) -> None:
    """Show a scene that moves."""
    moving(scene, key=scene["kind"], attention=lesson.attention("regularization"), **hands)


def explain(section: str) -> None:
    """Write a section of this page's guide, in lines that can be read."""
    with st.container(key=f"explained_{section}", width=980):
        st.markdown(lesson.text("regularization", section))


def take_up(values: dict[str, int | float | str]) -> None:
    """Set the controls to an example, and bring the picture into sight."""
    settings.choose(**settings.defaults() | values)
    if chosen("part") in ("norms", "dropout", "augmentation"):  # else a later look would answer
        lesson.call_attention("regularization")


PARTS = {
    "runs": runs_part,
    "norms": norms_part,
    "dropout": dropout_part,
    "augmentation": augmentation_part,
    "stopping": stopping_part,
}

theme.header(_("Regularization"), _("Why does it fail on new digits, and what helps?"))
others = settings.open_address()
control("part", label_visibility="collapsed")
session.show_notices()
said = None
try:
    said = PARTS[chosen("part")]()
except InputError as error:
    st.error(sentence(error), icon=":material/error:")
lesson.what_to_try(TRIES, take_up)
settings.write_address(said)
