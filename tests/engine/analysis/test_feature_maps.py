"""What every layer makes of a picture, and whether a unit really sees what it is said to see, and nothing else."""

import numpy as np
import pytest

from engine import build
from engine.analysis.feature_maps import feature_maps, to_bytes
from engine.experiment import Experiment
from engine.training.checkpoint import Model

DIGITS = tuple("0123456789")


def model(network: str, size: int = 28, seed: int = 3, **settings) -> Model:
    experiment = Experiment(network=network, seed=seed, **settings)
    return Model(experiment, build.build_network(experiment, (size, size, 1), 10), DIGITS, 1 / 255)


def picture(size: int = 28, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 1), dtype=np.uint8)


DEEP = "conv4@5p2 pool2 conv6@3p1 conv6@3p1 pool2 dense9 drop.4"


def test_blocks_are_named_and_shaped_as_the_network_says():
    outputs, blocks = feature_maps(model(DEEP), picture())
    assert [(block.name, block.words, block.maps.shape) for block in blocks] == [
        ("conv1", "conv4@5p2 pool2", (4, 14, 14)),
        ("conv2", "conv6@3p1", (6, 14, 14)),
        ("conv3", "conv6@3p1 pool2", (6, 7, 7)),
        ("dense1", "dense9", (9,)),
        ("output", "output", (10,)),
    ]
    assert [(block.receptive_field, block.jump, block.start) for block in blocks] == [
        (6, 2, 1.0), (10, 2, 1.0), (16, 4, 2.0), (None, None, None), (None, None, None),
    ]  # fmt: skip
    np.testing.assert_array_equal(outputs, blocks[-1].maps)


@pytest.mark.parametrize(
    ("network", "settings", "names"),
    [
        ("", {}, ["output"]),
        ("drop.2 dense8", {"normalization": "batch"}, ["dense1", "output"]),
        ("conv3@3 avgpool2 conv4@3 gap", {}, ["conv1", "pool1", "conv2", "gap", "output"]),
        ("conv3@3 pool2 pool2s1 dense8", {"activation": "gelu"}, ["conv1", "pool1", "pool2", "dense1", "output"]),
        ("conv3@3 drop.3 pool2 dense8 output drop.1", {}, ["conv1", "pool1", "dense1", "output"]),
        ("conv3@3s2 pool2", {"normalization": "layer", "dropout": 0.2}, ["conv1", "output"]),
    ],
)
def test_every_kind_of_layer_has_its_block(network, settings, names):
    made = model(network, **settings)
    outputs, blocks = feature_maps(made, picture())
    assert [block.name for block in blocks] == names
    np.testing.assert_allclose(
        outputs, made.network.forward(picture()[None] / np.float32(255))[0], rtol=1e-4, atol=1e-5
    )
    rows = {row.name: row for row in build.describe(made.experiment, (28, 28, 1), 10)}
    for block in blocks:
        height_first = np.moveaxis(block.maps, 0, -1).shape if block.maps.ndim == 3 else block.maps.shape
        assert height_first in {row.out_shape for row in rows.values()}
        assert block.words.split()[0] == str(rows[block.name].token)


def test_maps_are_what_the_layers_after_them_are_given():
    """By hand, for one convolution of a picture: Σ kernel · window, its largest of 2 × 2, then max(0, x)."""
    made = model("conv2@3 pool2 dense4", size=8)
    x = picture(8)
    _, (conv, dense, output) = feature_maps(made, x)
    layers = {layer.name: layer for layer in made.network.layers}
    weight, bias = layers["conv1"].weight.data, layers["conv1"].bias.data
    scaled = x[..., 0] / 255
    for c in range(2):
        y = [[np.sum(scaled[i : i + 3, j : j + 3] * weight[:, :, 0, c]) + bias[c] for j in range(6)] for i in range(6)]
        pooled = np.array(y).reshape(3, 2, 3, 2).max(axis=(1, 3))
        np.testing.assert_allclose(conv.maps[c], np.maximum(pooled, 0), rtol=1e-5, atol=1e-6)
    hidden = conv.maps.transpose(1, 0, 2).ravel() @ layers["dense1"].weight.data + layers["dense1"].bias.data
    np.testing.assert_allclose(dense.maps, np.maximum(hidden, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        output.maps, dense.maps @ layers["output"].weight.data + layers["output"].bias.data, rtol=1e-5, atol=1e-6
    )


def test_the_maps_outlive_the_next_picture():
    made = model(DEEP)
    outputs, blocks = feature_maps(made, picture())
    kept = [block.maps.copy() for block in blocks]
    feature_maps(made, picture(seed=9))
    for block, before in zip(blocks, kept, strict=True):
        np.testing.assert_array_equal(block.maps, before)
    np.testing.assert_array_equal(outputs, kept[-1])
    assert not made.network._forward_hooks


@pytest.mark.parametrize("network", ["conv3@5p2 pool2 conv3@3p1 conv3@3s2", "conv3@4s2 avgpool3s2 conv3@3p2"])
@pytest.mark.parametrize("place", [(0, 0), (2, 3), (-1, -1)])
def test_a_unit_sees_its_receptive_field_and_nothing_else(network, place):
    made = model(network, activation="tanh")
    x = picture()
    *blocks, _ = feature_maps(made, x)[1]
    for block in blocks:
        row, column = (index % size for index, size in zip(place, block.maps.shape[1:], strict=True))
        top, left, bottom, right = (int(edge) for edge in block.seen(row, column))
        outside, inside = x.copy(), x.copy()
        mask = np.zeros((28, 28), bool)
        mask[max(top, 0) : bottom, max(left, 0) : right] = True
        outside[~mask] = 255 - outside[~mask]
        inside[mask] = 255 - inside[mask]

        def unit(changed, name=block.name, row=row, column=column):
            return next(b.maps[:, row, column] for b in feature_maps(made, changed)[1] if b.name == name)

        np.testing.assert_array_equal(unit(outside), block.maps[:, row, column])
        assert not np.allclose(unit(inside), block.maps[:, row, column])


def test_units_of_a_dense_layer_have_seen_everything():
    *_, dense, output = feature_maps(model(DEEP), picture())[1]
    assert dense.seen(0, 0) is output.seen(0, 0) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 2], ([0, 128, 255], 0, 2)),
        ([1, 2], ([128, 255], 0, 2)),
        ([-1, 0, 1], ([0, 128, 255], -1, 1)),
        ([-2, -1], ([0, 128], -2, 0)),
        ([0, 0], ([0, 0], 0, 0)),
        ([0, np.inf], ([0, 0], 0, 0)),
        ([np.nan, 1], ([0, 0], 0, 0)),
    ],
)
def test_bytes_share_a_scale_that_holds_zero(values, expected):
    scaled, low, high = to_bytes(np.array(values, np.float32))
    assert scaled.dtype == np.uint8
    assert (scaled.tolist(), low, high) == expected
