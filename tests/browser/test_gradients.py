"""The stage of the gradients page in a real Chromium: its numbers are the engine's, and every control of it works."""

from __future__ import annotations

import csv
import io
import json
import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from engine.analysis.derivatives import CURVES, difference
from tests.browser.conftest import Line, followed, resize, soon, too_wide, wait_ready

pytestmark = pytest.mark.browser


class Visit:
    """The page, and what one can see and do on it."""

    def __init__(self, page, url: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{url}/gradients{query}")
        self.wait()

    def wait(self) -> None:
        wait_ready(self.page)
        self.root.and_(self.page.locator(":not([data-drawn='0'])")).wait_for()

    @property
    def root(self):
        return self.page.locator(".kasane-graph")

    @property
    def position(self) -> float:
        return float(self.root.get_attribute("data-position"))

    def at(self, position: float) -> None:
        expect(self.root).to_have_attribute("data-position", f"{position:g}")

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def scrub(self, position: float) -> None:
        """Move the slider of moments by hand, and let it go."""
        self.page.get_by_label("Moment").evaluate(
            """(it, position) => { it.value = position;
               for (const type of ["input", "change"]) it.dispatchEvent(new Event(type)); }""",
            position,
        )

    def hurry(self) -> None:
        """Move as fast as it can."""
        self.page.get_by_label("Speed").evaluate("(it) => { it.value = 1; it.dispatchEvent(new Event('input')); }")

    def texts(self, selector: str) -> list[str]:
        """Return what is visible of some labels."""
        found = self.page.locator(f".kasane-graph {selector}")
        return found.evaluate_all(
            "all => all.filter(it => it.getAttribute('visibility') !== 'hidden').map(it => it.textContent)"
        )

    def numbers(self, selector: str) -> list[float]:
        return [float(text.replace("−", "-")) for text in self.texts(selector)]

    def asked(self, name: str) -> str:
        return parse_qs(urlsplit(self.page.url).query).get(name, [""])[0]


@pytest.fixture
def visit(page, app_url):
    return lambda query="": Visit(page, app_url, query)


@pytest.fixture
def still(open_page, app_url):
    """Visits of someone who asked for less motion: every scene stands at its end."""
    page = open_page(reduced_motion="reduce")
    return lambda query="": Visit(page, app_url, query)


# --- the computational graph ------------------------------------------------------------------------------------------


def test_numbers_flow_forwards_and_gradients_back(visit):
    it = visit("?preset=ch05-apples")
    it.button("Pause").click()
    it.hurry()
    it.scrub(0)
    assert sorted(it.numbers(".value")) == [1.1, 2, 3, 100, 150]
    assert it.texts(".gradient") == []
    assert it.page.locator(".result b").text_content() == "?"
    for position, value in ((1, 200), (2, 450), (3, 650), (4, 715)):
        it.button("One step forward").click()
        it.at(position)
        assert value in it.numbers(".value")
    assert it.page.locator(".result b").text_content() == "715"
    for position, gradients in ((5, [1]), (6, [1, 1.1, 650]), (7, [1, 1.1, 1.1, 1.1, 650])):
        it.button("One step forward").click()
        it.at(position)
        assert sorted(it.numbers(".gradient")) == gradients
    expect(it.page.locator(".formula")).to_have_text("∂L/∂y = 1.1")
    it.button("One step back").click()
    it.at(6)
    it.button("Play").click()
    it.at(9)
    assert sorted(it.numbers(".gradient")) == [1, 1.1, 1.1, 1.1, 2.2, 3.3, 110, 165, 650]
    expect(it.root).to_have_attribute("data-playing", "false")
    expect(it.page.get_by_role("status")).to_contain_text("Backwards, 5 of 5")

    with it.page.expect_download() as download:
        it.button("Download as CSV").click()
    assert download.value.suggested_filename == "kasane-circuit.csv"
    rows = {row["node"]: row for row in csv.DictReader(io.StringIO(download.value.path().read_text("utf-8")))}
    assert float(rows["tax"]["gradient"]) == pytest.approx(650)
    assert float(rows["result"]["value"]) == pytest.approx(715)

    it.scrub(3)
    it.page.get_by_text("日本語", exact=True).click()  # which leaves everything where it is
    expect(it.root).to_have_attribute("lang", "ja")
    assert it.position == 3
    assert it.asked("preset") == "ch05-apples"


def test_an_edited_number_flows_both_ways(visit):
    it = visit("?preset=ch05-apples")
    it.hurry()
    it.scrub(0)
    field = it.page.get_by_role("spinbutton", name="Price of an apple")
    field.fill("120")
    field.press("Enter")
    it.page.wait_for_url(re.compile("apple_price=120"))
    expect(it.root).to_have_attribute("data-playing", "true")  # the new numbers run
    it.at(9)
    assert it.page.locator(".result b").text_content() == "759"
    assert {120, 240, 690, 759} <= set(it.numbers(".value"))
    assert sorted(it.numbers(".gradient")) == [1, 1.1, 1.1, 1.1, 2.2, 3.3, 132, 165, 690]
    expect(field).to_be_focused()
    field.fill("99999999")  # as far as it goes
    field.press("Enter")
    it.page.wait_for_url(re.compile("apple_price=10000"))
    expect(field).to_have_value("10000")
    field.fill("")
    field.press("Enter")
    expect(field).to_have_value("10000")
    assert it.page.locator("[data-testid=stAlert]").count() == 0


def test_one_neuron_and_softmax(still):
    it = still("?part=graph&graph=neuron&bends=relu")
    it.at(15)
    it.page.get_by_role("spinbutton", name="w₁").fill("4")
    it.page.keyboard.press("Enter")
    it.page.wait_for_url(re.compile("w1=4"))
    expect(it.page.locator(".result b")).to_have_text("3.38")  # ½ (4 − 0.6 + 0.2 − 1)²
    it.at(15)
    it.button("One step back").click()
    expect(it.page.locator(".formula + ul")).to_contain_text("= 2.6 · (−2) = −5.2")  # two signs do not stand together
    it.page.get_by_text("Softmax and cross-entropy", exact=True).click()
    it.at(31)
    y = np.exp([2, 1, -1]) / np.exp([2, 1, -1]).sum()
    gradients = it.page.locator("[data-testid=stTable] tbody tr > :last-child")

    def found() -> list[float]:
        return [float(number.replace("−", "-")) for number in gradients.all_text_contents()]

    soon(it.page, lambda: found() == pytest.approx(y - [0, 1, 0], abs=1e-5))
    it.page.locator("[class*=st-key-gradients_label]").get_by_text("1", exact=True).click()
    it.page.wait_for_url(re.compile("label=1"))
    expect(it.page.locator(".result b")).to_have_text(f"{-np.log(y[0]):.6g}")


def test_numbers_typed_while_the_server_is_busy_all_arrive(tapped_page, app_url):
    line = Line(tapped_page)
    it = Visit(tapped_page, app_url, "?preset=ch05-apples")
    price, count, oranges = (
        it.page.get_by_role("spinbutton", name=name)
        for name in ("Price of an apple", "Number of apples", "Number of oranges")
    )
    line.hold()
    for field, number in ((price, "250"), (count, "4")):
        field.fill(number)
        field.press("Tab")
    oranges.press("ControlOrMeta+A")
    it.page.keyboard.type("12")
    line.let_go()
    it.page.wait_for_url(re.compile("apple_price=250.*apple_count=4"))
    expect(oranges).to_have_value("12")  # the page's answers do not disturb who is typing
    it.page.keyboard.type("5")
    oranges.press("Enter")
    it.page.wait_for_url(re.compile("orange_count=125"))
    for field, number in ((price, "250"), (count, "4"), (oranges, "125")):
        expect(field).to_have_value(number)


# --- the slope --------------------------------------------------------------------------------------------------------


def test_chords_and_slopes_are_the_engines(page, app_url):
    page.goto(f"{app_url}/_stcore/health")  # a document of the server's, no page of ours
    found = json.loads(
        page.evaluate(
            """async (curves) => {
              const { CURVES, chord } = await import("/ui/graph/slope.js");
              return JSON.stringify(Object.fromEntries(Object.entries(curves).map(([name, points]) =>
                [name, points.map((x) => {
                  const [f, slope] = CURVES[name];
                  const hs = [1e-2, 1e-6, 1e-12], kinds = ["forward", "central"];
                  const chords = kinds.flatMap((kind) => hs.map((h) => chord(f, x, h, kind).slope));
                  return [f(x), slope(x), ...chords];
                })])));
            }""",
            {name: np.linspace(it_.low + 0.02, it_.high, 9).tolist() for name, it_ in CURVES.items()},
        )
    )
    for name, curve in CURVES.items():
        for x, row in zip(np.linspace(curve.low + 0.02, curve.high, 9), found[name], strict=True):
            y = float(curve.value(x))
            assert row[:2] == pytest.approx([y, float(curve.slope(x))], rel=1e-12, abs=1e-14)
            for n, kind in enumerate(("forward", "central")):
                expected = [float(difference(curve.value, x, h, kind)) for h in (1e-2, 1e-6, 1e-12)]
                rounding = [4e-16 * max(abs(y), 1) / h for h in (1e-2, 1e-6, 1e-12)]
                for value, wanted, slack in zip(row[2 + 3 * n : 5 + 3 * n], expected, rounding, strict=True):
                    assert value == pytest.approx(wanted, rel=1e-9, abs=4 * slack)


def test_slopes_at_the_points_of_the_curve_follow_h(still):
    it = still("?curve=book&chord=forward")
    assert it.texts(".names text") == ["f′(5) ≈ 0.200001", "f′(10) ≈ 0.300001"]
    it.scrub(-1)
    expect(it.page.locator(".names text")).to_have_text(["f′(5) ≈ 0.3", "f′(10) ≈ 0.4"])  # h = 10: 0.01 h more


def test_a_kink_has_no_tangent(still):
    it = still("?curve=abs&x=0&chord=forward")
    facts, tangents = it.page.locator(".slope dd"), it.page.locator(".slope path.tangent")
    ways = "all => all.map(it => it.getAttribute('d'))"
    for rises in ("1", "0"):
        expect(facts.nth(1)).to_have_text(rises)
        assert facts.all_inner_texts() == ["1e−4", rises, "no derivative", "–"]
        assert tangents.evaluate_all(ways) == ["", ""]
        expect(it.page.get_by_role("status")).to_contain_text("there is no derivative")
        it.page.get_by_role("radio", name="Central").click()
    it.page.get_by_role("slider", name="x", exact=True).press("ArrowRight")
    expect(facts.nth(2)).to_have_text("1")
    assert all(tangents.evaluate_all(ways))


def test_a_hand_moves_x_and_h(still):
    it = still()
    facts = it.page.locator(".slope dd")
    assert facts.all_inner_texts()[:3] == ["1e−4", "0.2", "0.2"]
    it.scrub(1)
    it.page.wait_for_url(re.compile("h=0.1"))
    it.button("One step forward").click()
    it.at(2)
    box = it.page.locator(".whole").bounding_box()
    it.page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 100)
    it.page.mouse.down()
    it.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 150, steps=5)
    assert it.asked("x") == ""  # not before it is let go
    it.page.mouse.up()
    it.page.wait_for_url(re.compile(r"[?&]x="))
    x = float(it.asked("x"))
    assert 9 < x < 11
    assert facts.all_inner_texts()[2] == f"{0.02 * x + 0.1:.8g}"
    expect(it.page.get_by_role("spinbutton", name="x", exact=True)).to_have_value(f"{x:g}")
    handle = it.page.get_by_role("slider", name="x", exact=True)
    handle.focus()
    it.page.keyboard.press("ArrowRight")
    it.page.wait_for_url(re.compile(rf"[?&]x={x + 0.2:g}"))
    wait_ready(it.page)
    assert it.position == 2  # nothing started again


def test_the_chord_closes_in_by_itself(visit):
    it = visit("?curve=square&x=1")
    it.hurry()
    it.at(4)
    assert it.texts(".where") == ["h = 1e−4"]
    assert followed(it.root, it.button("Play"), 1, attribute="data-position") == [0]  # from the start again
    it.at(4)
    it.scrub(15)
    expect(it.page.locator(".slope dd").nth(1)).to_have_text(re.compile(r"^(1\.9|2\.[0-9])"))  # rounding shows


# --- the field --------------------------------------------------------------------------------------------------------


def test_a_descent_step_by_step_from_where_a_click_is(still):
    it = still("?preset=ch04-descent")
    it.scrub(0)
    facts = it.page.locator(".field dd")
    assert facts.all_inner_texts() == [
        "(−3, 4)", "(−6, 8)", "(−3, 4) − 0.1 · (−6, 8) = (−2.4, 3.2)", "25",
    ]  # fmt: skip
    it.button("One step forward").click()
    it.at(1)
    assert facts.all_inner_texts()[0] == "(−2.4, 3.2)"
    it.scrub(20)
    assert facts.all_inner_texts()[0] == "(−0.03459, 0.04612)"
    assert it.page.locator(".stops circle").count() == 21

    box = it.page.locator(".plane").bounding_box()
    it.page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.2)
    it.page.wait_for_url(re.compile("start0="))
    x = [float(it.asked(name)) for name in ("start0", "start1")]
    assert x[0] > 2
    assert x[1] > 1.5
    expect(it.page.get_by_role("spinbutton", name="Start x₀")).to_have_value(f"{x[0]:g}")
    it.scrub(0)
    expect(facts.first).to_have_text("({:g}, {:g})".format(*x))


def test_the_axes_of_a_descent_are_named_and_the_picture_grows_with_an_explosion(still):
    it = still("?part=field")
    rate = it.page.get_by_role("spinbutton", name="Learning rate")
    ticks = it.page.locator(".plane .axes text")

    def look(title: str, wanted: list[str] = (), unwanted: str = "") -> None:
        """Look at the axes, as soon as numbers say that the descent is the one that was asked for."""
        beside = it.page.locator(".course .axes text[text-anchor=end]")
        soon(it.page, lambda: {*wanted} <= {*beside.all_text_contents()} - {unwanted} == {*beside.all_text_contents()})
        it.at(20)
        assert beside.count() >= 2
        assert it.texts(".plane .axes .name") == ["x₀", "x₁"]
        assert it.texts(".course .axes .name") == ["Step"]
        assert it.texts(".beside h2")[-1] == title
        under = it.page.locator(".course .axes text[text-anchor=middle]:not(.name)").all_text_contents()
        assert under == ["0", "5", "10", "15", "20"]

    look("f(x) step by step, log scale", ["0.01", "0.1", "1", "10"])
    rate.fill("10")
    rate.press("Enter")
    look("f(x) step by step, log scale", ["1", "10⁵", "10¹⁰", "10¹⁵", "10²⁰"])
    assert any("e12" in text or "e13" in text for text in ticks.all_text_contents())
    point, frame = (it.page.locator(name).bounding_box() for name in (".plane .point", ".frame"))
    assert frame["x"] <= point["x"] <= frame["x"] + frame["width"]
    it.scrub(0)
    assert "4" in ticks.all_text_contents()
    rate.fill("0.00001")
    rate.press("Enter")
    look("f(x) step by step, log scale", unwanted="10⁵")
    it.page.get_by_role("combobox", name="Function").click()
    it.page.get_by_role("option", name="Saddle").click()
    expect(it.page.locator(".beside h2").last).to_have_text("f(x) step by step")
    look("f(x) step by step")


# --- the page ---------------------------------------------------------------------------------------------------------


def test_three_clicks_from_home(open_page, app_url):
    page = open_page(reduced_motion="reduce")
    answers = {
        "Derivative": ".kasane-graph .slope",
        "Activation functions": ".k-cards",
        "Gradient and descent": ".kasane-graph .field",
        "Computational graph": ".kasane-graph .circuit",
        "Gradient check": "text=/[1-9][0-9,]* of 39,760 parameters/",  # what it comes to: tests/pages
        "Losses": "text=/times as hard/",
    }
    page.goto(app_url)
    wait_ready(page)
    page.get_by_text("Learning", exact=True).click()
    page.get_by_role("menuitem", name="Gradients").click()
    for part, answer in answers.items():
        page.locator("[class*=st-key-gradients_part]").get_by_text(part, exact=True).click()
        if part == "Gradient check":
            expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.locator(answer).first).to_be_visible()


def test_what_to_try_comes_into_sight(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(f"{app_url}/gradients?part=losses")
    wait_ready(page)
    page.get_by_role("button", name="A dead ReLU").click()
    page.locator(".circuit").wait_for()
    expect(page.locator(".kasane-graph .tools")).to_be_in_viewport()


PARTS = ("derivative", "activations", "field", "graph", "check", "losses")

# Every part of the page, the graph three times: which of them, and what is there when it has come.
LOOKS = (
    ("derivative", 0, ".kasane-graph[data-position='4'] .slope"),
    ("activations", 0, ".k-cards"),
    ("field", 0, ".kasane-graph[data-position='20'] .field"),
    ("graph", 0, ".kasane-graph[data-position='9'] .circuit"),
    ("graph", 1, ".kasane-graph[data-position='15'] .circuit"),
    ("graph", 2, ".kasane-graph[data-position='31'] .circuit"),
    ("check", 0, "[data-testid=stProgress]"),
    ("losses", 0, ".kasane-liveview[data-frames]"),
)

OVERLAPS = """root => {
  const boxes = [...root.querySelectorAll(".labels text, .given, .result, .node circle")]
    .filter((it) => it.getAttribute("visibility") !== "hidden")
    .map((it) => [it, it.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    const wide = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const high = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (wide > 2 && high > 4) found.push([a.textContent, b.textContent, wide, high]);
  }));
  return found;
}"""

TRAVEL = """root => {
  const slider = root.querySelector(".scrub"), seen = new Set();
  for (let n = 0; n <= 60; n++) {
    slider.value = Number(slider.min) + (n / 60) * (slider.max - slider.min);
    slider.dispatchEvent(new Event("input"));
    const parts = [...root.querySelectorAll(".tools, .plot, .facts, .board, .words, h2")];
    const boxes = parts.map((it) => it.getBoundingClientRect());
    seen.add(JSON.stringify(boxes.map(({ x, y, height }) => [x, y, height].map(Math.round))));
  }
  return seen.size;
}"""


def test_everything_has_its_place(open_page, app_url):
    """Nothing is wider than the screen, no number lies on another, no formula is cut, nothing jumps while it moves."""
    page = open_page(reduced_motion="reduce")
    page.goto(f"{app_url}/gradients?part=activations&which=sample")
    wait_ready(page)
    root = page.locator(".kasane-graph")
    for language, widths in (("en", [390]), ("ja", [390, 1440])):
        if language == "ja":
            page.get_by_text("日本語", exact=True).click()
            page.locator(".st-key-language_ja").wait_for()
        for part, graph, there in LOOKS:
            page.locator("[class*=st-key-gradients_part]").get_by_role("radio").nth(PARTS.index(part)).click()
            if part == "graph":
                page.locator("[class*=st-key-gradients_graph]").get_by_role("radio").nth(graph).click()
            page.locator(there).wait_for()
            wait_ready(page)
            page.locator(".katex-display").first.wait_for()
            narrowest = [320] if part == "graph" and language == "ja" else []
            for width in narrowest + widths:
                resize(page, width)
                soon(page, lambda: too_wide(page) == [])
                if part in ("derivative", "field", "graph"):
                    expect(root).to_have_count(1)
                    soon(page, lambda: root.evaluate(OVERLAPS) == [])
                    if width >= 390:  # below, a heading may need another line of the room that is kept for it
                        assert root.evaluate(TRAVEL) == 1, (part, graph)
