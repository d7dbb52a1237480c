"""The controls of the normalization page."""

from __future__ import annotations

import streamlit as st

from engine import presets
from engine.errors import N_, InputError
from pages._ui.i18n import sentence
from pages._ui.normal import typed
from pages._ui.settings import Settings, Value, named, number, whole

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
    "draw": whole(N_("New numbers"), 0, 99, 0, "none"),
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

BATCH = {"draw", "given", "examples", "units", "pictures", "channels"}  # what makes the batch


class BatchSettings(Settings):
    """The settings of the page. What was typed into a batch goes with it; the address says it too."""

    def choose(self, **values: Value) -> None:
        if BATCH & values.keys():
            typed.forget()
        super().choose(**values)

    def open_address(self) -> dict[str, str] | None:
        others = super().open_address()
        try:
            if others and "typed" in others:
                typed.read(others.pop("typed"))
        except InputError as error:
            st.warning(sentence(error), icon=":material/info:")
        return others

    def address(self) -> dict[str, str]:
        return super().address() | (typed.written() if self["part"] == "averaged" else {})

    def _take(self, name: str) -> None:
        if name in BATCH:
            typed.forget()
        super()._take(name)


settings = BatchSettings("normalization", SETTINGS, ROWS | {PANEL: {"part": "panel"}} | ALIASES)
chosen, control, controls = settings.__getitem__, settings.control, settings.controls
