"""A server of our own and a real Chromium for the tests of this folder.

Without a Chromium the tests skip by name; where CI=true they fail instead, so that nobody is fooled.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
USUAL = {"locale": "en-US", "viewport": {"width": 1440, "height": 900}}  # options of a context


def find_chromium() -> str | None:
    return os.environ.get("KASANE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve(folder: Path, **environment: str):
    """Run the product's server as a user would, with its own folders, and yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = os.environ | {"KASANE_RUNS": str(folder / "runs"), "KASANE_CACHE": str(folder / "cache")} | environment
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                    break
                assert process.poll() is None, (folder / "server.log").read_text()
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_ready(page) -> None:
    """Wait until Streamlit has drawn the page."""
    page.wait_for_selector(
        "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]", timeout=30_000
    )


# Presses a button and returns what an attribute of the root is set to next, however late anybody looks.
FOLLOWED = """(root, [button, attribute, n]) => new Promise((done) => {
  const seen = [];
  new MutationObserver((_, observer) => {
    if (seen.push(Number(root.getAttribute(attribute))) < n) return;
    observer.disconnect();
    done(seen);
  }).observe(root, { attributeFilter: [attribute] });
  button.click();
})"""


def followed(root, button, n: int, *, attribute: str = "data-place") -> list[int]:
    """Press a button and return the next n places that a moving picture comes to."""
    return root.evaluate(FOLLOWED, [button.element_handle(), attribute, n])


def soon(page, holds: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait until something holds, looking again and again; fails the test when it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, inspect.getsource(holds)
        page.wait_for_timeout(50)


def go_to(page, section: str, name: str) -> None:
    """Go to a page by the navigation bar: open its section, and click."""
    page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name).click()


def is_error(message) -> bool:
    """Tell whether a console message is an error of ours. After a deep link Streamlit first looks for itself there."""
    return message.type == "error" and "/_stcore/" not in message.location.get("url", "")


@pytest.fixture(scope="session")
def app_url(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture(scope="session")
def launcher():
    """Start a Chromium, `launcher(method of playwright.chromium, *its arguments, **options)`."""
    chromium = find_chromium()
    if not chromium:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium on this machine, and CI=true asks for one")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # as all else waits: two cores may train eight networks beside a page
    with sync_playwright() as playwright:
        yield lambda method, *arguments, **options: getattr(playwright.chromium, method)(
            *arguments, executable_path=chromium, args=FLAGS, **options
        )


@pytest.fixture(scope="session")
def browser(launcher):
    browser = launcher("launch")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def profile(launcher, tmp_path_factory):
    """A browser's context with a cache on the disk: Streamlit's scripts are compiled once, not for every test."""
    context = launcher("launch_persistent_context", tmp_path_factory.mktemp("profile"), **USUAL)
    yield context
    context.close()


@pytest.fixture
def open_page(profile, request):
    """Make fresh pages, `open_page(locale=…, **context options)`; fails the test on an error in any one's console.

    What a page can be told is told it; for any other option it gets a browser's context of its own.
    """
    errors: list[str] = []
    pages = []
    with contextlib.ExitStack() as stack:

        def make(*, viewport=None, color_scheme=None, reduced_motion=None, **options):
            context = profile
            if options:
                context = request.getfixturevalue("browser").new_context(**USUAL | options)
                stack.callback(context.close)
            page = context.new_page()
            stack.callback(page.close)
            if viewport:
                page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on(
                "console", lambda message: is_error(message) and errors.append(f"{message.text} {message.location}")
            )
            pages.append(page)
            return page

        yield make
    profile.clear_cookies()
    devtools = profile.new_cdp_session(profile.pages[0])
    for origin in {f"http://{urlsplit(page.url).netloc}" for page in pages}:
        devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage"})
    devtools.detach()
    assert not errors, errors


@pytest.fixture
def page(open_page):
    return open_page()
