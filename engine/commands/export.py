"""Write a network into a file for other programs.

    python -m engine export model.safetensors --to onnx model.onnx

onnx      the network itself, for onnxruntime and its like: raw pictures in (float32, N × 28 × 28 × 1, 0 to 255),
          probabilities out (float32, N × classes)
csv       a table of its layers: shapes, parameters, multiply-adds, receptive field
          (the curves of a run are printed by train --json, and saved on the page)
notebook  a Jupyter notebook that trains the same experiment again and draws its curves; run it in Kasane's folder
pytorch   a Python script that trains the same experiment with PyTorch, in Colab for example"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from engine import export
from engine.commands.options import UsageError, check_writable
from engine.files import write_whole
from engine.training import checkpoint

EXPORTS: dict[str, Callable[[checkpoint.Model], str | bytes]] = {
    "onnx": export.to_onnx,
    "csv": export.to_csv,
    "notebook": lambda model: export.to_notebook(model.experiment),
    "pytorch": lambda model: export.to_pytorch(model.experiment),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("model", metavar="FILE.safetensors", help="a network by train --out")
    parser.add_argument("--to", required=True, choices=EXPORTS, metavar="FORMAT", help="onnx, csv, notebook or pytorch")
    parser.add_argument("out", metavar="OUT", type=Path, help="where to put it")


def run(options: argparse.Namespace) -> int:
    """Write a model in another format."""
    check_writable(options.out)
    if options.out.exists() and Path(options.model).exists() and options.out.samefile(options.model):
        raise UsageError("The output must be another file than the network, not {path}.", path=options.out)
    content = EXPORTS[options.to](checkpoint.load_model(options.model))
    write_whole(options.out, content if isinstance(content, bytes) else content.encode())
    return 0
