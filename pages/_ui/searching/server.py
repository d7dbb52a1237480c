"""The searches of this server, and the channel on which a page watches one.

/searching/{search}   what has changed in a search since the last message, several times a second

The id of a search is unguessable, and who knows it may watch: it stands in the page's address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading

from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.runs import store
from engine.search.study import Search, Searches
from engine.search.trial import Trial
from pages._ui.channels import FOREIGN, UNKNOWN, same_origin

PAUSE = 0.15  # seconds between two messages to a screen
POINTS = 60  # of a curve on a screen

log = logging.getLogger("kasane.searching")
_searches: Searches | None = None
_lock = threading.Lock()


def searches() -> Searches:
    """Return the server's searches."""
    global _searches
    with _lock:
        if _searches is None:
            _searches = Searches(store.folder() / "searches")
        return _searches


def close_searches() -> None:
    """Stop the searches and their workers. What has finished is on disk."""
    global _searches
    with _lock:
        if _searches is not None:
            _searches.close()
            _searches = None


async def watch(socket: WebSocket) -> None:
    """Send what changes in a search; what a slow screen misses is told at once, later."""
    if not same_origin(socket):
        await socket.close(FOREIGN)
        return
    await socket.accept()
    search = await asyncio.to_thread(searches().find, socket.path_params["search"])
    if search is None:
        await socket.close(UNKNOWN)
        return
    loop, fresh, sent = asyncio.get_running_loop(), asyncio.Event(), 0

    def notify() -> None:
        with contextlib.suppress(RuntimeError):  # the server is shutting down and its loop is closed
            loop.call_soon_threadsafe(fresh.set)

    async def until_closed() -> None:
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    closed = asyncio.create_task(until_closed())
    closed.add_done_callback(lambda _: fresh.set())
    search.attach(notify)
    try:
        while not closed.done():
            if search.sequence != sent:
                text, sent = message(search, sent)
                await socket.send_text(text)
            await fresh.wait()
            fresh.clear()
            await asyncio.sleep(PAUSE)
    except (WebSocketDisconnect, RuntimeError) as error:
        log.debug("the channel of a search closed while sending: %s", error)
    finally:
        search.detach(notify)
        closed.cancel()


def message(search: Search, since: int) -> tuple[str, int]:
    """Return what has changed since a sequence (0: all there is) as JSON, and the sequence that the search is at."""
    sequence, changed = search.changes(since)
    content = {
        "whole": since == 0,
        "state": search.state,
        "asked": search.plan.trials,
        "workers": search.workers,
        "seconds": round(search.seconds, 1),
        "importance": search.importance,
        "trials": [describe(trial) for trial in changed],
    }
    return json.dumps(content, separators=(",", ":")), sequence


def describe(trial: Trial) -> dict[str, object]:
    """Return a trial as the screen draws it, its curves thinned."""
    stride = max(1, -(-len(trial.steps) // POINTS))
    kept = sorted({*range(0, len(trial.steps), stride), len(trial.steps) - 1} - {-1})
    curves = {name: [getattr(trial, name)[i] for i in kept] for name in ("steps", "train", "validation")}
    about = {"number": trial.number, "values": dict(trial.values), "state": trial.state, "loss": trial.loss}
    return about | {"accuracy": trial.accuracy, "seconds": trial.seconds} | curves
