"""The engine's speed, one training step, beside PyTorch, scikit-learn and the arithmetic floor.

    make bench          (or python -m tests.benchmarks.engine [--rounds N])

All contenders of a table take turns in one process, round by round; a ratio is the median of the ratios within the
rounds, so that a machine that slows down slows all of them. The beginning of a turn is not timed: the caches hold what
the one before worked on, and its threads spin for a while on the core that the next needs. The floor is the time of the
step's matrix products alone. Each table is made with one and two threads, and, where the environment pins OpenBLAS to
an older processor (OPENBLAS_CORETYPE), with and without the pin. Run it while nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise

THREAD_NAMES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
SETTINGS = {
    "784-50-10 sigmoid, SGD, batch 100": {
        "network": "dense50", "activation": "sigmoid", "initializer": "gauss", "lr": 0.1, "batch_size": 100,
    },
    "784-256-128-10 ReLU, batch norm, dropout .2, Adam, L2 1e-4, batch 128": {
        "network": "dense256 dense128", "normalization": "batch", "dropout": 0.2, "optimizer": "adam", "lr": 0.001,
        "l2": 0.0001, "batch_size": 128,
    },
}  # fmt: skip
EXAMPLES = 10_000
BEGINNING = 0.03  # seconds of a turn; the threads of PyTorch's OpenMP spin for about half of it


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="rounds of each table (default 40)")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        json.dump(measure(options.child, options.rounds), sys.stdout)
        return
    pins = [os.environ.get("OPENBLAS_CORETYPE"), None]
    for pin in dict.fromkeys(pins):
        for threads in (1, 2):
            environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
            environment |= {name: str(threads) for name in THREAD_NAMES}
            environment |= {"OPENBLAS_CORETYPE": pin} if pin else {}
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.engine",
                "--child",
                str(threads),
                "--rounds",
                str(options.rounds),
            ]
            output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout
            show(
                f"{threads} thread{'s' * (threads > 1)}, BLAS {f'pinned to {pin}' if pin else 'as it chooses'}",
                json.loads(output),
            )


def show(title: str, results: dict) -> None:
    print(f"\n{title}")
    for name, rounds in results["steps"].items():
        print(f"  {name}")
        ours = rounds.pop("kasane")
        print(f"    {'kasane':14}{statistics.median(ours) * 1e6:9.0f} µs a step")
        for rival, theirs in rounds.items():
            ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
            text = f"{ratio:.0%} of the floor" if rival == "floor" else f"kasane is {ratio:.2f} × as fast"
            print(f"    {rival:14}{statistics.median(theirs) * 1e6:9.0f} µs a step   {text}")
    for name, value in results["figures"].items():
        print(f"  {name}: {value}")


def measure(threads: int, rounds: int) -> dict:
    """Return seconds a step, by setting and contender, one figure a round; and the single figures."""
    import numpy as np

    from engine.data.dataset import Dataset

    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (EXAMPLES, 28, 28, 1), dtype=np.uint8)
    labels = rng.integers(0, 10, EXAMPLES)
    data = Dataset("noise", x, labels, x[:100], labels[:100], tuple("0123456789"), 1 / 255)
    results: dict = {"steps": {}, "figures": {}}
    for name, settings in SETTINGS.items():
        contenders = {
            "kasane": kasane(settings, data),
            "PyTorch": pytorch(settings, data, threads),
            "scikit-learn": scikit_learn(settings, data),
            "floor": floor(settings, data),
        }
        results["steps"][name] = take_turns(contenders, rounds, steps=100)
    results["figures"] = figures(data)
    return results


def take_turns(contenders: dict[str, Callable[[int], int]], rounds: int, *, steps: int) -> dict[str, list[float]]:
    """Return seconds a step, by contender, one figure a round. A contender makes about `steps` and says how many."""
    seconds: dict[str, list[float]] = {contender: [] for contender in contenders}
    for run in contenders.values():
        run(2 * steps)
    for _ in range(rounds):
        for contender, run in contenders.items():
            start = time.perf_counter()
            while time.perf_counter() < start + BEGINNING:
                run(1)
            start = time.perf_counter()
            made = run(steps)
            seconds[contender].append((time.perf_counter() - start) / made)
    return seconds


def trainer(settings: dict, data, **more):
    from engine.experiment import Experiment
    from engine.training.trainer import Trainer

    return Trainer(Experiment(steps=10_000_000, evaluate_every=100_000, **settings), data, **more)


def kasane(settings: dict, data):
    ours = trainer(settings, data, probe_every=0)

    def run(steps: int) -> int:
        ours.advance(steps=steps)
        return steps

    return run


def pytorch(settings: dict, data, threads: int):
    import torch

    torch.set_num_threads(threads)
    x = torch.from_numpy(data.x_train.reshape(EXAMPLES, -1)).float().div_(255)  # converted beforehand: to its favour
    labels = torch.from_numpy(data.y_train)
    widths = [784, *(int(word.removeprefix("dense")) for word in settings["network"].split())]
    normalized, dropout = settings.get("normalization") == "batch", settings.get("dropout", 0)
    layers: list[torch.nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers.append(torch.nn.Linear(inputs, outputs, bias=not normalized))
        layers += [torch.nn.BatchNorm1d(outputs)] * normalized
        layers.append(torch.nn.ReLU() if normalized else torch.nn.Sigmoid())
        layers += [torch.nn.Dropout(dropout)] * bool(dropout)
    network = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], 10))
    if settings.get("optimizer") == "adam":
        optimizer = torch.optim.Adam(network.parameters(), settings["lr"], weight_decay=settings["l2"], fused=True)
    else:
        optimizer = torch.optim.SGD(network.parameters(), settings["lr"])
    loss = torch.nn.CrossEntropyLoss()
    size = settings["batch_size"]

    def run(steps: int) -> int:
        order = torch.randperm(EXAMPLES)
        for step in range(steps):
            index = order[(step * size) % (EXAMPLES - size) :][:size]
            optimizer.zero_grad(set_to_none=True)
            loss(network(x[index]), labels[index]).backward()
            optimizer.step()
        return steps

    return run


def scikit_learn(settings: dict, data):
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    x = data.x_train.reshape(EXAMPLES, -1).astype(np.float32) / 255
    adam = settings.get("optimizer") == "adam"
    model = MLPClassifier(
        tuple(int(word.removeprefix("dense")) for word in settings["network"].split()),
        activation="relu" if adam else "logistic",
        solver="adam" if adam else "sgd",
        momentum=0.0,
        batch_size=settings["batch_size"],
        learning_rate_init=settings["lr"],
        alpha=settings.get("l2", 0.0),
    )
    size = settings["batch_size"]

    def run(steps: int) -> int:
        steps = min(steps, EXAMPLES // size)
        model.partial_fit(x[: steps * size], data.y_train[: steps * size], classes=np.arange(10))
        return steps

    return run


def floor(settings: dict, data):
    """Only the matrix products of a step, on arrays made beforehand."""
    import numpy as np

    rng = np.random.default_rng(0)
    size = settings["batch_size"]
    widths = [784, *(int(word.removeprefix("dense")) for word in settings["network"].split()), 10]
    products = []

    def array(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    for depth, (inputs, outputs) in enumerate(pairwise(widths)):
        x, weight, dy = array(size, inputs), array(inputs, outputs), array(size, outputs)
        products.append((x, weight, np.empty((size, outputs), np.float32)))
        products.append((x.T, dy, np.empty((inputs, outputs), np.float32)))
        if depth:
            products.append((dy, weight.T, np.empty((size, inputs), np.float32)))

    def run(steps: int) -> int:
        for _ in range(steps):
            for left, right, out in products:
                np.matmul(left, right, out=out)
        return steps

    return run


def figures(data) -> dict[str, str]:
    """The book's headline run, and what probes cost at their default cadence."""
    from engine.training.trainer import PROBE_EVERY

    first, *_ = SETTINGS.values()
    start = time.perf_counter()
    trainer(first, data, probe_every=0).advance(steps=10_000)
    result = {"10,000 steps of ch04-two-layer's network": f"{time.perf_counter() - start:.2f} s"}
    for name, settings in SETTINGS.items():
        plain, probed = trainer(settings, data, probe_every=0), trainer(settings, data, probe_every=PROBE_EVERY)
        ratios = []
        for _ in range(30):
            times = []
            for ours in (plain, probed):
                start = time.perf_counter()
                ours.advance(steps=4 * PROBE_EVERY)
                times.append(time.perf_counter() - start)
            ratios.append(times[1] / times[0])
        result[f"probes every {PROBE_EVERY} steps, {name}"] = f"{statistics.median(ratios) - 1:+.1%} of training time"
    return result


if __name__ == "__main__":
    main()
