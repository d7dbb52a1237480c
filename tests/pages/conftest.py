"""Pages without a browser: Streamlit's AppTest over the real script, with folders and workers of its own."""

import asyncio
import functools
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test, local_script_runner
from streamlit.testing.v1.element_tree import Element

from pages._ui import channels
from pages._ui.i18n import LANGUAGES
from tests.patience import PATIENCE

SHELL = Path(__file__).resolve().parents[2] / "pages" / "_ui" / "shell.py"


@pytest.fixture(autouse=True)
def _folders(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path_factory.mktemp("runs")))
    monkeypatch.setenv("KASANE_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("KASANE_DATA", raising=False)


@pytest.fixture(scope="session", autouse=True)
def _one_server():
    """What a server does once and an AppTest by itself each time: compile the pages, ask packages for components."""
    compiled, scan = ScriptCache(), functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: compiled)
        yield


@pytest.fixture(scope="session", autouse=True)
def _workers():
    yield
    channels.close_pool()


def run_async(coroutine: Coroutine) -> object:
    """Run a coroutine to its end and return its result.

    In another thread: where browser tests came before in this process, their driver keeps a loop running in this one.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@pytest.fixture
def visit():
    """Open a page by name with query parameters, in a language, and return its AppTest."""

    def open_page(name: str, language: str = "en", **query: str) -> AppTest:
        app = AppTest.from_file(str(SHELL), default_timeout=PATIENCE)
        app.query_params["lang"] = language
        for key, value in query.items():
            app.query_params[key] = value
        app.switch_page(f"../{name}.py")
        return app.run()

    return open_page


def sentences(app: AppTest) -> list[str]:
    """Return what a page says in its boxes; fails on an exception."""
    assert not app.exception, app.exception
    return [box.value for box in (*app.error, *app.warning, *app.info)]


def shows(item: Element, key: str) -> bool:
    """Tell whether a widget shows what is chosen under a key, in whatever language, and however often it was turned."""
    return re.fullmatch(f"{re.escape(key)}(_({'|'.join(LANGUAGES)}))?(_[0-9]+)?", item.key or "") is not None


def says(app: AppTest) -> WidgetStates:
    """Return what a browser says now: what every widget holds, and which button is pressed."""
    return app._tree.get_widget_states()


def say(app: AppTest, states: WidgetStates) -> AppTest:
    """Say that to the page, as a browser does that has not been told yet what the page has changed since."""
    return app._run(states)
