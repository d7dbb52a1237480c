"""Two charts about derivatives: how wrong a difference is at every h, and what many layers leave of a gradient."""

from __future__ import annotations

import numpy as np
import streamlit as st

from engine.analysis import derivatives
from engine.analysis.derivatives import KINDS, Curve
from pages._ui import charts
from pages._ui.graph.cards import NAMES
from pages._ui.i18n import _, translate

DECADES = np.logspace(-16, 0, 129)
STACKED = ("sigmoid", "tanh", "relu", "gelu")


def power(value: float, digits: int = 2) -> str:
    """Return a positive number as an axis of powers of ten has it, 1.5 × 10⁻⁸ or 10⁻⁴; 0.001 and more plainly."""
    if value >= 1e-3:
        return f"{value:.{digits}g}"
    factor, exponent = f"{value:.{digits - 1}e}".split("e")
    ten = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return ten if float(factor) == 1 else f"{float(factor):g} × {ten}"


def about_errors(curve: Curve, x: float) -> str:
    """Return what is to be seen of the errors of both chords of a function at x, where it has a slope."""
    orders = tuple(derivatives.order(curve, x, kind) for kind in KINDS)
    match orders, derivatives.cancels(curve, x):
        case (1, 2), _cancels:
            said = _(
                "From right to left both errors fall, the central one twice as fast, until rounding takes over: in "
                "float64 near h = √ε = {forward} for the forward one and h = ∛ε = {central} for the central one. "
                "Dotted: your h."
            )
        case (1, _exact), True:
            said = _(
                "From right to left the forward error falls until rounding takes over, in float64 near h = √ε = "
                "{forward}. The central difference of a parabola is exact: of its error only rounding is left, which "
                "grows from right to left. Dotted: your h."
            )
        case (1, _exact), False:
            said = _(
                "The central difference of a parabola is exact. The forward error falls from right to left, and "
                "rounding does not take over: where x and f(x) are 0, no digits cancel. Dotted: your h."
            )
        case (2, _two), True:
            said = _(
                "From right to left both errors fall equally fast, because f″(x) is 0 here, until rounding takes over: "
                "in float64 near h = ∛ε = {central}. Dotted: your h."
            )
        case (2, _two), False:
            said = _(
                "From right to left both errors fall equally fast, because f″(x) is 0 here, and rounding does not take "
                "over: where x and f(x) are 0, no digits cancel. Dotted: your h."
            )
        case _:
            said = _(
                "On a straight line every chord is exact, as long as it does not reach across the kink: of the errors "
                "only rounding is left, which grows from right to left. Dotted: your h."
            )
    return said.format(**{kind: power(derivatives.best_h(kind)) for kind in KINDS})


def errors(curve: Curve, x: float, h: float) -> None:
    """Draw how far both chords are from f′(x) at every h, in both precisions; say so where there is no f′(x)."""
    if np.isnan(curve.slope(np.float64(x))):
        rises = {kind: derivatives.difference(curve.value, np.float64(x), h, kind) for kind in KINDS}
        said = _(
            "At x = {x} there is no derivative that a chord could be compared with: however small h is, the forward "
            "chord has a slope of {forward} and the central one of {central}."
        )
        st.caption(said.format(x=f"{x:g}", **{kind: f"{rise:g}" for kind, rise in rises.items()}))
        return
    words = {"forward": _("Forward"), "central": _("Central")}
    found = {
        (kind, np.dtype(dtype).name): derivatives.errors(curve, x, DECADES, kind, dtype)
        for dtype in (np.float64, np.float32)
        for kind in KINDS
    }
    drawn = {f"{words[kind]}, {dtype}": np.where(y > 0, y, np.nan) for (kind, dtype), y in found.items()}
    made = charts.figure(
        *(charts.line(n, DECADES, values, name) for n, (name, values) in enumerate(drawn.items())),
        x="h", y=_("|chord − f′(x)|"), log_x=True,
    )  # fmt: skip
    made.update_yaxes(type="log", exponentformat="power", dtick=3)
    made.update_xaxes(exponentformat="power", dtick=2)
    made.add_vline(x=h, line={"dash": "dot", "width": 1.5, "color": charts.colour(6)})
    charts.show(
        made, key="derivative_errors", alt=about_errors(curve, x), header=["h", *map("_".join, found)],
        rows=zip(DECADES, *found.values(), strict=True),
    )  # fmt: skip


def through_layers(at: float, layers: int) -> None:
    """Draw what so many equal activations leave of a gradient, when the input of every unit is `at`."""
    count = np.arange(1, layers + 1)
    found = {name: np.abs(derivatives.through_layers(name, at, layers)) for name in STACKED}
    drawn = {translate(NAMES[name]): np.where(y > 0, y, np.nan) for name, y in found.items()}
    made = charts.figure(
        *(charts.line(n, count, y, name) for n, (name, y) in enumerate(drawn.items())),
        x=_("Layers"), y=_("|f′(x)| to the power of layers"),
    )  # fmt: skip
    made.update_traces(mode="lines+markers")
    made.update_yaxes(type="log", exponentformat="power")
    alt = _("After {n} layers of sigmoid at most 0.25 to the power of {n} = {most} of a gradient is left.")
    charts.show(
        made, key="through_layers", alt=alt.format(n=layers, most=power(0.25**layers)), header=["layers", *found],
        rows=zip(count, *found.values(), strict=True),
    )  # fmt: skip
