"""Networks with a name, as far as they train here."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import conv
from engine.presets.claims import reaches
from engine.presets.preset import Preset, Published

PRESETS = (
    Preset(
        id="lenet-5",
        page="architectures",
        title=N_("LeNet-5"),
        question=N_("What did the network of 1998 already know?"),
        runs={
            "LeNet-5": conv(
                network="conv6@5p2 avgpool2 conv16@5 avgpool2 dense120 dense84",
                activation="tanh",
                initializer="xavier_normal",
                lr=0.003,
                schedule="one_cycle",
                steps=9_000,
                evaluate_every=600,
            )
        },
        published={"LeNet-5": Published(0.9905)},
        claim=reaches("LeNet-5", 0.85),
        note=N_(
            "The averages have no weights of their own, and every filter of the second convolution sees all of the "
            "first: 61,706 parameters where the original had 60,000. Adam takes the place of its optimizer."
        ),
    ),
    Preset(
        id="vgg-28",
        page="architectures",
        title=N_("A VGG for 28 × 28 pixels"),
        question=N_("Does the recipe of VGG, only 3 × 3 in pairs, work on small pictures?"),
        runs={
            "VGG": conv(
                network="conv32@3p1 conv32@3p1 pool2 conv64@3p1 conv64@3p1 pool2 dense128 drop.5",
                schedule="one_cycle",
                lr=0.002,
                steps=3_000,
                evaluate_every=300,
            )
        },
        published={},
        claim=reaches("VGG", 0.85),
    ),
    Preset(
        id="gap",
        page="architectures",
        title=N_("Global average pooling"),
        question=N_("Can a network do without a dense layer, and read pictures of any size?"),
        runs={
            "GAP": conv(
                network="conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p1 pool2 conv64@3p1 gap",
                normalization="batch",
                schedule="one_cycle",
                lr=0.01,
                steps=3_000,
                evaluate_every=300,
            )
        },
        published={},
        claim=reaches("GAP", 0.85),
    ),
)
