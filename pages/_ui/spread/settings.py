"""The controls of the initialization page, and what the published experiments ask of them."""

from __future__ import annotations

from engine import presets
from engine.errors import N_
from pages._ui.controls import OPTIONS
from pages._ui.settings import Settings, named, number, toggle, whole

_PARTS = {
    "before": N_("Before training"),
    "slope": N_("Why sigmoid loses ¾"),
    "symmetry": N_("Equal weights"),
    "runs": N_("Trained side by side"),
}
ACTIVATIONS = {
    name: OPTIONS.get(name, name)
    for name in ("sigmoid", "relu", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus", "identity")
}

# What may be drawn beside each other: name → (initializer, σ; None where the slider says it), what it is called.
STARTS = {
    "gauss": ("gauss", None, N_("Gauss, σ of the slider")),
    "small": ("gauss", 0.01, N_("Gauss, σ = 0.01")),
    "lecun_normal": ("lecun_normal", 0.01, N_("Xavier of course and book, √(1/n)")),
    "he_normal": ("he_normal", 0.01, N_("He, √(2/n)")),
    "xavier_normal": ("xavier_normal", 0.01, N_("Xavier (Glorot), normal")),
    "xavier_uniform": ("xavier_uniform", 0.01, N_("Xavier (Glorot), uniform")),
    "he_uniform": ("he_uniform", 0.01, N_("He, uniform")),
    "orthogonal": ("orthogonal", 0.01, N_("Orthogonal")),
    "constant": ("constant", None, N_("All equal to σ")),
    "zeros": ("zeros", 0.01, N_("All zero")),
}
AT_FIRST = ("gauss", "small", "lecun_normal", "he_normal")
RUNS = tuple(
    it.id for it in presets.PRESETS.values() if it.page == "initialization" and it.runs and it.id != "symmetry"
)
EXPERIMENTS = {id: presets.get(id).title for id in ("course-inits", "course-inits-all", *RUNS)}

_ACTIVATION = N_("Activation")
SETTINGS = {
    "part": named(N_("Part of the page"), _PARTS, "before", "segments"),
    # before training
    "activation": named(_ACTIVATION, ACTIVATIONS, "sigmoid", width=180),
    "quantity": named(
        N_("Histograms of"),
        {"activations": N_("Activations"), "gradients": N_("Gradients")},
        "activations",
        "segments",
    ),
    "bins": named(
        N_("Their 30 bins"),
        {"unit": N_("From 0 to 1"), "all": N_("Over all values")},
        "unit",
        "segments",
        help=N_("Course and book draw every activation from 0 to 1. Gradients are always drawn over all values."),
    ),
    "of": named(
        N_("Gradient with respect to"),
        {"activations": N_("Activations"), "weights": N_("Weights")},
        "activations",
        "segments",
    ),
    "sigma": number(N_("Standard deviation σ of the weights"), 0.001, 10.0, 1.0, widget="none"),
    "layers": whole(N_("Layers"), 2, 30, 5, "none"),
    "width": whole(N_("Units in a layer"), 10, 200, 100, "none"),
    "seed": whole(N_("Random seed"), 0, 99, 0, "none"),
    **{name: toggle(words, int(name in AT_FIRST), width=0) for name, (_it, _sigma, words) in STARTS.items()},
    # the derivative
    "f": named(_ACTIVATION, ACTIVATIONS, "sigmoid", width=180),
    "z": number(N_("Input z of every unit"), -6.0, 6.0, 0.0, widget="none"),
    "passed": whole(N_("Layers"), 2, 30, 10, "none"),
    # runs
    "experiment": named(N_("Experiment"), EXPERIMENTS, "course-inits", width=430),
}

ROWS = {
    "ch06-activation-hist": {"part": "before"},
    "vanishing-gradients": {"part": "before", "layers": 30, "quantity": "gradients"},
    "symmetry": {"part": "symmetry"},
    **{id: {"part": "runs", "experiment": id} for id in EXPERIMENTS},
}

settings = Settings("initialization", SETTINGS, ROWS)
chosen, control = settings.__getitem__, settings.control
