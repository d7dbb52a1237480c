"""The controls of the normalization page."""

from __future__ import annotations

from engine import presets
from engine.errors import N_
from pages._ui.settings import Settings, named, number

_PARTS = {
    "averaged": N_("What is averaged over"),
    "runs": N_("With and without"),
    "panel": N_("Against the initial σ"),
}
PANEL = "ch06-batchnorm"
ROWS = {
    it.id: {"part": "runs", "experiment": it.id}
    for it in presets.PRESETS.values()
    if it.page == "normalization" and it.runs and it.id != PANEL
}

# Names differ from the experiment's fields: those stand in the same address, for the runs.
SETTINGS = {
    "part": named(N_("Part of the page"), _PARTS, "averaged", "segments"),
    "experiment": named(N_("Experiment"), {id: presets.get(id).title for id in ROWS}, "normalizations", width=420),
    "draw": number(N_("New numbers"), 0, 99, 0, widget="none"),
    "kind": named(
        N_("Normalization"), {"batch": N_("Batch norm"), "layer": N_("Layer norm")}, "batch", "segments",
        help=N_("What one mean and one variance are taken over."),
    ),
    "given": named(
        N_("Kind of layer"), {"units": N_("A dense layer"), "pictures": N_("A convolution")}, "units", "segments",
        help=N_("Rows of numbers, one for each example, or pictures with several channels."),
    ),
    "examples": number(N_("Examples in the batch"), 1, 8, 5, widget="slider", width=180),
    "units": number(N_("Units"), 1, 8, 4, widget="slider", width=150),
    "pictures": number(N_("Pictures in the batch"), 1, 4, 3, widget="slider", width=180),
    "channels": number(N_("Channels"), 1, 3, 2, widget="slider", width=150),
    "gamma": number(
        N_("Scale γ"), -3.0, 3.0, 1.0, step=0.1, widget="slider", width=150,
        help=N_("Learned, one for each unit or channel; here the same for all."),
    ),
    "beta": number(
        N_("Shift β"), -3.0, 3.0, 0.0, step=0.1, widget="slider", width=150,
        help=N_("Learned, one for each unit or channel; here the same for all."),
    ),
}  # fmt: skip

# Names that rows of the table of experiments go by beside the presets' own.
ALIASES = {"layer-norm": {"part": "runs", "experiment": "normalizations"}}

settings = Settings("normalization", SETTINGS, ROWS | {PANEL: {"part": "panel"}} | ALIASES)
chosen, control = settings.__getitem__, settings.control
