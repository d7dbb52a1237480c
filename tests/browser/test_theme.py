"""What every page looks like: it can be read, shows where the focus is, and says as much in a system's own colours."""

from __future__ import annotations

import contextlib
import re

import pytest
from playwright.sync_api import expect

from pages._ui import charts
from tests.browser.conftest import go_to, hurry, soon, wait_quiet, wait_ready

LEAST, LEAST_OF_LINES = 4.5, 3.0  # contrasts: of texts, of what is drawn
GROUND = "(element) => getComputedStyle(element).backgroundColor"
HIGHLIT = """(element) => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.cssText = "background: Highlight; forced-color-adjust: none";
  const highlight = getComputedStyle(probe).backgroundColor;
  probe.remove();
  return getComputedStyle(element).backgroundColor === highlight;
}"""
# Whether what changes colour gradually has come to its end; an element that goes may keep a transition that has.
CHANGED = "document.getAnimations().every((it) => !(it instanceof CSSTransition) || it.playState === 'finished')"
GROUNDS = {"light": (255, 255, 255), "dark": (23, 22, 20)}  # of a page


def luminance(colour: tuple[float, ...]) -> float:
    """Return the relative luminance of red, green and blue, each from 0 to 255."""
    red, green, blue = (c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def numbers(colour: str) -> tuple[float, ...]:
    """Return the red, green, blue and, where there is one, alpha of a computed colour: rgb(…), color(srgb …)."""
    found = tuple(map(float, re.findall(r"[\d.]+", colour)))
    return tuple(255 * c for c in found[:3]) + found[3:] if "srgb" in colour else found


def over(colour: tuple[float, ...], ground: tuple[float, ...], opacity: float = 1) -> tuple[float, ...]:
    """Return what is seen of a colour, translucent maybe, over a ground."""
    alpha = opacity * (colour[3] if len(colour) > 3 else 1)
    return tuple(alpha * c + (1 - alpha) * g for c, g in zip(colour[:3], ground[:3], strict=True))


STYLES = """(elements) => elements.map((element) => {
  const { color, opacity } = getComputedStyle(element);
  const grounds = [];
  for (let one = element; one; one = one.parentElement ?? one.getRootNode().host) {
    grounds.unshift(getComputedStyle(one).backgroundColor);
  }
  return [color, Number(opacity), grounds];
})"""


def readable(color: str, opacity: float, grounds: list[str]) -> float:
    """Return the contrast of a text with what it stands on."""
    seen = (255, 255, 255)
    for ground in grounds:
        seen = over(numbers(ground), seen)
    return contrast(over(numbers(color), seen, opacity), seen)


def faintest(texts) -> float:
    """Return the least contrast of elements' texts with what they stand on, 0 where there is none yet."""
    return min((readable(*style) for style in texts.evaluate_all(STYLES)), default=0)


def invalid(page) -> list[str]:
    """Return the names of the fields that a screen reader calls invalid."""
    devtools = page.context.new_cdp_session(page)
    nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
    devtools.detach()
    said = [node for node in nodes if any(it["name"] == "invalid" for it in node.get("properties", []))]
    values = {node["name"]["value"]: [it for it in node["properties"] if it["name"] == "invalid"] for node in said}
    return [name for name, [it] in values.items() if it["value"].get("value") not in (None, "false")]


def test_lines_of_charts_are_seen_on_light_and_dark():
    for colour in charts.COLOURS:
        drawn = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
        for ground in GROUNDS.values():
            assert contrast(drawn, ground) > LEAST_OF_LINES, (colour, ground)


def both(page):
    """Yield the ground of a page in the scheme that it was opened in, then in the other, as the system changes."""
    opened = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for dark in (opened, not opened):
        scheme = "dark" if dark else "light"
        page.emulate_media(color_scheme=scheme)
        soon(page, lambda ground=GROUNDS[scheme]: numbers(page.get_by_test_id("stApp").evaluate(GROUND)) == ground)
        page.wait_for_function(CHANGED)
        yield GROUNDS[scheme]


@contextlib.contextmanager
def forced_colours(page):
    page.emulate_media(forced_colors="active")
    try:
        page.wait_for_function(CHANGED)
        yield
    finally:
        page.emulate_media(forced_colors="null")


@pytest.mark.browser
def test_texts_can_be_read_on_light_and_dark_and_in_forced_colours_what_grounds_say(open_page, app_url):
    page = open_page(color_scheme="dark", reduced_motion="reduce")

    def can_be_read(*texts) -> None:
        for text in texts:
            soon(page, lambda text=text: faintest(text) > LEAST)  # a component hears of another scheme later

    page.goto(f"{app_url}/train?steps=20")
    state = page.locator(".klv-state")
    state.wait_for()
    wait_quiet(page)
    train = page.get_by_role("button", name="Train", exact=True)
    expect(state).to_have_text("Ready")
    for _ in both(page):
        can_be_read(state, train.locator("p"), page.get_by_role("radio", name="English").locator("p"))
    hurry(page)
    train.click()
    expect(state).to_have_text("Completed")
    page.locator("[data-block=mistakes]").scroll_into_view_if_needed()
    cells, batch = page.locator(".klv-confusion td"), page.locator("[data-block=loss] .swatch path").first
    cells.first.wait_for()
    stroke = "(it) => getComputedStyle(it).stroke"
    for ground in both(page):
        can_be_read(state, cells)
        soon(page, lambda ground=ground: contrast(numbers(batch.evaluate(stroke)), ground) > LEAST_OF_LINES)

    go_to(page, "Learning", "Normalization")
    grid = page.locator(".kasane-normal .grid i")
    grid.first.wait_for()
    wait_quiet(page)
    for _ in both(page):
        can_be_read(grid, page.get_by_test_id("stCaptionContainer").first)
    with forced_colours(page):
        slider = page.get_by_test_id("stSlider").first
        parts = page.get_by_role("radiogroup", name="Part of the page").get_by_role("radio")
        soon(page, lambda: parts.first.evaluate(HIGHLIT) and not parts.last.evaluate(HIGHLIT))
        for part in (slider.locator("[data-rac] [data-rac]").last, slider.locator("[role=group] > div > div").first):
            expect(part).to_have_css("border-top-style", "solid")

    go_to(page, "Learning", "Search")
    tag = page.get_by_test_id("stMultiSelectTagsContainer").locator("[data-tag]:visible").first
    switches = page.get_by_test_id("stCheckbox")
    tag.wait_for()
    wait_quiet(page)
    for _ in both(page):
        can_be_read(tag)
    with forced_colours(page):
        on = switches.filter(has=page.locator("input:checked")).first.locator("label > span + div")
        off = switches.filter(has_not=page.locator("input:checked")).first.locator("label > span + div")
        soon(page, lambda: on.evaluate(HIGHLIT) and not off.evaluate(HIGHLIT))

    go_to(page, "", "Draw")
    quiet = page.locator(".kasane-canvas h2").first
    quiet.wait_for()
    for _ in both(page):
        can_be_read(quiet)


@pytest.mark.browser
def test_no_words_of_a_link_are_cut(open_page, app_url):
    page = open_page(viewport={"width": 683, "height": 384})  # a laptop's screen, everything twice as large
    page.goto(f"{app_url}/?lang=ja")
    links = page.get_by_test_id("stMain").get_by_test_id("stPageLink-NavLink")
    expect(links).to_have_count(3 + 8)
    wait_ready(page)
    cut = "all => all.filter(it => it.clientWidth && it.scrollWidth > it.clientWidth).map(it => it.textContent)"
    assert links.locator("span").evaluate_all(cut) == []


@pytest.mark.browser
def test_the_focus_is_seen(page, app_url):
    outline = "(element) => getComputedStyle(element).outlineStyle"
    page.goto(app_url)
    card = page.get_by_role("link", name="Draw a digit")
    card.wait_for()
    wait_quiet(page)
    page.keyboard.press("Tab")
    for name in ("Skip to main content", "Home", "Train"):
        link = page.get_by_role("link", name=name, exact=True)
        expect(link).to_be_focused()
        assert link.evaluate(outline) == "solid" or name.startswith("Skip"), name
        page.keyboard.press("Tab")
    card.focus()
    assert card.evaluate(outline) == "solid"
    go_to(page, "Learning", "Optimizers")
    page.locator(".kr-map").wait_for()
    wait_quiet(page)
    page.keyboard.press("Tab")  # a hand is at the keyboard again, which a click has ended
    page.get_by_role("switch", name="SGD").focus()
    track = page.get_by_test_id("stCheckbox").first.locator("label > span + div")
    assert track.evaluate(outline) == "solid"
    page.locator(".kr-map").focus()  # what its canvases do not cover
    assert page.locator(".kr-picture").evaluate(outline) == "solid"


@pytest.mark.browser
def test_no_number_is_called_invalid_and_a_key_moves_it_as_far_as_ever(page, app_url):
    page.goto(f"{app_url}/train")
    page.locator(".klv-state").wait_for()
    wait_quiet(page)
    steps = page.get_by_role("spinbutton", name="Steps", exact=True)
    expect(steps).to_have_value("10000")
    assert invalid(page) == []
    steps.press("ArrowUp")
    expect(steps).to_have_value("10100")
    steps.press("Enter")
    page.wait_for_url(re.compile("steps=10100"))
    wait_quiet(page)
    assert invalid(page) == []
