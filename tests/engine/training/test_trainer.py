"""The training loop: what it reports, that it may be driven in any way, and that equal seeds mean equal bits."""

import gc
import time
from weakref import WeakValueDictionary

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import build, nn
from engine.fields import ExperimentError
from engine.training import metrics
from engine.training.events import Evaluated, Finished, Snapshot, Started, Step
from engine.training.trainer import Trainer
from tests.engine.training.kinds import KINDS, OPTIMIZERS, ended, same_run

# ------------------------------------------------------------------------------------------------------ what it tells


def test_the_events_come_in_order(blobs, small):
    trainer = Trainer(small.replace(steps=20), blobs, probe_every=10)
    told = [(type(event), getattr(event, "step", None)) for event in trainer]
    expected = [(Started, None), (Evaluated, 0), (Snapshot, 0)]
    for step in range(1, 21):
        expected += [(Snapshot, step)] * (step % 10 == 1)
        expected += [(Step, step)]
        expected += [(Evaluated, step)] * (step % 10 == 0)
    assert told == [*expected, (Finished, 20)]
    assert trainer.finished == Finished(20, "completed")
    assert list(trainer) == []


@pytest.mark.parametrize("kind", KINDS)
def test_looking_leaves_no_trace(blobs, small, kind):
    """Not in the weights, nor in running averages, nor in what dropout and batches will draw."""
    plain, looked = (Trainer(small.replace(**KINDS[kind]), blobs, probe_every=0) for _ in range(2))
    for _ in range(2):
        snapshot = looked.look()
        assert snapshot.step == looked.step
        assert all(layer.grad_norm > 0 and layer.update_ratio == 0 for layer in snapshot.layers)
        plain.advance(steps=7)
        looked.advance(steps=7)
        same_run(plain, looked)


def test_the_number_of_parameters_is_told(blobs, small):
    started = next(iter(Trainer(small, blobs)))
    assert started.parameters == (36 + 1) * 12 + (12 + 1) * 8 + (8 + 1) * 4


def test_the_loss_of_a_step_is_that_of_its_batch_before_the_update(blobs, small):
    trainer, twin = Trainer(small, blobs), Trainer(small, blobs)
    x, labels = twin.batches.next()
    expected = twin.loss.forward(twin.network.forward(x, training=True), labels)
    assert next(event.loss for event in trainer if isinstance(event, Step)) == expected


def test_one_step_of_sgd_is_the_textbooks(blobs, small):
    """w ← w − η ∂L/∂w, on the first batch of the twin's stream."""
    trainer, twin = Trainer(small, blobs), Trainer(small, blobs)
    trainer.advance(steps=1)
    x, labels = twin.batches.next()
    twin.loss.forward(twin.network.forward(x, training=True), labels)
    twin.network.backward(twin.loss.backward())
    expected = twin.network.vector.data - np.float32(small.lr) * twin.network.vector.grad
    np.testing.assert_allclose(trainer.network.vector.data, expected, rtol=1e-6, atol=1e-7)


def test_evaluation_measures_the_first_so_many_or_all(blobs, small):
    trainer = ended(small, blobs)
    whole, part = trainer.evaluate(limit=0), trainer.evaluate(limit=10)
    outputs = trainer.network.forward(np.multiply(blobs.x_test, blobs.scale, dtype=np.float32))
    right = outputs.argmax(axis=1) == blobs.y_test
    assert (whole.test_accuracy, part.test_accuracy) == (right.mean(), right[:10].mean())
    assert whole.step == 40


def test_it_learns(blobs, small):
    measured = ended(small.replace(steps=200, lr=0.1), blobs).evaluate(limit=0)
    assert measured.train_accuracy > 0.95
    assert measured.test_accuracy > 0.9


def test_epochs_and_seconds_are_counted(blobs, small):
    trainer = ended(small, blobs)
    assert trainer.epoch == 40 * 16 / 120
    seconds = trainer.history.loss.rows()[:, 2]
    assert (np.diff(seconds) > 0).all()
    assert trainer.seconds == seconds[-1]


# ------------------------------------------------------------------------------------------------------ equal seeds

every_kind = pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)


@every_kind
def test_equal_seeds_give_equal_bits_and_others_give_others(blobs, small, changes):
    experiment = small.replace(**changes)
    run = ended(experiment, blobs)
    same_run(run, ended(experiment, blobs))
    other = ended(experiment.replace(seed=1), blobs)
    assert (other.network.vector.data != run.network.vector.data).any()


@pytest.mark.parametrize(
    "changes",
    [{"dropout": 0.5}, {"optimizer": "adam"}, {"lr": 1.0}, {"batch_size": 3}, {"activation": "tanh"}, {"l2": 0.1}],
    ids=str,
)
def test_what_does_not_concern_the_initial_weights_leaves_them_to_the_bit(blobs, small, changes):
    plain, other = Trainer(small, blobs), Trainer(small.replace(**changes), blobs)
    np.testing.assert_array_equal(plain.network.vector.data, other.network.vector.data)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_normalization_leaves_the_weights_too(blobs, small, normalization):
    plain, other = Trainer(small, blobs), Trainer(small.replace(normalization=normalization), blobs)
    n = plain.network.vector.n_decaying
    np.testing.assert_array_equal(plain.network.vector.data[:n], other.network.vector.data[:n])


def test_dropout_does_not_change_the_batches(blobs, small):
    plain, other = Trainer(small, blobs), Trainer(small.replace(dropout=0.5), blobs)
    for trainer in (plain, other):
        trainer.advance(steps=13)
    np.testing.assert_array_equal(plain.batches.next()[1], other.batches.next()[1])


@pytest.mark.parametrize("every", [0, 1, 7])
def test_looking_does_not_change_the_run(blobs, small, every):
    experiment = small.replace(dropout=0.2, normalization="batch")
    plain, probed = ended(experiment, blobs, probe_every=25), ended(experiment, blobs, probe_every=every)
    probed.history.layers = plain.history.layers
    same_run(plain, probed)
    assert not probed.network._forward_hooks


# ---------------------------------------------------------------------------------------------- one workspace for all

PICTURES = {
    "convolution": {"network": "conv4@3p1 pool2 conv6@3p1 dense8", "dropout": 0.3},
    "normalized pictures": {"network": "conv4@3p1 pool2 avgpool2 conv6@1 gap", "normalization": "batch"},
    "layer-normalized pictures": {"network": "conv4@3s2 conv6@1 dense8", "normalization": "layer"},
}
SHARING = {**KINDS, **PICTURES}
SHARED_SEEDS = range(3)


@pytest.mark.parametrize("changes", SHARING.values(), ids=SHARING)
def test_runs_that_share_a_workspace_are_what_each_is_by_itself(blobs, small, monkeypatch, changes):
    """They take turns of one step, or one piece of an evaluation, and what they look at of each other is nothing."""
    monkeypatch.setattr(metrics, "CHUNK", 25)
    monkeypatch.setattr(metrics, "PICTURES", 25)
    experiments = [small.replace(seed=seed, steps=30, **changes) for seed in SHARED_SEEDS]
    workspaces = WeakValueDictionary()
    trainers = [Trainer(experiment, blobs, probe_every=7) for experiment in experiments]
    for trainer in trainers:
        trainer.work_in(workspaces)
    while [trainer.advance(seconds=0) for trainer in trainers] != [False] * len(trainers):
        pass
    for trainer, experiment in zip(trainers, experiments, strict=True):
        same_run(trainer, ended(experiment, blobs, probe_every=7))
    first, *others = (work_arrays(trainer) for trainer in trainers)
    assert first
    assert all(other == first for other in others)
    del trainer, trainers
    gc.collect()
    assert not workspaces


def test_runs_share_the_layers_that_are_the_same(blobs, small):
    workspaces = WeakValueDictionary()
    one, other = (
        Trainer(small.replace(network=network, activation="relu"), blobs)
        for network in ("dense12 dense8", "dense12 dense9")
    )
    for trainer in (one, other):
        trainer.work_in(workspaces)
    same = [a.workspace is b.workspace for a, b in zip(one.network.layers, other.network.layers, strict=True)]
    assert [layer.name for layer, is_same in zip(one.network.layers, same, strict=True) if is_same] == [
        "flatten", "dense1", "dense1.relu", "dense1.dropout",
    ]  # fmt: skip


def work_arrays(trainer):
    """Return the identities of the arrays that a run's layers work in."""
    networks = trainer.passes.networks if hasattr(trainer.passes, "networks") else [trainer.network]
    layers = [layer for network in networks for layer in {*network.layers, *network.in_training}]
    return {id(array) for layer in layers for array in layer.workspace.arrays.values()}


# --------------------------------------------------------------------------------------------------------- driving it


def one_at_a_time(trainer):
    while trainer.advance(steps=1):
        pass


def by_tiny_slices(trainer):
    while trainer.advance(seconds=0):
        pass


def by_uneven_steps(trainer):
    for steps in (3, 7, 1, 9, 100):
        trainer.advance(steps=steps)


def by_events(trainer):
    for _ in trainer:
        pass


def by_everything(trainer):
    next(iter(trainer))
    trainer.advance(steps=5)
    for event in trainer:
        if isinstance(event, Evaluated):
            break
    trainer.advance(seconds=0)
    trainer.advance()


@pytest.mark.parametrize(
    "drive",
    [one_at_a_time, by_tiny_slices, by_uneven_steps, by_events, by_everything],
    ids=lambda drive: drive.__name__,
)
def test_however_it_is_driven_the_run_is_the_same(blobs, small, drive):
    experiment = small.replace(dropout=0.2)
    trainer = Trainer(experiment, blobs)
    drive(trainer)
    same_run(trainer, ended(experiment, blobs))


@given(slices=st.lists(st.integers(1, 15), min_size=1, max_size=10))
def test_so_many_steps_are_so_many_steps(blobs, small, slices):
    trainer = Trainer(small, blobs)
    for steps in slices:
        before = trainer.step
        going = trainer.advance(steps=steps)
        assert trainer.step == min(before + steps, 40)
        assert going == (trainer.step < 40) == (trainer.finished is None)


def test_a_pause_finds_everything_recorded(blobs, small):
    """An evaluation due at the step of the pause is there, not only after the next step."""
    trainer = Trainer(small, blobs)
    trainer.advance(steps=10)
    assert trainer.step == 10
    assert trainer.history.evaluated.rows()[-1, 0] == 10


def test_the_last_step_finishes_the_run(blobs, small):
    trainer = Trainer(small, blobs)
    assert trainer.advance(steps=39)
    assert not trainer.advance(steps=1)
    assert trainer.finished == Finished(40, "completed")
    assert not trainer.advance(steps=1)
    assert trainer.step == 40


def test_seconds_bound_a_slice(blobs, small):
    trainer = Trainer(small.replace(steps=1_000_000, evaluate_every=100_000), blobs)
    start = time.perf_counter()
    assert trainer.advance(seconds=0.05)
    assert time.perf_counter() - start >= 0.05
    assert trainer.step > 0


# ----------------------------------------------------------------------------------------------------- changing course


def test_a_new_learning_rate_counts_from_the_next_step(blobs, small):
    trainer, twin = Trainer(small, blobs), Trainer(small, blobs)
    trainer.advance(steps=20)
    trainer.change(lr=0.5)
    trainer.advance()
    twin.advance(steps=20)
    twin.optimizer.lr = 0.5
    twin.advance()
    same_run(trainer, twin)
    assert trainer.experiment.lr == 0.5
    assert (trainer.network.vector.data != ended(small, blobs).network.vector.data).any()


def test_a_change_to_the_same_changes_nothing(blobs, small):
    experiment = small.replace(schedule="cosine", l2=0.01, dropout=0.2)
    trainer = Trainer(experiment, blobs)
    for _ in range(4):
        trainer.advance(steps=10)
        trainer.change(lr=experiment.lr, l2=0.01, l1=0.0, dropout=0.2, steps=40)
    same_run(trainer, ended(experiment, blobs))


def test_decay_and_dropout_may_change(blobs, small):
    trainer = Trainer(small.replace(network="dense12 drop.4 dense8"), blobs)
    trainer.change(l1=0.1, l2=0.2, dropout=0.5)
    assert (trainer.optimizer.l1, trainer.optimizer.l2) == (0.1, 0.2)
    rates = [layer.rate for layer in trainer.network.layers if isinstance(layer, nn.Dropout)]
    assert rates == [0.4, 0.5]  # what a token says stays


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.3, "optimizer": "adam", "lr": 0.01}], ids=str)
def test_a_completed_run_goes_on_with_more_steps(blobs, small, changes):
    experiment = small.replace(**changes)
    trainer = ended(experiment, blobs)
    trainer.change(steps=70)
    assert trainer.finished is None
    assert not trainer.advance()
    same_run(trainer, ended(experiment.replace(steps=70), blobs))


def test_fewer_steps_end_a_run_and_more_revive_it(blobs, small):
    trainer = Trainer(small, blobs)
    trainer.advance(steps=20)
    trainer.change(steps=5)
    assert not trainer.advance(steps=1)
    assert trainer.finished == Finished(20, "completed")
    trainer.change(lr=0.01)
    assert trainer.finished
    trainer.change(steps=40)
    trainer.advance()
    assert trainer.step == 40


def test_the_schedule_follows_the_new_length(blobs, small):
    trainer = Trainer(small.replace(schedule="cosine"), blobs)
    trainer.advance(steps=20)
    assert trainer.optimizer.current_lr == pytest.approx(0.5 * small.lr)
    trainer.change(steps=20)
    assert trainer.optimizer.current_lr == pytest.approx(0)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lr": -1}, ExperimentError),
        ({"dropout": 1}, ExperimentError),
        ({"steps": 0}, ExperimentError),
        ({"network": "dense5"}, ValueError),
        ({"seed": 3}, ValueError),
        ({"nonsense": 3}, ValueError),
    ],
    ids=str,
)
def test_an_illegal_change_is_refused_and_leaves_the_run_as_it_was(blobs, small, changes, error):
    trainer = Trainer(small, blobs)
    with pytest.raises(error, match=next(iter(changes))):
        trainer.change(**changes)
    trainer.advance()
    same_run(trainer, ended(small, blobs))


# -------------------------------------------------------------------------------------------------------- divergence

EXPLOSIONS = {
    "too long steps": {"lr": 100.0, "activation": "identity", "loss": "squared_error"},
    "relu": {"lr": 100.0, "initializer": "gauss", "sigma": 10.0},
    "momentum": {"lr": 100.0, "optimizer": "momentum", "loss": "squared_error", "activation": "softplus"},
    "adam": {"lr": 100.0, "optimizer": "adam", "loss": "squared_error", "activation": "gelu"},
    "batch norm": {"lr": 100.0, "normalization": "batch", "loss": "squared_error"},
    "layer norm": {"lr": 100.0, "normalization": "layer", "loss": "squared_error", "optimizer": "nesterov"},
    "decay": {"lr": 100.0, "l2": 10.0, "l1": 10.0},
}


@pytest.mark.parametrize("changes", EXPLOSIONS.values(), ids=EXPLOSIONS)
def test_divergence_ends_the_run_with_a_reason_and_no_warning(blobs, small, changes):
    trainer = Trainer(small.replace(network="dense12 dense8 dense8", steps=300, **changes), blobs, probe_every=1)
    *_, last = trainer
    assert isinstance(last, Finished)
    assert last.reason == "diverged"
    assert trainer.finished == last
    assert last.step < 300
    assert np.isfinite(trainer.history.loss.rows()).all()
    trainer.evaluate()
    trainer.change(steps=1000)
    assert not trainer.advance()
    assert trainer.step == last.step


def test_a_network_that_begins_with_far_too_large_weights_may_still_learn(blobs, small):
    huge = small.replace(network="dense24 " * 6, initializer="gauss", sigma=10.0, optimizer="adam", lr=0.1, steps=400)
    trainer = ended(huge, blobs)
    losses = trainer.history.evaluated.rows()[:, 1]
    assert trainer.finished.reason == "completed"
    assert losses[0] > 1e6
    assert losses[-1] < losses[0] / 10


def test_a_last_step_into_nothing_is_divergence_too(blobs, small):
    """No loss of these weights was measured, but they are seen all the same."""
    trainer = Trainer(small, blobs)
    trainer.advance(steps=39)
    trainer.optimizer.lr = np.inf
    trainer.advance()
    assert trainer.finished == Finished(40, "diverged")


def test_a_probe_looks_on_while_numbers_overflow(blobs, small):
    trainer = Trainer(small, blobs, probe_every=1)
    trainer.network.vector.data *= np.float32(1e30)
    *_, last = trainer
    assert last == Finished(1, "diverged")
    reading = trainer.history.latest.layers[-1]
    assert not np.isfinite(reading.mean)
    assert reading.activations.sum() == 0


@settings(max_examples=15)
@given(
    lr=st.sampled_from([1e-3, 0.1, 10.0, 100.0]),
    optimizer=st.sampled_from(OPTIMIZERS),
    activation=st.sampled_from(sorted(build.ACTIVATIONS)),
    initializer=st.sampled_from(sorted(build.INITIALIZERS)),
    normalization=st.sampled_from(sorted(build.NORMALIZATIONS)),
    loss=st.sampled_from(sorted(build.LOSSES)),
    schedule=st.sampled_from(sorted(build.SCHEDULES)),
    dropout=st.sampled_from([0.0, 0.5, 0.95]),
)
def test_any_experiment_ends_for_a_reason_and_without_a_warning(blobs, small, **changes):
    trainer = ended(small.replace(warmup=3, steps=25, **changes), blobs, probe_every=4)
    assert trainer.finished.reason in ("completed", "diverged")
    finite = np.isfinite(trainer.network.vector.data).all()
    assert finite or trainer.finished.reason == "diverged"


@pytest.mark.parametrize(("changes", "field"), [({"batch_size": 1}, "batch_size"), ({"train_size": 1}, "train_size")])
def test_batch_norm_on_single_examples_is_refused_before_it_starts(blobs, small, changes, field):
    experiment = small.replace(normalization="batch", **changes)
    with pytest.raises(ExperimentError, match="2 or more") as caught:
        Trainer(experiment, blobs.head(experiment.train_size))
    assert caught.value.field == field
