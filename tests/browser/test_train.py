"""The Train page in a real Chromium, as a person uses it."""

import re
import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from engine.runs import protocol
from tests.browser.conftest import resize, soon, wait_quiet, wait_ready
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
    page.wait_for_function(f"() => {{ {found}; return d && ({condition}) }}")


def step(page):
    return int(view(page).get_attribute("data-step"))


def test_train_pause_resume_and_step(page, app_url):
    go(page, f"{app_url}/train?steps=100000")
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


@pytest.mark.parametrize(("lang", "more"), [("ja", "学習を続ける"), ("en", "Continue")])
def test_a_laptop_has_all_buttons_in_one_row_before_and_after_a_run(open_page, app_url, lang, more):
    page = open_page(viewport={"width": 1366, "height": 768})
    go(page, f"{app_url}/train?steps=20&lang={lang}")
    buttons = page.locator(".st-key-transport button:visible")
    for name in ("学習" if lang == "ja" else "Train", more):
        first = page.locator(".st-key-transport").get_by_role("button", name=name, exact=True)
        expect(first).to_be_visible()
        tops = {round(one.bounding_box()["y"]) for one in buttons.all()}
        assert (buttons.count(), len(tops)) == (7, 1), (name, tops)
        if name != more:
            first.click()


LONG = "network=dense1000+dense1000&lr=0.001"


def test_a_long_epoch_can_be_paused(page, app_url):
    go(page, f"{app_url}/train?{LONG}&batch_size=1")
    button(page, "1 epoch").click()
    button(page, "Pause").click()
    until(page, "d.state === 'paused' && +d.step > 0 && +d.step < 4000")
    expect(button(page, "Resume")).to_be_visible()
    at = step(page)
    button(page, "1 step").click()
    until(page, f"+d.step === {at + 1}")


def test_after_a_long_epoch_there_is_nothing_to_pause(page, app_url):
    go(page, f"{app_url}/train?{LONG}")
    button(page, "1 epoch").click()
    until(page, "d.state === 'paused' && +d.step === 40")
    expect(button(page, "Resume")).to_be_visible()
    expect(button(page, "Pause")).to_have_count(0)


def test_a_run_that_ends_is_told_without_asking(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=300")
    button(page, "Train").click()
    button(page, "Continue").wait_for()
    assert view(page).get_attribute("data-state") == "completed"
    button(page, "Continue").click()
    until(page, "+d.step > 310")


def test_reset_and_new_weights_start_again(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=100000")
    button(page, "10 steps").click()
    until(page, "+d.step === 10")
    button(page, "Reset").click()
    until(page, "+d.step === 0")
    soon(page, lambda: "seed" not in page.url)
    button(page, "New weights").click()
    page.wait_for_url(re.compile("seed=1"))
    assert view(page).get_attribute("data-mounts") == "1"


def test_the_learning_rate_changes_while_it_trains(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=1000000")
    button(page, "Train").click()
    until(page, "+d.step > 50")
    field = page.get_by_label("Learning rate", exact=True)
    field.fill("0.033")
    field.press("Enter")
    page.wait_for_url(re.compile("lr=0.033"))
    before = step(page)
    until(page, f"d.state === 'running' && +d.step > {before}")
    expect(view(page).get_by_text("0.033")).to_be_visible()


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


def test_divergence_says_what_to_try(page, app_url):
    go(page, f"{app_url}/train?lr=90&loss=squared_error")
    button(page, "Train").click()
    page.get_by_text("Try a learning rate of 0.1.").wait_for()


def choose(page, name, option):
    page.get_by_role("combobox", name=name).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_the_list_of_experiments_is_as_wide_as_their_names(page, app_url):
    go(page, f"{app_url}/train")
    for name, holds in (("Published experiments", lambda width: width > 400), ("Loss", lambda width: width < 300)):
        page.get_by_role("combobox", name=name).click()
        assert holds(page.get_by_role("option").first.bounding_box()["width"])
        page.keyboard.press("Escape")


def test_one_click_too_many_loses_no_run(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=300")
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


def test_the_language_switches_without_losing_the_run(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=1000000")
    button(page, "Train").click()
    until(page, "+d.step > 50")
    page.get_by_text("日本語", exact=True).click()
    page.get_by_test_id("stSidebar").get_by_text("学習率", exact=True).wait_for()
    before = step(page)
    until(page, f"d.state === 'running' && +d.step > {before}")
    assert view(page).get_attribute("data-mounts") == "1"
    soon(page, lambda: "lang=ja" in page.url)


def test_a_browser_that_prefers_japanese_gets_it(open_page, app_url):
    page = open_page(locale="ja-JP")
    go(page, f"{app_url}/train")
    page.get_by_test_id("stSidebar").get_by_text("学習率", exact=True).wait_for()


def test_a_reload_shows_the_same_run(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=1000000")
    button(page, "10 steps").click()
    until(page, "+d.step === 10")
    page.wait_for_url(re.compile("run="))
    page.reload()
    wait_ready(page)
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


def test_another_page_and_back_keeps_the_run(page, app_url):
    go(page, f"{app_url}/train?network=dense8&steps=1000000")
    button(page, "1 epoch").click()
    until(page, "+d.step === 40")
    page.get_by_role("link", name="Home").first.click()
    page.get_by_text("Watch a boundary form").wait_for()
    page.get_by_role("link", name="Train", exact=True).first.click()
    until(page, "+d.step === 40")
    expect(page.get_by_role("textbox", name="Hidden layers")).to_have_value("dense8")


def test_back_leads_to_the_page_before_whatever_the_address_said_meanwhile(page, app_url):
    go(page, app_url)
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.wait_for_url(re.compile("lang="))
    page.get_by_role("textbox", name="Hidden layers").fill("dense8")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("network=dense8"))
    button(page, "1 epoch").click()
    until(page, "+d.step === 40")
    page.wait_for_url(re.compile("run="))
    wait_quiet(page)  # what is still on its way to the address would come as a new page
    page.go_back()
    page.get_by_text("Watch a boundary form").wait_for()
    wait_ready(page)
    page.go_forward()
    until(page, "+d.step === 40")
    expect(page.get_by_role("textbox", name="Hidden layers")).to_have_value("dense8")


def test_on_a_laptop_the_card_of_the_boundary_shows_one(open_page, app_url):
    page = open_page(viewport={"width": 1366, "height": 768})
    go(page, app_url)
    page.get_by_role("link", name="Watch a boundary form").click()
    until(page, "+d.frames > 0")
    plane, units = (page.locator(f"[data-block={name}]") for name in ("plane", "units"))
    assert plane.bounding_box()["y"] < 768 / 2
    expect(units.get_by_text("Lines are weights")).to_be_in_viewport()


def test_a_card_on_home_opens_its_experiment(page, app_url):
    go(page, app_url)
    page.get_by_role("link", name="Watch a boundary form").click()
    page.wait_for_url(re.compile("data=toy2d"))
    button(page, "Train").click()
    until(page, "+d.step > 100")


def open_card(page, name, known):
    """Follow a card of Home, and wait until the address says what is known of its experiment."""
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("link", name=name).click()
    page.wait_for_url(re.compile(known))
    wait_ready(page)


def test_the_cards_on_home_open_what_they_say_again_and_again(page, app_url):
    go(page, app_url)
    for _ in range(2):
        open_card(page, "Watch a boundary form", r"/train\?data=toy2d.*lang=")
        open_card(page, "Train on handwritten digits", r"/train\?lang=")


def test_a_card_on_home_keeps_the_run_that_is_what_it_says(page, app_url):
    for name, path in (("Train on handwritten digits", "network=dense8"), ("Watch a boundary form", "data=toy2d")):
        go(page, f"{app_url}/train?{path}")
        button(page, "10 steps").click()
        until(page, "+d.step === 10")
        wait_quiet(page)
        open_card(page, name, "run=")
        until(page, "+d.step === 10")


@pytest.mark.parametrize("path", ["/", "/train", "/draw", "/train?data=toy2d"])
def test_nothing_is_asked_of_the_outside_and_nothing_overflows(page, app_url, path):
    hosts = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "//" in request.url else ""))
    go(page, app_url + path)
    page.wait_for_timeout(500)
    assert {host for host in hosts if host} == {app_url.split("/")[2]}
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for width in (1440, 390):
        resize(page, width)
        soon(page, lambda: page.evaluate(overflow) <= 0)


HOSTILE = ("lr=%00%FF", "network=" + "dense9+" * 900, "preset=%3Cimg+src%3Dx%3E", "run=..%2F..%2Fx")


@pytest.mark.parametrize("query", HOSTILE)
def test_a_hostile_link_leaves_the_server_standing(page, app_url, query):
    go(page, f"{app_url}/train?{query}")
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.locator("[data-testid=stAlert]").count() == 1
    button(page, "10 steps").click()
    until(page, "+d.step === 10")


MARKUP = "![a](http://a.example/b.png) :red[x] $y$ `z` _u_ <b>"


@pytest.mark.parametrize("received", [MARKUP[:28], MARKUP[29:]])
def test_what_a_sentence_quotes_is_shown_as_it_is_and_fetches_nothing(page, app_url, received):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    go(page, f"{app_url}/train?" + urlencode({"lang": "en", "activation": received, "run": received}))
    said = page.get_by_test_id("stAlert")
    expect(said).to_have_count(2)
    for text in said.all_inner_texts():
        assert received in text
    assert said.locator("img, code, em, b, .katex").count() == 0
    assert not [url for url in asked if url.startswith("http:") and not url.startswith(app_url)]


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
