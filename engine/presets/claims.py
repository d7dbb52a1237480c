"""Claims: lessons as sentences that results bear out or not."""

from __future__ import annotations

import functools
import itertools
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import N_, Text
from engine.presets.results import Results


@dataclass(frozen=True, eq=False)
class Claim:
    """A sentence, and whether results bear it out. `a & b` claims both, and keeps them apart in `parts`."""

    text: Text
    holds: Callable[[Results], bool]
    joined: tuple[Claim, ...] = ()

    def __and__(self, other: Claim) -> Claim:
        both = Text("{first} {second}", first=self.text, second=other.text)
        parts = self.parts + other.parts
        return Claim(both, lambda results: all(part.holds(results) for part in parts), parts)

    @property
    def parts(self) -> tuple[Claim, ...]:
        """The claims that this one joins, in order, each of which may hold or not; itself where it is one."""
        return self.joined or (self,)


CHANCE = 0.12  # naming one digit always is right for 10 % of the embedded digits and for up to 11.35 % of MNIST's


def never_learns(label: str) -> Claim:
    """Test accuracy is no better than naming one class always."""
    text = Text(N_("“{run}” never learns: its test accuracy stays at chance."), run=Text(label))
    return Claim(text, lambda r: r[label].test_accuracy <= CHANCE)


def stays_below(label: str, accuracy: float) -> Claim:
    """Test accuracy < `accuracy`."""
    text = Text(N_("“{run}” hardly moves: its test accuracy stays below {limit}."), run=Text(label), limit=accuracy)
    return Claim(text, lambda r: r[label].test_accuracy < accuracy)


def reaches(label: str, accuracy: float) -> Claim:
    """Test accuracy ≥ `accuracy`."""
    text = Text(N_("“{run}” reaches a test accuracy of {limit}."), run=Text(label), limit=accuracy)
    return Claim(text, lambda r: r[label].test_accuracy >= accuracy)


def waits(label: str, steps: int) -> Claim:
    """Every test accuracy measured during the first `steps` steps is below .2."""
    text = Text(N_("“{run}” stands on a plateau for its first {n} steps."), run=Text(label), n=steps)

    def holds(r: Results) -> bool:
        curves = r[label].curves
        early = [a for step, a in zip(curves["step"], curves["test_accuracy"], strict=True) if step <= steps]
        return len(early) > 1 and max(early) < 0.2

    return Claim(text, holds)


def leads(a: str, b: str, margin: float) -> Claim:
    """Test accuracy of `a` ≥ that of `b` + `margin`."""
    text = Text(
        N_("“{run}” is ahead of “{other}” on the test set by {margin} or more."),
        run=Text(a),
        other=Text(b),
        margin=margin,
    )
    return Claim(text, lambda r: r[a].test_accuracy >= r[b].test_accuracy + margin)


def keeps_up(a: str, b: str, margin: float) -> Claim:
    """Test accuracy of `a` ≥ that of `b` − `margin`."""
    text = Text(N_("“{run}” costs at most {margin} of test accuracy."), run=Text(a), margin=margin)
    return Claim(text, lambda r: r[a].test_accuracy >= r[b].test_accuracy - margin)


def learns_faster(*order: str) -> Claim:
    """The mean loss of the mini-batches, over the whole run, grows from each label to the next."""
    quoted = [Text(N_("“{run}”"), run=Text(label)) for label in order]  # a label may have commas of its own
    runs = functools.reduce(lambda first, second: Text(N_("{first}, {second}"), first=first, second=second), quoted)
    text = Text(N_("{runs}: in this order they learn, the fastest first."), runs=runs)

    def holds(r: Results) -> bool:
        means = [statistics.fmean(r[label].curves["loss"]) for label in order]
        return all(a < b for a, b in itertools.pairwise(means))

    return Claim(text, holds)


def memorizes(label: str, gap: float) -> Claim:
    """Training accuracy ≥ .99, and test accuracy at least `gap` below it."""
    text = Text(
        N_("“{run}” learns its training set by heart; on the test set it is worse by {gap} or more."),
        run=Text(label),
        gap=gap,
    )
    return Claim(
        text, lambda r: r[label].train_accuracy >= 0.99 and r[label].train_accuracy - r[label].test_accuracy >= gap
    )


def forgets(label: str, accuracy: float) -> Claim:
    """Training accuracy < `accuracy`."""
    text = Text(N_("“{run}” no longer fits every training example."), run=Text(label))
    return Claim(text, lambda r: r[label].train_accuracy < accuracy)


def fits_less(label: str, baseline: str, factor: float) -> Claim:
    """Training loss of `label` ≥ `factor` times that of `baseline`."""
    text = Text(
        N_("With “{run}” the training loss stays at {factor} times that with “{other}”, or above."),
        run=Text(label),
        other=Text(baseline),
        factor=f"{factor:g}",
    )
    return Claim(text, lambda r: r[label].loss >= factor * r[baseline].loss)


def gap_closes(label: str, baseline: str) -> Claim:
    """Test loss − training loss is smaller for `label` than for `baseline`.

    Losses, because on 300 examples the gap between the accuracies is too coarse to compare.
    """
    text = Text(
        N_("The gap between test and training loss is smaller with “{run}” than with “{other}”."),
        run=Text(label),
        other=Text(baseline),
    )
    return Claim(text, lambda r: r[label].test_loss - r[label].loss < r[baseline].test_loss - r[baseline].loss)


def learn_in_number(labels: tuple[str, ...], others: tuple[str, ...], *, at_least: int, at_most: int) -> Claim:
    """At least `at_least` of `labels`, but at most `at_most` of `others`, pass a training accuracy of 30 %."""
    text = Text(
        N_("With batch norm at least {a} of {n} networks learn, without it at most {b}."),
        a=at_least,
        n=len(labels),
        b=at_most,
    )

    def count(r: Results, names: tuple[str, ...]) -> int:
        return sum(r[name].train_accuracy >= 0.3 for name in names)

    return Claim(text, lambda r: count(r, labels) >= at_least and count(r, others) <= at_most)
