"""Overfitting on 300 digits, and its cures."""

from __future__ import annotations

from functools import partial

from engine.analysis.lp_norms import bowl, share_on_axes
from engine.errors import N_, Text
from engine.presets.bases import few, run
from engine.presets.claims import Claim, fits_less, forgets, gap_closes, keeps_up, leads, memorizes
from engine.presets.preset import Preset, Published

_UNTRAINED_OUTPUT = N_(
    "The published notebook never updates the output layer; here it learns like the others, and figures differ."
)

_CURES = ("L2 0.1", "L1 0.005", "dropout 0.15", "dropout 0.08, L1 0.004")
_CHANGED = {"shift": 2.0, "rotation": 10.0, "scale": 0.1, "shear": 0.1, "elastic": 1.0}
_pictures = partial(
    run, network="dense200", train_size=300, optimizer="adam", lr=0.001, steps=1_000, evaluate_every=100
)


def _every_gap_closes() -> Claim:
    """Test loss − training loss is smaller with every cure than without one."""
    each = [gap_closes(label, "no decay") for label in _CURES]
    text = Text(N_("With each of the four cures the gap between test and training loss is smaller than with none."))
    return Claim(text, lambda results: all(claim.holds(results) for claim in each))


def _dropout_is_cheap() -> Claim:
    """Test accuracy with dropout ≥ that without anything − .03."""
    each = [keeps_up(label, "no decay", 0.03) for label in _CURES if "dropout" in label]
    text = Text(N_("Dropout, alone or with L1, costs at most {margin} of test accuracy."), margin=0.03)
    return Claim(text, lambda results: all(claim.holds(results) for claim in each))


def _corners(_results: object) -> bool:
    shares = {p: [share_on_axes(p, bowl(k, angle)) for k, angle in ((1, 0), (3, 30), (4, 0))] for p in (0.5, 1.0, 2.0)}
    return min(shares[0.5]) > 0.8 and min(shares[1.0]) > 0.4 and max(shares[2.0]) == 0


PRESETS = (
    Preset(
        id="course-regularizers",
        page="regularization",
        title=N_("Overfitting and four cures"),
        question=N_("Which cure closes the gap between training and test, and what does it cost?"),
        runs={
            N_("no decay"): few(),
            "L2 0.1": few(l2=0.1),
            "L1 0.005": few(lr=0.1, l1=0.005),
            N_("dropout 0.15"): few(dropout=0.15),
            N_("dropout 0.08, L1 0.004"): few(dropout=0.08, l1=0.004),
        },
        published={
            "no decay": Published(0.758, train=1.0),
            "L2 0.1": Published(0.705, train=0.9),
            "L1 0.005": Published(0.618, train=0.797),
            "dropout 0.15": Published(0.686, train=0.887),
            "dropout 0.08, L1 0.004": Published(0.707, train=0.923),
        },
        claim=memorizes("no decay", 0.15) & _every_gap_closes() & _dropout_is_cheap(),
        note=N_(
            "L1 runs at a learning rate of 0.1, the others at 0.01, and is restless: its accuracy may fall from above "
            "0.9 to below 0.5 and rise again, so that its end depends much on the seed. The published notebooks with "
            "decay never update the output layer, and their dropout does not scale up what is left; here the output "
            "layer learns like the others and dropout keeps the scale."
        ),
    ),
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
    Preset(
        id="ch08-augmentation",
        page="regularization",
        title=N_("Augmentation"),
        question=N_("300 digits, 1,000 steps: what if every digit looks a little different each time?"),
        runs={N_("augmented"): _pictures(**_CHANGED), N_("as they are"): _pictures()},
        published={},
        claim=leads("augmented", "as they are", 0.05) & gap_closes("augmented", "as they are"),
        note=N_(
            "Shifted by up to 2 pixels, turned by up to 10°, scaled and slanted by up to 0.1, and warped by 1 pixel. "
            "The book changes pictures in this way but publishes no figure."
        ),
    ),
    Preset(
        id="lp-norms",
        page="regularization",
        title=N_("Norms as budgets"),
        question=N_("Where is the error least when the weights may only cost so much?"),
        runs={},
        published={},
        claim=Claim(
            Text(
                N_(
                    "Of error bowls all over the plane, more than two in five are lowest within an L1 budget where one "
                    "weight is exactly 0, more than four in five at p = 0.5, and none within an L2 budget."
                )
            ),
            _corners,
        ),
    ),
)
