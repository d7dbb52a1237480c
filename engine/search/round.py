"""A round of a search: the stretch from its start, or from where it was taken up again, to its last trial or a stop.

A thread of its own asks for values, hands trials to the cluster, a few more than it has workers, and takes in what they
report. A trial whose worker dies is given to another by Dask; one that was lost with its scheduler is handed in again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.search import trial as on_worker
from engine.search.cluster import Cluster, losses_tolerated
from engine.search.plan import Plan
from engine.search.trial import Trial, failure

if TYPE_CHECKING:
    from distributed import Client, Future

    from engine.search.study import Search

AHEAD = 1  # trials that wait at the cluster beside those its workers are at: nobody is kept waiting for a proposal
WEIGH_EVERY = 1.5  # seconds between two estimates of importance
LOOK_EVERY = 1.0  # seconds between two looks at the cluster
log = logging.getLogger("kasane.search")


class Round(threading.Thread):
    """Searches until it is told to stop. finished: the trials of earlier rounds. listener: is told how it goes."""

    def __init__(self, plan: Plan, finished: list[Trial], cluster: Cluster, listener: Search) -> None:
        super().__init__(daemon=True, name="search")
        self.plan, self.cluster, self.listener = plan, cluster, listener
        self._finished = finished
        done = {trial.number for trial in finished}
        self._waiting = deque(number for number in range(plan.trials) if number not in done)
        self._trials: dict[int, Trial] = {}  # that have begun and not finished
        self._futures: dict[int, Future] = {}
        self._inbox: queue.SimpleQueue[tuple[str, object, object]] = queue.SimpleQueue()
        self._id = f"kasane-{secrets.token_hex(8)}"
        self._client: Client | None = None
        self._workers = 0
        self._looked = self._weighed = 0.0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End the round soon. May be called from any thread, at any time."""
        self._stopping.set()
        self._inbox.put(("wake", None, None))

    def run(self) -> None:
        """Search; what the thread does. Whatever goes wrong, the listener hears the end."""
        error: Exception | None = None
        try:
            with self.cluster.used(self._id, self._on_report):
                try:
                    self._search()
                finally:
                    self._free_workers()
            self._weigh(0.0)
        except InputError as caught:
            error = caught
        except Exception as caught:
            log.exception("a search was stopped by an error")
            error = caught
        for trial in self._trials.values():
            self.listener.on_trial(replace(trial, state="dropped"))
        self.listener.on_end(error)

    def _search(self) -> None:
        self.cluster.warm_up()  # its processes load the same libraries meanwhile
        from engine.search.proposals import Proposals

        self._proposals = Proposals(self.plan, self._finished)
        self._fill()
        self._weigh(0.0)  # loads what estimates importance while the first trials are computed
        while (self._waiting or self._trials) and not self._stopping.is_set():
            self._fill()
            self._take_in()
            if not self.listener.is_wanted():
                self._stopping.set()

    # ------------------------------------------------------------------------------------------------ to the cluster

    def _fill(self) -> None:
        """Hand in as many trials as the cluster can use."""
        client = self.cluster.client()
        if client is not self._client:
            self._client, self._looked = client, 0.0
            self.cluster.subscribe()
        self._count_workers()
        for number in [number for number in self._trials if number not in self._futures]:
            self._submit(self._trials[number])
        while self._waiting and len(self._trials) < self._workers + AHEAD:
            number = self._waiting.popleft()
            trial = self._trials[number] = Trial(number, self._proposals.ask(number))
            self._submit(trial)

    def _submit(self, trial: Trial) -> None:
        try:
            experiment = self.plan.trial(trial.values)
        except InputError as error:
            self._inbox.put(("outcome", trial.number, failure(error)))
            return
        key = f"{self._id}-{trial.number}-{secrets.token_hex(4)}"
        arguments = (self._id, trial.number, experiment.to_json(), self.plan.share)
        with losses_tolerated(self._client):  # one without a future is handed in again
            future = self._client.submit(on_worker.run, *arguments, key=key, pure=False)
            self._futures[trial.number] = future
            future.add_done_callback(lambda future: self._inbox.put(("done", trial.number, future)))

    def _on_report(self, report: Mapping[str, object]) -> None:
        self._inbox.put(("report", report["number"], report))

    def _count_workers(self) -> None:
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY or not self._workers:
            self._looked = now
            with losses_tolerated(self._client):
                count = sum(self._client.nthreads().values())
                if count != self._workers:
                    self._workers = count
                    self.listener.on_workers(count)

    def _free_workers(self) -> None:
        """Take back what is handed in, and end what is being computed."""
        if self._client is None:
            return
        with losses_tolerated(self._client):
            if self._futures:
                self._client.cancel(list(self._futures.values()), force=True)
                self._client.run(on_worker.stop, self._id, on_error="ignore")
        self._futures.clear()

    # ---------------------------------------------------------------------------------------------- from the cluster

    def _take_in(self) -> None:
        """Wait for news, and take in all there is."""
        with contextlib.suppress(queue.Empty):
            kind, number, body = self._inbox.get(timeout=LOOK_EVERY if self._workers else 0.1)
            while True:
                if number in self._trials:
                    self._news(kind, number, body)
                kind, number, body = self._inbox.get_nowait()

    def _news(self, kind: str, number: int, body: object) -> None:
        if kind == "report":
            self._report(self._trials[number].extend(body))
        elif kind == "outcome":
            self._finish(self._trials[number].update(body))
        elif body is self._futures.get(number):
            del self._futures[number]
            outcome = _result(body)
            if outcome is not None and outcome["state"] != "running":  # else `_fill` hands it in again
                self._finish(self._trials[number].update(outcome))

    def _report(self, trial: Trial) -> None:
        self._trials[trial.number] = trial
        if not self._proposals.report(trial):
            self.listener.on_trial(trial)
            return
        future = self._futures.pop(trial.number, None)
        with losses_tolerated(self._client):
            if future:
                self._client.cancel([future], force=True)
            self._client.run(on_worker.stop, f"{self._id}/{trial.number}", on_error="ignore")
        self._finish(replace(trial, state="pruned"), reported=True)

    def _finish(self, trial: Trial, *, reported: bool = False) -> None:
        if not reported and trial.state == "complete":
            self._proposals.report(trial)  # what came since its last report
        self._proposals.tell(trial)
        del self._trials[trial.number]
        self.listener.on_trial(trial)
        self._weigh(WEIGH_EVERY)

    def _weigh(self, pause: float) -> None:
        """Estimate importance, if the latest estimate is so many seconds old."""
        if time.monotonic() - self._weighed >= pause:
            self.listener.on_importance(self._proposals.importance())
            self._weighed = time.monotonic()


def _result(future: Future) -> dict[str, object] | None:
    """Return the outcome of a task that is over, None for one that is to be done again."""
    if future.status == "error":
        return failure(future.exception())
    try:
        return future.result(timeout=20) if future.status == "finished" else None
    except Exception as error:  # lost on the way here
        log.info("the result of a trial was lost: %s", error)
        return None
