"""The network that reads what is drawn."""

from __future__ import annotations

from engine.errors import N_
from engine.experiment import Experiment
from engine.presets.claims import reaches
from engine.presets.preset import Preset

# How the digit reader of assets/models is trained; see the .txt beside it.
READER = Experiment(
    data="handwriting",
    network="conv24@5p2 pool2 conv32@3p1 conv32@3p1 pool2 conv64@3p1 conv64@3p1 pool2 dense100 drop.2",
    optimizer="adamw",
    lr=0.003,
    l2=0.15,
    schedule="one_cycle",
    steps=28_000,
    evaluate_every=1_500,
    rotation=10.0,
    scale=0.1,
    shear=0.1,
    shift=2.0,
    elastic=0.5,
    ema=0.999,
)

PRESETS = (
    Preset(
        id="reader",
        page="draw",
        title=N_("A reader of handwriting"),
        question=N_("What does it take to read what other people write?"),
        runs={N_("reader"): READER},
        published={},
        claim=reaches("reader", 0.9),
    ),
)
