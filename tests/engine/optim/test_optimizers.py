"""Every optimizer: PyTorch's steps on the same gradients and on the same network; where it has none, the formula's."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine import nn, optim
from engine.nn.parameter import Parameter, ParameterVector
from engine.optim import optimizers
from tests import torch_oracle

KINDS = {
    "sgd": optim.SGD,
    "momentum": optim.Momentum,
    "nesterov": optim.Nesterov,
    "adagrad": optim.AdaGrad,
    "rmsprop": optim.RMSProp,
    "adam": optim.Adam,
    "adamw": optim.AdamW,
}
every_optimizer = pytest.mark.parametrize("name", KINDS)
SEED = st.integers(0, 2**32 - 1)

SETTINGS = {
    "sgd": st.just({}),
    "momentum": st.fixed_dictionaries({"momentum": st.floats(0, 0.99)}),
    "nesterov": st.fixed_dictionaries({"momentum": st.floats(0.01, 0.99)}),  # PyTorch refuses 0
    "adagrad": st.fixed_dictionaries({"initial_accumulator": st.floats(0, 1), "eps": st.floats(1e-6, 1e-2)}),
    "rmsprop": st.fixed_dictionaries({"alpha": st.floats(0, 0.999), "eps": st.floats(1e-6, 1e-2)}),
    "adam": st.fixed_dictionaries(
        {"beta1": st.floats(0, 0.99), "beta2": st.floats(0, 0.9999), "eps": st.floats(1e-6, 1e-2)}
    ),
}
SETTINGS["adamw"] = SETTINGS["adam"]


def vector(rng, weights=11, biases=5, dtype=np.float32):
    """Return a vector of one weight and one bias, and the two parameters."""
    parameters = [
        Parameter(rng.standard_normal(biases).astype(dtype), decays=False),
        Parameter(rng.standard_normal((weights, 1)).astype(dtype), decays=True),
    ]
    return ParameterVector(parameters, np.dtype(dtype)), parameters


# ------------------------------------------------------------------------------------------------ on equal gradients


@every_optimizer
@pytest.mark.parametrize("block", [4, 1000], ids=["in blocks", "whole"])
@given(data=st.data(), lr=st.floats(1e-4, 1.0), l2=st.sampled_from([0.0, 0.01, 0.5]), seed=SEED)
def test_steps_are_pytorchs(name, block, data, lr, l2, seed):
    """With any settings, in float64: a tiny ε makes much of the digits that float32 lacks."""
    settings = data.draw(SETTINGS[name])
    like_pytorch(name, settings, lr, l2, seed, block=block, dtype=np.float64, tolerance=1e-8)


@every_optimizer
@given(lr=st.floats(1e-4, 0.1), l2=st.sampled_from([0.0, 0.01]), seed=SEED)
def test_steps_in_float32_are_pytorchs(name, lr, l2, seed):
    like_pytorch(name, {}, lr, l2, seed)


def like_pytorch(name, settings, lr, l2, seed, *, block=optimizers.BLOCK, dtype=np.float32, tolerance=1e-5):
    """Make five steps with both on the same random gradients, and compare the parameters after each."""
    rng = np.random.default_rng(seed)
    ours, (bias, weight) = vector(rng, dtype=dtype)
    theirs = [torch.tensor(weight.data), torch.tensor(bias.data)]
    oracle = torch_oracle.OPTIMIZERS[name](
        [{"params": theirs[:1], "weight_decay": l2}, {"params": theirs[1:], "weight_decay": 0.0}], lr, **settings
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizers, "BLOCK", block)  # a block that holds weights and biases among them
        optimizer = KINDS[name](ours, lr=lr, l2=l2, **settings)
    for _ in range(5):
        ours.grad[:] = rng.standard_normal(ours.grad.size)
        theirs[0].grad, theirs[1].grad = torch.tensor(weight.grad), torch.tensor(bias.grad)
        optimizer.step()
        oracle.step()
        np.testing.assert_allclose(weight.data, theirs[0].numpy(), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(bias.data, theirs[1].numpy(), rtol=tolerance, atol=tolerance)


def textbook_adam(w, gradients, lr, beta1, beta2, eps):
    """Adam without bias correction, as the formula stands."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for g in gradients:
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        w = w - lr * m / (np.sqrt(v) + eps)
    return w


@pytest.mark.parametrize("name", ["adam", "adamw"])
@given(beta1=st.floats(0, 0.99), beta2=st.floats(0, 0.9999), eps=st.floats(1e-6, 1e-2), seed=SEED)
def test_adam_without_bias_correction_is_the_formula(name, beta1, beta2, eps, seed):
    rng = np.random.default_rng(seed)
    ours, _ = vector(rng)
    start, gradients = ours.data.astype(float), rng.standard_normal((5, ours.data.size))
    optimizer = KINDS[name](ours, lr=0.01, beta1=beta1, beta2=beta2, eps=eps, bias_correction=False)
    for gradient in gradients:
        ours.grad[:] = gradient
        optimizer.step()
    expected = textbook_adam(start, gradients, 0.01, beta1, beta2, eps)
    np.testing.assert_allclose(ours.data, expected, rtol=1e-4, atol=1e-5)


@every_optimizer
@given(l1=st.floats(0, 0.5), seed=SEED)
def test_l1_decay_adds_the_sign_to_the_gradient_of_weights_alone(name, l1, seed):
    """One optimizer decays by itself, its twin is given λ sign(W) with the gradient."""
    rng = np.random.default_rng(seed)
    ours, _ = vector(rng)
    twin, (_, other) = vector(np.random.default_rng(seed))
    decaying, plain = KINDS[name](ours, lr=0.1, l1=l1), KINDS[name](twin, lr=0.1)
    for _ in range(5):
        ours.grad[:] = twin.grad[:] = rng.standard_normal(ours.grad.size)
        other.grad += np.float32(l1) * np.sign(other.data)
        decaying.step()
        plain.step()
        np.testing.assert_allclose(ours.data, twin.data, rtol=1e-5, atol=1e-6)


@every_optimizer
@pytest.mark.parametrize("decay", [{"l1": 0.1}, {"l2": 0.1}], ids=str)
def test_decay_leaves_biases_and_normalization_alone_and_shrinks_weights(name, decay):
    ours, (bias, weight) = vector(np.random.default_rng(0))
    before, size = bias.data.copy(), np.abs(weight.data).sum()
    optimizer = KINDS[name](ours, lr=0.01, **decay)
    for _ in range(5):
        ours.grad.fill(0)
        optimizer.step()
    np.testing.assert_array_equal(bias.data, before)
    assert np.abs(weight.data).sum() < size


def test_adamws_decay_does_not_pass_through_its_moments():
    ours, (_, weight) = vector(np.random.default_rng(0))
    before = weight.data.copy()
    optim.AdamW(ours, lr=0.1, l2=0.5).step()
    np.testing.assert_allclose(weight.data, before * (1 - 0.1 * 0.5), rtol=1e-6)


@every_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_has_faded_is_forgotten_and_nothing_else_changes(monkeypatch, name, dtype):
    """Weights whose gradient stays zero leave no denormal numbers behind, which are slow; the steps are the same."""
    results, faded = [], []
    for every in (optimizers.CLEAR_EVERY, 10**9):
        monkeypatch.setattr(optimizers, "CLEAR_EVERY", every)
        parameters, _ = vector(np.random.default_rng(3), dtype=dtype)
        optimizer = KINDS[name](parameters, lr=0.01)
        for step in range(150 * 64):
            parameters.grad[...] = 0
            if step == 0:
                parameters.grad[:4] = 1, -1e-10, 1e-16, -1e-30
            elif step == 7000:
                parameters.grad[:3] = 0.5
            optimizer.step()
        results.append(parameters.data)
        memory = np.abs(np.concatenate([*optimizer.memory.values(), np.zeros(1, dtype)]))
        faded.append(np.count_nonzero((memory > 0) & (memory < np.finfo(dtype).tiny)))
    np.testing.assert_allclose(*results, rtol=1e-6)
    assert faded[0] == 0
    if dtype == np.float32 and name in ("momentum", "nesterov", "adam", "adamw"):
        assert faded[1]  # 0.9 times the smallest number is rounded to itself


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_a_memory_that_diverged_is_not_mended(name):
    parameters, _ = vector(np.random.default_rng(3))
    optimizer = KINDS[name](parameters, lr=0.01)
    for memory in optimizer.memory.values():
        memory[:2] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        for _ in range(optimizers.CLEAR_EVERY):
            parameters.grad[...] = 0
            optimizer.step()
    assert all(np.isnan(memory[0]) and np.isinf(memory[1]) for memory in optimizer.memory.values())


@every_optimizer
@pytest.mark.parametrize("size", [1, 7, 500])
def test_two_cores_make_the_same_step(monkeypatch, name, size):
    """Every number is moved once, whatever the blocks and whoever moves them, and the two share no work array."""
    monkeypatch.setattr(optimizers, "BLOCK", 16)

    def at_once(move):
        second = threading.Thread(target=move, args=(1,))
        second.start()
        move(0)
        second.join()

    results = []
    for both in (nn.in_turn, at_once):
        rng = np.random.default_rng(3)
        parameters, _ = vector(rng, weights=size)
        optimizer = KINDS[name](parameters, lr=0.01, l2=0.1, l1=0.01)
        starts = optimizer._blocks[0].work, (optimizer._blocks * 2)[1].work
        assert (len(optimizer._blocks) == 1) or not np.shares_memory(*starts)
        for _ in range(3):
            parameters.grad[...] = rng.standard_normal(parameters.grad.size)
            optimizer.step(both)
        results.append(parameters.data)
    np.testing.assert_array_equal(*results)


# ------------------------------------------------------------------------------------------------- on equal networks


def smooth(layer):
    return lambda: [nn.Linear(8), layer(), nn.Linear(3)]


NETWORKS = {
    kind.__name__: smooth(kind)
    for kind in (nn.Sigmoid, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Identity)
} | {
    "BatchNorm": lambda: [nn.Linear(8, bias=False), nn.BatchNorm(), nn.Tanh(), nn.Linear(3)],
    "LayerNorm": lambda: [nn.Linear(8, bias=False), nn.LayerNorm(), nn.Tanh(), nn.Linear(3)],
    "Dropout": lambda: [
        nn.Linear(8),
        nn.Tanh(),
        nn.Dropout(0.3, rng=np.random.default_rng(np.random.SFC64(0))),
        nn.Linear(3),
    ],
    "no bias": lambda: [nn.Linear(8, bias=False), nn.Tanh(), nn.Linear(3, bias=False)],
    "Flatten": lambda: [nn.Flatten(), nn.Linear(8), nn.Tanh(), nn.Linear(3)],
}


def pytorchs_loss(kind, outputs, labels):
    if kind is nn.SoftmaxCrossEntropy:
        return torch.nn.functional.cross_entropy(outputs, labels)
    return 0.5 * ((outputs - torch.nn.functional.one_hot(labels, 3)) ** 2).sum() / len(outputs)


def five_steps(layers, name, *, loss=nn.SoftmaxCrossEntropy, l2=0.0, lr=0.05, seed=0):
    """Train both networks on the same five batches and compare outputs, losses, gradients and parameters at each."""
    rng = np.random.default_rng(seed)
    net = nn.Sequential(layers())
    net.build((4,), rng=rng)
    module = torch_oracle.twin(net)
    settings = {"eps": 1e-3} if name.startswith(("a", "r")) else {}  # a smaller ε makes rounding errors into steps
    optimizer = KINDS[name](net.vector, lr=lr, l2=l2, **settings)
    oracle = torch_oracle.OPTIMIZERS[name](torch_oracle.groups(module, l2), lr, **settings)
    ours = loss()
    for _ in range(5):
        x, labels = rng.standard_normal((12, 4)).astype(np.float32), rng.integers(0, 3, 12)
        value = ours.forward(net.forward(x, training=True), labels)
        net.backward(ours.backward())
        oracle.zero_grad()
        theirs = pytorchs_loss(loss, module(torch.from_numpy(x)), torch.from_numpy(labels))
        theirs.backward()
        assert value == pytest.approx(theirs.item(), rel=1e-5, abs=1e-5)
        for parameter, gradient in zip(
            net.parameters().values(), torch_oracle.arrays(module, gradients=True), strict=True
        ):
            np.testing.assert_allclose(parameter.grad, gradient, rtol=1e-5, atol=1e-5, err_msg=parameter.name)
        optimizer.step()
        oracle.step()
        for parameter, expected in zip(net.parameters().values(), torch_oracle.arrays(module), strict=True):
            np.testing.assert_allclose(parameter.data, expected, rtol=1e-5, atol=1e-5, err_msg=parameter.name)


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
@given(seed=SEED)
def test_five_steps_of_every_layer_are_pytorchs(layers, seed):
    five_steps(layers, "momentum", seed=seed)


@every_optimizer
@pytest.mark.parametrize("l2", [0.0, 0.1])
@given(seed=SEED)
def test_five_steps_of_every_optimizer_are_pytorchs(name, l2, seed):
    five_steps(NETWORKS["Tanh"], name, l2=l2, lr=0.01, seed=seed)


@given(seed=SEED)
def test_five_steps_on_squared_errors_are_pytorchs(seed):
    five_steps(NETWORKS["Tanh"], "sgd", loss=nn.SumSquaredError, seed=seed)


# ------------------------------------------------------------------------------------------------------- the base


def test_the_rate_follows_the_schedule_and_may_be_changed():
    ours, _ = vector(np.random.default_rng(0))
    optimizer = optim.SGD(ours, lr=1.0, schedule=optim.Step(2, 0.1))
    rates = []
    for step in range(6):
        if step == 4:
            optimizer.lr = 10.0
        rates.append(optimizer.current_lr)
        before = ours.data.copy()
        ours.grad.fill(1)
        optimizer.step()
        np.testing.assert_allclose(before - ours.data, rates[-1], rtol=1e-5)
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.1, 0.1])


@every_optimizer
def test_the_memory_goes_round(name):
    rng = np.random.default_rng(0)
    ours, _ = vector(rng)
    optimizer = KINDS[name](ours, lr=0.1)
    gradients = rng.standard_normal((6, ours.data.size)).astype(np.float32)

    def step(vector, optimizer, gradient):
        vector.grad[:] = gradient
        optimizer.step()

    for gradient in gradients[:3]:
        step(ours, optimizer, gradient)
    other, _ = vector(rng)
    other.data[:] = ours.data
    heir = KINDS[name](other, lr=0.1)
    heir.load_state_dict(optimizer.state_dict(), optimizer.iteration)
    for gradient in gradients[3:]:
        step(ours, optimizer, gradient)
        step(other, heir, gradient)
    np.testing.assert_array_equal(ours.data, other.data)


@every_optimizer
def test_the_memory_of_another_is_refused(name):
    optimizer = KINDS[name](vector(np.random.default_rng(0))[0], lr=0.1)
    larger = KINDS[name](vector(np.random.default_rng(0), weights=12)[0], lr=0.1)
    strange = {"something": np.zeros(16, np.float32)}
    for state in [larger.state_dict() or strange, strange]:
        with pytest.raises(ValueError, match=r"shape|belong"):
            optimizer.load_state_dict(state, 3)
    assert optimizer.iteration == 0


def test_an_optimizer_without_an_equation_says_so():
    ours, _ = vector(np.random.default_rng(0))
    with pytest.raises(NotImplementedError):
        optimizers.Optimizer(ours, lr=0.1).step()


def test_networks_larger_than_a_block_are_stepped_whole():
    ours, _ = vector(np.random.default_rng(0), weights=optimizers.BLOCK + 3, biases=optimizers.BLOCK + 5)
    before = ours.data.copy()
    ours.grad.fill(1)
    optim.SGD(ours, lr=0.5).step()
    np.testing.assert_array_equal(ours.data, before - np.float32(0.5))
