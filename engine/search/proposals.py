"""What to try next, what to end early, and what mattered: Optuna, asked and told from outside.

random   every value drawn independently of all others (Bergstra and Bengio, JMLR 13, 2012).
tpe      tree-structured Parzen estimator: l(x) is the density of the values of the best trials, g(x) that of the rest;
         of some drawn from l, the one with the largest l(x) / g(x) is tried (Bergstra et al., NeurIPS 2011).
pruning  a trial ends when its best accuracy so far is below the median of the others' at the same step.
importance   how far the best tenth of the trials, four at least, differ from all in each field: PED-ANOVA (Watanabe et
         al., IJCAI 2023). One trial or two would lie by chance where they lie in the fields that do not matter. All are
         those too that were ended early: without them "all" would be the better half, which differ less.

The draw of a trial depends on the seed, its number and, for tpe, on what has finished before: a search that is taken up
again draws what it would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from engine.search.axes import Axis, Range
from engine.search.plan import Plan
from engine.search.trial import Trial

STARTUP = 10  # trials that tpe draws at random before it has learned anything
PRUNE_AFTER = 5  # trials that run to their end before any is ended early
PRUNE_FROM = 0.2  # the share of the steps that every trial gets
IMPORTANCE_FROM = 10  # trials without which nothing can be said of importance
BEST, BEST_AT_LEAST = 0.1, 4  # the share of the trials that are compared with all for it; how many they are at least

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Proposals:
    """Proposes the values of trials and learns from their outcomes. Not thread-safe."""

    def __init__(self, plan: Plan, finished: Sequence[Trial] = ()) -> None:
        self.plan = plan
        self._distributions = {axis.name: distribution(axis) for axis in plan.axes}
        pruner = optuna.pruners.NopPruner()
        if plan.pruning:
            warmup = round(PRUNE_FROM * plan.experiment.steps)
            pruner = optuna.pruners.MedianPruner(n_startup_trials=PRUNE_AFTER, n_warmup_steps=warmup)
        self._study = optuna.create_study(direction="maximize", pruner=pruner)
        self._weighed = optuna.create_study(direction="maximize")  # for importance
        self._asked: dict[int, optuna.Trial] = {}
        self._seen: dict[int, int] = {}  # the latest step that a trial has reported
        for trial in filter(lambda trial: plan.draws(trial.values), finished):  # Optuna refuses what it cannot draw
            self._learn(trial)

    def ask(self, number: int) -> dict[str, object]:
        """Return the values of a trial."""
        seed = int(np.random.SeedSequence([self.plan.seed, number]).generate_state(1)[0])
        if self.plan.sampler == "tpe":
            self._study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
        else:
            self._study.sampler = optuna.samplers.RandomSampler(seed=seed)
        asked = self._asked[number] = self._study.ask(self._distributions)
        return {axis.name: axis.tidy(asked.params[axis.name]) for axis in self.plan.axes}

    def report(self, trial: Trial) -> bool:
        """Take note of how a trial goes; return whether it should end now."""
        asked, verdict = self._asked[trial.number], False
        for step, accuracy in zip(trial.steps, trial.validation, strict=True):
            if step > self._seen.get(trial.number, -1):
                self._seen[trial.number] = step
                asked.report(accuracy, step)
                verdict = verdict or asked.should_prune()
        return verdict

    def tell(self, trial: Trial) -> None:
        """Take note of how a trial has ended, and of the values that were tried: those asked for have more digits."""
        self._study.tell(self._asked.pop(trial.number), state=TrialState.FAIL)  # these teach Optuna nothing
        self._learn(trial)

    def importance(self) -> dict[str, float]:
        """Return each field's share (0 … 1) of what made trials good; empty as long as nothing can be said."""
        # loads scikit-learn, for other evaluators: a second
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        values = [it.value for it in self._weighed.get_trials(deepcopy=False)]
        worst = min(values, default=0.0)
        better = sum(it > worst for it in values)  # often many have learned nothing, and are equally bad
        if len(values) < IMPORTANCE_FROM or better < BEST_AT_LEAST:
            return {}
        best = max(BEST, BEST_AT_LEAST / len(values))
        found = get_param_importances(self._weighed, evaluator=PedAnovaImportanceEvaluator(target_quantile=best))
        return {axis.name: round(found.get(axis.name, 0.0), 4) for axis in self.plan.axes}

    def _learn(self, trial: Trial) -> None:
        """Let Optuna know a trial that has finished."""
        state = {"pruned": TrialState.PRUNED, "failed": TrialState.FAIL}.get(trial.state, TrialState.COMPLETE)
        values = {"params": dict(trial.values), "distributions": self._distributions}
        self._study.add_trial(
            create_trial(
                state=state,
                value=trial.accuracy if state == TrialState.COMPLETE else None,
                intermediate_values=dict(zip(trial.steps, trial.validation, strict=True)),
                **values,
            )
        )
        if state != TrialState.FAIL:  # what ended early comes after the rest, as in the ranking
            self._weighed.add_trial(create_trial(value=trial.accuracy - (state == TrialState.PRUNED), **values))


def distribution(axis: Axis) -> BaseDistribution:
    """Return an axis as Optuna knows it."""
    if not isinstance(axis, Range):
        return CategoricalDistribution(axis.values)
    kind = IntDistribution if axis.whole else FloatDistribution
    return kind(axis.low, axis.high, log=axis.log)
