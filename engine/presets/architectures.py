"""Networks with a name, as far as they train here."""

from __future__ import annotations

from engine.architecture import describe
from engine.catalogue import CATALOGUE
from engine.errors import N_, Text
from engine.experiment import Experiment
from engine.presets.bases import conv
from engine.presets.claims import Claim, reaches
from engine.presets.preset import Preset, Published

COUNTS = {"lenet5": 61_706, "alexnet-torchvision": 61_100_840, "vgg11": 132_863_336, "vgg16": 138_357_544}


def _published_counts(_results: object) -> bool:
    networks = ((CATALOGUE[id], count) for id, count in COUNTS.items())
    return all(
        sum(row.parameters for row in describe(it.network, it.in_shape, it.classes)) == count for it, count in networks
    )


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
                l2=0.0001,
                steps=9_000,
                evaluate_every=200,
            )
        },
        published={"LeNet-5": Published(0.9905)},
        claim=reaches("LeNet-5", 0.85),
        note=N_(
            "The averages have no weights of their own, and every filter of the second convolution sees all of the "
            "first: 61,706 parameters where the original had 60,000. Adam with a little weight decay takes the place "
            "of its optimizer."
        ),
    ),
    Preset(
        id="two-hidden-layers",
        page="architectures",
        title=N_("Two hidden layers"),
        question=N_("How far does the network that Kasane starts with get?"),
        runs={"784-100-100-10": Experiment(steps=2_000)},
        published={},
        claim=reaches("784-100-100-10", 0.9),
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
                evaluate_every=100,
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
                evaluate_every=100,
            )
        },
        published={},
        claim=reaches("GAP", 0.85),
    ),
    Preset(
        id="architectures",
        page="architectures",
        title=N_("LeNet-5, AlexNet, VGG"),
        question=N_("What is a network made of, and what does it cost?"),
        runs={},
        published={},
        claim=Claim(
            Text(N_("LeNet-5 has 61,706 parameters, AlexNet 61,100,840, VGG-11 132,863,336 and VGG-16 138,357,544.")),
            _published_counts,
        ),
    ),
)
