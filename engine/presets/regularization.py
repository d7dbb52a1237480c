"""Overfitting on 300 digits, and its cures."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import few
from engine.presets.claims import fits_less, forgets, gap_closes, keeps_up, memorizes
from engine.presets.preset import Preset, Published

_UNTRAINED_OUTPUT = N_(
    "The published notebook never updates the output layer; here it learns like the others, and figures differ."
)

PRESETS = (
    Preset(
        id="d2-overfit",
        page="regularization",
        title=N_("Overfitting 300 digits"),
        question=N_("What does a network of seven layers make of 300 examples?"),
        runs={N_("no decay"): few()},
        published={"no decay": Published(0.758, train=1.0)},
        claim=memorizes("no decay", 0.15),
    ),
    Preset(
        id="d2-l2",
        page="regularization",
        title=N_("L2 decay"),
        question=N_("What does it cost, and what does it bring, to keep the weights small?"),
        runs={"L2 0.1": few(l2=0.1), N_("no decay"): few()},
        published={"L2 0.1": Published(0.705, train=0.9)},
        claim=forgets("L2 0.1", 0.98) & gap_closes("L2 0.1", "no decay"),
        note=_UNTRAINED_OUTPUT,
    ),
    Preset(
        id="d2-l1",
        page="regularization",
        title=N_("L1 decay"),
        question=N_("What changes when the decay pulls every weight with the same force?"),
        runs={"L1 0.005": few(lr=0.1, l1=0.005), N_("no decay"): few(lr=0.1)},
        published={"L1 0.005": Published(0.618, train=0.797)},
        claim=forgets("L1 0.005", 1.0) & gap_closes("L1 0.005", "no decay"),
        note=N_(
            "At this learning rate the decay makes training restless: figures differ much from seed to seed. "
            "The published notebook never updates the output layer; here it learns like the others."
        ),
    ),
    Preset(
        id="d2-dropout",
        page="regularization",
        title=N_("Dropout"),
        question=N_("What happens to learning by heart when units are missing at random?"),
        runs={N_("dropout 0.15"): few(dropout=0.15), N_("no dropout"): few()},
        published={"dropout 0.15": Published(0.686, train=0.887)},
        claim=fits_less("dropout 0.15", "no dropout", 2.0) & keeps_up("dropout 0.15", "no dropout", 0.03),
        note=N_(
            "The published dropout does not scale up what is left while it trains, which shrinks every layer and slows "
            "learning down; ours does, and fits more in the same steps."
        ),
    ),
    Preset(
        id="d2-dropout-l1",
        page="regularization",
        title=N_("Dropout and L1 decay"),
        question=N_("Do two regularizers together do more than one?"),
        runs={N_("dropout 0.08, L1 0.004"): few(dropout=0.08, l1=0.004), N_("neither"): few()},
        published={"dropout 0.08, L1 0.004": Published(0.707, train=0.923)},
        claim=fits_less("dropout 0.08, L1 0.004", "neither", 5.0) & gap_closes("dropout 0.08, L1 0.004", "neither"),
        note=N_(
            "The published notebook never updates the output layer, and its dropout does not scale up what is left; "
            "here the output layer learns like the others and dropout keeps the scale."
        ),
    ),
    Preset(
        id="ch06-weight-decay",
        page="regularization",
        title=N_("Weight decay"),
        question=N_("Does weight decay close the gap between training and test?"),
        runs={
            "L2 0.1": few(steps=603, evaluate_every=60, l2=0.1),
            N_("no decay"): few(steps=603, evaluate_every=60),
        },
        published={},
        claim=memorizes("no decay", 0.15) & forgets("L2 0.1", 0.98) & gap_closes("L2 0.1", "no decay"),
    ),
    Preset(
        id="ch06-dropout",
        page="regularization",
        title=N_("Dropout against overfitting"),
        question=N_("Does dropout close the gap between training and test?"),
        runs={
            N_("dropout 0.2"): few(steps=903, evaluate_every=75, dropout=0.2),
            N_("no dropout"): few(steps=903, evaluate_every=75),
        },
        published={},
        claim=memorizes("no dropout", 0.15) & forgets("dropout 0.2", 1.0) & gap_closes("dropout 0.2", "no dropout"),
        note=N_("The book's dropout scales at test time instead, which trains more slowly."),
    ),
)
