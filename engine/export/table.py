"""CSV: a network's layers as a table, for a spreadsheet."""

from __future__ import annotations

import csv
import io

from engine import build
from engine.training.checkpoint import Model

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
