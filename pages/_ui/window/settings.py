"""The controls of the convolution page, the published experiments it shows, and what to try."""

from __future__ import annotations

from engine import presets
from engine.analysis.convolution import KERNELS
from engine.errors import N_
from pages._ui.settings import Settings, named, toggle, whole

_SIZE, _KERNEL, _STRIDE, _PADDING = N_("Input size"), N_("Kernel"), N_("Stride"), N_("Padding")
_CHANNELS, _FILTERS = N_("Input channels"), N_("Filters")
_INPUTS = {"digit": N_("A digit"), "random": N_("Random"), "ramp": N_("A ramp")}
_PICTURES = {"digit": N_("A digit"), "drawing": N_("My drawing"), "upload": N_("A picture of mine")}
_WEIGHTS = {"edges": N_("Edges"), "random": N_("Random")}
_VIEWS = {"filters": N_("Filters"), "mistakes": N_("Mistakes"), "precision": N_("Precision")}
_EXPERIMENTS = {
    preset.id: preset.title for preset in presets.PRESETS.values() if preset.page == "convolution" and preset.runs
}
_PARTS = {
    "window": N_("The window"),
    "kernels": N_("Your own kernel"),
    "pooling": N_("Pooling"),
    "im2col": N_("im2col and col2im"),
    "network": N_("A trained network"),
    "runs": N_("Train them"),
    "quiz": N_("Quiz"),
}

SETTINGS = {
    "part": named(N_("Part of the page"), _PARTS, "window", "segments"),
    # the window
    "size": whole(_SIZE, 4, 12, 8, "slider"),
    "kernel": whole(_KERNEL, 1, 5, 3, help=N_("Cells on a side of the window.")),
    "stride": whole(_STRIDE, 1, 3, 1, help=N_("Cells from one place of the window to the next.")),
    "padding": whole(_PADDING, 0, 3, 0, help=N_("Rows and columns of zeros put around the input.")),
    "dilation": whole(N_("Dilation"), 1, 3, 1, help=N_("Cells from one weight to the next; 1: side by side.")),
    "channels": whole(_CHANNELS, 1, 3, 1, help=N_("A colour picture has three. A kernel has a plane for each.")),
    "filters": whole(_FILTERS, 1, 3, 1, help=N_("Each filter makes one channel of the output.")),
    "input": named(N_("Under the window"), _INPUTS, "digit"),
    "digit": whole(N_("Digit"), 0, 9, 7, "select", width=75),
    "weights": named(
        N_("Weights"), _WEIGHTS, "edges", help=N_("Edges: filter 1 vertical, 2 horizontal, 3 the sum of all.")
    ),
    "seed": whole(N_("Random seed"), 0, 99, 0, "none"),
    # a kernel of one's own
    "picture": named(N_("Picture"), _PICTURES, "digit", "segments"),
    "named": named(N_("Kernel"), {name: it.title for name, it in KERNELS.items()}, "sobel_x", width=280),
    "named_size": named(N_("Kernel size"), {"3": "3 × 3", "5": "5 × 5"}, "3", "segments"),
    "same": toggle(N_("Pad with zeros: the size stays"), 1),
    "relu": toggle(N_("ReLU: keep only what is positive"), 0),
    # pooling
    "pool_size": whole(_SIZE, 4, 12, 8, "slider"),
    "pool": whole(N_("Window"), 1, 4, 2),
    "pool_stride": whole(_STRIDE, 1, 4, 2, help=N_("Cells from one place of the window to the next.")),
    "pool_channels": whole(_CHANNELS, 1, 3, 1, help=N_("Each channel is pooled by itself.")),
    # im2col
    "matrix_size": whole(_SIZE, 3, 5, 4),
    "matrix_kernel": whole(_KERNEL, 1, 3, 3),
    "matrix_stride": whole(_STRIDE, 1, 2, 1),
    "matrix_padding": whole(_PADDING, 0, 1, 0),
    "matrix_channels": whole(_CHANNELS, 1, 2, 1),
    "matrix_filters": whole(_FILTERS, 1, 3, 2),
    # a trained network, and training one
    "view": named(N_("Trained network"), _VIEWS, "filters", "segments"),
    "experiment": named(N_("Experiment"), _EXPERIMENTS, "d2-simple-conv", width=420),
}
ROWS = {id: {"part": "runs", "experiment": id} for id in _EXPERIMENTS} | {
    "ch07-filters": {"part": "network", "view": "filters"},
    "ch08-misclassified": {"part": "network", "view": "mistakes"},
    "ch08-half-precision": {"part": "network", "view": "precision"},
    "convolution-arithmetic": {"part": "quiz"},
}

TRIES = (
    (
        N_("Find the edges"),
        N_("Two kernels on a 7: which one responds to its top bar, and what does the sign say?"),
        {"digit": 7, "size": 12, "kernel": 3, "filters": 2},
    ),
    (
        N_("Halve the picture"),
        N_("With a stride of 2 the window skips every other place. Does it still see every cell?"),
        {"digit": 3, "size": 10, "kernel": 3, "stride": 2, "padding": 1},
    ),
    (
        N_("Three channels, one number"),
        N_("A plane of the kernel for each channel, and a single sum. How many parameters are that?"),
        {"input": "random", "weights": "random", "size": 6, "kernel": 3, "channels": 3, "filters": 2},
    ),
)

settings = Settings("convolution", SETTINGS, ROWS)
chosen, control, controls = settings.__getitem__, settings.control, settings.controls
