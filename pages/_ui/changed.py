"""What one run has otherwise than another, in few words: a name alone would say that they are the same."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import N_, shorten
from engine.experiment import FIELDS
from engine.fields import format_value
from pages._ui.controls import option_label
from pages._ui.i18n import _, joined, translate

MOST = 3  # changes that are said; more make a label too long for a table and a chart
# What a label has no room for in the words of the widgets.
FIELD_NAMES = {
    "lr": N_("lr"), "sigma": "σ", "momentum": "μ", "alpha": "α", "initial_accumulator": "θ", "l1": "L1", "l2": "L2",
    "batch_size": N_("batch"),
}  # fmt: skip
OPTION_NAMES = {
    "sigmoid": N_("sigmoid"), "gauss": N_("Gauss"), "lecun_normal": "Xavier √(1/n)", "none": N_("no normalization"),
    "squared_error": N_("squared error"),
}  # fmt: skip


def said(values: Mapping[str, object]) -> str:
    """Return the values of fields as a person reads them: "tanh, σ 0.5"."""
    words = [_worded(name, value) for name, value in values.items()]
    return joined([*words[:MOST], *["…"] * (len(words) > MOST)])


def written(values: Mapping[str, object]) -> str:
    """Return them as a file has them, in every language the same: "activation=tanh sigma=0.5"."""
    return " ".join(f"{name}={format_value(value)}" for name, value in values.items())


def _worded(name: str, value: object) -> str:
    field = translate(FIELD_NAMES.get(name) or FIELDS[name].metadata["label"])
    match FIELDS[name].metadata["kind"]:
        case "choice":
            return translate(OPTION_NAMES[value]) if value in OPTION_NAMES else option_label(name, value)
        case "text":
            return shorten(value, 24)
        case "bool":
            return f"{field} {_('on') if value else _('off')}"
    return f"{field} {format_value(value)}"
