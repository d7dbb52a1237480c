"""Kasane's ASGI app: Streamlit's pages, the live channels beside them, and the workers behind both.

streamlit run app.py
"""

import logging
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

from engine import blas
from pages._ui import address, channels, i18n
from pages._ui.document import Document
from pages._ui.searching import server as searching
from pages._ui.served.served import FOLDERS, UI

log = logging.getLogger("kasane")


@asynccontextmanager
async def lifespan(app):
    """Start the workers with the server and stop them with it; say where others find it."""
    blas.one_thread()  # the other cores are the workers'
    channels.pool()
    if url := address.in_network():
        print(f"  In this network: {url}\n", flush=True)
    yield {}
    searching.close_searches()
    channels.close_pool()


def on_script_error(error: Exception) -> bool:
    """Show one sentence instead of a traceback, which goes to the log."""
    log.error("a page failed", exc_info=error)
    st.error(i18n._("Something went wrong on this page. Reload it; your run is kept."), icon=":material/error:")
    return True


app = st.App(
    UI / "shell.py",
    lifespan=lifespan,
    on_script_error=on_script_error,
    middleware=[Middleware(Document)],
    routes=[
        WebSocketRoute("/live/{token}", channels.live),
        WebSocketRoute("/read/{token}", channels.read),
        WebSocketRoute("/searching/{search}", searching.watch),
        *(Mount(f"/ui/{folder}", StaticFiles(directory=UI / folder)) for folder in FOLDERS),
        Mount("/plotly", StaticFiles(packages=[("plotly", "package_data")])),
    ],
)
