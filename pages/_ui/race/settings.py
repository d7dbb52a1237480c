"""The controls of the optimizers page. Start, length and learning rates are kept for each landscape by itself."""

from __future__ import annotations

import streamlit as st

from engine import presets
from engine.analysis.landscapes import LANDSCAPES, MAX_STEPS, Landscape
from engine.errors import N_
from pages._ui.controls import OPTIONS
from pages._ui.i18n import _
from pages._ui.settings import Setting, Settings, Value, named, number, toggle, whole

# What a person reads for the optimizers, in the order of their invention.
NAMES = {name: OPTIONS[name] for name in ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")}
BOOK = ("sgd", "momentum", "adagrad", "adam")
SCHEDULES = {
    "constant": N_("Constant"),
    "step": N_("Step decay"),
    "exponential": N_("Exponential"),
    "cosine": N_("Cosine"),
    "warmup": N_("Warm-up, then cosine"),
    "one_cycle": N_("One-cycle"),
}
FAR = 100.0  # how far from 0 a race may start
HIGHEST_RATE = 100.0

_PARTS = {
    "race": N_("The race"),
    "steps": N_("Step by step"),
    "averages": N_("Moving averages"),
    "schedules": N_("Learning-rate schedules"),
    "digits": N_("On digits"),
}
_EXPERIMENTS = {it.id: it.title for it in presets.PRESETS.values() if it.page == "optimizers" and it.runs}
_VIEWS = {"contour": N_("Map"), "surface": N_("3-D")}
_TITLES = {name: it.title for name, it in LANDSCAPES.items()}
_LANDSCAPE, _STEPS, _RATE = N_("Landscape"), N_("Steps"), N_("Learning rate η")


def _rate(value: float) -> Setting:
    return number(_RATE, 0.0, HIGHEST_RATE, value, step=_digit(value), width=118)


def _digit(value: float) -> float:
    """Return the place of a number's first digit, .05 → .01: by so much its buttons move it."""
    return float(f"1e{f'{value:e}'.split('e')[1]}")


SETTINGS = {
    "part": named(N_("Part of the page"), _PARTS, "race", "segments"),
    "experiment": named(N_("Experiment"), _EXPERIMENTS, "course-optimizers", width=420),
    # the race
    "landscape": named(_LANDSCAPE, _TITLES, "ravine", width=230),
    "view": named(N_("View"), _VIEWS, "contour", "segments"),
    **{name: toggle(label, 1) for name, label in NAMES.items()},
    "sigma": number(
        N_("Noise σ"), 0.0, 10.0, 1.0, step=0.1, width=110,
        help=N_("σ of what is added to either slope at every step, the same for all, as if each step saw other data."),
    ),
    "seed": whole(N_("Random seed"), 0, 99, 18, "none"),  # 18: noise of which the schedules show what they usually do
    "mu": number(
        N_("Momentum μ"), 0.0, 0.999, 0.9, step=0.05, width=118,
        help=N_("The share of the velocity that survives each step."),
    ),
    "alpha": number(
        N_("Decay α"), 0.0, 0.9999, 0.99, step=0.01, width=118,
        help=N_("Decay of RMSProp's mean of squared gradients."),
    ),
    "beta1": number(
        N_("β₁"), 0.0, 0.9999, 0.9, step=0.05, width=118, help=N_("Decay of Adam's mean of gradients.")
    ),
    "beta2": number(
        N_("β₂"), 0.0, 0.99999, 0.999, step=0.001, width=118, help=N_("Decay of Adam's mean of squared gradients.")
    ),
    "decay": number(
        N_("AdamW's decay λ"), 0.0, 10.0, 0.01, step=0.01, width=140,
        help=N_("AdamW also shrinks x and y by ηλ of themselves at every step; PyTorch's default is 0.01."),
    ),
    # one optimizer, step by step
    "optimizer": named(N_("Optimizer"), NAMES, "adam", width=150),
    "t": number(N_("Step t"), 1, MAX_STEPS, 1, widget="slider", width=260),
    "correction": toggle(
        N_("Bias correction"), 1,
        help=N_("Adam's moments start at zero and are too small at first; this divides the bias out."),
    ),
    # moving averages
    "beta": number(N_("Memory β"), 0.0, 0.99, 0.9, step=0.01, widget="slider", width=260),
    "scatter": number(N_("Noise of the series"), 0.0, 2.0, 0.4, step=0.1, widget="slider", width=200),
    # schedules
    "s_landscape": named(_LANDSCAPE, _TITLES, "noisy", width=230),
    "s_optimizer": named(N_("Optimizer"), NAMES, "sgd", width=150),
    "s_rate": _rate(0.7),
    "s_steps": number(_STEPS, 2, MAX_STEPS, 60, step=10, width=118),
    "warmup": number(N_("Steps of warm-up"), 1, MAX_STEPS, 6, width=200),
    "every": number(N_("Steps between drops"), 1, MAX_STEPS, 15, width=150),
    "gamma": number(N_("Factor of a drop γ"), 0.0, 1.0, 0.4, step=0.05, width=150),
    "final": number(
        N_("What is left at the end"), 0.0, 1.0, 0.02, step=0.01, width=170,
        help=N_("The share of the learning rate that the exponential schedule comes down to."),
    ),
    **{f"s_{name}": toggle(label, 1) for name, label in SCHEDULES.items()},
}  # fmt: skip
for _name, _it in LANDSCAPES.items():
    SETTINGS |= {
        f"{_name}_x": number(N_("Start x"), -FAR, FAR, _it.start[0], step=0.5, width=110),
        f"{_name}_y": number(N_("Start y"), -FAR, FAR, _it.start[1], step=0.5, width=110),
        f"{_name}_steps": number(_STEPS, 1, MAX_STEPS, _it.steps, step=10, width=110),
        **{f"{_name}_{rule}": _rate(rate) for rule, rate in _it.rates.items()},
    }

ROWS = {
    "ch06-landscape": {name: int(name in BOOK) for name in NAMES},
    "bias-correction": {"part": "averages"},
    "schedules": {"part": "schedules"},
} | {id: {"part": "digits", "experiment": id} for id in _EXPERIMENTS}

settings = Settings("optimizers", SETTINGS, ROWS)
chosen, control, controls = settings.__getitem__, settings.control, settings.controls


def of_landscape(name: str) -> Value:
    """Return what is chosen for the landscape at hand: "x", "y", "steps" or an optimizer's learning rate."""
    return chosen(f"{chosen('landscape')}_{name}")


# The controls of what an optimizer's class is made with, beside its learning rate.
CLASS_CONTROLS = {
    "sgd": (), "momentum": ("mu",), "nesterov": ("mu",), "adagrad": (), "rmsprop": ("alpha",),
    "adam": ("beta1", "beta2"), "adamw": ("beta1", "beta2", "decay"),
}  # fmt: skip
_ARGUMENTS = {"mu": "momentum", "decay": "l2"}  # what the classes call them, where that is different


def class_settings(optimizer: str) -> dict[str, float]:
    """Return what an optimizer's class is made with, beside its learning rate."""
    return {_ARGUMENTS.get(name, name): chosen(name) for name in CLASS_CONTROLS[optimizer]}


def noise(landscape: Landscape) -> tuple[str, ...]:
    """Name the control of the noise where there is any."""
    return ("sigma",) if landscape.noise else ()


def noisy(landscape: Landscape) -> bool:
    """Tell whether chance has a part in the race."""
    return bool(landscape.noise and chosen("sigma"))


def step_control(last: int) -> int:
    """Draw what leads from step to step, from 1 to `last`, and return the step."""
    t = min(chosen("t"), last)
    if t != chosen("t"):
        settings.choose(t=t)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if last > 1:
            control("t", max_value=last)
        for name, label, icon, by in (
            ("previous", _("Previous step"), ":material/arrow_back:", -1),
            ("next", _("Next step"), ":material/arrow_forward:", 1),
        ):
            st.button(label, icon=icon, key=name, disabled=not 1 <= t + by <= last, on_click=_go, args=(by, last))
    return t


def _go(by: int, last: int) -> None:
    """Go so many steps on from the one that is chosen now: there may have been clicks since the button was drawn."""
    settings.choose(t=min(max(chosen("t") + by, 1), last))
