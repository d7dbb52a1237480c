"""Search: what is drawn and judged, and that nothing which has finished is lost when a process dies."""

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.__main__ import main
from engine.build import build_dataset, stream
from engine.data.holdout import hold_out
from engine.errors import InputError, Text
from engine.experiment import FIELDS, Experiment
from engine.fields import ExperimentError
from engine.presets.search import PLANS
from engine.search import alone, cluster, study
from engine.search.axes import MAX_AXES, SEARCHABLE, Options, Range, format_axes, parse_axes, parse_axis, usual
from engine.search.cluster import Cluster, losses_tolerated
from engine.search.journal import LIMIT, Journal
from engine.search.plan import Plan, validation_set
from engine.search.proposals import Proposals
from engine.search.study import Searches
from engine.search.trial import TOPIC, Trial, failure, follow, news
from engine.training.history import Series
from engine.training.trainer import Trainer
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SMALL = Experiment(data="digits", network="dense16", train_size=200, steps=40, evaluate_every=10)
LONG = SMALL.replace(steps=2_000_000, evaluate_every=1000)
PLAN = Plan(SMALL, parse_axes("lr:0.001..1 log,l2:1e-08..0.0001 log"), trials=6)


def wait_for(condition):
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)


# ---------------------------------------------------------------------------------------------------- a validation set


@given(share=st.floats(0.05, 0.5), seed=st.integers(0, 99))
def test_every_training_example_is_in_one_of_the_parts(share, seed, blobs):
    parts = hold_out(blobs, share, rng=np.random.default_rng(seed))
    assert len(parts.x_test) == round(share * 120)
    seen = sorted(it.tobytes() for it in (*parts.x_train, *parts.x_test))
    assert seen == sorted(it.tobytes() for it in blobs.x_train)
    by_picture = {x.tobytes(): y for x, y in zip(blobs.x_train, blobs.y_train, strict=True)}
    for x, y in ((parts.x_train, parts.y_train), (parts.x_test, parts.y_test)):
        assert [by_picture[it.tobytes()] for it in x] == y.tolist()


def test_the_examples_are_shuffled_before_they_are_divided(blobs):
    order = np.argsort(blobs.y_train, kind="stable")
    by_class = replace(blobs, x_train=blobs.x_train[order], y_train=blobs.y_train[order])
    parts = hold_out(by_class, 0.2, rng=np.random.default_rng(0))
    assert set(parts.y_test) == {0, 1, 2, 3}  # the last fifth of the file has one class only


@pytest.mark.parametrize("share", [0.0, 0.004, 0.999, 1.0])
def test_no_part_may_be_empty(share, blobs):
    with pytest.raises(InputError, match="cannot be held out of 120"):
        hold_out(blobs, share, rng=np.random.default_rng(0))


def test_trials_share_their_parts_and_the_test_set_is_in_neither():
    whole = build_dataset(SMALL)
    a, b = validation_set(SMALL, 0.2), validation_set(SMALL.replace(lr=0.5, batch_size=7), 0.2)
    np.testing.assert_array_equal(a.x_test, b.x_test)
    assert len(a.x_train) + len(a.x_test) == len(whole.x_train) == 200
    unseen = {it.tobytes() for it in whole.x_test} - {it.tobytes() for it in whole.x_train}
    assert not unseen & {it.tobytes() for it in (*a.x_train, *a.x_test)}


# ---------------------------------------------------------------------------------------------------------------- axes


@pytest.mark.parametrize("name", SEARCHABLE)
def test_every_field_has_a_usual_axis_that_can_be_written_down(name):
    axis = usual(name)
    assert parse_axis(str(axis)) == parse_axis(name) == axis
    ends = (axis.low, axis.high) if isinstance(axis, Range) else axis.values
    for value in ends:
        SMALL.replace(**{name: value})


@given(ends=st.lists(st.floats(1e-9, 99, allow_nan=False), min_size=2, max_size=2, unique=True), log=st.booleans())
def test_ranges_survive_being_written(ends, log):
    axis = Range("lr", min(ends), max(ends), log)
    assert parse_axes(str(axis)) == (axis,)
    for value in (axis.low, axis.high, (axis.low + axis.high) / 2):
        assert axis.low <= axis.tidy(value) <= axis.high


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "over must be one of"),
        ("steps:1..5", "over must be one of"),
        ("seed", "over must be one of"),
        ("lr:", "lr must be a range such as"),
        ("lr:1..", "lr must be a range such as"),
        ("lr:0.1..1 lin", "lr must be a range such as"),
        ("lr:nan..1", "lr must be a range such as"),
        ("lr:1..0.1", "lr must be a range whose lower end is below"),
        ("lr:1..0", "lr must be a range whose lower end is below its upper end, not 1..0."),
        ("lr:0..1000", "lr must be a number from 1e-10 to 100"),
        ("dropout:0..0.5 log", "dropout must be a range above 0"),
        ("batch_size:1.5..9", "batch_size must be a whole number"),
        ("optimizer:sgd", "optimizer must be 2 to 12 options"),
        ("optimizer:sgd|magic", "optimizer must be one of sgd"),
        ("network:dense5|potato", "network must be made of words"),
        ("lr,lr", "over must be 1 to 6 different fields"),
        (",".join(SEARCHABLE[: MAX_AXES + 1]), "over must be 1 to 6 different fields"),
        ("lr:" + "9" * 5000, "lr must be a range such as"),
    ],
)
def test_a_bad_axis_is_named_in_one_sentence(text, said):
    with pytest.raises(ExperimentError, match=said) as caught:
        parse_axes(text)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trials": 0}, "trials must be a whole number from 1 to 500"),
        ({"trials": True}, "trials must be"),
        ({"trials": "9"}, "trials must be"),
        ({"share": 0.6}, "share must be a number from 0.05 to 0.5"),
        ({"share": math.nan}, "share must be"),
        ({"seed": -1}, "seed must be"),
        ({"sampler": "grid"}, "sampler must be one of random, tpe"),
        ({"pruning": 1}, "pruning must be true or false"),
        ({"axes": ()}, "over must be"),
    ],
)
def test_a_bad_plan_is_named_in_one_sentence(changes, said):
    with pytest.raises(ExperimentError, match=said):
        PLAN.replace(**changes)


def test_a_plan_survives_json():
    plan = Plan(SMALL, parse_axes("optimizer:sgd|adam,bias_correction,network:dense5|dense6 drop.5,lr"), sampler="tpe")
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


# ----------------------------------------------------------------------------------------------------------- proposals


def test_logarithms_are_drawn_evenly():
    proposals = Proposals(PLAN.replace(axes=parse_axes("lr:1e-06..0.01 log,dropout:0..0.5,batch_size:10..20")))
    drawn = [proposals.ask(number) for number in range(400)]
    powers = np.histogram(np.log10([it["lr"] for it in drawn]), bins=4, range=(-6, -2))[0]
    shares = np.histogram([it["dropout"] for it in drawn], bins=4, range=(0, 0.5))[0]
    assert powers.sum() == shares.sum() == 400
    assert min(*powers, *shares) > 70
    assert {it["batch_size"] for it in drawn} == set(range(10, 21))


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_draws_depend_on_seed_and_number_alone(sampler):
    plan = PLAN.replace(sampler=sampler)
    there, back = Proposals(plan), Proposals(plan)
    forwards = {number: there.ask(number) for number in range(5)}
    backwards = {number: back.ask(number) for number in reversed(range(5))}
    assert forwards == backwards
    assert Proposals(plan.replace(seed=1)).ask(0) != forwards[0]


def judged(number, values):
    """Return a trial as if accuracy were best at lr = 0.1."""
    accuracy = 1 - abs(math.log10(values["lr"]) + 1) / 4
    return Trial(number, values, "complete", (0, 40), (0.1, accuracy), (0.1, accuracy), 1.0)


def test_tpe_learns_from_earlier_trials_and_dice_do_not():
    near = {}
    for sampler in ("random", "tpe"):
        proposals = Proposals(PLAN.replace(sampler=sampler, axes=parse_axes("lr:1e-06..1 log,l2")))
        drawn = []
        for number in range(50):
            trial = judged(number, proposals.ask(number))
            proposals.report(trial)
            proposals.tell(trial)
            drawn.append(trial.values["lr"])
        near[sampler] = sum(0.02 < lr < 0.5 for lr in drawn[20:])
        importance = proposals.importance()
        assert importance["lr"] > 0.5
        assert sum(importance.values()) == pytest.approx(1, abs=0.001)
    assert near["tpe"] > 2 * near["random"]


def test_importance_waits_for_trials_that_tell_something():
    proposals = Proposals(PLAN)
    for number in range(9):
        values = proposals.ask(number)
        proposals.tell(judged(number, values))
    assert proposals.importance() == {}
    proposals.tell(judged(9, proposals.ask(9)))
    assert set(proposals.importance()) == {"lr", "l2"}


@pytest.mark.parametrize("n", [10, 14, 20])
def test_what_does_not_matter_is_not_found_important_in_few_trials(n):
    """At most once in 40 searches, where chance has put the best close together in the other field too."""
    said = wrong = 0
    for seed in range(40):
        proposals = Proposals(PLAN.replace(axes=parse_axes("lr:1e-06..0.01 log,l2:1e-08..0.0001 log"), seed=seed))
        for number in range(n):
            values = proposals.ask(number)
            accuracy = round(0.1 + 0.7 / (1 + math.exp(-4 * (math.log10(values["lr"]) + 2.6))), 2)  # by `lr` alone
            proposals.tell(Trial(number, values, "complete", (0, 40), (0.1, accuracy), (0.1, accuracy), 0.5))
        importance = proposals.importance()  # none while most have learned nothing
        said, wrong = said + bool(importance), wrong + (importance.get("lr", 1) < 0.5)
    assert said > 20
    assert wrong <= 1


@pytest.mark.parametrize("early", [0.5, 0.8])
def test_importance_counts_what_was_ended_early(early):
    """It is then what it would be if all had run to their end: they are not among the best in either case."""
    whole, pruned = (Proposals(PLAN.replace(axes=parse_axes("lr:1e-06..1 log,l2"))) for _ in range(2))
    trials = [judged(number, whole.ask(number)) for number in range(20)]
    worst = sorted(trials, key=lambda trial: trial.accuracy)[: round(20 * early)]
    for trial in trials:
        pruned.ask(trial.number)
        whole.tell(trial)
        pruned.tell(replace(trial, state="pruned") if trial in worst else trial)
    failed = replace(judged(20, pruned.ask(20)), state="failed")  # one that could not be trained tells nothing
    pruned.tell(failed)
    assert pruned.importance() == whole.importance() != {}
    assert Proposals(pruned.plan, [it for it in trials if it not in worst]).importance() != whole.importance()


def test_what_is_taken_up_again_proposes_the_same():
    plan = PLAN.replace(sampler="tpe", trials=60)
    first = Proposals(plan)
    trials = []
    for number in range(60):
        trial = judged(number, first.ask(number))
        first.tell(trial)
        trials.append(trial)
    for number in range(0, 60, 3):
        failed = replace(trials[0], number=100, state="failed")
        assert Proposals(plan, [*trials[:number], failed]).ask(number) == trials[number].values


def test_a_trial_of_values_that_are_not_drawn_teaches_nothing_and_is_no_error():
    beyond = Trial(0, {"lr": 50.0, "l2": 1e-6}, "complete", (0, 40), (0.1, 0.9), (0.1, 0.8), 0.5)
    assert Proposals(PLAN, [beyond]).ask(1) == Proposals(PLAN).ask(1)


def test_the_median_prunes():
    proposals = Proposals(PLAN.replace(pruning=True))
    steps = (0, 10, 20, 30, 40)

    def trial(number, level, length=5):
        return Trial(number, proposals.ask(number), "running", steps[:length], (level,) * length, (level,) * length)

    for number in range(6):
        good = trial(number, 0.5)
        assert not proposals.report(good)
        proposals.tell(replace(good, state="complete"))
    bad = trial(6, 0.1, 1)
    assert not proposals.report(bad)  # the first fifth is spared
    bad = replace(bad, steps=steps[:3], train=(0.1,) * 3, validation=(0.1,) * 3)
    assert proposals.report(bad)
    proposals.tell(replace(bad, state="pruned"))
    assert not proposals.report(trial(7, 0.6))


# -------------------------------------------------------------------------------------------------------------- trials


def test_a_trial_is_a_normal_run_of_the_engine():
    trainer = Trainer(SMALL, hold_out(build_dataset(SMALL), 0.25, rng=stream(SMALL.seed, "validation")), probe_every=0)
    trainer.advance()
    *_, last = follow(SMALL, 0.25)
    curves = trainer.history.curves()
    assert last["steps"] == curves["step"] == [0, 10, 20, 30, 40]
    assert last["validation"] == [round(value, 4) for value in curves["test_accuracy"]]
    assert last["train"] == [round(value, 4) for value in curves["train_accuracy"]]
    assert last["state"] == "complete"


@pytest.mark.parametrize(("steps", "every", "curve"), [(40, 100, [0, 40]), (50, 20, [0, 20, 40, 50])])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_trial_is_judged_by_its_finished_network(steps, every, curve, ema):
    experiment = SMALL.replace(steps=steps, evaluate_every=every, lr=0.3, ema=ema)
    trainer = Trainer(experiment, validation_set(experiment, 0.2))
    trainer.advance()
    end = trainer.evaluate()
    *_, last = follow(experiment, 0.2)
    trial = Trial(0, {}).update(last)
    assert trial.steps == tuple(curve)
    assert (trial.accuracy, trial.train[-1]) == pytest.approx((end.test_accuracy, end.train_accuracy), abs=1e-4)
    assert trial.loss == end.test_loss
    assert trial.accuracy > trial.validation[0]


def test_a_network_that_left_the_finite_numbers_is_not_measured_again():
    wild = SMALL.replace(lr=100.0, initializer="gauss", sigma=10.0, network="dense50 dense50", evaluate_every=100)
    *_, last = follow(wild, 0.2)
    assert (last["state"], last["steps"]) == ("diverged", [0])


def test_the_last_step_is_one_that_pruning_compares():
    plan = PLAN.replace(experiment=SMALL.replace(steps=50, evaluate_every=20), pruning=True, trials=9)
    trials = alone.search(plan.replace(axes=parse_axes("lr:1e-06..0.5 log")))
    assert {it.state for it in trials} == {"complete", "pruned"}
    assert {it.steps for it in trials if it.state == "complete"} == {(0, 20, 40, 50)}
    assert all(it.steps[-1] in (20, 40) for it in trials if it.state == "pruned")


def test_divergence_and_failure_end_a_trial_at_the_bottom():
    *_, last = follow(SMALL.replace(lr=100.0, initializer="gauss", sigma=10.0, network="dense50 dense50"), 0.2)
    diverged = Trial(0, {"lr": 100.0}).update(last)
    failed = Trial(1, {"lr": 1.0}).update(failure(InputError("No {thing}.", thing="room")))
    fine = Trial(2, {"lr": 0.1}, "complete", (0,), (0.05,), (0.05,), 2.0)
    running = Trial(3, {"lr": 0.1}, "running", (0,), (0.5,), (0.5,), 2.0)
    assert (diverged.state, diverged.accuracy, failed.accuracy) == ("diverged", 0.0, 0.0)
    assert sorted([failed, diverged, fine, running], key=Trial.rank)[:2] == [running, fine]
    assert str(Text.from_dict(failed.reason)) == "No room."
    json.dumps([it.to_dict() for it in (diverged, failed)], allow_nan=False)


def outcome_of(series, state="running"):
    """Return the outcome of a trial with these evaluations."""
    rows = series.rows()
    curves = {name: rows[:, column].tolist() for column, name in enumerate(("steps", "train", "validation"))}
    return curves | {"state": state, "loss": 1.0, "seconds": 0.1 * len(rows), "reason": {}}


@given(pauses=st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_reports_tell_what_is_new_and_make_the_whole(pauses):
    series, trial, told, rows, step = Series(2, 8), Trial(0, {}), (), 0, 0  # halves itself every few rows
    for pause in pauses:
        for _ in range(pause):
            series.append(step, step / 1000, step / 2000)
            step += 10
        outcome = outcome_of(series)
        report = news(outcome, told)
        rows, told = rows + len(report["steps"]), outcome["steps"]
        trial = trial.extend(json.loads(json.dumps(report)))
        assert trial == Trial(0, {}).update(outcome)
    assert news(outcome, told)["steps"] == []
    assert rows <= 2 * step / 10 + len(pauses)


@given(told_of=st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["comes", "is lost", "begins anew"])), min_size=1))
def test_reports_may_be_lost_and_begin_anew(told_of):
    series, trial, told, step = Series(2, 8), Trial(0, {}), (), 0
    for count, fate in told_of:
        if fate == "begins anew":  # on another worker, while what the first has told is still there
            series, told, step = Series(2, 8), (), 0
        for _ in range(count):
            series.append(step, step / 1000, step / 2000)
            step += 10
        outcome = outcome_of(series)
        report, told = news(outcome, told), outcome["steps"]
        if fate != "is lost":
            trial = trial.extend(report)
            assert list(trial.steps) == sorted(set(trial.steps))
            assert trial.steps[-1] == step - 10
            assert trial.train == tuple(step / 1000 for step in trial.steps)
            assert trial.validation == tuple(step / 2000 for step in trial.steps)
    assert trial.update(outcome_of(series, "complete")).steps == tuple(series.rows()[:, 0])


def test_a_search_alone_comes_out_again():
    plan = PLAN.replace(trials=8, pruning=True, sampler="tpe")
    first, second = alone.search(plan), alone.search(plan)
    strip = [replace(it, seconds=0.0) for it in first]
    assert strip == [replace(it, seconds=0.0) for it in second]
    assert [it.rank() for it in first] == sorted(it.rank() for it in first)
    assert {it.number for it in first} == set(range(8))
    assert first[0].accuracy > 0.5


def test_the_published_search_is_the_published_one():
    plan = PLANS["ch06-search"]
    spec = plan.experiment
    assert (spec.train_size, spec.network.split(), spec.optimizer) == (500, ["dense100"] * 6, "sgd")
    assert spec.steps * spec.batch_size == 50 * 400
    assert (plan.trials, plan.share, plan.sampler, plan.pruning) == (100, 0.2, "random", False)
    assert format_axes(plan.axes) == "lr:1e-06..0.01 log,l2:1e-08..0.0001 log"


# ------------------------------------------------------------------------------------------------------------- on disk


def finished(number, **more):
    return Trial(number, {"lr": 0.1, "l2": 1e-5}, "complete", (0, 40), (0.1, 0.9), (0.1, 0.8), 0.5, **more)


def test_what_has_finished_is_read_back(tmp_path):
    journal = Journal(tmp_path / "made" / "on demand", "abcdef")
    journal.create(PLAN)
    journal.append({"trial": finished(3).to_dict()})
    journal.append({"trial": finished(1).to_dict()})
    journal.append({"trials": 60})
    journal.append({"seconds": 4.5, "importance": {"lr": 0.75, "l2": 0.25}})
    record = journal.read()
    assert record.plan == PLAN.replace(trials=60)
    assert record.trials == {1: finished(1), 3: finished(3)}
    assert (record.seconds, record.importance) == (4.5, {"lr": 0.75, "l2": 0.25})


@given(cut=st.integers(1, 120))
def test_a_torn_line_costs_nothing_else(cut, tmp_path_factory):
    journal = Journal(tmp_path_factory.mktemp("torn"), "abcdef")
    journal.create(PLAN)
    journal.append({"trial": finished(0).to_dict()})
    whole = journal.path.read_bytes()
    line = json.dumps({"trial": finished(1).to_dict()}).encode()
    journal.path.write_bytes(whole + line[:cut])
    assert set(journal.read().trials) == {0}
    journal.append({"trial": finished(2).to_dict()})
    assert set(journal.read().trials) == {0, 2}


@pytest.mark.parametrize(
    "line",
    ["null", "[]", "7", "{", "\x00", '{"trial": 3}', '{"trial": {"number": -1, "values": {}}}', '{"trials": 9999}',
     '{"trial": {"number": 1, "values": {"lr": 1e9}, "state": "complete"}}', '{"seconds": "x"}', '{"plan": {}}',
     '{"seconds": 1, "importance": {"lr": "much"}}', "[" * 100_000],
)  # fmt: skip
def test_lines_that_are_not_ours_are_passed_over(line, tmp_path):
    journal = Journal(tmp_path, "abcdef")
    journal.create(PLAN)
    with journal.path.open("a") as file:
        file.write(line + "\n")
    journal.append({"trial": finished(0).to_dict()})
    record = journal.read()
    assert set(record.trials) == {0}
    assert record.plan == PLAN


@pytest.mark.parametrize(
    "change",
    [{"validation": [0.1, "much"]}, {"validation": [0.1, float("nan")]}, {"validation": [0.1, 10**400]},
     {"train": "12"}, {"steps": []}, {"loss": "small"}, {"loss": float("inf")}, {"seconds": None}, {"reason": 5},
     {"state": ["complete"]}, {"values": {}}, {"values": {"lr": 0.01}},
     {"values": {"lr": 0.01, "l2": 1e-6, "l1": 0.0}}],
)  # fmt: skip
def test_a_trial_that_cannot_be_of_the_search_is_passed_over(change, tmp_path):
    journal = Journal(tmp_path, "abcdef")
    journal.create(PLAN)
    for entry in (finished(1).to_dict() | change, finished(0).to_dict()):
        with journal.path.open("a") as file:
            file.write(json.dumps({"trial": entry}) + "\n")
    assert set(journal.read().trials) == {0}


def test_there_is_nothing_to_read_where_there_is_nothing(tmp_path):
    assert Journal(tmp_path, "abcdef").read() is None
    (tmp_path / "empty1.jsonl").touch()
    assert Journal(tmp_path, "empty1").read() is None
    searches = Searches(tmp_path)
    for name in ("abcdef", "", "../../etc/passwd", "x" * 500, "a b"):
        assert searches.find(name) is None
    with pytest.raises(ValueError, match="no name of a search"):
        Journal(tmp_path, "../up")


def test_the_oldest_searches_go(tmp_path):
    for number in range(LIMIT + 3):
        path = tmp_path / f"old{number:05}.jsonl"
        path.touch()
        os.utime(path, (number, number))
    Journal(tmp_path, "newest").create(PLAN)
    left = sorted(path.stem for path in tmp_path.glob("*.jsonl"))
    assert len(left) == LIMIT
    assert left[0] == "newest"
    assert left[1] == "old00004"


def test_the_newest_search_stays_though_the_clock_was_set_back(tmp_path):
    for number in range(LIMIT):
        path = tmp_path / f"old{number:05}.jsonl"
        path.touch()
        os.utime(path, (2**33 + number, 2**33 + number))
    Journal(tmp_path, "newest").create(PLAN)
    left = sorted(path.stem for path in tmp_path.glob("*.jsonl"))
    assert len(left) == LIMIT
    assert left[:2] == ["newest", "old00001"]


def test_a_server_lets_go_of_searches_that_rest_also_where_many_are_started(tmp_path, monkeypatch):
    class Stub:
        def __init__(self, *_):
            pass

        def start(self):
            pass

    monkeypatch.setattr(study, "Round", Stub)
    monkeypatch.setattr(study, "MAX_RUNNING", 1)
    searches = Searches(tmp_path, lambda: None)
    for _ in range(15):
        last = searches.start(PLAN)
        last.on_end(None)
    assert len(searches._searches) <= 11
    assert searches.find(last.id) is last


def test_two_who_need_the_cluster_at_once_share_one(tmp_path):
    made = []

    def make():
        time.sleep(0.05)  # as long as the other needs to ask too
        made.append(object())
        return made[-1]

    searches = Searches(tmp_path, make)
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: searches.cluster(), range(2))
    assert first is second
    assert len(made) == 1


# ------------------------------------------------------------------------------------------------------------ live ones


class Shared(Cluster):
    """A cluster that goes on when those who use it end."""

    def close(self):
        pass


@pytest.fixture(scope="module")
def machine():
    """A cluster of two local workers, for all tests here."""
    made = Shared(address="", count=2)
    yield made
    Cluster.close(made)


@pytest.fixture
def searches(tmp_path, machine):
    with Searches(tmp_path, lambda: machine) as made:
        yield made


def by_number(trials):
    return {it.number: replace(it, seconds=0.0) for it in trials}


def test_a_search_in_parallel_finds_what_a_search_alone_finds(searches):
    told = threading.Event()
    search = searches.start(PLAN)
    search.attach(told.set)
    assert search.wait(PATIENCE)
    assert search.state == "complete"
    assert told.is_set()
    assert by_number(search.finished()) == by_number(alone.search(PLAN))
    sequence, everything = search.changes(0)
    assert len(everything) == 6
    assert search.changes(sequence) == (sequence, [])
    assert Searches(searches.folder).find(search.id).trials == search.trials
    assert search.id.isalnum()  # a name that begins with a dash would be an option of the command line


def test_a_search_outlives_a_worker(searches, machine):
    plan = PLAN.replace(experiment=SMALL.replace(steps=1500), trials=8)
    search = searches.start(plan)
    wait_for(lambda: len(search.finished()) >= 2 and any(it.steps for it in search.trials.values()))
    before = {it.number: it for it in search.finished()}
    victim = next(iter(machine.workers.processes))
    os.kill(victim.pid, signal.SIGKILL)
    assert search.wait(PATIENCE)
    assert search.state == "complete"
    assert len(search.finished()) == 8
    assert {number: search.trials[number] for number in before} == before
    assert all(it.state == "complete" for it in search.finished())
    wait_for(lambda: len(machine.workers.processes) == 2 and victim not in machine.workers.processes)


def test_a_search_outlives_its_server(searches, machine):
    plan = PLAN.replace(experiment=SMALL.replace(steps=1500), trials=6)
    search = searches.start(plan)
    wait_for(lambda: len(search.finished()) >= 2)
    search.stop()
    assert search.wait(PATIENCE)
    assert search.state == "stopped"
    kept = {it.number: it for it in search.finished()}
    with Searches(searches.folder, lambda: machine) as restarted:
        again = restarted.find(search.id)
        assert (again.state, again.plan, again.trials) == ("stopped", plan, kept)
        restarted.resume(again, 7)
        assert again.wait(PATIENCE)
        assert again.state == "complete"
        assert set(again.trials) == set(range(7))
        assert {number: again.trials[number] for number in kept} == kept
        undisturbed = Proposals(plan.replace(trials=7))
        assert {it.number: it.values for it in again.finished()} == {n: undisturbed.ask(n) for n in range(7)}
    assert Searches(searches.folder).find(search.id).plan.trials == 7


def test_a_search_goes_on_in_one_place_at_a_time(tmp_path, monkeypatch):
    """Two that write into one journal would do every trial twice, and tear each other's lines."""

    class Stub:
        def __init__(self, plan, finished, *_):
            self.finished = finished

        def start(self):
            pass

        def join(self, timeout=None):
            pass

    monkeypatch.setattr(study, "Round", Stub)
    here, there = Searches(tmp_path, lambda: None), Searches(tmp_path, lambda: None)
    search = here.start(PLAN)
    same = there.find(search.id)
    with pytest.raises(InputError, match=rf"^The search {search.id} is going on elsewhere"):
        there.resume(same)
    assert same.state == "stopped"
    search.on_trial(Trial(0, {"lr": 0.01, "l2": 1e-6}, "complete"))
    search.on_end(None)
    there.resume(same)
    assert same.state == "starting"
    assert [trial.number for trial in same.changes(1)[1]] == [0]  # a screen is told what was found meanwhile
    assert same._round.finished == search.finished()


def test_a_search_that_cannot_go_on_leaves_its_journal_to_others(tmp_path):
    def refuse():
        raise InputError("no cluster")

    journal = Journal(tmp_path, "abcdef")
    journal.create(PLAN)
    here, there = Searches(tmp_path, refuse), Searches(tmp_path, refuse)
    for searches in (here, there):
        with pytest.raises(InputError, match="no cluster"):
            searches.resume(searches.find("abcdef"))


def test_stopping_frees_the_workers(searches, machine):
    plan = PLAN.replace(experiment=LONG)  # hours of it
    search = searches.start(plan)
    wait_for(lambda: any(it.steps for it in search.trials.values()))
    search.stop()
    assert search.wait(PATIENCE)
    assert search.state == "stopped"
    assert search.finished() == []
    client = machine.client()
    free = client.map(lambda n: n, range(4), pure=False)
    assert client.gather(free, asynchronous=False) == [0, 1, 2, 3]  # on threads that were computing
    assert all(it.state == "dropped" for it in search.changes(1)[1])
    assert search.changes(0)[1] == []


@pytest.mark.skipif(os.name == "nt", reason="has no signals of this kind")
def test_a_wait_that_is_interrupted_is_not_the_end(searches):
    once = iter([signal.SIGINT])

    def interrupt():
        for number in once:
            signal.pthread_kill(threading.main_thread().ident, number)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    search = searches.start(PLAN.replace(experiment=LONG))
    search.attach(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            search.wait(PATIENCE)
    finally:
        signal.signal(signal.SIGINT, before)
    search.stop()
    assert search.wait(PATIENCE)
    assert search.state == "stopped"


def test_nobody_watching_nothing_training(searches, monkeypatch):
    monkeypatch.setattr(study, "UNWATCHED", 0.3)
    search = searches.start(PLAN.replace(experiment=LONG))

    def notify():
        pass

    search.attach(notify)
    wait_for(lambda: search.state == "running")
    time.sleep(0.5)
    assert search.is_running
    search.detach(notify)
    assert search.wait(PATIENCE)
    assert search.state == "stopped"


def test_hopeless_trials_end_early(searches):
    plan = PLAN.replace(experiment=SMALL.replace(steps=8_000, evaluate_every=80), pruning=True, trials=9)
    search = searches.start(plan.replace(axes=parse_axes("lr:1e-06..0.5 log")))
    assert search.wait(PATIENCE)
    states = {it.state for it in search.finished()}
    assert states == {"complete", "pruned"}
    best = search.ranking()[0]
    assert best.state == "complete"
    pruned = [it for it in search.finished() if it.state == "pruned"]
    assert all(it.steps[-1] < 8_000 for it in pruned)
    assert all(it.steps == tuple(range(0, it.steps[-1] + 1, 80)) for it in pruned)  # report joined to report


def test_what_trials_report_does_not_pile_up_at_the_scheduler(searches, machine):
    def reports():
        return [report for _, report in machine.client().get_events(TOPIC)]

    earlier = {it["round"] for it in reports()}

    def has_told(search):
        return any(len(it.steps) > 2 for it in search.trials.values())

    waiting = [searches.start(PLAN.replace(experiment=LONG, seed=seed)) for seed in (1, 2)]
    while waiting:  # one of them has the workers, whichever, and the other gets them when it stops
        wait_for(lambda: any(map(has_told, waiting)))
        search = next(filter(has_told, waiting))
        search.stop()
        assert search.wait(PATIENCE)
        waiting.remove(search)
    assert {name for name in machine.client().get_events() if name.startswith("kasane")} == {TOPIC}
    fresh = [it for it in reports() if it["round"] not in earlier]
    assert len({it["round"] for it in fresh}) == 2
    for task in {(it["round"], it["number"]) for it in fresh}:
        steps = [step for it in fresh if (it["round"], it["number"]) == task for step in it["steps"]]
        assert len(steps) == len(set(steps))  # nothing is told twice


def test_a_round_hears_its_own_reports():
    heard = {"one": [], "other": []}
    with Cluster(address="") as made, made.used("one", heard["one"].append):
        with made.used("other", heard["other"].append):
            for name in ("one", "other", "another server's"):
                made.hand_on((0.0, {"round": name}))
        made.hand_on((0.0, {"round": "other"}))  # too late
    assert heard == {"one": [{"round": "one"}], "other": [{"round": "other"}]}


def test_a_trial_that_cannot_be_trained_is_told_apart(searches):
    plan = Plan(SMALL.replace(normalization="batch"), parse_axes("batch_size:1..2"), trials=6)
    search = searches.start(plan)
    assert search.wait(PATIENCE)
    failed = [it for it in search.finished() if it.state == "failed"]
    assert {it.values["batch_size"] for it in failed} == {1}
    assert "batch normalization" in str(Text.from_dict(failed[0].reason))
    assert search.ranking()[0].values == {"batch_size": 2}


def test_what_cannot_run_is_refused_at_once(searches, monkeypatch):
    with pytest.raises(InputError, match="at most"):
        searches.start(PLAN.replace(experiment=SMALL.replace(network=" ".join(["dense4096"] * 30))))
    with pytest.raises(InputError, match="cannot be held out of 2"):
        searches.start(PLAN.replace(experiment=SMALL.replace(train_size=2)))
    monkeypatch.setattr(study, "MAX_RUNNING", 1)
    first = searches.start(PLAN.replace(experiment=LONG))
    with pytest.raises(InputError, match="already has 1 searches running"):
        searches.start(PLAN)
    first.stop()
    assert first.wait(PATIENCE)
    assert searches.start(PLAN).wait(PATIENCE)


def test_a_search_that_is_refused_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "MAX_RUNNING", 0)
    with pytest.raises(InputError, match="already has 0 searches running"):
        Searches(tmp_path).start(PLAN)
    assert list(tmp_path.iterdir()) == []  # each would push an older search out of the folder


def test_who_takes_a_search_up_while_another_does_starts_no_second_round(tmp_path, monkeypatch):
    class Stub:
        started = 0

        def __init__(self, *_):
            pass

        def start(self):
            Stub.started += 1

        def join(self, timeout=None):
            search._round = None
            search.resume()  # another is faster while the first waits for the end of the earlier round

    monkeypatch.setattr(study, "Round", Stub)
    searches = Searches(tmp_path, lambda: None)
    search = searches.start(PLAN)
    search.on_end(None)
    searches.resume(search)
    assert Stub.started == 2
    assert search.state == "starting"


# ------------------------------------------------------------------------------------------------------ other machines


def test_a_second_machine_joins_by_the_documented_command(tmp_path, monkeypatch):
    """A scheduler that somebody else runs, and a worker that is started as on another computer."""
    scheduler = cluster.launch("scheduler")
    worker = None
    try:
        address = scheduler.stdout.readline().strip()
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", address)
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
        with Searches(tmp_path) as searches:
            search = searches.start(PLAN.replace(trials=3))
            wait_for(lambda: search.state == "starting")
            assert searches.cluster().workers is None  # no process of our own
            command = [sys.executable, "-m", "engine", "search", "--worker", address]
            worker = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
            assert search.wait(PATIENCE)
            assert (search.state, len(search.finished())) == ("complete", 3)
            assert searches.cluster().client().nthreads()
        worker.send_signal(signal.SIGINT)
        assert worker.wait(timeout=PATIENCE) == 130
        assert worker.stderr.read() == ""
    finally:
        if worker:
            worker.kill()
            worker.wait()
            worker.stderr.close()
        cluster.end(scheduler)


@pytest.mark.parametrize("place", ["tcp://127.0.0.1:{port}", "tcp://no..where:{port}"])
def test_a_worker_whose_scheduler_does_not_answer_says_what_it_waits_for(place, monkeypatch, capsys):
    served = []
    monkeypatch.setattr(cluster, "serve", served.append)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody else has this port, and nobody listens there
        address = place.format(port=silent.getsockname()[1])
        assert main(["search", "--worker", address]) == 0
        assert capsys.readouterr().err == f"waiting for the Dask scheduler at {address}, which does not answer yet\n"
        silent.listen()
        assert main(["search", "--worker", address.replace("no..where", "127.0.0.1")]) == 0
    assert capsys.readouterr().err == ""
    assert len(served) == 2


def test_a_worker_that_cannot_be_started_is_tried_again(monkeypatch):
    tried, started = [], threading.Event()

    def launch(role):
        tried.append(role)
        if len(tried) == 1:
            raise OSError("no process left")
        started.set()
        return real(role)

    real = cluster.launch
    monkeypatch.setattr(cluster, "launch", launch)
    workers = cluster.Workers(1, Future())
    try:
        assert started.wait(PATIENCE)
    finally:
        workers.close()


def test_workers_may_be_closed_before_they_know_their_scheduler(monkeypatch):
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    workers = cluster.Workers(1, Future())
    wait_for(lambda: workers.processes)
    for process in list(workers.processes):
        process.stdin.close()  # `close` may be faster than the thread that is about to write
    workers.close()
    assert failed == []


def test_a_client_that_was_closed_meanwhile_is_a_loss_and_no_error():
    """Python itself speaks then: the client has no scheduler left to ask."""
    with Cluster(address="", count=1) as closed:
        client = closed.client()
        client.close()
        with losses_tolerated(client):
            client.nthreads()
        with pytest.raises(AttributeError), losses_tolerated(closed.client()):
            None.nthreads()


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:9")
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with Searches(tmp_path) as searches:
        search = searches.start(PLAN)
        assert search.wait(PATIENCE)
        assert search.state == "error"
        assert str(search.error) == "The Dask scheduler at tcp://127.0.0.1:9 does not answer."
    assert [it for it in caplog.records if it.name == "kasane.search"] == []  # the command says it in one line


# ----------------------------------------------------------------------------------------------------- the command line


def test_the_command_searches_and_takes_up_again(tmp_path, monkeypatch, capsys, machine):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))
    fields = ["data=digits", "network=dense16", "steps=20"]
    arguments = ["--set", *fields, "--over", "lr:0.01..1 log", "optimizer:sgd|adam", "--trials", "3", "--seed", "5"]
    monkeypatch.setattr("engine.commands.search.Searches", lambda folder: Searches(folder, lambda: machine))
    assert main(["search", *arguments, "--json"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert main(["search", "--resume", row["search"], "--trials", "4"]) == 0
    text = capsys.readouterr().out
    assert row["dataset"] == "digits"
    assert row["workers"] >= 1
    assert row["over"] == "lr:0.01..1 log,optimizer:sgd|adam"
    assert row["experiment"] == {"data": "digits", "network": "dense16", "steps": 20}
    assert [it["number"] for it in sorted(row["trials"], key=lambda it: it["number"])] == [0, 1, 2]
    assert row["best"] == row["trials"][0]
    accuracies = [it["accuracy"] for it in row["trials"]]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(row["best"]["curves"]["step"]) == len(row["best"]["curves"]["validation_accuracy"])
    assert "4 trials in " in text
    assert row["search"] in text


def test_the_command_says_why_a_trial_failed(tmp_path, monkeypatch, capsys, machine):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))
    monkeypatch.setattr("engine.commands.search.Searches", lambda folder: Searches(folder, lambda: machine))
    arguments = ["--set", "data=toy2d", "steps=5", "--over", "network:dense5|conv5@3", "--trials", "4", "--json"]
    assert main(["search", *arguments]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    fine, failed = (next(it for it in row["trials"] if it["state"] == state) for state in ("complete", "failed"))
    why = "network must be of dense and drop alone, as this data has no pictures, not conv5@3."
    assert (fine["reason"], failed["reason"]) == (None, why)
    assert main(["search", "--resume", row["search"]]) == 0
    assert f"network=conv5@3  (failed: {why})" in capsys.readouterr().out


def test_the_command_watches_its_search(tmp_path, monkeypatch, capsys, machine):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))
    monkeypatch.setattr("engine.commands.search.Searches", lambda folder: Searches(folder, lambda: machine))
    monkeypatch.setattr(study, "UNWATCHED", 0.0)  # what nobody looks at stops with its first news
    arguments = ["--set", "data=digits", "network=dense16", "steps=20", "--trials", "5"]
    assert main(["search", *arguments, "--json"]) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(row["trials"]) == 5
    assert main(["search", "--resume", row["search"], "--trials", "9"]) == 0
    assert "9 trials in " in capsys.readouterr().out


def test_the_command_says_that_a_search_was_stopped(tmp_path, monkeypatch, capsys, machine):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))
    monkeypatch.setattr("engine.commands.search.Searches", lambda folder: Searches(folder, lambda: machine))
    with monkeypatch.context() as changed:
        changed.setattr(study.Search, "is_wanted", lambda search: False)
        assert main(["search", "--set", "data=digits", "network=dense16", "steps=20", "--trials", "9", "--json"]) == 2
    output, errors = capsys.readouterr()
    (search,) = (path.stem for path in (tmp_path / "searches").glob("*.jsonl"))
    assert output == ""
    assert re.fullmatch(rf"error: The search {search} was stopped after \d of 9 trials; --resume .*\n", errors)
    assert main(["search", "--resume", search]) == 0
    assert "9 trials in " in capsys.readouterr().out


def test_an_interrupted_command_says_how_to_take_its_search_up_again(tmp_path, monkeypatch, capsys, machine):
    def wait(search, timeout=None):
        for interruption in interruptions:
            raise interruption
        return waited(search, timeout)

    waited, interruptions = study.Search.wait, iter([KeyboardInterrupt])
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))
    monkeypatch.setattr("engine.commands.search.Searches", lambda folder: Searches(folder, lambda: machine))
    monkeypatch.setattr(study.Search, "wait", wait)
    assert main(["search", "--set", "data=digits", "network=dense16", "steps=20", "--trials", "9"]) == 130
    output, errors = capsys.readouterr()
    (search,) = (path.stem for path in (tmp_path / "searches").glob("*.jsonl"))
    assert output == ""
    assert re.fullmatch(rf"The search {search} was stopped after \d of 9 trials; --resume {search} .*\n", errors)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trials", "0"], "trials must be a whole number from 1 to 500, not 0."),
        (["--trials", "many"], "trials must be a whole number from 1 to 500, not many."),
        (["--share", "0.9"], "share must be a number from 0.05 to 0.5, not 0.9."),
        (["--sampler", "grid"], "sampler must be one of random, tpe, not grid."),
        (["--over", "lr:9..1"], "lr must be a range whose lower end is below its upper end, not 9..1."),
        (["--set", "steps"], "--set takes FIELD=VALUE, not steps."),
        (["--set", "steps=0"], "steps must be a whole number from 1 to 10000000, not 0."),
        (["--preset", "ch06-search", "--set", "colour=3"], "field must be one of"),
        (["--preset", "d2-relu-he"], "--preset must be one of ch06-search, not d2-relu-he."),
        (["--resume", "nowhere", "--trials", "9", "--seed", "0", "--prune"], "--resume takes no --prune, --seed."),
        (["--worker", "tcp://127.0.0.1:9", "--resume", "nowhere"], "--worker takes no --resume."),
        (["--resume", "nowhere"], "There is no search nowhere here."),
        *(
            (["--worker", it], f"--worker must be an address such as tcp://192.168.0.5:8786, not {it}.")
            for it in (
                "elsewhere",
                "tcp://[::1:8786",
                "tcp://::1]:8786",
                "tcp://here:0",
                "tcp://here:65536",
                "tcp://:1",
            )
        ),
        (["--set", "data=mnist"], "The data set mnist is not on this computer"),
    ],
)
def test_errors_are_one_line(arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path))
    monkeypatch.delenv("KASANE_DATA", raising=False)
    assert main(["search", *arguments]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert len(errors.splitlines()) == 1
    assert said in errors


def test_fields_know_what_is_searched():
    assert set(SEARCHABLE) < set(FIELDS)
    assert not {"data", "steps", "seed", "evaluate_every", "loss"} & set(SEARCHABLE)
    assert isinstance(usual("optimizer"), Options)
