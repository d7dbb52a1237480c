"""What a description says of a network, against the network itself: built, counted, and asked which pixels it sees."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import build, nn
from engine.architecture import Row, describe, smallest_side
from engine.errors import InputError
from engine.experiment import Experiment
from engine.fields import ExperimentError
from engine.tokens import Conv, Dense, Drop, Gap, Output, Pool, parse_network

LENET = "conv6@5p2 avgpool2 conv16@5 avgpool2 dense120 dense84"
CH07 = "conv30@5 pool2 dense100"
CH08 = "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p2 pool2 conv64@3p1 conv64@3p1 pool2 dense50 drop.5"
ALEXNET = (
    "conv96@11s4 pool3s2 conv256@5p2 pool3s2 conv384@3p1 conv384@3p1 conv256@3p1 pool3s2 dense4096 drop.5 dense4096"
)
TORCHVISION = (
    "conv64@11p2s4 pool3s2 conv192@5p2 pool3s2 conv384@3p1 conv256@3p1 conv256@3p1 pool3s2 dense4096 drop.5 dense4096"
)


def vgg(*convolutions):
    """Return VGG with so many convolutions in its five blocks."""
    blocks = zip((64, 128, 256, 512, 512), convolutions, strict=True)
    return " ".join(f"conv{filters}@3p1 " * count + "pool2" for filters, count in blocks) + " dense4096 dense4096"


PUBLISHED = {  # parameters; multiply-adds in billions, as torchvision publishes them
    "LeNet-5": (LENET, (28, 28, 1), 10, 61_706, None),
    "ch07": (CH07, (28, 28, 1), 10, 433_890, None),
    "ch08": (CH08, (28, 28, 1), 10, 123_552, None),
    "AlexNet, one tower": (ALEXNET, (227, 227, 3), 1000, 62_378_344, None),
    "torchvision's AlexNet": (TORCHVISION, (224, 224, 3), 1000, 61_100_840, 0.714),
    "VGG-11": (vgg(1, 1, 2, 2, 2), (224, 224, 3), 1000, 132_863_336, 7.609),
    "VGG-16": (vgg(2, 2, 3, 3, 3), (224, 224, 3), 1000, 138_357_544, 15.47),
}


# ---------------------------------------------------------------------------------------------------------- published


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_have_their_published_sizes(name):
    network, in_shape, classes, parameters, billions = PUBLISHED[name]
    rows = describe(network, in_shape, classes)
    assert sum(row.parameters for row in rows) == parameters
    if billions:
        assert sum(row.multiply_adds for row in rows) / 1e9 == pytest.approx(billions, rel=1e-3)


@pytest.mark.parametrize("name", ["LeNet-5", "ch07", "ch08"])
def test_those_that_fit_are_built_with_as_many(name):
    network, in_shape, classes, parameters, _ = PUBLISHED[name]
    assert build.build_network(Experiment(network=network), in_shape, classes).vector.data.size == parameters


@pytest.mark.parametrize(
    ("name", "field", "jump"),
    [("torchvision's AlexNet", 195, 32), ("VGG-16", 212, 32)],
)
def test_receptive_fields_published_by_distill(name, field, jump):
    """Araujo, Norris & Sim 2019, table of the last pooling's receptive field and effective stride."""
    network, in_shape, classes, *_ = PUBLISHED[name]
    last = next(row for row in reversed(describe(network, in_shape, classes)) if row.receptive_field)
    assert (last.name[:4], last.receptive_field, last.jump) == ("pool", field, jump)


# ------------------------------------------------------------------------------------------------------------ by hand


def test_a_small_network_by_hand():
    """5 × 5 has 24 × 24 places on 28 × 28, 2 × 2 then 12 × 12; padded by 1, 3 × 3 has 6 × 6 places by steps of 2."""
    rows = describe("conv3@5 pool2 conv4@3p1s2 drop.5 dense7 output drop.5", (28, 28, 2), 10)
    conv1, pool1, conv2, dense1, output = rows
    shapes = [row.out_shape for row in rows]
    assert [row.in_shape for row in rows] == [(28, 28, 2), *shapes[:-1]]
    assert shapes == [(24, 24, 3), (12, 12, 3), (6, 6, 4), (7,), (10,)]
    assert (conv1.parameters, conv1.multiply_adds) == (5 * 5 * 2 * 3 + 3, 24 * 24 * 5 * 5 * 2 * 3)
    assert (pool1.parameters, pool1.multiply_adds) == (0, 0)
    assert (conv2.parameters, conv2.multiply_adds) == (3 * 3 * 3 * 4 + 4, 6 * 6 * 3 * 3 * 3 * 4)
    assert (dense1.parameters, dense1.multiply_adds) == (6 * 6 * 4 * 7 + 7, 6 * 6 * 4 * 7)
    assert (output.parameters, output.multiply_adds) == (7 * 10 + 10, 7 * 10)
    assert [(row.receptive_field, row.jump, row.start) for row in rows] == [
        (5, 1, 2.5),  # pixels 0–4, whose middle is 2.5 from the edge
        (6, 2, 3.0),
        (10, 4, 3.0),  # one place more on either side, and one step to the left for the padding
        (None, None, None),
        (None, None, None),
    ]


def test_rows_are_named_as_layers_are():
    rows = describe("conv3@3 avgpool2 conv3@3 pool2 gap dense5 drop.5 dense5", (28, 28, 1), 10)
    assert [(row.name, row.token) for row in rows] == [
        ("conv1", Conv(3, 3)),
        ("pool1", Pool(2, 2, average=True)),
        ("conv2", Conv(3, 3)),
        ("pool2", Pool(2, 2)),
        ("gap", Gap()),
        ("dense1", Dense(5)),
        ("dense2", Dense(5)),
        ("output", Output()),
    ]


def test_a_network_of_nothing_is_the_output_alone():
    assert describe("", (28, 28, 1), 10) == (Row("output", Output(), (28, 28, 1), (10,), 7850, 7840),)
    assert describe("drop.5 output drop.5", (5,), 3) == (Row("output", Output(), (5,), (3,), 18, 15),)


def test_an_average_over_the_picture_makes_the_size_of_the_input_indifferent():
    small, large = (describe("conv8@3 pool2 conv8@3 gap", (side, side, 1), 10) for side in (10, 200))
    assert [row.parameters for row in small] == [row.parameters for row in large]
    assert small[-2].out_shape == large[-2].out_shape == (8,)
    assert small[-2].receptive_field is None


def test_a_normalization_brings_a_scale_and_a_shift_for_the_bias():
    plain, normalized = (describe("conv8@3 dense5", (10, 10, 1), 3, normalized=on) for on in (False, True))
    assert [b.parameters - a.parameters for a, b in zip(plain, normalized, strict=True)] == [8, 5, 0]
    assert [a.multiply_adds for a in plain] == [b.multiply_adds for b in normalized]


@pytest.mark.parametrize(
    ("network", "in_shape"),
    [("conv3@5", (4, 9, 1)), ("conv3@5p1 conv3@5", (6, 6, 1)), ("pool2 pool2", (9, 3, 1)), ("conv3@3", (5,)),
     ("gap", (5,)), ("pool2", (28, 28)), ("conv3@3 conv0@3", (9, 9, 1)), ("dense5 conv3@3", (9, 9, 1))],
)  # fmt: skip
def test_what_cannot_be_described_is_one_sentence(network, in_shape):
    with pytest.raises(ExperimentError, match=r"^network must be .*\.$") as caught:
        describe(network, in_shape, 10)
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


def test_giants_are_described_at_once():
    rows = describe("conv4096@11p5 " * 39 + "dense4096", (4000, 4000, 3), 1000)
    assert rows[38].parameters == 11 * 11 * 4096 * 4096 + 4096
    assert rows[38].multiply_adds == 4000 * 4000 * 11 * 11 * 4096 * 4096
    assert rows[38].receptive_field == 1 + 39 * 10


# ---------------------------------------------------------------------------------------------------- as it is built


@st.composite
def networks(draw):
    """Words, and a picture's shape that they fit on. Windows cover what they step over, but for one network in four."""
    holes = draw(st.integers(0, 3)) == 0
    tokens = []
    for _ in range(draw(st.integers(1, 4))):
        window = draw(st.integers(1, 4))
        stride = draw(st.integers(1, 3 if holes else min(window, 3)))
        if draw(st.booleans()):
            tokens.append(Conv(draw(st.integers(1, 3)), window, draw(st.integers(0, window - 1)), stride))
        else:
            tokens.append(Pool(window, stride, draw(st.booleans())))
    least = smallest_side(" ".join(map(str, tokens)))
    shape = (least + draw(st.integers(0, 5)), least + draw(st.integers(0, 5)), draw(st.integers(1, 3)))
    return tokens, shape


HEADS = st.sampled_from(["", "gap", "dense4", "drop.5 dense4 drop.2 dense3", "gap dense5 output drop.5"])


@given(case=networks(), head=HEADS, normalization=st.sampled_from(["none", "batch", "layer"]), gelu=st.booleans())
def test_every_row_is_the_layer_that_is_built(case, head, normalization, gelu):
    tokens, in_shape = case
    text = " ".join([*map(str, tokens), head])
    experiment = Experiment(
        network=text, normalization=normalization, activation="gelu" if gelu else "relu", batch_size=1
    )
    rows = build.describe(experiment, in_shape, 3)
    network = build.build_network(experiment, in_shape, 3)
    counted = dict.fromkeys((row.name for row in rows), 0)
    for name, parameter in network.parameters().items():
        counted[name.split(".")[0]] += parameter.data.size
    assert counted == {row.name: row.parameters for row in rows}
    assert network.vector.data.size == sum(counted.values())
    weights = [layer for layer in network.layers if isinstance(layer, nn.Conv2d | nn.Linear | nn.GlobalAvgPool)]
    assert [(layer.name, layer.out_shape) for layer in weights] == [
        (row.name, row.out_shape) for row in rows if not isinstance(row.token, Pool)
    ]
    pools = [layer for layer in network.layers if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d)]
    assert [(layer.window, layer.stride, isinstance(layer, nn.AvgPool2d), layer.out_shape) for layer in pools] == [
        (row.token.window, row.token.stride, row.token.average, row.out_shape)
        for row in rows
        if isinstance(row.token, Pool)
    ]
    assert rows[0].in_shape == in_shape
    assert all(before.out_shape == after.in_shape for before, after in itertools.pairwise(rows))
    assert [row.token for row in rows if row.name != "output"] == [
        token for token in parse_network(text) if not isinstance(token, Drop | Output)
    ]


@given(case=networks(), head=HEADS)
def test_the_smallest_picture_is_described_and_no_smaller_one(case, head):
    text = " ".join([*map(str, case[0]), head])
    side = smallest_side(text)
    assert describe(text, (side, side, 1), 3)
    if side > 1:
        with pytest.raises(ExperimentError, match="made of smaller windows"):
            describe(text, (side - 1, side - 1, 1), 3)


@given(case=networks(), normalization=st.sampled_from(["none", "layer"]))
def test_the_limit_counts_exactly_what_would_be_built(case, normalization):
    tokens, in_shape = case
    experiment = Experiment(network=" ".join(map(str, tokens)), normalization=normalization, batch_size=1)
    size = build.build_network(experiment, in_shape, 3).vector.data.size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "MAX_PARAMETERS", size)
        build.build_network(experiment, in_shape, 3)
        patch.setattr(build, "MAX_PARAMETERS", size - 1)
        with pytest.raises(ExperimentError, match=f"network of at most {size - 1:,} parameters, not {size:,}"):
            build.build_network(experiment, in_shape, 3)


# ------------------------------------------------------------------------------------------------- which pixels it sees


def sight(tokens, in_shape):
    """Return what every place of the last picture sees: bool (out_h, out_w, H, W).

    All weights are one positive number and nothing bends, so that whoever sees the only white pixel is above 0.
    """
    text = " ".join(map(str, tokens))
    experiment = Experiment(network=text, initializer="constant", sigma=1.0, activation="identity", batch_size=1)
    network = build.build_network(experiment, in_shape, 3, dtype=np.float64)
    height, width, channels = in_shape
    x = np.zeros((height, width, height, width, channels))
    for i, j in np.ndindex(height, width):
        x[i, j, i, j] = 1
    y = x.reshape(-1, *in_shape)
    for layer in network.layers:
        if isinstance(layer, nn.Flatten):
            break
        y = layer.forward(y, training=False)
    return (y[:, 0] > 0).reshape(len(y), -1, height, width).copy()


def described(row, place):
    """Return the first pixel of a window along one axis and the one after its last; both may be outside."""
    first = row.start + row.jump * place - row.receptive_field / 2
    assert first == int(first)
    return int(first), int(first) + row.receptive_field


NETS = {
    "ch07": ("conv3@5 pool2", (13, 12, 1)),
    "ch08": ("conv2@3p1 conv2@3p1 pool2 conv2@3p1 conv2@3p2 pool2 conv2@3p1", (37, 35, 1)),
    "LeNet": ("conv2@5p2 avgpool2 conv2@5 avgpool2", (20, 22, 1)),
    "a long first step": ("conv2@7p1s3 pool3s2 conv2@3p1", (37, 38, 2)),
    "strides": ("conv2@3p1s2 conv2@3s2 pool2s1 conv2@2", (26, 23, 1)),
    "even kernels": ("conv2@4p1 conv2@2 avgpool3s2 conv2@4p3", (16, 17, 1)),
}


@pytest.mark.parametrize(("network", "in_shape"), NETS.values(), ids=NETS)
def test_the_receptive_field_is_where_a_pixel_makes_a_difference(network, in_shape):
    tokens = parse_network(network)
    *_, row, _ = describe(network, in_shape, 3)
    seen = sight(tokens, in_shape)
    assert seen.shape == (*row.out_shape[:2], *in_shape[:2])
    whole = 0
    for place in np.ndindex(seen.shape[:2]):
        (top, bottom), (left, right) = (described(row, at) for at in place)
        expected = np.zeros(in_shape[:2], bool)
        expected[max(top, 0) : bottom, max(left, 0) : right] = True
        if top >= 0 and left >= 0 and bottom <= in_shape[0] and right <= in_shape[1]:
            whole += 1
            np.testing.assert_array_equal(seen[place], expected)
        assert not (seen[place] & ~expected).any()
    assert whole  # at least one of them sees nothing but picture


@given(case=networks())
def test_the_receptive_field_of_any_network_has_these_edges(case):
    """Where steps are wider than windows it has holes, but its outermost pixels are those described."""
    tokens, in_shape = case
    *_, row, _ = describe(" ".join(map(str, tokens)), in_shape, 3)
    seen = sight(tokens, in_shape)
    assert row.jump == math.prod(token.stride for token in tokens)
    for place in np.ndindex(seen.shape[:2]):
        for axis, size in enumerate(in_shape[:2]):
            pixels = np.flatnonzero(seen[place].any(axis=1 - axis))
            first, stop = described(row, place[axis])
            assert all(first <= pixel < stop for pixel in pixels)
            other = described(row, place[1 - axis])
            if first >= 0 and stop <= size and other[0] >= 0 and other[1] <= in_shape[1 - axis]:
                assert (pixels[0], pixels[-1]) == (first, stop - 1)


@pytest.mark.parametrize(("network", "in_shape"), NETS.values(), ids=NETS)
def test_the_gradient_of_one_output_reaches_exactly_the_pixels_that_it_sees(network, in_shape):
    """Backward and forward agree, with real weights; maxima would choose, so they are averages here."""
    text = network.replace(" pool", " avgpool")
    experiment = Experiment(network=text, activation="tanh", initializer="xavier_normal")
    built = build.build_network(experiment, in_shape, 3, dtype=np.float64)
    layers = list(itertools.takewhile(lambda layer: not isinstance(layer, nn.Flatten), built.layers))
    for layer in layers:
        layer.needs_input_grad = True
    seen = sight(parse_network(text), in_shape)
    y = np.random.default_rng(0).normal(size=(1, *in_shape))
    for layer in layers:
        y = layer.forward(y, training=True)
    for place in [(0, 0), tuple(size // 2 for size in seen.shape[:2]), tuple(size - 1 for size in seen.shape[:2])]:
        gradient = np.zeros_like(y)
        gradient[place[0], 0, place[1]] = 1
        for layer in reversed(layers):
            gradient = layer.backward(gradient)
        np.testing.assert_array_equal((gradient[0] != 0).any(axis=-1), seen[place])
