"""One step of an optimizer as equations, with the numbers of this very step (engine.analysis.steps) filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from engine.analysis.landscapes import Descent
from engine.analysis.steps import work_out
from engine.errors import N_
from engine.optim import AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from pages._ui.i18n import _, translate

BECOMES = r"\leftarrow"
SEEN = 1e-4  # what is a smaller part of a number is not seen in its digits
CSS = """<style>
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
    arrow: str

    @property
    def latex(self) -> str:
        """The line for KaTeX: symbols, numbers, result, one under the other."""
        rows = (f"{self.symbol} &{self.arrow} {self.general}", f"&= {self.filled}", f"&= {vector(self.result)}")
        return r"\begin{aligned}" + r" \\[4pt] ".join(row for row in rows if row != "&= ") + r"\end{aligned}"


def number(value: float, digits: int = 4) -> str:
    """Return a number for KaTeX, of at most so many digits between 0.001 and 100,000, of three beyond."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e5:
        digits, power = f"{value:.2e}".split("e")
        digits = "" if float(digits) == 1 else rf"{float(digits):g}\!\cdot\!"
        return rf"{digits}10^{{{int(power)}}}"
    return f"{value:.{digits}g}"


def factor(value: float) -> str:
    """Return a number that is mostly near 1, with the digits in which it is not 1."""
    return number(value, 9)


def vector(values: np.ndarray) -> str:
    """Return two numbers, what belongs to x and what to y, for KaTeX."""
    return rf"({', '.join(map(number, values))})"


def lines(descent: Descent, t: int, *, noisy: bool = False) -> list[Line]:
    """Return the equations of step t, 1 ≤ t ≤ n."""
    step = _Step(descent, t)
    noise = _("noise")
    slope = r"\nabla f(x, y)" + (rf" + \text{{{noise}}}" if noisy else "")
    return [step.line("slope", N_("The slope here"), "g", slope, ""), *step.direction(), step.position()]


class _Step:
    """A step with its numbers as text: what was `old` before it, and what is `new`."""

    def __init__(self, descent: Descent, t: int) -> None:
        self.rule, self.rate, self.t = descent.optimizer, descent.rates[t - 1], t
        self.found = work_out(descent, t)
        self.place = vector(descent.points[t - 1])
        self.old = {name: vector(values[t - 1]) for name, values in descent.memory.items()}
        self.new = {name: vector(values) for name, values in self.found.items()}
        self.squared = vector(self.found["slope"] ** 2)
        self.eta = number(self.rate)

    def line(self, name: str, words: str, symbol: str, general: str, filled: str, arrow: str = "=") -> Line:
        """Return the equation of a quantity."""
        return Line(words, symbol, general, filled, self.found[name], arrow)

    def direction(self) -> list[Line]:
        """Return what leads from the slope to the step."""
        match self.rule:
            case Momentum():  # and Nesterov
                return self.momentum()
            case AdaGrad():
                words, filled = N_("The squares of all slopes so far"), rf"{self.old['squares']} + {self.squared}"
                squares = self.line("squares", words, "h", "h + g^2", filled, BECOMES)
                return [squares, self.scaled("g", "slope", "h", "squares")]
            case RMSProp():
                words = N_("The squares of the slopes, averaged; old ones fade")
                filled = averaged(self.rule.alpha, self.old["squares"], self.squared)
                squares = self.line("squares", words, "h", r"\alpha\, h + (1-\alpha)\, g^2", filled, BECOMES)
                return [squares, self.scaled("g", "slope", "h", "squares")]
            case Adam():  # and AdamW
                return self.adam()
        words = N_("The step: against the slope")
        return [self.line("step", words, "d", r"\eta\, g", rf"{self.eta} {self.new['slope']}")]

    def momentum(self) -> list[Line]:
        eta, mu, g, v = self.eta, factor(self.rule.momentum), self.new["slope"], self.new["velocity"]
        words = N_("The velocity: what is left of it, and the slope")
        velocity = self.line("velocity", words, "v", r"\mu\, v + g", rf"{mu} {self.old['velocity']} + {g}", BECOMES)
        if isinstance(self.rule, Nesterov):
            words = N_("The step: along the velocity as it will be next")
            general, filled = r"\eta\,(g + \mu\, v)", rf"{eta} \left({g} + {mu} {v}\right)"
        else:
            words, general, filled = N_("The step: along the velocity"), r"\eta\, v", rf"{eta} {v}"
        return [velocity, self.line("step", words, "d", general, filled)]

    def adam(self) -> list[Line]:
        beta1, beta2, old = self.rule.beta1, self.rule.beta2, self.old
        words, filled = N_("The first moment: slopes, averaged"), averaged(beta1, old["mean"], self.new["slope"])
        mean = self.line("mean", words, "m", r"\beta_1 m + (1-\beta_1)\, g", filled, BECOMES)
        words, filled = N_("The second moment: their squares, averaged"), averaged(beta2, old["squares"], self.squared)
        squares = self.line("squares", words, "v", r"\beta_2 v + (1-\beta_2)\, g^2", filled, BECOMES)
        if not self.rule.bias_correction:
            return [mean, squares, self.scaled("m", "mean", "v", "squares")]
        hats = [self.corrected("mean", "m", 1, beta1), self.corrected("squares", "v", 2, beta2)]
        return [mean, squares, *hats, self.scaled(r"\hat m", "mean_hat", r"\hat v", "squares_hat")]

    def corrected(self, name: str, symbol: str, n: int, beta: float) -> Line:
        """Return the line m̂ = m / (1 − β₁ᵗ), or that of v̂."""
        general = rf"\frac{{{symbol}}}{{1-\beta_{n}^{{\,t}}}}"
        filled = rf"\frac{{1}}{{1-{factor(beta)}^{{{self.t}}}}} {self.new[name]}"
        return self.line(
            f"{name}_hat", N_("Corrected: as if it had not begun at 0"), rf"\hat {symbol}", general, filled
        )

    def scaled(self, above: str, over: str, below: str, squares: str) -> Line:
        """Return the line d = η above / (√below + ε), in numbers with ε where it is seen in their digits."""
        general = rf"\eta\, \frac{{{above}}}{{\sqrt{{{below}}} + \varepsilon}}"
        pairs = zip(self.found[over], self.found[squares], strict=True)
        sides = ",\\ ".join(rf"{number(a)} / {self.divisor(b)}" for a, b in pairs)
        words = N_("The step: each direction by its own measure")
        return self.line("step", words, "d", general, rf"{self.eta}\,({sides})")

    def divisor(self, square: float) -> str:
        """Return √square + ε in numbers, ε left out where it is not seen."""
        root = rf"\!\sqrt{{{number(square)}}}"
        return root if self.rule.eps < SEEN * np.sqrt(square) else rf"\left({root} + {number(self.rule.eps)}\right)"

    def position(self) -> Line:
        words, general, filled = N_("The new position"), "(x, y) - d", rf"{self.place} - {self.new['step']}"
        if isinstance(self.rule, AdamW):
            words = N_("The new position: the old one, shrunk a little, minus the step")
            general = r"(1-\eta\lambda)\,(x, y) - d"
            filled = rf"{factor(1 - self.rate * self.rule.l2)} {filled}"
        return self.line("position", words, "(x, y)", general, filled, BECOMES)


def averaged(beta: float, old: str, new: str) -> str:
    """Return β old + (1 − β) new in numbers."""
    return rf"{factor(beta)} {old} + {factor(1 - beta)} {new}"


def write(found: list[Line]) -> None:
    """Draw equations one under the other."""
    with st.container(gap=None, key="equations"):
        for line in found:
            st.caption(translate(line.words))
            st.latex(line.latex)
