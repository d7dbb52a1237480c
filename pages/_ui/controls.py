"""Widgets made from the metadata of an experiment's fields, where label, range, step and help stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Set
from functools import partial

import streamlit as st

from engine import build
from engine.data import datasets
from engine.errors import N_
from engine.experiment import FIELDS, Experiment, matters
from engine.fields import ExperimentError
from pages._ui.choice import face, heard, turn
from pages._ui.i18n import _, language, sentence, translate

GROUPS = {
    "data": N_("Data"),
    "network": N_("Network"),
    "training": N_("Training"),
    "regularization": N_("Regularization"),
}

# What a person reads for an option; options that are names already stand for themselves.
OPTIONS = {
    "mnist-5k": N_("MNIST, 5,000 digits (built in)"),
    "mnist": N_("MNIST, 70,000 digits"),
    "fashion-mnist": N_("Fashion-MNIST, clothes"),
    "kmnist": N_("Kuzushiji-MNIST, old hiragana"),
    "digits": N_("Digits of 8×8 pixels"),
    "pendigits": N_("Pen strokes of digits (UCI)"),
    "handwriting": N_("MNIST and pen strokes"),
    "toy2d": N_("Points in a plane"),
    "circle": N_("Circle"),
    "xor": N_("XOR"),
    "gaussians": N_("Two Gaussians"),
    "spiral": N_("Spiral"),
    "moons": N_("Moons"),
    "sigmoid": N_("Sigmoid"),
    "relu": N_("ReLU"),
    "leaky_relu": N_("Leaky ReLU"),
    "elu": N_("ELU"),
    "gelu": N_("GELU"),
    "silu": N_("SiLU (Swish)"),
    "identity": N_("Identity (none)"),
    "zeros": N_("All zero"),
    "constant": N_("All equal to σ"),
    "gauss": N_("Gauss, σ of your choice"),
    "xavier_normal": N_("Xavier (Glorot), normal"),
    "xavier_uniform": N_("Xavier (Glorot), uniform"),
    "he_normal": N_("He, normal"),
    "he_uniform": N_("He, uniform"),
    "lecun_normal": N_("√(1/n): LeCun, the book's Xavier"),
    "orthogonal": N_("Orthogonal"),
    "none": N_("None"),
    "batch": N_("Batch norm"),
    "layer": N_("Layer norm"),
    "cross_entropy": N_("Softmax, cross-entropy"),
    "squared_error": N_("Sum of squared errors"),
    "sgd": N_("SGD"),
    "momentum": N_("Momentum"),
    "nesterov": N_("Nesterov"),
    "adagrad": N_("AdaGrad"),
    "rmsprop": N_("RMSProp"),
    "adam": N_("Adam"),
    "adamw": N_("AdamW"),
    "step": N_("Step decay"),
    "exponential": N_("Exponential"),
    "cosine": N_("Cosine"),
    "one_cycle": N_("One-cycle"),
    "shuffle": N_("Shuffled epochs"),
    "replacement": N_("With replacement"),
}
SAME_WORD = {"schedule": {"constant": N_("Constant")}}  # an option that two fields share
HALF_WIDTH = {"int", "float", "bool"}


Change = Callable[[str, object], None]  # takes over a field's new value


def experiment_form(experiment: Experiment, *, change: Change, prefix: str = "field", without: Set[str] = frozenset()):
    """Draw a widget for every field that matters, group by group, but for those `without`.

    prefix: of the widgets' keys, "{prefix}_{field}".
    """
    for group, title in GROUPS.items():
        names = [name for name, item in FIELDS.items() if item.metadata["group"] == group and matters(experiment, name)]
        names = [name for name in names if name not in without]
        if not names:
            continue
        with st.expander(translate(title), expanded=group != "data"):
            for row in rows(names):
                for column, name in zip(st.columns(len(row), vertical_alignment="bottom"), row, strict=True):
                    with column:
                        field(experiment, name, change, prefix)


def rows(names: list[str]) -> list[list[str]]:
    """Put two numbers or switches side by side, everything else on a row of its own."""
    made: list[list[str]] = []
    for name in names:
        small = FIELDS[name].metadata["kind"] in HALF_WIDTH
        if small and made and len(made[-1]) == 1 and FIELDS[made[-1][0]].metadata["kind"] in HALF_WIDTH:
            made[-1].append(name)
        else:
            made.append([name])
    return made


def field(experiment: Experiment, name: str, change: Change, prefix: str) -> None:
    """Draw the widget of one field. The experiment's value is its default, too; choice.py says why."""
    meta, value = FIELDS[name].metadata, getattr(experiment, name)
    key = widget_key(prefix, name)
    if key not in st.session_state:
        st.session_state[key] = value
    common = {"label": translate(meta["label"]), "help": translate(meta["help"]), "key": key}
    common |= {"on_change": _pass_on, "args": (prefix, name, change, language())}
    match meta["kind"]:
        case "choice":
            label = partial(option_label, name)
            st.selectbox(options=meta["options"], index=meta["options"].index(value), format_func=label, **common)
        case "bool":
            st.toggle(value=value, **common)
        case "text":
            st.text_input(value=value, max_chars=600, **common)
            _refuse(experiment, name, st.session_state[key])
        case "int":
            st.number_input(value=value, min_value=meta["low"], max_value=meta["high"], step=meta["step"], **common)
        case "float":
            limits = {"min_value": meta["low"], "max_value": meta["high"]}
            st.number_input(value=value, **limits, step=_step(experiment, name), format="%g", **common)


def _refuse(experiment: Experiment, name: str, text: str) -> None:
    """Say, where a text that stands in its field is no value of it, why: it stays there to be put right."""
    if text == getattr(experiment, name):
        return
    try:
        build.check_size(experiment.replace(**{name: text}))
    except ExperimentError as error:
        st.error(sentence(error))


def widget_key(prefix: str, name: str, spoken: str = "") -> str:
    """Return the session-state key of a field's widget, of another language where that is named."""
    return face(f"{prefix}_{name}", worded=_is_worded(name), spoken=spoken)


def turn_widget(prefix: str, name: str) -> None:
    """Show a field's value in another widget from now on, as it was not chosen in that one (see choice.py)."""
    turn(f"{prefix}_{name}", worded=_is_worded(name))


def _is_worded(name: str) -> bool:
    return FIELDS[name].metadata["kind"] == "choice"


def _pass_on(prefix: str, name: str, change: Change, spoken: str) -> None:
    value = heard(widget_key(prefix, name, spoken), FIELDS[name].metadata.get("options", ()))
    if value is not None:
        change(name, value)


def _step(experiment: Experiment, name: str) -> float:
    """Return how far one click moves a number: by its leading digit where it spans many powers of ten."""
    value, meta = getattr(experiment, name), FIELDS[name].metadata
    wide = 0 < value < meta["step"] or (meta["high"] / meta["step"] > 1e4 and value)
    return leading(value) if wide else meta["step"]


def leading(value: float) -> float:
    """Return the power of ten that a number's leading digit counts; 0.01 for 0."""
    return 10.0 ** math.floor(math.log10(abs(value))) if value else 0.01


def option_label(name: str, option: str) -> str:
    """Return what a person reads for an option of a field."""
    return translate(SAME_WORD.get(name, {}).get(option) or OPTIONS.get(option, option))


def offer_download(name: str) -> None:
    """Draw a button that fetches a data set, with a bar that shows how far it is."""
    if not st.button(_("Download it now"), icon=":material/download:", type="primary", key="download"):
        return
    bar = st.progress(0.0)
    try:
        datasets.download(name, lambda done, total, file: bar.progress(min(done / (total or 1), 1.0), file))
    except datasets.DatasetError as error:
        st.error(sentence(error), icon=":material/error:")
    else:
        st.rerun()
