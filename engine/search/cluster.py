"""Where trials run: on the scheduler that DASK_SCHEDULER_ADDRESS names, else on worker processes of this machine.

The latter are started when the first search needs them, by `subprocess` (multiprocessing would run the page again in
every worker), and stopped when none has for a while. Other machines join either kind of cluster's scheduler with

    python -m engine search --worker tcp://HOST:8786

from a copy of this project. A scheduler runs whatever it is sent: one that listens beyond localhost belongs behind a
firewall, or on TLS, see https://distributed.dask.org/en/stable/tls.html.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future as Promise
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.errors import N_, InputError, shorten
from engine.processes import command
from engine.search.trial import TOPIC

if TYPE_CHECKING:
    from distributed import Client

ADDRESS = "DASK_SCHEDULER_ADDRESS"
CONNECT = 5.0  # seconds to wait for a scheduler
IDLE = 300.0  # seconds without a search after which local processes are stopped
log = logging.getLogger("kasane.search")


class Workers:
    """Worker processes on this machine, each replaced when it dies. `address`: the scheduler's, as soon as it is known.

    processes: those that are there now.
    """

    def __init__(self, count: int, address: Promise[str]) -> None:
        self.processes: set[subprocess.Popen] = set()
        self._address = address
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._keep_one, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _keep_one(self) -> None:
        wait = 0.0
        while not self._stopped.wait(wait):
            began = time.monotonic()
            try:
                process = launch("worker")
            except OSError as error:  # no memory, too many processes
                log.warning("a search worker could not be started: %s", error)
                wait = min(2 * wait + 0.5, 10.0)
                continue
            self.processes.add(process)
            with contextlib.suppress(OSError, ValueError):  # it died, or `close` ended it, before it was told
                process.stdin.write(self._address.result() + "\n")
                process.stdin.flush()
            if self._stopped.is_set():
                end(process)
            process.wait()
            self.processes.discard(process)
            end(process)
            wait = 0.0 if time.monotonic() - began > 10 else min(2 * wait + 0.5, 10.0)  # one that cannot start
            if not self._stopped.is_set():
                log.warning("search worker %s died (status %s)", process.pid, process.returncode)

    def close(self) -> None:
        """End the processes."""
        self._stopped.set()
        if not self._address.done():
            self._address.set_result("")
        for process in list(self.processes):
            end(process)
        for thread in self._threads:
            thread.join(timeout=5)


class Cluster:
    """The connection to a scheduler, and the processes of this machine where there is no other.

    address: of the scheduler, by default what DASK_SCHEDULER_ADDRESS says, "" for one of our own. count: how many
    workers that one has; by default one core is left to the server. Thread-safe. `with Cluster() as cluster:` closes
    it at the end.
    """

    def __init__(self, address: str | None = None, count: int | None = None) -> None:
        self.address = os.environ.get(ADDRESS, "") if address is None else address
        self.count = count or max(1, (os.cpu_count() or 2) - 1)
        self.workers: Workers | None = None
        self._scheduler: subprocess.Popen | None = None
        self._client: Client | None = None
        self._users: dict[str, Callable[[Mapping[str, object]], None]] = {}
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    @contextlib.contextmanager
    def used(self, name: str, receive: Callable[[Mapping[str, object]], None]):
        """Inside, the cluster is in use: it is not stopped for want of it.

        name: of the round that uses it. receive: is called, from another thread, with what its trials report, as soon
        as there is a client and `subscribe` was called.
        """
        with self._lock:
            self._users[name] = receive
            if self._timer:
                self._timer.cancel()
        try:
            yield self
        finally:
            with self._lock:
                del self._users[name]
                if not self._users:
                    self._unsubscribe()
                    self._timer = threading.Timer(IDLE, self._close_idle)
                    self._timer.daemon = True
                    self._timer.start()

    def warm_up(self) -> None:
        """Start the processes of this machine, if they are needed, without waiting for them."""
        with self._lock:
            if not self.address and (self._scheduler is None or self._is_dead()):
                self._shut()
                self._start()

    def client(self) -> Client:
        """Return a client of the scheduler, made anew where it was lost. Raises `InputError` when there is none."""
        with self._lock:
            if self._client is None or self._client.status != "running" or self._is_dead():
                if self._client or self._is_dead():
                    self._shut()
                self.warm_up()
                from distributed import Client  # half a second, which a page without a search need not wait for

                try:
                    address = self.address or self._await_address()
                    self._client = Client(address, timeout=CONNECT, set_as_default=False, name="kasane")
                except (OSError, ValueError) as error:  # distributed's TimeoutError is an OSError
                    log.info("no scheduler: %s", error)  # no warning: on a command line it would be a second line
                    self._shut()
                    place = shorten(self.address or "127.0.0.1")
                    raise InputError(N_("The Dask scheduler at {address} does not answer."), address=place) from error
            return self._client

    def subscribe(self) -> None:
        """Have the scheduler send what trials report.

        Every round does: a client that has reconnected while nobody used it may have found another scheduler, which
        knows of no subscription. One more to the same scheduler changes nothing.
        """
        client = self.client()
        with losses_tolerated(client):
            client.subscribe_topic(TOPIC, self.hand_on)

    def _unsubscribe(self) -> None:
        if self._client:
            with losses_tolerated(self._client), contextlib.suppress(ValueError):  # ValueError: nobody has subscribed
                self._client.unsubscribe_topic(TOPIC)

    def hand_on(self, event: tuple[float, Mapping[str, object]]) -> None:
        """Give a report to the round that it is for, which may be another server's: the topic is everybody's."""
        _, report = event
        receive = self._users.get(report["round"])
        if receive:
            receive(report)

    def close(self) -> None:
        """Disconnect, and end what was started. It may be used again."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            self._shut()

    def _close_idle(self) -> None:
        with self._lock:
            if not self._users:
                self._shut()

    def _is_dead(self) -> bool:
        return self._scheduler is not None and self._scheduler.poll() is not None

    def _start(self) -> None:
        """Start a scheduler and, at the same time, its workers."""
        self._known: Promise[str] = Promise()
        self.workers = Workers(self.count, self._known)
        self._scheduler = launch("scheduler")

    def _await_address(self) -> str:
        """Return the address of our own scheduler when it has told it, and tell the workers."""
        if not self._known.done():
            line = self._scheduler.stdout.readline().strip()
            if not line:
                raise OSError("the scheduler did not start")
            self._known.set_result(line)
        return self._known.result()

    def _shut(self) -> None:
        client, self._client = self._client, None
        workers, self.workers = self.workers, None
        scheduler, self._scheduler = self._scheduler, None
        if client:
            with losses_tolerated(client):
                client.close(timeout=2)
        if workers:
            workers.close()
        if scheduler:
            end(scheduler)


@contextlib.contextmanager
def losses_tolerated(client: Client):
    """Inside, a scheduler that is gone is no error: the next `Cluster.client` finds another, or says so."""
    from distributed.client import ClosedClientError

    with contextlib.suppress(OSError, RuntimeError, ClosedClientError):  # RuntimeError: its event loop has ended
        try:
            yield
        except AttributeError:  # what a client says that was closed meanwhile, by itself or for another search
            if client.status not in ("closing", "closed"):
                raise


def launch(role: str) -> subprocess.Popen:
    """Start a process of the cluster, see `node`."""
    return subprocess.Popen(
        **command("engine.search.node", role, background=role == "worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen) -> None:
    """Have a process end with its input, and see that it does."""
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def answers(address: str) -> bool:
    """Tell whether anybody listens at the address of a scheduler."""
    place = urlsplit(address)
    try:
        socket.create_connection((place.hostname, place.port), CONNECT).close()
    except (OSError, UnicodeError):  # UnicodeError: no host can have this name
        return False
    return True


def serve(address: str) -> None:
    """Work for the scheduler at `address`, on all cores of this machine, until interrupted."""
    known: Promise[str] = Promise()
    known.set_result(address)
    workers = Workers(os.cpu_count() or 1, known)
    try:
        while True:  # on Windows, no wait without an end is interrupted
            time.sleep(3600)
    finally:
        workers.close()
