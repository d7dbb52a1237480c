"""What goes into Streamlit's document before its scripts, and that nothing else is touched."""

import asyncio
import gzip

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from pages._ui.document import HISTORY, Document
from tests.pages.conftest import run_async

PAGE = "<!DOCTYPE html><html><head><title>重ね</title></head><body>" + "x" * 5000 + "</body></html>"
OURS = PAGE.replace("</head>", f"{HISTORY.decode()}</head>").encode()


async def page(request):
    assert "if-none-match" not in request.headers
    return HTMLResponse(PAGE, headers={"etag": '"new"', "x-other": "kept"})


async def pieces(_):
    return StreamingResponse((PAGE[i : i + 100] for i in range(0, len(PAGE), 100)), media_type="text/html")


async def plain(_):
    return PlainTextResponse("no </head> of a document", headers={"etag": '"new"'})


APP = Starlette(
    routes=[Route("/", page), Route("/pieces", pieces), Route("/plain", plain)],
    middleware=[Middleware(Document), Middleware(GZipMiddleware)],
)


def ask(path, accept="text/html,*/*", method="GET"):
    """Return headers and body of the app's answer to a browser that has an older one."""
    asked = {"accept": accept, "accept-encoding": "gzip", "if-none-match": '"old"'}
    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in asked.items()],
    }  # fmt: skip
    sent = []

    async def receive():
        await asyncio.Event().wait()  # there is no body, and the browser stays

    async def send(message):
        sent.append(message)

    run_async(APP(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return headers, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("path", ["/", "/pieces"])
def test_a_document_has_the_script_in_its_head(path):
    headers, body = ask(path)
    assert body == OURS
    assert int(headers["content-length"]) == len(body)
    assert "etag" not in headers
    assert headers.get("x-other") == ("kept" if path == "/" else None)


def test_everything_else_is_left_as_it_is():
    headers, body = ask("/plain")
    assert (headers["etag"], body) == ('"new"', b"no </head> of a document")
    for asked in ({"accept": "*/*"}, {"method": "HEAD"}):  # a script asks, or nobody wants to see it
        headers, body = ask("/pieces", **asked)
        assert (headers["content-encoding"], gzip.decompress(body)) == ("gzip", PAGE.encode())


def test_what_is_no_request_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append((scope, receive, send))

    run_async(Document(app)({"type": "websocket"}, 1, 2))
    assert seen == [({"type": "websocket"}, 1, 2)]
