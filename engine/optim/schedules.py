"""A schedule is a factor on the learning rate, as a function of how many steps have been made.

Every schedule is a small frozen value called with the step number, counted from 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


class Schedule:
    """Base class: `schedule(step)` returns the factor, 0 … 1."""

    def __call__(self, step: int) -> float:
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Schedule):
    """1 throughout."""

    def __call__(self, step):
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """γ^⌊step / every⌋ (PyTorch's StepLR)."""

    every: int
    gamma: float

    def __call__(self, step):
        return self.gamma ** (step // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """final^(step / total): falls by the same factor each step, from 1 to `final` (PyTorch's ExponentialLR)."""

    final: float
    total: int

    def __call__(self, step):
        return self.final ** (step / self.total)


@dataclass(frozen=True)
class Cosine(Schedule):
    """½ (1 + cos(π · step / total)). Source: Loshchilov & Hutter 2016 (PyTorch's CosineAnnealingLR)."""

    total: int

    def __call__(self, step):
        return 0.5 * (1 + math.cos(math.pi * min(step, self.total) / self.total))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """From 1/25 up to 1 over the first 30 % of the steps, then down to 1/250,000, both along half a cosine.

    Source: Smith & Topin 2017 (PyTorch's OneCycleLR, with cycle_momentum=False: a momentum stays as it is).
    """

    total: int
    start: float = 1 / 25
    final: float = 1 / 25 / 1e4
    rise: float = 0.3

    def __call__(self, step):
        top, last = self.rise * self.total - 1, self.total - 1
        if step <= top:
            return self._between(self.start, 1.0, step / top)
        return self._between(1.0, self.final, min((step - top) / (last - top), 1.0))

    @staticmethod
    def _between(a: float, b: float, share: float) -> float:
        return b + (a - b) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class WarmUp(Schedule):
    """(step + 1) / steps while step < steps, then as `after`, whose own count goes on from the first step."""

    steps: int
    after: Schedule

    def __call__(self, step):
        return min(1.0, (step + 1) / self.steps) * self.after(step)
