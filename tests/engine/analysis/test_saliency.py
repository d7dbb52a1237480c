"""What an answer hangs on: gradients by central differences, falls of a score where something was really taken away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine import build
from engine.analysis import saliency
from engine.data.handwriting import strokes_to_image
from engine.experiment import Experiment

NETWORKS = {
    "linear": {"network": ""},
    "dense": {"network": "dense7 dense5", "activation": "tanh"},
    "batch norm": {"network": "dense7 drop.5 dense5", "normalization": "batch", "activation": "sigmoid"},
    "layer norm": {"network": "dense7", "normalization": "layer", "activation": "gelu"},
    "conv": {"network": "conv3@3p1 pool2 conv4@3 dense6", "activation": "elu"},
    "conv, batch norm": {"network": "conv3@3p1s2 conv4@3 avgpool2", "normalization": "batch", "activation": "tanh"},
    "conv, relu": {"network": "conv3@3 pool2 gap", "activation": "relu"},
}
every_network = pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)


def made(settings, dtype=np.float64):
    """Return a network for pictures of 8 × 8 in four classes, its normalization in the middle of things."""
    network = build.build_network(Experiment(**settings), (8, 8, 1), 4, dtype=dtype)
    rng = np.random.default_rng(5)
    for array in network.buffers().values():
        array[...] = rng.uniform(0.5, 2, array.shape)
    return network


@every_network
def test_the_gradient_is_that_of_central_differences(settings):
    network, x = made(settings), np.random.default_rng(1).uniform(0, 1, (3, 8, 8, 1))
    gradient = saliency.gradient(network, x, 2)
    assert gradient.shape == x.shape
    for index in [(0, 3, 4, 0), (1, 0, 0, 0), (2, 7, 2, 0)]:
        ends = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[index] += step
            ends.append(network.forward(moved, training=False)[index[0], 2])
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-7)


@every_network
def test_a_network_is_left_as_it_was(settings):
    network, x = made(settings, np.float32), np.random.default_rng(1).uniform(0, 1, (1, 8, 8, 1)).astype(np.float32)
    state, needs = network.state_dict(), [layer.needs_input_grad for layer in network.layers]
    saliency.gradient(network, x, 0)
    assert [layer.needs_input_grad for layer in network.layers] == needs
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(array, state[name])
    with pytest.raises(IndexError):
        saliency.gradient(network, x, 4)
    assert [layer.needs_input_grad for layer in network.layers] == needs


def test_the_gradient_of_one_linear_layer_is_its_weights():
    network = made({"network": ""})
    gradient = saliency.gradient(network, np.ones((1, 8, 8, 1)), 3)
    np.testing.assert_allclose(gradient.ravel(), network.layers[-1].weight.data[:, 3])


# ------------------------------------------------------------------------------------------------------- occlusion


def test_occlusion_falls_where_the_score_looks():
    picture = np.zeros((28, 28), np.uint8)
    picture[10:14, 20:24] = 255

    def score(pictures):  # looks at four pixels, each worth a quarter
        return (pictures[:, 11:13, 21:23] == 255).mean(axis=(1, 2))

    falls = saliency.occlusion(score, picture)
    assert falls.shape == (28, 28)
    assert falls.dtype == np.float32
    # Of the patches that cover one of them most cover the others: by rows all of them or two and half of three.
    np.testing.assert_allclose(falls[11:13, 21:23], [[5 / 6, 1], [25 / 36, 5 / 6]], rtol=1e-6)
    assert falls.max() <= 1
    assert falls[11:13, 21:23].mean() > 3 * falls.mean()
    assert not falls[:, :15].any()  # no patch that covers these reaches so far
    assert not falls[19:].any()


def test_occlusion_is_the_mean_over_the_patches_that_cover_a_pixel(monkeypatch):
    for name, value in {"PATCH": 4, "STRIDE": 2, "GREY": 77}.items():
        monkeypatch.setattr(saliency, name, value)
    picture = np.random.default_rng(2).integers(0, 256, (9, 12), dtype=np.uint8)

    def score(pictures):
        return pictures.reshape(len(pictures), -1).astype(float) @ np.linspace(-1, 1, 108)

    total, count = np.zeros((9, 12)), np.zeros((9, 12))
    for i in (0, 2, 4):
        for j in (0, 2, 4, 6, 8):
            copy = picture.copy()
            copy[i : i + 4, j : j + 4] = 77
            total[i : i + 4, j : j + 4] += score(picture[None])[0] - score(copy[None])[0]
            count[i : i + 4, j : j + 4] += 1
    falls = saliency.occlusion(score, picture)
    np.testing.assert_allclose(falls, np.divide(total, count, out=np.zeros((9, 12)), where=count > 0), rtol=1e-4)
    assert not falls[8].any()  # the patch never gets there


# -------------------------------------------------------------------------------------------------------- strokes

COORDINATE = st.floats(0, 280, allow_subnormal=False).map(lambda value: round(value, 1))
STROKE = st.integers(1, 9).flatmap(lambda n: hnp.arrays(np.float64, (n, 2), elements=COORDINATE))


def length(line):
    return np.hypot(*np.diff(line, axis=0).T).sum()


@given(strokes=st.lists(STROKE, min_size=1, max_size=5))
def test_a_piece_and_what_is_left_are_the_drawing(strokes):
    found = list(saliency.pieces(strokes))
    total = sum(map(length, strokes))
    assert len(strokes) <= len(found) <= saliency.PIECES + len(strokes)
    assert sum(length(piece.line) for piece in found) == pytest.approx(total, abs=1e-6)
    for piece in found:
        assert length(piece.line) + sum(map(length, piece.rest)) == pytest.approx(total, abs=1e-6)
        assert length(piece.line) <= 1.5 * total / saliency.PIECES + 1e-6
        assert len(piece.rest) <= len(strokes) + 1


def test_a_long_stroke_is_cut_evenly_and_a_dot_not_at_all():
    line, dot = np.array([[0.0, 0.0], [120.0, 0.0]]), np.array([[60.0, 50.0]])
    found = list(saliency.pieces([line, dot]))
    assert len(found) == 13
    np.testing.assert_allclose([piece.line[:, 0] for piece in found[:12]], [[10 * i, 10 * i + 10] for i in range(12)])
    np.testing.assert_allclose(found[3].rest[0], [[0, 0], [30, 0]])
    np.testing.assert_allclose(found[3].rest[1], [[40, 0], [120, 0]])
    assert found[3].rest[2] is dot
    assert [stroke is line for stroke in found[12].rest] == [True]


def test_corners_stay_where_they_are():
    corner = np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 30.0]])
    first, second = saliency.pieces([corner], count=2)
    np.testing.assert_allclose(first.line, [[0, 0], [30, 0]])
    third = list(saliency.pieces([corner], count=3))[1]
    np.testing.assert_allclose(third.line, [[20, 0], [30, 0], [30, 10]])
    np.testing.assert_allclose(second.rest[0], [[0, 0], [30, 0]])


def test_what_a_piece_is_worth_is_what_the_score_loses_without_it():
    strokes = [np.array([[50.0, 20.0], [50.0, 240.0]]), np.array([[20.0, 130.0], [150.0, 130.0]])]
    seen = []

    def score(pictures):
        seen.append(pictures)
        return pictures.mean(axis=(1, 2))

    found = saliency.left_out(score, strokes)
    (pictures,) = seen  # all in one go
    np.testing.assert_array_equal(pictures[0], strokes_to_image(strokes))
    for (piece, fall), picture in zip(found, pictures[1:], strict=True):
        np.testing.assert_array_equal(picture, strokes_to_image(piece.rest))
        assert fall == pytest.approx(pictures[0].mean() - picture.mean())


def test_without_strokes_there_is_nothing_to_leave_out_and_with_many_not_all_are():
    assert saliency.left_out(lambda pictures: pictures.mean(axis=(1, 2)), []) == []
    dots = [np.array([[i, i]], float) for i in range(50)]
    assert len(saliency.left_out(lambda pictures: pictures.mean(axis=(1, 2)), dots)) == saliency.MAX_PIECES
