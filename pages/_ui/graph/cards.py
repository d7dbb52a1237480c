"""Every activation on a card: the function, its derivative, and the largest slope that it has."""

from __future__ import annotations

import base64
import csv
import io
from html import escape

import numpy as np

from engine.analysis.derivatives import ACTIVATIONS, NEVER_REACHED, activation, steepest
from engine.errors import N_
from pages._ui.charts import COLOURS
from pages._ui.i18n import _, translate

REACH = 5.0  # the cards show [−REACH, REACH]
WIDTH, HEIGHT, TOP, BOTTOM = 200, 130, 2.4, -1.3  # pixels, and the numbers at the upper and lower edge
NAMES = {
    "step": N_("step"), "sigmoid": N_("sigmoid"), "tanh": "tanh", "relu": "ReLU", "leaky_relu": "leaky ReLU",
    "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "softplus": "softplus", "identity": N_("identity"),
}  # fmt: skip

CSS = f"""<style>
.k-cards {{display: grid; grid-template-columns: repeat(auto-fill, minmax(min(46%, 225px), 1fr)); gap: .7rem}}
.k-cards figure {{margin: 0; padding: .45rem .6rem .3rem; border: 1px solid rgb(128 128 128 / 30%); border-radius: 8px}}
.k-cards figcaption {{display: flex; justify-content: space-between; align-items: baseline; gap: .4rem;
  font-size: .85rem; white-space: nowrap}}
.k-cards small {{opacity: .75; font-size: .74rem; font-variant-numeric: tabular-nums}}
.k-cards img {{display: block; width: 100%; height: auto}}
.k-key {{display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem; margin: .1rem 0 .5rem}}
.k-key i {{display: inline-block; width: 1.6rem; border-top: 3px solid {COLOURS[0]}; margin-right: .4rem;
  vertical-align: middle}}
.k-key i.slope {{border-top: 3px dashed {COLOURS[1]}}}
</style>"""


def samples() -> np.ndarray:
    """Return the inputs that are drawn, (n,), 0 among them."""
    return np.linspace(-REACH, REACH, 201)


def cards(at: float) -> str:
    """Return the HTML of the cards, each with its slope at `at` marked."""
    key = '<div class="k-key"><span><i></i>f(x)</span><span><i class="slope"></i>f′(x)</span></div>'
    return f'{CSS}{key}<div class="k-cards">{"".join(_card(name, at) for name in ACTIVATIONS)}</div>'


def _card(name: str, at: float) -> str:
    x = samples()
    y, slope = activation(name, x)
    (value,) = activation(name, np.array([at]))[1]
    bound = f"{steepest(name):.4g}"
    most = f"f′ < {bound}" if name in NEVER_REACHED else _("max f′ = {value}").format(value=bound)
    said = _("{name} and its derivative from −5 to 5; the derivative is at most {most}, and {value} at x = {at}.")
    label = said.format(name=translate(NAMES[name]), most=bound, value=f"{value:.3g}", at=f"{at:g}")
    picture = base64.b64encode(_picture(x, y, slope, at, value).encode()).decode()
    return (
        f"<figure><figcaption><b>{translate(NAMES[name])}</b><small>{escape(most)}</small></figcaption>"
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{escape(label)}">'
        f"<small>{f'f′({at:g}) = {value:.4g}'.replace('-', '−')}</small></figure>"
    )


def _picture(x: np.ndarray, y: np.ndarray, slope: np.ndarray, at: float, value: float) -> str:
    """Return a drawing of f and f′ that stands on a light ground as well as on a dark one."""
    grey = 'stroke="#888" stroke-opacity=".45"'
    rules = "".join(f'<path {grey} d="M0 {_y(v):.1f}H{WIDTH}"/>' for v in (0, 1))
    numbers = "".join(
        f'<text x="2" y="{_y(v) + dy:.1f}" font-size="9" fill="#888">{v}</text>'
        for v, dy in ((0, 10), (1, -2))  # 0 below its line: most curves run along it on the left
    )
    blue, orange = COLOURS[:2]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'fill="none" font-family="sans-serif">{rules}{numbers}<path {grey} d="M{_x(0):.1f} 0V{HEIGHT}"/>'
        f'<path stroke="#888" stroke-dasharray="2 3" d="M{_x(at):.1f} 0V{HEIGHT}"/>'
        f'<path stroke="{blue}" stroke-width="2.6" d="{_line(x, y)}"/>'
        f'<path stroke="{orange}" stroke-width="2.2" stroke-dasharray="6 4" d="{_line(x, slope)}"/>'
        f'<circle fill="{orange}" cx="{_x(at):.1f}" cy="{_y(value):.1f}" r="4"/></svg>'
    )


def as_csv() -> str:
    """Return what the cards show as a table: x, and f and f′ of every activation."""
    x = samples()
    table = [activation(name, x) for name in ACTIVATIONS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["x", *(f"{name}{mark}" for name in ACTIVATIONS for mark in ("", "′"))])
    writer.writerows(
        [f"{value:.10g}" for value in row] for row in np.stack([x, *(a for pair in table for a in pair)]).T
    )
    return text.getvalue()


def _x(value: float) -> float:
    return WIDTH * (value + REACH) / (2 * REACH)


def _y(value: float) -> float:
    return HEIGHT * (TOP - min(max(value, BOTTOM), TOP)) / (TOP - BOTTOM)


def _line(x: np.ndarray, y: np.ndarray) -> str:
    """Return a curve as the `d` of a path; what is too high or too low leaves the picture."""
    pixels = np.stack([_x(x), HEIGHT * (TOP - np.clip(y, 2 * BOTTOM, 2 * TOP)) / (TOP - BOTTOM)]).T
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in pixels)
