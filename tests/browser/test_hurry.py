"""Pages that are left and come back to faster than a busy server answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Line, go_to, soon, tap, wait_quiet

pytestmark = pytest.mark.browser


def answered(page, line: Line, more_than: int = 0) -> int:
    """Wait until more answers than so many are held, and no further ones come; return how many there are."""
    soon(page, lambda: len(line.waiting) > more_than)
    while more_than != len(line.waiting):
        more_than = len(line.waiting)
        page.wait_for_timeout(1000)
    return more_than


def test_a_page_comes_back_whatever_the_browser_has_dropped_meanwhile(tapped_page, app_url):
    """Streamlit's browser says what it still has when it asks for a page, and may drop it before the answer comes."""
    page, line = tapped_page, Line(tapped_page, answers=True)
    page.goto(f"{app_url}/optimizers")
    race = page.locator(".kasane-race")
    race.wait_for()
    wait_quiet(page)
    for name in ("Draw", "Train"):
        page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
        page.get_by_role("heading", name=name, level=1).wait_for()
        wait_quiet(page)
    line.hold()
    page.get_by_test_id("stTopNavLink").filter(has_text="Draw").click()
    before = answered(page, line)
    go_to(page, "Learning", "Optimizers")
    answered(page, line, before)
    line.let_go()
    expect(page.get_by_role("heading", name="Optimizers", level=1)).to_be_visible()
    expect(race).to_be_visible()
    wait_quiet(page)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_fields_that_the_browser_was_told_too_late_keep_their_values(tapped_page, app_url):
    """Session state tells a widget's value once: where that is missed, the widget begins with its default."""
    page, missed = tapped_page, True

    def connect(socket) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: None if missed and b"field_" in message else socket.send(message))

    tap(page, "/_stcore/stream", connect)
    page.goto(f"{app_url}/train?steps=60&network=dense20&lr=0.3")
    step = page.get_by_role("button", name="1 step", exact=True)
    step.wait_for()
    wait_quiet(page)
    assert page.get_by_label("Hidden layers", exact=True).count() == 0
    missed = False
    for made in (1, 2):  # with the second press the browser says what its fields hold
        step.click()
        page.wait_for_function(f"+document.querySelector('[data-frames]')?.dataset.step === {made}")
        wait_quiet(page)
        expect(page.get_by_label("Hidden layers", exact=True)).to_have_value("dense20")
        expect(page.get_by_role("spinbutton", name="Learning rate", exact=True)).to_have_value("0.3")
    assert "network=dense20" in page.url
    assert "steps=60" in page.url


def test_buttons_suit_a_run_that_rested_before_the_page_could_say_that_it_ran(tapped_page, app_url):
    page, line = tapped_page, Line(tapped_page, answers=True)
    page.goto(f"{app_url}/train?network=dense1500+dense1500")
    epoch, run = page.get_by_role("button", name="1 epoch", exact=True), page.locator("[data-frames]")
    expect(run).to_have_attribute("data-state", "paused")
    wait_quiet(page)
    line.hold()
    epoch.click()  # for about a second: so long that the page offers to pause it
    expect(run).to_have_attribute("data-step", "40")
    expect(run).to_have_attribute("data-state", "paused")
    page.wait_for_timeout(1000)  # longer than a state lasts before the buttons have to suit it
    line.let_go()
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()


def found(page, url: str, name: str):
    """Open a page, and return its button of that name once the page is quiet."""
    page.goto(url)
    button = page.get_by_role("button", name=name, exact=True)
    button.wait_for()
    wait_quiet(page)
    return button


def test_what_was_opened_is_not_undone_by_a_button_pressed_before_it_was_shown(tapped_page, app_url):
    """With a button the browser says what all its fields hold: what they held before, where it was told no news yet."""
    page, line = tapped_page, Line(tapped_page, answers=True)
    reset = found(page, f"{app_url}/train?network=dense8&activation=tanh&steps=60", "Reset")
    line.hold()
    page.get_by_role("combobox", name="Published experiments").click()
    page.get_by_role("option").filter(has_text="ch05-two-layer").click()
    before = answered(page, line)
    reset.click()
    answered(page, line, before)
    line.let_go()
    page.wait_for_url("**network=dense50**preset=ch05-two-layer**")
    wait_quiet(page)
    expect(page.get_by_label("Hidden layers", exact=True)).to_have_value("dense50")
    expect(page.get_by_role("combobox", name="Activation")).to_have_value("ReLU")


def test_a_row_is_not_undone_by_a_button_pressed_or_a_slider_moved_before_it_was_shown(tapped_page, app_url):
    page, line = tapped_page, Line(tapped_page, answers=True)
    new_numbers = found(page, f"{app_url}/initialization?activation=tanh&layers=9", "New numbers")
    line.hold()
    page.locator(".st-key-try_1 button").click()
    before = answered(page, line)
    new_numbers.click()
    before = answered(page, line, before)
    page.get_by_role("slider", name="Units in a layer").press("ArrowRight")  # the other sliders stand where they stood
    answered(page, line, before)
    line.let_go()
    page.wait_for_url("**seed=1**")
    wait_quiet(page)
    assert "activation=relu" in page.url
    assert "layers=30" in page.url
    assert "width=110" in page.url
