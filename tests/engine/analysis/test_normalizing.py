"""The worked arithmetic of normalization, against PyTorch and the layers that train."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import nn
from engine.analysis import normalizing
from engine.errors import InputError
from engine.experiment import Experiment
from engine.presets import PRESETS
from engine.training.trainer import Trainer
from tests import torch_oracle

RNG = np.random.default_rng(0)
DENSE, PICTURES = RNG.normal(3, 5, (6, 4)), RNG.normal(-2, 3, (3, 5, 5, 2))


@pytest.mark.parametrize("x", [DENSE, PICTURES], ids=["dense", "pictures"])
@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_it_is_what_pytorch_computes(x, kind):
    torch = torch_oracle.torch
    done = normalizing.normalize(x, kind, gamma=1.5, beta=-0.5)
    first = torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))  # channels second
    features = first.shape[1]
    gamma, beta = torch.full((features,), 1.5, dtype=torch.float64), torch.full((features,), -0.5, dtype=torch.float64)
    if kind == "batch":
        y = torch.nn.functional.batch_norm(first, None, None, gamma, beta, training=True, eps=1e-5)
    else:
        y = torch.nn.functional.group_norm(first, 1, gamma, beta, eps=1e-5)
    np.testing.assert_allclose(done.y, np.moveaxis(y.numpy(), 1, -1), atol=1e-10)


@pytest.mark.parametrize(("kind", "layer"), [("batch", nn.BatchNorm), ("layer", nn.LayerNorm)])
def test_it_is_what_the_layers_compute(kind, layer):
    layer = layer()
    layer.dtype = np.float64
    layer.build((4,), rng=np.random.default_rng(0))
    np.testing.assert_allclose(
        normalizing.normalize(DENSE, kind).y, layer.forward(DENSE.copy(), training=True), atol=1e-6
    )


@pytest.mark.parametrize("x", [DENSE, PICTURES], ids=["dense", "pictures"])
@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_every_group_has_mean_nought_and_variance_one(x, kind):
    done = normalizing.normalize(x, kind)
    groups = np.unique(done.group)
    wanted = {("batch", 2): 4, ("layer", 2): 6, ("batch", 4): 2, ("layer", 4): 3}[kind, x.ndim]
    assert len(groups) == wanted
    for group in groups:
        members = done.group == group
        assert done.normal[members].mean() == pytest.approx(0, abs=1e-12)
        assert done.normal[members].var() == pytest.approx(1, abs=1e-4)
        np.testing.assert_allclose(done.mean[members], x[members].mean())
        np.testing.assert_allclose(done.variance[members], x[members].var())


def test_groups_are_columns_rows_channels_and_pictures():
    dense = {kind: normalizing.normalize(DENSE, kind).group for kind in ("batch", "layer")}
    np.testing.assert_array_equal(dense["batch"], np.tile(np.arange(4), (6, 1)))
    np.testing.assert_array_equal(dense["layer"], np.tile(np.arange(6)[:, None], (1, 4)))
    pictures = {kind: normalizing.normalize(PICTURES, kind).group for kind in ("batch", "layer")}
    assert (pictures["batch"] == np.arange(2)).all()
    assert (pictures["layer"] == np.arange(3)[:, None, None, None]).all()


@given(shift=st.floats(-50, 50), factor=st.floats(0.5, 50))
def test_scale_and_level_of_what_comes_in_do_not_matter(shift, factor):
    before, after = (normalizing.normalize(x, "batch").normal for x in (DENSE, DENSE * factor + shift))
    np.testing.assert_allclose(before, after, atol=1e-4)


def test_a_batch_of_one_leaves_nothing_of_batch_norm():
    x = DENSE[:1]
    np.testing.assert_array_equal(normalizing.normalize(x, "batch").normal, np.zeros((1, 4)))
    assert np.abs(normalizing.normalize(x, "layer").normal).min() > 0


def test_batches_are_drawn_to_one_decimal_and_again():
    x = normalizing.batch(4, 6, seed=3)
    assert x.shape == (6, 4)
    np.testing.assert_array_equal(x, np.round(x, 1))
    np.testing.assert_array_equal(x, normalizing.batch(4, 6, seed=3))
    assert (x != normalizing.batch(4, 6, seed=4)).any()
    assert normalizing.pictures(2, 3, 2).shape == (2, 3, 3, 2)


@pytest.mark.parametrize(("kind", "x"), [("group", DENSE), ("batch", DENSE[0]), ("", PICTURES)])
def test_another_kind_is_refused_in_one_sentence(kind, x):
    with pytest.raises(InputError, match="must be batch, layer, not"):
        normalizing.normalize(x, kind)


def _spreads(experiment: Experiment) -> np.ndarray:
    """Return the standard deviation of every ReLU output at every probe: (probes, layers)."""
    trainer = Trainer(experiment.replace(steps=41, evaluate_every=1000, data="digits"), probe_every=10)
    trainer.advance(steps=41)
    return np.column_stack([series.rows()[:, 2] for name, series in trainer.history.layers.items() if name != "output"])


def test_small_weights_leave_less_than_a_tenth_of_the_spread_and_batch_norm_keeps_it():
    runs = PRESETS["activation-statistics"].runs
    spreads = _spreads(runs["std 0.01"])
    assert spreads.shape[1] == 5
    assert (spreads[0, 1:] < 0.1 * spreads[0, :-1]).all()
    assert (spreads[:, 3:] < 0.02 * spreads[:, :1]).all()  # later too, when biases have begun to move
    kept = _spreads(runs["std 0.01, batch norm"])
    assert (kept > 0.3).all()
    assert (kept < 1.2).all()
