"""The regularization page in a real Chromium: every control once, the hand on the bowl, and nothing that jumps."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from engine.analysis import lp_norms
from tests.browser.conftest import followed, soon, too_wide, wait_ready

pytestmark = pytest.mark.browser

PARTS = ("norms", "dropout", "augmentation")


@pytest.fixture
def visit(open_page, app_url):
    """Open a part of the page and return (page, root of the moving picture)."""

    def open_part(query, **options):
        page = open_page(**{"reduced_motion": "reduce"} | options)
        page.goto(f"{app_url}/regularization?{query}")
        wait_ready(page)
        root = page.locator(".kasane-regular")
        expect(root).to_be_visible()
        return page, root

    return open_part


def place(root) -> int:
    return int(root.get_attribute("data-place"))


@pytest.mark.parametrize(("part", "places", "first"), [("norms", 61, 16), ("dropout", 16, 0), ("augmentation", 7, 1)])
def test_it_is_gone_through_by_hand_and_in_time(visit, part, places, first):
    page, root = visit(f"part={part}")
    assert (place(root), root.get_attribute("data-playing")) == (first, "false")
    root.get_by_role("button", name="One step forward").click()
    expect(root).to_have_attribute("data-place", str(first + 1))
    for _ in range(2):
        root.get_by_role("button", name="One step back").click()
    expect(root).to_have_attribute("data-place", str((first - 1) % places))
    assert followed(root, root.get_by_role("button", name="Play", exact=True), 1) == [first]
    root.get_by_role("button", name="Pause", exact=True).click()
    rest = place(root)
    page.wait_for_timeout(1_200)
    assert place(root) == rest
    expect(root.get_by_role("status")).not_to_be_empty()
    with page.expect_download() as download:
        root.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert len(rows) == {"augmentation": 7 * 24}.get(part, places)
    assert all(float(value) >= -3 for value in rows[0].values())


def test_masks_and_digits_move_by_themselves(visit):
    page, root = visit("part=dropout", reduced_motion="no-preference")
    assert root.get_attribute("data-playing") == "true"
    before = int(root.get_attribute("data-shown"))
    soon(page, lambda: int(root.get_attribute("data-shown")) >= before + 2)


def at_rest(locator):
    """Return the box of something that the page has stopped moving."""
    wait_ready(locator.page)
    box, before = locator.bounding_box(), None
    while box != before:
        locator.page.wait_for_timeout(300)
        box, before = locator.bounding_box(), box
    return box


def test_a_hand_moves_the_bowl_and_the_engine_answers(visit):
    page, root = visit("part=norms")
    handle, picture = root.locator(".handle"), root.locator(".map")
    at_rest(picture)
    handle.hover()  # which may scroll
    box = at_rest(picture)
    unit = box["width"] * (250 - 26) / 500 / 3
    target = (box["x"] + box["width"] / 2 - 2 * unit, box["y"] + box["height"] / 2 - 1.5 * unit)
    page.mouse.down()
    page.mouse.move(*target, steps=12)
    page.mouse.up()  # while older answers are on their way
    expect(handle).to_have_attribute("aria-label", re.compile(r"\((−2\.00|−1\.9|−2\.0)"))
    page.wait_for_url(re.compile(r"c1=-(1\.9|2)"))
    wait_ready(page)
    found = {name: float(re.search(rf"{name}=(-?[\d.]+)", page.url)[1]) for name in ("c1", "c2")}
    assert found == pytest.approx({"c1": -2, "c2": 1.5}, abs=0.11)
    c = np.array([found["c1"], found["c2"]])
    (w,) = lp_norms.constrained_minimum(c, lp_norms.bowl(2, 20), np.array([0.8]), 1)
    written = "({}, {})".format(*(f"{it:.2f}" for it in w)).replace("-", "−")
    expect(root.locator("dd").nth(1)).to_have_text(written)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.wait_for_url(re.compile(rf"c2={found['c2'] - 0.5:g}(\.0)?(&|$)"))
    soon(page, lambda: f"c1={found['c1'] + 0.05:g}" in page.url)


def test_a_hand_may_say_the_same_again(visit):
    page, root = visit("part=norms&c1=1.8&c2=0.8")
    handle, touching = root.locator(".handle"), root.locator(".contour.touching")
    slider = page.locator(".st-key-regularization_c1").get_by_role("slider")
    for _ in range(2):
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_url(re.compile("c1=1.85"))
        expect(touching).not_to_have_attribute("rx", "0.00")
        slider.press("ArrowLeft")
        soon(page, lambda: "c1=1.85" not in page.url)
        expect(handle).to_have_attribute("aria-label", re.compile(r"\(1\.80"))


def test_a_corner_is_said_to_be_one(visit):
    _page, root = visit("part=norms&budget=0.5")
    verdict, on = root.locator(".verdict"), root.get_by_role("button", name="One step forward")
    expect(verdict).to_have_text("w₂ is exactly 0.")
    for _ in range(10):
        on.click()
    expect(verdict).to_have_text("No weight is 0.")
    expect(root.locator("dd").first).to_have_text("1.00")
    root.locator("button.forward").evaluate("button => { for (let n = 0; n < 40; n++) button.click(); }")
    expect(verdict).to_have_text("The budget is large enough: nothing is given up.")
    on.click()
    expect(verdict).to_have_text("Both weights are 0.")
    _page, root = visit("part=norms&p=0.5&budget=1.2&c2=1.5")
    expect(root.locator(".verdict")).to_have_text("No weight is 0.")
    expect(root.locator("dd").nth(1)).to_have_text(re.compile(r"\(\d\.\de−5, 1\.19\)"))  # which 0.00 would deny


def test_units_are_missing_in_training_and_there_at_test_time(visit):
    page, root = visit("part=dropout&rate=0.5&units=6")
    network = root.locator(".dropout")
    root.get_by_role("button", name="Mask 7", exact=True).click()
    expect(root).to_have_attribute("data-place", "6")
    kept = int(network.get_attribute("data-kept"))
    assert root.locator(".network .unit.off").count() == 12 - kept
    assert set(root.locator(".hidden-unit:not(.off) text").all_text_contents()) == {"×2.00"}
    root.get_by_label("Test time").check()
    expect(network).to_have_attribute("data-kept", "12")
    assert root.locator(".network .unit.off").count() == 0
    assert set(root.locator(".hidden-unit text").all_text_contents()) == {"×1.00"}
    root.get_by_role("button", name="One step forward").click()
    expect(root.get_by_label("Test time")).not_to_be_checked()
    masks = root.locator(".many button").first.inner_html()
    page.get_by_role("button", name="New numbers").click()
    page.wait_for_url(re.compile("draw=1"))
    expect(root.locator(".many button").first).not_to_have_js_property("innerHTML", masks)


def test_the_sheet_is_painted_anew_at_every_look(visit):
    _page, root = visit("part=augmentation&mixed=1")
    look = "canvas => canvas.toDataURL()"
    seen = set()
    for n in range(3):
        expect(root).to_have_attribute("data-place", str(n + 1))
        seen.add(root.locator("canvas").evaluate(look))
        root.get_by_role("button", name="One step forward").click()
    assert len(seen) == 3


def test_five_runs_go_step_by_step_in_one_figure(page, app_url):
    page.goto(f"{app_url}/regularization?preset=course-regularizers")
    wait_ready(page)
    view = page.locator(".kasane-liveview[data-frames]")
    view.wait_for()
    page.get_by_role("button", name="10 steps").click()
    for n in range(5):
        expect(view.locator(".kcp-runs tbody tr").nth(n).locator("td").first).to_have_text("10")
    view.locator("[data-block=layers]").scroll_into_view_if_needed()
    expect(view.locator(".kcp-layers small").first).to_contain_text("near 0")
    assert view.locator(".kcp-layers canvas").count() == 5 * 7
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").click()
    expect(view.locator("[data-fact=step]")).not_to_have_text("0")


def test_a_stretch_of_patience(page, app_url):
    page.goto(f"{app_url}/regularization?part=stopping&patience=2")
    wait_ready(page)
    said = page.get_by_text(re.compile("Best at step"))
    expect(said).to_contain_text("after 2 evaluations")
    page.get_by_role("slider", name="Patience").press("ArrowRight")
    expect(said).to_contain_text("after 3 evaluations")
    page.wait_for_url(re.compile("patience=3"))


@pytest.mark.parametrize("n", range(2))
def test_what_to_try_comes_into_sight(visit, n):
    page, root = visit("part=augmentation", viewport={"width": 390, "height": 844})
    page.locator(f".st-key-try_{n} button").click()
    page.wait_for_url(re.compile(("norms", "dropout")[n]))
    expect(root.locator(".tools")).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(1_000)
    expect(root.locator(".tools")).to_be_in_viewport(ratio=1)


def test_what_was_looked_at_once_is_not_brought_into_sight_again(visit):
    page, _root = visit("part=norms", viewport={"width": 390, "height": 844})
    page.locator(".st-key-try_1 button").click()
    expect(page.locator(".dropout-pane .tools")).to_be_in_viewport(ratio=1)
    page.locator(".st-key-try_2 button").click()
    page.wait_for_url(re.compile("stopping"))
    wait_ready(page)
    page.get_by_role("radio", name="Augmentation").click()
    expect(page.locator(".sheet-pane")).to_be_visible()
    wait_ready(page)
    page.wait_for_timeout(1_000)
    expect(page.get_by_role("radio", name="Augmentation")).to_be_in_viewport()


@pytest.mark.parametrize(("width", "language"), [(390, "ja"), (1440, "en")])
def test_nothing_is_wider_than_the_screen_and_nothing_jumps(open_page, app_url, width, language):
    page = open_page(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    travel = """(root) => Array.from({ length: 20 }, () => {
      root.querySelector("button.forward").click();
      const boxes = [...root.querySelectorAll(".tools, svg.map, svg.network, canvas, dl div, .many")];
      return JSON.stringify([root, ...boxes].map((it) => it.getBoundingClientRect()).map(({ x, y, height }) =>
        [x, y, height].map(Math.round)));
    })"""
    for part in PARTS:
        page.goto(f"{app_url}/regularization?part={part}&lang={language}")
        wait_ready(page)
        root = page.locator(".kasane-regular")
        expect(root).to_be_visible()
        assert too_wide(page) == [], part
        assert len(set(root.evaluate(travel))) == 1, part


def test_a_finger_finds_every_mask(visit):
    _, root = visit("part=dropout", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sizes = root.locator("button, .switch").evaluate_all("all => all.map(it => it.offsetHeight)")
    assert len(sizes) == 4 + 16 + 1
    assert min(sizes) >= 44
