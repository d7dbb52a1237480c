"""The losses: PyTorch's values and gradients, for any logits that float32 can hold, and chances that sum to one."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.nn import SoftmaxCrossEntropy, SumSquaredError
from engine.nn.losses import is_divergent
from tests.engine.differences import numerical_gradient, relative

LOSSES = (SoftmaxCrossEntropy, SumSquaredError)
every_loss = pytest.mark.parametrize("kind", LOSSES, ids=lambda kind: kind.__name__)


@st.composite
def outputs_and_labels(draw, limit, dtype=np.float32):
    n, k = draw(st.integers(1, 8)), draw(st.integers(2, 12))
    elements = st.floats(-limit, limit, width=32)
    outputs = draw(hnp.arrays(dtype, (n, k), elements=elements))
    outputs.setflags(write=False)
    return outputs, draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))


def pytorchs(kind, outputs, labels):
    """Return the oracle's loss and gradient."""
    z, t = torch.tensor(outputs, requires_grad=True), torch.tensor(labels)
    if kind is SoftmaxCrossEntropy:
        loss = torch.nn.functional.cross_entropy(z, t)
    else:
        onehot = torch.nn.functional.one_hot(t, outputs.shape[1])
        loss = 0.5 * torch.nn.functional.mse_loss(z, onehot.to(z.dtype), reduction="sum") / len(outputs)
    loss.backward()
    return loss.item(), z.grad.numpy()


@every_loss
@given(case=outputs_and_labels(10))
def test_value_and_gradient_are_pytorchs(kind, case):
    loss, (value, gradient) = kind(), pytorchs(kind, *case)
    assert loss.forward(*case) == pytest.approx(value, rel=1e-5, abs=1e-5)
    np.testing.assert_allclose(loss.backward(), gradient, rtol=1e-5, atol=1e-5)


@every_loss
@given(case=outputs_and_labels(1e4))
def test_extreme_outputs_too(kind, case):
    loss, (value, gradient) = kind(), pytorchs(kind, *case)
    assert loss.forward(*case) == pytest.approx(value, rel=1e-4, abs=1e-5)
    np.testing.assert_allclose(loss.backward(), gradient, rtol=1e-4, atol=1e-5)
    assert np.isfinite(loss.backward()).all()


@every_loss
@given(case=outputs_and_labels(4, np.float64))
def test_gradients_agree_with_central_differences(kind, case):
    outputs, labels = case[0].copy(), case[1]
    loss = kind()
    numerical = numerical_gradient(lambda: loss.forward(outputs, labels), outputs)
    loss.forward(outputs, labels)
    backward = loss.backward()
    assert relative(backward, numerical) <= 1e-6 or np.abs(backward - numerical).max() <= 1e-9


@given(case=outputs_and_labels(20, np.float64))
def test_cross_entropy_is_the_textbooks_formula(case):
    outputs, labels = case
    p = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(p[np.arange(len(labels)), labels]))
    assert SoftmaxCrossEntropy().forward(outputs, labels) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(SoftmaxCrossEntropy.probabilities(outputs), p, rtol=1e-9)


def test_sure_and_right_costs_nothing_sure_and_wrong_costs_the_distance():
    logits = np.array([[1e4, -1e4]], np.float32)
    assert SoftmaxCrossEntropy().forward(logits, np.array([0])) == 0
    assert SoftmaxCrossEntropy().forward(logits, np.array([1])) == 2e4


def test_ten_equal_outputs_cost_ln_10():
    assert SoftmaxCrossEntropy().forward(np.zeros((5, 10)), np.arange(5)) == pytest.approx(np.log(10))


@every_loss
@given(case=outputs_and_labels(1e4))
def test_probabilities_are_chances_and_name_the_largest_output(kind, case):
    outputs, _ = case
    p = kind.probabilities(outputs)
    assert p.shape == outputs.shape
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    best = p[np.arange(len(p)), outputs.argmax(axis=1)]
    np.testing.assert_array_equal(best, p.max(axis=1))


@every_loss
@pytest.mark.parametrize("row", [(0.1, 1.2, 1.5), (-3, -1, -0.5), (0, 0, 1e-3), (-1, 0.2, 0.7)], ids=str)
def test_the_largest_output_is_the_only_most_probable_class(kind, row):
    p = kind.probabilities(np.array([row], np.float32))
    assert p.argmax() == 2
    assert p.sum() == pytest.approx(1)


def test_outputs_that_are_probabilities_are_read_as_they_are():
    outputs = np.array([[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3]], np.float32)
    np.testing.assert_allclose(SumSquaredError.probabilities(outputs), outputs, rtol=1e-6)


@every_loss
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_may_be_of_any_whole_type(kind, dtype):
    rng = np.random.default_rng(0)
    outputs, labels = rng.standard_normal((300, 10)), rng.integers(0, 10, 300)  # 300 × 10 is more than a byte holds
    assert kind().forward(outputs, labels.astype(dtype)) == kind().forward(outputs, labels)


@every_loss
def test_a_loss_of_two_batch_sizes_serves_both(kind):
    rng = np.random.default_rng(0)
    outputs, labels = rng.standard_normal((9, 4)).astype(np.float32), rng.integers(0, 4, 9)
    loss, fresh = kind(), kind()
    loss.forward(outputs, labels)
    assert loss.forward(outputs[:5], labels[:5]) == fresh.forward(outputs[:5], labels[:5])
    np.testing.assert_array_equal(loss.backward(), fresh.backward())


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf, 1.1e6])
def test_divergence_is_seen(loss):
    assert is_divergent(loss, 2.3)


@pytest.mark.parametrize("loss", [0.0, 2.3, 1e6])
def test_a_large_loss_is_not_yet_divergence(loss):
    assert not is_divergent(loss, 2.3)


@pytest.mark.parametrize(("loss", "divergent"), [(3e6, False), (3e8, False), (3.1e8, True), (np.inf, True)])
def test_a_network_that_begins_badly_may_come_down_from_there(loss, divergent):
    assert is_divergent(loss, 3e6) is divergent


def test_squares_beyond_float32_are_infinite_without_a_warning():
    assert SumSquaredError().forward(np.full((2, 3), 1e30, np.float32), np.array([0, 1])) == np.inf
