"""List the data sets and whether they are on this computer. With --json, an array of objects: name, train_size,
test_size, shape, classes, available, source.

Files of your own are found through KASANE_DATA, the folder that holds the folders mnist, fashion-mnist,
kmnist and pendigits."""

from __future__ import annotations

import argparse

from engine.commands.terminal import Line, print_json
from engine.data import datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("--download", metavar="NAME", help="fetch this set into the cache first")
    parser.add_argument("--json", action="store_true", help="print one JSON array")


def run(options: argparse.Namespace) -> int:
    """List the data sets, one perhaps downloaded first."""
    if options.download is not None:
        line = Line()

        def show(done: int, total: int, file: str) -> None:
            line.show(f"{file}: {done >> 10:,} KB" + (f" of {total >> 10:,}" if total else ""))

        datasets.download(options.download, show)
        line.clear()
    rows = datasets.describe()
    if options.json:
        print_json(rows)
        return 0
    for row in rows:
        state = "here" if row["available"] else "to download" if datasets.downloadable(row["name"]) else "missing"
        print(f"{row['name']:<14} {row['train_size']:>6,} + {row['test_size']:>6,}  {state:<12} {row['source']}")
    return 0
