"""A computation as a graph: every node is one simple step, numbers flow forwards and gradients flow back.

Forwards, a node makes a value of its inputs' values. Backwards, it is told ∂L/∂y, how the result L depends on its own
value y, and hands ∂L/∂y · ∂y/∂x to each input x: the chain rule, node by node. A value that is used twice adds up what
comes back. Nothing more is needed for the gradient of any network.

    price, count = value("price", 100), value("count", 2)
    (total := price * count).backward()
    price.gradient        # 2

Values are numbers, or arrays of numbers that are reckoned with elementwise, each a computation of its own.

Source:『ゼロから作る Deep Learning』5.1-5.5; Linnainmaa 1970; Rumelhart, Hinton & Williams 1986.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Number = float | np.ndarray


@dataclass(frozen=True, eq=False)
class Operation:
    """One simple step: its sign, its value, and its local derivatives.

    value(*inputs) → y.  slopes(y, *inputs) → ∂y/∂input for each. words: y written with the inputs a, b, … . rules: the
    local derivatives written with a, b and y; a single one holds for every input.
    """

    sign: str
    value: Callable[..., Number]
    slopes: Callable[..., Sequence[Number]]
    words: str
    rules: tuple[str, ...]


ADD = Operation("+", lambda *a: sum(a), lambda y, *a: [1.0] * len(a), "a + b", ("1",))
SUBTRACT = Operation("−", lambda a, b: a - b, lambda y, a, b: (1.0, -1.0), "a − b", ("1", "−1"))
MULTIPLY = Operation("×", lambda a, b: a * b, lambda y, a, b: (b, a), "a × b", ("b", "a"))
DIVIDE = Operation("÷", lambda a, b: a / b, lambda y, a, b: (1 / b, -y / b), "a ÷ b", ("1 ÷ b", "−y ÷ b"))
EXP = Operation("exp", np.exp, lambda y, a: (y,), "exp(a)", ("y",))
LOG = Operation("ln", np.log, lambda y, a: (1 / a,), "ln(a)", ("1 ÷ a",))
SIGMOID = Operation("σ", lambda a: 0.5 * np.tanh(0.5 * a) + 0.5, lambda y, a: (y * (1 - y),), "σ(a)", ("y (1 − y)",))
TANH = Operation("tanh", np.tanh, lambda y, a: (1 - y * y,), "tanh(a)", ("1 − y²",))
RELU = Operation("ReLU", lambda a: np.maximum(a, 0.0), lambda y, a: (np.sign(y),), "max(0, a)", ("[a > 0]",))
HALF_SQUARE = Operation("½□²", lambda a: 0.5 * a * a, lambda y, a: (a,), "½ a²", ("a",))


class Node:
    """A value, what it was made of, and, after `backward`, its gradient."""

    def __init__(self, value: Number, operation: Operation | None = None, inputs: Sequence[Node] = (), name: str = ""):
        self.value, self.operation, self.inputs, self.name = value, operation, tuple(inputs), name
        self.slopes = tuple(operation.slopes(value, *(node.value for node in inputs))) if operation else ()
        self.gradient: Number = 0.0

    def __add__(self, other: Node) -> Node:
        return apply(ADD, self, other)

    def __sub__(self, other: Node) -> Node:
        return apply(SUBTRACT, self, other)

    def __mul__(self, other: Node) -> Node:
        return apply(MULTIPLY, self, other)

    def __truediv__(self, other: Node) -> Node:
        return apply(DIVIDE, self, other)

    def __repr__(self) -> str:
        return f"Node({self.name or (self.operation.sign if self.operation else 'value')}: {self.value})"

    def called(self, name: str) -> Node:
        """Give the node a name, and return it."""
        self.name = name
        return self

    def order(self) -> list[Node]:
        """Return this node and all that it was made of, each after its inputs."""
        done: dict[int, Node] = {}

        def visit(node: Node) -> None:
            if id(node) not in done:
                for source in node.inputs:
                    visit(source)
                done[id(node)] = node

        visit(self)
        return list(done.values())

    def backward(self) -> dict[str, Number]:
        """Set ∂self/∂node as the gradient of every node that this one was made of; return those of named nodes."""
        order = self.order()
        for node in order:
            node.gradient = 0.0
        self.gradient = 1.0
        for node in reversed(order):
            for source, share in zip(node.inputs, node.shares(), strict=True):
                source.gradient = source.gradient + share
        return {node.name: node.gradient for node in order if node.name}

    def shares(self) -> list[Number]:
        """Return what this node hands back to each input: its own gradient times the local derivative."""
        return [self.gradient * slope for slope in self.slopes]


def value(name: str, number: Number) -> Node:
    """Return a node that is given."""
    return Node(number, name=name)


def apply(operation: Operation, *inputs: Node) -> Node:
    """Return the node of an operation on others."""
    return Node(operation.value(*(node.value for node in inputs)), operation, inputs)


def scale(node: Node, factor: float) -> Node:
    """Return the node times a number that is not part of the graph."""
    written = f"{factor:g}".replace("-", "−")
    times = Operation(f"× {written}", lambda a: a * factor, lambda y, a: (factor,), f"{written} × a", (written,))
    return apply(times, node)


# ----------------------------------------------------------------------------------------------------------- examples

ACTIVATIONS = {"sigmoid": SIGMOID, "relu": RELU, "tanh": TANH}


def apples(
    apple_price: float = 100,
    apple_count: float = 2,
    orange_price: float = 150,
    orange_count: float = 3,
    tax: float = 1.1,
) -> Node:
    """Return what apples and oranges cost, tax included. Source:『ゼロから作る Deep Learning』5.4."""
    apples = (value("apple_price", apple_price) * value("apple_count", apple_count)).called("apples")
    oranges = (value("orange_count", orange_count) * value("orange_price", orange_price)).called("oranges")
    return ((apples + oranges).called("fruit") * value("tax", tax)).called("result")


def neuron(
    x1: float, w1: float, x2: float, w2: float, b: float, t: float, activation: str = "sigmoid"
) -> Node:  # fmt: skip
    """Return ½ (y − t)² of one neuron y = f(x₁w₁ + x₂w₂ + b)."""
    first = (value("x1", x1) * value("w1", w1)).called("first")
    second = (value("x2", x2) * value("w2", w2)).called("second")
    total = ((first + second).called("both") + value("b", b)).called("u")
    y = apply(ACTIVATIONS[activation], total).called("y")
    return apply(HALF_SQUARE, (y - value("t", t)).called("difference")).called("result")


def softmax(logits: Sequence[Number]) -> list[Node]:
    """Return the nodes yₖ = exp zₖ / Σ exp z, named y1, y2, …; their inputs are named z1, z2, …"""
    powers = [apply(EXP, value(f"z{k}", z)).called(f"e{k}") for k, z in enumerate(logits, 1)]
    total = apply(ADD, *powers).called("sum")
    return [(power / total).called(f"y{k}") for k, power in enumerate(powers, 1)]


def cross_entropy(outputs: Sequence[Node], label: int) -> Node:
    """Return −Σ t ln y, with t = 1 at place `label` (from 0) and 0 elsewhere."""
    logs = [apply(LOG, y).called(f"l{k}") for k, y in enumerate(outputs, 1)]
    terms = [scale(node, float(k == label)).called(f"t{k + 1}") for k, node in enumerate(logs)]
    return scale(apply(ADD, *terms).called("total"), -1.0).called("result")


def squared_error(outputs: Sequence[Node], label: int) -> Node:
    """Return ½ Σ (y − t)², t as above."""
    squares = [apply(HALF_SQUARE, y - value(f"t{k + 1}", float(k == label))) for k, y in enumerate(outputs)]
    return apply(ADD, *squares).called("result")


def squared_error_limit(logits: Sequence[float], label: int) -> float:
    """Return what squared error after a softmax nears as output `label` falls towards −∞ and the others stay.

    Its own share becomes ½ (0 − 1)², and the others' are those of a softmax without it.
    """
    others = softmax([z for k, z in enumerate(logits) if k != label])
    return 0.5 + sum(0.5 * float(y.value) ** 2 for y in others)


def losses(logits: Sequence[Number], label: int) -> dict[str, tuple[Number, list[Number]]]:
    """Return three losses of a classifier's last layer z: each with ∂L/∂zₖ for every k.

    "cross_entropy" and "softmax_squared" look at y = softmax z, "linear_squared" at y = z itself. logits: K numbers, or
    K arrays of any one shape, in which the results then come.
    """
    linear = [value(f"z{k}", z) for k, z in enumerate(logits, 1)]
    results = {
        "cross_entropy": cross_entropy(softmax(logits), label),
        "softmax_squared": squared_error(softmax(logits), label),
        "linear_squared": squared_error(linear, label),
    }
    gradients = {name: result.backward() for name, result in results.items()}
    return {
        name: (result.value, [gradients[name][f"z{k}"] for k in range(1, len(logits) + 1)])
        for name, result in results.items()
    }
