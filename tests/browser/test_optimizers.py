"""The race in a real Chromium: every control once, the map under hands, and that it says what the engine computed."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import expect

from engine.analysis.landscapes import LANDSCAPES, descend
from pages._ui.race.settings import NAMES
from tests.browser.conftest import POLLING, resize, soon, wait_quiet, wait_ready

pytestmark = pytest.mark.browser


class Visit:
    """The page, and what one can see and do on it."""

    def __init__(self, page, url: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{url}/optimizers{query}")
        wait_ready(page)
        expect(self.root).to_have_attribute("data-drawn", re.compile(r"[1-9]"))

    @property
    def root(self):
        return self.page.locator(".kasane-race")

    def data(self, name: str) -> str:
        return self.root.get_attribute(f"data-{name}")

    def has(self, name: str, value: str | re.Pattern) -> None:
        expect(self.root).to_have_attribute(f"data-{name}", value)

    def button(self, name: str):
        return self.root.get_by_role("button", name=name, exact=True)

    def hurry(self, power: float, said: str) -> None:
        """Move the slider of the speed."""
        moved = "(it, power) => { it.value = power; it.dispatchEvent(new Event('input')); }"
        self.root.get_by_label("Speed").evaluate(moved, power)
        expect(self.root.locator(".kr-times")).to_have_text(said)

    def lead(self, step: int) -> None:
        """Move the slider of the steps, where the race then stays."""
        self.root.get_by_label("Step of the race").fill(str(step))
        self.has("step", str(step))

    def number(self, name: str, value: float) -> None:
        field = self.page.locator(f"[class*=st-key-optimizers_{name}] input")
        field.fill(str(value))
        field.press("Enter")
        wait_ready(self.page)

    def choose(self, name: str, option: str) -> None:
        """Choose an option of a box of the page."""
        self.page.locator(f"[class*=st-key-optimizers_{name}]").get_by_role("combobox").click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def cells(self, run: str) -> list[str]:
        return self.root.locator(f"tr[data-run={run}] td").all_inner_texts()

    @property
    def map(self):
        return self.page.locator(".kr-map")


@pytest.fixture
def visit(page, app_url):
    return lambda query="": Visit(page, app_url, query)


def value(text: str) -> float:
    return float(text.replace("−", "-"))


# --- the clock --------------------------------------------------------------------------------------------------------

# Returns what is announced while the race takes two steps.
ANNOUNCED = """(root) => new Promise((done) => {
  const said = [], steps = new Set(), regions = root.querySelectorAll("output, [role=status], [aria-live]");
  const observer = new MutationObserver((changes) => said.push(...changes.map(({ target }) => target.textContent)));
  const options = { childList: true, characterData: true, subtree: true };
  for (const region of regions) if (region.getAttribute("aria-live") !== "off") observer.observe(region, options);
  new MutationObserver((_, clock) => {
    if (steps.add(root.dataset.step).size < 3) return;
    clock.disconnect();
    done(said);
  }).observe(root, { attributeFilter: ["data-step"] });
})"""


def test_it_runs_by_itself_without_a_word_under_every_button_and_by_keys(visit):
    race = visit()
    expect(race.root).not_to_have_attribute("data-step", "0")
    race.hurry(-0.3, "0.5×")
    race.button("Back to the start").click()
    expect(race.root.locator("p[role=status]")).to_contain_text("Step 0")  # that is announced
    race.button("Play").click()
    expect(race.root).not_to_have_attribute("data-step", "0")  # it runs
    assert race.root.evaluate(ANNOUNCED) == []
    race.button("Pause").click()
    race.has("playing", "false")
    rest = race.data("step")
    race.page.wait_for_timeout(700)  # longer than a step takes
    assert race.data("step") == rest
    race.lead(7)
    race.button("One step forward").click()
    race.has("step", "8")
    race.button("One step back").click()
    race.has("step", "7")
    race.button("Back to the start").click()
    race.has("step", "0")
    race.hurry(1, "10×")
    race.button("Play").click()
    race.has("step", "30")  # the whole race in less than a second
    race.has("playing", "false")
    race.hurry(-1, "0.1×")
    race.button("Play").click()  # from the start again
    race.has("step", "0")
    race.has("playing", "true")
    box = race.root.locator(".kr-chart").bounding_box()
    race.page.mouse.click(box["x"] + 0.55 * box["width"], box["y"] + 0.5 * box["height"])
    race.has("playing", "false")
    race.has("step", re.compile("^1[1-9]$"))  # drawn a frame later
    race.map.focus()
    for key, name, expected in (
        ("End", "step", "30"), ("ArrowLeft", "step", "29"), ("Home", "step", "0"), ("ArrowRight", "step", "1"),
        ("+", "zoom", "1.60"), ("-", "zoom", "1.00"), ("+", "zoom", "1.60"), ("0", "zoom", "1.00"),
        (" ", "playing", "true"), (" ", "playing", "false"),
    ):  # fmt: skip
        race.page.keyboard.press(key)
        race.has(name, expected)


def test_what_stands_still_is_what_the_engine_computed(open_page, app_url):
    """For those who ask for less motion it does not start by itself; nothing jumps from step to step."""
    race = Visit(open_page(reduced_motion="reduce"), app_url, "?landscape=beale")
    race.has("playing", "false")
    race.page.wait_for_timeout(300)
    assert race.data("step") == "0"
    beale = LANDSCAPES["beale"]
    more = {"adamw": {"l2": 0.01}}
    walks = {rule: descend(beale, rule, lr=beale.rates[rule], steps=200, **more.get(rule, {})) for rule in NAMES}
    for step in (0, 11, 200):
        race.lead(step)
        for rule, walk in walks.items():
            f, distance = map(value, race.cells(rule))
            assert f == pytest.approx(walk.values[step], rel=6e-3)
            assert distance == pytest.approx(beale.distance(walk.points[step]), rel=6e-3)

    race.lead(3)
    places = race.root.evaluate("""(root) => Array.from({ length: 30 }, () => {
      root.querySelector("button.forward").click();
      const boxes = [...root.querySelectorAll("button, tr, canvas, input, output, p")]
        .map((it) => it.getBoundingClientRect());
      return JSON.stringify(boxes.map(({ x, y, height }) => [x, y, height].map(Math.round)));
    })""")
    assert len(set(places)) == 1

    box = race.map.bounding_box()
    for across, down in ((0.5, 0.5), (0.3, 0.7), (0.65, 0.25)):
        race.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        point, said = race.page.locator(".kr-point"), re.compile(r"x (.+), y (.+): f (.+)")
        expect(point).to_have_text(said)
        x, y, f = map(value, said.fullmatch(point.inner_text()).groups())
        assert f == pytest.approx(beale.f(x, y), rel=6e-3)

    with race.page.expect_download() as download:
        race.button("Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert len(rows) == 7 * 201
    for rule, walk in walks.items():
        found = [(float(row["x"]), float(row["y"])) for row in rows if row["runner"] == rule]
        np.testing.assert_allclose(found, walk.points, rtol=1e-6, atol=1e-9)


# --- under hands ------------------------------------------------------------------------------------------------------


def test_a_change_keeps_zoom_and_mount_a_click_sets_the_start_and_dragging_does_not(visit):
    race = visit()
    race.hurry(-1, "0.1×")
    race.lead(0)
    race.button("Zoom in").click()
    race.has("zoom", "1.60")
    race.button("Zoom out").click()
    race.has("zoom", "1.00")
    race.button("Zoom in").click()
    race.lead(5)
    race.number("ravine_sgd", 0.5)
    race.page.wait_for_url(re.compile("ravine_sgd=0.5"))
    walk = descend(LANDSCAPES["ravine"], "sgd", lr=0.5, steps=30)
    expect(race.root.locator("tr[data-run=sgd] td").first).to_have_text(re.compile(f"^{walk.values[5]:.3g}"))
    assert (race.data("zoom"), race.data("step"), race.data("mounts")) == ("1.60", "5", "1")
    race.button("Reset zoom").click()
    race.has("zoom", "1.00")

    box = race.map.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scale = min(box["width"] / 20, box["height"] / 10)
    race.page.mouse.move(*middle)
    race.page.mouse.down()
    race.page.mouse.move(middle[0] + scale, middle[1], steps=4)
    race.page.mouse.up()
    expect(race.page.locator(".kr-point")).to_have_text(re.compile("^x 0"))  # what was in the middle is under the mouse
    race.button("Reset zoom").click()
    race.has("zoom", "1.00")
    wait_ready(race.page)
    assert "ravine_x" not in race.page.url
    race.page.mouse.click(middle[0] + 3 * scale, middle[1] - 2 * scale)
    race.page.wait_for_url(re.compile("ravine_x="))
    fields = [race.page.locator(f"[class*=st-key-optimizers_ravine_{name}] input") for name in "xy"]
    soon(race.page, lambda: [value(it.input_value()) for it in fields] == pytest.approx([3, 2], abs=0.03))
    race.has("playing", "true")  # from there, at once
    assert (race.data("mounts"), race.data("zoom")) == ("1", "1.00")
    race.number("ravine_x", 30)  # which lies outside
    race.has("zoom", "0.30")
    race.button("Zoom in").click()
    race.button("Reset zoom").click()
    race.has("zoom", "0.30")
    race.number("ravine_x", 100)  # as far as there can be one
    race.has("zoom", "0.09")


def test_two_fingers_zoom_the_map_and_set_no_start(open_page, app_url):
    phone = {"width": 390, "height": 844}
    page = open_page(viewport=phone, has_touch=True, is_mobile=True, reduced_motion="reduce")
    race = Visit(page, app_url)
    race.map.scroll_into_view_if_needed()
    box = race.map.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *offsets: float) -> None:
        points = [{"x": middle[0] + offset, "y": middle[1], "id": i} for i, offset in enumerate(offsets)]
        devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    touch("Start", -30)
    touch("Start", -30, 30)
    for reach in (40, 50, 60):
        touch("Move", -reach, reach)
    touch("End", -60)
    touch("End")
    race.has("zoom", "2.00")
    page.wait_for_timeout(300)
    assert "ravine_x" not in page.url
    assert page.evaluate("visualViewport.scale") == 1
    page.touchscreen.tap(middle[0] + 40, middle[1])  # one finger still sets the start
    page.wait_for_url(re.compile("ravine_x="))


def test_runners_landscapes_views_and_steps_are_switched(open_page, app_url):
    race = Visit(open_page(reduced_motion="reduce"), app_url)
    race.page.locator("[class*=st-key-optimizers_nesterov] label").click()
    race.has("runs", "sgd momentum adagrad rmsprop adam adamw")
    race.page.locator("[class*=st-key-optimizers_view]").get_by_role("radio", name="3-D").click()
    race.has("view", "surface")
    expect(race.page.locator(".kr-surface[data-traces='8']")).to_be_visible()
    race.page.locator("[class*=st-key-optimizers_view]").get_by_role("radio", name="Map").click()
    race.has("view", "contour")
    expect(race.map).to_be_visible()
    race.choose("landscape", "Rosenbrock's valley")
    expect(race.root.locator(".kr-where")).to_have_text(re.compile("of 400"))
    assert race.data("mounts") == "1"

    race.page.get_by_role("radio", name="Step by step").click()
    expect(race.page.locator(".kasane-race.kr-alone")).to_be_visible()
    expect(race.root).to_have_count(1)  # the part before has gone
    race.has("runs", "adam")
    race.choose("optimizer", "Momentum")
    race.has("runs", "momentum")
    race.has("step", "0")
    zoom = race.data("zoom")
    assert float(zoom) > 1
    race.page.get_by_role("button", name="Next step").click()
    race.has("step", "1")
    race.page.get_by_role("button", name="Previous step").click()
    race.has("step", "0")
    race.has("zoom", zoom)
    expect(race.page.locator(".st-key-equations .katex-display")).to_have_count(4)


# --- the surface ------------------------------------------------------------------------------------------------------

SMALL = {"width": 640, "height": 800}  # three dimensions are drawn without a graphics card here

# Returns from where the surface is looked at.
EYE = "(plot) => plot.layout.scene.camera.eye"


class Surface(Visit):
    """The page with the race over the surface, standing still."""

    def __init__(self, page, url: str) -> None:
        super().__init__(page, url, "?view=surface")
        expect(self.plot).to_have_attribute("data-traces", "9")
        box = self.plot.bounding_box()
        self.middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    @property
    def plot(self):
        return self.page.locator(".kr-surface")

    def eye(self) -> dict[str, float]:
        return self.plot.evaluate(EYE)

    def moves(self, act: Callable[[], object]) -> dict[str, float]:
        """Do something, and return from where the surface is then looked at, which is from elsewhere."""
        before = self.eye()
        act()
        soon(self.page, lambda: self.eye() != before)
        self.page.wait_for_timeout(POLLING)
        return self.eye()


def test_drags_keys_and_buttons_turn_the_surface_and_only_a_click_sets_the_start(open_page, app_url):
    race = Surface(open_page(viewport=SMALL, reduced_motion="reduce"), app_url)
    page, (x, y), first = race.page, race.middle, race.eye()

    def drag() -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.wait_for_timeout(2 * POLLING)  # Plotly draws meanwhile
        page.mouse.move(x - 120, y + 20, steps=4)
        page.mouse.up()

    turned = race.moves(drag)
    wait_quiet(page)
    assert "ravine_x" not in page.url
    page.locator("[class*=st-key-optimizers_nesterov] label").click()  # the surface is drawn anew
    expect(race.plot).to_have_attribute("data-traces", "8")
    assert race.eye() == turned
    page.mouse.click(x, y)
    page.wait_for_url(re.compile("ravine_x="))
    wait_ready(page)
    assert race.eye() == turned

    keyboard = page.keyboard
    race.plot.focus()
    race.moves(lambda: keyboard.press("0"))
    assert race.eye() == pytest.approx(first)
    for key in ("ArrowLeft", "ArrowDown"):
        race.moves(lambda key=key: keyboard.press(key))
    assert race.eye()["x"] < first["x"]
    race.moves(lambda: [keyboard.press("ArrowDown") for _ in range(12)])
    assert 0 < race.eye()["z"] < 0.5 * first["z"]  # never from below
    keyboard.press("+")
    race.has("zoom", "1.60")
    race.moves(lambda: keyboard.press("0"))
    assert race.eye() == pytest.approx(first)
    for button, zoom in (("Zoom in", "1.60"), ("Zoom out", "1.00"), ("Zoom out", "0.63"), ("Reset zoom", "1.00")):
        race.button(button).click()
        race.has("zoom", zoom)
    assert race.data("step") == "0"  # arrows are the camera's here


def test_a_finger_turns_the_surface_sideways_and_scrolls_the_page_over_it(open_page, app_url):
    phone = {"width": 390, "height": 844}
    page = open_page(viewport=phone, has_touch=True, is_mobile=True, reduced_motion="reduce")
    race = Surface(page, app_url)
    race.plot.scroll_into_view_if_needed()
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict) -> None:
        devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def swipe(across: float, down: float) -> None:
        box = race.plot.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch("Start", {"x": x, "y": y})
        for n in range(1, 11):
            touch("Move", {"x": x + n * across / 10, "y": y + n * down / 10})
        touch("End")

    top, before = race.plot.bounding_box()["y"], race.eye()
    swipe(0, -150)
    soon(page, lambda: race.plot.bounding_box()["y"] < top - 100)
    assert race.eye() == before
    turned = race.moves(lambda: swipe(120, 0))
    assert turned["z"] > 0
    assert "ravine_x" not in page.url
    expect(page.locator(".kr-keys")).to_be_hidden()
    box = race.plot.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("ravine_x="))


# --- room -------------------------------------------------------------------------------------------------------------

# What of the page and of the race, but for what only a screen reader is told, is wider than the screen or beyond it.
BEYOND = """() => [document.documentElement, ...document.querySelectorAll(".kasane-race :not(.unseen-text)")]
  .filter((it) => it.scrollWidth > innerWidth || it.getBoundingClientRect().right > innerWidth + 1)
  .map((it) => it.className || it.tagName)"""

# Draws the map once more, and returns every text on it: what it says, its place and its width.
WRITTEN = """(root) => new Promise((done) => {
  const context = root.querySelector(".kr-map canvas").getContext("2d"), written = [];
  context.fillText = (text, x, y) => written.push([text, x, y, context.measureText(text).width]);
  root.querySelector("button.fit").click();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    delete context.fillText;
    done(written);
  }));
})"""


def look_at_the_scales(race: Visit) -> None:
    """Both scales of the map have numbers, none of which lies on another or beyond the map."""
    written = race.root.evaluate(WRITTEN)
    bottom = max(y for _text, _x, y, _width in written)
    below = {text: (x - width / 2, x + width / 2) for text, x, y, width in written if y == bottom}
    assert len(below) >= 3
    assert "0" in below
    ends = sorted(below.values())
    assert all(before[1] + 4 < after[0] for before, after in itertools.pairwise(ends))
    assert ends[0][0] >= 0
    assert ends[-1][1] <= race.map.bounding_box()["width"]
    assert len({y for _text, _x, y, _width in written}) >= 3


def test_every_part_has_room(open_page, app_url):
    page = open_page(color_scheme="dark", reduced_motion="reduce")
    race = Visit(page, app_url)
    for part, runs in (
        ("The race", "sgd"), ("Step by step", "adam"), ("Moving averages", "with without"), ("On digits", ""),
        ("Learning-rate schedules", "constant step"),
    ):  # fmt: skip
        page.get_by_role("radio", name=part).click()
        if runs:
            page.locator(f".kasane-race[data-runs^='{runs}']").wait_for()
            expect(race.root).to_have_count(1)  # the part before has gone
        else:
            expect(page.locator(".kcp-runs tbody tr")).to_have_count(5)
        wait_ready(page)
        for width in (390, 1440):
            resize(page, width)
            soon(page, lambda: page.evaluate(BEYOND) == [])
            if part == "The race":
                look_at_the_scales(race)

    page.get_by_text("日本語", exact=True).click()
    race.has("runs", re.compile("^constant step"))
    expect(race.root).to_have_attribute("lang", "ja")
    for width in (390, 1440):  # every schedule is called by its name in one line
        resize(page, width)
        heights = race.root.locator("tbody tr").evaluate_all("all => all.map(it => it.offsetHeight)")
        assert len(heights) == 6
        assert set(heights) == {min(heights)}
