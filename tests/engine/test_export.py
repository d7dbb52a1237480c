"""What other programs get: ONNX's own runtime computes the same probabilities, table and notebook are whole."""

import csv
import inspect
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from engine import build, nn
from engine.experiment import Experiment
from engine.export import COLUMNS, to_csv, to_notebook, to_onnx
from engine.training import checkpoint
from engine.training.checkpoint import Model
from engine.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
CLASSES = tuple("0123456789")

DENSE = "dense20 drop.3 dense15"
CONV = "conv4@5p2 pool2 conv6@3s2 dense12"

CASES = {
    "no hidden layer": {"network": ""},
    "dense": {"network": DENSE},
    "dense, batch norm": {"network": DENSE, "normalization": "batch", "dropout": 0.2},
    "dense, layer norm": {"network": DENSE, "normalization": "layer"},
    "convolution": {"network": CONV},
    "convolution, batch norm": {"network": CONV, "normalization": "batch"},
    "convolution, layer norm": {"network": CONV, "normalization": "layer", "activation": "gelu"},
    "stride and padding": {"network": "conv4@5p3s2 conv5@4p1s3"},
    "pools that overlap": {"network": "conv4@3 pool3s2 avgpool3s1", "activation": "silu"},
    "pools that leave a rest": {"network": "conv4@3 avgpool3 pool3", "activation": "gelu"},
    "pools that skip": {"network": "pool2s3 conv4@3 avgpool1s2 dense9"},
    "global average": {"network": "conv4@3p1 pool2 conv7@3 gap"},
    "global average and more": {"network": "conv4@3p1s2 gap dense9", "normalization": "batch"},
    "nothing but a pool": {"network": "pool4"},
    "dropout of the output": {"network": "conv3@3 pool2 dense9 drop.5 output drop.5"},
    "squared error": {"network": CONV, "loss": "squared_error"},
    **{name: {"network": "conv4@3s2 dense12", "activation": name} for name in build.ACTIVATIONS},
}


def make(settings: dict, in_shape=(28, 28, 1), classes=CLASSES, scale=1 / 255) -> Model:
    """Return a model that looks trained: weights that keep the size of the numbers, nothing at its initial value."""
    experiment = Experiment(**settings)
    network = build.build_network(experiment, in_shape, len(classes))
    rng = np.random.default_rng(1)
    for name, parameter in network.parameters().items():
        noise = rng.normal(0, 0.2, parameter.data.shape)
        parameter.data[...] += 0.1 * noise if parameter.decays else noise
        if name == "output.bias" and experiment.loss == "squared_error":
            parameter.data += 0.3  # some of the outputs between 0 and 1, some outside
    for name, array in network.buffers().items():
        array[...] = rng.uniform(0.5, 2, array.shape) if name.endswith("var") else rng.normal(0, 0.5, array.shape)
    return Model(experiment, network, tuple(classes), scale)


def run(blob: bytes, x: np.ndarray) -> np.ndarray:
    """Return what onnxruntime makes of raw examples."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(blob, options, providers=["CPUExecutionProvider"])
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    assert (source.type, target.type) == ("tensor(float)", "tensor(float)")
    assert (source.name, target.name) == ("pictures" if x.ndim == 4 else "examples", "probabilities")
    assert source.shape == ["N", *x.shape[1:]]
    return session.run(["probabilities"], {source.name: x.astype(np.float32)})[0]


def pictures(n: int, shape=(28, 28, 1)) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (n, *shape), dtype=np.uint8)


# ---------------------------------------------------------------------------------------------------------------- ONNX


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_onnxruntime_computes_the_same_probabilities(settings):
    model = make(settings)
    blob = to_onnx(model)
    onnx.checker.check_model(blob, full_check=True)
    for n in (1, 7):
        x = pictures(n)
        ours, theirs = model.probabilities(x), run(blob, x)
        assert theirs.shape == (n, 10)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
        assert ours.max() < 0.999  # where one class has it all, a wrong network may agree
    assert np.ptp(ours, axis=0).max() > 1e-3  # the pictures make a difference


def test_every_layer_has_been_exported():
    """A layer that the builder learns to make is one that the cases above must hold."""
    seen = {type(layer) for settings in CASES.values() for layer in make(settings).network.layers}
    layers = {kind for kind in map(nn.__dict__.get, nn.__all__) if inspect.isclass(kind) and issubclass(kind, nn.Layer)}
    assert seen == layers - {nn.Layer, nn.Activation, nn.Sequential}


def test_an_unknown_layer_is_an_error():
    class Swish(nn.Layer):
        pass

    model = make({"network": "dense4"})
    model.network.layers.append(Swish())
    with pytest.raises(TypeError, match="Swish"):
        to_onnx(model)


@pytest.mark.parametrize("network", ["conv4@3p1 pool2 conv5@3s2 dense8", "dense8"])
def test_pictures_that_are_neither_square_nor_grey(network):
    shape = (9, 14, 3)
    model = make({"network": network}, shape, classes="abc")
    x = pictures(5, shape)
    np.testing.assert_allclose(run(to_onnx(model), x), model.probabilities(x), rtol=0, atol=1e-5)


def test_points_are_examples():
    model = make({"data": "toy2d", "network": "dense8 dense4", "activation": "tanh"}, (2,), "ab", scale=1.0)
    x = np.random.default_rng(3).normal(size=(6, 2)).astype(np.float32)
    np.testing.assert_allclose(run(to_onnx(model), x), model.probabilities(x), rtol=0, atol=1e-5)


def test_logits_beyond_what_an_exponential_can_hold():
    model = make({"network": "dense20"})
    model.network.parameters()["output.weight"].data *= 1000
    x = pictures(20)
    ours = model.probabilities(x)
    assert ours.max() == 1
    np.testing.assert_allclose(run(to_onnx(model), x), ours, rtol=0, atol=1e-5)


def test_a_trained_network(blobs):
    settings = {"network": "conv6@3p1 pool2 dense12", "normalization": "batch", "optimizer": "adam", "lr": 0.01}
    trainer = Trainer(Experiment(**settings, batch_size=16, steps=60, ema=0.9), blobs)
    trainer.advance()
    model = checkpoint.load_model(checkpoint.dump(trainer))
    ours, theirs = model.probabilities(blobs.x_test), run(to_onnx(model), blobs.x_test)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
    assert np.mean(theirs.argmax(axis=1) == blobs.y_test) > 0.9


def test_equal_models_give_equal_bytes():
    settings = {"network": CONV, "normalization": "batch"}
    blob = to_onnx(make(settings))
    assert to_onnx(make(settings)) == blob
    other = make(settings)
    other.network.vector.data[0] += 1
    assert to_onnx(other) != blob


def test_the_file_says_what_it_is():
    model = make({"network": "conv4@3 dense12", "seed": 5})
    proto = onnx.load_from_string(to_onnx(model))
    about = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    assert about == {"classes": list(CLASSES), "experiment": {"network": "conv4@3 dense12", "seed": 5}}
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    state = model.network.state_dict()
    assert set(arrays) == {*state, "scale"}
    np.testing.assert_array_equal(arrays["dense1.weight"], state["dense1.weight"])
    np.testing.assert_array_equal(arrays["conv1.weight"][3, 0], state["conv1.weight"][:, :, 0, 3])
    assert [node.name for node in proto.graph.node][-2:] == ["output/Gemm", "probabilities/Softmax"]


# ----------------------------------------------------------------------------------------------------------------- CSV


def test_the_layers_as_a_table():
    table = to_csv(make({"network": "conv4@5p2 pool2 gap dense12"}))
    assert table.endswith("\r\n")
    header, *lines = csv.reader(io.StringIO(table, newline=""))
    assert header == list(COLUMNS)
    assert lines == [
        ["conv1", "conv4@5p2", "28x28x1", "28x28x4", "104", str(28 * 28 * 100), "5"],
        ["pool1", "pool2", "28x28x4", "14x14x4", "0", "0", "6"],
        ["gap", "gap", "14x14x4", "4", "0", "0", ""],
        ["dense1", "dense12", "4", "12", "60", "48", ""],
        ["output", "output", "12", "10", "130", "120", ""],
    ]


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_the_table_counts_every_parameter(settings):
    model = make(settings)
    rows = list(csv.DictReader(io.StringIO(to_csv(model), newline="")))
    assert sum(int(row["parameters"]) for row in rows) == model.network.vector.data.size


# ------------------------------------------------------------------------------------------------------------ notebook

QUICK = Experiment(data="digits", network="conv4@3 dense10", steps=5, evaluate_every=2, seed=3)


def cells(notebook: str, kind: str) -> dict[str, str]:
    """Return the sources of a notebook's cells of one kind by their ids."""
    return {c["id"]: "".join(c["source"]) for c in json.loads(notebook)["cells"] if c["cell_type"] == kind}


def execute(notebook: str, ending: str, *, matplotlib: bool) -> str:
    """Run a notebook's code cells one after another, then `ending`, in a process of their own; return the output."""
    program = "import json, sys\n" + ("" if matplotlib else "sys.modules['matplotlib'] = None\n")
    program += "space = {}\nfor source in json.load(sys.stdin): exec(source, space)\n"
    sources = [*cells(notebook, "code").values(), ending]
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", program]
    environment = {"PATH": "", "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        command, input=json.dumps(sources), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("matplotlib", [True, False])
def test_the_notebook_trains_the_same_network(matplotlib):
    if matplotlib:
        pytest.importorskip("matplotlib")
    output = execute(
        to_notebook(QUICK),
        "print(trainer.step, trainer.experiment == experiment, repr(trainer.history.curves()['loss']))",
        matplotlib=matplotlib,
    )
    trainer = Trainer(QUICK)
    trainer.advance()
    lines = output.splitlines()
    assert lines[-1] == f"5 True {trainer.history.curves()['loss']!r}"
    assert [line.split()[1] for line in lines if line.startswith("step")] == ["0", "2", "4"]
    assert any(line.startswith("completed in ") for line in lines)
    assert any("Matplotlib" in line for line in lines) is not matplotlib


@pytest.mark.parametrize("experiment", [QUICK, Experiment(network="", eps=1e-12, features="x1^2 sinx2", l1=0.1 + 0.2)])
def test_the_settings_stand_in_the_notebook(monkeypatch, experiment):
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = {}
    for name in ("engine", "settings"):
        exec(cells(to_notebook(experiment), "code")[name], space)
    assert space["experiment"] == experiment
    assert list(space["settings"]) == list(Experiment.__dataclass_fields__)


def test_the_notebook_is_one():
    """What nbformat 4.5 asks of a notebook."""
    notebook = json.loads(to_notebook(QUICK))
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"].keys() >= {"name", "display_name"}
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(id.replace("-", "").isalnum() for id in ids)
    for cell in notebook["cells"]:
        more = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | more
        assert all(line.endswith("\n") for line in cell["source"][:-1])


def test_the_notebook_speaks_the_reader_s_language():
    plain, spoken = to_notebook(QUICK), to_notebook(QUICK, translate=lambda text: f"訳 {text.upper()}")
    assert all("訳" in source for source in cells(spoken, "markdown").values())
    assert cells(spoken, "code") == cells(plain, "code")
    assert to_notebook(QUICK) == plain
