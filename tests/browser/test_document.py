"""A link is one entry of the browser's history, however its page writes its address; "Back" leaves, and for good."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go_to, soon, wait_quiet

LINKS = ["", "train", "train?preset=d2-two-layer", "initialization?lang=ja", "search", "architectures"]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_is_one_entry(page, app_url, link):
    page.goto("about:blank")
    before = page.evaluate("history.length")
    page.goto(f"{app_url}/{link}")
    soon(page, lambda: "lang=" in page.url)
    wait_quiet(page)
    assert page.evaluate("history.length") == before + 1
    page.evaluate("history.back()")
    soon(page, lambda: page.url == "about:blank")


def test_a_page_that_was_left_does_not_come_again(page, app_url):
    """As one does whose run began before "Back" was pressed: it writes its address when that is another page's."""
    page.goto(app_url)
    wait_quiet(page)
    go_to(page, "Learning", "Normalization")
    soon(page, lambda: "/normalization?" in page.url)
    wait_quiet(page)
    before, late = page.evaluate("history.length"), page.url.replace("?", "?typed=7&")
    page.evaluate("history.back()")
    home = page.get_by_text("Watch a boundary form")
    home.wait_for()
    wait_quiet(page)
    for _ in range(2):
        page.evaluate("(url) => history.pushState(null, '', url)", late)
        wait_quiet(page)
        assert page.url.split("?")[0] == f"{app_url}/"
        expect(home).to_be_visible()
    assert page.evaluate("history.length") == before
    go_to(page, "Learning", "Normalization")  # whoever wants it may have it
    soon(page, lambda: "/normalization?" in page.url)
    page.evaluate("history.back()")
    home.wait_for()
    page.evaluate("history.forward()")
    page.locator(".kasane-normal input[type=number]").first.wait_for()
    wait_quiet(page)
    assert "/normalization?" in page.url
