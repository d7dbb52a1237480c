"""Two charts about derivatives: how wrong a difference is at every h, and what many layers leave of a gradient."""

from __future__ import annotations

import numpy as np

from engine.analysis import derivatives
from engine.analysis.derivatives import KINDS, Curve
from pages._ui import charts
from pages._ui.graph.cards import NAMES
from pages._ui.i18n import _

DECADES = np.logspace(-16, 0, 129)
STACKED = ("sigmoid", "tanh", "relu", "gelu")


def errors(curve: Curve, x: float, h: float) -> None:
    """Draw how far both chords are from f′(x) at every h, in both precisions."""
    named = {"forward": _("Forward"), "central": _("Central")}
    found = {
        f"{named[kind]}, {np.dtype(dtype).name}": derivatives.errors(curve, x, DECADES, kind, dtype)
        for dtype in (np.float64, np.float32)
        for kind in KINDS
    }
    drawn = {name: np.where(values > 0, values, np.nan) for name, values in found.items()}
    made = charts.figure(
        *(charts.line(n, DECADES, values, name) for n, (name, values) in enumerate(drawn.items())),
        x="h", y=_("|chord − f′(x)|"), log_x=True,
    )  # fmt: skip
    made.update_yaxes(type="log", exponentformat="power", dtick=3)
    made.update_xaxes(exponentformat="power", dtick=2)
    made.add_vline(x=h, line={"dash": "dot", "width": 1.5, "color": charts.colour(6)})
    best = {kind: f"{derivatives.best_h(kind):.0e}" for kind in KINDS}
    alt = _(
        "From right to left both errors fall, the central one twice as fast, until rounding takes over: in float64 "
        "near h = √ε = {forward} forwards and h = ∛ε = {central} both ways. Dotted: your h."
    )
    charts.show(
        made, key="derivative_errors", alt=alt.format(**best), header=["h", *found],
        rows=zip(DECADES, *found.values(), strict=True),
    )  # fmt: skip


def through_layers(at: float, layers: int) -> None:
    """Draw what so many equal activations leave of a gradient, when the input of every unit is `at`."""
    count = np.arange(1, layers + 1)
    found = {NAMES[name]: np.abs(derivatives.through_layers(name, at, layers)) for name in STACKED}
    made = charts.figure(
        *(charts.line(n, count, np.where(y > 0, y, np.nan), name) for n, (name, y) in enumerate(found.items())),
        x=_("Layers"), y=_("|f′(x)| to the power of layers"),
    )  # fmt: skip
    made.update_traces(mode="lines+markers")
    made.update_yaxes(type="log", exponentformat="power")
    alt = _("After {n} layers of sigmoid at most 0.25 to the power of {n} = {most} of a gradient is left.")
    charts.show(
        made, key="through_layers", alt=alt.format(n=layers, most=f"{0.25**layers:.1e}"), header=["layers", *found],
        rows=zip(count, *found.values(), strict=True),
    )  # fmt: skip
