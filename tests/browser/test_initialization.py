"""The initialization page in a real Chromium: every control pressed, and figures that keep up with a hand."""

from __future__ import annotations

import csv
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import hurry, resize, soon, wait_ready, wait_until

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
        wait_until(self.page, script, [name, value])

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


BEYOND = """() => Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll(".kasane-spread *")]
  .map((it) => it.getBoundingClientRect().right)) - innerWidth"""


CUT = """all => all.filter((it) => it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight + 1)
  .map((it) => it.textContent)"""


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
    page.get_by_role("radio", name="Gradients", exact=True).click()
    expect(screen.root.locator("[data-start=small] small").nth(1)).to_contain_text("e−")
    assert screen.root.locator(".ksp-cell small").evaluate_all(CUT) == []


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


def test_what_stands_below_a_histogram_is_not_taken_for_the_weights_sigma(page, app_url):
    screen = Screen(page, app_url, "layers=2")
    below = screen.root.locator(".ksp-cell small:nth-of-type(1)")
    cut = "texts => texts.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent)"
    language = "en"
    for width, layers in ((1440, 2), (390, 30)):
        resize(page, width)
        screen.slider("layers").press({2: "Home", 30: "End"}[layers])
        screen.until("layers", layers)
        for _ in ("the language of before", "the other one"):
            words = {"en": "standard deviation", "ja": "標準偏差"}[language]
            first = words if layers == 2 else "SD"
            soon(page, lambda first=first: all(re.match(rf"{first} [\d.]+", it) for it in below.all_inner_texts()))
            soon(page, lambda: below.evaluate_all(cut) == [])
            assert (words in screen.root.locator(".ksp-scene > .ksp-note").inner_text()) == (first == "SD")
            language = turn_to_the_other(screen, language)


def turn_to_the_other(screen: Screen, language: str) -> str:
    language, name = {"en": ("ja", "日本語"), "ja": ("en", "English")}[language]
    screen.page.get_by_text(name, exact=True).click()
    expect(screen.root).to_have_attribute("lang", language)
    return language


PICTURES = "all => all.map((one) => one.toDataURL())"


def test_units_that_start_equal_stay_equal_and_other_parts_and_rows_are_clicks_away(page, app_url):
    screen = Screen(page, app_url)
    page.get_by_role("radio", name="Equal weights").click()
    page.wait_for_url(re.compile("preset=symmetry"))
    hurry(page)
    page.get_by_role("button", name="Train all").click()
    page.get_by_text("These runs bear it out").wait_for()
    rows = page.locator(".kcp-unit-row")
    rows.first.scroll_into_view_if_needed()
    expect(rows).to_have_count(3)
    for row, apart in zip(rows.all(), (False, True, True), strict=True):
        notes, pictures = row.locator("small:last-child"), row.locator(".kcp-unit-layer canvas")
        soon(page, lambda it=notes, n=apart: [note == "0% apart" for note in it.all_inner_texts()] == [n, n])
        soon(page, lambda it=pictures, n=1 if apart else 6: len(set(it.evaluate_all(PICTURES)[:6])) == n)

    page.get_by_role("radio", name="Trained side by side").click()
    page.wait_for_url(re.compile("preset=course-inits"))
    page.get_by_role("combobox", name="Experiment").click()
    page.get_by_role("option", name="ReLU, He weights").click()
    page.wait_for_url(re.compile("preset=d2-relu-he"))
    expect(page.locator(".kcp-runs tbody tr")).to_have_count(1)
    wait_ready(page)  # five panels less: what stands below is still moving up
    page.get_by_role("button", name="Why He doubles it").click()
    expect(screen.root.locator(PANELS)).to_have_count(2)
    wait_ready(page)  # the rows stand below
    page.get_by_role("button", name="Set the controls to this").last.click()
    page.wait_for_url(re.compile("preset=vanishing-gradients"))
    screen.until("layers", 30)


def test_a_phone_shows_it_all_without_overflow_and_a_finger_finds_room(open_page, app_url):
    phone = {"width": 390, "height": 844}
    page = open_page(viewport=phone, has_touch=True, color_scheme="dark", reduced_motion="reduce")
    screen = Screen(page, app_url, "layers=30&activation=tanh")
    for name in ("input", ".ksp-marks button", ".ksp-csv"):
        sizes = screen.root.locator(name).evaluate_all(
            "all => all.map(it => Math.min(it.offsetWidth, it.offsetHeight))"
        )
        assert sizes
        assert min(sizes) >= 44, name

    parts = page.locator("[class*=st-key-initialization_part]").get_by_role("radio")
    for language in ("en", "ja"):
        if language == "ja":
            page.get_by_text("日本語", exact=True).click()
            page.locator(".st-key-language_ja").wait_for()
        for n, there in enumerate((".kasane-spread[data-kind=before]", ".kasane-spread[data-kind=slope]", ".kcp-runs")):
            parts.nth(n).click()
            page.locator(there).wait_for()
            wait_ready(page)
            soon(page, lambda: page.evaluate(BEYOND) <= 0)

    parts.nth(1).click()
    page.locator(".kasane-spread[data-kind=slope]").wait_for()
    page.locator(".st-key-try_1 button").click()  # it comes into sight
    expect(page.locator(".kasane-spread[data-kind=before] .ksp-tools")).to_be_in_viewport()
