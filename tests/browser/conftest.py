"""A server of our own and a real Chromium for the tests of this folder.

Without a Chromium the tests skip by name; where CI=true they fail instead, so that nobody is fooled.
"""

from __future__ import annotations

import collections
import contextlib
import inspect
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE

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
POLLING = 100  # ms between two looks at a page that something is awaited of
TAPS = collections.defaultdict(dict)  # what a test has made of a page's web sockets: page, part of the address, handler
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
            for _ in range(int(10 * PATIENCE)):
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
        "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
    )


def wait_quiet(page) -> None:
    """Wait until the page has been drawn, and neither it nor its address has changed for half a second."""
    seen, since = None, time.monotonic()
    while time.monotonic() - since < 0.5:
        wait_ready(page)
        now = page.url, page.evaluate("() => document.querySelector('[data-testid=stApp]').dataset.testScriptState")
        if now != seen:
            seen, since = now, time.monotonic()
        page.wait_for_timeout(POLLING)


def hurry(page) -> None:
    """Have the runs of a page go as fast as they can: usually any whole run lasts ten seconds, however short it is."""
    page.get_by_role("slider", name="Speed").press("End")
    page.get_by_test_id("stSliderThumbValue").get_by_text("full speed").wait_for()


def resize(page, width: int, height: int = 844) -> None:
    """Give a page another size, and wait until what observes its own size has followed."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


TOO_WIDE = """() => {
  const names = "[data-testid=stMain], [data-testid=stBidiComponentIsolated]";
  const parts = [document.documentElement, ...document.querySelectorAll(names)];
  const wider = parts.filter((it) => it.scrollWidth > it.clientWidth + 1);
  const formulas = [...document.querySelectorAll(".katex-display")];
  const cut = formulas.filter((it) => it.scrollWidth > it.clientWidth + 3);
  return [...wider.map((it) => it.dataset.testid ?? "page"), ...cut.map((it) => it.textContent)];
}"""


def too_wide(page) -> list[str]:
    """Return which parts of a page are wider than the room they have, and which formulas are cut off."""
    return page.evaluate(TOO_WIDE)


# Presses a button and returns what an attribute of the root is set to next, however late anybody looks.
FOLLOWED = """(root, [button, attribute, n, patience]) => new Promise((done) => {
  const seen = [];
  const observer = new MutationObserver(() => seen.push(Number(root.getAttribute(attribute))) >= n && end());
  const end = () => { observer.disconnect(); done(seen); };
  observer.observe(root, { attributeFilter: [attribute] });
  setTimeout(end, patience);
  button.click();
})"""


def followed(root, button, n: int, *, attribute: str = "data-place") -> list[int]:
    """Press a button and return the next n places that a moving picture comes to, fewer where it comes to no more."""
    return root.evaluate(FOLLOWED, [button.element_handle(), attribute, n, 1000 * PATIENCE])


# Leads a moving picture n steps forward and returns where the boxes stand at each.
TRAVEL = """(root, [boxes, n]) => Array.from({ length: n }, () => {
  root.querySelector("button.forward").click();
  const places = [root, ...root.querySelectorAll(boxes)].map((it) => it.getBoundingClientRect());
  return JSON.stringify(places.map(({ x, y, height }) => [x, y, height].map(Math.round)));
})"""


def stays(root, boxes: str, n: int) -> bool:
    """Tell whether a moving picture and the boxes in it stay where they are while it takes n steps forward."""
    return len(set(root.evaluate(TRAVEL, [boxes, n]))) == 1


def tap(page, part: str, handler: Callable) -> None:
    """Have a handler connect every web socket of a tapped page that has such a part in its address."""
    TAPS[page][part] = handler


def connect(page, socket) -> None:
    """Connect a web socket of a tapped page: as the test wants it, if at all."""
    wanted = (handler for part, handler in TAPS[page].items() if part in socket.url)
    next(wanted, lambda socket: socket.connect_to_server())(socket)


class Line:
    """A tapped page's line to Streamlit. What is said while it is held arrives all at once, as at a busy server.

    answers: whether that is what Streamlit says; otherwise what the page says.
    """

    def __init__(self, page, *, answers: bool = False) -> None:
        self.held, self.waiting, self.answers = False, [], answers
        tap(page, "/_stcore/stream", self._connect)

    def _connect(self, page) -> None:
        server = page.connect_to_server()
        speaker, self.listener = (server, page) if self.answers else (page, server)
        speaker.on_message(lambda message: self.waiting.append(message) if self.held else self.listener.send(message))

    def hold(self) -> None:
        self.held = True

    def let_go(self) -> None:
        self.held = False
        while self.waiting:
            self.listener.send(self.waiting.pop(0))


def soon(page, holds: Callable[[], bool]) -> None:
    """Wait until something holds, looking again and again; fails the test when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, inspect.getsource(holds)
        page.wait_for_timeout(POLLING)


def wait_until(page, script: str, arg: object = None) -> None:
    """Wait until a script says that something holds. Looked at in every frame a page would draw every frame."""
    page.wait_for_function(script, arg=arg, polling=POLLING)


def go_to(page, section: str, name: str, part: str = "") -> None:
    """Go to a page by the navigation bar: open its section, where it is in one, and click; then to a part of it."""
    if section:
        page.get_by_test_id("stTopNavSection").filter(has_text=section).click()
    link = "stTopNavDropdownLink" if section else "stTopNavLink"
    page.get_by_test_id(link).filter(has_text=name).click()
    if part:
        page.get_by_role("radio", name=part).click()


def is_error(message) -> bool:
    """Tell whether a console message is an error of ours. After a deep link Streamlit first looks for itself there."""
    return message.type == "error" and "/_stcore/" not in message.location.get("url", "")


@contextlib.contextmanager
def heard(page, errors: list[str]):
    """Note the errors in a page's console meanwhile."""
    listeners = {
        "pageerror": lambda error: errors.append(str(error)),
        "console": lambda message: is_error(message) and errors.append(f"{message.text} {message.location}"),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield
    if not page.is_closed():
        for event, listener in listeners.items():
            page.remove_listener(event, listener)


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

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        yield lambda method, *arguments, **options: getattr(playwright.chromium, method)(
            *arguments, executable_path=chromium, args=FLAGS, **options
        )


@pytest.fixture(scope="session")
def new_context(launcher):
    """Make contexts of a browser, `new_context(**options)`: whoever does closes them."""
    browsers = []

    def make(**options):
        if not browsers:
            browsers.append(launcher("launch"))
        context = browsers[0].new_context(**USUAL | options)
        context.set_default_timeout(1000 * PATIENCE)
        return context

    yield make
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="session")
def profile(launcher, tmp_path_factory):
    """A browser's context with a cache on the disk: Streamlit's scripts are compiled once, not for every test."""
    context = launcher("launch_persistent_context", tmp_path_factory.mktemp("profile"), **USUAL)
    context.set_default_timeout(1000 * PATIENCE)
    yield context
    context.close()


@pytest.fixture(scope="session")
def context_of(profile, new_context):
    """The context for pages with certain options, `context_of(**options)`: the profile where there are none."""
    made = {(): profile}

    def find(**options):
        key = tuple(sorted(options.items()))
        if key not in made:
            made[key] = new_context(**options)
            made[key].new_page()  # as the profile has one that stays
        return made[key]

    yield find
    for key, context in made.items():
        if key:
            context.close()


@pytest.fixture(scope="session")
def rested() -> dict:
    """Pages of earlier tests, emptied, by (context, tapped).

    One that has shown Streamlit costs half of a new one: its scripts are there.
    """
    return collections.defaultdict(list)


def rest(page) -> None:
    """Empty a page for the next test: nothing stored, the mouse outside, the size and the media as usual."""
    page.mouse.move(-10, -10)
    page.evaluate("sessionStorage.clear()")
    page.goto("about:blank")
    page.set_viewport_size(USUAL["viewport"])
    page.emulate_media(color_scheme="null", reduced_motion="null")
    TAPS.pop(page, None)


@pytest.fixture(scope="session")
def opened(rested):
    """Open a page for several tests, `with opened(context) as page`, which bring it to the front.

    The last of them fails on an error in its console. fresh: as in `open_page`.
    """

    @contextlib.contextmanager
    def open_it(context, *, fresh=False):
        errors, waiting = [], rested[context, False]
        page = waiting.pop() if waiting and not fresh else context.new_page()
        page.bring_to_front()
        with heard(page, errors):
            yield page
        if fresh:
            page.close()
        else:
            rest(page)
            waiting.append(page)
        assert not errors, errors

    return open_it


@pytest.fixture
def open_page(context_of, rested, app_url):
    """Make empty pages, `open_page(locale=…, **context options)`; fails the test on an error in any one's console.

    What a page can be told is told it; pages with any other option share a context. The web sockets of one that is
    `tapped` a test may take over. A page whose requests or globals it changes for good, or which must have no history,
    has to be `fresh`, and is not used again.
    """
    errors: list[str] = []
    pages, contexts = {}, {context_of()}
    with contextlib.ExitStack() as stack:

        def make(*, viewport=None, color_scheme=None, reduced_motion=None, fresh=False, tapped=False, **options):
            context = context_of(**options)
            contexts.add(context)
            waiting = rested[context, tapped]
            if fresh or not waiting:
                page = context.new_page()
                if tapped:
                    page.route_web_socket(re.compile(""), lambda socket: connect(page, socket))
            else:
                page = waiting.pop()
            if fresh:
                stack.callback(page.close)
            else:
                pages[page] = waiting
            if viewport:
                page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=color_scheme or "null", reduced_motion=reduced_motion or "null")
            stack.enter_context(heard(page, errors))
            page.bring_to_front()  # behind another page nothing moves, and the mouse does nothing
            return page

        yield make
    for page, waiting in pages.items():
        if page.is_closed():
            continue
        if page.url.startswith(app_url):
            rest(page)
            waiting.append(page)
        else:
            page.close()
    for context in contexts:
        context.clear_cookies()
        devtools = context.new_cdp_session(context.pages[0])
        devtools.send("Storage.clearDataForOrigin", {"origin": app_url, "storageTypes": "local_storage"})
        devtools.detach()
    assert not errors, errors


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture
def fresh_page(open_page):
    return open_page(fresh=True)


@pytest.fixture
def tapped_page(open_page):
    return open_page(tapped=True)
