"""Initialization: what the first weights decide, before a single step and after two thousand."""

import streamlit as st

from engine import presets
from engine.errors import N_, Text, shorten
from pages._ui import lesson, theme
from pages._ui.choice import worded
from pages._ui.comparison.comparison import Figure, compare
from pages._ui.i18n import _, sentence, translate
from pages._ui.spread import scenes
from pages._ui.spread.settings import STARTS, chosen, control, settings
from pages._ui.spread.spread import spread

PICKED = "initialization_starts"
OFF = dict.fromkeys(STARTS, 0)
TRIES = (
    (
        N_("As large as Xavier says"),
        N_("Tanh, 30 layers. Move σ a little to either side of 0.1: where do signal and gradient keep their size?"),
        settings.defaults() | OFF | {"activation": "tanh", "layers": 30, "gauss": 1, "small": 1, "sigma": 0.1},
    ),
    (
        N_("Why He doubles it"),
        N_("ReLU throws half of the signal away. What is left of it after 30 layers with Xavier, and what with He?"),
        settings.defaults() | OFF | {"activation": "relu", "layers": 30, "lecun_normal": 1, "he_normal": 1},
    ),
    (
        N_("One gap, two cures"),
        N_("The same network four times. First change the weights, then the activation: which helps more?"),
        settings.defaults() | {"part": "runs", "experiment": "course-inits"},
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
        st.button(_("New numbers"), icon=":material/casino:", key="new_numbers", on_click=reseed)
    untrained()
    published("ch06-activation-hist", "vanishing-gradients")
    st.markdown(text("before"))


def starts() -> None:
    """The initializations to draw, as pills."""
    # Always set: a popover makes its widgets when it is opened, and what was set long ago does not reach them.
    st.session_state[worded(PICKED)] = [name for name in STARTS if chosen(name)]
    st.pills(
        _("Initializations"), STARTS, key=worded(PICKED), selection_mode="multi", on_change=take_starts,
        format_func=lambda name: translate(STARTS[name][2]),
    )  # fmt: skip


def reseed() -> None:
    """Draw other weights and examples."""
    settings.choose(seed=(chosen("seed") + 1) % 100)


def take_starts() -> None:
    """Take over which initializations are drawn."""
    settings.choose(**{name: int(name in st.session_state[worded(PICKED)]) for name in STARTS})


@st.fragment
def untrained() -> None:
    """The figure that keeps up with its sliders: they rerun nothing but this."""
    if spread(scenes.before(), key="spread_before", attention=lesson.attention("initialization")):
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
    st.markdown(text("slope"))


def symmetry_part() -> dict[str, str]:
    """What equal weights can and cannot learn."""
    figure = Figure(("loss", "accuracy", "units", "layers"), "weights")
    address = compare("initialization", "symmetry", figure, others)
    st.markdown(text("symmetry"))
    return address


def runs_part() -> dict[str, str]:
    """The published runs, trained side by side."""
    control("experiment")
    id = chosen("experiment")
    labels = list(presets.get(id).runs)
    several = ["panel", "depth"] if len(labels) > 1 else ["depth"]
    panels = {label: [label] for label in labels}
    columns = 3 if len(labels) in (3, 6) else 2
    figure = Figure(("loss", "accuracy", *several, "layers", "history"), "gradients", "grad_norm", panels, columns)
    address = compare("initialization", id, figure, others)
    st.markdown(text("runs"))
    return address


def published(*ids: str) -> None:
    """Say what published experiments ask and whether it is so, each with a button that sets the controls to it."""
    right, wrong = _(":green[✓ Computed here:]"), _(":orange[✗ Computed here, and not so:]")
    for column, id in zip(st.columns(len(ids), gap="medium"), ids, strict=True):
        preset = presets.get(id)
        with column.container(border=True, gap="small", height="stretch"):
            st.markdown(f"**{translate(preset.title)}** — {translate(preset.question)}")
            holds = preset.claim.holds({})  # the engine computes it once
            st.markdown(f"{right if holds else wrong} {sentence(preset.claim.text)}")
            st.button(
                _("Set the controls to this"), icon=":material/tune:", key=f"show_{id}", on_click=take_up,
                args=(settings.defaults() | settings.rows[id],),
            )  # fmt: skip


def text(name: str) -> str:
    """Return a section of this page's guide."""
    return lesson.text("initialization", name)


def take_up(values: dict[str, int | float | str]) -> None:
    """Set the controls to an example, and bring the figure into sight."""
    settings.choose(**values)
    if chosen("part") == "before":  # else a later look would answer
        lesson.call_attention("initialization")


PARTS = {"before": before_part, "slope": slope_part, "symmetry": symmetry_part, "runs": runs_part}

theme.header(_("Initialization"), _("What do the first weights decide?"))
others = settings.open_address()
control("part", label_visibility="collapsed")
if others and chosen("part") in ("before", "slope"):
    for name in others:
        st.warning(
            sentence(Text(N_("The address sets {name}, but there is no such setting here."), name=shorten(name)))
        )
address = PARTS[chosen("part")]()
lesson.what_to_try(TRIES, take_up)
settings.write_address(address)
