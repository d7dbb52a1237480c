"""Regularization: a network that learns 300 digits by heart, what helps against it, and why."""

import streamlit as st

from engine import presets
from engine.data.augment import Augmentation
from engine.errors import N_
from pages._ui.comparison.comparison import Figure
from pages._ui.i18n import _, sentence
from pages._ui.lesson import Lesson, beside
from pages._ui.regular import figures, scenes
from pages._ui.regular.regular import moving
from pages._ui.regular.settings import chosen, control, controls, settings

lesson = Lesson(settings, compared=["runs"])
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


def runs_part() -> None:
    """Train the runs of an experiment against each other."""
    lesson.compare(control("experiment"), Figure(("loss", "accuracy", "layers"), quantity="weights"))
    lesson.explain("runs")


def norms_part() -> None:
    """The ball of a norm against the contours of an error, and what becomes of a single weight."""
    controls("p", "budget", "c1", "c2", "narrow", "angle")
    shape = {"narrow": chosen("narrow"), "angle": chosen("angle")}
    scene = scenes.norms(chosen("p"), chosen("budget"), (chosen("c1"), chosen("c2")), **shape)
    picture, words = beside(1.3, "bowl")
    with picture:
        show(scene, take_centre=lambda c1, c2: settings.choose(c1=c1, c2=c2))
        claim = presets.get("lp-norms").claim.text
        st.caption(_("What to see: {claim}").format(claim=sentence(claim)))
    with words:
        lesson.explain("norms")
    st.markdown("## " + _("One weight by itself"))
    picture, words = beside(1.3, "curves")
    with picture:
        control("strength")
        figures.thresholds(chosen("strength"), chosen("p"))
    with words:
        lesson.explain("thresholds")


def dropout_part() -> None:
    """A network without some of its units, another set of them in every step."""
    controls("rate", "units", new=True)
    show(scenes.dropout(chosen("rate"), chosen("units"), draw=chosen("draw")))
    lesson.explain("dropout")
    st.markdown("## " + _("What the next layer is given"))
    figures.received(chosen("rate"), chosen("draw"))
    lesson.explain("scale")


def augmentation_part() -> None:
    """The same digits, changed at random."""
    names = {"shift": "moved", "rotation": "turned", "scale": "scaled", "shear": "slanted", "elastic": "kneaded"}
    controls("mixed", *["digit"] * (not chosen("mixed")), *names.values(), new=True)
    augmentation = Augmentation(**{field: chosen(name) for field, name in names.items()})
    show(scenes.sheet(augmentation, digit=None if chosen("mixed") else chosen("digit"), draw=chosen("draw")))
    st.button(
        _("Train with and without"), icon=":material/model_training:", key="train_augmented",
        on_click=settings.show_row, args=("ch08-augmentation",),
    )  # fmt: skip
    lesson.explain("augmentation")


def stopping_part() -> None:
    """Where a run that overfits should have been left."""
    controls("trained", "watched", "patience")
    figures.stopping(chosen("trained"), chosen("patience"), chosen("watched"))
    lesson.explain("stopping")


def show(scene: scenes.Scene, **hands: object) -> None:
    """Show a scene that moves."""
    moving(scene, key=scene["kind"], attention=lesson.attention(), **hands)


PARTS = {
    "runs": runs_part,
    "norms": norms_part,
    "dropout": dropout_part,
    "augmentation": augmentation_part,
    "stopping": stopping_part,
}

lesson.open(_("Regularization"), _("Why does it fail on new digits, and what helps?"))
lesson.show(PARTS)
lesson.close(TRIES)
