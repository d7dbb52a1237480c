"""The HTML document that every page begins as is Streamlit's own; what has to be there before its scripts goes in here.

Streamlit makes a new entry of the browser's history whenever a page writes its address, and on the way back to a page
that page writes it again: "Back" would never leave. So only another page makes a new entry.

And Streamlit keeps to the page that asked last. One that was at work when "Back" was pressed, or is about to be, would
come again and write its address. It is not let, and the page that was gone back to is asked for once more.

Where a script switches to another page, Streamlit first empties the address of its own, and may then write the other's
in there: "Back" after a reload would find another search. So it is given back what it was.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HISTORY = b"""<script>
{
  let shown = location.pathname; // the path of the page that is shown
  const left = new Set(); // those of the pages that "Back" has left, until somebody goes on by a click
  let emptied = ""; // the address, before it was emptied, of the page that is shown
  addEventListener("click", () => {
    left.clear();
    emptied = "";
  }, true);
  addEventListener("popstate", () => {
    emptied = "";
    left.add(shown);
    left.delete(shown = location.pathname);
  });
  history.pushState = (state, unused, url) => {
    const { pathname: path, search } = new URL(url ?? "", location);
    if (left.has(path)) return setTimeout(() => dispatchEvent(new PopStateEvent("popstate")));
    if (path === location.pathname) {
      if (location.search && !search) emptied = location.href;
    } else if (emptied) {
      history.replaceState(history.state, unused, emptied);
      emptied = "";
    }
    History.prototype[path === location.pathname ? "replaceState" : "pushState"].call(history, state, unused, url);
    shown = path;
  };
}
</script>"""
# Of a request for a document: compressed, or as the browser has it already, there would be nothing to put in.
DROPPED = {b"accept-encoding", b"if-none-match", b"if-modified-since"}


class Document:
    """ASGI middleware: puts `HISTORY` into every HTML document's head, where it runs before Streamlit's scripts."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["type"] == "http" and scope["method"] == "GET"
        if not wanted or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = MutableHeaders(raw=start["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                body = body.replace(b"</head>", HISTORY + b"</head>", 1)
                headers["content-length"] = str(len(body))
                del headers["etag"], headers["last-modified"]
            await send(start)
            await send({"type": "http.response.body", "body": body})

        asked = [(name, value) for name, value in scope["headers"] if name not in DROPPED]
        await self.app(scope | {"headers": asked}, receive, collect)
