"""A trained network for other programs: ONNX to run it, CSV to look at its layers, a notebook to train it again.

ONNX is the exchange format that runtimes of every language and device read: a graph of named operators over named
arrays. Each layer here is one operator or a few. Pictures travel as (N, C, H, W) there and as planes (H, C, W, N)
here, so a transposition stands where planes begin and another where they are flattened; the weights of fully connected
layers are then those of the file, number by number. Equal models give equal bytes.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from engine import build, nn
from engine.errors import N_
from engine.experiment import Experiment
from engine.training.checkpoint import Model

if TYPE_CHECKING:
    from onnx import NodeProto

OPSET, IR_VERSION = 21, 10  # of 2024: the first with a group normalization that scales every channel by itself

# ---------------------------------------------------------------------------------------------------------------- ONNX

ACTIVATIONS = {
    nn.Sigmoid: "Sigmoid",
    nn.Tanh: "Tanh",
    nn.ReLU: "Relu",
    nn.LeakyReLU: "LeakyRelu",
    nn.ELU: "Elu",
    nn.GELU: "Gelu",
    nn.Softplus: "Softplus",
    nn.Identity: "Identity",
}


class Graph:
    """ONNX operators in the order in which they are added, and the constant arrays that they use."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.arrays: dict[str, np.ndarray] = {}

    def add(self, name: str, operator: str, *inputs: str, to: str = "", **attributes) -> str:
        """Add an operator that is a part of `name`; return what its output is called, `to` if given."""
        from onnx import helper

        output = to or f"{name}/{operator}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"{name}/{operator}", **attributes))
        return output

    def constant(self, name: str, value: object, dtype: type = np.float32) -> str:
        """Add an array of this value; return its name."""
        self.arrays[name] = np.array(value, dtype)
        return name


def to_onnx(model: Model) -> bytes:
    """Return the model as the bytes of an ONNX file: raw examples in, as `model.probabilities` takes them, and out the
    same probabilities.

    Input "pictures" ("examples" where they are none), float32 (N, *in_shape); output "probabilities", float32 (N, K).
    The names of the classes and the experiment stand in the file's metadata, both as JSON.
    """
    from onnx import TensorProto, helper, numpy_helper

    network, graph = model.network, Graph()
    source = "pictures" if len(network.in_shape) == 3 else "examples"
    graph.arrays |= {name: _turned(array) for name, array in network.state_dict().items()}
    x = graph.add("input", "Mul", source, graph.constant("scale", model.scale))
    for layer in network.layers:
        x = _add_layer(graph, layer, x)
    _add_probabilities(graph, build.LOSSES[model.experiment.loss], x)

    def described(name: str, shape: tuple[int, ...]):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])

    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "network",
            [described(source, network.in_shape)],
            [described("probabilities", network.out_shape)],
            [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in graph.arrays.items()],
        ),
        producer_name="Kasane",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(
        proto, {"classes": json.dumps(model.classes), "experiment": json.dumps(model.experiment.changes())}
    )
    return proto.SerializeToString(deterministic=True)


def _turned(array: np.ndarray) -> np.ndarray:
    """Return a convolution's weight (k, k, C, F) as ONNX wants it, (F, C, k, k), and all else as it is."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array


def _add_layer(graph: Graph, layer: nn.Layer, x: str) -> str:
    """Add what computes the layer in evaluation; return the name of its output."""
    own = [f"{layer.name}.{array}" for array in [*layer.parameters(), *layer.buffers()]]

    def add(operator: str, *inputs: str, **attributes) -> str:
        return graph.add(layer.name, operator, *inputs, **attributes)

    match layer:
        case nn.ToPlanes():
            return add("Transpose", x, perm=[0, 3, 1, 2])
        case nn.Flatten(planes=planes):
            return add("Flatten", add("Transpose", x, perm=[0, 2, 1, 3]) if planes else x)
        case nn.Conv2d(kernel=k, stride=s, padding=p):
            return add("Conv", x, *own, kernel_shape=[k, k], strides=[s, s], pads=[p, p, p, p])
        case nn.MaxPool2d(window=w, stride=s):
            return add("MaxPool", x, kernel_shape=[w, w], strides=[s, s])
        case nn.AvgPool2d(window=w, stride=s):
            return add("AveragePool", x, kernel_shape=[w, w], strides=[s, s])
        case nn.GlobalAvgPool():
            return add("Flatten", add("GlobalAveragePool", x))
        case nn.Linear():
            return add("Gemm", x, *own)
        case nn.BatchNorm(eps=eps):
            return add("BatchNormalization", x, *own, epsilon=eps)
        case nn.LayerNorm2d(eps=eps):
            return add("GroupNormalization", x, *own, epsilon=eps, num_groups=1)
        case nn.LayerNorm(eps=eps):
            return add("LayerNormalization", x, *own, epsilon=eps)
        case nn.Dropout():
            return x
        case nn.SiLU():
            return add("Mul", x, add("Sigmoid", x))
        case nn.GELU():
            return add("Gelu", x, approximate="tanh")
        case nn.LeakyReLU(negative_slope=slope):
            return add("LeakyRelu", x, alpha=slope)
        case nn.Activation():
            return add(ACTIVATIONS[type(layer)], x)
    raise TypeError(f"there is no ONNX operator for {layer!r}")


def _add_probabilities(graph: Graph, loss: type[nn.Loss], outputs: str) -> None:
    """Add `loss.probabilities`."""
    name = "probabilities"
    if loss is nn.SoftmaxCrossEntropy:
        graph.add(name, "Softmax", outputs, axis=1, to=name)
        return
    limits = graph.constant("least", 1e-6), graph.constant("most", 1)
    p = graph.add(name, "Clip", outputs, *limits)
    total = graph.add(name, "ReduceSum", p, graph.constant("class axis", [1], np.int64))
    graph.add(name, "Div", p, total, to=name)


# ----------------------------------------------------------------------------------------------------------------- CSV

COLUMNS = ("layer", "word", "inputs", "outputs", "parameters", "multiply_adds", "receptive_field")


def to_csv(model: Model) -> str:
    """Return the model's layers as a table, a line each: what `architecture.describe` says of them.

    word: the layer's in the network's description. inputs, outputs: shapes, as 28x28x1. receptive_field: in pixels a
    side, empty behind the last layer of pictures. Lines end as RFC 4180 wants them.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for row in build.describe(model.experiment, model.network.in_shape, len(model.classes)):
        shapes = ("x".join(map(str, shape)) for shape in (row.in_shape, row.out_shape))
        writer.writerow([row.name, row.token, *shapes, row.parameters, row.multiply_adds, row.receptive_field])
    return table.getvalue()


# ------------------------------------------------------------------------------------------------------------ notebook

TITLE = N_("A run of Kasane")
INTRODUCTION = N_(
    "This notebook trains the network of one experiment again, with Kasane's own engine. The same settings give the "
    "same numbers. It needs Kasane's folder and what the requirements.txt there names: put it into that folder, or "
    "write the folder's path into the first cell."
)
SETTINGS = N_("The settings of the experiment. Change what you like.")
TRAINING = N_("Training: a line for every evaluation, on up to 1,000 test examples; the last line counts all of them.")
CURVES = N_("Loss and accuracy over the steps, drawn if Matplotlib is there.")

ENGINE_CELL = """\
KASANE = "."  # Kasane's folder

import json
import sys

sys.path.insert(0, KASANE)

from engine.experiment import Experiment
from engine.training.events import Evaluated
from engine.training.trainer import Trainer"""

SETTINGS_CELL = """\
settings = json.loads('''
{settings}
''')
experiment = Experiment(**settings)"""

TRAINING_CELL = """\
trainer = Trainer(experiment, threads=2)
for event in trainer:
    if isinstance(event, Evaluated):
        print(f"step {event.step:6}   loss {event.test_loss:.4f}   accuracy {event.test_accuracy:.4f}")
whole = trainer.evaluate(limit=0)
print(f"{trainer.finished.reason} in {trainer.seconds:.2f} s, accuracy on all {whole.test_accuracy:.4f}")"""

CURVES_CELL = """\
curves = trainer.history.curves()
try:
    import matplotlib.pyplot as plt
except ImportError:
    print("Matplotlib is not installed; curves holds", *curves)
else:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    left.plot(curves["loss_step"], curves["loss"], color="0.8", label="mini-batch")
    for name, style in ("train", "-"), ("test", "--"):
        left.plot(curves["step"], curves[f"{name}_loss"], style, label=name)
        right.plot(curves["step"], curves[f"{name}_accuracy"], style, label=name)
    for axes, title in (left, "loss"), (right, "accuracy"):
        axes.set(title=title, xlabel="step")
        axes.legend()
    plt.show()"""


def to_notebook(experiment: Experiment, translate: Callable[[str], str] = str) -> str:
    """Return a Jupyter notebook (nbformat 4.5) that trains the network of `experiment` anew and draws its curves.

    translate: message id → message, for the prose between the cells.
    """
    settings = json.dumps(dataclasses.asdict(experiment), indent=2)
    cells = [_cell("markdown", "title", f"# {translate(TITLE)}\n\n{translate(INTRODUCTION)}")]
    for name, prose, code in (
        ("engine", None, ENGINE_CELL),
        ("settings", SETTINGS, SETTINGS_CELL.format(settings=settings)),
        ("training", TRAINING, TRAINING_CELL),
        ("curves", CURVES, CURVES_CELL),
    ):
        if prose:
            cells.append(_cell("markdown", f"about-{name}", translate(prose)))
        cells.append(_cell("code", name, code))
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, name: str, source: str) -> dict[str, object]:
    """Return a cell; `name` is its id."""
    ran = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)} | ran
