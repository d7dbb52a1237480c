"""Every layer: right by central differences and by PyTorch, of the shape predicted, and leaving its inputs alone."""

import functools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import nn
from tests.engine.differences import both_ways, relative
from tests.engine.nn import planes
from tests.torch_oracle import arrays, twin

WIDTH = st.integers(1, 12)
ROWS = st.integers(2, 9)
SCALE = st.sampled_from([0.1, 1.0, 5.0])
SEED = st.integers(0, 2**32 - 1)

ACTIVATIONS = {
    kind.__name__: kind
    for kind in (nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Identity)
}
LAYERS = {
    "Linear": functools.partial(nn.Linear, 5),
    "Linear without bias": functools.partial(nn.Linear, 5, bias=False),
    "BatchNorm": nn.BatchNorm,
    "LayerNorm": nn.LayerNorm,
    "Dropout": lambda: nn.Dropout(0.4, rng=np.random.default_rng(np.random.SFC64(3))),
    "Flatten": nn.Flatten,
    **ACTIVATIONS,
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
every_activation = pytest.mark.parametrize("make", ACTIVATIONS.values(), ids=ACTIVATIONS)


def built(make, in_shape, dtype=np.float32, seed=0):
    """Return a layer with its predicted output shape; scales and shifts are drawn too, so that they matter."""
    rng = np.random.default_rng(seed)
    layer = make()
    layer.dtype = np.dtype(dtype)
    out_shape = layer.build(in_shape, rng=rng)
    for parameter in layer.parameters().values():
        parameter.data[...] += rng.normal(0, 0.5, parameter.data.shape)
    return layer, out_shape


def batch(make, n, width, scale, seed, dtype=np.float32):
    """Return a layer, an input and a gradient of its output, neither of which can be written to."""
    in_shape = (width, 2, 3) if make is nn.Flatten else (width,)
    layer, out_shape = built(make, in_shape, dtype, seed)
    rng = np.random.default_rng(seed)
    x = rng.normal(0, scale, (n, *in_shape))
    x = (x + np.copysign(1e-2, x)).astype(dtype)  # away from the kinks, where central differences see both sides
    dy = rng.normal(0, 1, (n, *out_shape)).astype(dtype)
    x.setflags(write=False)
    dy.setflags(write=False)
    return layer, x, dy


# --------------------------------------------------------------------------------------------------------- oracles


@every_layer
@given(n=ROWS, width=WIDTH, scale=SCALE, seed=SEED)
def test_gradients_agree_with_central_differences(make, n, width, scale, seed):
    layer, x, dy = batch(make, n, width, scale, seed, np.float64)
    # Normalization bends sharply where numbers are close.
    for name, (backward, numerical) in both_ways(layer, x.copy(), dy, h=2e-6).items():
        assert relative(backward, numerical) <= 1e-6 or np.abs(backward - numerical).max() <= 1e-8, name


@every_layer
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@given(n=ROWS, width=WIDTH, scale=SCALE, seed=SEED)
def test_forward_and_backward_are_pytorchs(make, training, n, width, scale, seed):
    if make is nn.LayerNorm or make is nn.BatchNorm:
        width, n = max(width, 4), max(n, 4)  # among two numbers nearly alike, float32 keeps no digits of the variance
    layer, x, dy = batch(make, n, width, scale, seed)
    module = twin(layer).train(training)
    y = layer.forward(x, training=training)
    tx = torch.tensor(x, requires_grad=True)
    ty = module(tx)
    same(y, ty.detach().numpy())
    dx = layer.backward(dy)
    ty.backward(torch.tensor(dy))
    same(dx, tx.grad.numpy())
    for parameter, gradient in zip(layer.parameters().values(), arrays(module, gradients=True), strict=True):
        same(parameter.grad, gradient)


def same(ours, theirs, tolerance=1e-5):
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * max(1.0, float(np.abs(theirs).max())))


TEXTBOOK = {
    nn.Sigmoid: lambda x: 1 / (1 + np.exp(-x)),
    nn.Tanh: lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    nn.ReLU: lambda x: np.where(x > 0, x, 0),
    nn.LeakyReLU: lambda x: np.where(x > 0, x, 0.01 * x),
    nn.ELU: lambda x: np.where(x > 0, x, np.exp(x) - 1),
    nn.GELU: lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    nn.SiLU: lambda x: x / (1 + np.exp(-x)),
    nn.Softplus: lambda x: np.log(1 + np.exp(x)),
    nn.Identity: lambda x: x,
}


@every_activation
def test_the_fast_kernel_is_the_textbooks_formula(make):
    x = np.linspace(-20, 20, 401)[None]
    layer, _ = built(make, (401,), np.float64)
    np.testing.assert_allclose(layer.forward(x, training=True), TEXTBOOK[make](x), rtol=1e-12, atol=1e-12)


def test_linear_and_the_normalizations_are_the_textbooks_formulas():
    layer, x, _ = batch(LAYERS["Linear"], 6, 4, 1.0, 1, np.float64)
    np.testing.assert_allclose(layer.forward(x, training=True), x @ layer.weight.data + layer.bias.data, rtol=1e-12)
    for make, axis in ((nn.BatchNorm, 0), (nn.LayerNorm, 1)):
        layer, x, _ = batch(make, 6, 4, 1.0, 1, np.float64)
        normal = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)
        expected = layer.weight.data * normal + layer.bias.data
        np.testing.assert_allclose(layer.forward(x, training=True), expected, rtol=1e-12, atol=1e-12)


@every_activation
def test_extreme_inputs_give_pytorchs_finite_values_and_slopes(make):
    x = np.array([[-1e4, -100, -30, -1e-4, 0, 1e-4, 30, 100, 1e4]], np.float32)
    layer, _ = built(make, x.shape[1:])
    tx = torch.tensor(x, requires_grad=True)
    y, ty = layer.forward(x, training=True), twin(layer)(tx)
    ty.sum().backward()
    same(y, ty.detach().numpy())
    same(layer.backward(np.ones_like(x)), tx.grad.numpy())


# ------------------------------------------------------------------------------------------------------- contracts


@every_layer
@given(n=ROWS, width=WIDTH, seed=SEED)
def test_the_predicted_shape_is_the_actual_one_and_the_type_is_kept(make, n, width, seed):
    layer, x, dy = batch(make, n, width, 1.0, seed)  # x and dy are read-only: writing to them would raise
    for training in (False, True):
        y = layer.forward(x, training=training)
        assert (y.shape, y.dtype) == (dy.shape, np.float32)
    dx = layer.backward(dy)
    assert (dx.shape, dx.dtype) == (x.shape, np.float32)
    for parameter in layer.parameters().values():
        assert (parameter.grad.shape, parameter.grad.dtype) == (parameter.data.shape, np.float32)


@every_layer
def test_backward_gives_the_same_twice_and_in_the_same_arrays(make):
    layer, x, dy = batch(make, 4, 3, 1.0, 0)
    layer.forward(x, training=True)
    first = layer.backward(dy)
    kept = first.copy()
    second = layer.backward(dy)
    np.testing.assert_array_equal(second, kept)
    assert np.shares_memory(first, second) or isinstance(layer, nn.Flatten)


@every_layer
def test_release_drops_the_work_arrays_and_nothing_else(make):
    layer, x, _ = batch(make, 4, 3, 1.0, 0)
    layer.release()  # before any were made, too
    before = layer.forward(x, training=False).copy()
    layer.release()
    assert not layer.workspace.arrays
    np.testing.assert_array_equal(layer.forward(x, training=False), before)


def test_layers_of_two_batch_sizes_do_not_disturb_each_other():
    layer, x, _ = batch(LAYERS["Linear"], 8, 3, 1.0, 0)
    whole = layer.forward(x, training=True)
    kept = whole.copy()
    layer.forward(-x[:3], training=False)
    np.testing.assert_array_equal(whole, kept)


def test_linear_wants_one_axis_and_says_so():
    with pytest.raises(ValueError, match=r"\(6, 6, 1\).*Flatten"):
        built(LAYERS["Linear"], (6, 6, 1))


def test_the_first_linear_layer_does_not_compute_what_nobody_needs():
    layer, x, dy = batch(LAYERS["Linear"], 4, 3, 1.0, 0)
    layer.needs_input_grad = False
    layer.forward(x, training=True)
    assert layer.backward(dy) is None
    assert layer.weight.grad.any()


# ------------------------------------------------------------------------------------------------------- BatchNorm


@given(width=WIDTH, sizes=st.lists(ROWS, min_size=1, max_size=6), momentum=st.floats(0.01, 1.0), seed=SEED)
def test_running_statistics_and_evaluation_are_pytorchs(width, sizes, momentum, seed):
    rng = np.random.default_rng(seed)
    layer, _ = built(functools.partial(nn.BatchNorm, momentum=momentum), (width,), seed=seed)
    module = twin(layer)
    assert module.momentum == momentum
    for n in sizes:
        x = rng.normal(2, 3, (n, width)).astype(np.float32)
        layer.forward(x, training=True)
        module(torch.from_numpy(x))
    same(layer.running_mean, module.running_mean.numpy())
    same(layer.running_var, module.running_var.numpy())
    kept = [array.copy() for array in layer.buffers().values()]
    same(layer.forward(x, training=False), module.eval()(torch.from_numpy(x)).detach().numpy())
    for array, before in zip(layer.buffers().values(), kept, strict=True):
        np.testing.assert_array_equal(array, before)  # looking changes nothing


def test_batch_norm_refuses_to_train_on_one_example():
    layer, x, _ = batch(nn.BatchNorm, 2, 3, 1.0, 0)
    with pytest.raises(ValueError, match="batch of one"):
        layer.forward(x[:1], training=True)
    assert layer.forward(x[:1], training=False).shape == (1, 3)


# --------------------------------------------------------------------------------------------------------- Dropout


def masks(rate, shape, seed=0, calls=1):
    """Return what dropout makes of ones, that is its masks, one after another."""
    layer = nn.Dropout(rate, rng=np.random.Generator(np.random.SFC64(seed)))
    return [layer.forward(np.ones(shape, np.float32), training=True).copy() for _ in range(calls)]


@given(rate=st.floats(0.001, 0.95), seed=SEED)
def test_dropout_switches_off_its_share_and_keeps_the_mean(rate, seed):
    (mask,) = masks(rate, (200, 100), seed)
    assert set(np.unique(mask)) <= {0, np.float32(1 / (1 - round(rate * 65536) / 65536))}
    spread = np.sqrt(rate * (1 - rate) / mask.size)
    assert abs(np.mean(mask == 0) - rate) < 6 * spread + 1 / 65536
    assert abs(mask.mean() - 1) < (6 * spread + 1 / 65536) / (1 - rate)


def test_dropout_draws_anew_at_every_step_and_alike_from_equal_seeds():
    first, second = masks(0.5, (20, 30), calls=2)
    assert (first != second).any()
    np.testing.assert_array_equal([first, second], masks(0.5, (20, 30), calls=2))
    assert (masks(0.5, (20, 30), seed=1)[0] != first).any()


@pytest.mark.parametrize(("rate", "training"), [(0.0, True), (0.5, False)])
def test_dropout_at_rest_hands_on_what_it_is_given(rate, training):
    layer = nn.Dropout(rate, rng=np.random.default_rng(0))
    x = np.ones((3, 5), np.float32)
    assert layer.forward(x, training=training) is x
    assert layer.backward(x) is x


@pytest.mark.parametrize("rate", [1, 1 - 1e-9])
def test_dropout_of_everything_leaves_nothing_as_pytorchs_does(rate):
    (mask,) = masks(rate, (3, 5))
    np.testing.assert_array_equal(mask, torch.nn.functional.dropout(torch.ones(3, 5), 1.0).numpy())


def test_dropout_lets_the_gradient_through_where_it_let_the_signal_through():
    layer, x, dy = batch(LAYERS["Dropout"], 9, 7, 1.0, 0)
    mask = layer.forward(x, training=True) / x
    np.testing.assert_allclose(layer.backward(dy), dy * mask, rtol=1e-6)


def test_the_rate_may_change_between_steps():
    layer = nn.Dropout(0.0, rng=np.random.default_rng(np.random.SFC64(0)))
    x = np.ones((50, 50), np.float32)
    assert layer.forward(x, training=True).all()
    layer.rate = 0.9
    assert np.mean(layer.forward(x, training=True) == 0) > 0.8
    layer.rate = 0.0
    assert layer.forward(x, training=True).all()


@every_layer
def test_every_layer_can_be_read(make):
    assert repr(make()).startswith(make().__class__.__name__ + "(")


# ---------------------------------------------------------------------------------------------------------- planes

PLANES = {
    "Conv2d": functools.partial(nn.Conv2d, 3, 3, stride=2, padding=1),
    "Conv2d without bias": functools.partial(nn.Conv2d, 2, 2, bias=False),
    "MaxPool2d": functools.partial(nn.MaxPool2d, 2),
    "MaxPool2d that overlaps": functools.partial(nn.MaxPool2d, 3, 2),
    "AvgPool2d": functools.partial(nn.AvgPool2d, 2),
    "AvgPool2d that overlaps": functools.partial(nn.AvgPool2d, 3, 1),
    "GlobalAvgPool": nn.GlobalAvgPool,
    "BatchNorm2d": nn.BatchNorm2d,
    "LayerNorm2d": nn.LayerNorm2d,
}
TRAVELLERS = {
    "Flatten": functools.partial(nn.Flatten, planes=True),
    **{k: LAYERS[k] for k in ("Dropout", *ACTIVATIONS)},
}
both_normalizations = pytest.mark.parametrize("make", [nn.BatchNorm2d, nn.LayerNorm2d])
every_kind_of_planes = pytest.mark.parametrize("make", PLANES.values(), ids=PLANES)
all_that_takes_planes = pytest.mark.parametrize(
    "make", [*PLANES.values(), *TRAVELLERS.values()], ids=[*PLANES, *TRAVELLERS]
)
SIDE = st.integers(3, 7)
CHANNELS = st.integers(1, 5)


def picture_batch(make, n, in_shape, seed=0, dtype=np.float32):
    """Return a layer, planes for it and a gradient of its output, neither of which can be written to.

    No two numbers of the planes are closer than 0.01, so that which is the largest is beyond doubt.
    """
    layer, out_shape = built(make, in_shape, dtype, seed)
    rng = np.random.default_rng(seed)
    height, width, channels = in_shape
    count = height * width * channels * n
    x = (rng.permutation(count) - count / 2 + 0.25).reshape(height, channels, width, n) * max(0.01, 4 / count)
    dy = rng.normal(0, 1, (out_shape[0], out_shape[2], out_shape[1], n) if len(out_shape) == 3 else (n, *out_shape))
    arrays = x.astype(dtype), dy.astype(dtype)
    for array in arrays:
        array.setflags(write=False)
    return layer, *arrays


@every_kind_of_planes
@given(n=st.integers(1, 3), height=st.integers(3, 5), width=st.integers(3, 5), channels=st.integers(1, 3), seed=SEED)
def test_gradients_of_planes_agree_with_central_differences(make, n, height, width, channels, seed):
    layer, x, dy = picture_batch(make, n, (height, width, channels), seed, np.float64)
    for name, gradients in both_ways(layer, x.copy(), dy).items():
        assert relative(*gradients) <= 1e-6, name


@every_kind_of_planes
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@given(n=st.integers(1, 5), height=SIDE, width=SIDE, channels=CHANNELS, seed=SEED)
def test_planes_are_pytorchs(make, training, n, height, width, channels, seed):
    layer, x, dy = picture_batch(make, n, (height, width, channels), seed)
    module = planes.twin(layer).train(training)
    y, dx, gradients = planes.passes(module, x, dy)
    same(layer.forward(x, training=training), y)
    same(layer.backward(dy), dx)
    for parameter, gradient in zip(layer.parameters().values(), gradients, strict=True):
        same(parameter.grad, gradient)


@all_that_takes_planes
@given(n=st.integers(1, 5), height=SIDE, width=SIDE, channels=CHANNELS, seed=SEED)
def test_planes_keep_their_type_and_have_the_predicted_shape(make, n, height, width, channels, seed):
    layer, x, dy = picture_batch(make, n, (height, width, channels), seed)  # writing to x or dy would raise
    for training in (False, True):
        y = layer.forward(x, training=training)
        assert (y.shape, y.dtype) == (dy.shape, np.float32)
    dx = layer.backward(dy)
    assert (dx.shape, dx.dtype) == (x.shape, np.float32)
    for parameter in layer.parameters().values():
        assert (parameter.grad.shape, parameter.grad.dtype) == (parameter.data.shape, np.float32)


def in_evaluation(layer, x, dy):
    """Return copies of y and ∂L/∂x, and of what the parameters got."""
    y = layer.forward(x, training=False).copy()
    return [y, layer.backward(dy).copy(), *(parameter.grad.copy() for parameter in layer.parameters().values())]


@all_that_takes_planes
@pytest.mark.parametrize("overwrites", [False, True], ids=["kept", "overwritten"])
@given(n=st.integers(1, 5), height=SIDE, width=SIDE, channels=CHANNELS, seed=SEED)
def test_planes_may_lie_channel_by_channel(make, overwrites, n, height, width, channels, seed):
    layer, x, dy = picture_batch(make, n, (height, width, channels), seed)
    expected = in_evaluation(layer, x, dy)
    layer.overwrites_input = overwrites
    lying = x.transpose(1, 0, 2, 3).copy().transpose(1, 0, 2, 3)
    for array, other in zip(in_evaluation(layer, lying, dy), expected, strict=True):
        same(array, other)


@all_that_takes_planes
def test_the_same_array_with_other_numbers_gives_others(make):
    layer, x, dy = picture_batch(make, 2, (6, 5, 2))
    reused = x.copy()
    layer.forward(reused, training=False)
    for other in (-x, x):
        np.copyto(reused, other)
        fresh, *_ = picture_batch(make, 2, (6, 5, 2))
        for array, expected in zip(in_evaluation(layer, reused, dy), in_evaluation(fresh, other, dy), strict=True):
            np.testing.assert_array_equal(array, expected)
        layer.release()


def work_arrays(layer):
    """Return the identities of all that a layer keeps from one step to the next."""
    return sorted(id(made) for kept in (layer.workspace.arrays, layer.workspace.made) for made in kept.values())


def there_and_back(layer, x, dy, n):
    """Return copies of y and ∂L/∂x for the first n pictures of a batch."""
    y = layer.forward(x[..., :n], training=True).copy()
    return y, layer.backward(dy[..., :n] if dy.ndim == 4 else dy[:n]).copy()


@all_that_takes_planes
def test_work_arrays_are_made_once_for_each_batch_size(make):
    layer, x, dy = picture_batch(make, 4, (6, 5, 2))
    made = []
    for n in (4, 4, 3, 4, 3, 4):
        there_and_back(layer, x, dy, n)
        made.append(work_arrays(layer))
    assert made[0] == made[1]
    assert set(made[1]) <= set(made[2])
    assert made[2] == made[3] == made[4] == made[5]


@every_kind_of_planes
def test_batches_of_other_sizes_and_a_release_in_between_change_nothing(make):
    layer, x, dy = picture_batch(make, 4, (6, 5, 2))
    first = there_and_back(layer, x, dy, 4)
    there_and_back(layer, x, dy, 1)
    there_and_back(layer, x, dy, 3)
    for before, after in zip(first, there_and_back(layer, x, dy, 4), strict=True):
        np.testing.assert_array_equal(before, after)
    layer.release()
    assert not work_arrays(layer)
    for before, after in zip(first, there_and_back(layer, x, dy, 4), strict=True):
        np.testing.assert_array_equal(before, after)


@every_activation
def test_an_activation_of_planes_is_that_of_their_numbers(make):
    layer, x, dy = picture_batch(make, 4, (5, 3, 2))
    flat, _ = built(make, (30,))
    np.testing.assert_array_equal(
        layer.forward(x, training=True).ravel(), flat.forward(x.reshape(4, 30), training=True).ravel()
    )
    np.testing.assert_array_equal(layer.backward(dy).ravel(), flat.backward(dy.reshape(4, 30)).ravel())


@given(n=st.integers(1, 4), height=SIDE, width=SIDE, channels=CHANNELS)
def test_pictures_become_planes_and_planes_rows(n, height, width, channels):
    x = np.arange(n * height * width * channels, dtype=np.float32).reshape(n, height, width, channels)
    enter, flatten = nn.ToPlanes(), nn.Flatten(planes=True)
    assert enter.build(x.shape[1:], rng=None) == x.shape[1:]
    assert flatten.build(x.shape[1:], rng=None) == (height * width * channels,)
    pictures = enter.forward(x, training=True)
    np.testing.assert_array_equal(pictures, np.moveaxis(x, (1, 3, 2, 0), (0, 1, 2, 3)))
    rows = flatten.forward(pictures, training=True)
    assert np.shares_memory(rows, pictures)
    np.testing.assert_array_equal(rows, x.transpose(0, 1, 3, 2).reshape(n, -1))
    np.testing.assert_array_equal(flatten.backward(rows), pictures)
    np.testing.assert_array_equal(enter.backward(pictures), x)


@pytest.mark.parametrize("pictures", [True, False])
def test_the_gradient_of_flattened_planes_lies_as_they_do(pictures):
    """Otherwise the next pass back over the planes would go through memory crosswise."""
    flatten, linear = nn.Flatten(planes=pictures), nn.Linear(4)
    shape = (5, 3, 4, 6) if pictures else (6, 5, 4, 3)
    (width,) = flatten.build((5, 4, 3), rng=None)
    linear.build((width,), rng=np.random.default_rng(0))
    linear.forward(flatten.forward(np.ones(shape, np.float32), training=True), training=True)
    dx = flatten.backward(linear.backward(np.ones((6, 4), np.float32)))
    assert dx.shape == shape
    assert dx.flags.c_contiguous


@both_normalizations
@given(n=st.integers(2, 4), height=SIDE, width=SIDE, channels=CHANNELS, seed=SEED)
def test_normalizations_of_pictures_are_the_textbooks_formulas(make, n, height, width, channels, seed):
    layer, x, _ = picture_batch(make, n, (height, width, channels), seed, np.float64)
    axis = (0, 2, 3) if make is nn.BatchNorm2d else (0, 1, 2)
    normal = (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 1e-5)
    expected = normal * layer.weight.data[:, None, None] + layer.bias.data[:, None, None]
    np.testing.assert_allclose(layer.forward(x, training=True), expected, rtol=1e-10, atol=1e-12)


@both_normalizations
@given(n=st.integers(4, 9), height=st.integers(1, 3), width=st.integers(1, 3), channels=CHANNELS, seed=SEED)
def test_normalizations_of_few_pixels_are_pytorchs(make, n, height, width, channels, seed):
    """In float64: of one number's variance, which is 0, PyTorch's float32 makes a few millionths."""
    layer, x, dy = picture_batch(make, n, (height, width, channels), seed, np.float64)
    y, dx, gradients = planes.passes(planes.twin(layer), x, dy)
    same(layer.forward(x, training=True), y)
    same(layer.backward(dy), dx)
    for parameter, gradient in zip(layer.parameters().values(), gradients, strict=True):
        same(parameter.grad, gradient)


@given(channels=CHANNELS, sizes=st.lists(ROWS, min_size=1, max_size=4), momentum=st.floats(0.01, 1.0), seed=SEED)
def test_running_statistics_of_pictures_are_pytorchs(channels, sizes, momentum, seed):
    rng = np.random.default_rng(seed)
    layer, _ = built(functools.partial(nn.BatchNorm2d, momentum=momentum), (4, 3, channels), seed=seed)
    module = planes.twin(layer)
    for n in sizes:
        x = rng.normal(2, 3, (4, channels, 3, n)).astype(np.float32)
        layer.forward(x, training=True)
        module(planes.to_torch(x))
    same(layer.running_mean, module.running_mean.numpy())
    same(layer.running_var, module.running_var.numpy())
    same(layer.forward(x, training=False), planes.from_torch(module.eval()(planes.to_torch(x))))


def test_batch_norm_of_pictures_wants_two_pixels_at_least():
    layer, x, _ = picture_batch(nn.BatchNorm2d, 2, (1, 1, 3))
    layer.forward(x, training=True)
    with pytest.raises(ValueError, match="batch of one"):
        layer.forward(x[..., :1], training=True)
    layer, x, _ = picture_batch(nn.BatchNorm2d, 1, (2, 1, 3))
    assert np.isfinite(layer.forward(x, training=True)).all()


@both_normalizations
def test_a_picture_of_one_colour_has_no_variance_and_does_no_harm(make):
    layer, _, dy = picture_batch(make, 3, (4, 4, 2))
    y = layer.forward(np.full(dy.shape, 7, np.float32), training=True)
    np.testing.assert_allclose(y, np.broadcast_to(layer.bias.data[:, None, None], y.shape), atol=1e-4)
    assert np.isfinite(layer.backward(dy)).all()


@all_that_takes_planes
def test_a_replica_shares_the_weights_and_nothing_else(make):
    layer, x, dy = picture_batch(make, 4, (6, 5, 2))
    expected = layer.forward(x, training=False).copy()
    other = layer.replica()
    np.testing.assert_array_equal(other.forward(x, training=False), expected)
    assert not set(work_arrays(layer)) & set(work_arrays(other))
    if make is nn.BatchNorm2d:
        return  # nobody goes backward through running averages
    layer.backward(dy)
    for name, parameter in layer.parameters().items():
        twin_of_it = other.parameters()[name]
        assert np.shares_memory(parameter.data, twin_of_it.data)
        assert not np.shares_memory(parameter.grad, twin_of_it.grad)
        assert parameter.grad.any()
        assert not twin_of_it.grad.any()
        assert parameter.decays == twin_of_it.decays


def test_a_replicas_dropout_follows_the_rate_of_the_original():
    layer = nn.Dropout(0.5, rng=np.random.Generator(np.random.SFC64(0)))
    other = layer.replica()
    layer.rate = 0.25
    assert other.rate == 0.25


@every_kind_of_planes
def test_every_layer_of_planes_can_be_read(make):
    assert repr(make()).startswith(make().__class__.__name__ + "(")


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Conv2d(30, 5), "Conv2d(30, 5)"),
        (nn.Conv2d(16, 3, stride=2, padding=1), "Conv2d(16, 3, stride=2, padding=1)"),
        (nn.MaxPool2d(2), "MaxPool2d(2)"),
        (nn.AvgPool2d(3, 2), "AvgPool2d(3, stride=2)"),
        (nn.GlobalAvgPool(), "GlobalAvgPool()"),
    ],
    ids=str,
)
def test_how_layers_of_planes_read(layer, text):
    assert repr(layer) == text


@pytest.mark.parametrize(
    "first",
    [[], [nn.Flatten], [nn.ReLU], [lambda: nn.Dropout(0.0, rng=np.random.default_rng(0))], [nn.Flatten, nn.ReLU]],
    ids=["itself", "flatten", "relu", "dropout at rest", "flatten and relu"],
)
def test_relu_does_not_write_over_what_the_caller_gave(first):
    """It does over what a layer with weights, normalization or pooling made, which nobody needs any more."""
    network = nn.Sequential([*(make() for make in first), nn.ReLU(), nn.Linear(3), nn.ReLU(), nn.Linear(2)])
    network.build((4,), rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    x.setflags(write=False)
    for training in (False, True):
        y = network.forward(x, training=training)
    network.backward(np.ones_like(y))
    assert [layer.overwrites_input for layer in network.layers if isinstance(layer, nn.ReLU)][-1]


@pytest.mark.parametrize(
    "last",
    [
        [nn.ReLU],
        [lambda: nn.Dropout(0.5, rng=np.random.default_rng(0)), nn.Sigmoid],
        [nn.ReLU, nn.Flatten],
        [nn.BatchNorm],
        [nn.LayerNorm, nn.Tanh],
    ],
    ids=["relu", "dropout and sigmoid", "relu and flatten", "batch norm", "layer norm and tanh"],
)
def test_no_layer_writes_over_the_gradient_that_the_caller_gave(last):
    """It does over one that another layer made, and what comes out is the same as if it did not."""
    network = nn.Sequential([nn.Linear(6), nn.BatchNorm(), nn.ReLU(), nn.Linear(3), *(make() for make in last)])
    network.build((4,), rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    dy = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)
    dy.setflags(write=False)
    network.forward(x, training=True)
    network.backward(dy)
    gradients = network.vector.grad.copy()
    assert [layer.overwrites_gradient for layer in network.layers[:3]] == [True] * 3
    for layer in network.layers:
        layer.overwrites_gradient = False
    network.backward(dy)
    np.testing.assert_array_equal(gradients, network.vector.grad)
