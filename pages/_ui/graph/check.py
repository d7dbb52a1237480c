"""The gradient check on the screen: its progress, its table, and the gradient of one unit as a picture, both ways.

A check of everything takes seconds. What was measured is kept for whoever asks for the same next, and for a class that
asks for it at the same moment: one measures, the others wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import streamlit as st

from engine.analysis.gradcheck import Checked, together
from engine.presets.gradients import check_gradients
from pages._ui import charts
from pages._ui.graph.curves import power
from pages._ui.i18n import _
from pages._ui.pictures import as_url
from pages._ui.window import sources
from pages._ui.writing import plain

SAMPLE = 60  # numbers of each parameter
HS = tuple(10.0**-n for n in range(1, 12))
KEPT = 24  # measurements

Measured = tuple[list[Checked], float]
_kept: dict[tuple, Measured] = {}
_measuring = threading.Lock()


def measure(
    activation: str, precision: str, h: float, sample: int = 0, progress: Callable[[int, int], None] | None = None
) -> Measured:
    """Check the gradients of 784-50-10, or return what was found before."""
    key = (activation, precision, h, sample)
    if found := _kept.get(key):
        return found
    with _measuring:
        found = _kept.get(key)
        if not found:
            found = check_gradients(activation, dtype=np.dtype(precision).type, h=h, sample=sample, progress=progress)
            while len(_kept) >= KEPT:
                _kept.pop(next(iter(_kept)), None)
            _kept[key] = found
    return found


def forget(activation: str, precision: str, h: float, sample: int) -> None:
    """Measure these settings anew the next time."""
    _kept.pop((activation, precision, h, sample), None)


def with_progress(activation: str, precision: str, h: float, sample: int) -> Measured:
    """Measure under a bar that fills, and says at the end what it came to."""
    bar = st.progress(0.0, " ")

    def tell(done: int, total: int) -> None:
        bar.progress(done / total, _("{done} of {total} parameters").format(done=f"{done:,}", total=f"{total:,}"))

    checked, seconds = measure(activation, precision, h, sample, tell)
    count = sum(len(one.places) for one in checked)
    tell(count, count)
    return checked, seconds


def summary(checked: list[Checked], seconds: float) -> None:
    """Say how well both gradients agree, and what each of them took."""
    agreement, slow = together(checked), sum(one.seconds for one in checked)
    said = _(
        "**{count}** gradients of the network 784-50-10 on three digits differ by **{mean}** on average, and by {most} "
        "at most. Backpropagation found all of them in {fast} ms; differences took {slow} s, {times} times as long."
    )
    st.markdown(
        said.format(
            count=f"{agreement.size:,}", mean=_power(agreement.mean), most=_power(agreement.max),
            fast=f"{1000 * seconds:.2f}", slow=f"{slow:.2f}", times=f"{slow / seconds:,.0f}",
        )
    )  # fmt: skip


def table(checked: list[Checked]) -> None:
    """Draw a row for each parameter, and one for all of them."""
    rows = [one.agreement for one in checked]
    everything = together(checked)
    took = [one.seconds for one in checked]
    st.table(
        {
            _("Parameter"): [f"`{one.name}`" for one in checked] + ["**" + _("all") + "**"],
            _("Shape"): [" × ".join(map(str, one.shape)) for one in checked] + [""],
            _("Checked"): [f"{row.size:,}" for row in (*rows, everything)],
            _("Mean difference"): [_power(row.mean) for row in (*rows, everything)],
            _("Largest difference"): [_power(row.max) for row in (*rows, everything)],
            _("Seconds, by differences"): [f"{value:.2f}" for value in (*took, sum(took))],
        }
    )


def picture(checked: list[Checked], unit: int) -> None:
    """Draw ∂L/∂W of one hidden unit's 784 weights, each at its pixel: backwards, by differences, the gap."""
    weights = next((one for one in checked if one.shape == (784, 50)), None)
    if weights is None or len(weights.places) < 784 * 50:
        return
    sides = [side.reshape(784, 50)[:, unit - 1].reshape(28, 28) for side in (weights.backward, weights.numerical)]
    gap = sides[0] - sides[1]
    if not sides[0].any():
        st.caption(_("ReLU answers 0 to all three digits in this unit, and lets no gradient through."))
    captions = (
        _("By backpropagation"),
        _("By differences"),
        _("Their difference, at most {most}, in colours of its own").format(most=_power(np.abs(gap).max())),
    )
    with st.container(horizontal=True):
        for grid, caption in zip((*sides, gap), captions, strict=True):
            url = as_url(sources.in_colour(grid).repeat(6, 0).repeat(6, 1))
            st.image(url, caption, width=168, alt=caption)


def against_h(activation: str) -> None:
    """Draw the mean difference of a sample against h, in both precisions."""
    found = {
        precision: [together(measure(activation, precision, h, SAMPLE)[0]).mean for h in HS]
        for precision in ("float64", "float32")
    }
    made = charts.figure(
        *(charts.line(n, HS, values, name) for n, (name, values) in enumerate(found.items())),
        x="h", y=_("Mean difference"), log_x=True, height=300,
    )  # fmt: skip
    made.update_traces(mode="lines+markers")
    made.update_yaxes(type="log", exponentformat="power", dtick=2)
    made.update_xaxes(exponentformat="power", dtick=1)
    best = {name: HS[int(np.argmin(values))] for name, values in found.items()}
    alt = _("The difference is smallest at h = {double} in float64 and at h = {single} in float32.")
    charts.show(
        made, key="check_h_chart",
        alt=alt.format(double=power(best["float64"]), single=power(best["float32"])),
        header=["h", *found], rows=zip(HS, *found.values(), strict=True),
    )  # fmt: skip


def _power(value: float) -> str:
    """Return a number with its power of ten in one piece."""
    return plain(value, ".1e")
