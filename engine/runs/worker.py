"""A worker process trains many runs, a few milliseconds of each in turn, and sends what a screen can draw.

Started by the pool as `python -m engine.runs.worker`, with one BLAS thread and a low priority. Messages come in on
standard input and go out on standard output; at the end of the input the process ends: nothing outlives the server.

In:   start {run, group, experiment, speed, running}, a checkpoint to go on from optional;
      command {run, number, name, value}; ping
Out:  frame {run, …}: curves, histograms and state; checkpoint {run, number, kept}; error {run, template, values};
      dropped {run}, the last of a run; pong, the answer to a ping

Whoever has had the least computing time goes next, so that runs of any size share a worker fairly. The runs of a group
(a comparison) share one account of time, and of them the one that is least far goes first: they keep in step. Nothing
takes longer than a slice but a single step: an epoch asked for by hand, an evaluation and what is measured of a run at
rest are worked off in turns like all training.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator
from typing import BinaryIO
from weakref import WeakValueDictionary

import numpy as np

from engine.errors import InputError, explained
from engine.experiment import Experiment
from engine.nn import Workspace
from engine.runs import frames, protocol
from engine.runs.cloud import Cloud
from engine.training import checkpoint
from engine.training.trainer import PROBE_EVERY, Trainer

SLICE = 0.010  # seconds a run trains before the next one's turn
FRAME_EVERY = 0.16  # seconds between two frames of a run
FEW = 6  # runs of a group that still send frames as often; more of them take turns
CHECKPOINT_EVERY = 2.0  # seconds of a run between two checkpoints against a crash of the worker
NICENESS = 10


class Group:
    """Runs that share their time. used: seconds of processor time: what other processes took is not charged.

    Time in which a group had nothing to do counts as used: it cannot be caught up with at the others' expense.
    """

    def __init__(self) -> None:
        self.used = 0.0
        self.jobs: list[Job] = []


class Job:
    """One run inside a worker: its trainer, what is to be done with it, and when.

    running: it trains, without end or, where there is a goal, up to that step and the evaluation that is due there.
    Once it rests, what it gets wrong is measured: measuring is that work, measured its result and at which step.
    """

    def __init__(self, run: str, group: Group, trainer: Trainer, *, speed: float, running: bool) -> None:
        self.run, self.group, self.trainer = run, group, trainer
        group.jobs.append(self)
        self.running = running and trainer.finished is None
        self.goal: int | None = None
        self.measuring: Generator[None, None, frames.Part] | None = None
        self.measured: tuple[int, frames.Part] | None = None
        self.cloud = Cloud(trainer)
        self.number = 0  # of the latest command that the trainer has seen
        self.rate = 0.0  # steps a second, a moving average
        self._rate_from: tuple[float, int] | None = None  # time and step at the latest frame
        self.next_frame = 0.0
        self.next_checkpoint = time.monotonic() + CHECKPOINT_EVERY
        self.set_speed(speed)

    def set_speed(self, speed: float) -> None:
        """Train so many steps a second; 0: as fast as the machine can."""
        self.speed = speed
        self._paced_from, self._paced_steps = time.monotonic(), 0

    def resume(self) -> None:
        """Train from here on without end, at the speed that is set, unless the run has finished."""
        self.running, self.goal, self.measuring = self.trainer.finished is None, None, None
        self.set_speed(self.speed)
        self._rate_from = None

    def pause(self) -> None:
        """Train no further, and forget the steps that were still to be made."""
        self.running, self.goal = False, None

    def make(self, steps: int) -> None:
        """Make so many steps more, after those that are still to be made, as fast as the machine can."""
        self.goal = (self.trainer.step if self.goal is None else self.goal) + steps
        self.running, self.measuring = self.trainer.finished is None, None
        self.trainer.probe_every = 1 if steps < PROBE_EVERY else PROBE_EVERY

    def rest(self) -> None:
        """Begin to measure what it gets wrong, unless that is known or under way."""
        if not self.measuring and (self.measured is None or self.measured[0] != self.trainer.step):
            self.measured, self.measuring = None, self._look_closely()

    def _look_closely(self) -> Generator[None, None, frames.Part]:
        yield from self.trainer.evaluation()  # by which it is known what is dead
        history = self.trainer.history
        if self.trainer.step == 0 and not history.latest:  # what the initialization does, before any training
            history.record(self.trainer.look())
            yield
        yield from self.cloud.refresh()
        return (yield from frames.measure(self.trainer))

    @property
    def busy(self) -> bool:
        """Whether it wants a turn."""
        return self.running or self.measuring is not None

    @property
    def state(self) -> str:
        """What a screen is told. An end is not told before it is measured: the page draws it once."""
        if self.trainer.finished and not self.measuring:
            return self.trainer.finished.reason
        return "running" if self.running or self.trainer.finished else "paused"

    def due(self, now: float) -> float:
        """Return the time of the next step: now or earlier, or later in slow motion."""
        slow = self.speed and self.running and self.goal is None
        return self._paced_from + self._paced_steps / self.speed if slow else now

    def turn(self) -> None:
        """Work for a slice of time."""
        if self.running:
            self._train()
        elif self.measuring:
            self._measure()

    def _train(self) -> None:
        start, step = time.monotonic(), self.trainer.step
        if self.goal is not None:
            going = self.trainer.advance(steps=max(self.goal - step, 0), seconds=SLICE)
            self.running = going and (self.trainer.step < self.goal or self.trainer.evaluation_is_due)
            return
        pace = self.speed or self.rate
        self.trainer.probe_every = int(min(max(pace / 5, 1), PROBE_EVERY))
        if self.speed:  # the steps that are due by now
            due = int((start - self._paced_from) * self.speed) + 1 - self._paced_steps
            going = self.trainer.advance(steps=max(due, 1), seconds=SLICE)
            self._paced_steps += self.trainer.step - step
            if self.trainer.step - step < due - self.speed:  # more than a second behind: the machine is too slow
                self.set_speed(self.speed)
        else:
            going = self.trainer.advance(seconds=SLICE)
        self.running = going

    def _measure(self) -> None:
        end = time.monotonic() + SLICE
        try:
            next(self.measuring)
            while time.monotonic() < end:
                next(self.measuring)
        except StopIteration as result:
            self.measured, self.measuring = (self.trainer.step, result.value), None

    def measure_rate(self, now: float) -> None:
        """Update the moving average of steps a second; called at every frame."""
        if self._rate_from is not None:
            then, step = self._rate_from
            rate = (self.trainer.step - step) / max(now - then, 1e-3)
            self.rate = rate if not self.rate else 0.7 * self.rate + 0.3 * rate
        self._rate_from = (now, self.trainer.step) if self.running else None


class Worker:
    """The process: a thread reads commands into a queue, the main loop trains."""

    def __init__(self, source, sink) -> None:
        self._source, self._sink = source, sink
        self._inbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._jobs: dict[str, Job] = {}
        self._groups: dict[str, Group] = {}
        # Runs that take turns can work in the same arrays: of thirty with a convolution each has 21 MB less of its own.
        self._workspaces: WeakValueDictionary[tuple, Workspace] = WeakValueDictionary()
        self._clock = 0.0  # the time that whoever had the latest turn had used before it
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while (message := protocol.read_frame(self._source)) is not None:
            self._inbox.put(message)
        os._exit(0)  # the server is gone; a slice of training is not worth finishing

    def run(self) -> None:
        """Serve until the input ends."""
        while True:
            now = time.monotonic()
            wait = min((job.due(now) - now for job in self._jobs.values() if job.busy), default=None)
            self._receive(wait)
            now = time.monotonic()
            ready = [job for job in self._jobs.values() if job.busy and job.due(now) <= now]
            if ready:
                job = min(ready, key=lambda job: (job.group.used, job.trainer.step))
                self._clock = max(self._clock, job.group.used)
                self._guarded(job, self._turn)

    def _receive(self, wait: float | None) -> None:
        """Handle every message that is here; wait for one at most so long (None: for ever)."""
        try:
            block = wait is None or wait > 0
            while True:
                message = self._inbox.get(block=block, timeout=wait)
                self._handle(message)
                block = False
        except queue.Empty:
            return

    def _handle(self, message: bytes) -> None:
        header, arrays = protocol.decode(message)
        if header["kind"] == "ping":
            self._send({"kind": "pong"}, {})
            return
        run = header["run"]
        if header["kind"] == "start":
            self._start(header, arrays)
        elif header["name"] == "drop":
            job = self._forget(run)
            if job and job.trainer.step:
                self._guarded(job, lambda job: self._checkpoint(job, kept=True))
            self._send({"kind": "dropped", "run": run}, {})
        elif run in self._jobs:
            self._guarded(self._jobs[run], lambda job: self._command(job, header))

    def _start(self, header: dict, arrays: dict[str, np.ndarray]) -> None:
        run = header["run"]
        try:
            if "checkpoint" in arrays:
                trainer = checkpoint.restore(arrays["checkpoint"].tobytes())
            else:
                trainer = Trainer(Experiment.from_json(header["experiment"]))
        except Exception as error:
            self._report(run, error)
            return
        trainer.work_in(self._workspaces)
        group = self._groups.setdefault(header["group"], Group())
        job = Job(run, group, trainer, speed=header["speed"], running=header["running"])
        job.number = header["number"]
        self._jobs[run] = job
        if not job.running:
            job.make(0)  # the first evaluation, so that there is something to see
        self._guarded(job, self._turn if job.running else self._rest)

    def _command(self, job: Job, header: dict) -> None:
        name, value = header["name"], header["value"]
        job.number = header["number"]
        if name == "resume":
            job.resume()
        elif name == "pause":
            job.pause()
        elif name == "speed":
            job.set_speed(float(value))
        elif name == "step":
            job.make(int(value))
            job.turn()
        elif name == "change":
            job.trainer.change(**value)
            if job.trainer.step >= job.trainer.experiment.steps:  # fewer are wanted: all are made, training on ends it
                job.resume()
        if not job.running:
            self._rest(job)
            return
        self._show(job)
        if job.goal is None:
            self._checkpoint(job, kept=False)

    def _turn(self, job: Job) -> None:
        was_running = job.running
        job.turn()
        now = time.monotonic()
        if job.running:
            if now >= job.next_frame and len(job.trainer.history.evaluated.rows()):
                self._show(job)
            if now >= job.next_checkpoint and job.goal is None:
                self._checkpoint(job, kept=False)
        elif was_running:
            self._rest(job)
        elif not job.measuring:
            self._show(job)

    def _rest(self, job: Job) -> None:
        """Show and keep a run that stands still; what takes long to measure follows with another frame."""
        job.rest()
        job.turn()
        self._show(job)
        if job.trainer.step or job.number:  # else there is nothing to lose yet
            self._checkpoint(job, kept=True)

    def _show(self, job: Job) -> None:
        """Send a frame."""
        now = time.monotonic()
        job.measure_rate(now)
        job.next_frame = now + FRAME_EVERY * max(1.0, sum(it.running for it in job.group.jobs) / FEW)
        if job.running and sum(it.running for it in job.group.jobs) == 1:  # a comparison does not show it
            job.cloud.look()
        header, arrays = frames.describe(job.trainer)
        arrays |= job.cloud.arrays
        extra = {"kind": "frame", "run": job.run, "state": job.state, "number": job.number, "rate": round(job.rate, 1)}
        extra["measuring"] = job.measuring is not None
        extra["cloud"] = {"layer": job.cloud.layer, "units": job.cloud.units, "share": round(job.cloud.share, 3)}
        if job.measured and not job.running:
            extra, arrays = extra | job.measured[1][0], arrays | job.measured[1][1]
        self._send(header | extra, arrays)

    def _checkpoint(self, job: Job, *, kept: bool) -> None:
        start = time.monotonic()
        blob = np.frombuffer(checkpoint.dump(job.trainer), np.uint8)
        state = {"running": job.running, "speed": job.speed, "step": job.trainer.step, "number": job.number}
        self._send({"kind": "checkpoint", "run": job.run, "kept": kept} | state, {"checkpoint": blob})
        cost = time.monotonic() - start
        job.next_checkpoint = start + max(CHECKPOINT_EVERY, 100 * cost)  # 1 % of the time at the most

    def _guarded(self, job: Job, action) -> None:
        """Do something with a job, on its account; whatever goes wrong ends that job alone."""
        job.group.used = max(job.group.used, self._clock)
        start = time.thread_time()
        try:
            action(job)
        except Exception as error:
            self._forget(job.run)
            self._report(job.run, error)
        job.group.used += time.thread_time() - start

    def _forget(self, run: str) -> Job | None:
        job = self._jobs.pop(run, None)
        if job:
            job.group.jobs.remove(job)
            self._groups = {name: group for name, group in self._groups.items() if group.jobs}
        return job

    def _report(self, run: str, error: Exception) -> None:
        if not isinstance(error, InputError):
            traceback.print_exception(error, file=sys.stderr)
        self._send({"kind": "error", "run": run} | explained(error).to_dict(), {})

    def _send(self, header: dict, arrays: dict[str, np.ndarray]) -> None:
        protocol.write_frame(self._sink, protocol.encode(header, arrays))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl+C is for the server, whose end is this one's
    if hasattr(os, "nice"):  # elsewhere the pool sets the priority when it starts the process
        os.nice(NICENESS)
    Worker(sys.stdin.buffer, _take_output()).run()


def _take_output() -> BinaryIO:
    """Return standard output, for messages alone: what else is printed, by Python or a library in C, goes to the error
    output, for it must not enter the protocol."""
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(sys.stderr.fileno() if sys.stderr else os.open(os.devnull, os.O_WRONLY), 1)
    return sink


if __name__ == "__main__":
    main()
