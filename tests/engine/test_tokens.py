"""The language of networks: every word is read as it is written, and what is none is one clear sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.experiment import Experiment, parse_features
from engine.fields import MAX_TEXT, ExperimentError
from engine.tokens import (
    MAX_KERNEL,
    MAX_LAYERS,
    MAX_STRIDE,
    MAX_UNITS,
    Conv,
    Dense,
    Drop,
    Gap,
    Output,
    Pool,
    parse_network,
)
from tests.engine.test_experiment import WORDS, refused


@given(words=st.lists(WORDS, max_size=MAX_LAYERS))
def test_words_are_read_as_they_are_written(words):
    assert parse_network(" ".join(map(str, words))) == tuple(words)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", ()),
        ("dense100 dense100", (Dense(100), Dense(100))),
        ("dense007", (Dense(7),)),
        ("drop.5", (Drop(0.5),)),
        ("drop0.25 drop0", (Drop(0.25), Drop(0))),
        (f"dense{MAX_UNITS} drop.95", (Dense(MAX_UNITS), Drop(0.95))),
    ],
)
def test_networks(text, tokens):
    assert parse_network(text) == tokens


@pytest.mark.parametrize(
    "word",
    [
        "dense0", f"dense{MAX_UNITS + 1}", "dense99999", "dense999999999999999999999", "dense-5", "dense", "dense1.5",
        "dense5e3", "dense５x", "Ⓓense5", "drop1", "drop.96", "drop.99999", "drop", "drop-.5", "dropnan", "layer",
        "dense5;dense5", "denseⅧ", "dense²", "<script>", "../../passwd", "{field}", "%s", "\x00", "\u202e", "💥" * 50,
    ],
    ids=ascii,
)  # fmt: skip
def test_a_word_that_is_none_is_one_error(word):
    assert len(refused("network", network=f"dense5 {word} dense5")) < 200


def test_ten_thousand_layers_are_one_error():
    refused("network", MAX_TEXT, network="dense1 " * 10_000)
    with pytest.raises(ExperimentError, match=f"at most {MAX_LAYERS} words, not 10000"):
        parse_network("dense1 " * 10_000)
    assert len(parse_network("dense1 " * MAX_LAYERS)) == MAX_LAYERS
    refused("network", f"not {MAX_LAYERS + 1}", network="dense1 " * (MAX_LAYERS + 1))


@given(text=st.text(max_size=80) | st.text(alphabet="dense rop.0123456789", max_size=80))
def test_any_text_is_a_network_or_one_error(text):
    try:
        tokens = parse_network(text)
    except ExperimentError:
        assert len(refused("network", network=text)) < 200
    else:
        assert parse_network(Experiment(network=text).network) == tokens
        assert parse_network(" ".join(map(str, tokens))) == tokens


@pytest.mark.parametrize("comma", [",", ", ", "、", "，", "\u3000", " , "])
def test_commas_stand_between_words_as_blanks_do(comma):
    experiment = Experiment(network=f"dense50{comma}drop.5{comma}dense20", features=f"x2{comma}x1")
    assert (experiment.network, experiment.features) == ("dense50 drop.5 dense20", "x2 x1")
    assert parse_network(f"dense50{comma}dense20") == parse_network("dense50 dense20")
    assert parse_features(f"x2{comma}x1") == ("x2", "x1")


@pytest.mark.parametrize("typed", ["ｄｅｎｓｅ５０　ｄｒｏｐ．５", "Dense50 Drop.5", "DENSE５０、drop.5"])
def test_words_are_read_as_a_japanese_keyboard_and_a_phone_type_them(typed):
    assert Experiment(network=typed).network == "dense50 drop.5"
    assert parse_network(typed) == parse_network("dense50 drop.5")
    assert Experiment(features="Ｘ１ Sinx2").features == "x1 sinx2"


@pytest.mark.parametrize("word", ["dense100000", "dense" + "9" * 500, "conv99999999@3", "conv3@99999", "pool1000"])
def test_a_number_that_is_too_large_is_said_to_be(word):
    with pytest.raises(ExperimentError, match="of 1 to"):
        Experiment(network=word)


# ---------------------------------------------------------------------------------------------- words about pictures

STRIDES = st.integers(1, MAX_STRIDE)
WINDOWS = st.integers(1, MAX_KERNEL)
DROPS = st.integers(0, 9500).map(lambda n: Drop(n / 10_000))
CONVOLUTIONS = WINDOWS.flatmap(
    lambda kernel: st.builds(Conv, st.integers(1, MAX_UNITS), st.just(kernel), st.integers(0, kernel - 1), STRIDES)
)
POOLS = WINDOWS.flatmap(lambda window: st.builds(Pool, st.just(window), STRIDES | st.just(window), st.booleans()))


@st.composite
def picture_networks(draw):
    """Pictures first, then perhaps a global average, then fully connected layers and perhaps the output with a drop."""
    tokens = draw(st.lists(CONVOLUTIONS | POOLS | DROPS, max_size=8))
    tokens += draw(st.lists(st.just(Gap()), max_size=1)) + draw(st.lists(WORDS, max_size=6))
    if draw(st.booleans()):
        tokens += [Output(), *draw(st.lists(DROPS, max_size=1))]
    return tokens


@given(tokens=picture_networks())
def test_words_about_pictures_are_read_as_they_are_written(tokens):
    text = " ".join(map(str, tokens))
    assert parse_network(text) == tuple(tokens)
    if len(text) <= MAX_TEXT:
        experiment = Experiment(network=text)
        assert Experiment.read_query(experiment.to_query()) == (experiment, [])


@pytest.mark.parametrize(
    ("word", "token", "written"),
    [
        ("conv30@5", Conv(30, 5), "conv30@5"),
        ("conv16@3p1", Conv(16, 3, padding=1), "conv16@3p1"),
        ("conv16@3p1s2", Conv(16, 3, padding=1, stride=2), "conv16@3p1s2"),
        ("conv016@03p00s01", Conv(16, 3), "conv16@3"),
        (f"conv{MAX_UNITS}@11p10s8", Conv(MAX_UNITS, 11, 10, 8), f"conv{MAX_UNITS}@11p10s8"),
        ("pool2", Pool(2, 2), "pool2"),
        ("pool3s2", Pool(3, 2), "pool3s2"),
        ("pool3s3", Pool(3, 3), "pool3"),
        ("pool1s8", Pool(1, 8), "pool1s8"),
        ("avgpool2", Pool(2, 2, average=True), "avgpool2"),
        ("avgpool3s1", Pool(3, 1, average=True), "avgpool3s1"),
        ("gap", Gap(), "gap"),
        ("output", Output(), "output"),
    ],
)
def test_every_word_about_pictures(word, token, written):
    assert parse_network(word) == (token,)
    assert str(token) == written


@pytest.mark.parametrize(
    "word",
    [
        "conv0@3", "conv9@0", "conv5@99", f"conv5@{MAX_KERNEL + 1}", f"conv{MAX_UNITS + 1}@3", "conv99999@3",
        "conv999999999999999999@3", "conv5@999999999999999999", "conv3@3p3", "conv3@3p99", "conv1@1p1", "conv3@3s0",
        f"conv3@3s{MAX_STRIDE + 1}", "conv3@3s", "conv3@3p", "conv3@3s2p1", "conv3@3p-1", "conv-3@3", "conv3", "conv",
        "conv@3", "conv3@", "conv3@3@3", "conv3x3", "conv3@3.5", "conv3@3p1p1", "Ⓒonv3@3", "conv 3@3", "pool0", "pool",
        f"pool{MAX_KERNEL + 1}", "pool2s0", f"pool2s{MAX_STRIDE + 1}", "pool2p1", "pool-2", "maxpool2", "avgpool0",
        "avgpool", "avg", "avgpool2p1", "gap2", "Ⓖap", "output10", "flatten",
    ],
)  # fmt: skip
def test_a_word_about_pictures_that_is_none_is_one_error(word):
    assert len(refused("network", network=word)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "gap conv3@3", "gap pool2", "gap gap", "dense5 conv3@3", "dense5 pool2", "dense5 gap", "gap avgpool2",
        "output dense5", "output conv3@3", "output output", "output gap", "output drop.5 dense5",
        "output drop.5 output", "output drop.5 drop.5 dense5", "dense5 output pool2", "dense5 drop.5 conv3@3",
        "gap drop.5 pool2", "gap drop.5 drop.5 gap",
    ],
)  # fmt: skip
def test_an_order_that_makes_no_network_is_one_error(text):
    assert len(refused("network", network=text)) < 200


@given(text=st.text(alphabet="convpoolgapavgdropdenseoutput@0123456789ps. ", max_size=60))
def test_any_text_of_these_letters_is_a_network_or_one_error(text):
    try:
        tokens = parse_network(text)
    except ExperimentError:
        assert len(refused("network", network=text)) < 200
    else:
        assert parse_network(" ".join(map(str, tokens))) == tokens


HOSTILE = (
    st.sampled_from(["conv", "pool", "avgpool", "gap", "output", "dense", "drop"])
    .flatmap(lambda kind: st.tuples(st.just(kind), st.text("0123456789@ps.-", max_size=8)))
    .map("".join)
)


@given(words=st.lists(HOSTILE, max_size=5))
def test_nearly_right_words_are_a_network_or_one_error(words):
    text = " ".join(words)
    try:
        tokens = parse_network(text)
    except ExperimentError:
        refused("network", network=text)
    else:
        assert parse_network(" ".join(map(str, tokens))) == tokens
        for token in tokens:
            for name, high in (("filters", MAX_UNITS), ("kernel", MAX_KERNEL), ("window", MAX_KERNEL)):
                assert 1 <= getattr(token, name, 1) <= high
            assert 1 <= getattr(token, "stride", 1) <= max(MAX_STRIDE, getattr(token, "window", 1))
