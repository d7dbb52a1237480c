"""The normalization page in a real Chromium: from cell to cell by every way there is, and the panel of sixteen."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from engine.analysis import normalizing
from tests.browser.conftest import followed, resize, soon, stays, too_wide, wait_ready

pytestmark = pytest.mark.browser


@pytest.fixture
def visit(open_page, app_url):
    """Open the page and return (page, root of the drawing)."""

    def open_it(query="", **options):
        page = open_page(**{"reduced_motion": "reduce"} | options)
        page.goto(f"{app_url}/normalization?{query}")
        wait_ready(page)
        root = page.locator(".kasane-normal")
        expect(root).to_be_visible()
        return page, root

    return open_it


def numbers(root, field) -> list[float]:
    """Return the numbers of a field in memory's order."""
    ordered = "all => all.sort((a, b) => a.dataset.cell - b.dataset.cell).map(it => it.textContent)"
    return [float(text.replace("−", "-")) for text in root.locator(f".field.{field} i").evaluate_all(ordered)]


def at(root, cell) -> None:
    expect(root).to_have_attribute("data-cell", str(cell))


def choose(page, option) -> None:
    """Choose what a row of the page's buttons offers."""
    page.get_by_role("radio", name=option).click()


def test_it_shows_what_the_engine_computes_and_what_one_mean_is_taken_over(visit):
    page, root = visit("kind=layer&pictures=2&gamma=2&beta=-1")

    def look(kind: str, x: np.ndarray, cells: list[int]) -> None:
        """Look at the numbers, and at the cells that stand out with cell 1, when what was asked for has come."""
        expect(root.locator(".field.x i")).to_have_count(x.size)
        root.locator(".field.x i[data-cell='1']").click()
        at(root, 1)
        expect(root.locator(".heading")).to_contain_text(str(len(cells)))
        marked = root.locator(".field.x i.group").evaluate_all("cells => cells.map((it) => Number(it.dataset.cell))")
        assert sorted(marked) == cells
        done = normalizing.normalize(x, kind, gamma=2, beta=-1)
        assert numbers(root, "x") == x.ravel().tolist()
        np.testing.assert_allclose(numbers(root, "normal"), done.normal.ravel(), atol=0.0051)
        np.testing.assert_allclose(numbers(root, "y"), done.y.ravel(), atol=0.0051)

    look("layer", normalizing.batch(4, 5), [0, 1, 2, 3])
    choose(page, "Batch norm")
    expect(root.locator(".heading")).to_contain_text("for each unit")
    look("batch", normalizing.batch(4, 5), [1, 5, 9, 13, 17])
    choose(page, "A convolution")
    look("batch", normalizing.pictures(2, 3, 2), [1 + 2 * n for n in range(18)])
    choose(page, "Layer norm")
    expect(root.locator(".heading")).to_contain_text("for each picture")
    look("layer", normalizing.pictures(2, 3, 2), list(range(18)))


def test_pointing_leads_a_click_keeps_buttons_and_arrow_keys_lead_on(visit):
    page, root = visit(reduced_motion="no-preference")
    expect(root).to_have_attribute("data-playing", "true")
    root.locator(".field.y i[data-cell='6']").hover()
    at(root, 6)
    page.wait_for_timeout(1_200)  # longer than it stays anywhere
    at(root, 6)
    root.locator(".field.x i[data-cell='9']").click()
    page.mouse.move(2, 2)
    page.wait_for_timeout(1_200)
    at(root, 9)
    assert root.get_attribute("data-playing") == "false"

    root.get_by_role("button", name="One cell forward").click()
    at(root, 10)
    root.locator(".field.x i[data-cell='1']").click()
    for _ in range(2):
        root.get_by_role("button", name="One cell back").click()
    at(root, 19)
    assert followed(root, root.get_by_role("button", name="Play", exact=True), 1, attribute="data-cell") == [0]
    root.get_by_role("button", name="Pause", exact=True).click()
    root.locator(".field.x i[data-cell='0']").click()
    root.get_by_role("application").focus()
    for key, cell in (("ArrowRight", 1), ("ArrowDown", 5), ("ArrowLeft", 4), ("ArrowUp", 0), ("ArrowUp", 0)):
        page.keyboard.press(key)
        at(root, cell)
    expect(root.get_by_role("status")).to_contain_text("example 1, unit 1")


# Mounts the page's own normal.js once more, types into two cells before the page answers, and into a third after that.
TWO_AT_ONCE = """async (labels) => {
  const { default: mount } = await import(new URL("ui/normal/normal.js", document.baseURI));
  const parentElement = document.createElement("div"), said = [];
  const scene = { x: [1, 2, 3, 4], shape: [2, 2], group: [0, 1, 0, 1], kind: "batch", gamma: 1, beta: 0 };
  for (const name of ["mean", "variance", "deviation", "normal", "y"]) scene[name] = [0, 0, 0, 0];
  const setTriggerValue = (name, value) => said.push(JSON.parse(JSON.stringify(value)));
  const data = { key: "two", scene, labels, language: "en", attention: 0 };
  const answer = (heard) => mount({ parentElement, data: { ...data, heard }, setTriggerValue });
  const type = (cell, value) => {
    parentElement.querySelector(`.field.x i[data-cell="${cell}"]`).click();
    const input = parentElement.querySelector("input");
    input.value = value;
    for (const event of ["input", "change"]) input.dispatchEvent(new Event(event));
  };
  answer(null);
  type(0, 7);
  type(3, 8);
  answer(said[0]);
  type(1, 9);
  const close = answer(said[2]);
  type(2, 5);
  close();
  return said;
}"""


def what_it_is_told(page) -> list:
    words = "x normal y unit example number keys said mean variance standard output batch_units"
    return page.evaluate(TWO_AT_ONCE, dict.fromkeys(words.split(), "–"))


def test_a_number_is_typed_and_everything_follows(visit):
    page, root = visit()
    assert what_it_is_told(page) == [  # what a busy page has not heard yet is told again
        [[0, 7]],
        [[0, 7], [3, 8]],
        [[0, 7], [3, 8], [1, 9]],
        [[2, 5]],
    ]
    root.locator(".field.x i[data-cell='4']").click()
    root.get_by_label("Number in this cell").fill("7.5")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"typed=4(:|%3A)7\.5"))
    x = normalizing.batch(4, 5)
    x.flat[4] = 7.5
    expect(root.locator(".field.x i[data-cell='4']")).to_have_text("7.5")
    mean = f"= {x[:, 0].mean():.3f}".rstrip("0").replace("-", "−")
    expect(root.locator("[data-line=mean] .right")).to_have_text(mean)
    np.testing.assert_allclose(numbers(root, "normal"), normalizing.normalize(x, "batch").normal.ravel(), atol=0.0051)
    page.get_by_role("button", name="New numbers").click()
    page.wait_for_url(re.compile("draw=1"))
    soon(page, lambda: "typed" not in page.url)


def test_a_number_goes_into_the_cell_that_it_was_typed_for(visit):
    page, root = visit()
    cell = lambda n: root.locator(f".field.x i[data-cell='{n}']")  # noqa: E731
    field = root.get_by_label("Number in this cell")
    before = cell(7).inner_text()
    cell(0).click()
    field.fill("42")
    cell(7).hover()
    at(root, 0)
    cell(7).click()
    at(root, 7)
    page.wait_for_url(re.compile(r"typed=0(:|%3A)42(&|$)"))
    expect(cell(0)).to_have_text("42.0")
    expect(cell(7)).to_have_text(before)
    page.get_by_role("button", name="New numbers").click()
    page.wait_for_url(re.compile("draw=1"))
    cell(0).click()
    field.fill("42")  # once more the same
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"typed=0(:|%3A)42(&|$)"))
    expect(cell(0)).to_have_text("42.0")
    cell(3).hover()  # what was typed is told: the hand leads again, and the field goes with it
    at(root, 3)
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"3(:|%3A)[^,]*5"))


def test_every_control_is_obeyed(visit):
    page, root = visit()
    page.get_by_role("radio", name="Layer norm").click()
    expect(root.locator(".heading")).to_contain_text("for each example")
    page.get_by_role("radio", name="A convolution").click()
    expect(root.locator(".heading")).to_contain_text("for each picture")
    for name in ("pictures", "channels", "gamma", "beta"):
        page.locator(f"[class*=st-key-normalization_{name}]").get_by_role("slider").press("ArrowRight")
        page.wait_for_url(re.compile(f"{name}="))
    expect(root.locator(".field.x i")).to_have_count(4 * 3 * 9)
    with page.expect_download() as download:
        root.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    done = normalizing.normalize(normalizing.pictures(4, 3, 3), "layer")
    np.testing.assert_allclose([float(row["normal"]) for row in rows], done.normal.ravel())


def test_statistics_of_every_layer_and_sixteen_panels_with_two_lines_each(page, app_url):
    page.goto(f"{app_url}/normalization?preset=activation-statistics")
    wait_ready(page)
    view = page.locator(".kasane-liveview[data-frames]")
    view.wait_for()
    page.get_by_role("button", name="10 steps").click()
    view.locator("[data-block=history]").scroll_into_view_if_needed()
    expect(view.locator(".kcp-history canvas")).to_have_count(3)
    expect(view.locator("[data-option=over] input[value=std]")).to_be_checked()

    choose(page, "Against the initial σ")
    page.wait_for_url(re.compile("part=panel"))
    view.locator("[data-block=panel]").scroll_into_view_if_needed()
    expect(view.locator(".kcp-panel canvas")).to_have_count(16)
    expect(view.locator(".kcp-key")).to_have_text(re.compile("batch norm.*no batch norm", re.S))
    expect(view.locator("[data-fact=step]")).to_have_text("0")
    page.get_by_role("button", name="10 steps").click()
    expect(view.locator("[data-fact=step]")).to_have_text("10")
    view.get_by_text("All runs, in numbers").click()
    expect(view.locator(".kcp-runs tbody tr")).to_have_count(32)


def test_nothing_is_wider_than_the_screen_and_nothing_jumps(visit):
    page, root = visit("units=8&examples=8&channels=3&pictures=4")
    layer, batch, pictures, units = ("kind", 1), ("kind", 0), ("given", 1), ("given", 0)
    for language, width, choices in (
        ("en", 1440, (units, layer, pictures, batch)), ("ja", 390, (pictures, units, layer)),
    ):  # fmt: skip
        page.get_by_text({"en": "English", "ja": "日本語"}[language], exact=True).click()
        expect(root).to_have_attribute("lang", language)
        resize(page, width)
        for name, n in choices:
            page.locator(f"[class*=st-key-normalization_{name}]").get_by_role("radio").nth(n).click()
            soon(page, lambda name=name, n=n: (f"{name}=" in page.url) == bool(n))
            expect(root.locator(".field.x i")).to_have_count(4 * 3 * 9 if "given=" in page.url else 8 * 8)
            wait_ready(page)
            soon(page, lambda: too_wide(page) == [])
            assert stays(root, ".tools, .field, .sums p, .alone", 24), (language, page.url)


def test_every_sum_is_seen_to_its_end(visit):
    page, root = visit("draw=17&examples=5&units=5&kind=layer")
    root.locator(".field.x i[data-cell='20']").click()
    at(root, 20)
    expect(root.locator("[data-line=mean] .right")).to_have_text("= 0")  # and what is shown as nothing is taken away so
    expect(root.locator("[data-line=standard] .middle")).to_contain_text("(−1.4\u00a0−\u00a00) / 4.865")
    root.locator(".field.x i[data-cell='3']").click()
    at(root, 3)
    expect(root.locator("[data-line=variance] .middle")).to_have_text(re.compile(r"²\) / 5$"))
    ends = """(root) => [...root.querySelectorAll(".sums span")].map((it) =>
      [it.scrollWidth - it.clientWidth, it.getBoundingClientRect().right - root.getBoundingClientRect().right])"""
    for width in (320, 390, 700, 1440):
        resize(page, width)
        soon(page, lambda: all(cut <= 1 and beyond <= 1 for cut, beyond in root.evaluate(ends)))


def test_what_a_batch_of_one_does_can_be_read(visit):
    page, root = visit("examples=1&units=1")
    expect(root.locator(".heading")).to_have_text("One mean for each unit, over the only example")
    expect(root.locator(".alone")).to_contain_text("A mean over a single number is that number")
    script = """(root) => [getComputedStyle(root.querySelector(".alone")).color,
      getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor]"""
    grounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        soon(page, lambda: root.evaluate(script)[1] not in grounds)
        soon(page, lambda: contrast(*root.evaluate(script)) >= 4.5)
        grounds.add(root.evaluate(script)[1])
    choose(page, "Layer norm")
    expect(root.locator(".heading")).to_have_text("One mean for each example, over its only unit")


def contrast(*colours: str) -> float:
    """Return how many times as light one colour is as the other, by WCAG's definition."""
    darker, lighter = sorted(map(luminance, colours))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of rgb(…), by WCAG's definition."""
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
