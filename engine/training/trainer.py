"""The training loop, as a generator that anyone may drive: by the step, by the second, or to the end.

    for event in Trainer(experiment, data):
        …

Nothing happens between two events, so a caller may pause by not asking, and change the learning rate, the decay or
the dropout in between. `state_dict` and `load_state_dict` carry a run over to another process without changing its
result; for that, all that a step has to tell is in the history before its first event is out. An evaluation takes as
long as many steps, so it is made in pieces, between which `advance` may stop too; a run that goes on elsewhere before
it is whole begins it again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator, MutableMapping
from typing import TypeVar

import numpy as np

from engine import build
from engine.data.dataset import Dataset
from engine.errors import InputError, shorten
from engine.experiment import FIELDS, Experiment
from engine.nn import DataParallel, Dropout, Sequential, Workspace, in_turn
from engine.nn.losses import is_divergent
from engine.training import metrics
from engine.training.averaging import WeightAverage, load_averages
from engine.training.events import Evaluated, Event, Finished, Snapshot, Started, Step
from engine.training.history import History
from engine.training.probes import DeadUnits, Probe

T = TypeVar("T")
EVALUATION_LIMIT = 1000  # examples of each set that an evaluation during training looks at
PROBE_EVERY = 100  # steps from one probe to the next; a probe costs about one step of a small network


class Trainer:
    """Trains the network of an experiment.

    network, loss, optimizer, history: the live objects. threads: 2 to let a second core help with a large network;
    the numbers are the same. step: updates made so far. seconds: time spent in them alone.
    probe_every: steps between probes, 0 for none; may be changed at any time and does not influence the run.
    """

    def __init__(
        self, experiment: Experiment, data: Dataset | None = None, *, probe_every: int = PROBE_EVERY, threads: int = 1
    ) -> None:
        self.experiment = experiment
        self.data = data or build.build_dataset(experiment)
        self.network = build.build_network(experiment, self.data.shape, len(self.data.classes))
        self.passes = build.build_parallel(experiment, self.network, threads)
        self._both = self.passes.both if isinstance(self.passes, DataParallel) else in_turn
        self.average = (
            WeightAverage(self.network.vector, experiment.ema, self.network.buffers()) if experiment.ema else None
        )
        self.loss = build.build_loss(experiment)
        self.optimizer = build.build_optimizer(experiment, self.network)
        self.batches = build.build_batches(experiment, self.data)
        self.history = History()
        self.probe_every = probe_every
        self.step = 0
        self.seconds = 0.0
        self.finished: Finished | None = None
        self._events = self._run()

    def __iter__(self) -> Iterator[Event]:
        return (event for event in self._events if event)

    def _run(self) -> Iterator[Event | None]:
        """Train; None stands for a piece of an evaluation."""
        if self.finished:
            return
        if self.step == 0 and self.evaluation_is_due:
            yield Started(self.network.vector.data.size)
        while True:
            if self.step >= self.experiment.steps and not np.isfinite(self.network.vector.data).all():
                # The last step was one too many, and there is no loss of these weights to show it.
                yield self._finish("diverged")
                return
            if self.evaluation_is_due:
                yield from self.evaluation()
            if self.step == 0 and self.probe_every and not self.history.latest:
                yield from self._record(self.look())
            if self.step >= self.experiment.steps:
                break
            events: list[Event] = []
            if self.probe_every and self.step % self.probe_every == 0:
                with Probe(self.network, self.history.dead) as probe:
                    loss = self._update(probe)
                events.append(Snapshot(self.step, probe.readings()))
            else:
                loss = self._update()
            if is_divergent(loss, self.history.evaluated.first[1]):
                yield from self._record(*events, self._finish("diverged"))
                return
            yield from self._record(*events, Step(self.step, loss, self.seconds))
        yield self._finish("completed")

    def _update(self, probe: Probe | None = None) -> float:
        """Make one step: w ← w − d(∂L/∂w) on the next batch; return the batch's loss L before it."""
        start = time.perf_counter()
        with np.errstate(over="ignore", invalid="ignore"):  # divergence is reported, not warned about
            x, labels = self.batches.next()
            loss = self.loss.forward(self.passes.forward(x, training=True), labels)
            self.passes.backward(self.loss.backward())
            if probe:
                probe.read_gradients()
            self.optimizer.step(self._both)
            self.step += 1
            if self.average:
                self.average.update(self.step)
        self.seconds += time.perf_counter() - start
        return loss

    def _record(self, *events: Event) -> tuple[Event, ...]:
        for event in events:
            self.history.record(event)
        return events

    def _finish(self, reason: str) -> Finished:
        self.finished = Finished(self.step, reason)
        return self.finished

    def work_in(self, workspaces: MutableMapping[tuple, Workspace]) -> None:
        """Share work arrays with the other runs that were given `workspaces`, and are driven by the same thread."""
        for part, network in enumerate(self._networks):
            network.work_in(workspaces, part)

    # ------------------------------------------------------------------------------------------------- driving it

    def advance(self, *, steps: int | None = None, seconds: float | None = None) -> bool:
        """Train for so many steps, or for about so many seconds; return whether the run can go on.

        The evaluation that is due after the steps is made too, if there is time; one that is due before them comes
        first, and is all that 0 steps are. With the last of the experiment's steps the run is finished.
        """
        target = self.experiment.steps if steps is None else self.step + steps
        deadline = time.perf_counter() + (seconds if seconds is not None else float("inf"))
        if steps == 0 and not self.evaluation_is_due:
            return self.finished is None
        for event in self._events:
            over = time.perf_counter() >= deadline or (self.step >= target and not self.evaluation_is_due)
            goes_on = event is None or (isinstance(event, Step | Evaluated) and self.step < self.experiment.steps)
            if over and goes_on:
                break
        return self.finished is None

    def change(self, **settings: float) -> None:
        """Change fields that are marked `live` (lr, l1, l2, dropout, steps) from the next step on.

        More steps let a completed run go on. Raises `ExperimentError` for an illegal value and ValueError for a field
        that cannot change during a run.
        """
        for name in settings:
            if name not in FIELDS or not FIELDS[name].metadata.get("live"):
                raise ValueError(f"{name} cannot change during a run")
        self.experiment = self.experiment.replace(**settings)
        for name in ("lr", "l1", "l2"):
            setattr(self.optimizer, name, getattr(self.experiment, name))
        self.optimizer.schedule = build.build_schedule(self.experiment)
        build.set_dropout(self.network, self.experiment.dropout)
        if self.finished and self.finished.reason == "completed" and self.step < self.experiment.steps:
            self.finished, self._events = None, self._run()

    # ---------------------------------------------------------------------------------------------------- looking

    @property
    def epoch(self) -> float:
        """How often the training set has been gone through."""
        return self.step * self.batches.size / len(self.data.x_train)

    @property
    def evaluation_is_due(self) -> bool:
        """Whether the history is to tell how well the network does after this step, and does not yet."""
        return (self.step % self.experiment.evaluate_every == 0 or self.step >= self.experiment.steps) and (
            not self._is_evaluated()
        )

    def _is_evaluated(self) -> bool:
        rows = self.history.evaluated.rows()
        return len(rows) > 0 and rows[-1, 0] == self.step

    def evaluation(self) -> Generator[Evaluated | None, None, None]:
        """Evaluate the present step piece by piece, unless that was done; the last piece is what was recorded."""
        if self._is_evaluated():
            return
        evaluated = yield from self._evaluated(EVALUATION_LIMIT)
        if not self._is_evaluated():  # by another who began later
            yield from self._record(evaluated)

    def evaluate(self, limit: int = EVALUATION_LIMIT) -> Evaluated:
        """Measure loss and accuracy on the first `limit` examples of both sets; 0 for all."""
        return completed(self._evaluated(limit))

    def _evaluated(self, limit: int) -> Generator[None, None, Evaluated]:
        data, n, measured, dead = self.data, limit or None, [], DeadUnits(self.network)
        for x, labels, watch in (
            (data.x_train[:n], data.y_train[:n], dead),
            (data.x_test[:n], data.y_test[:n], None),
        ):
            outputs = yield from self.outputs(x, watch)
            with np.errstate(over="ignore", invalid="ignore"):
                measured += metrics.score(self.loss, outputs, labels)
        return Evaluated(self.step, *measured, dead.shares())

    def outputs(
        self, x: np.ndarray, watch: contextlib.AbstractContextManager | None = None
    ) -> Generator[None, None, np.ndarray]:
        """Compute, piece by piece, the outputs (N, K) of the network at rest for raw examples.

        watch: entered for each of the pieces, between which the network may train.
        """
        watch = watch or contextlib.nullcontext()
        outputs = np.empty((len(x), *self.network.out_shape), self.network.dtype)
        for piece in metrics.pieces(self.network, len(x)):
            with np.errstate(over="ignore", invalid="ignore"), self.at_rest(), watch:
                outputs[piece] = metrics.predict(self.network, x[piece], self.data.scale)
            yield
        return outputs

    def look(self) -> Snapshot:
        """Probe both passes on the first training examples, as many as a batch has, without a step and unaugmented.

        The run goes on as if nobody had looked: random streams and running averages stand where they stood.
        """
        data, n = self.data, self.batches.size
        random = {name: _generator_state(rng) for name, rng in self._generators().items()}
        buffers = [(array, array.copy()) for array in self.network.buffers().values()]
        network = self.network.replica()  # its work arrays go with it: a run that nobody starts stays small
        with np.errstate(over="ignore", invalid="ignore"), Probe(network, self.history.dead) as probe:
            x = np.multiply(data.x_train[:n], data.scale, dtype=np.float32)
            self.loss.forward(network.forward(x, training=True), data.y_train[:n])
            network.backward(self.loss.backward())
            probe.read_gradients()
        for array, before in buffers:  # running averages
            np.copyto(array, before)
        for name, rng in self._generators().items():
            _set_generator_state(rng, random[name])
        return Snapshot(self.step, probe.readings())

    def at_rest(self) -> contextlib.AbstractContextManager[None]:
        """Inside, the network is what the run is to result in: its weights are the average where there is one."""
        return self.average.applied() if self.average else contextlib.nullcontext()

    # ------------------------------------------------------------------------------------------------ checkpoints

    def state_dict(self) -> tuple[dict[str, np.ndarray], dict[str, object]]:
        """Return the run's whole state: arrays by name, and what is left as JSON-able values."""
        arrays = {f"network.{name}": array for name, array in self.network.state_dict().items()}
        arrays |= {f"optimizer.{name}": array for name, array in self.optimizer.state_dict().items()}
        arrays |= {f"history.{name}": array for name, array in self.history.state().items()}
        arrays["batches.order"] = self.batches.state()
        if self.average:
            arrays |= {f"average.{name}": array.copy() for name, array in self.average.arrays().items()}
        rest = {
            "step": self.step,
            "seconds": self.seconds,
            "finished": self.finished.reason if self.finished else None,
            "random": {name: _generator_state(rng) for name, rng in self._generators().items()},
        }
        return arrays, rest

    def load_state_dict(self, arrays: dict[str, np.ndarray], rest: dict) -> None:
        """Continue from a state. Raises `InputError` when it belongs to another experiment.

        Its numbers may be infinite: squares overflow long before a run diverges, and it may rest just before it does.
        """
        step, seconds, reason = rest["step"], rest["seconds"], rest["finished"]
        if type(step) is not int or not 0 <= step <= FIELDS["steps"].metadata["high"]:
            raise InputError("the number of steps made must be a whole number, not {received}", received=shorten(step))
        if not 0 <= seconds < float("inf") or reason not in (None, "completed", "diverged"):
            raise InputError("a run must say how long it took and how it ended")
        self.network.load_state_dict(part(arrays, "network."), finite=False)
        self.optimizer.load_state_dict(part(arrays, "optimizer."), step)
        self.history.restore(part(arrays, "history."))
        if self.average:
            self.average.copy_buffers()
            load_averages(self.average.arrays(), part(arrays, "average."), finite=False)
        self.batches.restore(arrays["batches.order"])
        for name, rng in self._generators().items():
            _set_generator_state(rng, rest["random"][name])
        self.step, self.seconds = step, float(seconds)
        self.finished = Finished(step, reason) if reason else None

    @property
    def _networks(self) -> list[Sequential]:
        """The network and, where each half of a batch has one, its replica."""
        return self.passes.networks if isinstance(self.passes, DataParallel) else [self.network]

    def _generators(self) -> dict[str, np.random.Generator]:
        generators = {"batches": self.batches.rng}
        for name, network in zip(("dropout", "dropout2"), self._networks, strict=False):
            if dropout := next((layer for layer in network.layers if isinstance(layer, Dropout)), None):
                generators[name] = dropout.rng  # one for all the layers of a network
        if self.batches.augment:
            generators["augment"] = self.batches.augment.rng
        return generators


def part(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return those arrays whose names begin with `prefix`, by what is left of the names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def completed(work: Generator[None, None, T]) -> T:
    """Do to the end what is done in pieces, and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def _generator_state(rng: np.random.Generator) -> dict[str, object]:
    state = rng.bit_generator.state
    return state | {"state": {"state": [int(word) for word in state["state"]["state"]]}}


def _set_generator_state(rng: np.random.Generator, state: dict[str, object]) -> None:
    words = np.array(state["state"]["state"], np.uint64)
    rng.bit_generator.state = state | {"state": {"state": words}}
