"""A search in this process, one trial after the other: for claims and tests, where every number must come out again."""

from __future__ import annotations

from dataclasses import replace

from engine.search.plan import Plan
from engine.search.proposals import Proposals
from engine.search.trial import Trial, follow


def search(plan: Plan) -> list[Trial]:
    """Return all trials of a plan, the best first. Raises `InputError` when they cannot be trained."""
    proposals, trials = Proposals(plan), []
    for number in range(plan.trials):
        trial = Trial(number, proposals.ask(number))
        for outcome in follow(plan.trial(trial.values), plan.share, every=plan.experiment.evaluate_every):
            trial = trial.update(outcome)
            if proposals.report(trial) and not trial.finished:
                trial = replace(trial, state="pruned")
                break
        proposals.tell(trial)
        trials.append(trial)
    return sorted(trials, key=Trial.rank)
