"""One 28 × 28 picture read by the network of the digit reader: Kasane, PyTorch and onnxruntime, one thread each.

    make bench          (or python -m tests.benchmarks.inference [--rounds N])

What follows the pen on the Draw page waits for this. The contenders take turns in one process; a ratio is the median of
the ratios within the rounds. Kasane and onnxruntime (which gets the exported file) start from the raw picture; for
PyTorch, in inference mode, it was scaled and turned to NCHW beforehand. All of them end with probabilities, and must
name the same digit. With and without the BLAS pin of the environment (OPENBLAS_CORETYPE).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.engine import THREAD_NAMES

if TYPE_CHECKING:
    import numpy as np

    from engine.training.checkpoint import Model

TRAINED = Path(__file__).resolve().parents[2] / "assets" / "models" / "reader.safetensors"
PICTURES = 100  # that they must agree on
REPEATS = 10  # of a contender in a round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="rounds of each table (default 100)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        json.dump(measure(options.rounds), sys.stdout)
        return
    for pin in dict.fromkeys([os.environ.get("OPENBLAS_CORETYPE"), None]):
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
        environment |= {name: "1" for name in THREAD_NAMES} | ({"OPENBLAS_CORETYPE": pin} if pin else {})
        command = [sys.executable, "-m", "tests.benchmarks.inference", "--child", "--rounds", str(options.rounds)]
        output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
        show(f"1 thread, BLAS {f'pinned to {pin}' if pin else 'as it chooses'}", json.loads(output))


def show(title: str, results: dict) -> None:
    print(f"\n{title}: one picture, {results['network']}")
    ours = results["seconds"].pop("kasane")
    print(f"    {'kasane':14}{statistics.median(ours) * 1e6:9.0f} µs")
    for rival, theirs in results["seconds"].items():
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        print(f"    {rival:14}{statistics.median(theirs) * 1e6:9.0f} µs   kasane is {ratio:.2f} × as fast")
    print(f"    all three name the same digit on {results['agreed']} of {PICTURES} pictures")


def measure(rounds: int) -> dict:
    """Return seconds a picture by contender, one figure a round, and on how many pictures all agree."""
    from engine import build
    from engine.data import datasets
    from engine.presets import READER
    from engine.training import checkpoint

    if TRAINED.is_file():
        model = checkpoint.load_model(TRAINED)
    else:
        model = checkpoint.Model(READER, build.build_network(READER, (28, 28, 1), 10), tuple("0123456789"), 1 / 255)
    x = datasets.load("mnist-5k").x_test[:PICTURES]
    contenders = {"kasane": kasane(model, x), "PyTorch": pytorch(model, x), "onnxruntime": onnxruntime(model, x)}
    agreed = 0
    for index in range(PICTURES):
        agreed += len({int(read(index).argmax()) for read in contenders.values()}) == 1
    seconds = {contender: [] for contender in contenders}
    for round in range(rounds):
        for contender, read in contenders.items():
            start = time.perf_counter()
            for _ in range(REPEATS):
                read(round % PICTURES)
            seconds[contender].append((time.perf_counter() - start) / REPEATS)
    network = f"{model.experiment.network}{'' if TRAINED.is_file() else ' (untrained)'}"
    return {"network": network, "seconds": seconds, "agreed": agreed}


def kasane(model: Model, x: np.ndarray) -> Callable[[int], np.ndarray]:
    return lambda index: model.probabilities(x[index : index + 1])


def pytorch(model: Model, x: np.ndarray) -> Callable[[int], np.ndarray]:
    import torch

    from engine import nn

    torch.set_num_threads(1)
    modules: list[torch.nn.Module] = []
    shape = model.network.in_shape
    flattened = None  # what a fully connected layer finds joined, in Kasane's order (H, C, W)
    for layer in model.network.layers:
        weight, bias = (torch.from_numpy(p.data) for p in layer.parameters().values()) if layer.parameters() else [0, 0]
        match layer:
            case nn.Conv2d(filters=filters, kernel=kernel, stride=stride, padding=padding):
                modules.append(torch.nn.Conv2d(shape[2], filters, kernel, stride, padding))
                modules[-1].weight.data, modules[-1].bias.data = weight.permute(3, 2, 0, 1).contiguous(), bias
            case nn.MaxPool2d(window=window, stride=stride):
                modules.append(torch.nn.MaxPool2d(window, stride))
            case nn.ReLU():
                modules.append(torch.nn.ReLU())
            case nn.Flatten():
                modules.append(torch.nn.Flatten())
                flattened = shape
            case nn.Linear(out_features=units):
                if flattened:
                    height, width, channels = flattened
                    weight = weight.reshape(height, channels, width, units).transpose(0, 1).reshape(-1, units)
                    flattened = None
                modules.append(torch.nn.Linear(len(weight), units))
                modules[-1].weight.data, modules[-1].bias.data = weight.T.contiguous(), bias
            case nn.ToPlanes() | nn.Dropout():
                pass
            case _:
                raise TypeError(f"this benchmark knows no PyTorch module for {layer!r}")
        shape = layer.out_shape
    network = torch.nn.Sequential(*modules, torch.nn.Softmax(dim=1)).eval()
    scaled = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).float() * model.scale

    def read(index: int) -> np.ndarray:
        with torch.inference_mode():
            return network(scaled[index : index + 1]).numpy()

    return read


def onnxruntime(model: Model, x: np.ndarray) -> Callable[[int], np.ndarray]:
    from onnxruntime import InferenceSession, SessionOptions

    from engine.export import to_onnx

    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = InferenceSession(to_onnx(model), options, providers=["CPUExecutionProvider"])
    raw = x.astype("float32")
    return lambda index: session.run(["probabilities"], {"pictures": raw[index : index + 1]})[0]


if __name__ == "__main__":
    main()
