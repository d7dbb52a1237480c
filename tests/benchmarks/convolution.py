"""One training step of the book's two convolutional networks, beside PyTorch in both its layouts and the floor.

    make bench          (or python -m tests.benchmarks.convolution [--rounds N])

All contenders take turns in one process, two threads each: PyTorch two of its own, Kasane one for each half of the
batch; several processes share the rounds. Turns and ratios are those of engine.py. The floor is the time of the step's
matrix products alone: no more of them than the layers need, cut as engine/blas.py cuts them, on operands that overlap
as Kasane's do, and both halves at the same time. With and without the BLAS pin of the environment (OPENBLAS_CORETYPE).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from tests.benchmarks.engine import EXAMPLES, THREAD_NAMES, show, take_turns

NETWORKS = {
    "simple: conv 30@5×5, pool, 100; Adam, batch 100": "conv30@5 pool2 dense100",
    "deep: ch08, six convs of 3×3; Adam, batch 100": (
        "conv16@3p1 conv16@3p1 pool2 conv32@3p1 conv32@3p2 pool2 conv64@3p1 conv64@3p1 pool2 "
        "dense50 drop.5 output drop.5"
    ),
}
BATCH = 100
STEPS = 8  # of a contender in a round
PROCESSES = 5  # that share the rounds: in one, PyTorch's step of the simple net takes 8 ms, in the next 14


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each table (default 20)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        json.dump(measure(options.rounds), sys.stdout)
        return
    for pin in dict.fromkeys([os.environ.get("OPENBLAS_CORETYPE"), None]):
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
        environment |= {name: "1" for name in THREAD_NAMES} | ({"OPENBLAS_CORETYPE": pin} if pin else {})
        rounds = max(1, options.rounds // PROCESSES)
        command = [sys.executable, "-m", "tests.benchmarks.convolution", "--child", "--rounds", str(rounds)]
        merged: dict[str, dict[str, list[float]]] = {}
        for _ in range(PROCESSES):
            output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
            for name, contenders in json.loads(output).items():
                for contender, seconds in contenders.items():
                    merged.setdefault(name, {}).setdefault(contender, []).extend(seconds)
        title = f"2 threads, BLAS {f'pinned to {pin}' if pin else 'as it chooses'}"
        show(title, {"steps": merged, "figures": {}})


def measure(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return seconds a step, by network and contender, one figure a round."""
    import numpy as np

    from engine.data.dataset import Dataset

    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (EXAMPLES, 28, 28, 1), dtype=np.uint8)
    labels = rng.integers(0, 10, EXAMPLES)
    data = Dataset("noise", x, labels, x[:100], labels[:100], tuple("0123456789"), 1 / 255)
    results = {}
    for name, network in NETWORKS.items():
        contenders = {
            "kasane": kasane(network, data),
            "PyTorch NCHW": pytorch(network, data, channels_last=False),
            "channels_last": pytorch(network, data, channels_last=True),
            "floor": floor(network),
        }
        results[name] = take_turns(contenders, rounds, steps=STEPS)
    return results


def kasane(network: str, data):
    from engine.experiment import Experiment
    from engine.training.trainer import Trainer

    settings = {"optimizer": "adam", "lr": 0.001, "batch_size": BATCH, "sampling": "replacement"}
    experiment = Experiment(network=network, steps=1_000_000, evaluate_every=100_000, **settings)
    trainer = Trainer(experiment, data, probe_every=0, threads=2)

    def run(steps: int) -> int:
        trainer.advance(steps=steps)
        return steps

    return run


def pytorch(network: str, data, *, channels_last: bool):
    import torch

    from engine.tokens import Conv, Dense, Drop, Output, Pool, parse_network

    torch.set_num_threads(2)
    layers: list[torch.nn.Module] = []
    shape = torch.zeros(1, 1, 28, 28)

    def add(*modules: torch.nn.Module) -> None:
        nonlocal shape
        layers.extend(modules)
        for module in modules:
            shape = module(shape)

    tokens = parse_network(network)
    for token in [*tokens, *([] if any(isinstance(token, Output) for token in tokens) else [Output()])]:
        match token:
            case Conv(filters, kernel, padding, stride):
                add(torch.nn.Conv2d(shape.shape[1], filters, kernel, stride, padding), torch.nn.ReLU())
            case Pool(window, stride):
                add(torch.nn.MaxPool2d(window, stride))
            case Dense(units):
                add(torch.nn.Flatten())
                add(torch.nn.Linear(shape.shape[1], units), torch.nn.ReLU())
            case Drop(rate):
                add(torch.nn.Dropout(rate))
            case Output():
                add(torch.nn.Linear(shape.shape[1], 10))
    model = torch.nn.Sequential(*layers)
    x = torch.from_numpy(data.x_train.reshape(EXAMPLES, 1, 28, 28)).float().div_(255)
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    labels = torch.from_numpy(data.y_train)
    optimizer = torch.optim.Adam(model.parameters(), 0.001, fused=True)
    loss = torch.nn.CrossEntropyLoss()

    def run(steps: int) -> int:
        for _ in range(steps):
            index = torch.randint(EXAMPLES, (BATCH,))
            optimizer.zero_grad(set_to_none=True)
            loss(model(x[index]), labels[index]).backward()
            optimizer.step()
        return steps

    return run


def floor(network: str):
    """Only the matrix products of a step, on arrays made beforehand, each half of the batch in a thread."""
    import numpy as np

    from engine import blas
    from engine.architecture import describe
    from engine.nn.conv import ShiftedRows
    from engine.tokens import Conv, Dense, Output

    n, cut = BATCH // 2, blas.products(np.dtype(np.float32))

    def products() -> list[tuple]:
        rng = np.random.default_rng(0)

        def array(*shape):
            return rng.standard_normal(shape).astype(np.float32)

        made = []

        def add(left, right, multiply=np.matmul) -> None:
            made.append((multiply, left, right, np.matmul(left, right)))

        weighted = [row for row in describe(network, (28, 28, 1), 10) if row.parameters]
        for before, row in pairwise([None, *weighted]):
            if isinstance(row.token, Conv):
                (h, w, c), (out_h, out_w, f), k = row.in_shape, row.out_shape, row.token.kernel
                padding, dy = row.token.padding, array(out_h, f, out_w, n)
                rows = ShiftedRows((h, c, w, n), out_h, out_w, kernel=k, offset=padding).fill(array(h, c, w, n))
                add(array(f, k * k * c), rows, cut.by_columns)
                add(rows, dy.reshape(out_h, f, -1).transpose(0, 2, 1), cut.by_rows)
                if before:
                    turned = ShiftedRows((out_h, f, out_w, n), h, w, kernel=k, offset=k - 1 - padding)
                    add(array(c, k * k * f), turned.fill(dy), cut.by_columns)
            elif isinstance(row.token, Dense | Output):
                inputs, outputs = int(np.prod(row.in_shape)), row.out_shape[0]
                x, weight, dy = array(inputs, n).T, array(inputs, outputs), array(n, outputs)
                add(x, weight)
                add(x.T, dy)
                add(dy, weight.T)
        return made

    halves = [products(), products()]
    second = ThreadPoolExecutor(1)

    def step(half: list[tuple]) -> None:
        for multiply, left, right, out in half:
            multiply(left, right, out=out)

    def run(steps: int) -> int:
        for _ in range(steps):
            other = second.submit(step, halves[1])
            step(halves[0])
            other.result()
        return steps

    return run


if __name__ == "__main__":
    main()
