"""One step of an optimizer as equations, with the numbers of this very step filled in.

Each line is worked out from the line above, so that the last one, the new position, checks all against the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from engine.analysis.landscapes import Descent
from engine.errors import N_
from pages._ui.i18n import translate

EPS = 1e-8  # of every optimizer of the engine
CSS = """<style>
.st-key-beside [data-testid=stColumn] {min-width: min(100%, 21rem)}
.st-key-equations [data-testid=stMarkdown] > div {margin-inline: 0; max-width: 100%}
.st-key-equations .katex-display {margin: 0 0 .4rem; padding-block: .2rem; font-size: .86em}
.st-key-equations [data-testid=stCaptionContainer] {padding-top: .7rem}
@media (max-width: 640px) {.st-key-equations .katex-display {font-size: .78em}}
[data-testid=stMarkdown] .katex-display {overflow-x: auto; overflow-y: hidden}
</style>"""


@dataclass(frozen=True)
class Line:
    """An equation: what it computes in words, its symbol, its right side in symbols and in numbers, and the result."""

    words: str
    symbol: str
    general: str
    filled: str
    result: np.ndarray
    arrow: str = r"\leftarrow"

    @property
    def latex(self) -> str:
        """The line for KaTeX: symbols, numbers, result, one under the other."""
        rows = (f"{self.symbol} &{self.arrow} {self.general}", f"&= {self.filled}", f"&= {vector(self.result)}")
        return r"\begin{aligned}" + r" \\[4pt] ".join(row for row in rows if row != "&= ") + r"\end{aligned}"


def number(value: float) -> str:
    """Return a number of at most four digits for KaTeX."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e5:
        digits, power = f"{value:.2e}".split("e")
        return rf"{float(digits):g}\!\cdot\!10^{{{int(power)}}}"
    return f"{value:.4g}"


def vector(values: np.ndarray) -> str:
    """Return two numbers, what belongs to x and what to y, for KaTeX."""
    return rf"({', '.join(map(number, values))})"


def lines(optimizer: str, descent: Descent, t: int, settings: dict[str, float], *, noisy: bool = False) -> list[Line]:
    """Return the equations of step t, 1 ≤ t ≤ n, of an optimizer that was made with these settings."""
    before, gradient, rate = descent.points[t - 1], descent.gradients[t - 1], descent.rates[t - 1]
    memory = {name: values[t - 1] for name, values in descent.memory.items()}
    g, eta = vector(gradient), number(rate)
    slope = r"\nabla f(x, y)" + (r" + \text{noise}" if noisy else "")
    found = [Line(N_("The slope here"), "g", slope, "", gradient, "=")]
    if optimizer == "sgd":
        step = rate * gradient
        found.append(Line(N_("The step: against the slope"), "d", r"\eta\, g", rf"{eta} {g}", step, "="))
    elif optimizer in ("momentum", "nesterov"):
        mu = settings["momentum"]
        velocity = mu * memory["velocity"] + gradient
        filled = rf"{number(mu)} {vector(memory['velocity'])} + {g}"
        found.append(Line(N_("The velocity: what is left of it, and the slope"), "v", r"\mu\, v + g", filled, velocity))
        if optimizer == "momentum":
            step = rate * velocity
            filled = rf"{eta} {vector(velocity)}"
            found.append(Line(N_("The step: along the velocity"), "d", r"\eta\, v", filled, step, "="))
        else:
            step = rate * (gradient + mu * velocity)
            filled = rf"{eta} \left({g} + {number(mu)} {vector(velocity)}\right)"
            words = N_("The step: along the velocity as it will be next")
            found.append(Line(words, "d", r"\eta\,(g + \mu\, v)", filled, step, "="))
    elif optimizer in ("adagrad", "rmsprop"):
        squares, h = gradient**2, vector(memory["squares"])
        if optimizer == "adagrad":
            squares = memory["squares"] + squares
            filled = rf"{h} + {vector(gradient**2)}"
            found.append(Line(N_("The squares of all slopes so far"), "h", "h + g^2", filled, squares))
        else:
            alpha = settings["alpha"]
            squares = alpha * memory["squares"] + (1 - alpha) * squares
            filled = rf"{number(alpha)} {h} + {number(1 - alpha)} {vector(gradient**2)}"
            words = N_("The squares of the slopes, averaged; old ones fade")
            found.append(Line(words, "h", r"\alpha\, h + (1-\alpha)\, g^2", filled, squares))
        step = rate * gradient / (np.sqrt(squares) + EPS)
        found.append(_scaled(eta, "g", gradient, "h", squares, step))
    else:
        step, more = _adam(gradient, memory, t, rate, settings)
        found += more
    place, fading = vector(before), number(1 - rate * settings.get("l2", 0))
    if optimizer == "adamw":
        after = (1 - rate * settings["l2"]) * before - step
        general, filled = r"(1-\eta\lambda)\,(x, y) - d", rf"{fading} {place} - {vector(step)}"
        words = N_("The new position: the old one, shrunk a little, minus the step")
    else:
        after = before - step
        general, filled = "(x, y) - d", rf"{place} - {vector(step)}"
        words = N_("The new position")
    return [*found, Line(words, "(x, y)", general, filled, after)]


def write(found: list[Line]) -> None:
    """Draw equations one under the other."""
    with st.container(gap=None, key="equations"):
        for line in found:
            st.caption(translate(line.words))
            st.latex(line.latex)


def _adam(
    gradient: np.ndarray, memory: dict[str, np.ndarray], t: int, rate: float, settings: dict[str, float]
) -> tuple[np.ndarray, list[Line]]:
    beta1, beta2 = settings["beta1"], settings["beta2"]
    mean = beta1 * memory["mean"] + (1 - beta1) * gradient
    squares = beta2 * memory["squares"] + (1 - beta2) * gradient**2
    kept = rf"{number(beta1)} {vector(memory['mean'])} + {number(1 - beta1)} {vector(gradient)}"
    kept2 = rf"{number(beta2)} {vector(memory['squares'])} + {number(1 - beta2)} {vector(gradient**2)}"
    found = [
        Line(N_("The first moment: slopes, averaged"), "m", r"\beta_1 m + (1-\beta_1)\, g", kept, mean),
        Line(N_("The second moment: their squares, averaged"), "v", r"\beta_2 v + (1-\beta_2)\, g^2", kept2, squares),
    ]
    names = "m", "v"
    if settings.get("bias_correction", True):
        names = r"\hat m", r"\hat v"
        for symbol, name, beta, average in (("m", "1", beta1, mean), ("v", "2", beta2, squares)):
            general = rf"\frac{{{symbol}}}{{1-\beta_{name}^{{\,t}}}}"
            filled = rf"\frac{{1}}{{1-{number(beta)}^{{{t}}}}} {vector(average)}"
            words = N_("Corrected: as if it had not begun at 0")
            found.append(Line(words, rf"\hat {symbol}", general, filled, average / (1 - beta**t), "="))
        mean, squares = (line.result for line in found[-2:])
    step = rate * mean / (np.sqrt(squares) + EPS)
    return step, [*found, _scaled(number(rate), names[0], mean, names[1], squares, step)]


def _scaled(eta: str, above: str, over: np.ndarray, below: str, squares: np.ndarray, step: np.ndarray) -> Line:
    """Return the line d = η above / (√below + ε)."""
    general = rf"\eta\, \frac{{{above}}}{{\sqrt{{{below}}} + \varepsilon}}"
    sides = ",\\ ".join(rf"{number(a)} / \!\sqrt{{{number(b)}}}" for a, b in zip(over, squares, strict=True))
    return Line(N_("The step: each direction by its own measure"), "d", general, rf"{eta}\,({sides})", step, "=")
