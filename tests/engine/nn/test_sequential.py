"""A network: all parameters in one vector, weights first; hooks that come off; a state that goes in and out whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import nn, optim
from tests.engine.memory import memory_of

KINDS = {
    "plain": lambda: [nn.Flatten(), nn.Linear(6), nn.ReLU(), nn.Linear(3)],
    "batch norm": lambda: [nn.Linear(6, bias=False), nn.BatchNorm(), nn.Tanh(), nn.Linear(3)],
    "layer norm": lambda: [nn.Linear(6, bias=False), nn.LayerNorm(), nn.GELU(), nn.Linear(3)],
    "dropout": lambda: [nn.Linear(6), nn.Sigmoid(), nn.Dropout(0.5, rng=np.random.default_rng(0)), nn.Linear(3)],
}
every_kind = pytest.mark.parametrize("layers", KINDS.values(), ids=KINDS)


def network(layers, in_shape=(5,), dtype=np.float32):
    net = nn.Sequential(layers())
    net.build(in_shape, rng=np.random.default_rng(0), dtype=dtype)
    return net


# ---------------------------------------------------------------------------------------------- the parameter vector


@every_kind
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_parameters_are_views_into_one_vector_weights_first(layers, dtype):
    net = network(layers, dtype=dtype)
    vector, parameters = net.vector, list(net.parameters().values())
    weights = [p for p in parameters if p.decays]
    places = [(p.data.__array_interface__["data"][0], p) for p in [*weights, *(p for p in parameters if not p.decays)]]
    start = vector.data.__array_interface__["data"][0]
    for address, parameter in places:
        assert address == start
        assert parameter.data.dtype == parameter.grad.dtype == dtype
        assert np.shares_memory(parameter.grad, vector.grad)
        start += parameter.data.nbytes
    assert vector.data.flags.c_contiguous
    assert vector.grad.flags.c_contiguous
    assert vector.data.size == vector.grad.size == sum(p.data.size for p in parameters)
    assert vector.n_decaying == sum(p.data.size for p in weights)


@every_kind
def test_only_the_weights_of_linear_layers_decay(layers):
    for name, parameter in network(layers).parameters().items():
        assert parameter.decays == (parameter.data.ndim == 2), name
        assert parameter.name == name


@every_kind
def test_to_move_the_vector_is_to_move_the_network(layers):
    net = network(layers)
    x = np.ones((4, 5), np.float32)
    before = net.forward(x).copy()
    net.vector.data *= 1.5
    assert (net.forward(x) != before).any()


def test_building_leaves_the_drawn_weights_as_they_were():
    layer = nn.Linear(6)
    alone = nn.Linear(6)
    nn.Sequential([layer]).build((5,), rng=np.random.default_rng(0))
    alone.build((5,), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(layer.weight.data, alone.weight.data)


@every_kind
def test_build_returns_the_shape_that_forward_gives(layers):
    net = network(layers)
    assert net.out_shape == (3,)
    assert net.forward(np.ones((4, 5), np.float32)).shape == (4, 3)
    for layer in net.layers:
        assert layer.out_shape == (3,) or layer.out_shape in ((5,), (6,))


def test_names_are_given_or_counted():
    first = nn.Linear(2)
    first.name = "first"
    net = nn.Sequential([first, nn.ReLU(), nn.Linear(2)])
    net.build((5,), rng=np.random.default_rng(0))
    assert list(net.parameters()) == ["first.weight", "first.bias", "2.weight", "2.bias"]
    assert repr(net) == "Sequential(\n  first: Linear(2)\n  1: ReLU()\n  2: Linear(2)\n)"


# ------------------------------------------------------------------------------------------------- passes and hooks


def test_backward_stops_where_no_layer_before_has_parameters():
    net = network(KINDS["plain"], (5, 1, 1))
    net.forward(np.ones((2, 5, 1, 1), np.float32), training=True)
    assert net.backward(np.ones((2, 3), np.float32)) is None
    assert net.layers[1].weight.grad.any()


@every_kind
def test_hooks_see_every_layer_until_they_are_removed(layers):
    net = network(layers)
    x, seen = np.ones((4, 5), np.float32), []
    with net.register_forward_hook(lambda layer, y: seen.append((layer, y.shape))):
        net.forward(x, training=True)
    assert seen == [(layer, (4, *layer.out_shape)) for layer in net.layers]
    net.forward(x, training=True)
    assert len(seen) == len(net.layers)


def test_a_handle_removes_its_own_hook_alone_and_may_be_asked_twice():
    net = network(KINDS["plain"])
    calls = []
    first, second = (net.register_forward_hook(lambda layer, y: calls.append(layer)) for _ in range(2))
    first.remove()
    first.remove()
    net.forward(np.ones((1, 5), np.float32))
    assert len(calls) == len(net.layers)
    second.remove()
    net.forward(np.ones((1, 5), np.float32))
    assert len(calls) == len(net.layers)


def test_the_same_hook_registered_twice_is_removed_once():
    net = network(KINDS["plain"])
    calls = []

    def hook(layer, y):
        calls.append(layer)

    first, _ = net.register_forward_hook(hook), net.register_forward_hook(hook)
    first.remove()
    first.remove()
    net.forward(np.ones((1, 5), np.float32))
    assert len(calls) == len(net.layers)


def test_a_hook_may_remove_itself_and_comes_off_when_something_fails():
    net = network(KINDS["plain"])
    calls = []

    def once(layer, y):
        calls.append(layer)
        handle.remove()

    handle = net.register_forward_hook(once)
    net.forward(np.ones((1, 5), np.float32))
    assert calls == net.layers[:1]
    with pytest.raises(KeyError), net.register_forward_hook(lambda layer, y: calls.append(layer)):
        raise KeyError
    net.forward(np.ones((1, 5), np.float32))
    assert len(calls) == 1


# -------------------------------------------------------------------------------------------------------- the state


@every_kind
def test_the_state_goes_round(layers):
    net, other = network(layers), network(layers)
    rng = np.random.default_rng(1)
    state = {name: rng.random(array.shape, np.float32) for name, array in net.state_dict().items()}
    net.load_state_dict(state)
    other.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(net.vector.data, other.vector.data)
    x = rng.standard_normal((4, 5), np.float32)
    np.testing.assert_array_equal(net.forward(x), other.forward(x))
    assert set(net.buffers()) <= set(state)


def test_the_state_is_a_copy():
    net = network(KINDS["batch norm"])
    for array in net.state_dict().values():
        array[...] = 7
    assert not (net.vector.data == 7).any()
    assert not (net.layers[1].running_mean == 7).any()


def spoil(**changes):
    """Return a function that changes the named arrays of a state; None takes one out."""

    def change(state):
        state |= changes
        return {name: array for name, array in state.items() if array is not None}

    return change


REFUSALS = {
    "missing": (spoil(**{"0.weight": None}), "0.weight"),
    "unknown": (spoil(extra=np.zeros(1)), "extra"),
    "misshapen": (spoil(**{"0.weight": np.zeros((6, 5))}), r"0.weight must have the shape \(5, 6\), not \(6, 5\)"),
    "a bias that would broadcast": (spoil(**{"3.bias": np.zeros(1)}), "3.bias must have the shape"),
    "NaN": (spoil(**{"0.weight": np.full((5, 6), np.nan)}), "0.weight must hold finite"),
    "beyond float32": (spoil(**{"0.weight": np.full((5, 6), 1e300)}), "0.weight must hold finite"),
    "whole numbers": (spoil(**{"0.weight": np.zeros((5, 6), int)}), "0.weight must hold floating-point"),
    "a running variance of infinity": (spoil(**{"1.running_var": np.full(6, np.inf)}), "running_var must hold finite"),
}


@pytest.mark.parametrize(("change", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, reason):
    net = network(KINDS["batch norm"])
    before = net.state_dict()
    with pytest.raises(ValueError, match=reason):
        net.load_state_dict(change({name: array + 1 for name, array in before.items()}))
    for name, array in net.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


# --------------------------------------------------------------------------------------------------- no allocation


WIDE = {
    "relu": lambda: [nn.Linear(256), nn.ReLU(), nn.Linear(256), nn.ReLU(), nn.Linear(10)],
    "gelu": lambda: [nn.Linear(256), nn.GELU(), nn.Linear(256), nn.SiLU(), nn.Linear(10)],
    "elu": lambda: [nn.Linear(256), nn.ELU(), nn.Linear(256), nn.Softplus(), nn.Linear(10)],
    "batch norm": lambda: [nn.Linear(256, bias=False), nn.BatchNorm(), nn.Tanh(), nn.Linear(10)],
    "layer norm": lambda: [nn.Linear(256, bias=False), nn.LayerNorm(), nn.LeakyReLU(), nn.Linear(10)],
}


STEPPERS = [optim.SGD, optim.Momentum, optim.Nesterov, optim.AdaGrad, optim.RMSProp, optim.Adam, optim.AdamW]
BATCH = 200  # one activation of 256 units then takes 200 KB
NUMPYS_OWN = 4 * np.getbufsize() + 4096  # a ufunc that broadcasts takes, and gives back, a buffer of 32 KB


@pytest.mark.parametrize("kind", STEPPERS)
@pytest.mark.parametrize("loss", [nn.SoftmaxCrossEntropy, nn.SumSquaredError])
@pytest.mark.parametrize("layers", WIDE.values(), ids=WIDE)
def test_a_training_step_allocates_nothing(layers, loss, kind):
    kept, peak = memory_of_steps(layers(), loss(), kind)
    assert kept < 2048
    assert peak < NUMPYS_OWN


def test_dropout_allocates_its_random_bits_and_no_more():
    """NumPy hands out raw bits in a new array only: 16 of them a unit."""
    rng = np.random.Generator(np.random.SFC64(0))
    layers = [nn.Linear(256), nn.Dropout(0.5, rng=rng), nn.Linear(10)]
    kept, peak = memory_of_steps(layers, nn.SoftmaxCrossEntropy(), optim.SGD)
    assert kept < 2048
    assert peak < NUMPYS_OWN + 2 * BATCH * 256


def memory_of_steps(layers, loss, kind):
    """Return how many bytes more are held after some steps than before, and at most at any moment between."""
    net = network(lambda: layers, (20,))
    optimizer = kind(net.vector, lr=0.01, l2=0.01, l1=0.001)
    rng = np.random.default_rng(0)
    x, labels = rng.random((BATCH, 20), np.float32), rng.integers(0, 10, BATCH)

    def step():
        loss.forward(net.forward(x, training=True), labels)
        net.backward(loss.backward())
        optimizer.step()

    return memory_of(step, steps=20)


@given(n=st.integers(1, 300))
def test_work_arrays_can_be_given_back(n):
    net = network(KINDS["plain"])
    net.forward(np.ones((n, 5), np.float32))
    net.release()
    assert not any(layer.workspace.arrays for layer in net.layers)
