"""A link is one entry of the browser's history, however its page writes its address; "Back" leaves, and for good."""

from playwright.sync_api import expect

from tests.browser.conftest import go_to, soon, wait_quiet

LINKS = ["", "train", "train?preset=d2-two-layer", "initialization?lang=ja", "search", "architectures"]


def test_a_link_is_one_entry(fresh_page, app_url):
    for link in LINKS:
        fresh_page.goto(f"{app_url}/{link}")
        soon(fresh_page, lambda: "lang=" in fresh_page.url)
        wait_quiet(fresh_page)
        assert fresh_page.evaluate("history.length") == 2, link  # after the page's first, which is blank
        fresh_page.evaluate("history.back()")
        soon(fresh_page, lambda: fresh_page.url == "about:blank")


def test_a_page_that_was_left_does_not_come_again(fresh_page, app_url):
    """As one does whose run began before "Back" was pressed: it writes its address when that is another page's."""
    fresh_page.goto(app_url)
    wait_quiet(fresh_page)
    go_to(fresh_page, "Learning", "Normalization")
    soon(fresh_page, lambda: "/normalization?" in fresh_page.url)
    wait_quiet(fresh_page)
    before, late = fresh_page.evaluate("history.length"), fresh_page.url.replace("?", "?typed=7&")
    fresh_page.evaluate("history.back()")
    home = fresh_page.get_by_text("Watch a boundary form")
    home.wait_for()
    wait_quiet(fresh_page)
    for _ in range(2):
        fresh_page.evaluate("(url) => history.pushState(null, '', url)", late)
        wait_quiet(fresh_page)
        assert fresh_page.url.split("?")[0] == f"{app_url}/"
        expect(home).to_be_visible()
    assert fresh_page.evaluate("history.length") == before
    fresh_page.evaluate("history.forward()")
    soon(fresh_page, lambda: "/normalization?" in fresh_page.url)
    go_to(fresh_page, "Learning", "Optimizers")
    soon(fresh_page, lambda: "/optimizers?" in fresh_page.url)
    wait_quiet(fresh_page)
    later = fresh_page.url
    fresh_page.evaluate("history.go(-1)")
    soon(fresh_page, lambda: "/normalization?" in fresh_page.url)
    fresh_page.evaluate("history.go(-1)")  # and none of two
    home.wait_for()
    for url in (later, late):
        fresh_page.evaluate("(url) => history.pushState(null, '', url)", url)
        wait_quiet(fresh_page)
        assert fresh_page.url.split("?")[0] == f"{app_url}/"
    go_to(fresh_page, "Learning", "Normalization")  # whoever wants it may have it
    soon(fresh_page, lambda: "/normalization?" in fresh_page.url)
    fresh_page.evaluate("history.back()")
    home.wait_for()
    fresh_page.evaluate("history.forward()")
    fresh_page.locator(".kasane-normal input[type=number]").first.wait_for()
    wait_quiet(fresh_page)
    assert "/normalization?" in fresh_page.url
