"""Measure a network on all test examples of a data set. With --json, an object: model, dataset, precision, parameters,
test_size, test_loss, test_accuracy."""

from __future__ import annotations

import argparse

import numpy as np

from engine import build
from engine.analysis.precision import PRECISIONS, in_precision
from engine.commands.options import UsageError, settings
from engine.commands.terminal import print_json
from engine.errors import shorten
from engine.training import checkpoint, metrics


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("model", metavar="FILE.safetensors", help="a network by train --out")
    parser.add_argument("--data", metavar="NAME", help="data set (the one that it was trained on without)")
    parser.add_argument("--precision", metavar="DTYPE", default="float32", help="float64, float32 (without) or float16")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """Measure a model."""
    if options.precision not in PRECISIONS:
        raise UsageError(
            "--precision must be one of {legal}, not {received}.",
            legal=", ".join(PRECISIONS),
            received=shorten(options.precision),
        )
    model = checkpoint.load_model(options.model)
    experiment = model.experiment.replace(**settings(options))
    data = build.build_dataset(experiment.replace(test_size=0))
    if (data.shape, len(data.classes)) != (model.network.in_shape, len(model.classes)):
        raise UsageError(
            "The model {file} was trained on other inputs than {data} has.", file=options.model, data=experiment.data
        )
    network = in_precision(model, options.precision)
    with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite says it
        loss, accuracy = metrics.evaluate(network, build.build_loss(experiment), data.x_test, data.y_test, data.scale)
    row = {
        "model": str(options.model),
        "dataset": data.name,
        "precision": options.precision,
        "parameters": network.vector.data.size,
        "test_size": len(data.x_test),
        "test_loss": loss,
        "test_accuracy": accuracy,
    }
    if options.json:
        print_json(row)
    else:
        print(f"{options.model}: test {accuracy:.4f}, loss {loss:.4f}, on {len(data.x_test):,} examples of {data.name}")
    return 0
