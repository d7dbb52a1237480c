"""What the stage is given to show: functions, paths and graphs as the engine computed them. Values in, JSON out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.analysis.derivatives import CURVES
from engine.analysis.descent import SURFACES, descend, numerical_gradient
from engine.analysis.graph import Node

Scene = dict[str, object]

SHADE = 49  # heights on a side of the ground
ARROWS = 18  # on a side, where the start of a descent lies outside the function's own square
REACH = 10.0  # how far from 0 a descent may start


def slope(curve: str, x: float, h: float, chord: str) -> Scene:
    """Return the scene of a chord over h at x, and of others at the curve's own points."""
    it = CURVES[curve]
    place = {"low": it.low, "high": it.high, "x": x, "h": h, "points": it.points}
    return {"kind": "slope", "curve": curve, "formula": it.formula, "chord": chord} | place


def field(surface: str, *, numerical: bool, start: tuple[float, float] | None, lr: float, steps: int) -> Scene:
    """Return the scene of a gradient field and, where there is a start, of the descent from there."""
    it = SURFACES[surface]

    def gradient(x: np.ndarray) -> np.ndarray:
        return numerical_gradient(it.value, x) if numerical else it.gradient(x)

    low, high, grid = it.low, it.high, it.grid()
    cell = it.step
    if start and not all(low <= value <= high for value in start):
        high = 1.12 * max(*map(abs, start), abs(low), abs(high))
        low = -high
        axis, cell = np.linspace(low, high, 2 * ARROWS + 1)[1::2], (high - low) / ARROWS
        grid = np.stack(np.meshgrid(axis, axis))
    elif not start:  # the arrows at the edge are to be seen whole
        low, high = low - it.step, high + it.step
    path = descend(gradient, start, lr, steps) if start else np.empty((0, 2))
    with np.errstate(over="ignore"):
        values = it.value(path.T)
    slopes = np.stack([gradient(x) for x in path]) if start else path
    side = np.linspace(low, high, SHADE)
    heights = it.value(np.stack(np.meshgrid(side, side)))
    heights = (np.log1p if it.wild else np.sqrt)(heights - heights.min())
    return {
        "kind": "field",
        "surface": surface,
        "formula": it.formula,
        "view": [low, high],
        "cell": cell,
        "power": 1 / 3 if it.wild else 1,
        "arrows": _rounded(np.concatenate([grid, gradient(grid)]).reshape(4, -1).T),
        "shade": np.rint(255 * heights / heights.max()).astype(int).ravel().tolist(),
        "side": SHADE,
        "path": path.tolist(),
        "gradients": slopes.tolist(),
        "values": np.nan_to_num(values, posinf=np.finfo(float).max, neginf=np.finfo(float).min).tolist(),
        "lr": lr,
        "reach": REACH,
    }


def _rounded(numbers: np.ndarray) -> list:
    """Return numbers with six significant digits, which is what a message is to carry of them."""
    return [[float(f"{number:.6g}") for number in row] for row in numbers]


# --------------------------------------------------------------------------------------------------------- the graphs

# Where nodes stand: column and row, counted from the upper left.
PLACES = {
    "apples": {
        "apple_price": (0, 0), "apple_count": (0, 1), "orange_count": (0, 2), "orange_price": (0, 3),
        "apples": (1, 0.5), "oranges": (1, 2.5), "fruit": (2, 1.5), "tax": (2, 3), "result": (3, 1.5),
    },
    "neuron": {
        "x1": (0, 0), "w1": (0, 1), "x2": (0, 2), "w2": (0, 3), "first": (1, 0.5), "second": (1, 2.5),
        "both": (2, 1.5), "b": (2, 3), "u": (3, 1.5), "y": (4, 1.5), "t": (4, 3), "difference": (5, 1.5),
        "result": (6, 1.5),
    },
    "softmax": {
        **{f"z{k}": (0, k - 1) for k in (1, 2, 3)}, **{f"e{k}": (1, k - 1) for k in (1, 2, 3)}, "sum": (2.2, 3),
        **{f"y{k}": (3.3, k - 1) for k in (1, 2, 3)}, **{f"l{k}": (4.3, k - 1) for k in (1, 2, 3)},
        **{f"t{k}": (5.3, k - 1) for k in (1, 2, 3)}, "total": (6.3, 1), "result": (7.3, 1),
    },
}  # fmt: skip

# Where along an edge its numbers stand, as a share of the way: off the edges that it crosses. (from, to) → share.
NUMBERS = {("e1", "sum"): 0.26, ("e2", "sum"): 0.33, ("sum", "y1"): 0.74, ("sum", "y2"): 0.67} | {
    edge: 0.5 for edge in (("e3", "sum"), ("sum", "y3"), ("e1", "y1"), ("e2", "y2"), ("e3", "y3"))
}


def circuit(name: str, result: Node, given: Mapping[str, tuple[str, float]]) -> Scene:
    """Return the scene of a graph whose gradients are there. given: name → (label, how far from 0 it may lie)."""
    order = result.order()
    number = {id(node): n for n, node in enumerate(order)}
    edges, nodes = [], []
    for node in order:
        inputs = []
        for source, local, share in zip(node.inputs, node.slopes, node.shares(), strict=True):
            inputs.append(len(edges))
            edges.append(
                {
                    "from": number[id(source)], "to": number[id(node)], "value": float(source.value),
                    "slope": float(local), "gradient": float(share), "label": NUMBERS.get((source.name, node.name)),
                }
            )  # fmt: skip
        label, reach = given.get(node.name, ("", 0.0))
        made = node.operation
        nodes.append(
            {
                "id": node.name, "label": label, "at": PLACES[name][node.name], "inputs": inputs,
                "sign": made.sign if made else "", "words": made.words if made else "",
                "rules": made.rules if made else (), "edit": [-reach, reach] if reach else None,
                "value": float(node.value), "gradient": float(node.gradient),
            }
        )  # fmt: skip
    steps = [n for n, node in enumerate(order) if node.operation]
    return {"kind": "circuit", "name": name, "nodes": nodes, "edges": edges, "order": steps}
