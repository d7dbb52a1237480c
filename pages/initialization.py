"""Initialization: what the first weights decide, before a single step and after two thousand."""

import streamlit as st

from engine import presets
from engine.errors import N_
from pages._ui.choice import face, turn
from pages._ui.comparison.comparison import Figure
from pages._ui.i18n import _, sentence, translate
from pages._ui.lesson import Lesson
from pages._ui.spread import scenes
from pages._ui.spread.settings import STARTS, chosen, control, settings
from pages._ui.spread.spread import spread

lesson = Lesson(settings, compared=["symmetry", "runs"])
PICKED = "initialization_starts"
OFF = dict.fromkeys(STARTS, 0)
TRIES = (
    (
        N_("As large as Xavier says"),
        N_("Tanh, 30 layers. Move σ a little to either side of 0.1: where do signal and gradient keep their size?"),
        OFF | {"activation": "tanh", "layers": 30, "gauss": 1, "small": 1, "sigma": 0.1},
    ),
    (
        N_("Why He doubles it"),
        N_("ReLU throws half of the signal away. What is left of it after 30 layers with Xavier, and what with He?"),
        OFF | {"activation": "relu", "layers": 30, "lecun_normal": 1, "he_normal": 1},
    ),
    (
        N_("One gap, two cures"),
        N_("The same network four times. First change the weights, then the activation: which helps more?"),
        {"part": "runs", "experiment": "course-inits"},
    ),
)


def before_part() -> None:
    """Signals and gradients in networks that nobody has trained."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        control("activation")
        control("quantity")
        with st.popover(_("Figure settings"), icon=":material/tune:"):
            starts()
            for name in ("bins", "of"):
                st.session_state[settings.key(name)] = chosen(name)
                control(name)
        settings.new_numbers()
    untrained()
    published("ch06-activation-hist", "vanishing-gradients")
    lesson.explain("before")


def starts() -> None:
    """The initializations to draw, as pills."""
    picked = [name for name in STARTS if chosen(name)]
    if set(st.session_state.get(face(PICKED, worded=True), picked)) != set(picked):
        turn(PICKED, worded=True)
    key = face(PICKED, worded=True)
    # Always set: a popover makes its widgets when it is opened, and what was set long ago does not reach them.
    st.session_state[key] = picked
    st.pills(
        _("Initializations"), STARTS, default=picked, key=key, selection_mode="multi", on_change=take_starts,
        format_func=lambda name: translate(STARTS[name][2]),
    )  # fmt: skip


def take_starts() -> None:
    """Take over which initializations are drawn."""
    if (picked := st.session_state.get(face(PICKED, worded=True))) is not None:  # the page is not being left
        settings.choose(**{name: int(name in picked) for name in STARTS})


@st.fragment
def untrained() -> None:
    """The figure that keeps up with its sliders: they rerun nothing but this."""
    if spread(scenes.before(), key="spread_before", attention=lesson.attention()):
        settings.write_address()


@st.fragment
def derivative() -> None:
    """An activation's derivative, and its powers."""
    spread(scenes.slope(), key="spread_slope")
    settings.write_address()


def slope_part() -> None:
    """Why sigmoid loses three quarters of a gradient at every layer, at least."""
    control("f")
    derivative()
    lesson.explain("slope")


def symmetry_part() -> None:
    """What equal weights can and cannot learn."""
    lesson.compare("symmetry", Figure(("loss", "accuracy", "units", "layers"), "weights"))
    lesson.explain("symmetry")


def runs_part() -> None:
    """The published runs, trained side by side."""
    id = control("experiment")
    labels = list(presets.get(id).runs)
    several = ["panel", "depth"] if len(labels) > 1 else ["depth"]
    panels = {label: [label] for label in labels}
    columns = 3 if len(labels) in (3, 6) else 2
    shown = ("loss", "accuracy", *several, "layers", "history")
    lesson.compare(id, Figure(shown, "gradients", "grad_norm", panels, columns))
    lesson.explain("runs")


def published(*ids: str) -> None:
    """Say what published experiments ask and whether it is so, each with a button that sets the controls to it."""
    right, wrong = _(":green[✓ Computed here:]"), _(":orange[✗ Computed here, and not so:]")
    for column, id in zip(st.columns(len(ids), gap="medium"), ids, strict=True):
        preset = presets.get(id)
        with column.container(border=True, gap="small", height="stretch"):
            st.markdown(f"**{translate(preset.title)}** — {translate(preset.question)}")
            holds = preset.claim.holds({})  # the engine computes it once
            st.markdown(f"{right if holds else wrong} {sentence(preset.claim.text)}")
            lesson.take_up_button(
                _("Set the controls to this"), settings.rows[id], icon=":material/tune:", key=f"show_{id}"
            )


PARTS = {"before": before_part, "slope": slope_part, "symmetry": symmetry_part, "runs": runs_part}

lesson.open(_("Initialization"), _("What do the first weights decide?"))
lesson.show(PARTS)
lesson.close(TRIES)
