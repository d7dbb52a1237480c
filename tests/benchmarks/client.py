"""A browser session without a browser: speaks the page's own protocol, so that many fit on one machine.

It opens Streamlit's WebSocket, asks for a page, finds the buttons and the live view among the messages that come, and
then watches the run over its live channel as the page's JavaScript does.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from engine.runs import protocol


class Session:
    """One visitor of the Train page.

    token: of its live run, after `open`. buttons: widget ids by key. frames: (time, step) of each frame since `watch`.
    """

    def __init__(self, url: str) -> None:
        self._base = url.replace("http", "ws", 1)
        self.origin = url
        self.token = ""
        self.buttons: dict[str, str] = {}
        self.frames: list[tuple[float, int]] = []

    def open(self, page: str = "train", **query: str) -> Session:
        """Ask for the page and wait until it is drawn."""
        self._socket = connect(
            f"{self._base}/_stcore/stream", subprotocols=["streamlit"], origin=self.origin, max_size=None
        )
        self._query, self._page = urlencode(query), page
        self._rerun()
        return self

    def _rerun(self, clicked: str | None = None) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        if clicked:
            state = message.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = self.buttons[clicked], True
        self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(timeout=60))
            kind = answer.WhichOneof("type")
            if kind == "delta":
                self._notice(answer.delta.new_element)
            elif kind == "page_info_changed":
                self._query = answer.page_info_changed.query_string
            elif kind == "script_finished":
                return

    def _notice(self, element) -> None:
        kind = element.WhichOneof("type")
        if kind == "button":
            key = element.button.id.rsplit("-", 1)[-1]  # Streamlit ends a widget's id with its key
            self.buttons[key] = element.button.id
        elif kind == "bidi_component":
            self.token = find_token(element.bidi_component) or self.token

    def click(self, key: str) -> None:
        """Press the button with this key."""
        self._rerun(key)

    def watch(self) -> None:
        """Receive frames, in a thread, until `close`."""
        self._live = connect(f"{self._base}/live/{self.token}", origin=self.origin, max_size=None)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in self._live:
                header, _ = protocol.decode(message)
                self.frames.append((time.monotonic(), header["step"]))

    def close(self) -> None:
        """Close the tab."""
        self._live.close()
        self._socket.close()


def find_token(component) -> str | None:
    """Return the live token in a component's data."""
    texts = [component.json, component.mixed.json] if component.HasField("mixed") else [component.json]
    for text in texts:
        if text and isinstance(data := json.loads(text), dict) and "token" in data:
            return data["token"]
    return None
