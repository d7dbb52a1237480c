"""The pool starts worker processes, spreads runs over them, and keeps the newest frame and checkpoint of each run.

A run belongs to whoever watches it: `attach` when a screen starts to, `detach` when it stops. Nobody watching, nothing
training: a run that is left pauses at once and leaves its worker after `LEASE` seconds. What it had reached stays in
the store, from where `open` brings it back. A worker that dies is replaced, and its runs go on from their last
checkpoint; commands given since then are given again, so that no step and no change of setting is lost. One that does
not answer for long is ended first. A run that takes one worker after the other with it is given up, and so are all
where no worker lives long; after a while another one is tried.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import queue
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np

from engine.errors import N_, InputError, Text
from engine.experiment import FIELDS, Experiment
from engine.processes import command
from engine.runs import frames, protocol, store
from engine.training.checkpoint import read_experiment

LEASE = 20.0  # seconds an unwatched run stays in its worker
QUIET = 10.0  # seconds after which a worker that sends nothing is asked whether it is there
STUCK = 120.0  # seconds that it has to answer: a single step of the largest networks takes a while
LIVES = 3  # workers that a run may lose without a frame between
DYING = 30  # seconds; more than five deaths within so many are no accident (a busy machine takes some for each start)
REMEMBERED = 300  # runs that were dropped lately, by what is left of them: 13 kB each
MAX_RUNS = 1000  # thirty comparisons of the largest kind, 32 runs
NO_WORKER = N_("The training process could not be started.")
FATAL = N_("The training process was ended several times before this run showed anything; a smaller network may help.")
log = logging.getLogger("kasane.runs")


ENDED = {"completed", "diverged"}  # states of a run that is over


class Run:
    """One run as the server sees it.

    id: its public name, in the page's URL and the store. token: who knows it may watch. experiment: the spec, live
    changes included. owner: who steers it, by the name that the pages give a session. frame: the newest message for the
    screen, sequence counts them. state: "starting", then the frame's: "running", "paused", "completed", "diverged"; or
    "error", with `error` saying why. group: its own name, or that of a comparison, whose runs keep in step and share
    one run's time.
    """

    def __init__(
        self, run: str, experiment: Experiment, *, speed: float, checkpoint: bytes | None, running: bool, group: str
    ) -> None:
        self.id, self.token = run, secrets.token_urlsafe(16)
        self.group = group or run
        self.owner = ""
        self.initial = self.experiment = experiment
        self.speed = speed
        self.checkpoint, self.wanted = checkpoint, running  # wanted: should it be running, were it watched?
        self.stepping = False  # was it last told to make so many steps?
        self.frame, self.sequence, self.state = b"", 0, "starting"
        self.step = 0
        self.started = checkpoint is not None  # was it ever told to train?
        self.header: dict = {}  # of the newest frame, see `frames`
        self.error: Text | None = None
        self.kept: bytes | None = None  # the checkpoint that is in the store
        self.worker: _WorkerProcess | None = None
        self.number = itertools.count(1)
        self.pending: list[dict] = []  # commands that no checkpoint holds yet
        self.losses = 0  # workers that died of it, perhaps: since its latest frame
        self.watchers: set[Callable[[], None]] = set()
        self.unwatched_since: float | None = time.monotonic()

    @property
    def can_pause(self) -> bool:
        """Is there something to pause: training without end, or steps asked for by hand that take a while?"""
        return self.wanted or (self.stepping and self.state == "running")

    def takes(self, experiment: Experiment, names: Collection[str]) -> bool:
        """Can it go on with these fields as an experiment has them? Else that takes a run of its own.

        Only live fields change in a run, and steps not below what it has made. One that is over takes more steps alone:
        what it came to would stand beside settings that it did not come of.
        """
        if not all(FIELDS[name].metadata.get("live") for name in names):
            return False
        if set(names) == {"steps"}:
            return self.step <= experiment.steps
        return self.state not in ENDED or self.experiment == experiment


class Left(NamedTuple):
    """What is known of a run that was dropped: how far it had come and how, and its curves as a frame."""

    experiment: Experiment
    state: str
    step: int
    curves: bytes


class _WorkerProcess:
    """A worker's process and pipes, and the runs that are in it.

    A thread of its own writes to it: where it does not read what it is sent, stopped by a debugger or with no memory
    left to go on in, nobody else waits for that.
    """

    def __init__(self, pool: Pool) -> None:
        self.runs: dict[str, Run] = {}
        self._heard = time.monotonic()  # when it sent something last
        self._asked: float | None = None  # since when it owes an answer
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            **command("engine.runs.worker", background=True), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._reader = threading.Thread(target=self._read, args=(pool,), daemon=True)
        self._writer.start()
        self._reader.start()

    def send(self, header: dict, arrays: dict | None = None) -> None:
        """Queue a message; a thread writes it, so that nobody waits for a worker in the middle of a step."""
        self._outbox.put(protocol.encode(header, arrays))

    def look_after(self, now: float) -> None:
        """Ask it whether it is there, if it has been silent for a while; end it, if it does not answer for long.

        What reads its output then buries it like any other that died.
        """
        if self._asked is None and now - self._heard > QUIET:
            self._asked = now
            self.send({"kind": "ping"})
        if self._asked is not None and now - self._asked > STUCK:
            log.warning("worker %s does not answer and is ended", self.process.pid)
            self.process.kill()

    def close(self) -> None:
        """Close the process's input after all that was sent."""
        self._outbox.put(None)

    def _write(self) -> None:
        try:
            while (message := self._outbox.get()) is not None:
                protocol.write_frame(self.process.stdin, message)
        except OSError:
            log.info("worker %s is gone; its runs will be resumed", self.process.pid)  # `_read` sees the end too
        with contextlib.suppress(OSError):  # what was still buffered for a dead process
            self.process.stdin.close()

    def _read(self, pool: Pool) -> None:
        try:
            while (message := protocol.read_frame(self.process.stdout)) is not None:
                self._heard, self._asked = time.monotonic(), None
                pool.receive(self, message)
        except Exception:  # no end of it could be heard either: its runs would stand still for ever
            log.exception("worker %s is not understood any more", self.process.pid)
            self.process.kill()
        self.process.stdout.close()
        self.process.wait()
        self.close()
        self._writer.join()
        pool.bury(self)

    def stop(self) -> None:
        """End the process: it exits when its input does."""
        self.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(timeout=2)


class Pool:
    """Worker processes and the runs in them. Thread-safe. `with Pool() as pool:` stops the workers at the end."""

    def __init__(self, workers: int | None = None) -> None:
        self._lock = threading.RLock()
        self._stopping = False
        self._runs: dict[str, Run] = {}
        self._left: dict[str, Left] = {}  # by name, in the order in which they were dropped
        self._deaths: list[float] = []
        self._size = workers or max(1, (os.cpu_count() or 2) - 1)
        with self._lock:  # one that dies at once is buried after all of them are there
            self._workers = [_WorkerProcess(self) for _ in range(self._size)]
        self._stopped = threading.Event()
        threading.Thread(target=self._reap, daemon=True).start()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception) -> None:
        self.stop()

    def stop(self) -> None:
        """End every worker. Runs that were paused or finished are in the store."""
        self._stopped.set()
        with self._lock:
            self._stopping = True
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.stop()

    # ------------------------------------------------------------------------------------------------------- runs

    def start(
        self,
        experiment: Experiment,
        *,
        speed: float = 0.0,
        running: bool = True,
        checkpoint: bytes | None = None,
        group: str = "",
    ) -> Run:
        """Start a run, from its first step or from a checkpoint. speed: steps a second, 0 for as fast as possible.

        group: a name that runs to be compared share (see `Run`).

        Raises InputError when the server has no room for another, or no process to train it in.
        """
        name = secrets.token_urlsafe(9)
        run = Run(name, experiment, speed=speed, checkpoint=checkpoint, running=running, group=group)
        with self._lock:
            if not self._workers:
                raise InputError(NO_WORKER)
            if len(self._runs) >= MAX_RUNS:
                raise InputError(N_("The server already has {n} runs, and takes no more; try again soon."), n=MAX_RUNS)
            self._runs[run.id] = run
            self._place(run)
        return run

    def open(self, name: str, group: str = "") -> Run | None:
        """Return the run of that name for a new screen, None when there is none.

        One that is here and unwatched is handed over as it is; one that somebody watches, or that only the store still
        has, is opened as a paused copy of its own: at its first step, where nothing is known of a later one yet.
        """
        with self._lock:
            run = self._runs.get(name)
            if run and not run.watchers and not group:
                return run
            blob = run.checkpoint if run else None
        blob = blob or store.load(name)
        if blob is None:
            return self.start(run.experiment, running=False, group=group) if run else None
        return self.start(read_experiment(blob), running=False, checkpoint=blob, group=group)

    def find(self, name: str) -> Run | None:
        """Return the run of that name if it is in a worker now."""
        return self._runs.get(name)

    def by_token(self, token: str) -> Run | None:
        """Return the run that this token may watch."""
        with self._lock:
            for run in self._runs.values():
                if secrets.compare_digest(run.token.encode(), token.encode()):
                    return run
        return None

    def command(self, run: Run, name: str, value: object = None) -> None:
        """Steer a run: "pause", "resume", "step" n, "speed" steps a second, "change" {field: value}.

        Raises `ExperimentError` for an illegal new value; the run then goes on unchanged.
        """
        with self._lock:
            if name == "change":
                run.experiment = run.experiment.replace(**value)
            if name in ("pause", "resume", "step"):
                run.wanted, run.stepping = name == "resume", name == "step"
                run.started = run.started or name != "pause"
            if name == "speed":
                run.speed = float(value)
            self._command(run, name, value)

    def drop(self, run: Run) -> None:
        """Take a run out of its worker. What it had reached stays in the store."""
        with self._lock:
            if run.checkpoint and run.checkpoint is not run.kept:  # a copy that nobody has trained on, say
                self._keep(run)
            if self._runs.pop(run.id, None) and run.group == run.id and run.state not in ("starting", "error"):
                self._left[run.id] = Left(run.experiment, run.state, run.step, frames.curves(run.frame))
                for name in list(self._left)[:-REMEMBERED]:
                    del self._left[name]
            self._command(run, "drop")  # the worker sends a last checkpoint before it forgets the run

    def left(self, name: str) -> Left | None:
        """Return what is known of the run of that name, if it was dropped lately and was not one of a comparison."""
        return self._left.get(name)

    def _command(self, run: Run, name: str, value: object = None) -> None:
        header = {"kind": "command", "run": run.id, "number": next(run.number), "name": name, "value": value}
        run.pending.append(header)
        if run.worker:
            run.worker.send(header)

    # ---------------------------------------------------------------------------------------------------- the lease

    def attach(self, run: Run, notify: Callable[[], None]) -> None:
        """A screen watches from now on; `notify` is called, from another thread, after each new frame."""
        with self._lock:
            back = not run.watchers  # then its last command was to pause, also if it still says that it is running
            run.watchers.add(notify)
            run.unwatched_since = None
            if run.wanted and (back or run.state != "running"):
                self._command(run, "resume")

    def detach(self, run: Run, notify: Callable[[], None]) -> None:
        """A screen stops watching. After the last one the run pauses at once."""
        with self._lock:
            run.watchers.discard(notify)
            if not run.watchers:
                run.unwatched_since = time.monotonic()
                self._command(run, "pause")

    def _reap(self) -> None:
        while not self._stopped.wait(1.0):
            self._look_after()

    def _look_after(self) -> None:
        """Drop the runs that nobody came back for, and see that there are as many workers as there should be."""
        with self._lock:
            if self._stopping:
                return
            now = time.monotonic()
            for run in list(self._runs.values()):
                if run.unwatched_since is not None and now - run.unwatched_since > LEASE:
                    self.drop(run)
            for worker in self._workers:
                worker.look_after(now)
            if len(self._workers) < self._size and now - self._deaths[-1] > DYING:
                self._add_worker()

    # ------------------------------------------------------------------------------------------------- the workers

    def _place(self, run: Run) -> None:
        """Put a run into the worker that has the fewest."""
        run.worker = min(self._workers, key=lambda worker: len(worker.runs))
        run.worker.runs[run.id] = run
        header = {
            "kind": "start",
            "run": run.id,
            "group": run.group,
            "experiment": run.initial.to_json(),  # a checkpoint brings the changed one
            "speed": run.speed,
            "running": run.wanted and bool(run.watchers),
            "number": 0,
        }
        blob = run.checkpoint
        run.worker.send(header, {"checkpoint": np.frombuffer(blob, np.uint8)} if blob else None)

    def receive(self, worker: _WorkerProcess, message: bytes) -> None:
        """Take a worker's message; called by the thread that reads its pipe."""
        header, arrays = protocol.decode(message)
        if header["kind"] == "pong":
            return
        with self._lock:
            run = worker.runs.get(header["run"])
            if run is None:
                return
            if header["kind"] == "dropped":
                del worker.runs[run.id]
                return
            if header["kind"] == "checkpoint":
                run.checkpoint = arrays["checkpoint"].tobytes()
                run.pending = [it for it in run.pending if it["number"] > header["number"] or it["name"] == "drop"]
                if not (header["kept"] and header["step"]):
                    return
            elif header["kind"] == "frame":
                run.losses = 0
                run.frame, run.state, run.step, run.header = message, header["state"], header["step"], header
                if run.state in ("completed", "diverged"):
                    run.wanted = False
            else:
                run.error, run.state = Text.from_dict(header), "error"
                run.frame = message
            run.sequence += 1
            watchers = list(run.watchers)
        if header["kind"] == "checkpoint":
            self._keep(run)
            return
        for notify in watchers:
            notify()

    @staticmethod
    def _keep(run: Run) -> None:
        try:
            store.save(run.id, run.checkpoint)
            run.kept = run.checkpoint
        except OSError as error:
            log.warning("the run %s could not be kept: %s", run.id, error)

    def bury(self, worker: _WorkerProcess) -> None:
        """Replace a worker that has died and put its runs into another."""
        with self._lock:
            if self._stopping or worker not in self._workers:
                return
            log.warning("worker %s died (status %s)", worker.process.pid, worker.process.returncode)
            self._workers.remove(worker)
            now = time.monotonic()
            self._deaths = [moment for moment in self._deaths if now - moment < DYING] + [now]
            if len(self._deaths) > 5:  # it dies at the start: starting it for ever would only burn the machine
                log.error("workers keep dying; no new one is started for a while")
            else:
                self._add_worker()
            lost = []
            for run in worker.runs.values():
                if run.state == "error":  # it has ended, and has said why
                    continue
                run.losses += 1
                if not self._workers or run.losses >= LIVES:
                    lost.append(run)
                    self._give_up(run, FATAL if self._workers else NO_WORKER)
                    continue
                self._place(run)
                for header in run.pending:
                    run.worker.send(header)
            watchers = [notify for run in lost for notify in run.watchers]
        for notify in watchers:
            notify()

    def _add_worker(self) -> None:
        try:
            self._workers.append(_WorkerProcess(self))
        except OSError as error:  # no memory, too many processes
            log.error("a worker could not be started: %s", error)
            self._deaths.append(time.monotonic())

    @staticmethod
    def _give_up(run: Run, reason: str) -> None:
        """Let a run end with an error."""
        run.error, run.state, run.worker = Text(reason), "error", None
        run.frame = protocol.encode({"kind": "error", "run": run.id} | run.error.to_dict())
        run.sequence += 1
