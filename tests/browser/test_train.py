"""The Train page in a real Chromium, as a person uses it."""

import re
import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from engine.runs import protocol
from pages._ui.i18n import catalog
from tests.browser.conftest import hurry, resize, soon, too_wide, wait_quiet, wait_ready, wait_until
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser


def go(page, url):
    page.goto(url)
    wait_ready(page)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def view(page):
    return page.locator("[data-frames]")


def until(page, condition):
    """Wait until a JavaScript condition over the live view's dataset `d` holds."""
    found = "const d = document.querySelector('[data-frames]')?.dataset"
    wait_until(page, f"() => {{ {found}; return d && ({condition}) }}")


def step(page):
    return int(view(page).get_attribute("data-step"))


def fill(page, label, value):
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def test_train_pause_resume_step_reset_and_new_weights(page, app_url):
    sockets = []
    page.on("websocket", lambda socket: "/live/" in socket.url and sockets.append(socket))
    go(page, f"{app_url}/train?network=dense8&steps=1000000")
    button(page, "Train").click()
    until(page, "d.state === 'running' && +d.step > 100")
    button(page, "Pause").click()
    until(page, "d.state === 'paused'")
    at = step(page)
    button(page, "10 steps").click()
    until(page, f"+d.step === {at + 10}")
    button(page, "1 step").click()
    until(page, f"+d.step === {at + 11}")
    button(page, "1 epoch").click()
    until(page, f"+d.step === {at + 51}")  # 4,000 examples in batches of 100
    button(page, "Resume").click()
    until(page, f"d.state === 'running' && +d.step > {at + 60}")
    button(page, "Reset").click()
    until(page, "d.state === 'paused' && +d.step === 0")
    soon(page, lambda: [socket.is_closed() for socket in sockets] == [True, False])
    soon(page, lambda: "run=" not in page.url)
    assert "seed" not in page.url
    button(page, "New weights").click()
    page.wait_for_url(re.compile("seed=1"))
    button(page, "Train").click()
    until(page, "d.state === 'running' && +d.step > 10")
    assert view(page).get_attribute("data-mounts") == "1"  # in the same charts


def test_the_key_that_starts_a_run_pauses_and_resumes_it(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=1000000")
    until(page, "d.state")  # the view's code is there, which watches over the focus
    button(page, "Train").focus()
    page.keyboard.press("Enter")
    expect(button(page, "Pause")).to_be_focused()
    until(page, "d.state === 'running'")
    page.keyboard.press("Enter")
    expect(button(page, "Resume")).to_be_focused()
    until(page, "d.state === 'paused'")
    at = step(page)
    button(page, "Reset").focus()  # what stays keeps the focus
    page.keyboard.press("Enter")
    until(page, f"+d.step === 0 && {at} > 0")
    expect(button(page, "Train")).to_be_visible()
    expect(button(page, "Reset")).to_be_focused()
    page.get_by_role("spinbutton", name="Steps", exact=True).focus()
    expect(page.get_by_role("spinbutton", name="Steps", exact=True)).to_be_focused()


TOPS = "all => all.map((it) => Math.round(it.getBoundingClientRect().top))"


def test_on_a_laptop_all_controls_have_room_before_and_after_a_run(open_page, app_url):
    page = open_page(viewport={"width": 1366, "height": 768})
    go(page, f"{app_url}/train?network=dense8&steps=2000")
    page.get_by_role("slider", name="Speed").press("ArrowLeft")  # 1,000 steps/s: a run of two seconds instead of ten
    for name, holds in (("Published experiments", lambda width: width > 400), ("Loss", lambda width: width < 300)):
        page.get_by_role("combobox", name=name).click()
        options = page.get_by_role("option")
        soon(page, lambda holds=holds, options=options: holds(options.first.bounding_box()["width"]))
        page.keyboard.press("Escape")
        expect(options).to_have_count(0)
    buttons = page.locator(".st-key-transport button:visible")

    def in_one_row(first: str) -> None:
        expect(button(page, first)).to_be_visible()
        soon(page, lambda: (buttons.count(), len(set(buttons.evaluate_all(TOPS)))) == (7, 1))

    in_one_row("Train")
    button(page, "Train").click()
    in_one_row("Continue")  # the page is told without asking that the run has ended
    assert view(page).get_attribute("data-state") == "completed"
    page.get_by_text("日本語", exact=True).click()
    in_one_row("学習を続ける")
    button(page, "学習を続ける").click()
    until(page, "+d.step > 2000")
    in_one_row("学習を続ける")  # an end while the next is pressed would move it away
    button(page, "リセット").click()
    in_one_row("学習")


def test_a_long_epoch_can_be_paused_and_after_it_there_is_nothing_to_pause(page, app_url):
    go(page, f"{app_url}/train?network=dense1000+dense1000&lr=0.001")
    button(page, "1 epoch").click()
    until(page, "d.state === 'paused' && +d.step === 40")
    expect(button(page, "Resume")).to_be_visible()
    expect(button(page, "Pause")).to_have_count(0)
    fill(page, "Batch size", "1")
    until(page, "d.state === 'paused' && +d.step === 0")
    button(page, "1 epoch").click()
    button(page, "Pause").click()
    until(page, "d.state === 'paused' && +d.step > 0 && +d.step < 4000")
    expect(button(page, "Resume")).to_be_visible()
    at = step(page)
    button(page, "1 step").click()
    until(page, f"+d.step === {at + 1}")


def test_learning_rate_and_language_change_while_it_trains_and_a_divergence_says_what_to_try(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=1000000&loss=squared_error")
    button(page, "Train").click()
    until(page, "+d.step > 50")
    fill(page, "Learning rate", "0.033")
    page.wait_for_url(re.compile("lr=0.033"))
    before = step(page)
    until(page, f"d.state === 'running' && +d.step > {before}")
    expect(view(page).get_by_text("0.033")).to_be_visible()
    page.get_by_text("日本語", exact=True).click()
    page.get_by_test_id("stSidebar").get_by_text("学習率", exact=True).wait_for()
    before = step(page)
    until(page, f"d.state === 'running' && +d.step > {before}")
    soon(page, lambda: "lang=ja" in page.url)
    fill(page, "学習率", "90")
    until(page, "d.state === 'diverged'")
    said = catalog("ja")["At step {step} the loss diverged. Try a learning rate of {lr}."]
    expect(page.get_by_test_id("stAlert")).to_contain_text(said.format(step=step(page), lr="0.1"))
    assert view(page).get_attribute("data-mounts") == "1"


def test_the_speed_outlives_data_that_are_not_there(page, app_url):
    go(page, f"{app_url}/train?network=dense8")
    page.get_by_test_id("stExpander").get_by_text("Data", exact=True).click()
    data, speed = page.get_by_role("combobox", name="Data set"), page.get_by_test_id("stSliderThumbValue")
    for chosen in ("whole run in 10 s", "full speed"):
        if chosen == "full speed":
            page.get_by_role("slider", name="Speed").press("End")
        expect(speed).to_have_text(chosen)
        wait_ready(page)
        for name, there in (("Kuzushiji-MNIST, old hiragana", 0), ("MNIST, 5,000 digits (built in)", 1)):
            data.click()
            page.get_by_role("option", name=name, exact=True).click()
            expect(speed).to_have_count(there)
            wait_ready(page)
        expect(speed).to_have_text(chosen)


def choose(page, name, option):
    page.get_by_role("combobox", name=name).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_one_click_too_many_loses_no_run(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=300")
    hurry(page)
    button(page, "Train").click()
    until(page, "d.state === 'completed'")
    choose(page, "Activation", "tanh")
    until(page, "+d.step === 0")
    button(page, "before: ReLU").wait_for()
    button(page, "10 steps").click()
    until(page, "+d.step === 10")
    wait_quiet(page)
    button(page, "Back to the run before").click()
    until(page, "+d.step === 300")
    page.wait_for_url(lambda url: "activation" not in url and "run=" in url)
    expect(page.get_by_role("combobox", name="Activation")).to_have_value("ReLU")
    button(page, "before: tanh").wait_for()  # and back again
    button(page, "Back to the run before").click()
    until(page, "+d.step === 10")


def test_a_closed_tab_trains_no_further(open_page, app_url):
    page, sockets = open_page(), []
    page.on("websocket", lambda socket: "/live/" in socket.url and sockets.append(socket.url))
    go(page, f"{app_url}/train?network=dense8&steps=100000")
    button(page, "1 epoch").click()
    page.wait_for_url(re.compile("run="))
    button(page, "Resume").click()
    until(page, "d.state === 'running' && +d.step > 100")
    link, last = page.url, step(page)
    page.close()
    time.sleep(4)  # so that whoever looks comes after the tab has gone, and does not keep the run going
    with connect(sockets[-1]) as socket:
        header, _ = protocol.decode(socket.recv(timeout=PATIENCE))
    assert header["state"] == "paused"
    assert last <= header["step"] < 100_000
    again = open_page()
    go(again, link)
    until(again, f"+d.step >= {header['step']}")  # and goes on: somebody is looking again


def test_back_leads_to_the_page_before_and_wherever_one_goes_the_run_is_kept(page, app_url):
    home, network = page.get_by_text("Watch a boundary form"), page.get_by_role("textbox", name="Hidden layers")
    go(page, app_url)
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.wait_for_url(re.compile("lang="))
    fill(page, "Hidden layers", "dense8")
    page.wait_for_url(re.compile("network=dense8"))
    button(page, "1 epoch").click()
    until(page, "+d.step === 40")
    page.wait_for_url(re.compile("run="))
    wait_quiet(page)  # what is still on its way to the address would come as a new page
    page.go_back()  # whatever the address said meanwhile
    home.wait_for()
    wait_ready(page)
    page.go_forward()
    until(page, "+d.step === 40")
    expect(network).to_have_value("dense8")
    page.get_by_role("link", name="Home").first.click()
    home.wait_for()
    page.get_by_role("link", name="Train", exact=True).first.click()
    until(page, "+d.step === 40")
    expect(network).to_have_value("dense8")
    page.wait_for_url(re.compile("run="))
    page.reload()
    until(page, "+d.step === 40")
    expect(network).to_have_value("dense8")


def open_card(page, name, known):
    """Follow a card of Home, and wait until the address says what is known of its experiment."""
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("link", name=name).click()
    page.wait_for_url(re.compile(known))
    wait_ready(page)


def fits(page):
    """Tell that nothing is wider than the screen, be it large or small."""
    for width in (390, 1440):
        resize(page, width)
        soon(page, lambda: too_wide(page) == [])
    resize(page, 1366, 768)


DIGITS, BOUNDARY = "Train on handwritten digits", "Watch a boundary form"


def test_the_cards_on_home_open_what_they_say_again_and_again_and_ask_nothing_of_the_outside(open_page, app_url):
    page, hosts = open_page(viewport={"width": 1366, "height": 768}), set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "//" in request.url else ""))
    go(page, app_url)
    fits(page)
    open_card(page, "Draw a digit", r"/draw\?.*lang=")
    page.locator(".kasane-canvas[data-replies]").wait_for()
    fits(page)

    open_card(page, BOUNDARY, r"/train\?data=toy2d.*lang=")
    until(page, "+d.frames > 0")
    plane, units = (page.locator(f"[data-block={name}]") for name in ("plane", "units"))
    soon(page, lambda: plane.bounding_box()["y"] < 768 / 2)  # on a laptop it is seen at once
    expect(units.get_by_text("Lines are weights")).to_be_in_viewport()
    fits(page)
    button(page, "Train").click()
    until(page, "+d.step > 100")

    open_card(page, DIGITS, r"/train\?lang=")
    until(page, "+d.frames > 0")
    fits(page)
    open_card(page, BOUNDARY, r"/train\?data=toy2d.*lang=")
    open_card(page, DIGITS, r"/train\?lang=")
    for card in (DIGITS, BOUNDARY):
        open_card(page, card, "lang=")
        fill(page, "Hidden layers", "dense8")
        page.wait_for_url(re.compile("network=dense8"))
        button(page, "10 steps").click()
        until(page, "+d.step === 10")
        wait_quiet(page)
        open_card(page, card, "network=dense8.*run=")  # what is trained is what the card says: it is kept
        until(page, "+d.step === 10")
    assert {host for host in hosts if host} == {app_url.split("/")[2]}


MARKUP = "![a](http://a.example/b.png) :red[x] $y$ `z` _u_ <b>"


def test_what_a_hostile_link_says_is_quoted_as_it_is_fetches_nothing_and_leaves_the_server_standing(page, app_url):
    asked, quoted = [], (MARKUP[:28], MARKUP[29:])
    page.on("request", lambda request: asked.append(request.url))
    markup = dict(zip(("activation", "preset", "optimizer", "run"), 2 * quoted, strict=True))
    query = {"lang": "en", "network": "dense9 " * 900} | markup
    go(page, f"{app_url}/train?lr=%00%FF&{urlencode(query)}")
    said = page.get_by_test_id("stAlert")
    expect(said).to_have_count(6)
    texts = said.all_inner_texts()
    assert [sum(it in text for text in texts) for it in quoted] == [2, 2]
    assert said.locator("img, code, em, b, .katex").count() == 0
    assert page.get_by_test_id("stException").count() == 0
    assert not [url for url in asked if url.startswith("http:") and not url.startswith(app_url)]
    button(page, "10 steps").click()
    until(page, "+d.step === 10")


def test_an_unknown_token_is_told_so(app_url):
    socket = connect(f"{app_url.replace('http', 'ws')}/live/none-such")
    with socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=5)
    assert closed.value.rcvd.code == 4404


@pytest.mark.parametrize("channel", ["live", "read"])
def test_pages_of_other_sites_may_not_listen(app_url, channel):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{app_url.replace('http', 'ws')}/{channel}/none-such", origin="http://evil.example")
    assert refused.value.response.status_code == 403
