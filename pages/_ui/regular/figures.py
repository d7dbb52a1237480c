"""The regularization page's charts that stand still."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from engine.analysis import lp_norms, thinning
from engine.analysis.early_stopping import Stop, early_stop
from engine.experiment import Experiment
from engine.presets.bases import few
from engine.runs import whole
from pages._ui import charts
from pages._ui.i18n import _

REACH = 3.0
DRAWS, GIVEN = 2000, 60  # masks; units of the layer before

# A run with many evaluations, in about a second.
_RUNS = {
    "sgd": few(steps=1_000, evaluate_every=25),
    "fast": few(steps=400, evaluate_every=10, lr=0.1),
    "adam": few(steps=400, evaluate_every=10, optimizer="adam", lr=0.001),
}


def thresholds(strength: float, p: float) -> None:
    """Draw what one weight becomes when it also costs something: soft threshold, shrinkage, and the chosen p."""
    a = np.linspace(-REACH, REACH, 241)
    curves = {
        _("No penalty"): a,
        _("L1: soft threshold"): lp_norms.soft_threshold(a, strength),
        _("L2: shrinkage"): lp_norms.shrinkage(a, strength),
    }
    if p not in (1.0, 2.0):
        curves[f"p = {p:g}"] = lp_norms.penalized(a, strength, p)
    traces = [charts.line(n, a, y, name) for n, (name, y) in enumerate(curves.items())]
    made = charts.figure(
        *traces, x=_("Weight that the error alone asks for"), y=_("Weight with the penalty"), height=360
    )
    alt = _(
        "With λ = {strength:g}, L1 makes every weight from −{strength:g} to {strength:g} exactly 0 and pulls the "
        "others by {strength:g} towards 0; L2 divides all by {divisor:g} and makes none 0."
    )
    rows = zip(*([f"{v:.6g}" for v in y] for y in (a, *curves.values())), strict=True)
    charts.show(
        made, key="thresholds", alt=alt.format(strength=strength, divisor=1 + strength),
        header=["asked", *["no_penalty", "l1", "l2", f"p={p:g}"][: len(curves)]], rows=rows,
    )  # fmt: skip


def received(rate: float, draw: int) -> None:
    """Draw what one unit of the next layer is given over many masks, with and without the scale."""
    found = thinning.received(*thinning.layer(GIVEN, seed=draw), rate, DRAWS, seed=draw)
    everything = np.concatenate([found.plain, found.scaled, [found.full]])
    beyond = 1e-6 if np.ptp(everything) > 1e-3 else 1.0  # without dropout all are equal
    bins = np.linspace(everything.min() - beyond, everything.max() + beyond, 50)
    middle = (bins[:-1] + bins[1:]) / 2
    counts = {name: np.histogram(values, bins)[0] for name, values in series(found).items()}
    traces = [
        go.Scatter(
            x=middle, y=count, name=name, mode="lines", fill="tozeroy",
            line={"shape": "hvh", "color": charts.colour(n), "dash": charts.DASHES[n], "width": 1.6},
        )
        for n, (name, count) in enumerate(counts.items())
    ]  # fmt: skip
    made = charts.figure(*traces, x=_("What the unit is given"), y=_("Masks"), height=300)
    dashed = {"width": 2.5, "dash": "dash", "color": charts.colour(6)}
    made.add_vline(found.full, line=dashed, annotation_text=_("nobody missing"), annotation_xshift=5)
    alt = _(
        "A unit with {n} inputs, over {masks} masks: without the scale it is given {plain:.2f} on average, with it "
        "{scaled:.2f}, and {full:.2f} when nobody is missing."
    )
    means = {"plain": found.plain.mean(), "scaled": found.scaled.mean(), "full": found.full}
    alt = alt.format(n=GIVEN, masks=f"{DRAWS:,}", **means).replace("-", "−")
    rows = zip(middle.round(4), *counts.values(), strict=True)
    charts.show(made, key="received", alt=alt, header=["given", "plain", "scaled"], rows=rows)


def series(found: thinning.Received) -> dict[str, np.ndarray]:
    """Return both series by what the legend calls them."""
    return {_("without the scale"): found.plain, _("times 1 / (1 − p)"): found.scaled}


@st.cache_data(show_spinner=False, max_entries=8)
def curves(spec: str) -> dict[str, list[float]]:
    """Return the curves of a run, trained once for everybody. spec: the experiment as JSON. Raises `InputError`.

    It takes one to three seconds of a processor: in this process everybody's scripts would wait for them.
    """
    return whole.curves(Experiment.from_json(spec))


def stopping(trained: str, patience: int, watched: str) -> Stop:
    """Draw both curves of a run that overfits, with where it would have been stopped; return that."""
    with st.spinner(_("Training for a second …")):
        found = curves(_RUNS[trained].to_json())
    step, sets = found["step"], {"train": _("Training set"), "test": _("Test set")}
    watching = [value if watched == "loss" else -value for value in found[f"test_{watched}"]]
    stop = early_stop(watching, patience)
    traces = [charts.line(n, step, found[f"{name}_{watched}"], words) for n, (name, words) in enumerate(sets.items())]
    test = found[f"test_{watched}"]
    for at, words, symbol in ((stop.best, _("best so far"), "star"), (stop.last, _("given up"), "x")):
        marker = {"symbol": symbol, "size": 14, "color": charts.colour(2), "line": {"width": 1, "color": "#888"}}
        traces.append(go.Scatter(x=[step[at]], y=[test[at]], name=words, mode="markers", marker=marker))
    title = _("Loss") if watched == "loss" else _("Accuracy")
    made = charts.figure(*traces, x=_("Step"), y=title, height=380)
    made.add_vrect(step[stop.last], step[-1], fillcolor="#888", opacity=0.14, line_width=0)
    if watched == "accuracy":
        made.update_yaxes(tickformat=".0%", range=[0, 1.03])
    if not stop.gave_up:
        end = _("Patience outlasts the run: it goes to its end at step {last:g}.")
    elif patience == 1:
        end = _("Given up at step {last:g}, at the first evaluation that was no better.")
    else:
        end = _("Given up at step {last:g}, after {patience} evaluations without a better one.")
    said = (
        _("Best at step {best:g}: test loss {loss:.3f}, test accuracy {accuracy:.1%}."),
        end,
        _("At the end: test loss {end_loss:.3f}, test accuracy {end_accuracy:.1%}."),
    )
    numbers = {
        "best": step[stop.best], "last": step[stop.last], "patience": patience,
        "loss": found["test_loss"][stop.best], "accuracy": found["test_accuracy"][stop.best],
        "end_loss": found["test_loss"][-1], "end_accuracy": found["test_accuracy"][-1],
    }  # fmt: skip
    header = ["step", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    rows = zip(*(found[name] for name in header), strict=True)
    charts.show(made, key="stopping", alt=" ".join(said).format(**numbers), header=header, rows=rows)
    return stop
