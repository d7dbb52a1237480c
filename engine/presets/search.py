"""Searches for the learning rate and the decay.

A search is a `Plan`, not a run, and so stands beside its preset in `PLANS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.errors import N_, Text
from engine.presets.bases import run
from engine.presets.claims import Claim
from engine.presets.preset import Preset
from engine.search.axes import parse_axes
from engine.search.plan import Plan

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "ch06-search": Plan(
            run(network=" ".join(["dense100"] * 6), train_size=500, steps=200, evaluate_every=4),  # 50 epochs of 400
            parse_axes("lr:1e-06..0.01 log,l2:1e-08..0.0001 log"),
        )
    }
)


def best_rates(plan: Plan, *, trials: int, best: int, low: float, high: float) -> Claim:
    """The learning rates of the `best` of so many trials of a plan lie between `low` and `high`."""
    text = Text(
        N_("Of {n} trials, the best {best} have learning rates from {low} to {high}."),
        n=trials, best=best, low=f"{low:g}", high=f"{high:g}",
    )  # fmt: skip

    def holds(_) -> bool:
        from engine.search.alone import search  # Optuna, which nothing else here needs

        short = plan.replace(trials=trials, experiment=plan.experiment.replace(evaluate_every=plan.experiment.steps))
        return all(low <= trial.values["lr"] <= high for trial in search(short)[:best])

    return Claim(text, holds)


PRESETS = (
    Preset(
        id="ch06-search",
        page="search",
        title=N_("Random search"),
        question=N_("Which learning rate and which decay suit seven layers and 500 digits?"),
        runs={},
        published={},
        claim=best_rates(PLANS["ch06-search"], trials=25, best=3, low=1e-3, high=1e-2),
    ),
)
