"""What normalization makes possible."""

from __future__ import annotations

from engine.errors import N_
from engine.presets.bases import panel, small
from engine.presets.claims import leads, learn_in_number, reaches
from engine.presets.preset import Preset, Published

# np.logspace(0, -4, 16), to six digits, so that a URL stays short.
SIGMAS = tuple(float(f"{10 ** (-4 * i / 15):.6g}") for i in range(16))
_WITH = tuple(f"batch norm, std {sigma:.2g}" for sigma in SIGMAS)
_WITHOUT = tuple(f"std {sigma:.2g}" for sigma in SIGMAS)

PRESETS = (
    Preset(
        id="d2-batchnorm",
        page="normalization",
        title=N_("Batch norm"),
        question=N_("Can normalization rescue a sigmoid network from a small learning rate?"),
        runs={
            N_("batch norm"): small(
                activation="sigmoid", initializer="lecun_normal", normalization="batch", lr=0.01, steps=1_000
            ),
            N_("no batch norm"): small(activation="sigmoid", initializer="lecun_normal", lr=0.01, steps=1_000),
        },
        published={"batch norm": Published(0.8143)},
        claim=reaches("batch norm", 0.75) & leads("batch norm", "no batch norm", 0.2),
    ),
    Preset(
        id="ch06-batchnorm",
        page="normalization",
        title=N_("Batch norm against the initial σ"),
        question=N_("From how many starting points can a network learn, with batch norm and without?"),
        runs={
            label: panel(sigma=sigma, normalization=kind)
            for labels, kind in ((_WITH, "batch"), (_WITHOUT, "none"))
            for label, sigma in zip(labels, SIGMAS, strict=True)
        },
        published={},
        claim=learn_in_number(_WITH, _WITHOUT, at_least=14, at_most=4),
    ),
)
