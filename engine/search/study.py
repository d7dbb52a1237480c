"""Searches as a server sees them: started, watched, stopped, taken up again, and kept on disk."""

from __future__ import annotations

import contextlib
import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import N_, InputError, Text
from engine.search.cluster import Cluster
from engine.search.journal import SEARCH_ID, Journal, Record
from engine.search.plan import Plan
from engine.search.round import Round
from engine.search.trial import Trial

MAX_RUNNING = 10  # searches at a time; they take turns at the workers
UNWATCHED = 600.0  # seconds after which a search that nobody looks at stops
log = logging.getLogger("kasane.search")


class Search:
    """One search, for everybody who knows its id. Thread-safe.

    plan: what it does. trials: all that have begun, by number. state: "starting", "running", "stopping", "stopped"
    (to be taken up again), "complete", or "error", with `error` saying why. workers: how many are at it.
    importance: of the fields, 0 … 1. sequence: grows with every change.
    """

    def __init__(self, search: str, record: Record, journal: Journal, cluster: Callable[[], Cluster]) -> None:
        self.id, self.plan = search, record.plan
        self.trials = dict(record.trials)
        self.importance = dict(record.importance)
        self.error: Text | None = None
        self.workers = 0
        self.state = "complete" if len(self.finished()) >= self.plan.trials else "stopped"
        self.sequence = 1
        self._changed = dict.fromkeys(self.trials, 1)  # number → sequence
        self._seconds, self._began = record.seconds, 0.0
        self._journal, self._cluster = journal, cluster
        self._round: Round | None = None
        self._rests = threading.Event()
        self._rests.set()
        self._held = contextlib.ExitStack()  # the journal, as long as a round goes on
        self._lock = threading.RLock()
        self._watchers: set[Callable[[], None]] = set()
        self._unwatched_since = time.monotonic()

    # ------------------------------------------------------------------------------------------------------ commands

    def resume(self, trials: int | None = None) -> None:
        """Go on to the number of trials asked for, or to another.

        Raises `ExperimentError` for an illegal number, `InputError` while another server or command is at it.
        """
        with self._lock:
            if self.is_running:
                return
            before = self._round
        if before:
            before.join(timeout=10)
        with self._lock:
            if self.is_running:  # somebody else was faster
                return
            with contextlib.ExitStack() as held:
                held.enter_context(self._journal.held())
                self._catch_up()
                if trials is not None and trials != self.plan.trials:
                    self.plan = self.plan.replace(trials=trials)
                    self._write({"trials": trials})
                if len(self.finished()) >= self.plan.trials:
                    self._enter("complete")
                    return
                self.error, self._began = None, time.monotonic()
                self._unwatched_since = time.monotonic()
                self._round = Round(self.plan, self.finished(), self._cluster(), self)
                self._held = held.pop_all()
            self._enter("starting")
            self._round.start()

    def stop(self) -> None:
        """Stop: trials that have not finished are dropped, and their workers are free at once."""
        with self._lock:
            if self.is_running:
                self._round.stop()
                self._enter("stopping")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the search rests; return whether it does."""
        return self._rests.wait(timeout)  # a thread whose `join` Ctrl-C ends counts as over, up to Python 3.12

    # ------------------------------------------------------------------------------------------------------- looking

    @property
    def is_running(self) -> bool:
        """Whether it is at it: about to start, searching, or about to stop."""
        return self.state in ("starting", "running", "stopping")

    @property
    def is_watched(self) -> bool:
        """Whether somebody is attached."""
        return bool(self._watchers)

    @property
    def seconds(self) -> float:
        """How long it has been searching."""
        return self._seconds + (time.monotonic() - self._began if self.is_running else 0.0)

    def finished(self) -> list[Trial]:
        """Return the trials that have finished, by number."""
        return sorted((it for it in list(self.trials.values()) if it.finished), key=lambda it: it.number)

    def ranking(self) -> list[Trial]:
        """Return the trials that have finished, the best first."""
        return sorted(self.finished(), key=Trial.rank)

    def changes(self, since: int) -> tuple[int, list[Trial]]:
        """Return the present sequence and the trials that have changed since an earlier one; 0: all."""
        with self._lock:
            changed = [self.trials[number] for number, sequence in self._changed.items() if sequence > since]
            return self.sequence, [it for it in changed if since or it.state != "dropped"]

    def attach(self, notify: Callable[[], None]) -> None:
        """Somebody watches from now on; `notify` is called, from another thread, after each change."""
        with self._lock:
            self._watchers.add(notify)

    def detach(self, notify: Callable[[], None]) -> None:
        """Somebody stops watching."""
        with self._lock:
            self._watchers.discard(notify)
            self._unwatched_since = time.monotonic()

    # ----------------------------------------------------------------------------- what the round tells, by its thread

    def on_trial(self, trial: Trial) -> None:
        """A trial has begun, has told how it goes, has finished or was dropped."""
        with self._lock:
            self.trials[trial.number] = trial
            self._changed[trial.number] = self.sequence + 1
            if trial.finished:
                self._write({"trial": trial.to_dict()})
            if self.state == "starting":
                self._enter("running")
            else:
                self._tell()

    def on_workers(self, count: int) -> None:
        """There are so many workers now."""
        with self._lock:
            self.workers = count
            self._tell()

    def on_importance(self, importance: Mapping[str, float]) -> None:
        """Importance was estimated anew; nothing in it: there are too few trials."""
        with self._lock:
            if importance:
                self.importance = dict(importance)
                self._tell()

    def on_end(self, error: Exception | None) -> None:
        """The round is over: all trials finished, or it was stopped, or nothing can be computed."""
        with self._lock:
            self._seconds, self.workers = self.seconds, 0
            self._write({"seconds": round(self._seconds, 2), "importance": self.importance})
            self._held.close()
            if error is not None:
                reason = N_("The search was stopped by an internal error ({reason}).")
                known = isinstance(error, InputError)
                self.error = error.text if known else Text(reason, reason=type(error).__name__)
                self._enter("error")
            else:
                self._enter("complete" if len(self.finished()) >= self.plan.trials else "stopped")

    def is_wanted(self) -> bool:
        """Whether the round should go on: somebody watches, or did until `UNWATCHED` seconds ago."""
        with self._lock:
            return self.is_watched or time.monotonic() - self._unwatched_since < UNWATCHED

    def _catch_up(self) -> None:
        """Take in the trials that another server or command has finished since the journal was read."""
        record = self._journal.read()
        if record is None:
            return
        self._seconds = max(self._seconds, record.seconds)
        for number, trial in record.trials.items():
            if number not in self.trials or not self.trials[number].finished:
                self.trials[number] = trial
                self._changed[number] = self.sequence + 1

    def _enter(self, state: str) -> None:
        self.state = state
        self._tell()
        if self.is_running:
            self._rests.clear()
        else:
            self._rests.set()

    def _tell(self) -> None:
        self.sequence += 1
        for notify in list(self._watchers):
            notify()

    def _write(self, entry: Mapping[str, object]) -> None:
        try:
            self._journal.append(entry)
        except OSError as error:
            log.warning("the search %s could not be kept: %s", self.id, error)


class Searches:
    """All searches of a server. folder: where they are kept. The cluster is theirs, made when the first one starts.

    `with Searches(folder) as searches:` stops them at the end.
    """

    def __init__(self, folder: Path, cluster: Callable[[], Cluster] = Cluster) -> None:
        self.folder = folder
        self._make_cluster, self._made = cluster, None
        self._searches: dict[str, Search] = {}
        self._lock, self._making = threading.Lock(), threading.Lock()  # a search is started under the first

    def __enter__(self) -> Searches:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def start(self, plan: Plan) -> Search:
        """Start a search. Raises `InputError` when it cannot run, or when too many do."""
        plan.check()
        search = secrets.token_hex(8)  # letters and digits: a command line takes -… for an option
        journal = Journal(self.folder, search)
        with self._lock:
            self._check_room()  # before there is a file: each takes the place of the oldest
            # A disk that is full is no reason not to search; `Search` says so in the log.
            with contextlib.suppress(OSError):
                journal.create(plan)
            started = self._searches[search] = Search(search, Record(plan), journal, self.cluster)
            started.resume()
            self._forget()
        return started

    def find(self, search: str) -> Search | None:
        """Return a search by its id, None when there is none."""
        with self._lock:
            if search not in self._searches and SEARCH_ID.fullmatch(search):
                journal = Journal(self.folder, search)
                record = journal.read()
                if record is not None:
                    self._searches[search] = Search(search, record, journal, self.cluster)
                    self._forget()
            return self._searches.get(search)

    def resume(self, search: Search, trials: int | None = None) -> None:
        """Take a search up again. Raises `InputError` as `start` does."""
        with self._lock:
            if not search.is_running:
                self._check_room()
            self._searches[search.id] = search
        search.resume(trials)

    def cluster(self) -> Cluster:
        """Return the cluster that all of them share."""
        with self._making:
            if self._made is None:
                self._made = self._make_cluster()
            return self._made

    def close(self) -> None:
        """Stop all searches and the cluster."""
        with self._lock:
            running = [it for it in self._searches.values() if it.is_running]
            for search in running:
                search.stop()
            for search in running:
                search.wait(5)
            if self._made:
                self._made.close()

    def _check_room(self) -> None:
        if sum(it.is_running for it in self._searches.values()) >= MAX_RUNNING:
            raise InputError(
                N_("The server already has {n} searches running, and takes no more; try again soon."), n=MAX_RUNNING
            )

    def _forget(self) -> None:
        """Let go of searches that rest when there are many: the disk has them."""
        resting = [id for id, it in self._searches.items() if not it.is_running and not it.is_watched]
        for id in itertools.islice(resting, max(0, len(self._searches) - 10 * MAX_RUNNING)):
            del self._searches[id]
