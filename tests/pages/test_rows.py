"""Every row of the published experiments is on its page: by its link, by clicks, and on the command line the same run.

The rows are the tables of the course's exercises (A), of the book (B) and of what goes beyond both (C).
"""

import json

import pytest

from engine import presets
from engine.__main__ import parse
from engine.commands.options import UsageError
from engine.commands.train import chosen_runs
from engine.experiment import Experiment
from engine.presets.gradients import check_gradients
from pages._ui.channels import pool
from pages._ui.graph import check
from tests.pages.conftest import sentences, shows

ROWS = {
    "train": ["d2-two-layer", "ch04-two-layer", "ch05-two-layer"],
    "initialization": [
        "d2-sigmoid-gauss", "d2-relu-gauss", "d2-sigmoid-xavier", "d2-relu-he", "d2-sigmoid-he", "d2-relu-xavier",
        "ch06-activation-hist", "ch06-init-compare", "vanishing-gradients", "symmetry",
    ],
    "normalization": [
        "d2-batchnorm", "ch06-batchnorm", "activation-statistics", "normalizations", "normalizations-conv",
    ],
    "optimizers": [
        "d2-opt-sgd", "d2-opt-momentum", "d2-opt-adagrad", "d2-opt-rmsprop", "d2-opt-adam", "ch06-landscape",
        "ch06-optimizers-mnist", "bias-correction", "schedules",
    ],
    "regularization": [
        "d2-overfit", "d2-l2", "d2-l1", "d2-dropout", "d2-dropout-l1", "ch06-weight-decay", "ch06-dropout",
        "ch08-augmentation", "lp-norms",
    ],
    "convolution": [
        "d2-simple-conv", "d2-double-conv", "d2-deep-conv", "ch07-simple-conv", "ch07-filters", "ch08-deep-conv",
        "ch08-misclassified", "ch08-half-precision", "convolution-arithmetic",
    ],
    "architectures": ["gap", "lenet-5", "vgg-28", "architectures"],
    "gradients": [
        "ch03-activations", "ch04-derivative", "ch04-gradient-field", "ch04-descent", "ch05-apples",
        "ch05-gradient-check", "losses",
    ],
    "search": ["ch06-search"],
}  # fmt: skip
IN_THE_PICTURE = {"vanishing-gradients": {"layers"}}  # set by the component's own sliders, see its browser test
EVERY = [(page, row) for page, rows in ROWS.items() for row in rows]
COMPARED = [(page, row) for page, row in EVERY if page not in ("train", "architectures") and presets.get(row).runs]
every_row = pytest.mark.parametrize(("page", "row"), EVERY, ids=[row for _, row in EVERY])


@pytest.fixture(autouse=True)
def _few_gradients(monkeypatch):
    """The gradient check looks at some numbers here: what it finds of all of them has tests of its own."""
    monkeypatch.setattr(check, "_kept", {})
    few = {"sample": check.SAMPLE}
    monkeypatch.setattr(check, "check_gradients", lambda hidden, **asked: check_gradients(hidden, **asked | few))


@every_row
def test_every_row_has_an_id_and_a_claim(page, row):
    preset = presets.get(row)
    assert preset.page == page
    assert str(preset.claim.text)


@every_row
def test_its_link_opens_it_without_a_word(visit, page, row):
    app = visit(page, preset=row)
    assert sentences(app) == []


@pytest.mark.parametrize(("page", "row"), COMPARED, ids=[row for _, row in COMPARED])
def test_the_link_gives_the_run_of_the_command_line(visit, page, row):
    app = visit(page, preset=row)
    state = app.session_state[f"{page}_comparison"]
    assert state["preset"] == row
    shown = [pool().find(name).experiment for name in state["runs"]]
    options = parse(["train", "--preset", row])
    assert shown == list(chosen_runs(options).values()) == list(presets.get(row).runs.values())


@every_row
def test_clicks_alone_lead_to_the_same(visit, page, row):
    """From the page as it opens, by its own controls: each of the row's settings is set by its widget."""
    if page in ("train", "architectures", "search"):
        pytest.skip("has a test of its own")
    by_link, by_click = visit(page, preset=row), visit(page)
    wanted = by_link.session_state[page]
    for _round in range(2):  # some widgets appear with the part of the page that they belong to
        for name, value in wanted.items():
            if by_click.session_state[page][name] != value and (widget := find(by_click, f"{page}_{name}")):
                widget.set_value(value).run()
    drawn = IN_THE_PICTURE.get(row, set())
    assert {name for name, value in wanted.items() if by_click.session_state[page][name] != value} == drawn
    assert drawn or by_click.query_params["preset"] == by_link.query_params["preset"]


def find(app, key):
    """Return the widget of that key, None where it is not there."""
    kinds = ("button_group", "selectbox", "number_input", "slider", "toggle", "radio")
    return next((it for kind in kinds for it in app.get(kind) if shows(it, key)), None)


@pytest.mark.parametrize("row", ROWS["train"])
def test_the_train_page_gives_the_run_of_the_command_line(visit, row):
    by_link = visit("train", preset=row)
    by_click = visit("train")
    by_click.selectbox(key="preset_choice_en").set_value(row).run()
    options = parse(["train", "--preset", row])
    wanted = next(iter(chosen_runs(options).values()))
    for app in (by_link, by_click):
        assert Experiment.from_json(app.session_state["spec"]) == wanted
        assert json.loads(wanted.to_json()) == json.loads(app.session_state["spec"])


def test_what_only_computes_is_not_trained():
    options = parse(["train", "--preset", "ch05-apples"])
    with pytest.raises(UsageError, match="ch05-apples has nothing to train"):
        chosen_runs(options)
