"""The regularization page in a real Chromium: every control once, the hand on the bowl, and nothing that jumps."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from engine.analysis import lp_norms
from tests.browser.conftest import followed, resize, soon, stays, too_wide, wait_ready

pytestmark = pytest.mark.browser

PARTS = ("runs", "norms", "dropout", "augmentation", "stopping")
PANES = {"norms": ".norms-pane", "dropout": ".dropout-pane", "augmentation": ".sheet-pane"}


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


def turn_to(page, part):
    """Turn to a part, in whatever language, and return the root of its moving picture when the one before has gone."""
    page.locator("[class*=st-key-regularization_part]").get_by_role("radio").nth(PARTS.index(part)).click()
    root = page.locator(".kasane-regular")
    expect(page.locator(PANES[part])).to_be_visible()
    expect(root).to_have_count(1)
    wait_ready(page)
    return root


LOOK = 'root => root.querySelector("canvas")?.toDataURL() ?? root.querySelector("svg.map, svg.network").outerHTML'


def test_every_part_is_gone_through_by_hand_and_in_time(visit):
    page, _root = visit("part=norms")
    for part, places, first in (("norms", 61, 16), ("dropout", 16, 0), ("augmentation", 7, 1)):
        root = turn_to(page, part)
        expect(root).to_have_attribute("data-place", str(first))
        expect(root).to_have_attribute("data-playing", "false")
        looks = {root.evaluate(LOOK)}
        root.get_by_role("button", name="One step forward").click()
        expect(root).to_have_attribute("data-place", str(first + 1))
        looks.add(root.evaluate(LOOK))
        for _ in range(2):
            root.get_by_role("button", name="One step back").click()
        expect(root).to_have_attribute("data-place", str((first - 1) % places))
        looks.add(root.evaluate(LOOK))
        assert len(looks) == 3, part  # it is drawn anew at every place
        assert followed(root, root.get_by_role("button", name="Play", exact=True), 1) == [first]
        root.get_by_role("button", name="Pause", exact=True).click()
        if part == "norms":  # where a place lasts a twelfth of a second
            rest = root.get_attribute("data-place")
            page.wait_for_timeout(400)
            assert root.get_attribute("data-place") == rest
        expect(root.get_by_role("status")).not_to_be_empty()
        with page.expect_download() as download:
            root.get_by_role("button", name="Download as CSV").click()
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
        assert len(rows) == {"augmentation": 7 * 24}.get(part, places)
        assert all(float(value) >= -3 for value in rows[0].values())


def test_masks_move_by_themselves_and_units_are_there_again_at_test_time(visit):
    page, root = visit("part=dropout&rate=0.5&units=6", reduced_motion="no-preference")
    expect(root).to_have_attribute("data-playing", "true")
    before = int(root.get_attribute("data-shown"))
    soon(page, lambda: int(root.get_attribute("data-shown")) >= before + 2)
    network = root.locator(".dropout")
    root.get_by_role("button", name="Mask 7", exact=True).click()
    expect(root).to_have_attribute("data-place", "6")
    kept = int(network.get_attribute("data-kept"))
    assert root.locator(".network .unit.off").count() == 12 - kept
    assert set(root.locator(".hidden-unit:not(.off) text").all_text_contents()) == {"×2.00"}
    root.get_by_label("Test time", exact=True).check()
    expect(network).to_have_attribute("data-kept", "12")
    assert root.locator(".network .unit.off").count() == 0
    assert set(root.locator(".hidden-unit text").all_text_contents()) == {"×1.00"}
    root.get_by_role("button", name="One step forward").click()
    expect(root.get_by_label("Test time", exact=True)).not_to_be_checked()
    masks = root.locator(".many button").first.inner_html()
    page.get_by_role("button", name="New numbers").click()
    page.wait_for_url(re.compile("draw=1"))
    expect(root.locator(".many button").first).not_to_have_js_property("innerHTML", masks)


def at_rest(locator):
    """Return the box of something that the page has stopped moving."""
    wait_ready(locator.page)
    box, before = locator.bounding_box(), None
    while box != before:
        locator.page.wait_for_timeout(300)
        box, before = locator.bounding_box(), box
    return box


def test_a_hand_moves_the_bowl_and_the_engine_answers(visit):
    page, root = visit("part=norms&c1=1.8&c2=0.8")
    handle, picture = root.locator(".handle"), root.locator(".map")
    slider = page.locator("[class*=st-key-regularization_c1]").get_by_role("slider")
    for _ in range(2):  # a hand may say the same again
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_url(re.compile("c1=1.85"))
        expect(root.locator(".contour.touching")).not_to_have_attribute("rx", "0.00")
        slider.press("ArrowLeft")
        soon(page, lambda: "c1=1.85" not in page.url)
        expect(handle).to_have_attribute("aria-label", re.compile(r"\(1\.80"))

    at_rest(picture)
    handle.hover()  # which may scroll
    box = at_rest(picture)
    unit = box["width"] * (250 - 26) / 500 / 3
    target = (box["x"] + box["width"] / 2 - 2 * unit, box["y"] + box["height"] / 2 - 1.5 * unit)
    page.mouse.down()
    page.mouse.move(*target, steps=12)
    page.mouse.up()  # while older answers are on their way
    expect(handle).to_have_attribute("aria-label", re.compile(r"\((−2\.00|−1\.9|−2\.0)"))

    def told() -> list[float]:
        return [float((re.search(rf"{name}=(-?[\d.]+)", page.url) or [0, 0])[1]) for name in ("c1", "c2")]

    soon(page, lambda: told() == pytest.approx([-2, 1.5], abs=0.11))
    wait_ready(page)
    c = np.array(told())
    (w,) = lp_norms.constrained_minimum(c, lp_norms.bowl(2, 20), np.array([0.8]), 1)
    written = "({}, {})".format(*(f"{it:.2f}" for it in w)).replace("-", "−")
    expect(root.locator("dd").nth(1)).to_have_text(written)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    soon(page, lambda: told() == pytest.approx([c[0] + 0.05, c[1] - 0.5]))


def test_a_corner_is_said_to_be_one(visit):
    page, root = visit("part=norms&budget=0.5")
    verdict, facts, on = (
        root.locator(".verdict"),
        root.locator("dd"),
        root.get_by_role("button", name="One step forward"),
    )

    def go_on(times: int) -> None:
        root.locator("button.forward").evaluate("(it, n) => { while (n--) it.click(); }", times)

    expect(verdict).to_have_text("w₂ is exactly 0.")
    go_on(10)
    expect(verdict).to_have_text("No weight is 0.")
    expect(facts.first).to_have_text("1.00")
    go_on(40)
    expect(verdict).to_have_text("The budget is large enough: nothing is given up.")
    on.click()
    expect(verdict).to_have_text("Both weights are 0.")
    page.locator("[class*=st-key-regularization_p]").get_by_role("slider").press("Home")  # 0.5
    root.locator(".handle").focus()
    for key in ("Shift+ArrowUp", "Shift+ArrowUp", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_url(re.compile(r"p=0\.5.*c2=1\.5"))
    go_on(24)
    expect(facts.first).to_have_text("1.20")
    expect(verdict).to_have_text("No weight is 0.")
    expect(facts.nth(1)).to_have_text(re.compile(r"\(\d\.\de−5, 1\.19\)"))  # which 0.00 would deny


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
    runs = view.locator(".kcp-runs tbody button").evaluate_all("all => all.map((it) => it.textContent.trim())")
    expect(view.locator(".kcp-row")).to_have_text(runs)  # whole: the first layer's title had no room for it
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").click()
    expect(view.locator("[data-fact=step]")).not_to_have_text("0")


def test_on_a_phone_what_to_try_comes_into_sight_once_and_a_finger_finds_every_mask(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page.goto(f"{app_url}/regularization?part=stopping")
    wait_ready(page)
    for n, part in enumerate(("norms", "dropout")):
        page.locator(f".st-key-try_{n} button").click()
        page.wait_for_url(re.compile(part))
        expect(page.locator(f"{PANES[part]} .tools")).to_be_in_viewport(ratio=1)
        page.wait_for_timeout(1_000)
        expect(page.locator(f"{PANES[part]} .tools")).to_be_in_viewport(ratio=1)
    touched = page.locator(".kasane-regular").locator("button, .switch")
    sizes = touched.evaluate_all("all => all.map(it => it.offsetHeight)")
    assert len(sizes) == 4 + 16 + 1
    assert min(sizes) >= 44

    page.locator(".st-key-try_2 button").click()
    page.wait_for_url(re.compile("stopping"))
    wait_ready(page)
    page.get_by_role("radio", name="Augmentation").click()
    expect(page.locator(".sheet-pane")).to_be_visible()
    wait_ready(page)
    page.wait_for_timeout(1_000)  # what was looked at once is not brought into sight again
    expect(page.get_by_role("radio", name="Augmentation")).to_be_in_viewport()


def test_nothing_is_wider_than_the_screen_and_nothing_jumps(visit):
    page, root = visit("part=norms")
    for language, width in (("en", 1440), ("ja", 390)):
        if language == "ja":
            page.get_by_text("日本語", exact=True).click()
        expect(root).to_have_attribute("lang", language)
        resize(page, width)
        for part in PANES:
            turn_to(page, part)
            soon(page, lambda: too_wide(page) == [])
            assert stays(root, ".tools, svg.map, svg.network, canvas, dl div, .many", 20), part
