"""Pages that are left and come back to faster than a busy server answers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go_to, soon, wait_quiet

pytestmark = pytest.mark.browser


class Answers:
    """The line from Streamlit to a page. What is said while it is held arrives all at once."""

    def __init__(self, page) -> None:
        self.held, self.waiting = False, []
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def _connect(self, socket) -> None:
        self.socket, server = socket, socket.connect_to_server()
        socket.on_message(server.send)
        server.on_message(lambda message: self.waiting.append(message) if self.held else socket.send(message))

    def come(self, page, more_than: int = 0) -> int:
        """Wait until there are more answers than so many, and no further ones come; return how many there are."""
        soon(page, lambda: len(self.waiting) > more_than)
        while more_than != len(self.waiting):
            more_than = len(self.waiting)
            page.wait_for_timeout(1000)
        return more_than

    def let_go(self) -> None:
        self.held = False
        while self.waiting:
            self.socket.send(self.waiting.pop(0))


def test_a_page_comes_back_whatever_the_browser_has_dropped_meanwhile(fresh_page, app_url):
    """Streamlit's browser says what it still has when it asks for a page, and may drop it before the answer comes."""
    page, line = fresh_page, Answers(fresh_page)
    page.goto(f"{app_url}/optimizers")
    race = page.locator(".kasane-race")
    race.wait_for()
    wait_quiet(page)
    for name in ("Draw", "Train"):
        page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
        page.get_by_role("heading", name=name, level=1).wait_for()
        wait_quiet(page)
    line.held = True
    page.get_by_test_id("stTopNavLink").filter(has_text="Draw").click()
    before = line.come(page)
    go_to(page, "Learning", "Optimizers")
    line.come(page, before)
    line.let_go()
    expect(page.get_by_role("heading", name="Optimizers", level=1)).to_be_visible()
    expect(race).to_be_visible()
    wait_quiet(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
