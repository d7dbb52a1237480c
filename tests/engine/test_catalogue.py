"""The named networks cost what their papers and libraries say, and those that are said to train here do build."""

import pytest

from engine import build, presets
from engine.architecture import describe
from engine.build import MAX_PARAMETERS
from engine.catalogue import CATALOGUE

every_network = pytest.mark.parametrize("it", CATALOGUE.values(), ids=CATALOGUE)

# Parameters and multiply-adds of one picture: the former as torchvision's models and the book have them, those of the
# networks made for this catalogue and the latter worked out by hand.
COSTS = {
    "lenet5": (61_706, 416_520),
    "alexnet": (62_378_344, 1_135_256_096),
    "alexnet-torchvision": (61_100_840, 714_188_480),
    "vgg11": (132_863_336, 7_609_090_048),
    "vgg16": (138_357_544, 15_470_264_320),
    "784-50-10": (39_760, 39_700),
    "784-100-100-10": (89_610, 89_400),
    "ch07-simple-conv": (433_890, 865_000),
    "ch08-deep-conv": (123_552, 8_772_340),
    "vgg28": (467_818, 18_691_840),
    "gap": (35_514, 5_532_544),
}
LARGE = {"alexnet", "alexnet-torchvision", "vgg11", "vgg16"}


def rows_of(it):
    return describe(it.network, it.in_shape, it.classes)


def row(name, layer):
    return next(it for it in rows_of(CATALOGUE[name]) if it.name == layer)


def test_the_catalogue_is_complete():
    assert set(CATALOGUE) == set(COSTS)


@every_network
def test_costs(it):
    rows = rows_of(it)
    assert (sum(r.parameters for r in rows), sum(r.multiply_adds for r in rows)) == COSTS[it.id]


@every_network
def test_every_network_says_where_it_comes_from(it):
    assert it.source
    assert it.note.endswith(".")
    assert 1989 <= it.year <= 2016


@every_network
def test_those_that_train_here_are_the_ones_that_fit(it):
    assert (not it.preset) == (it.id in LARGE) == (COSTS[it.id][0] > MAX_PARAMETERS)


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - LARGE))
def test_what_is_described_is_what_is_built(name):
    it = CATALOGUE[name]
    preset = presets.get(it.preset)
    experiment = preset.runs[preset.headline]
    assert experiment.network == it.network
    build.check(experiment)
    plain = experiment.replace(normalization="none")  # which the catalogue does not count
    network = build.build_network(plain, it.in_shape, it.classes)
    assert sum(parameter.data.size for parameter in network.parameters().values()) == COSTS[name][0]


def test_the_figures_of_the_notes():
    assert row("vgg16", "dense1").parameters == row("vgg11", "dense1").parameters == 102_764_544
    assert row("ch07-simple-conv", "conv1").parameters == 780
    assert row("ch07-simple-conv", "dense1").parameters == 432_100
    assert row("ch07-simple-conv", "pool1").out_shape == (12, 12, 30)
    assert [row("ch08-deep-conv", f"pool{n}").out_shape[0] for n in (1, 2, 3)] == [14, 8, 4]
    assert COSTS["ch08-deep-conv"][0] < COSTS["ch07-simple-conv"][0] / 3


def test_lenet_of_1998_had_60_000():
    """Coefficients and biases in pooling, C3 connected to 3, 4 and 6 channels, an output that is not learned."""
    here = {r.name: r.parameters for r in rows_of(CATALOGUE["lenet5"])}
    connected = 6 * 3 + 9 * 4 + 1 * 6  # of the 16 × 6 pairs of channels
    c3 = 25 * connected + 16
    assert c3 == 1_516
    assert here["conv1"] + 2 * 6 + c3 + 2 * 16 + here["dense1"] + here["dense2"] == 60_000


def test_alexnet_on_two_cards_had_60_965_224():
    halved = sum(
        row("alexnet", f"conv{n}").multiply_adds // row("alexnet", f"conv{n}").out_shape[0] ** 2 for n in (2, 4, 5)
    )
    assert COSTS["alexnet"][0] - halved // 2 == 60_965_224


def test_a_global_average_costs_the_same_at_every_size():
    it = CATALOGUE["gap"]
    counts = {sum(r.parameters for r in describe(it.network, (n, n, 1), 10)) for n in (28, 56, 112)}
    assert counts == {COSTS["gap"][0]}
