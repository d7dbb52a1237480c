"""The graph against PyTorch: any expression of its operations, and the examples that the page draws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis import graph
from engine.analysis.graph import (
    ACTIVATIONS,
    ADD,
    DIVIDE,
    EXP,
    HALF_SQUARE,
    LOG,
    MULTIPLY,
    RELU,
    SIGMOID,
    SUBTRACT,
    TANH,
    apply,
    cross_entropy,
    losses,
    scale,
    softmax,
    squared_error,
    squared_error_limit,
    value,
)

TORCH = {
    ADD: lambda a, b: a + b,
    SUBTRACT: lambda a, b: a - b,
    MULTIPLY: lambda a, b: a * b,
    DIVIDE: lambda a, b: a / b,
    EXP: torch.exp,
    LOG: torch.log,
    SIGMOID: torch.sigmoid,
    TANH: torch.tanh,
    RELU: torch.relu,
    HALF_SQUARE: lambda a: 0.5 * a * a,
}
TWO = (ADD, SUBTRACT, MULTIPLY, DIVIDE)

numbers = st.floats(-3, 3).filter(lambda x: abs(x) > 1e-3)
steps = st.lists(
    st.tuples(st.sampled_from(list(TORCH)), st.integers(0, 99), st.integers(0, 99), st.floats(-2, 2)),
    min_size=1,
    max_size=12,
)


@given(given_=st.lists(numbers, min_size=1, max_size=4), steps=steps)
def test_any_expression_has_pytorchs_value_and_gradients(given_, steps):
    """Every step takes earlier nodes, some of them several times; what would leave the numbers is left out."""
    nodes = [value(f"v{n}", x) for n, x in enumerate(given_)]
    twins = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in given_]
    for operation, first, second, factor in steps:
        at = [first % len(nodes), second % len(nodes)][: 2 if operation in TWO else 1]
        inputs = [nodes[n].value for n in at]
        risky = (operation is DIVIDE and abs(inputs[1]) < 0.05) or (operation is LOG and inputs[0] < 0.05)
        if risky or max(map(abs, inputs)) > 20:
            nodes.append(scale(nodes[at[0]], factor))
            twins.append(twins[at[0]] * factor)
        else:
            nodes.append(apply(operation, *(nodes[n] for n in at)))
            twins.append(TORCH[operation](*(twins[n] for n in at)))
    gradients = nodes[-1].backward()
    assert nodes[-1].value == pytest.approx(float(twins[-1].detach()), rel=1e-9, abs=1e-12)
    leaves = twins[: len(given_)]
    expected = torch.autograd.grad(twins[-1], leaves, allow_unused=True)
    for n, gradient in enumerate(expected):
        wanted = 0.0 if gradient is None else float(gradient)
        assert gradients.get(f"v{n}", 0.0) == pytest.approx(wanted, rel=1e-7, abs=1e-9)


def test_apples_and_oranges():
    result = graph.apples()
    gradients = result.backward()
    assert result.value == pytest.approx(715)
    wanted = {"apple_price": 2.2, "apple_count": 110, "orange_price": 3.3, "orange_count": 165, "tax": 650}
    assert {name: gradients[name] for name in wanted} == pytest.approx(wanted)
    assert (gradients["fruit"], gradients["apples"], gradients["oranges"]) == pytest.approx((1.1, 1.1, 1.1))


@given(x=st.lists(st.floats(-100, 100), min_size=5, max_size=5))
def test_apples_of_any_price(x):
    result = graph.apples(*x)
    twins = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    total = (twins[0] * twins[1] + twins[2] * twins[3]) * twins[4]
    total.backward()
    names = ("apple_price", "apple_count", "orange_price", "orange_count", "tax")
    gradients = result.backward()
    assert result.value == pytest.approx(float(total.detach()), abs=1e-9)
    assert [gradients[name] for name in names] == pytest.approx(twins.grad.tolist(), abs=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(x=st.lists(st.floats(-4, 4).map(lambda x: round(x, 3)), min_size=6, max_size=6))
def test_a_neuron(name, x):
    twins = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    total = twins[0] * twins[1] + twins[2] * twins[3] + twins[4]
    loss = 0.5 * (TORCH[ACTIVATIONS[name]](total) - twins[5]) ** 2
    loss.backward()
    result = graph.neuron(*x, activation=name)
    gradients = result.backward()
    assert result.value == pytest.approx(float(loss.detach()), abs=1e-9)
    found = [gradients[it] for it in ("x1", "w1", "x2", "w2", "b", "t")]
    assert found == pytest.approx(twins.grad.tolist(), abs=1e-9)


logits = st.lists(st.floats(-8, 8), min_size=2, max_size=5)


@given(z=logits, label=st.integers(0, 1))
def test_softmax_with_cross_entropy_is_y_minus_t(z, label):
    outputs = softmax(z)
    result = cross_entropy(outputs, label)
    gradients = result.backward()
    for k, output in enumerate(outputs):
        assert gradients[f"z{k + 1}"] == pytest.approx(output.value - (k == label), abs=1e-9)
    twin = torch.tensor([z], dtype=torch.float64)
    assert result.value == pytest.approx(
        float(torch.nn.functional.cross_entropy(twin, torch.tensor([label]))), abs=1e-9
    )


@given(z=logits, label=st.integers(0, 1))
def test_every_loss_is_pytorchs(z, label):
    found = losses(z, label)
    target = torch.nn.functional.one_hot(torch.tensor(label), len(z)).double()
    twins = {
        "cross_entropy": lambda x: -(target * torch.log_softmax(x, 0)).sum(),
        "softmax_squared": lambda x: 0.5 * ((torch.softmax(x, 0) - target) ** 2).sum(),
        "linear_squared": lambda x: 0.5 * ((x - target) ** 2).sum(),
    }
    assert set(found) == set(twins)
    for name, twin in twins.items():
        x = torch.tensor(z, dtype=torch.float64, requires_grad=True)
        loss = twin(x)
        loss.backward()
        assert found[name][0] == pytest.approx(float(loss.detach()), abs=1e-9)
        assert found[name][1] == pytest.approx(x.grad.tolist(), abs=1e-9)


def test_arrays_are_many_computations_at_once():
    z = np.linspace(-5, 5, 11)
    together = losses([z, np.zeros(11), np.full(11, 2.0)], 0)
    for n in range(11):
        alone = losses([z[n], 0.0, 2.0], 0)
        for name, (loss, slopes) in alone.items():
            assert np.broadcast_to(together[name][0], 11)[n] == pytest.approx(loss)
            assert [np.broadcast_to(slope, 11)[n] for slope in together[name][1]] == pytest.approx(slopes)


def test_confidently_wrong_is_where_squared_error_stops_learning():
    found = losses([-6.0, 6.0, 0.0], 0)
    assert found["cross_entropy"][1][0] < -0.99
    assert -1e-4 < found["softmax_squared"][1][0] < 0


@pytest.mark.parametrize("label", range(3))
def test_squared_error_after_a_softmax_nears_its_limit(label):
    scores = [0.3, -1.2, 2.0]
    limit = squared_error_limit(scores, label)
    assert 0.5 < limit <= 1
    scores[label] = -50.0
    assert losses(scores, label)["softmax_squared"][0] == pytest.approx(limit, rel=1e-12)


def test_a_value_that_is_used_twice_adds_up_what_comes_back():
    x = value("x", 3.0)
    y = x * x + x
    assert y.backward() == {"x": 7.0}
    assert y.backward() == {"x": 7.0}  # and forgets what came back before


def test_nodes_come_after_their_inputs_and_say_what_they_are():
    result = squared_error(softmax([1.0, 2.0]), 1)
    order = result.order()
    seen = set()
    for node in order:
        assert {id(source) for source in node.inputs} <= seen
        seen.add(id(node))
    assert order[-1] is result
    assert repr(value("tax", 1.1)) == "Node(tax: 1.1)"
    assert repr(apply(EXP, value("z", 0.0))) == "Node(exp: 1.0)"
