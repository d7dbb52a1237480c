"""Two halves of a batch are the batch: the same outputs and gradients, and the same bits on one thread and on two."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import build, nn
from engine.experiment import Experiment
from engine.nn import DataParallel
from engine.optim import optimizers
from engine.training.trainer import Trainer
from tests.engine.nn.test_layers import SEED, work_arrays
from tests.engine.training.kinds import ended, same_run

SHAPE, CLASSES = (8, 7, 2), 3
NETWORKS = {
    "max pooling": {"network": "conv4@3p1 pool2 conv5@2 dense6"},
    "average pooling": {"network": "conv4@3s2 avgpool2 dense6", "activation": "tanh"},
    "global pooling": {"network": "conv4@3 conv5@3 gap", "activation": "gelu"},
    "layer norm": {"network": "conv4@3 pool2 dense6", "normalization": "layer"},
    "fully connected": {"network": "dense6 dense5"},
}
every_network = pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)


def network_of(**settings):
    return build.build_network(Experiment(initializer="xavier_normal", **settings), SHAPE, CLASSES)


def halved(threads=1, seed=1, **settings):
    return DataParallel(network_of(**settings), rng=build.stream(seed, "second"), threads=threads)


def batch(n, seed=0):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(n, *SHAPE)).astype(np.float32), rng.normal(size=(n, CLASSES)).astype(np.float32)
    x.setflags(write=False)
    dy.setflags(write=False)
    return x, dy


def step(passes, vector, x, dy):
    """Return copies of the outputs and of the gradient."""
    y = passes.forward(x, training=True).copy()
    passes.backward(dy)
    return y, vector.grad.copy()


@every_network
@given(n=st.integers(1, 9), seed=SEED)
def test_the_halves_are_the_whole(settings, n, seed):
    plain, passes = network_of(**settings), halved(**settings)
    expected = step(plain, plain.vector, *batch(n, seed))
    for ours, theirs in zip(step(passes, passes.network.vector, *batch(n, seed)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


@every_network
def test_two_threads_and_one_give_the_same_bits(settings):
    one, two = (halved(threads, dropout=0.3, **settings) for threads in (1, 2))
    for n in (6, 7, 1, 2, 6):
        x, dy = batch(n, seed=n)
        for a, b in zip(step(one, one.network.vector, x, dy), step(two, two.network.vector, x, dy), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [1, 2])
def test_batches_of_any_size_may_follow_each_other(threads):
    passes = halved(threads, **NETWORKS["max pooling"])
    first = step(passes, passes.network.vector, *batch(8))
    for n in (1, 3, 8):
        latest = step(passes, passes.network.vector, *batch(n))
        assert len(latest[0]) == n
    for before, after in zip(first, latest, strict=True):
        np.testing.assert_array_equal(before, after)


@every_network
def test_work_arrays_are_made_once(settings):
    passes = halved(**settings)
    x, dy = batch(6)
    made = []
    for _ in range(3):
        outputs = passes.forward(x, training=True)
        passes.backward(dy)
        made.append([id(outputs), *(work_arrays(layer) for net in passes.networks for layer in net.in_training)])
    assert made[0] == made[1] == made[2]


def test_the_replica_has_the_networks_weights_now_and_later():
    passes = halved(**NETWORKS["max pooling"])
    original, replica = passes.networks
    assert original is passes.network
    assert replica.vector.data is original.vector.data
    assert not np.shares_memory(replica.vector.grad, original.vector.grad)
    original.vector.data[...] = np.arange(original.vector.data.size)
    for name, parameter in original.parameters().items():
        other = replica.parameters()[name]
        np.testing.assert_array_equal(other.data, parameter.data)
        assert np.shares_memory(other.grad, replica.vector.grad)
        assert other.decays == parameter.decays
    assert [(layer.name, repr(layer), layer.needs_input_grad) for layer in replica.layers] == [
        (layer.name, repr(layer), layer.needs_input_grad) for layer in original.layers
    ]


def test_the_gradient_of_one_picture_is_not_that_of_the_batch_before():
    passes, plain = (make(**NETWORKS["max pooling"]) for make in (halved, network_of))
    step(passes, passes.network.vector, *batch(8))
    expected = step(plain, plain.vector, *batch(1))[1]
    np.testing.assert_allclose(step(passes, passes.network.vector, *batch(1))[1], expected, rtol=1e-5, atol=1e-6)


def test_both_halves_drop_units_of_their_own():
    passes = halved(network="conv4@3 dense40", dropout=0.5)
    passes.forward(batch(6)[0], training=True)
    first, second = ([layer for layer in net.layers if isinstance(layer, nn.Dropout)] for net in passes.networks)
    assert len(first) == 2
    for a, b in zip(first, second, strict=True):
        assert a._mask.shape == b._mask.shape
        assert (a._mask != b._mask).any()
        assert a.rng is not b.rng
    assert len({id(layer.rng) for layer in second}) == 1


def test_the_first_half_draws_what_it_would_draw_alone():
    passes, plain = (make(network="conv4@3 dense40", dropout=0.5) for make in (halved, network_of))
    x, _ = batch(6)
    expected = plain.forward(x[:3], training=True)
    np.testing.assert_array_equal(passes.forward(x, training=True)[:3], expected)


def test_a_change_of_dropout_reaches_both_halves():
    passes = halved(network="conv4@3 drop.4 dense5", dropout=0.1)
    build.set_dropout(passes.network, 0.3)
    for net in passes.networks:
        assert [layer.rate for layer in net.layers if isinstance(layer, nn.Dropout)] == [0.4, 0.3]


def test_evaluation_drops_nothing():
    passes, plain = (make(network="conv4@3 dense6", dropout=0.5) for make in (halved, network_of))
    x, _ = batch(6)
    np.testing.assert_allclose(
        passes.forward(x, training=False), plain.forward(x, training=False), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(("normalization", "suits"), [("none", True), ("layer", True), ("batch", False)])
@pytest.mark.parametrize("network", ["conv4@3 gap", "dense5"])
def test_what_looks_at_the_whole_batch_cannot_be_halved(network, normalization, suits):
    assert DataParallel.suits(network_of(network=network, normalization=normalization)) == suits


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_the_second_half_is_heard(threads):
    passes = halved(threads, **NETWORKS["max pooling"])

    def fail(*arguments, **settings):
        raise ArithmeticError("of the second half")

    passes.networks[1].forward = fail
    with pytest.raises(ArithmeticError, match="second half"):
        passes.forward(batch(4)[0], training=True)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_the_caller_takes_for_granted_holds_in_both_halves(threads):
    """A run that diverges is reported and not warned about: `np.errstate` must reach the other thread too."""
    passes = halved(threads, network="conv4@3 avgpool2 dense6", activation="identity")
    passes.network.vector.data *= np.float32(1e30)
    x, dy = batch(4)
    with np.errstate(over="ignore", invalid="ignore"):
        assert not np.isfinite(step(passes, passes.network.vector, x, dy)[0]).all()


# ------------------------------------------------------------------------------------------------------- in training

RUNS = {
    "plain": {},
    "dropout": {"dropout": 0.3},
    "augmented": {"shift": 1, "rotation": 10, "elastic": 0.5},
    "averaged": {"ema": 0.9},
    "everything": {
        "dropout": 0.2, "shift": 1, "scale": 0.1, "ema": 0.9, "optimizer": "adam", "lr": 0.01, "l2": 0.01,
        "normalization": "layer", "batch_size": 7,
    },
    "batch norm": {"normalization": "batch"},
}  # fmt: skip


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_a_run_is_the_same_on_one_thread_and_on_two(blobs, small, changes):
    experiment = small.replace(network="conv4@3p1 pool2 conv5@2 dense8", **changes)
    one, two = (ended(experiment, blobs, threads=threads) for threads in (1, 2))
    same_run(one, two)
    if experiment.ema:
        np.testing.assert_array_equal(one.average.values, two.average.values)
    assert one.evaluate(limit=0) == two.evaluate(limit=0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_every_parameter_moves_whatever_the_batch_and_the_threads(blobs, small, monkeypatch, batch_size, threads):
    experiment = small.replace(network="conv4@3p1 pool2 dense8", batch_size=batch_size)
    whole = ended(experiment, blobs)
    monkeypatch.setattr(optimizers, "BLOCK", 16)
    in_blocks = ended(experiment, blobs, threads=threads)
    assert len(in_blocks.optimizer._blocks) > 10
    same_run(whole, in_blocks)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_that_diverges_is_reported_on_any_number_of_threads(blobs, small, threads):
    experiment = small.replace(network="conv4@3 avgpool2 dense8", lr=100.0, loss="squared_error", activation="softplus")
    trainer = Trainer(experiment, blobs, threads=threads)
    trainer.network.vector.data *= np.float32(1e20)
    trainer.advance()
    assert trainer.finished.reason == "diverged"


def test_the_halves_of_a_run_drop_units_of_their_own(blobs, small):
    trainer = Trainer(small.replace(network="conv4@3 dense40", dropout=0.5), blobs)
    trainer.advance(steps=1)
    masks = [[layer._mask for layer in net.layers if isinstance(layer, nn.Dropout)] for net in trainer.passes.networks]
    for first, second in zip(*masks, strict=True):
        assert first.shape == second.shape
        assert 0.3 < np.mean(first != second) < 0.7  # as often as two coins differ


def test_only_networks_that_convolve_and_suit_are_halved(blobs, small):
    for changes, kind in (
        ({"network": "conv4@3"}, DataParallel),
        ({"network": "conv4@3", "normalization": "layer"}, DataParallel),
        ({"network": "conv4@3", "normalization": "batch"}, nn.Sequential),
        ({"network": "pool2 dense5"}, nn.Sequential),
        ({"network": "dense5"}, nn.Sequential),
    ):
        assert type(Trainer(small.replace(**changes), blobs).passes) is kind, changes
