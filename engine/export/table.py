"""CSV: a network's layers as a table, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from engine import build
from engine.architecture import Row
from engine.training.checkpoint import Model

COLUMNS = ("layer", "token", "in_shape", "out_shape", "parameters", "multiply_adds", "receptive_field")


def to_csv(model: Model) -> str:
    """Return the model's layers as a table, see `layers_to_csv`."""
    return layers_to_csv(build.describe(model.experiment, model.network.in_shape, len(model.classes)))


def layers_to_csv(rows: Sequence[Row]) -> str:
    """Return layers as a table, a line each: what `architecture.describe` says of them.

    token: the layer's word in the network's description. in_shape, out_shape: as 28x28x1. receptive_field: in pixels a
    side, empty behind the last layer of pictures. Lines end as RFC 4180 wants them.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for row in rows:
        shapes = ("x".join(map(str, shape)) for shape in (row.in_shape, row.out_shape))
        writer.writerow([row.name, row.token, *shapes, row.parameters, row.multiply_adds, row.receptive_field])
    return table.getvalue()
