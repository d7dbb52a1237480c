"""Every lesson is checked: the claim of every preset holds for what its settings do.

On the embedded digits, the longest runs shortened. The full settings are checked by `python -m engine presets --check`,
on the full MNIST with `--data mnist`.
"""

import math
from pathlib import Path

import pytest

from engine import presets
from engine.data import datasets
from engine.errors import InputError, Text
from engine.experiment import Experiment
from engine.presets import PRESETS, Claim, Preset, Published, Result, claims
from engine.tokens import parse_network
from engine.training.trainer import Trainer

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

PUBLISHED_IDS = [
    "d2-two-layer",
    "d2-sigmoid-gauss",
    "d2-relu-gauss",
    "d2-sigmoid-xavier",
    "d2-relu-he",
    "d2-sigmoid-he",
    "d2-relu-xavier",
    "d2-batchnorm",
    "d2-opt-sgd",
    "d2-opt-momentum",
    "d2-opt-adagrad",
    "d2-opt-rmsprop",
    "d2-opt-adam",
    "d2-overfit",
    "d2-l2",
    "d2-l1",
    "d2-dropout",
    "d2-dropout-l1",
    "ch04-two-layer",
    "ch05-two-layer",
    "ch06-init-compare",
    "ch06-optimizers-mnist",
    "ch06-weight-decay",
    "ch06-dropout",
    "ch06-batchnorm",
    "d2-simple-conv",
    "d2-double-conv",
    "d2-deep-conv",
    "ch07-simple-conv",
    "ch08-deep-conv",
]

# Steps in place of the published ones, where those take seconds.
SHORTENED = {
    "ch04-two-layer": 4_000,
    "ch05-two-layer": 4_000,
    "ch06-init-compare": 1_000,
    "ch06-optimizers-mnist": 800,
    "d2-simple-conv": 300,
    "d2-deep-conv": 300,
    "ch07-simple-conv": 300,  # the course's, then
    "ch08-deep-conv": 300,
    "lenet-5": 100,
    "vgg-28": 30,
    "gap": 60,
    "conv-in-ten-seconds": 150,
    "reader": 80,
}

PAGES = {file.stem for file in (Path(__file__).resolve().parents[2] / "pages").glob("*.py")}
each_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@pytest.fixture(scope="module")
def measure():
    """Return experiment → result, every experiment trained once: presets share their baselines."""
    results: dict[Experiment, Result] = {}

    def measure(experiment: Experiment) -> Result:
        for name, all_there_are in (("train_size", 4_000), ("test_size", 1_000)):  # of mnist-5k: more are not to be had
            if getattr(experiment, name) >= all_there_are:
                experiment = experiment.replace(**{name: 0})
        if experiment not in results:
            results[experiment] = Result.of(presets.train(experiment))
        return results[experiment]

    return measure


@each_preset
def test_the_claim_holds(preset, measure, monkeypatch):
    steps = SHORTENED.get(preset.id)
    changes = {"data": "mnist-5k"} | ({"steps": steps} if steps else {})
    runs = {label: experiment.replace(**changes) for label, experiment in preset.runs.items()}
    if preset.page != "initialization":  # there claims are about the way too; looks on it cost as much as the steps
        runs = {label: experiment.replace(evaluate_every=experiment.steps) for label, experiment in runs.items()}
        monkeypatch.setattr("engine.training.trainer.EVALUATION_LIMIT", 50)  # `Result.of` looks at all examples
    results = {label: measure(experiment) for label, experiment in runs.items()}
    figures = {label: (result.train_accuracy, result.test_accuracy) for label, result in results.items()}
    assert preset.claim.holds(results), f"{preset.claim.text} {figures}"


@pytest.mark.skipif(not (SHARED / "mnist").is_dir(), reason="needs the full MNIST in ../shared/data/mnist")
def test_relu_he_comes_to_its_published_figure_on_the_full_mnist(monkeypatch):
    monkeypatch.setenv("KASANE_DATA", str(SHARED))
    preset = presets.get("d2-relu-he")
    result = presets.run(preset, data="mnist")[preset.headline]
    assert (result.train_size, result.test_size) == (60_000, 10_000)
    assert result.test_accuracy == pytest.approx(0.956, abs=0.02)


# ------------------------------------------------------------------------------------------------------------ the data


def test_every_published_experiment_is_there():
    assert set(PUBLISHED_IDS) <= set(PRESETS)
    assert all(preset.id == id for id, preset in PRESETS.items())


@each_preset
def test_a_preset_is_complete(preset):
    assert preset.page in PAGES
    assert preset.title
    assert preset.question.endswith("?")
    assert set(preset.published) == set(preset.runs)
    assert not preset.runs or preset.headline in preset.runs
    assert str(preset.claim.text)
    for figures in filter(None, preset.published.values()):
        assert 0 < figures.test < 1


@pytest.mark.parametrize("preset", [presets.get(id) for id in PUBLISHED_IDS], ids=PUBLISHED_IDS)
def test_runs_follow_the_conventions_of_course_and_book(preset):
    for experiment in preset.runs.values():
        assert experiment.data == "mnist-5k"
        assert experiment.sampling == "replacement"
        assert experiment.batch_size == (128 if preset.id in ("ch06-init-compare", "ch06-optimizers-mnist") else 100)
        often = 120 if "conv" in experiment.network else 20  # a step of a convolution costs as much as 50 examples more
        assert experiment.steps / experiment.evaluate_every <= often, "evaluations would cost more than a tenth"
        assert Experiment.read_query(experiment.to_query()) == (experiment, [])


@pytest.mark.parametrize(
    ("id", "layers", "fields"),
    [
        ("d2-two-layer", [40], {"activation": "relu", "initializer": "gauss", "sigma": 0.01, "lr": 0.1, "steps": 1000}),
        ("d2-sigmoid-gauss", [40, 20], {"activation": "sigmoid", "initializer": "gauss", "lr": 0.1, "steps": 2000}),
        ("d2-relu-he", [40, 20], {"activation": "relu", "initializer": "he_normal", "lr": 0.1, "steps": 2000}),
        ("d2-sigmoid-xavier", [40, 20], {"activation": "sigmoid", "initializer": "lecun_normal", "lr": 0.1}),
        (
            "d2-batchnorm",
            [40, 20],
            {"normalization": "batch", "initializer": "lecun_normal", "lr": 0.01, "steps": 1000},
        ),
        ("d2-opt-momentum", [40, 20], {"optimizer": "momentum", "momentum": 0.9, "lr": 0.01, "sigma": 0.01}),
        ("d2-opt-adagrad", [40, 20], {"optimizer": "adagrad", "initial_accumulator": 1e-4, "lr": 0.01}),
        ("d2-opt-rmsprop", [40, 20], {"optimizer": "rmsprop", "alpha": 0.99, "lr": 0.01, "activation": "sigmoid"}),
        ("d2-opt-adam", [40, 20], {"optimizer": "adam", "beta1": 0.9, "beta2": 0.999, "lr": 0.01}),
        ("d2-overfit", [100] * 6, {"train_size": 300, "optimizer": "sgd", "lr": 0.01, "steps": 1000, "l2": 0.0}),
        ("d2-l2", [100] * 6, {"train_size": 300, "lr": 0.01, "l2": 0.1}),
        ("d2-l1", [100] * 6, {"train_size": 300, "lr": 0.1, "l1": 0.005}),
        ("d2-dropout", [100] * 6, {"train_size": 300, "lr": 0.01, "dropout": 0.15}),
        ("d2-dropout-l1", [100] * 6, {"train_size": 300, "lr": 0.01, "dropout": 0.08, "l1": 0.004}),
        ("ch04-two-layer", [50], {"activation": "sigmoid", "initializer": "gauss", "lr": 0.1, "steps": 10_000}),
        ("ch06-weight-decay", [100] * 6, {"train_size": 300, "lr": 0.01, "l2": 0.1, "steps": 201 * 3}),
        ("ch06-dropout", [100] * 6, {"train_size": 300, "lr": 0.01, "dropout": 0.2, "steps": 301 * 3}),
    ],
)
def test_settings_are_the_published_ones(id, layers, fields):
    experiment = PRESETS[id].runs[PRESETS[id].headline]
    assert [token.units for token in parse_network(experiment.network)] == layers
    assert {name: getattr(experiment, name) for name in fields} == fields


def test_the_panel_has_sixteen_sigmas_with_and_without_batch_norm():
    runs = PRESETS["ch06-batchnorm"].runs.values()
    for kind in ("batch", "none"):
        sigmas = [experiment.sigma for experiment in runs if experiment.normalization == kind]
        assert sigmas == pytest.approx([10 ** (-4 * i / 15) for i in range(16)], rel=1e-5)


def test_compared_optimizers_start_from_the_same_weights():
    trainers = [Trainer(experiment) for experiment in PRESETS["ch06-optimizers-mnist"].runs.values()]
    start = trainers[0].network.vector.data
    assert all((trainer.network.vector.data == start).all() for trainer in trainers)


def test_the_first_examples_are_the_training_set_of_over_fitting():
    trainer = Trainer(PRESETS["d2-overfit"].runs["no decay"])
    assert (trainer.data.x_train == datasets.load("mnist-5k").x_train[:300]).all()


def test_a_preset_cannot_be_changed():
    preset = PRESETS["d2-l2"]
    with pytest.raises(TypeError):
        preset.runs["other"] = Experiment()
    with pytest.raises(TypeError):
        PRESETS["other"] = preset
    with pytest.raises(AttributeError):
        preset.title = "other"


def test_figures_belong_to_runs():
    with pytest.raises(ValueError, match="does not have"):
        Preset("x", "train", "t", "q?", {"a": Experiment()}, {"b": Published(0.5)}, claims.reaches("a", 0.5))


@pytest.mark.parametrize("id", ["", "d2-relu", "x" * 10_000, "d2-relu-he\n", "日本語", None, 3, ["d2-l2"]])
def test_an_unknown_id_is_named_with_some_that_are_legal(id):
    with pytest.raises(InputError, match=f"one of {len(PRESETS)} ids such as") as caught:
        presets.get(id)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


def test_the_nearest_ids_are_suggested():
    with pytest.raises(InputError, match="d2-relu-he"):
        presets.get("d2-relu-hee")


@pytest.mark.parametrize(
    ("changes", "departures"),
    [
        ({}, {}),
        ({"data": "mnist", "seed": 7, "steps": 10}, {}),
        ({"sigma": 0.5, "activation": "tanh"}, {"activation": "tanh", "sigma": 0.5}),
        ({"initializer": "he_normal", "sigma": 0.5}, {"initializer": "he_normal"}),  # where σ has no effect
        ({"momentum": 0.5}, {}),  # SGD has none
        ({"optimizer": "momentum", "momentum": 0.5}, {"optimizer": "momentum", "momentum": 0.5}),
        ({"lr": 0.2, "seed": 7}, {"lr": 0.2}),
    ],
)
def test_what_makes_a_run_another_than_the_published_one(changes, departures):
    preset = PRESETS["course-inits"]
    label = "sigmoid, std 0.01"
    assert preset.departures(label, preset.runs[label].replace(**changes)) == departures


# ------------------------------------------------------------------------------------------------------------- running

QUICK = {"steps": 20, "data": "digits"}


def test_a_run_reports_what_it_came_to():
    preset = PRESETS["d2-l2"]
    watched = []
    results = presets.run(preset, watch=lambda label, trainer: watched.append((label, trainer.step)), **QUICK)
    assert list(results) == list(preset.runs)
    assert {label for label, _ in watched} == set(preset.runs)
    result = results[preset.headline]
    assert (result.dataset, result.train_size, result.test_size) == ("digits", 300, 360)
    assert (result.iterations, result.finished) == (20, "completed")
    assert result.parameters == 64 * 100 + 100 + 5 * (100 * 100 + 100) + 100 * 10 + 10
    assert 0 < result.seconds < 10
    assert result.curves["loss_step"] == list(range(1, 21))


def test_results_follow_the_seed():
    preset = PRESETS["d2-two-layer"]
    losses = [presets.run(preset, seed=seed, **QUICK)[preset.headline].loss for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_a_finished_run_has_its_last_evaluation():
    trainer = presets.train(Experiment(data="digits", network="dense10", steps=40, evaluate_every=20))
    assert trainer.history.curves()["step"] == [0, 20, 40]


# -------------------------------------------------------------------------------------------------------------- claims


def result(train=1.0, test=1.0, loss=0.1, test_loss=0.2, losses=(1.0,), accuracies=(0.1, 0.1, 0.1)) -> Result:
    steps = [100.0 * i for i in range(len(accuracies))]
    curves = {"loss": list(losses), "step": steps, "test_accuracy": list(accuracies)}
    return Result("mnist-5k", 300, 1000, 1, 1, 1.0, loss, test_loss, train, test, "completed", curves)


@pytest.mark.parametrize(
    ("claim", "bears_out", "refutes"),
    [
        (claims.never_learns("a"), [result(test=0.1135)], [result(test=0.2)]),
        (claims.stays_below("a", 0.3), [result(test=0.29)], [result(test=0.3)]),
        (claims.reaches("a", 0.9), [result(test=0.9)], [result(test=0.89)]),
        (claims.reaches("a", 0.9), [result(test=0.9)], [result(test=math.nan)]),
        (claims.waits("a", 200), [result()], [result(accuracies=(0.1, 0.5, 0.6))]),
        (claims.waits("a", 200), [result()], [result(accuracies=(0.1,))]),
        (claims.leads("a", "b", 0.1), [result(test=0.9), result(test=0.7)], [result(test=0.9), result(test=0.85)]),
        (claims.keeps_up("a", "b", 0.1), [result(test=0.8), result(test=0.85)], [result(test=0.7), result(test=0.9)]),
        (claims.learns_faster("a", "b"), [result(), result(losses=(2.0,))], [result(), result(losses=(0.5,))]),
        (claims.memorizes("a", 0.15), [result(test=0.8)], [result(test=0.9)]),
        (claims.memorizes("a", 0.15), [result(test=0.8)], [result(train=0.9, test=0.5)]),
        (claims.forgets("a", 0.98), [result(train=0.97)], [result(train=0.99)]),
        (claims.fits_less("a", "b", 2.0), [result(loss=0.2), result(loss=0.1)], [result(loss=0.15), result(loss=0.1)]),
        (claims.gap_closes("a", "b"), [result(test_loss=0.2), result(test_loss=0.3)], [result(), result()]),
        (
            claims.learn_in_number(("a",), ("b",), at_least=1, at_most=0),
            [result(train=0.5), result(train=0.1)],
            [result(train=0.5), result(train=0.5)],
        ),
        (
            claims.learn_in_number(("a",), ("b",), at_least=1, at_most=0),
            [result(train=0.5), result(train=0.1)],
            [result(train=0.1), result(train=0.1)],
        ),
        (claims.reaches("a", 0.9) & claims.never_learns("b"), [result(), result(test=0.1)], [result(), result()]),
        (claims.reaches("a", 0.9) & claims.never_learns("b"), [result(), result(test=0.1)], [result(test=0.1)] * 2),
    ],
)
def test_a_claim_can_fail(claim, bears_out, refutes):
    assert claim.holds(dict(zip("ab", bears_out, strict=False)))
    assert not claim.holds(dict(zip("ab", refutes, strict=False)))


def test_a_claim_is_translated_with_its_labels():
    words = {"no decay": "減衰なし", "“{run}” no longer fits every training example.": "「{run}」はすべては覚えない。"}
    claim = claims.forgets("no decay", 1.0)
    assert claim.text.render(lambda message: words.get(message, message)) == "「減衰なし」はすべては覚えない。"


def test_labels_with_commas_are_told_apart():
    text = claims.learns_faster("ReLU, He", "no decay", "SGD").text
    assert str(text) == "“ReLU, He”, “no decay”, “SGD”: in this order they learn, the fastest first."
    words = {"no decay": "減衰なし", "“{run}”": "「{run}」", "{first}, {second}": "{first}、{second}"}
    said = text.render(lambda message: words.get(message, message))
    assert said.startswith("「ReLU, He」、「減衰なし」、「SGD」: ")


def test_claims_join():
    both = Claim(Text("One."), lambda results: True) & Claim(Text("Two."), lambda results: True)
    assert str(both.text) == "One. Two."


def test_joined_claims_hold_each_by_itself():
    one, two, three = (Claim(Text(text), lambda results, text=text: text in results) for text in ("1.", "2.", "3."))
    assert one.parts == (one,)
    for joined in (one & two & three, one & (two & three)):
        assert joined.parts == (one, two, three)
        assert [part.holds({"1.": 0, "3.": 0}) for part in joined.parts] == [True, False, True]
        assert not joined.holds({"1.": 0, "3.": 0})
        assert joined.holds({"1.": 0, "2.": 0, "3.": 0})
        assert str(joined.text) == "1. 2. 3."


@each_preset
def test_each_part_of_a_claim_can_be_read_alone(preset):
    for part in preset.claim.parts:
        assert len(part.parts) == 1
        assert not str(part.text).startswith("It ")
