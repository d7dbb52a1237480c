"""What all pages do with an address, and what the lessons share."""

import itertools
import json

import pytest

from pages._ui import charts, i18n, navigation
from tests.pages.conftest import sentences

UNKNOWN = "The address sets {name}, but there is no such setting here."
PAGES = sorted(file.stem for file in navigation.FOLDER.glob("*.py"))
COMPARED = {  # a part without comparison, and one with
    "convolution": ("window", "runs"),
    "gradients": ("graph", "losses"),
    "initialization": ("before", "symmetry"),
    "normalization": ("averaged", "panel"),
    "optimizers": ("race", "digits"),
    "regularization": ("norms", "runs"),
}


def attention(app):
    """Return what the components of a page were told."""
    told = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return [it["attention"] for it in told if "attention" in it]


@pytest.mark.parametrize(("page", "language"), [*itertools.product(PAGES, i18n.LANGUAGES)])
def test_names_that_nothing_has_are_named_in_one_sentence_once(visit, page, language):
    app = visit(page, language, stepz="3", spec="x")
    (said,) = sentences(app)
    assert said == i18n.catalog(language).get(UNKNOWN, UNKNOWN).format(name="stepz, spec")
    assert not {"stepz", "spec"} & set(app.query_params)
    if language == "en":  # AppTest asks for the words of options outside of the session
        assert sentences(app.run()) == []


@pytest.mark.parametrize("name", ["<b>" + "x" * 5000, "![](http://evil.example/x.png)", "a\nb"])
def test_a_hostile_name_is_quoted_in_short(visit, name):
    for page in ("search", "train"):
        (said,) = sentences(visit(page, **{name: "1"}))
        assert len(said) < 200
        assert "![" not in said
        assert "\n" not in said


@pytest.mark.parametrize("page", COMPARED)
def test_what_a_comparison_keeps_is_known_where_it_is_shown(visit, page):
    link = {"all.dropout": "0.25", "0.l2": "0.5", "weight_decay": "1"}
    without, with_one = COMPARED[page]
    assert sentences(visit(page, part=without, **link)) == [UNKNOWN.format(name=", ".join(link))]
    app = visit(page, part=with_one, **link)
    assert sentences(app) == [UNKNOWN.format(name="weight_decay")]
    assert {"all.dropout": "0.25", "0.l2": "0.5"}.items() <= dict(app.query_params).items()


@pytest.mark.parametrize(("page", "n"), [("initialization", 2), ("gradients", 0)])
def test_a_later_look_does_not_answer_what_was_to_be_tried(visit, page, n):
    """Only what it showed is brought into sight."""
    app = visit(page)
    app.button(key=f"try_{n}").click().run()
    app.session_state[page] = dict(app.session_state[page]) | {"part": COMPARED[page][0]}
    assert sentences(app.run()) == []
    assert attention(app) == [0]


def start(proto) -> list:
    """Return what a widget begins with in a browser that was not told its value."""
    default, words = proto.default, [getattr(option, "content", option) for option in getattr(proto, "options", [])]
    if not words:
        return [default] if isinstance(default, bool | float | str) else [*default]
    indices = [default] * proto.HasField("default") if isinstance(default, int) else default
    return [words[int(index)] for index in indices]


def told(proto) -> list:
    """Return what a browser is told of a widget's value, once, in the words of `start`."""
    values = [getattr(proto, name, None) for name in ("value", "raw_value", "raw_values")]
    value = next((value for value in values if value not in (None, "", [])), [])
    return [value] if isinstance(value, bool | float | str) else [*value]


@pytest.mark.parametrize("page", ["train", "architectures", "search", *COMPARED])
def test_a_widget_begins_with_its_value_in_a_browser_that_missed_it(visit, page):
    app = visit(page, **{"part": COMPARED[page][0]} if page in COMPARED else {})
    protos = [element.proto for element in app._tree if getattr(element, "proto", None) is not None]
    widgets = [proto for proto in protos if getattr(proto, "set_value", False) is True]
    assert len(widgets) >= 2
    assert [(proto.id, start(proto)) for proto in widgets] == [(proto.id, told(proto)) for proto in widgets]


@pytest.mark.parametrize(
    ("page", "part"),
    [
        ("gradients", "derivative"),
        ("gradients", "activations"),
        ("regularization", "norms"),
        ("regularization", "dropout"),
    ],
)
def test_the_file_of_a_figure_is_the_same_in_both_languages(visit, monkeypatch, page, part):
    files = []

    def show(made, *, key, alt, header, rows):
        files.append([list(map(str, row)) for row in (header, *rows)])

    monkeypatch.setattr(charts, "show", show)
    for language in i18n.LANGUAGES:
        assert sentences(visit(page, language, part=part)) == []
    half = len(files) // 2
    assert half > 0
    assert files[:half] == files[half:]
    assert all(len(row) == len(header) for header, *rows in files for row in rows)
