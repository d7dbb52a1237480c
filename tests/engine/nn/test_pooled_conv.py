"""A convolution and its pooling computed together: the same numbers as one after the other, and as PyTorch's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import nn
from engine.analysis.convolution import max_pool_loops
from engine.analysis.gradcheck import both_ways
from engine.nn import pooled_conv
from engine.nn.conv import FEW
from engine.nn.pooled_conv import PATCH, PooledConv2d
from tests.engine.differences import relative
from tests.engine.nn import planes
from tests.engine.nn.test_conv import pictures
from tests.engine.nn.test_layers import SEED, same
from tests.engine.textbook import conv2d_loops


@pytest.fixture(autouse=True, params=[pooled_conv.STRETCH, 400], ids=["at once", "in stretches"])
def stretch(request, monkeypatch):
    """Have test arrays computed at once, and a few window rows at a time."""
    monkeypatch.setattr(pooled_conv, "STRETCH", request.param)


def pair(filters, kernel, shape, *, window=2, seed=0, dtype=np.float32, before=(), **settings):
    """Return a built network of one convolution and its pooling, biases drawn too."""
    conv = nn.Conv2d(filters, kernel, **settings)
    net = nn.Sequential([*before, conv, nn.MaxPool2d(window)])
    rng = np.random.default_rng(seed)
    net.build(shape, rng=rng, dtype=dtype)
    if conv.bias:
        conv.bias.data[...] = rng.normal(0, 0.5, filters)
    return net


@st.composite
def cases(draw, size=9, few=1, most=FEW + 3, dtype=np.float32):
    """A network as from `pair`, with planes and a gradient of its output. The smallest picture is one window."""
    channels = draw(st.integers(1, 3))
    kernel = draw(st.integers(1, int((PATCH / channels) ** 0.5) - 1))
    padding = draw(st.integers(0, kernel - 1))
    side = st.integers(0, size).map(lambda more: max(1, kernel + 1 - 2 * padding) + more)
    height, width, n, seed = draw(side), draw(side), draw(st.integers(few, most)), draw(SEED)
    shape = (height, width, channels)
    net = pair(
        draw(st.integers(1, 5)), kernel, shape, padding=padding, seed=seed, dtype=dtype, bias=draw(st.booleans())
    )
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(height, channels, width, n)).astype(dtype)
    out_height, out_width, filters = net.out_shape
    dy = rng.normal(size=(out_height, filters, out_width, n)).astype(dtype)
    for array in (x, dy):
        array.setflags(write=False)
    return net, x, dy


def one_after_the_other(net, x, dy):
    """Return what the layers themselves make of a training pass: y and copies of the gradients."""
    y = x
    for layer in net.layers:
        y = layer.forward(y, training=True)
    y = y.copy()
    for layer in reversed(net.layers):
        dy = layer.backward(dy)
    return y, [parameter.grad.copy() for parameter in net.parameters().values()]


# ----------------------------------------------------------------------------------------------------------- oracles


@given(case=cases())
def test_it_is_pytorchs_convolution_and_pooling(case):
    net, x, dy = case
    (layer,) = net.in_training
    assert isinstance(layer, PooledConv2d)
    conv, pool = (planes.twin(one) for one in net.layers)
    y, _, gradients = planes.passes(torch.nn.Sequential(conv, pool), x, dy)
    same(net.forward(x, training=True), y)
    assert net.backward(dy) is None
    for parameter, gradient in zip(net.parameters().values(), gradients, strict=True):
        same(parameter.grad, gradient)


@given(case=cases(dtype=np.float64))
def test_it_is_both_layers_one_after_the_other(case):
    net, x, dy = case
    y, gradients = one_after_the_other(net, x, dy)
    np.testing.assert_allclose(net.forward(x, training=True), y, rtol=1e-11, atol=1e-11)
    net.backward(dy)
    for parameter, gradient in zip(net.parameters().values(), gradients, strict=True):
        np.testing.assert_allclose(parameter.grad, gradient, rtol=1e-10, atol=1e-10)


@given(kernel=st.integers(1, 4), padding=st.integers(0, 2), channels=st.integers(1, 2), bias=st.booleans(), seed=SEED)
def test_gradients_agree_with_central_differences(kernel, padding, channels, bias, seed):
    rng = np.random.default_rng(seed)
    conv = nn.Conv2d(2, kernel, padding=min(padding, kernel - 1), bias=bias)
    net = nn.Sequential([nn.ToPlanes(), conv, nn.MaxPool2d(2), nn.Flatten(planes=True), nn.Linear(3)])
    net.build((kernel + 2, kernel + 1, channels), rng=rng, dtype=np.float64)
    assert type(net.in_training[1]) is PooledConv2d
    x = rng.normal(size=(FEW, *net.in_shape))
    checked, _seconds = both_ways(net, nn.SoftmaxCrossEntropy(), x, rng.integers(0, 3, FEW))
    assert [one.name for one in checked] == list(net.parameters())
    for one in checked:
        assert relative(one.backward, one.numerical) <= 1e-6, one.name


@given(case=cases(size=3, few=FEW, most=FEW, dtype=np.float64))
def test_forward_is_the_textbooks_loops(case):
    net, x, _ = case
    conv = net.layers[0]
    bias = conv.bias.data if conv.bias else None
    outputs = conv2d_loops(pictures(x), conv.weight.data, bias, 1, conv.padding)
    expected = max_pool_loops(outputs, 2)
    np.testing.assert_allclose(pictures(net.forward(x, training=True)), expected, rtol=1e-11, atol=1e-11)


# ----------------------------------------------------------------------------------------------------- by themselves


@pytest.mark.parametrize("n", [FEW - 1, FEW])
def test_among_equals_one_gets_the_gradient(n):
    """On a blank picture all outputs of a window are equal: their gradient goes to the bias, and only once."""
    net = pair(3, 3, (8, 8, 1))
    x, dy = np.zeros((8, 1, 8, n), np.float32), np.ones((3, 3, 3, n), np.float32)
    y = net.forward(x, training=True)
    np.testing.assert_array_equal(y, np.broadcast_to(net.layers[0].bias.data[:, None, None], y.shape))
    net.backward(dy)
    np.testing.assert_array_equal(net.layers[0].bias.grad, 9 * n)
    assert not net.layers[0].weight.grad.any()
    net.forward(x + 1, training=True)
    net.backward(dy)
    np.testing.assert_array_equal(net.layers[0].weight.grad, 9 * n)


def test_batches_of_any_size_follow_each_other_and_evaluation_leaves_no_trace():
    net = pair(4, 3, (9, 7, 2), padding=1)
    rng = np.random.default_rng(0)
    first = rng.normal(size=(9, 2, 7, FEW)).astype(np.float32)
    dy = rng.normal(size=(4, 4, 3, FEW)).astype(np.float32)

    def gradients():
        y = net.forward(first, training=True).copy()
        net.backward(dy)
        return [y, *(parameter.grad.copy() for parameter in net.parameters().values())]

    before = gradients()
    for n in (1, FEW + 5, FEW - 1):
        x = rng.normal(size=(9, 2, 7, n)).astype(np.float32)
        net.forward(x, training=True)
        net.backward(rng.normal(size=(4, 4, 3, n)).astype(np.float32))
        net.forward(x, training=False)
    for then, now in zip(before, gradients(), strict=True):
        np.testing.assert_array_equal(now, then)


FITS = {"filters": 4, "kernel": 3, "shape": (12, 12, 1)}


@pytest.mark.parametrize(
    ("settings", "together"),
    [
        ({}, True),
        ({"kernel": 7}, True),
        ({"kernel": 8}, False),  # a patch of 81 numbers
        ({"shape": (12, 12, 4)}, True),
        ({"shape": (12, 12, 5)}, False),
        ({"stride": 2}, False),
        ({"window": 3}, False),
        ({"before": [nn.Conv2d(1, 3)]}, False),  # somebody asks for ∂loss/∂x
    ],
)
def test_a_pair_is_computed_together_where_that_gains(settings, together):
    net = pair(**(FITS | settings))
    assert any(isinstance(layer, PooledConv2d) for layer in net.in_training) is together
    if not together:
        assert net.in_training == net.layers


def test_only_training_does_so_and_a_replica_too():
    net = pair(**FITS)
    seen = []
    x = np.ones((12, 1, 12, FEW), np.float32)
    for one in (net, net.replica()):
        with one.register_forward_hook(lambda layer, y: seen.append(type(layer).__name__)):
            one.forward(x, training=True)
            one.forward(x, training=False)
        assert one.in_training[0].conv is one.layers[0]
    assert seen == ["PooledConv2d", "Conv2d", "MaxPool2d"] * 2


def test_released_arrays_are_made_anew():
    net = pair(**FITS)
    x = np.ones((12, 1, 12, FEW), np.float32)
    y = net.forward(x, training=True)
    net.release()
    assert not any(layer.workspace.arrays for layer in net.in_training)
    again = net.forward(x, training=True)
    assert not np.shares_memory(again, y)
    np.testing.assert_array_equal(again, y)
