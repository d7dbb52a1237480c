"""Schedules: PyTorch's, step by step; and within 0 … 1 at every step of every run, short ones included."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from engine import optim

TOTAL = st.integers(2, 60)


def pytorchs(make, steps, base=1.0):
    """Return the learning rates of so many steps under a PyTorch scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def rates(schedule, steps):
    return [schedule(step) for step in range(steps)]


def same(schedule, make, steps):
    assert rates(schedule, steps) == pytest.approx(pytorchs(make, steps), rel=1e-6, abs=1e-9)


def test_constant():
    assert rates(optim.Constant(), 3) == [1, 1, 1]


@given(every=st.integers(1, 20), gamma=st.floats(0, 1))
def test_step_is_steplr(every, gamma):
    same(optim.Step(every, gamma), lambda o: lr_scheduler.StepLR(o, every, gamma), 50)


@given(total=TOTAL, final=st.floats(1e-4, 1))
def test_exponential_is_exponentiallr(total, final):
    same(optim.Exponential(final, total), lambda o: lr_scheduler.ExponentialLR(o, final ** (1 / total)), total + 1)


@given(total=TOTAL)
def test_cosine_is_cosineannealinglr(total):
    same(optim.Cosine(total), lambda o: lr_scheduler.CosineAnnealingLR(o, total), total + 1)


@given(total=st.integers(4, 60))
def test_one_cycle_is_onecyclelr(total):
    def make(optimizer):
        return lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=total + 1, cycle_momentum=False)

    same(optim.OneCycle(total + 1), make, total)


@given(steps=st.integers(2, 30))
def test_warm_up_is_linearlr(steps):
    warm = optim.WarmUp(steps, optim.Constant())
    same(warm, lambda o: lr_scheduler.LinearLR(o, start_factor=1 / steps, total_iters=steps - 1), 2 * steps)


@given(steps=st.integers(2, 30), total=TOTAL)
def test_warm_up_multiplies_what_comes_after(steps, total):
    def make(optimizer):
        linear = lr_scheduler.LinearLR(optimizer, start_factor=1 / steps, total_iters=steps - 1)
        return lr_scheduler.ChainedScheduler([linear, lr_scheduler.ExponentialLR(optimizer, 0.1 ** (1 / total))])

    same(optim.WarmUp(steps, optim.Exponential(0.1, total)), make, total)


EVERY = st.one_of(
    st.builds(optim.Step, st.integers(1, 1000), st.floats(0, 1)),
    st.builds(optim.Exponential, st.floats(0, 1), st.integers(1, 1000)),
    st.builds(optim.Cosine, st.integers(1, 1000)),
    st.builds(optim.OneCycle, st.integers(1, 1000)),
)


@given(schedule=EVERY | st.builds(optim.WarmUp, st.integers(1, 1000), EVERY), step=st.integers(0, 3000))
def test_every_schedule_is_a_share_of_the_rate_at_every_step_and_beyond_the_last(schedule, step):
    assert 0 <= schedule(step) <= 1


@given(total=st.integers(1, 1000))
def test_cosine_and_one_cycle_end_at_the_bottom(total):
    assert optim.Cosine(total)(total) == pytest.approx(0, abs=1e-12)
    assert optim.Cosine(total)(2 * total) == pytest.approx(0, abs=1e-12)  # PyTorch's would rise again
    assert optim.OneCycle(total)(total - 1) == pytest.approx(1 / 25 / 1e4)
    assert optim.OneCycle(total)(total + 100) == pytest.approx(1 / 25 / 1e4)
