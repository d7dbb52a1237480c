"""The table of a network's layers is whole."""

import csv
import io

import pytest

from engine.architecture import describe
from engine.catalogue import CATALOGUE
from engine.export import to_csv
from engine.export.table import COLUMNS, layers_to_csv
from tests.engine.export.models import CASES, make


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


def test_so_of_a_network_that_nobody_has_built():
    it = CATALOGUE["lenet5"]
    lines = layers_to_csv(describe(it.network, it.in_shape, it.classes)).splitlines()
    assert lines[0] == "layer,token,in_shape,out_shape,parameters,multiply_adds,receptive_field"
    assert lines[3] == "conv2,conv16@5,14x14x6,10x10x16,2416,240000,14"
    assert lines[5] == "dense1,dense120,5x5x16,120,48120,48000,"
    assert len(lines) == 8


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_the_table_counts_every_parameter(settings):
    model = make(settings)
    rows = list(csv.DictReader(io.StringIO(to_csv(model), newline="")))
    assert sum(int(row["parameters"]) for row in rows) == model.network.vector.data.size
