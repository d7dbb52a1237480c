"""One network, many rules for a step."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import deep, gauss
from engine.presets.claims import learns_faster, never_learns, reaches, stays_below
from engine.presets.preset import Preset, Published

PRESETS = (
    Preset(
        id="d2-opt-sgd",
        page="optimizers",
        title=N_("SGD on a plateau"),
        question=N_("Can plain SGD leave the plateau around small sigmoid weights?"),
        runs={"SGD 0.01": gauss(optimizer="sgd", lr=0.01)},
        published={"SGD 0.01": Published(0.1135)},
        claim=never_learns("SGD 0.01"),
    ),
    Preset(
        id="d2-opt-momentum",
        page="optimizers",
        title=N_("Momentum on a plateau"),
        question=N_("Does momentum carry a network off the plateau, and at which learning rate?"),
        runs={
            "Momentum 0.01": gauss(optimizer="momentum", lr=0.01),
            "Momentum 0.3": gauss(optimizer="momentum", lr=0.3),
        },
        published={"Momentum 0.01": Published(0.0958), "Momentum 0.3": Published(0.9346)},
        claim=never_learns("Momentum 0.01") & reaches("Momentum 0.3", 0.85),
        note=N_("The larger learning rate is a cell that the course leaves to the reader to try."),
    ),
    Preset(
        id="d2-opt-adagrad",
        page="optimizers",
        title=N_("AdaGrad on a plateau"),
        question=N_("Does a step size for every weight find the way off the plateau?"),
        runs={
            "AdaGrad 0.01": gauss(optimizer="adagrad", lr=0.01, initial_accumulator=1e-4),
            "AdaGrad 0.1": gauss(optimizer="adagrad", lr=0.1, initial_accumulator=1e-4),
        },
        published={"AdaGrad 0.01": Published(0.1028), "AdaGrad 0.1": Published(0.9177)},
        claim=stays_below("AdaGrad 0.01", 0.35) & reaches("AdaGrad 0.1", 0.8),
        note=N_(
            "The published notebook leaves the first gradient out of AdaGrad's sum, so that its first step is longer. "
            "The larger learning rate is a cell that the course leaves to the reader to try."
        ),
    ),
    Preset(
        id="d2-opt-rmsprop",
        page="optimizers",
        title=N_("RMSProp on a plateau"),
        question=N_("What if AdaGrad forgets the gradients of long ago?"),
        runs={"RMSProp 0.01": gauss(optimizer="rmsprop", lr=0.01, alpha=0.99)},
        published={"RMSProp 0.01": Published(0.9421)},
        claim=reaches("RMSProp 0.01", 0.85),
    ),
    Preset(
        id="d2-opt-adam",
        page="optimizers",
        title=N_("Adam on a plateau"),
        question=N_("And what if momentum and RMSProp are joined?"),
        runs={"Adam 0.01": gauss(optimizer="adam", lr=0.01)},
        published={"Adam 0.01": Published(0.9435)},
        claim=reaches("Adam 0.01", 0.85),
    ),
    Preset(
        id="ch06-optimizers-mnist",
        page="optimizers",
        title=N_("Four optimizers on MNIST"),
        question=N_("From the same weights, on the same batches: who is fastest?"),
        runs={
            "SGD": deep(optimizer="sgd"),
            "Momentum": deep(optimizer="momentum"),
            "AdaGrad": deep(optimizer="adagrad"),
            "Adam": deep(optimizer="adam", lr=0.001),
        },
        published={},
        claim=learns_faster("AdaGrad", "Momentum", "SGD") & learns_faster("Adam", "Momentum"),
        note=N_("In the book every optimizer starts from weights of its own; here all start from the same."),
    ),
)
