"""Gradients: from the slope of a chord to numbers that flow back through a network, and a check that they are right."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.analysis import derivatives, graph
from engine.analysis.derivatives import CURVES
from engine.analysis.descent import SURFACES
from engine.errors import N_, InputError, Text
from pages._ui.comparison.comparison import Figure
from pages._ui.graph import cards, check, curves, losses, scenes
from pages._ui.graph.graph import stage
from pages._ui.graph.settings import GIVEN, SETTINGS, chosen, control, controls, settings
from pages._ui.i18n import _, joined, translate
from pages._ui.lesson import Lesson
from pages._ui.writing import plain

lesson = Lesson(settings, compared=["losses"])
TRIES = (
    (
        N_("Too small an h"),
        N_("Under the lens at h = 10⁻¹⁵ the parabola has steps. What is the slope of the chord now?"),
        {"part": "derivative", "curve": "book", "x": 5.0, "h": 1e-15, "chord": "central"},
    ),
    (
        N_("A learning rate of 1.1"),
        N_("Every step leads down the gradient, and yet the path climbs. From which learning rate on?"),
        {"part": "field", "surface": "bowl", "lr": 1.1, "steps": 20, "start0": -0.5, "start1": 1.0, "path": 1},
    ),
    (
        N_("A dead ReLU"),
        N_("The sum is negative and ReLU answers 0. Which of the six numbers does a gradient still reach?"),
        {"part": "graph", "graph": "neuron", "bends": "relu", "x1": 1.0, "w1": -2.0, "x2": -2.0, "w2": 0.3, "b": 0.2},
    ),
)


def derivative_part() -> None:
    """A chord turns into the tangent, until rounding takes over."""
    curve, x, h = CURVES[chosen("curve")], chosen("x"), chosen("h")
    there = curve.low <= x <= curve.high  # a link may say what the field does not take
    with row():
        control("curve", on_change=take_curve, args=())
        control("x", **({"min_value": curve.low, "max_value": curve.high} if there else {}))
        control("chord")
    if not there:
        legal = Text(N_("a number from {low} to {high}"), low=f"{curve.low:g}", high=f"{curve.high:g}")
        raise InputError(N_("{field} must be {legal}, not {received}."), field="x", legal=legal, received=f"{x:g}")
    show(scenes.slope(chosen("curve"), x, h, chosen("chord")), "x", "h")
    at = np.array(curve.points)
    slopes = derivatives.difference(curve.value, at, h, chosen("chord"))
    pairs = joined(f"f′({a:g}) ≈ **{slope!r}**" for a, slope in zip(curve.points, slopes.tolist(), strict=True))
    st.markdown(_("With h = {h}: {slopes}").format(h=curves.power(h, 3), slopes=pairs).replace("-", "−"))
    curves.errors(curve, x, h)
    lesson.explain("derivative")


def activations_part() -> None:
    """What every activation makes of a gradient, and many of them in a row."""
    controls("at", "layers")
    st.html(cards.cards(chosen("at")))
    st.download_button(
        _("CSV"), cards.as_csv(), "kasane-activations.csv", "text/csv", type="tertiary", icon=":material/download:"
    )
    curves.through_layers(chosen("at"), chosen("layers"))
    lesson.explain("activations")


def field_part() -> None:
    """Arrows against the gradient, and the path of a descent."""
    with row():
        control("surface", on_change=take_surface, args=())
        for name in ("by", *(("lr", "steps", "start0", "start1") if chosen("path") else ()), "path"):
            control(name)
    start = (chosen("start0"), chosen("start1")) if chosen("path") else None
    numerical = chosen("by") == "differences"
    scene = scenes.field(chosen("surface"), numerical=numerical, start=start, lr=chosen("lr"), steps=chosen("steps"))
    show(scene, "start0", "start1")
    if start:
        said = _("After {n} steps: x = ({x0}, {x1}), f(x) = {value}.")
        ended = said.format(n=len(scene["path"]) - 1, value=plain(scene["values"][-1]), **ends(scene["path"][-1]))
        early = _("The path ends where the numbers become too large.") if len(scene["path"]) <= chosen("steps") else ""
        st.markdown(f"{ended} {early}")
    lesson.explain("field")


def graph_part() -> None:
    """Numbers flow forwards through the nodes, gradients back."""
    control("graph", label_visibility="collapsed")
    name = chosen("graph")
    if more := {"neuron": "bends", "softmax": "label"}.get(name):
        control(more)
    names = GIVEN[name]
    values = {it: chosen(it) for it in names}
    match name:
        case "apples":
            result = graph.apples(**values)
        case "neuron":
            result = graph.neuron(**values, activation=chosen("bends"))
        case _:
            result = graph.cross_entropy(graph.softmax(list(values.values())), chosen("label") - 1)
    found = result.backward()
    given = {it: (translate(label), SETTINGS[it].high) for it, label in names.items()}
    show(scenes.circuit(name, result, given), *names)
    rows = {_("Given"): [given[it][0] for it in names], _("Value"): [plain(values[it]) for it in names]}
    st.table(rows | {_("Gradient"): [plain(found[it]) for it in names]})
    lesson.explain(name)


def check_part() -> None:
    """Backpropagation against differences, number by number."""
    controls("which", "precision", "check_h", "hidden")
    asked = chosen("hidden"), chosen("precision"), float(chosen("check_h"))
    sample = check.SAMPLE if chosen("which") == "sample" else 0
    checked, seconds = check.with_progress(*asked, sample)
    check.summary(checked, seconds)
    check.table(checked)
    st.button(
        _("Check again"), icon=":material/refresh:", key="check_again", on_click=check.forget, args=(*asked, sample)
    )
    if not sample:
        control("unit")
        check.picture(checked, chosen("unit"))
    check.against_h(chosen("hidden"))
    lesson.explain("check")


def losses_part() -> None:
    """Why cross-entropy still learns where squared error no longer does."""
    controls("score1", "score2", "score3", "truth")
    scores, label = [chosen(f"score{k}") for k in (1, 2, 3)], chosen("truth") - 1
    losses.curves(scores, label)
    losses.table(scores, label)
    lesson.explain("losses")
    lesson.compare("losses", Figure(("loss", "accuracy", "depth")))


def row() -> DeltaGenerator:
    """Return a row for widgets."""
    return st.container(horizontal=True, vertical_alignment="bottom")


def show(scene: scenes.Scene, *names: str) -> None:
    """Show a scene on the stage."""
    stage(scene, key=f"gradients_{scene['kind']}", names=names, attention=lesson.attention())


def ends(point: list[float]) -> dict[str, str]:
    """Return a point's coordinates as text."""
    return {"x0": plain(point[0]), "x1": plain(point[1])}


def take_curve() -> None:
    """Take over another function, at a point of its own."""
    if curve := settings.said("curve"):
        settings.choose(curve=curve, x=CURVES[curve].points[0])


def take_surface() -> None:
    """Take over another function, with a start and a learning rate that suit it."""
    if name := settings.said("surface"):
        it = SURFACES[name]
        settings.choose(surface=name, start0=it.start[0], start1=it.start[1], lr=it.lr)


PARTS = {
    "derivative": derivative_part,
    "activations": activations_part,
    "field": field_part,
    "graph": graph_part,
    "check": check_part,
    "losses": losses_part,
}

lesson.open(_("Gradients"), _("What is a gradient, and how does backpropagation find it?"))
lesson.show(PARTS)
lesson.close(TRIES)
