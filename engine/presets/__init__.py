"""Every published experiment as data: what was run, what was reported, and what it teaches, as a statement to check.

A preset names its experiments by label; its *claim* is a sentence together with a predicate over their results, so
that a lesson on a page is a test as well. Settings are those of the course exercises "深層学習 Day2" (d2-…) and of the
book『ゼロから作る Deep Learning』(ch…), which trained on the full MNIST; here they default to the embedded 5,000
digits, and claims are worded to hold on both. What course and book call Xavier, √(1 / fan_in), is `lecun_normal`.

One module for each page that shows them. Rows that only compute have no runs; their claim computes.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from engine.errors import N_, InputError, shorten
from engine.presets import (
    architectures,
    convolution,
    draw,
    gradients,
    initialization,
    normalization,
    optimizers,
    regularization,
    search,
)
from engine.presets import train as first
from engine.presets.claims import Claim
from engine.presets.draw import READER
from engine.presets.normalization import SIGMAS
from engine.presets.preset import Preset, Published
from engine.presets.results import Result, Results, train
from engine.training.trainer import Trainer

BUILT_IN = "mnist-5k"  # the digits that published runs are shown on, in place of the full MNIST
_PAGES = (
    first,
    initialization,
    optimizers,
    regularization,
    normalization,
    convolution,
    architectures,
    draw,
    gradients,
    search,
)
PRESETS: Mapping[str, Preset] = MappingProxyType({it.id: it for page in _PAGES for it in page.PRESETS})


def get(id: str) -> Preset:
    """Return a preset. Raises `InputError` for an id that is none."""
    preset = PRESETS.get(id) if isinstance(id, str) else None
    if preset is None:
        received = shorten(id)
        near = difflib.get_close_matches(received, PRESETS, n=3, cutoff=0.4) or list(PRESETS)[:3]
        raise InputError(
            N_("preset must be one of {n} ids such as {options}, not {received}."),
            n=len(PRESETS),
            options=", ".join(near),
            received=received,
        )
    return preset


def run(
    preset: Preset, *, watch: Callable[[str, Trainer], None] | None = None, threads: int = 1, **changes: object
) -> dict[str, Result]:
    """Train every run of a preset, with some fields changed in all (`data="mnist"`, `seed=1`), and return the results.

    data: takes the place of the built-in digits only; a run on other data keeps its own.
    watch: called with a label and its trainer about every `SLICE` seconds. Raises `InputError`.
    """
    results = {}
    for label, experiment in preset.runs.items():
        own = changes if experiment.data == BUILT_IN else {k: v for k, v in changes.items() if k != "data"}
        trainer = train(experiment.replace(**own), partial(watch, label) if watch else None, threads=threads)
        results[label] = Result.of(trainer)
    return results


__all__ = [
    "PRESETS", "READER", "SIGMAS", "Claim", "Preset", "Published", "Result", "Results", "get", "run", "train",
]  # fmt: skip
