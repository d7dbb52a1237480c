"""Pictures that a hand moves along sideways (pages/_ui/served/drag.js): a finger that scrolls leaves them be."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go_to, resize, soon, wait_quiet, wait_ready

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}
PICTURES = {  # page, part: the picture, and the attribute of an element that says where it stands
    ("Gradients", ""): (".kasane-graph .whole", ".kasane-graph .handle", "aria-valuenow"),
    ("Initialization", "Why sigmoid loses ¾"): (".ksp-curve", ".ksp-slider input", "aria-valuetext"),
    ("Optimizers", ""): (".kr-chart", ".kasane-race", "data-step"),
}
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"


def touch(page, *way: tuple[float, float]) -> None:
    """Put a finger down, move it from place to place, and lift it."""
    devtools = page.context.new_cdp_session(page)
    for i, (x, y) in enumerate(way):
        kind = "touchMove" if i else "touchStart"
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_moves_it_sideways_and_scrolls_the_page(open_page, app_url):
    page = open_page(**PHONE)
    page.goto(app_url)
    wait_ready(page)
    for place, picture in PICTURES.items():
        resize(page, 1440)  # where the navigation is at hand
        go_to(page, "Learning", *place)
        page.locator(picture[0]).wait_for()
        resize(page, 390)
        moved_by_a_finger(page, *picture)


def moved_by_a_finger(page, picture: str, sign: str, attribute: str) -> None:
    picture, sign = page.locator(picture), page.locator(sign).first
    picture.scroll_into_view_if_needed()
    wait_quiet(page)

    def place(across: float) -> tuple[float, float]:
        box = picture.bounding_box()
        return box["x"] + across * box["width"], box["y"] + box["height"] / 2

    def now() -> str:
        return sign.get_attribute(attribute)

    before, url, scrolled = now(), page.url, page.evaluate(SCROLLED)
    x, y = place(0.8)
    touch(page, (x, y), *((x + i / 2, y + 12 * i) for i in range(1, 12)))
    soon(page, lambda: page.evaluate(SCROLLED) < scrolled)
    wait_quiet(page)
    assert (now(), page.url) == (before, url)

    (x, y), (to, _) = place(0.6), place(0.8)
    touch(page, (x, y), *((x + (to - x) * i / 8, y + i) for i in range(1, 9)))
    expect(sign).not_to_have_attribute(attribute, before)
    wait_quiet(page)
    moved = now()
    page.touchscreen.tap(*place(0.4))  # one that does not move means the place where it is
    expect(sign).not_to_have_attribute(attribute, moved)


def test_a_drag_that_ends_outside_is_told(page, app_url):
    page.goto(f"{app_url}/initialization?part=slope")
    curve, slider = page.locator(".ksp-curve"), page.locator(".ksp-slider input").first
    curve.wait_for()
    wait_quiet(page)
    box = curve.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 100
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.3 * box["width"], y, steps=3)
    page.mouse.move(x + 0.3 * box["width"], box["y"] - 40, steps=3)
    page.mouse.up()
    page.wait_for_url(re.compile(r"[?&]z=[2-5]"))
    said = slider.get_attribute("aria-valuetext")
    page.reload()
    expect(slider).to_have_attribute("aria-valuetext", said)


# Drags a picture that is no element by events given as [type, x, kind of pointer]; returns what it says of them.
STAGED = """async (events) => {
  const { drag } = await import("/ui/served/drag.js");
  const log = [], target = Object.assign(new EventTarget(), { setPointerCapture() {} });
  drag(target, () => { log.push("begin"); return () => log.push("undo"); },
    ({ clientX }) => log.push(clientX), () => log.push("end"));
  for (const [type, clientX, pointerType] of events) {
    target.dispatchEvent(new PointerEvent(`pointer${type}`, { clientX, pointerType, isPrimary: true }));
  }
  return log;
}"""
GESTURES = {
    "a finger that the browser takes late": (
        [
            ("down", 0, "touch"),
            ("move", 4, "touch"),
            ("move", 9, "touch"),
            ("cancel", 0, "touch"),
            ("move", 20, "touch"),
        ],
        ["begin", 9, "undo"],
    ),
    "a finger that it takes at once": ([("down", 0, "touch"), ("cancel", 0, "touch"), ("up", 0, "touch")], []),
    "a mouse": (
        [("move", 1, "mouse"), ("down", 2, "mouse"), ("move", 3, "mouse"), ("up", 3, "mouse"), ("move", 9, "mouse")],
        ["begin", 2, 3, "end"],
    ),
}


def test_what_the_browser_takes_for_its_own_is_undone(page, app_url):
    page.goto(f"{app_url}/_stcore/health")  # a document of the server's, no page of ours
    for name, (events, said) in GESTURES.items():
        assert page.evaluate(STAGED, [list(event) for event in events]) == said, name
