"""Optimizers: seven rules for a step walk down the same landscape, and every number of every step can be seen."""

import streamlit as st

from engine.analysis.landscapes import LANDSCAPES, Landscape
from engine.errors import N_
from pages._ui.comparison.comparison import Figure
from pages._ui.i18n import _, translate
from pages._ui.lesson import Lesson, beside
from pages._ui.race import equations, figures, published, scenes
from pages._ui.race.race import race
from pages._ui.race.settings import (
    CLASS_CONTROLS,
    NAMES,
    ROWS,
    SCHEDULES,
    chosen,
    class_settings,
    control,
    controls,
    noise,
    noisy,
    of_landscape,
    settings,
    step_control,
)
from pages._ui.writing import plain

lesson = Lesson(settings, compared=["digits"])
TRIES = (
    (
        N_("The book's four"),
        N_("SGD, Momentum, AdaGrad and Adam from (−7, 2). How often does each cross the floor of the ravine?"),
        ROWS["ch06-landscape"],
    ),
    (
        N_("On a saddle"),
        N_("At (0, 0) the slope is 0, but it is no minimum. Who leaves it soon, and who sits there?"),
        {"landscape": "saddle"},
    ),
    (
        N_("A step too long"),
        N_("SGD at η = 1.02: every step lands beyond the floor, a little farther from it. And at 0.98?"),
        {name: int(name in ("sgd", "adam")) for name in NAMES} | {"ravine_sgd": 1.02, "ravine_steps": 60},
    ),
)


def race_part() -> None:
    """Every optimizer from the same start."""
    name, landscape = here()
    controls("landscape", f"{name}_x", f"{name}_y", f"{name}_steps", *noise(landscape), "view", new=noisy(landscape))
    with st.container(horizontal=True, key="runners"):
        for optimizer in NAMES:
            with st.container(width=126, gap=None):
                control(optimizer)
                control(f"{name}_{optimizer}", label_visibility="collapsed", disabled=not chosen(optimizer))
    runners = scenes.runners(landscape, scenes.race(landscape))
    show(name, runners, of_landscape("steps"), view=chosen("view"), movable=True)
    with st.expander(_("Settings of the optimizers")):
        controls("mu", "alpha", "beta1", "beta2", "decay")
    equation(landscape)
    lesson.explain("race")


def steps_part() -> None:
    """One optimizer, one step, with its numbers in the equations."""
    name, landscape = here()
    optimizer = chosen("optimizer")
    adam = optimizer.startswith("adam")
    own = (f"{name}_{optimizer}", *CLASS_CONTROLS[optimizer], *["correction"] * adam)
    controls("optimizer", *own, "landscape", f"{name}_x", f"{name}_y", *noise(landscape), new=noisy(landscape))
    more = class_settings(optimizer) | ({"bias_correction": bool(chosen("correction"))} if adam else {})
    descent = scenes.descent(landscape, optimizer, **more)
    last = len(descent.rates)
    if not last:
        st.warning(_("The very first step diverges. Try a smaller learning rate."))
        return
    t = step_control(last)
    picture, words = beside(1.7)
    with picture:
        still = {"alone": True, "time": t - 1, "arrows": scenes.arrows(descent, t)}
        show(name, scenes.runners(landscape, {optimizer: descent}), last, key="still", **still)
        before, after = (plain(value, ".4g") for value in descent.values[t - 1 : t + 1])
        solid = _("Solid: step {t} of {name}, from f = {before} to {after}.")
        dashed = _("Dashed: the step of plain SGD from here at the same learning rate, −η g.")
        solid = solid.format(t=t, name=translate(NAMES[optimizer]), before=before, after=after)
        st.caption(f"{solid} {dashed}" if optimizer != "sgd" else solid)
        equation(landscape)
    with words:
        equations.write(equations.lines(descent, t, noisy=noisy(landscape)))
    lesson.explain("steps")


def averages_part() -> None:
    """What a moving average knows, and why Adam corrects it."""
    controls("beta", "scatter", new=True)
    figures.averages()
    lesson.explain("averages")
    st.markdown("## " + _("Adam's first steps"))
    name, landscape = here()
    controls("landscape", f"{name}_adam", "beta1", "beta2", *noise(landscape))
    walks = {it: scenes.descent(landscape, "adam", bias_correction=it == "with") for it in figures.ADAMS}
    show(name, scenes.runners(landscape, walks, figures.ADAMS), of_landscape("steps"), key="adams")
    figures.first_steps(walks)
    lesson.explain("correction")


def schedules_part() -> None:
    """The same optimizer under several schedules."""
    name = chosen("s_landscape")
    landscape = LANDSCAPES[name]
    controls("s_landscape", "s_optimizer", "s_rate", "s_steps", *noise(landscape), new=noisy(landscape))
    with st.container(horizontal=True, key="schedules"):
        for it in SCHEDULES:
            control(f"s_{it}")
    with st.expander(_("Settings of the schedules")):
        controls("every", "gamma", "final", "warmup")
    figures.rates()
    walks = scenes.schedule_race(landscape)
    show(name, scenes.runners(landscape, walks, SCHEDULES), chosen("s_steps"), key="scheduled", start=landscape.start)
    lesson.explain("schedules")


def digits_part() -> None:
    """The same rules on a network that reads digits."""
    lesson.compare(control("experiment"), Figure(("loss", "accuracy", "layers"), "gradients"))
    lesson.explain("digits")


def here() -> tuple[str, Landscape]:
    """Return the landscape that is chosen, with its name."""
    return chosen("landscape"), LANDSCAPES[chosen("landscape")]


def show(name: str, runners: list[scenes.Scene], steps: int, *, key: str = "race", movable=False, **more) -> None:
    """Show a race on the landscape of that name."""
    scene = scenes.scene(name, runners, steps, **{"start": scenes.start()} | more)
    race(scene, key=key, attention=lesson.attention(), take_start=take_start if movable else None)


def take_start(x: float, y: float) -> None:
    """Start from a point of the map."""
    name = chosen("landscape")
    settings.choose(**{f"{name}_x": x, f"{name}_y": y})


def equation(landscape: Landscape) -> None:
    """Write down the function, and where it is from."""
    st.latex(landscape.formula)
    st.caption(_("Source: {source}").format(source=landscape.source))


PARTS = {
    "race": race_part,
    "steps": steps_part,
    "averages": averages_part,
    "schedules": schedules_part,
    "digits": digits_part,
}

st.html(equations.CSS)
lesson.open(_("Optimizers"), _("Which way down, and how fast?"))
if (row := settings.row()) and chosen("part") != "digits":
    published.show_row(row)
lesson.show(PARTS)
lesson.close(TRIES)
