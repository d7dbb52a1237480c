"""The initialization page in a real Chromium: every control pressed, and figures that keep up with a hand."""

from __future__ import annotations

import csv
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import soon, wait_ready

pytestmark = pytest.mark.browser

PANELS = ".ksp-row"


class Screen:
    def __init__(self, page, url: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{url}/initialization?{query}")
        wait_ready(page)
        self.root = page.locator(".kasane-spread")
        page.wait_for_selector(".kasane-spread[data-frames]")

    @property
    def frames(self) -> int:
        return int(self.root.get_attribute("data-frames"))

    @property
    def values(self) -> dict:
        return json.loads(self.root.get_attribute("data-values"))

    def until(self, name: str, value: object) -> None:
        """Wait until the figure shows that value of a slider, as the page knows it."""
        script = (
            "([name, value]) => JSON.parse(document.querySelector('.kasane-spread').dataset.values)[name] === value"
        )
        self.page.wait_for_function(script, arg=[name, value])

    def slider(self, name: str):
        return self.root.locator(f"input[data-name={name}]")

    def bars(self, row: str) -> list[str]:
        return self.root.locator(f"[data-start={row}] .ksp-cell path:first-child").evaluate_all(
            "paths => paths.map((path) => path.getAttribute('d'))"
        )

    def download(self) -> list[list[str]]:
        with self.page.expect_download() as download:
            self.root.get_by_role("button", name="Download as CSV").click()
        with open(download.value.path(), newline="") as file:
            return list(csv.reader(file))

    def choose(self, name: str, option: str) -> None:
        self.page.get_by_role("combobox", name=name).click()
        self.page.get_by_role("option", name=option, exact=True).click()


def overflow(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_sliders_marks_and_their_address(page, app_url):
    screen = Screen(page, app_url)
    assert screen.root.locator(PANELS).count() == 4
    small, before = screen.bars("small"), screen.bars("gauss")
    for mark, sigma in (("0.01", 0.01), ("Xavier, √(1/n)", 0.1)):
        screen.root.get_by_role("button", name=mark, exact=True).click()
        screen.until("sigma", sigma)
    page.wait_for_url(re.compile("sigma=0.1"))
    assert screen.bars("gauss") == screen.bars("lecun_normal") != before
    assert screen.bars("small") == small  # which knows nothing of the slider
    screen.slider("sigma").press("ArrowRight")
    page.wait_for_function("() => JSON.parse(document.querySelector('.kasane-spread').dataset.values).sigma > 0.1")
    screen.slider("layers").press("End")
    screen.until("layers", 30)
    assert screen.root.locator(".ksp-heads span").all_inner_texts()[-1] == "Layer 30"
    screen.slider("width").press("Home")
    screen.until("width", 10)
    page.wait_for_url(re.compile("layers=30.*width=10|width=10.*layers=30"))


def test_a_hand_on_sigma_is_followed_while_it_moves(page, app_url):
    screen = Screen(page, app_url, "layers=3&width=50")
    box, frames, address = screen.slider("sigma").bounding_box(), screen.frames, page.url
    heights = page.evaluate("document.querySelector('.kasane-spread').offsetHeight")
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.75, y)
    page.mouse.down()
    for part in (0.7, 0.6, 0.5, 0.45):
        seen = screen.frames
        page.mouse.move(box["x"] + box["width"] * part, y)
        expect(screen.root).not_to_have_attribute("data-frames", str(seen))
    assert screen.frames >= frames + 4
    assert page.url == address  # which waits until the hand rests
    page.mouse.up()
    page.wait_for_url(re.compile("sigma="))
    assert page.evaluate("document.querySelector('.kasane-spread').offsetHeight") == heights
    assert screen.values["sigma"] < 1


def test_what_is_drawn(page, app_url):
    screen = Screen(page, app_url)
    screen.choose("Activation", "ReLU")
    expect(screen.root.locator("[data-start=he_normal] .ksp-cell").first).to_contain_text("outside")
    page.get_by_role("button", name="Figure settings").click()
    expect(page.get_by_role("radio", name="From 0 to 1")).to_be_checked()
    page.get_by_role("button", name="Orthogonal").click()
    expect(screen.root.locator(PANELS)).to_have_count(5)
    page.get_by_role("radio", name="Over all values").click()
    expect(screen.root.locator("[data-start=he_normal] .ksp-cell").first).to_contain_text("…")
    page.get_by_role("radio", name="Weights", exact=True).click()
    expect(screen.root.locator("[data-start=he_normal]")).to_contain_text(re.compile(r"layer 1: [\d.]+×"))
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Gradients", exact=True).click()
    expect(screen.root.locator("[data-start=he_normal] .ksp-cell").first).to_have_attribute(
        "aria-label", re.compile("Gradients from")
    )
    before = screen.bars("he_normal")
    page.get_by_role("button", name="New numbers").click()
    page.wait_for_url(re.compile("seed=1"))
    soon(page, lambda: screen.bars("he_normal") != before)  # the address may be there before the picture
    head, *rows = screen.download()
    assert head[:5] == ["initialization", "sigma", "layer", "std", "gradient_norm"]
    assert len(rows) == 5 * 6
    assert {row[0] for row in rows} == {"gauss", "small", "lecun_normal", "he_normal", "orthogonal"}
    page.get_by_role("button", name="Figure settings").click()
    page.get_by_role("button", name="All zero").click()
    expect(screen.root.locator("[data-start=zeros]")).to_contain_text(re.compile("layer 1: –(?!×)"))


def test_the_derivative_follows_at_once(page, app_url):
    screen = Screen(page, app_url, "part=slope")
    notes = screen.root.locator(".ksp-note")
    expect(notes.first).to_contain_text("f′ = 0.25")
    screen.slider("z").press("End")
    expect(notes.first).to_contain_text("At z = 6")
    page.wait_for_url(re.compile("z=6"))
    screen.slider("passed").press("Home")
    expect(notes.last).to_contain_text("After 2 layers")
    page.wait_for_url(re.compile("passed=2"))
    box = screen.root.locator(".ksp-curve").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 100)
    expect(notes.first).not_to_contain_text("At z = 6")
    screen.choose("Activation", "tanh")
    expect(notes.first).to_contain_text("f′ is never above 1.")
    screen.choose("Activation", "softplus")  # nears 1 beyond what is drawn
    expect(notes.first).to_contain_text("f′ is never above 1.")
    expect(notes.last).to_contain_text("at best 1.")
    expect(screen.root.locator(".ksp-legend").first).to_contain_text("never above 1")
    assert len(screen.download()) == 242


def test_what_to_try_comes_into_sight(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(f"{app_url}/initialization?part=slope")
    wait_ready(page)
    page.get_by_role("button", name="Why He doubles it").click()
    page.wait_for_url(re.compile("activation=relu|layers=30"))
    expect(page.locator(".kasane-spread[data-kind=before] .ksp-tools")).to_be_in_viewport()


@pytest.mark.parametrize(("language", "words"), [("en", "standard deviation"), ("ja", "標準偏差")])
@pytest.mark.parametrize(("layers", "width"), [(2, 1440), (30, 390)])
def test_what_stands_below_a_histogram_is_not_taken_for_the_weights_sigma(
    open_page, app_url, layers, width, language, words
):
    page = open_page(viewport={"width": width, "height": 900})
    screen = Screen(page, app_url, f"layers={layers}&lang={language}")
    below = screen.root.locator(".ksp-cell small:nth-of-type(1)")
    first = words if layers == 2 else "SD"
    assert all(re.match(rf"{first} [\d.]+", text) for text in below.all_inner_texts())
    cut = "texts => texts.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent)"
    assert below.evaluate_all(cut) == []
    assert (words in screen.root.locator(".ksp-scene > .ksp-note").inner_text()) == (first == "SD")


def test_units_that_start_equal_stay_equal_before_ones_eyes(page, app_url):
    page.goto(f"{app_url}/initialization?preset=symmetry")
    wait_ready(page)
    page.get_by_role("slider", name="Speed").press("End")
    page.get_by_test_id("stSliderThumbValue").get_by_text("full speed").wait_for()
    page.get_by_role("button", name="Train all").click()
    page.get_by_text("These runs bear it out").wait_for()
    rows = page.locator(".kcp-unit-row")
    rows.first.scroll_into_view_if_needed()
    expect(rows).to_have_count(3)
    for row, apart in zip(rows.all(), (False, True, True), strict=True):
        notes = row.locator("small:last-child").all_inner_texts()
        assert [note == "0% apart" for note in notes] == [apart, apart]
        pictures = row.locator(".kcp-unit-layer canvas").evaluate_all("all => all.map((one) => one.toDataURL())")
        assert len(set(pictures[:6])) == (1 if apart else 6)


def test_parts_rows_and_examples_by_clicks(page, app_url):
    screen = Screen(page, app_url)
    page.get_by_role("radio", name="Equal weights").click()
    page.wait_for_url(re.compile("preset=symmetry"))
    page.get_by_role("radio", name="Trained side by side").click()
    page.wait_for_url(re.compile("preset=course-inits"))
    page.get_by_role("combobox", name="Experiment").click()
    page.get_by_role("option", name="ReLU, He weights").click()
    page.wait_for_url(re.compile("preset=d2-relu-he"))
    expect(page.locator(".kcp-runs tbody tr")).to_have_count(1)
    wait_ready(page)  # five panels less: what stands below is still moving up
    page.get_by_role("button", name="Why He doubles it").click()
    expect(screen.root.locator(PANELS)).to_have_count(2)
    page.get_by_role("button", name="Set the controls to this").last.click()
    page.wait_for_url(re.compile("preset=vanishing-gradients"))
    screen.until("layers", 30)


@pytest.mark.parametrize("query", ["part=before&layers=30&activation=tanh", "part=slope", "part=symmetry"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_phone_shows_it_all_without_overflow(open_page, app_url, language, query):
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto(f"{app_url}/initialization?{query}&lang={language}")
    wait_ready(page)
    page.wait_for_selector("[data-frames]")
    page.wait_for_timeout(400)
    assert overflow(page) <= 0
    right = "[...document.querySelectorAll('.kasane-spread *')].map((it) => it.getBoundingClientRect().right)"
    assert page.evaluate(f"Math.max(0, ...{right}) - innerWidth") <= 0


def test_a_finger_finds_room(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(f"{app_url}/initialization")
    page.wait_for_selector("[data-frames]")
    for name in ("input", ".ksp-marks button", ".ksp-csv"):
        sizes = page.locator(f".kasane-spread {name}").evaluate_all(
            "all => all.map(it => Math.min(it.offsetWidth, it.offsetHeight))"
        )
        assert sizes
        assert min(sizes) >= 44, name
