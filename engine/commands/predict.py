"""Print one line for every digit of the picture in reading order, or for every drawing of the file:

    {"digit": 3, "probabilities": [...], "known": true}

probabilities are in the order of the model's classes, and only compare these with each other: known is false where the
drawing is like nothing that the model learned. Of a drawing without strokes digit is null, and known is false.

A picture is a PNG, JPEG, WebP, BMP or GIF, a photo or a scan, of up to fifty digits, dark on light or light on dark.
A .jsonl file holds one drawing a line, {"width": 280, "height": 280, "strokes": [[[x, y], ...], ...]}, y downwards."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator

import numpy as np

from engine import shipped
from engine.analysis import novelty
from engine.commands.options import UsageError
from engine.data import handwriting
from engine.data.photo import find_digits
from engine.data.picture import open_picture
from engine.training import checkpoint, metrics

CHUNK = 250  # drawings read at a time


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("file", metavar="FILE", help="a picture of digits, or a .jsonl of drawings, one a line")
    parser.add_argument(
        "--model", metavar="FILE", default=shipped.PATH, help="a network by train --out (one that comes along)"
    )
    parser.add_argument("--json", action="store_true", help="accepted for symmetry: the output is JSON in any case")


def run(options: argparse.Namespace) -> int:
    """Read a picture or drawings."""
    model = checkpoint.load_model(options.model)
    shape = model.network.in_shape
    if shape != (handwriting.SIZE, handwriting.SIZE, 1):
        size = "×".join(map(str, shape))
        raise UsageError("The model {file} reads {size}, not pictures of 28×28.", file=options.model, size=size)
    with np.errstate(all="ignore"):
        threshold = novelty.threshold_of(model)
    for images in chunks(read_images(options.file), CHUNK):
        with np.errstate(all="ignore"):
            outputs = metrics.predict(model.network, np.stack(images)[..., np.newaxis], model.scale)
            rows = model.loss.probabilities(outputs)
            energies = novelty.energy(outputs)
        if not np.isfinite(rows).all():
            raise UsageError("The model {file} computes numbers that are not finite.", file=options.model)
        for image, row, energy in zip(images, rows, energies, strict=True):
            drawn = bool(image.any())
            said = {"digit": int(row.argmax()) if drawn else None, "probabilities": [round(float(p), 8) for p in row]}
            print(json.dumps(said | {"known": drawn and bool(energy >= threshold)}))
    return 0


def read_images(file: str) -> Iterator[np.ndarray]:
    """Yield a file's digits as uint8 (28, 28). Raises `InputError`, also for a picture without any."""
    if file.lower().endswith(".jsonl"):
        yield from handwriting.read_jsonl(file)
        return
    found, count = find_digits(open_picture(file))
    if not found:
        raise UsageError("No digits were found in {file}.", file=file)
    if count > len(found):
        print(f"the first {len(found)} of {count} digits are read", file=sys.stderr)
    for digit in found:
        yield digit.image


def chunks(items: Iterable, size: int) -> Iterator[list]:
    """Yield the items in lists of at most `size`."""
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
