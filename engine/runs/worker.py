"""A worker process trains many runs, a few milliseconds of each in turn, and sends what a screen can draw.

Started by the pool as `python -m engine.runs.worker`, with one BLAS thread and a low priority. Messages come in on
standard input and go out on standard output; at the end of the input the process ends: nothing outlives the server.

In:   start {run, group, experiment, speed, running}, a checkpoint to go on from optional;
      command {run, number, name, value}
Out:  frame {run, …}: curves, histograms and state; checkpoint {run, number, kept}; error {run, template, values};
      dropped {run}, the last of a run

Whoever has had the least computing time goes next, so that runs of any size share a worker fairly. The runs of a group
(a comparison) share one account of time, and of them the one that is least far goes first: they keep in step.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback

import numpy as np

from engine.errors import N_, InputError
from engine.experiment import Experiment
from engine.runs import frames, protocol
from engine.training import checkpoint
from engine.training.trainer import PROBE_EVERY, Trainer

SLICE = 0.010  # seconds a run trains before the next one's turn
FRAME_EVERY = 0.16  # seconds between two frames of a run
FEW = 6  # runs of a group that still send frames as often; more of them take turns
CHECKPOINT_EVERY = 2.0  # seconds of a run between two checkpoints against a crash of the worker
NICENESS = 10


class Group:
    """Runs that share their time. used: seconds of processor time: what other processes took is not charged."""

    def __init__(self) -> None:
        self.used = 0.0
        self.jobs: list[Job] = []


class Job:
    """One run inside a worker: its trainer, and when it is due for what."""

    def __init__(self, run: str, group: Group, trainer: Trainer, *, speed: float, running: bool) -> None:
        self.run, self.group, self.trainer = run, group, trainer
        group.jobs.append(self)
        self.running = running and trainer.finished is None
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
        self.running = self.trainer.finished is None
        self.set_speed(self.speed)
        self._rate_from = None

    def due(self, now: float) -> float:
        """Return the time of the next step: now or earlier, or later in slow motion."""
        return self._paced_from + self._paced_steps / self.speed if self.speed else now

    def turn(self) -> None:
        """Train for a slice of time, or the steps that are due by now."""
        start, used, step = time.monotonic(), time.thread_time(), self.trainer.step
        pace = self.speed or self.rate
        self.trainer.probe_every = int(min(max(pace / 5, 1), PROBE_EVERY))
        if self.speed:
            due = int((start - self._paced_from) * self.speed) + 1 - self._paced_steps
            going = self.trainer.advance(steps=max(due, 1), seconds=SLICE)
            self._paced_steps += self.trainer.step - step
            if self.trainer.step - step < due - self.speed:  # more than a second behind: the machine is too slow
                self.set_speed(self.speed)
        else:
            going = self.trainer.advance(seconds=SLICE)
        self.running = going
        self.group.used += time.thread_time() - used

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
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while (message := protocol.read_frame(self._source)) is not None:
            self._inbox.put(message)
        os._exit(0)  # the server is gone; a slice of training is not worth finishing

    def run(self) -> None:
        """Serve until the input ends."""
        while True:
            now = time.monotonic()
            running = [job for job in self._jobs.values() if job.running]
            wait = min((job.due(now) - now for job in running), default=None)
            self._receive(wait)
            now = time.monotonic()
            ready = [job for job in self._jobs.values() if job.running and job.due(now) <= now]
            if ready:
                self._guarded(min(ready, key=lambda job: (job.group.used, job.trainer.step)), self._train)

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
                next(iter(trainer)), next(iter(trainer))  # the first evaluation, so that there is something to see
        except Exception as error:
            self._report(run, error)
            return
        if header["group"] not in self._groups:
            self._groups[header["group"]] = Group()
            self._groups[header["group"]].used = self._least_used()
        group = self._groups[header["group"]]
        job = Job(run, group, trainer, speed=header["speed"], running=header["running"])
        job.number = header["number"]
        self._jobs[run] = job
        self._guarded(job, lambda job: self._show(job, keep=False))

    def _command(self, job: Job, header: dict) -> None:
        name, value = header["name"], header["value"]
        job.number = header["number"]
        if name == "resume":
            if not any(other.running for other in job.group.jobs):
                job.group.used = max(job.group.used, self._least_used())
            job.resume()
        elif name == "pause":
            job.running = False
        elif name == "speed":
            job.set_speed(float(value))
        elif name == "step":
            job.running = False
            job.trainer.probe_every = 1 if value < PROBE_EVERY else PROBE_EVERY
            job.trainer.advance(steps=int(value))
        elif name == "change":
            job.trainer.change(**value)
        self._show(job, keep=name in ("pause", "step"))
        self._checkpoint(job, kept=not job.running)

    def _train(self, job: Job) -> None:
        job.turn()
        now = time.monotonic()
        if not job.running:
            self._show(job, keep=True)
            self._checkpoint(job, kept=True)
            return
        if now >= job.next_frame:
            self._show(job, keep=False)
        if now >= job.next_checkpoint:
            self._checkpoint(job, kept=False)

    def _show(self, job: Job, *, keep: bool) -> None:
        """Send a frame; one of a run at rest (`keep`) also tells what the network gets wrong."""
        now = time.monotonic()
        job.measure_rate(now)
        job.next_frame = now + FRAME_EVERY * max(1.0, sum(it.running for it in job.group.jobs) / FEW)
        state = job.trainer.finished.reason if job.trainer.finished else "running" if job.running else "paused"
        header, arrays = frames.describe(job.trainer, at_rest=not job.running)
        extra = {"kind": "frame", "run": job.run, "state": state, "number": job.number, "rate": round(job.rate, 1)}
        self._send(header | extra, arrays)

    def _checkpoint(self, job: Job, *, kept: bool) -> None:
        start = time.monotonic()
        blob = np.frombuffer(checkpoint.dump(job.trainer), np.uint8)
        state = {"running": job.running, "speed": job.speed, "step": job.trainer.step, "number": job.number}
        self._send({"kind": "checkpoint", "run": job.run, "kept": kept} | state, {"checkpoint": blob})
        cost = time.monotonic() - start
        job.next_checkpoint = start + max(CHECKPOINT_EVERY, 100 * cost)  # 1 % of the time at the most

    def _guarded(self, job: Job, action) -> None:
        """Do something with a job; whatever goes wrong ends that job alone."""
        try:
            action(job)
        except Exception as error:
            self._forget(job.run)
            self._report(job.run, error)

    def _forget(self, run: str) -> Job | None:
        job = self._jobs.pop(run, None)
        if job:
            job.group.jobs.remove(job)
            self._groups = {name: group for name, group in self._groups.items() if group.jobs}
        return job

    def _least_used(self) -> float:
        """Return where the account of a newcomer starts, so that it neither waits nor makes others wait."""
        return min((job.group.used for job in self._jobs.values() if job.running), default=0.0)

    def _report(self, run: str, error: Exception) -> None:
        if isinstance(error, InputError):
            text = error.text
        else:
            traceback.print_exception(error, file=sys.stderr)
            text = InputError(
                N_("The run was stopped by an error inside ({reason})."), reason=type(error).__name__
            ).text
        self._send({"kind": "error", "run": run, "template": text.template, "values": _plain(text.values)}, {})

    def _send(self, header: dict, arrays: dict[str, np.ndarray]) -> None:
        protocol.write_frame(self._sink, protocol.encode(header, arrays))


def _plain(values: dict[str, object]) -> dict[str, object]:
    """Return the values of a `Text` as JSON: nested ones as {"template", "values"}."""
    return {
        name: {"template": value.template, "values": _plain(value.values)} if hasattr(value, "template") else str(value)
        for name, value in values.items()
    }


def main() -> None:
    if hasattr(os, "nice"):  # elsewhere the pool sets the priority when it starts the process
        os.nice(NICENESS)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # a stray print must not enter the protocol
    Worker(source, sink).run()


if __name__ == "__main__":
    main()
