"""The figures of the optimizers page that stand still: moving averages, Adam's first steps, learning rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from engine.analysis.averages import moving_average, noisy_series, uncorrected_first_step
from engine.analysis.landscapes import Descent
from engine.errors import N_
from pages._ui import charts
from pages._ui.i18n import _, joined, translate
from pages._ui.race import scenes
from pages._ui.race.settings import SCHEDULES, chosen
from pages._ui.writing import plain

ADAMS = {"with": N_("Adam"), "without": N_("Adam, uncorrected")}
SERIES = 80  # numbers to average
FIRST_STEPS = 20


def averages() -> None:
    """Draw a noisy series and what moving averages of it know, with and without correction."""
    beta = chosen("beta")
    wave, series = noisy_series(SERIES, chosen("scatter"), chosen("seed"))
    average, corrected = (moving_average(series, beta, corrected=it) for it in (False, True))
    steps = np.arange(1, SERIES + 1)
    dots = {"x": steps, "y": series, "mode": "markers", "marker": {"size": 5, "color": charts.colour(6)}}
    made = charts.figure(
        go.Scatter(name=_("The series"), **dots),
        charts.line(0, steps, corrected, _("Corrected, m / (1 − βᵗ)")),
        charts.line(1, steps, average, _("Not corrected, m")),
        x=_("Number t of the series"),
    )
    first = {"first": series, "plain": average, "corrected": corrected}
    alt = _("The series begins with {first}, the average with {plain}, the corrected one with {corrected}.")
    charts.show(
        made,
        key="averages",
        alt=alt.format(**{name: plain(values[0], ".3f") for name, values in first.items()}),
        header=("t", "wave", "series", "average", "corrected"),
        rows=zip(steps, wave, series, average, corrected, strict=True),
    )


def first_steps(walks: Mapping[str, Descent]) -> None:
    """Draw how far Adam goes in its first steps, in units of the learning rate."""
    lengths = {}
    for name, walk in walks.items():
        rates = walk.rates[:FIRST_STEPS]
        sides = np.abs(np.diff(walk.points[: len(rates) + 1], axis=0)).max(axis=1, initial=0)
        lengths[name] = np.divide(sides, rates, out=np.zeros_like(sides), where=rates > 0)
    lines = [
        charts.line(n, np.arange(1, len(it) + 1), it, translate(ADAMS[name])).update(mode="lines+markers")
        for n, (name, it) in enumerate(lengths.items())
    ]
    alt = _("Without correction the first step is {factor} η long, (1 − β₁) / √(1 − β₂); with it, η.")
    made = charts.figure(*lines, x=_("Step"), y=_("Longer side of the step, in η"), height=280)
    made.update_yaxes(rangemode="tozero")  # else equal steps show nothing but their rounding
    charts.show(
        made,
        key="first_steps",
        alt=alt.format(factor=f"{uncorrected_first_step(chosen('beta1'), chosen('beta2')):.3g}"),
        header=("adam", "t", "length"),
        rows=[(name, t, value) for name, it in lengths.items() for t, value in enumerate(it, start=1)],
    )


def rates() -> None:
    """Draw the learning rate of every step under the schedules that are switched on."""
    steps, rate = np.arange(chosen("s_steps")), chosen("s_rate")
    curves = {
        name: np.array([rate * schedule(int(step)) for step in steps])
        for name, schedule in scenes.schedules(len(steps)).items()
    }
    order = list(SCHEDULES)
    lines = [
        charts.line(order.index(name), steps + 1, it, translate(SCHEDULES[name])).update(
            line_shape="hv" if name == "step" else "linear"
        )
        for name, it in curves.items()
    ]
    said = [
        _("{name} {first} → {last}").format(
            name=translate(SCHEDULES[name]), first=plain(it[0], ".3g"), last=plain(it[-1], ".3g")
        )
        for name, it in curves.items()
    ]
    tall = 280 + 20 * len(lines)  # on a phone every name in the legend has a row of its own
    made = charts.figure(*lines, x=_("Step"), y=_("Learning rate η"), height=tall)
    made.update_xaxes(range=[1, len(steps)])
    made.update_yaxes(rangemode="tozero", **({} if lines else {"range": [0, rate or 1]}))
    charts.show(
        made,
        key="rates",
        alt=_("Learning rates: {values}.").format(values=joined(said) or "–"),
        header=("schedule", "step", "rate"),
        rows=[(name, step + 1, value) for name, it in curves.items() for step, value in zip(steps, it, strict=True)],
    )
