"""The losses drawn: each, and its push on the right class's output, while that output moves and the others stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from engine.analysis.graph import losses, softmax, squared_error_limit
from pages._ui import charts
from pages._ui.i18n import _

REACH = 10.0


def names() -> dict[str, str]:
    """Return what a person reads for each loss."""
    return {
        "cross_entropy": _("Softmax, cross-entropy"),
        "softmax_squared": _("Softmax, squared error"),
        "linear_squared": _("Squared error of the outputs"),
    }


def course(scores: Sequence[float], label: int) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Return the right output's values z (n,), and for each loss L (n,) and ∂L/∂z (n,) there. label: from 0."""
    z = np.linspace(-REACH, REACH, 161)
    logits = [z if k == label else np.full_like(z, score) for k, score in enumerate(scores)]
    return z, {name: (value, slopes[label]) for name, (value, slopes) in losses(logits, label).items()}


def curves(scores: Sequence[float], label: int) -> None:
    """Draw the three losses and their derivatives, and where the prediction stands on them."""
    z, found = course(scores, label)
    here = scores[label]
    titles = _("Loss"), _("∂L/∂z of the right class")
    spans = [-0.8, 21.0], [-2.2, 1.2]
    alts = (
        _(
            "Cross-entropy grows in a straight line with the distance; after a softmax squared error flattens out at "
            "{limit}."
        ).format(limit=f"{squared_error_limit(scores, label):.3g}"),
        _("Far to the left cross-entropy pushes with −1; squared error after a softmax hardly pushes at all."),
    )
    for part, (column, title, span, alt) in enumerate(zip(st.columns(2), titles, spans, alts, strict=True)):
        made = charts.figure(
            *(charts.line(n, z, found[name][part], word) for n, (name, word) in enumerate(names().items())),
            x=_("z of the right class"), y=title, height=330,
        )  # fmt: skip
        made.update_yaxes(range=span)
        made.add_vline(x=here, line={"dash": "dot", "width": 1.5, "color": charts.colour(6)})
        with column:
            charts.show(
                made, key=f"losses_{part}", alt=alt, header=["z", *found],
                rows=zip(z, *(pair[part] for pair in found.values()), strict=True),
            )  # fmt: skip


def signed(value: float) -> str:
    """Return a number in four decimals with its sign, and 0 without one."""
    text = f"{value:+.4f}"
    return text if float(text) else text[1:]


def table(scores: Sequence[float], label: int) -> None:
    """Draw the prediction and what each loss pushes every output by; compare the two that follow a softmax."""
    found = losses(scores, label)
    y = [node.value for node in softmax(scores)]
    classes = range(len(scores))
    rows = {
        _("Output z"): [f"{score:g}" for score in scores],
        _("Softmax y"): [f"{value:.4f}" for value in y],
        _("Target t"): [str(int(k == label)) for k in classes],
    } | {f"∂L/∂z · {word}": [signed(found[name][1][k]) for k in classes] for name, word in names().items()}
    st.table({key: [value.replace("-", "−") for value in values] for key, values in rows.items()})
    push = {name: abs(slopes[label]) for name, (_value, slopes) in found.items()}
    said = _("Cross-entropy pushes the right output {times} times as hard as squared error after the same softmax.")
    times = push["cross_entropy"] / push["softmax_squared"]
    st.markdown(said.format(times=f"{times:,.{1 if times < 100 else 0}f}"))
