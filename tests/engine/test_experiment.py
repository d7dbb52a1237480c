"""The spec of a run: every field within its bounds, every error one clear sentence, every codec there and back."""

import dataclasses
import json
import math
import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import build
from engine.errors import InputError, Text, shorten
from engine.experiment import AUGMENTATIONS, FEATURES, FIELDS, SUITED, USUAL_LR, Experiment, matters, parse_features
from engine.fields import MAX_TEXT, ExperimentError, format_value, parse_value
from engine.tokens import (
    MAX_LAYERS,
    MAX_UNITS,
    Dense,
    Drop,
)


def of_kind(*kinds):
    return [name for name, item in FIELDS.items() if item.metadata["kind"] in kinds]


NUMBERS = of_kind("int", "float")
WORDS = st.builds(Dense, st.integers(1, MAX_UNITS)) | st.builds(Drop, st.integers(0, 9500).map(lambda n: n / 10_000))
NETWORKS = st.lists(WORDS, max_size=MAX_LAYERS).map(lambda words: " ".join(map(str, words)))
TEXTS = {
    "network": NETWORKS.filter(lambda text: len(text) <= MAX_TEXT),
    "features": st.lists(st.sampled_from(FEATURES), min_size=1, unique=True).map(" ".join),
}


def values(name):
    """Return a strategy of everything that a field takes."""
    meta = FIELDS[name].metadata
    match meta["kind"]:
        case "choice":
            return st.sampled_from(meta["options"])
        case "int":
            return st.integers(meta["low"], meta["high"])
        case "float":
            return st.floats(meta["low"], meta["high"])
        case "bool":
            return st.booleans()
        case "text":
            return TEXTS[name]


EXPERIMENTS = st.fixed_dictionaries({}, optional={name: values(name) for name in FIELDS}).map(lambda s: Experiment(**s))


def refused(field, *parts, **settings):
    """Assert that settings raise one sentence which names the field and every part."""
    with pytest.raises(ExperimentError) as caught:
        Experiment(**settings)
    sentence = str(caught.value)
    assert caught.value.field == field
    assert sentence.startswith(f"{field} must be ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for part in parts:
        assert str(part) in sentence, sentence
    return sentence


def quoted(value):
    return shorten(format_value(value) if isinstance(value, float) else value)


# --------------------------------------------------------------------------------------------------------- the fields


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_says_what_it_is(name):
    item = FIELDS[name]
    meta = item.metadata
    assert meta["kind"] in ("choice", "int", "float", "bool", "text")
    assert meta["group"] in ("data", "network", "training", "regularization")
    assert meta["label"]
    assert meta["help"].endswith(".")
    if name in NUMBERS:
        assert meta["low"] <= item.default <= meta["high"]
        assert 0 < meta["step"] <= meta["high"] - meta["low"]
    if "when" in meta:
        other, options = meta["when"]
        assert set(options) <= set(FIELDS[other].metadata["options"])


@given(experiment=EXPERIMENTS)
def test_everything_within_the_bounds_is_taken_and_kept(experiment):
    assert Experiment(**dataclasses.asdict(experiment)) == experiment
    assert hash(experiment) == hash(experiment.replace())


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_at_their_limits_and_beyond(name):
    meta = FIELDS[name].metadata
    low, high = meta["low"], meta["high"]
    for value in (low, high):
        assert getattr(Experiment(**{name: value}), name) == value
    below = low - 1 if meta["kind"] == "int" else math.nextafter(low, -math.inf)
    above = high + 1 if meta["kind"] == "int" else math.nextafter(high, math.inf)
    for value in (below, above, -1, 10**9, -(10**400), 10**400, math.inf, -math.inf, math.nan):
        if not low <= value <= high:
            refused(name, format_value(low), format_value(high), **{name: value})
    refused(name, "not -7.5", **{name: -7.5})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [None, "1", "", True, [1], {"a": 1}, 1j, b"1", object], ids=repr)
def test_a_number_is_nothing_else(name, value):
    refused(name, "number", shorten(value), **{name: value})


@pytest.mark.parametrize("name", of_kind("int"))
def test_whole_numbers_are_whole(name):
    high = FIELDS[name].metadata["high"]
    assert type(getattr(Experiment(**{name: float(high)}), name)) is int
    refused(name, "whole", high - 0.5, **{name: high - 0.5})


@pytest.mark.parametrize("name", of_kind("float"))
def test_real_numbers_are_floats_whatever_they_came_as(name):
    high = FIELDS[name].metadata["high"]
    value = getattr(Experiment(**{name: int(high)}), name) if high >= 1 else 0.5
    assert type(value) is float


@pytest.mark.parametrize("name", of_kind("choice"))
@pytest.mark.parametrize("value", ["nonsense", "", None, 3, True, ["sgd"], {}], ids=repr)
def test_a_choice_is_one_of_its_options(name, value):
    refused(name, *FIELDS[name].metadata["options"], shorten(value), **{name: value})


@pytest.mark.parametrize("name", of_kind("bool"))
@pytest.mark.parametrize("value", ["true", 1, 0, None, 1.0], ids=repr)
def test_a_switch_is_on_or_off(name, value):
    refused(name, "true or false", quoted(value), **{name: value})


@pytest.mark.parametrize("name", of_kind("text"))
@pytest.mark.parametrize("value", [None, 3, ["dense5"], b"dense5", "x" * (MAX_TEXT + 1)], ids=lambda v: repr(v)[:9])
def test_a_text_is_a_text_of_bounded_length(name, value):
    refused(name, MAX_TEXT, shorten(value), **{name: value})


def test_white_space_in_texts_means_nothing():
    assert Experiment(network="  dense5\n\t dense6 ") == Experiment(network="dense5 dense6")


def test_an_experiment_cannot_be_changed_but_copied():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Experiment().lr = 1.0
    assert Experiment().replace(lr=1.0).changes() == {"lr": 1.0}
    with pytest.raises(ExperimentError):
        Experiment().replace(lr=-1)


def test_fields_matter_or_not():
    assert matters(Experiment(), "lr")
    assert not matters(Experiment(), "momentum")
    assert matters(Experiment(optimizer="nesterov"), "momentum")


def test_the_choices_are_the_names_in_builds_tables():
    for field, table in {
        "activation": build.ACTIVATIONS,
        "initializer": build.INITIALIZERS,
        "normalization": build.NORMALIZATIONS,
        "loss": build.LOSSES,
        "optimizer": build.OPTIMIZERS,
        "schedule": build.SCHEDULES,
    }.items():
        assert FIELDS[field].metadata["options"] == tuple(table), field
    assert FIELDS["data"].metadata["options"] == build.datasets.NAMES
    assert FIELDS["shape"].metadata["options"] == tuple(build.toy2d.SHAPES)
    assert tuple(build.toy2d.FEATURES) == FEATURES
    assert tuple(USUAL_LR) == tuple(build.OPTIMIZERS)


def test_another_optimizer_brings_its_usual_learning_rate_where_the_present_one_is_usual():
    usual, own = Experiment(), Experiment(lr=0.05)
    assert usual.lr == USUAL_LR["sgd"]
    assert usual.with_usual_lr({"optimizer": "adam"}) == {"lr": USUAL_LR["adam"], "optimizer": "adam"}
    assert usual.with_usual_lr({"optimizer": "adam", "lr": 0.3}) == {"lr": 0.3, "optimizer": "adam"}
    assert usual.with_usual_lr({"dropout": 0.5}) == {"dropout": 0.5}
    assert usual.with_usual_lr({"optimizer": "none such"}) == {"optimizer": "none such"}
    assert own.with_usual_lr({"optimizer": "adam"}) == {"optimizer": "adam"}


# --------------------------------------------------------------------------------------------------------- the codecs


@given(experiment=EXPERIMENTS)
def test_a_url_goes_round(experiment):
    query = experiment.to_query()
    assert all(type(value) is str for value in query.values())
    assert Experiment.read_query(query) == (experiment, [])
    assert Experiment.from_settings(query) == experiment


@given(experiment=EXPERIMENTS)
def test_a_command_line_goes_round(experiment):
    words = shlex.split(experiment.to_settings())
    assert words[:1] == ["--set"] * bool(experiment.changes())
    assert Experiment.from_settings(dict(word.split("=", 1) for word in words[1:])) == experiment


@given(experiment=EXPERIMENTS)
def test_json_goes_round(experiment):
    assert Experiment.from_json(experiment.to_json()) == experiment


@given(experiment=EXPERIMENTS)
def test_only_what_differs_from_the_default_is_written(experiment):
    expected = {name for name, item in FIELDS.items() if getattr(experiment, name) != item.default}
    assert set(experiment.to_query()) == set(json.loads(experiment.to_json())) == expected
    assert Experiment().to_query() == {}


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_as_short_as_they_can_be_read_back(value):
    text = format_value(value)
    assert float(text) == value
    assert len(text) <= len(repr(value))


BAD = {
    "lr": "fast",
    "steps": "1.5",
    "seed": "-1",
    "network": "dense0",
    "optimizer": "newton",
    "bias_correction": "maybe",
    "features": "x3",
    "dropout": "nan",
}


@given(good=EXPERIMENTS, bad=st.sets(st.sampled_from(sorted(BAD)), min_size=1))
def test_a_bad_parameter_is_reported_and_the_good_ones_are_kept(good, bad):
    query = good.to_query() | {name: BAD[name] for name in bad} | {"page": "train", "utm_source": "x"}
    experiment, errors = Experiment.read_query(query)
    assert {error.field for error in errors} == bad
    assert len(errors) == len(bad)
    assert experiment == good.replace(**{name: FIELDS[name].default for name in bad})
    for error in errors:
        assert shorten(BAD[error.field]) in str(error)


@given(base=EXPERIMENTS, change=EXPERIMENTS)
def test_a_url_may_change_another_experiment(base, change):
    experiment, errors = Experiment.read_query(change.to_query(), base)
    assert errors == []
    assert experiment == base.replace(**change.changes())


@given(query=st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(max_size=8), st.text(max_size=30)))
def test_any_query_gives_an_experiment(query):
    experiment, errors = Experiment.read_query(query)
    assert isinstance(experiment, Experiment)
    assert {error.field for error in errors} <= set(query)


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("True", True), ("FALSE", False)],
)
def test_switches_are_read_in_any_case(text, value):
    assert parse_value(FIELDS["bias_correction"], text) is value


def test_the_first_bad_setting_of_a_command_line_is_the_error():
    with pytest.raises(ExperimentError, match="lr must be a number from 1e-10 to 100, not fast"):
        Experiment.from_settings({"lr": "fast"})
    with pytest.raises(ExperimentError, match=r"field must be one of data, .*not no_such_field"):
        Experiment.from_settings({"no_such_field": "1"})
    with pytest.raises(ExperimentError, match="steps must be a whole number from 1 to 10000000, not 0"):
        Experiment.from_settings({"steps": "0"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**400, 10**401) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(document=JSON | st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, max_size=3))
def test_any_json_is_an_experiment_or_one_error(document):
    try:
        experiment = Experiment.from_json(json.dumps(document))
    except ExperimentError:
        return
    assert Experiment.from_json(experiment.to_json()) == experiment


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "null",
        "[]",
        '"lr"',
        "1e999",
        "{}{}",
        "\ud800",
        '{"lr": 1e999}',
        '{"lr": NaN}',
        '{"steps": 1' + "0" * 5000,
    ],
    ids=lambda document: repr(document)[:12],
)
def test_what_is_no_experiment_is_refused(document):
    with pytest.raises(ExperimentError):
        Experiment.from_json(document)


@pytest.mark.parametrize("name", ["steps", "network", "optimizer", "bias_correction", "no_field"])
def test_nesting_of_any_depth_is_refused_like_everything_else(name):
    """Around the interpreter's own limit of calls, what can be read may be too deep to be written."""
    limit = sys.getrecursionlimit()
    for depth in (10, *range(limit // 2, limit), 100 * limit):
        with pytest.raises(ExperimentError):
            Experiment.from_json(f'{{"{name}": {"[" * depth}{"]" * depth}}}')


def test_an_unknown_field_of_json_is_named():
    with pytest.raises(ExperimentError, match="not learning_rate"):
        Experiment.from_json('{"learning_rate": 1}')


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentations_are_of_pictures(name):
    assert matters(Experiment(data="digits"), name)
    assert not matters(Experiment(data="toy2d"), name)


def test_every_activation_has_initializations_that_suit_it():
    assert set(SUITED) == set(FIELDS["activation"].metadata["options"])
    assert set().union(*SUITED.values()) < set(FIELDS["initializer"].metadata["options"])


def test_features_are_kept_in_order_and_once():
    assert parse_features("x2 x1 x2") == ("x2", "x1")
    for text in ("", "x3", "x1;x2", "x1^3"):
        refused("features", *FEATURES, features=text)


# --------------------------------------------------------------------------------------------------------- the errors


def test_a_sentence_can_be_translated_template_by_template():
    japanese = {
        "{field} must be {legal}, not {received}.": "{field}は{legal}にしてください（入力: {received}）。",
        "a number from {low} to {high}": "{low}から{high}までの数",
    }
    with pytest.raises(InputError) as caught:
        Experiment(dropout=2)
    sentence = caught.value.text.render(lambda message: japanese.get(message, message))
    assert sentence == "dropoutは0から0.95までの数にしてください（入力: 2）。"
    assert str(caught.value) == "dropout must be a number from 0 to 0.95, not 2."


def test_text_shows_what_it_says():
    assert repr(Text("at most {n}", n=3)) == "Text('at most 3')"


@given(value=st.text(max_size=200) | st.binary(max_size=200) | JSON)
def test_quotes_are_short_and_printable(value):
    quote = shorten(value)
    assert len(quote) <= 40
    assert quote.isprintable()


def test_quotes_of_huge_values_cost_little():
    assert shorten("x" * 10**8) == "x" * 39 + "…"
    assert len(shorten([[1] * 10**6] * 10)) <= 40
    assert shorten("two\nlines") == "two·lines"
    assert [shorten(it) for it in ("", "  ", " " * 40)] == ["“”", "“  ”", "“" + " " * 38 + "”"]
