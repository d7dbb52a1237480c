"""ONNX: the exchange format that runtimes of every language and device read, a graph of named operators over arrays.

Each layer here is one operator or a few. Pictures travel as (N, C, H, W) there and as planes (H, C, W, N) here, so a
transposition stands where planes begin and another where they are flattened; the weights of fully connected layers are
then those of the file, number by number. Equal models give equal bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from engine import nn
from engine.training.checkpoint import Model

if TYPE_CHECKING:
    from onnx import NodeProto

OPSET, IR_VERSION = 21, 10  # of 2024: the first with a group normalization that scales every channel by itself

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
    _add_probabilities(graph, model.loss, x, len(model.classes))

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


def _add_probabilities(graph: Graph, loss: type[nn.Loss], outputs: str, classes: int) -> None:
    """Add `loss.probabilities` of so many classes."""
    name = "probabilities"
    if loss is nn.SoftmaxCrossEntropy:
        graph.add(name, "Softmax", outputs, axis=1, to=name)
        return
    axis = graph.constant("class axis", [1], np.int64)
    largest = graph.add(name, "ReduceMax", outputs, axis)
    lacking = graph.add(name, "Sub", graph.constant("equal share", 1 / classes), largest)
    raised = graph.add(name, "Add", outputs, graph.add(name, "Relu", lacking))
    p = graph.add(name, "Max", raised, graph.constant("least", 1e-6))
    total = graph.add(name, "ReduceSum", p, axis)
    graph.add(name, "Div", p, total, to=name)
