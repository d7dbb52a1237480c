"""The controls of the regularization page."""

from __future__ import annotations

from engine import presets
from engine.errors import N_
from pages._ui.settings import Settings, named, number, toggle, whole

_PARTS = {
    "runs": N_("Overfitting and its cures"),
    "norms": N_("Why L1 zeroes weights"),
    "dropout": N_("What dropout removes"),
    "augmentation": N_("Augmentation"),
    "stopping": N_("Early stopping"),
}
ROWS = {it.id: {"experiment": it.id} for it in presets.PRESETS.values() if it.page == "regularization" and it.runs}
RUNS = {
    "sgd": N_("SGD, learning rate 0.01"),
    "fast": N_("SGD, learning rate 0.1"),
    "adam": N_("Adam"),
}
FAR, BUDGETS = 3.0, 61  # how far from 0 the bowl's lowest point may lie; budgets from 0 to FAR that a path is made of

# Names differ from the experiment's fields: those stand in the same address, for the runs.
SETTINGS = {
    "part": named(N_("Part of the page"), _PARTS, "runs", "segments"),
    "experiment": named(
        N_("Experiment"), {id: presets.get(id).title for id in ROWS}, "course-regularizers", width=420
    ),
    "draw": whole(N_("New numbers"), 0, 99, 0, "none"),
    # norms
    "p": number(
        N_("p of the norm"), 0.5, 4.0, 1.0, step=0.05, widget="slider", width=180,
        help=N_("1 is L1, 2 is L2. Below 1 it is no longer a norm, but it can still be a budget."),
    ),
    "budget": number(
        N_("Budget t"), 0.0, FAR, 0.8, step=0.05, widget="slider", width=180,
        help=N_("The largest norm that the weights may have."),
    ),
    "c1": number(N_("Lowest point, w₁"), -FAR, FAR, 1.8, step=0.05, widget="slider", width=160),
    "c2": number(N_("Lowest point, w₂"), -FAR, FAR, 0.6, step=0.05, widget="slider", width=160),
    "narrow": number(
        N_("Narrowness"), 1.0, 8.0, 2.0, step=0.5, widget="slider", width=140,
        help=N_("How many times as steep the bowl is across as along."),
    ),
    "angle": number(N_("Direction in degrees"), -90, 90, 20, step=5, widget="slider", width=160),
    "strength": number(
        N_("Strength λ"), 0.0, 2.0, 0.6, step=0.05, widget="slider", width=180,
        help=N_("How much a weight costs beside the error."),
    ),
    # dropout
    "rate": number(N_("Dropout p"), 0.0, 0.9, 0.3, step=0.05, widget="slider", width=200),
    "units": number(N_("Units of each hidden layer"), 3, 10, 8, widget="slider", width=200),
    # augmentation
    "digit": whole(N_("Digit"), 0, 9, 7, "select", width=75),
    "mixed": toggle(N_("All digits"), 0),
    "moved": number(N_("Shift in pixels"), 0.0, 6.0, 2.0, step=0.5, widget="slider", width=140),
    "turned": number(N_("Rotation in degrees"), 0.0, 180.0, 10.0, step=5.0, widget="slider", width=140),
    "scaled": number(N_("Scaling"), 0.0, 0.5, 0.1, step=0.05, widget="slider", width=140),
    "slanted": number(N_("Shear"), 0.0, 0.5, 0.1, step=0.05, widget="slider", width=140),
    "kneaded": number(N_("Elastic distortion"), 0.0, 2.0, 1.0, step=0.1, widget="slider", width=140),
    # early stopping
    "trained": named(N_("The run"), RUNS, "fast", width=230),
    "patience": number(
        N_("Patience"), 1, 20, 5, widget="slider", width=220,
        help=N_("How many evaluations in a row may bring no improvement before the run is given up."),
    ),
    "watched": named(N_("Watched"), {"loss": N_("Loss"), "accuracy": N_("Accuracy")}, "loss", "segments"),
}  # fmt: skip
settings = Settings("regularization", SETTINGS, ROWS | {"lp-norms": {"part": "norms"}})
chosen, control, controls = settings.__getitem__, settings.control, settings.controls
