"""The controls of the gradients page, and what the published experiments ask of them."""

from __future__ import annotations

from engine.analysis.derivatives import CURVES
from engine.analysis.descent import SURFACES
from engine.errors import N_
from pages._ui.settings import Settings, named, number, toggle, whole

_PARTS = {
    "derivative": N_("Derivative"),
    "activations": N_("Activation functions"),
    "field": N_("Gradient and descent"),
    "graph": N_("Computational graph"),
    "check": N_("Gradient check"),
    "losses": N_("Losses"),
}
_CURVES = dict(
    zip(CURVES, ("0.01x² + 0.1x", "x²", "x³", "sin x", "eˣ", N_("sigmoid"), "|x|", "ln x"), strict=True)
)  # fmt: skip
_SURFACES = dict(
    zip(
        SURFACES,
        (N_("Bowl: x₀² + x₁²"), N_("Valley: x₀² / 20 + x₁²"), N_("Saddle: x₀² − x₁²"), N_("Four minima (Himmelblau)"),
         N_("Banana (Rosenbrock)")),
        strict=True,
    )
)  # fmt: skip
_CHORDS = {"forward": N_("Forward: x to x + h"), "central": N_("Central: x − h to x + h")}
_GRAPHS = {"apples": N_("Apples and oranges"), "neuron": N_("One neuron"), "softmax": N_("Softmax and cross-entropy")}
_BENDS = {"sigmoid": "sigmoid", "relu": "ReLU", "tanh": "tanh"}
_WHICH = {"every": N_("Every parameter"), "sample": N_("A sample")}
_STEPS = {f"1e-{n}": f"10⁻{'⁰¹²³⁴⁵⁶⁷⁸⁹'[n]}" for n in range(2, 10)}
_RATE = N_("Learning rate")
_RIGHT = N_("Right class")

PRICE, WEIGHT, LOGIT = 10_000.0, 10.0, 20.0  # how far from 0 the numbers of a graph may lie

# What a hand can change in the drawing of each graph: name → what it is called.
GIVEN = {
    "apples": {
        "apple_price": N_("Price of an apple"),
        "apple_count": N_("Number of apples"),
        "orange_count": N_("Number of oranges"),
        "orange_price": N_("Price of an orange"),
        "tax": N_("Tax"),
    },
    "neuron": {"x1": "x₁", "w1": "w₁", "x2": "x₂", "w2": "w₂", "b": "b", "t": "t"},
    "softmax": {"z1": "z₁", "z2": "z₂", "z3": "z₃"},
}


def _given(graph: str, reach: float, **defaults: float) -> dict[str, object]:
    return {
        name: number(label, -reach, reach, defaults[name], widget="none") for name, label in GIVEN[graph].items()
    }  # fmt: skip


SETTINGS = {
    "part": named(N_("Part of the page"), _PARTS, "derivative", "segments"),
    # the derivative
    "curve": named("f(x)", _CURVES, "book", width=190),
    "x": number("x", -20.0, 20.0, 5.0, step=0.5, width=150),
    "chord": named(N_("Chord"), _CHORDS, "central", "segments"),
    "h": number("h", 1e-16, 10.0, 1e-4, widget="none"),
    # activations
    "at": number(N_("Input of every unit"), -5.0, 5.0, 1.0, step=0.1, widget="slider", width=240),
    "layers": whole(N_("Layers"), 2, 40, 20, "slider", width=240),
    # the field
    "surface": named(N_("Function"), _SURFACES, "bowl", width=240),
    "by": named(
        N_("Gradient by"),
        {"differences": N_("Differences"), "formula": N_("Formula")},
        "differences",
        "segments",
        help=N_("Central differences with h = 10⁻⁴, as in the book, or the derivatives written down."),
    ),
    "path": toggle(N_("Descend"), 1),
    "start0": number(N_("Start x₀"), -10.0, 10.0, -3.0, step=0.25, width=130),
    "start1": number(N_("Start x₁"), -10.0, 10.0, 4.0, step=0.25, width=130),
    "lr": number(_RATE, 1e-10, 100.0, 0.1, step=0.05, width=140),
    "steps": number(N_("Steps"), 1, 200, 20, width=130),
    # the graph
    "graph": named(N_("Graph"), _GRAPHS, "apples", "segments"),
    **_given("apples", PRICE, apple_price=100.0, apple_count=2.0, orange_count=3.0, orange_price=150.0, tax=1.1),
    **_given("neuron", WEIGHT, x1=1.0, w1=0.5, x2=-2.0, w2=0.3, b=0.2, t=1.0),
    "bends": named(N_("Activation"), _BENDS, "sigmoid", "segments"),
    **_given("softmax", LOGIT, z1=2.0, z2=1.0, z3=-1.0),
    "label": whole(_RIGHT, 1, 3, 2),
    # the gradient check
    "which": named(N_("Which parameters"), _WHICH, "every", "segments"),
    "precision": named(N_("Precision"), {"float64": "float64", "float32": "float32"}, "float64", "segments"),
    "check_h": named("h", _STEPS, "1e-4", width=100),
    "hidden": named(N_("Activation"), _BENDS, "relu", "segments"),
    "unit": whole(N_("Hidden unit"), 1, 50, 30, "slider", width=240),
    # losses
    "score1": number("z₁", -10.0, 10.0, -4.0, step=0.1, widget="slider", width=200),
    "score2": number("z₂", -10.0, 10.0, 4.0, step=0.1, widget="slider", width=200),
    "score3": number("z₃", -10.0, 10.0, 0.0, step=0.1, widget="slider", width=200),
    "truth": whole(_RIGHT, 1, 3, 1),
}

ROWS = {
    "ch03-activations": {"part": "activations"},
    "ch04-derivative": {"part": "derivative"},
    "ch04-gradient-field": {"part": "field", "path": 0},
    "ch04-descent": {"part": "field"},
    "ch05-apples": {"part": "graph"},
    "ch05-gradient-check": {"part": "check"},
    "losses": {"part": "losses"},
}

settings = Settings("gradients", SETTINGS, ROWS)
chosen, control, controls = settings.__getitem__, settings.control, settings.controls
