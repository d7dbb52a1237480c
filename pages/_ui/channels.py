"""The two live channels between a page and the server, as WebSockets beside Streamlit's own.

/live/{token}   frames of a run as they come, or of several, their tokens joined by commas; being open is the lease
                that keeps them training
/read/{token}   strokes of a drawing in, what the networks make of it out

Neither passes through Streamlit's script, so a frame costs the server a fifth of what a rerun would. A token is
unguessable and belongs to one run or one drawing pad; only pages of this server may open a channel.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from engine.errors import N_, InputError, Text
from engine.runs.pool import Pool
from pages._ui.reading.message import error_message
from pages._ui.reading.reader import Reader, find_reader

UNKNOWN = 4404  # close code: the token names nothing (any more); the page asks for a new one
FOREIGN = 4403  # close code: the page is of another site
MAX_STROKES_BYTES = 1_000_000
MAX_RUNS_WATCHED = 40  # by one socket
LEARNED_EVERY = 0.5  # seconds between two looks whether a network that reads a drawing has learned more

log = logging.getLogger("kasane.channels")
_pool: Pool | None = None
_pool_lock = threading.Lock()


def pool() -> Pool:
    """Return the server's worker pool, started at the first call."""
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = Pool()
        return _pool


def close_pool() -> None:
    """Stop the workers."""
    global _pool
    with _pool_lock:
        if _pool is not None:
            _pool.stop()
            _pool = None


def same_origin(socket: WebSocket) -> bool:
    """Tell whether the socket was opened by a page of this server (browsers always send Origin; programs need not)."""
    origin = socket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == socket.headers.get("host")


async def live(socket: WebSocket) -> None:
    """Send the frames of the runs, newest wins: what a slow screen misses is never queued."""
    if not same_origin(socket):
        await socket.close(FOREIGN)
        return
    await socket.accept()
    tokens = socket.path_params["token"].split(",")[:MAX_RUNS_WATCHED]
    runs = [pool().by_token(token) for token in tokens]
    if None in runs:
        await socket.close(UNKNOWN)
        return
    loop, fresh, sent = asyncio.get_running_loop(), asyncio.Event(), dict.fromkeys(tokens, 0)

    def notify() -> None:
        with contextlib.suppress(RuntimeError):  # the server is shutting down and its loop is closed
            loop.call_soon_threadsafe(fresh.set)

    closed = asyncio.create_task(_until_closed(socket))
    closed.add_done_callback(lambda _: fresh.set())
    for run in runs:
        pool().attach(run, notify)
    try:
        while not closed.done():
            for token, run in zip(tokens, runs, strict=True):
                if run.frame and run.sequence != sent[token]:
                    sent[token] = run.sequence
                    await socket.send_bytes(run.frame)
            await fresh.wait()
            fresh.clear()
    except (WebSocketDisconnect, RuntimeError) as error:
        log.debug("the live channel closed while sending: %s", error)
    finally:
        for run in runs:
            pool().detach(run, notify)
        closed.cancel()


async def _until_closed(socket: WebSocket) -> None:
    """Return when the other side closes; what it says is of no interest."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def read(socket: WebSocket) -> None:
    """Answer each drawing with what the networks make of it, and the latest again when a network has learned more.

    A drawing that a newer one has overtaken is skipped.
    """
    if not same_origin(socket):
        await socket.close(FOREIGN)
        return
    await socket.accept()
    reader = find_reader(socket.path_params["token"])
    if reader is None:
        await socket.close(UNKNOWN)
        return
    newest: asyncio.Queue[str] = asyncio.Queue(maxsize=1)

    async def collect() -> None:
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            if newest.full():
                newest.get_nowait()
            newest.put_nowait(message.get("text") or "")

    drawing = None
    closed, waiting = asyncio.create_task(collect()), asyncio.create_task(newest.get())
    try:
        with reader.watched():
            while not closed.done():
                await asyncio.wait({waiting, closed}, timeout=LEARNED_EVERY, return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    drawing, waiting = waiting.result(), asyncio.create_task(newest.get())
                elif drawing is None or closed.done() or not reader.has_changed():
                    continue
                await asyncio.wait({closed}, timeout=reader.turn())  # and no thread waits: they are few, and for all
                await socket.send_bytes(await asyncio.to_thread(_answer, reader, drawing))
    except (WebSocketDisconnect, RuntimeError) as error:
        log.debug("the read channel closed while sending: %s", error)
    finally:
        closed.cancel()
        waiting.cancel()
        await asyncio.gather(closed, waiting, return_exceptions=True)


def _answer(reader: Reader, text: str) -> bytes:
    """Return the reply to one message of a pad; a message that is none gets an error in its place."""
    try:
        if len(text) > MAX_STROKES_BYTES:
            legal = Text(N_("a text of at most {n} characters"), n=MAX_STROKES_BYTES)
            raise InputError(
                N_("{field} must be {legal}, not {received}."), field="drawing", legal=legal, received=len(text)
            )
        message = json.loads(text)
    except InputError as error:
        return error_message(0, error, reader.language)
    except (ValueError, RecursionError):
        return error_message(0, InputError(N_("A drawing must be JSON.")), reader.language)
    return reader.answer(message)
