"""The gradient check: exact where mathematics is, silent about correct gradients and loud about wrong ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import build, nn
from engine.analysis import gradcheck
from engine.analysis.gradcheck import both_ways, compare, differences, together
from engine.experiment import FIELDS, Experiment
from tests.engine import differences as oracle
from tests.engine.differences import numerical_gradient, relative


@given(
    w=st.lists(st.floats(-3, 3), min_size=1, max_size=6).map(np.array),
    h=st.sampled_from([1e-3, 1e-4, 1e-5]),
)
def test_central_differences_are_exact_for_parabolas(w, h):
    """f = Σ(w² + 3w): its third derivative is 0, so that the formula is wrong by rounding alone."""
    kept = w.copy()
    gradient = numerical_gradient(lambda: float(np.sum(w * w + 3 * w)), w, h=h)
    np.testing.assert_allclose(gradient, 2 * w + 3, atol=1e-13 / h * len(w))
    np.testing.assert_array_equal(w, kept)


@pytest.mark.parametrize("h", [1e-1, 1e-2, 1e-3])
def test_the_error_falls_with_the_square_of_h(h):
    """f = w³ has f‴ = 6, hence an error of h²."""
    w = np.array([2.0])
    assert numerical_gradient(lambda: float(w[0] ** 3), w, h=h)[0] - 12 == pytest.approx(h**2, rel=1e-3)


def test_an_array_of_any_shape_is_gone_through_once():
    w, ticks = np.ones((2, 3, 4)), []
    gradient = differences(lambda: float(w.sum()), w, np.arange(24), tick=lambda: ticks.append(1))
    np.testing.assert_allclose(gradient, np.ones(24), rtol=1e-9)
    assert len(ticks) == 24


def test_an_agreement_is_measured():
    assert compare(np.array([[3.0, 4.0]]), np.array([[3.0, 5.0]])) == gradcheck.Agreement(2, 0.5, 1.0)


class WrongTanh(nn.Tanh):
    """f′ = 1 − f, a plausible slip."""

    def slope(self, x, y, *, out):
        np.subtract(1, y, out=out)


class WrongLinear(nn.Linear):
    """Forgets the batch in ∂L/∂b."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.bias.grad /= len(dy)
        return dx


def test_a_wrong_backward_pass_is_found_and_named():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 4, 3))
    layer = WrongTanh()
    layer.dtype = np.dtype(np.float64)
    layer.build((3,), rng=rng)
    assert relative(*oracle.both_ways(layer, x, dy)["x"]) > 1e-2

    network = nn.Sequential([nn.Linear(4), nn.Tanh(), WrongLinear(3)])
    network.build((3,), rng=rng, dtype=np.float64)
    checked, _seconds = both_ways(network, nn.SoftmaxCrossEntropy(), x, LABELS)
    found = {one.name: relative(one.backward, one.numerical) for one in checked}
    assert found.pop("2.bias") > 1e-2
    assert max(found.values()) < 1e-6
    assert together(checked).max > 1e-2


LABELS = np.array([0, 1, 2, 1])


@pytest.mark.parametrize("loss", FIELDS["loss"].metadata["options"])
@pytest.mark.parametrize("normalization", FIELDS["normalization"].metadata["options"])
@pytest.mark.parametrize("activation", FIELDS["activation"].metadata["options"])
def test_every_network_agrees_in_every_parameter(activation, normalization, loss):
    """With dropout, whose mask is held; and nothing but the gradient is different afterwards."""
    experiment = Experiment(
        network="dense5 dense4", activation=activation, normalization=normalization, loss=loss, dropout=0.3,
        initializer="xavier_normal", seed=1,
    )  # fmt: skip
    network = build.build_network(experiment, (3,), 3, dtype=np.float64)
    before = network.state_dict()
    x = np.random.default_rng(0).standard_normal((4, 3))
    checked, _seconds = both_ways(network, build.build_loss(experiment), x, LABELS)
    assert [one.name for one in checked] == list(network.parameters())
    for one in checked:
        assert relative(one.backward, one.numerical) <= 1e-6 or one.agreement.max <= 1e-9, one.name
    assert together(checked).size == network.vector.data.size == sum(one.agreement.size for one in checked)
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_progress_is_told_now_and_then_and_at_the_end(monkeypatch):
    monkeypatch.setattr(gradcheck, "PROGRESS_EVERY", 10)
    network = build.build_network(Experiment(network="dense4"), (3,), 3, dtype=np.float64)
    told = []
    both_ways(
        network,
        nn.SoftmaxCrossEntropy(),
        np.ones((4, 3)),
        LABELS,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(10, 31), (20, 31), (30, 31), (31, 31)]


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_the_books_check_of_its_two_layer_network(activation):
    """『ゼロから作る Deep Learning』5.7.3: three digits, h = 1e-4. 784-20-10 here, where the page takes 50 units."""
    experiment = Experiment(network="dense20", activation=activation, initializer="gauss", sigma=0.01)
    data = build.build_dataset(experiment)
    network = build.build_network(experiment, data.shape, 10, dtype=np.float64)
    x = np.multiply(data.x_train[:3], data.scale, dtype=np.float64)
    checked, _seconds = both_ways(network, nn.SoftmaxCrossEntropy(), x, data.y_train[:3], h=1e-4)
    assert together(checked).size == 784 * 20 + 20 + 20 * 10 + 10
    assert together(checked).mean <= 1e-8


@pytest.mark.parametrize("sample", [0, 4, 99])
def test_a_sample_is_spread_over_every_parameter(sample):
    network = build.build_network(Experiment(network="dense4", activation="tanh"), (3,), 3, dtype=np.float64)
    told = []
    checked, seconds = both_ways(
        network, nn.SoftmaxCrossEntropy(), np.ones((4, 3)), LABELS, sample=sample, progress=lambda *it: told.append(it)
    )
    sizes = [12, 4, 12, 3]
    expected = [min(size, sample or size) for size in sizes]
    assert [len(one.places) for one in checked] == expected
    assert told[-1] == (sum(expected), sum(expected))
    assert seconds > 0
    for one, size in zip(checked, sizes, strict=True):
        assert (one.places[0], one.places[-1]) == (0, size - 1)
        np.testing.assert_allclose(one.backward, one.numerical, atol=1e-9)
        assert one.agreement.size == len(one.places)
        assert one.seconds > 0
    assert together(checked).size == sum(expected)
