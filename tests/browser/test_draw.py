"""The drawing pad under real hands: mouse, finger and keyboard in Chromium, with the real server behind it."""

from __future__ import annotations

import contextlib
import itertools
import json
import re

import pytest
from playwright.sync_api import expect

from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.runs import protocol
from tests.browser import conftest
from tests.browser.conftest import Line, hurry, resize, serve, soon, tap, too_wide, wait_quiet, wait_ready
from tests.pages.test_draw_page import page_of

pytestmark = pytest.mark.browser

# In parts of the pad.
SEVEN = [(0.28, 0.25), (0.7, 0.22), (0.6, 0.45), (0.42, 0.82)]
LINE = [(0.2, 0.5), (0.8, 0.5)]


class Hand:
    """A pad on a page, and what one can do with it and see of it."""

    def __init__(self, page, url: str, query: str = "") -> None:
        self.page = page
        self.asked: list[dict] = []
        self.sockets: list = []
        page.on("websocket", self._listen)
        page.goto(f"{url}/draw{query}")
        self.wait()

    def _listen(self, socket) -> None:
        if "/read/" in socket.url:
            self.sockets.append(socket)
            socket.on("framesent", self._note)

    def _note(self, frame: str) -> None:
        with contextlib.suppress(ValueError):  # a test sends nonsense
            self.asked.append(json.loads(frame))

    def wait(self) -> None:
        wait_ready(self.page)
        self.root.and_(self.page.locator("[data-replies]")).wait_for()

    @property
    def root(self):
        return self.page.locator(".kasane-canvas")

    @property
    def paper(self):
        return self.page.locator(".paper canvas")

    @property
    def replies(self) -> int:
        return int(self.root.get_attribute("data-replies"))

    @property
    def strokes(self) -> list:
        """The latest drawing that was sent."""
        return self.asked[-1]["strokes"]

    def picture(self) -> list[int]:
        script = """canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)
            .filter((_, i) => i % 4 == 0)"""
        return self.page.locator(".picture .pixels").evaluate(script)

    def ink(self) -> int:
        """How many pixels of the paper are inked."""
        script = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
            .filter((value, i) => i % 4 == 3 && value > 128).length"""
        return self.paper.evaluate(script)

    def at(self, point) -> tuple[float, float]:
        box = self.paper.bounding_box()
        return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]

    def draw(self, points, *, lift: bool = True, steps: int = 4) -> None:
        """Draw a line from point to point. steps: how often the pen is told of between two; the network reads each."""
        mouse, (first, *others) = self.page.mouse, map(self.at, points)
        mouse.move(*first)
        mouse.down()
        for point in others:
            mouse.move(*point, steps=steps)
        if lift:
            mouse.up()

    def tool(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def reads(self, digit: str, network: str = "shipped") -> None:
        """Wait until the network reads this digit ("": nothing)."""
        expect(self.root).to_have_attribute(f"data-digit-{network}", digit)

    def clear(self) -> None:
        """Make the pad as it was opened, but for what can be undone and where the keyboard's pen is."""
        page = self.page
        if self.tool("Clear").is_enabled():
            self.tool("Clear").click()
        self.tool("Pen").click()
        page.get_by_role("slider", name="Pen width").fill("16")
        page.get_by_text("Off", exact=True).click()
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(-10, -10)
        self.reads("")

    def settle(self) -> None:
        """Wait until the latest drawing is answered and no other is on its way."""
        for _ in range(100):
            asked = len(self.asked)
            self.page.wait_for_timeout(60)
            if len(self.asked) == asked and self.root.get_attribute("data-seq") == str(self.asked[-1]["seq"]):
                return
        raise AssertionError("the pad does not come to rest")


@pytest.fixture(scope="module")
def desk(opened, profile, app_url):
    """A page that is opened once, for all tests that only draw on it."""
    with opened(profile) as page:
        yield Hand(page, app_url)


@pytest.fixture
def hand(desk):
    """A hand at a blank pad where others have drawn."""
    desk.page.bring_to_front()
    desk.clear()
    return desk


@pytest.fixture
def new_hand(page, app_url):
    """A hand at a pad that has just been opened."""
    return Hand(page, app_url)


# ------------------------------------------------------------------------------------------------------ ways to draw


def test_mouse(hand):
    expect(hand.page.locator(".hint")).to_be_visible()
    hand.reads("")
    hand.draw(SEVEN)
    hand.reads("7")
    expect(hand.page.locator(".hint")).to_be_hidden()
    expect(hand.page.locator(".card .answer").last).to_have_text("7")
    meter = hand.page.locator(".card").last.get_by_role("meter", name="Probability of 7")
    soon(hand.page, lambda: int(meter.get_attribute("aria-valuenow")) > 50)
    assert re.fullmatch(r"\d+%", meter.get_attribute("aria-valuetext"))


def test_predictions_come_while_the_pen_moves(hand):
    before = hand.replies
    hand.draw(SEVEN, lift=False, steps=12)
    hand.reads("7")
    soon(hand.page, lambda: hand.replies - before >= 8)
    assert float(hand.root.get_attribute("data-latency")) > 0  # how short it is: tests/benchmarks/draw_latency.py
    hand.page.mouse.up()
    sequence = [question["seq"] for question in hand.asked]
    assert sequence == sorted(set(sequence))


def test_the_picture_is_that_of_the_preprocessing(hand):
    hand.draw(SEVEN)
    hand.settle()
    assert hand.picture() == strokes_to_image(parse_strokes(hand.strokes)).ravel().tolist()


def test_keyboard(new_hand):
    hand, keys = new_hand, new_hand.page.keyboard
    hand.paper.focus()
    keys.press(" ")
    keys.down("ArrowRight")
    keys.down("ArrowDown")
    keys.down("ArrowDown")
    keys.up("ArrowRight")
    keys.up("ArrowDown")
    keys.press(" ")
    hand.settle()
    assert hand.strokes == [[[140, 140], [146, 140], [152, 146], [158, 152]]]  # two arrows at once: a diagonal
    keys.press("Delete")
    for key, times in (("ArrowLeft", 3), ("ArrowUp", 2 + 14)):
        for _ in range(times):
            keys.press(key)
    keys.press(" ")
    for _ in range(28):
        keys.press("ArrowDown")
    keys.press(" ")
    keys.press("ArrowLeft")  # the pen is up: this draws nothing
    hand.reads("1")
    hand.settle()
    assert len(hand.strokes) == 1
    assert hand.strokes[0][0] == [140, 56]
    assert hand.strokes[0][-1] == [140, 224]
    expect(hand.page.locator(".kasane-canvas [role=status]")).to_contain_text(": 1 (")
    keys.press("Control+z")
    hand.reads("")
    keys.press("Control+y")
    hand.reads("1")
    keys.press("Delete")
    hand.reads("")
    keys.press("e")
    expect(hand.tool("Eraser")).to_have_attribute("aria-pressed", "true")


def test_the_pad_is_named_its_focus_visible_and_what_the_keys_do_said_where_nothing_lies(new_hand):
    hand, page, keys = new_hand, new_hand.page, new_hand.page.keyboard
    said = page.locator(".keys")

    def place() -> float:
        """Where the middle of the sentence is, in parts of the pad."""
        box, paper = said.bounding_box(), hand.paper.bounding_box()
        return (box["y"] + box["height"] / 2 - paper["y"]) / paper["height"]

    below = page.locator(".tools").bounding_box()
    expect(page.get_by_role("application", name="Drawing pad")).to_be_visible()
    expect(said).to_be_hidden()
    hand.paper.focus()
    keys.press("ArrowUp")
    expect(said).to_be_visible()
    assert page.locator(".paper").evaluate("paper => getComputedStyle(paper).outlineStyle") == "solid"
    soon(page, lambda: place() > 0.8)
    for _ in range(16):
        keys.press("ArrowDown")
    soon(page, lambda: place() < 0.2)  # the pen has come down there
    keys.press(" ")
    expect(said).to_be_hidden()
    keys.press("ArrowDown")
    keys.press(" ")
    expect(said).to_be_visible()
    soon(page, lambda: place() < 0.2)
    for _ in range(30):
        keys.press("ArrowUp")
    expect(said).to_be_hidden()  # ink at the foot, the pen at the head
    assert page.locator(".tools").bounding_box() == below


# ------------------------------------------------------------------------------------------------------------- tools


def test_undo_redo_and_clear(new_hand):
    hand = new_hand
    expect(hand.tool("Undo")).to_be_disabled()
    for name in ("Undo", "Redo", "Clear", "3"):  # one with nothing left to do gives its focus to the paper
        hand.draw(LINE)
        if name == "Redo":
            hand.tool("Undo").click()
        button = hand.root.get_by_role("button", name=name, exact=True)
        button.press("Enter")
        expect(button).to_be_disabled()
        expect(hand.paper).to_be_focused()
        hand.page.keyboard.press("Delete")
    hand.draw(LINE)
    hand.settle()
    first = hand.picture()
    hand.draw([(0.5, 0.2), (0.5, 0.8)])
    hand.settle()
    assert len(hand.strokes) == 2
    hand.tool("Undo").click()
    hand.settle()
    assert hand.picture() == first
    hand.tool("Redo").click()
    hand.settle()
    assert len(hand.strokes) == 2
    hand.tool("Clear").click()
    hand.reads("")
    hand.settle()
    assert hand.strokes == []
    assert not any(hand.picture())
    assert hand.ink() == 0
    hand.tool("Undo").click()
    hand.settle()
    assert len(hand.strokes) == 2


def test_eraser_cuts_a_stroke_in_two(hand):
    hand.draw(LINE)
    hand.tool("Eraser").click()
    expect(hand.tool("Eraser")).to_have_attribute("aria-pressed", "true")  # before anything is erased
    hand.draw([(0.5, 0.3), (0.5, 0.7)])
    hand.settle()
    left, right = hand.strokes
    assert left[0][0] == pytest.approx(0.2 * 280, abs=1)
    assert right[-1][0] == pytest.approx(0.8 * 280, abs=1)
    gap = right[0][0] - left[-1][0]
    assert gap == pytest.approx(2 * (5 + 16 / 2 + 16 / 2), abs=1)  # the ring's radius is 13; it takes ink it touches
    hand.tool("Undo").click()
    hand.settle()
    assert len(hand.strokes) == 1
    hand.tool("Pen").click()
    expect(hand.tool("Pen")).to_have_attribute("aria-pressed", "true")
    hand.draw([(0.5, 0.2), (0.5, 0.8)])
    hand.settle()
    assert len(hand.strokes) == 2


# How much of each side of a picture is inked: left, top, right and bottom.
SIDES = """canvas => {
  const { width, height } = canvas, context = canvas.getContext("2d");
  const sides = [[0, 0, 4, height], [0, 0, width, 4], [width - 4, 0, 4, height], [0, height - 4, width, 4]];
  const share = (values) => values.filter((value, i) => i % 4 === 3 && value > 128).length / (values.length / 4);
  return sides.map((side) => share(context.getImageData(...side).data));
}"""


def test_the_box_of_a_drawing_that_fills_the_paper_has_four_sides(hand):
    for points in ([(0.01, 0.02), (1.2, 0.5)], [(0.5, 0.5), (0.02, 1.3)]):
        hand.draw(points)
    hand.settle()
    assert min(hand.page.locator(".boxed canvas").evaluate(SIDES)) > 0.2


def test_pen_width_changes_what_a_person_sees_and_not_what_the_network_sees(hand):
    hand.draw(SEVEN)
    hand.settle()
    ink, picture = hand.ink(), hand.picture()
    slider = hand.page.get_by_role("slider", name="Pen width")
    slider.fill("28")
    soon(hand.page, lambda: hand.ink() > 1.4 * ink)
    slider.fill("6")
    soon(hand.page, lambda: hand.ink() < 0.6 * ink)
    assert hand.picture() == picture


def test_a_full_pad_says_so(hand):
    box = hand.paper.bounding_box()
    for i in range(101):
        across, down = 0.05 + 0.9 * (i % 10) / 10, 0.05 + 0.9 * (i // 10) / 11
        hand.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
    expect(hand.page.locator(".problem")).to_have_text("The pad is full; clear it or undo a stroke to go on.")
    hand.settle()
    assert len(hand.strokes) == 100


# ---------------------------------------------------------------------------------------------- what a drawing outlives


def test_a_drawing_and_that_no_feature_maps_were_asked_for_outlive_another_page_a_reload_and_the_language(new_hand):
    hand, page = new_hand, new_hand.page
    switch, inside = page.get_by_role("switch", name="Feature maps"), page.locator(".inside")
    assert hand.asked[-1]["maps"] is True
    switch.click()
    expect(inside).to_be_hidden()
    hand.draw(SEVEN)
    hand.reads("7")
    hand.settle()
    assert "maps" not in hand.asked[-1]
    page.get_by_role("link", name="Home").first.click()
    expect(hand.root).to_have_count(0)
    page.get_by_role("link", name="Draw", exact=True).first.click()
    hand.reads("7")
    page.reload()
    hand.wait()
    hand.reads("7")
    expect(inside).to_be_hidden()
    switch.click()
    expect(inside).to_be_visible()
    hand.settle()
    soon(page, lambda: page.locator(".stage canvas").count() > 3)

    ink, sockets = hand.ink(), len(hand.sockets)
    over = "main => main.scrollHeight - main.clientHeight"
    assert page.get_by_test_id("stMain").evaluate(over) <= 1  # a desktop shows it all
    page.get_by_text("日本語", exact=True).click()
    expect(hand.root).to_have_attribute("lang", "ja")
    hand.wait()
    hand.reads("7")
    assert hand.ink() == ink
    assert len(hand.sockets) == sockets  # the pad was not mounted anew
    assert page.get_by_test_id("stMain").evaluate(over) <= 1


def test_a_token_that_the_server_forgot_and_an_error_that_goes_with_the_next_stroke(tapped_page, app_url):
    refused: list[str] = []
    passed: list[str] = []

    def refuse_first_and_garble_a_stroke(socket) -> None:
        if not refused:
            refused.append(socket.url)
            socket.close(code=4404)
            return
        server = socket.connect_to_server()

        def pass_on(message: str) -> None:
            passed.append(message)
            server.send("{" if len(passed) == 2 else message)

        socket.on_message(pass_on)

    tap(tapped_page, "/read/", refuse_first_and_garble_a_stroke)
    hand = Hand(tapped_page, app_url)
    assert refused
    hand.page.mouse.click(*hand.at((0.5, 0.5)))
    expect(hand.page.locator(".problem")).to_have_text("A drawing must be JSON.")
    hand.draw(SEVEN)
    expect(hand.page.locator(".problem")).to_be_hidden()
    hand.tool("Clear").click()
    hand.draw(SEVEN)
    hand.reads("7")


def test_server_restart(new_context, tmp_path, monkeypatch):
    port = conftest.free_port()
    monkeypatch.setattr(conftest, "free_port", lambda: port)
    page = new_context().new_page()  # its console tells of the lost connections
    with serve(tmp_path) as url:
        hand = Hand(page, url)
        hand.draw(SEVEN)
        hand.reads("7")
    expect(page.locator(".problem")).to_contain_text("connection")
    with serve(tmp_path):
        expect(page.locator(".problem")).to_be_hidden()
        hand.wait()
        before = hand.replies
        hand.draw(LINE)
        soon(page, lambda: hand.replies > before)
        hand.settle()
        assert len(hand.strokes) == 2
    page.context.close()


# ------------------------------------------------------------------------------------------------------------ networks


def test_a_network_just_trained_reads_beside_the_shipped_one(page, app_url):
    page.goto(f"{app_url}/train?steps=60&network=dense20")
    wait_ready(page)
    hurry(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("button", name="Continue", exact=True)).to_be_visible()
    page.get_by_role("link", name="Draw", exact=True).first.click()
    page.locator(".kasane-canvas[data-replies]").wait_for()
    expect(page.locator(".card h3")).to_have_text(["Just trained", "Shipped with Kasane"])
    expect(page.locator(".card .about").first).to_have_text("dense20 · mnist-5k")
    assert page.locator(".card [role=meter]").count() == 20
    page.get_by_text("Gradient", exact=True).click()
    page.locator(".paper canvas").click()
    expect(page.locator(".between")).to_contain_text("Just trained: The gradient")  # it is said whose


# -------------------------------------------------------------------------------------------------- inside the network


def strip(hand, block: str):
    return hand.page.locator(".strip", has_text=re.compile(rf"^{block} ")).locator("canvas")


def bright(canvas) -> int:
    """How many pixels of a canvas are bright."""
    script = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .filter((value, i) => i % 4 == 2 && value > 120).length"""
    return canvas.evaluate(script)


def test_feature_maps_follow_the_pen(hand):
    hand.settle()
    names = hand.page.locator(".strip .what .name").all_text_contents()
    assert names[0] == "conv1"
    assert names[-1] == "output"
    empty = [bright(strip(hand, name)) for name in names[:3]]
    before = int(hand.root.get_attribute("data-maps"))
    hand.draw(SEVEN, lift=False, steps=12)
    soon(hand.page, lambda: int(hand.root.get_attribute("data-maps")) - before >= 8)
    hand.page.mouse.up()
    hand.settle()
    assert [bright(strip(hand, name)) for name in names[:3]] != empty
    assert hand.page.locator(".stage canvas").count() == len(names)


def test_a_map_that_is_pointed_at_is_enlarged_and_its_field_framed(hand):
    hand.draw(SEVEN)
    hand.settle()
    box = strip(hand, "conv1").bounding_box()
    hand.page.mouse.move(box["x"] + 28 + 14, box["y"] + 14)  # the second map
    expect(hand.page.locator(".title")).to_contain_text("conv1, map 2 of ")
    expect(hand.page.locator(".note")).to_contain_text("It has seen 6 × 6 pixels (framed).")
    for frame in (".seen .frame", ".picture .frame"):
        whole, part = (hand.page.locator(frame).locator(path).bounding_box() for path in ("xpath=..", "xpath=."))
        assert part["width"] / whole["width"] == pytest.approx(6 / 28, rel=0.02)
        ink = strokes_to_image(parse_strokes(hand.strokes))
        left, top = ((part[edge] - whole[edge]) / whole["width"] * 28 for edge in ("x", "y"))
        seen = ink[max(0, round(top)) : round(top) + 6, max(0, round(left)) : round(left) + 6]
        assert seen.any()  # the strongest unit looks at the drawing
    box = strip(hand, "output").bounding_box()
    hand.page.mouse.move(box["x"] + 7 * 26 + 11, box["y"] + 15)
    expect(hand.page.locator(".title")).to_contain_text("Output for 7")
    expect(hand.page.locator(".note")).to_have_text("It has seen the whole picture.")


def framed(hand) -> list[int]:
    """Return top, left, bottom and right of the frame in the drawing's picture, in its pixels."""
    whole, part = (hand.page.locator(f".picture{inner}").bounding_box() for inner in ("", " .frame"))
    edges = [part["y"], part["x"], part["y"] + part["height"], part["x"] + part["width"]]
    return [round(28 * (edge - whole["yx"[i % 2]]) / whole["width"]) for i, edge in enumerate(edges)]


def choose(hand, block: str) -> tuple:
    """Point at the first map of a block; return its enlarged picture, and the note about it."""
    box = strip(hand, block).bounding_box()
    hand.page.mouse.move(box["x"] + 5, box["y"] + 5)
    expect(hand.page.locator(".title")).to_contain_text(f"{block}, map 1 of ")
    return hand.page.locator(".fitted canvas"), hand.page.locator(".note")


def test_the_frame_follows_the_cell_of_a_map_that_is_pointed_at(hand):
    hand.draw(SEVEN)
    hand.settle()
    enlarged, note = choose(hand, "conv1")
    expect(note).to_contain_text("Strongest: ")
    box = enlarged.bounding_box()
    cell = box["width"] / 14
    hand.page.mouse.move(box["x"] + 6.5 * cell, box["y"] + 4.5 * cell)
    expect(note).to_have_text(re.compile(r"^Row 5, column 7: [\d.]+\. It has seen 6 × 6 pixels \(framed\)\.$"))
    assert framed(hand) == [6, 10, 12, 16]
    ring = hand.page.locator(".fitted .ring").bounding_box()
    assert round((ring["x"] - box["x"]) / cell) == 6
    hand.page.mouse.move(box["x"] + 0.5 * cell, box["y"] + 0.5 * cell)  # what lay in the padding is not seen
    expect(note).to_contain_text("It has seen 4 × 4 pixels (framed).")
    assert framed(hand) == [0, 0, 4, 4]
    hand.page.mouse.move(box["x"] - 200, box["y"])
    expect(note).to_contain_text("Strongest: ")


def test_the_cells_of_a_map_are_walked_with_the_arrow_keys(hand):
    hand.draw(SEVEN)
    hand.settle()
    enlarged, note = choose(hand, "conv1")
    hand.page.mouse.move(5, 5)
    row, column = map(int, re.search(r"row (\d+), column (\d+)", note.text_content()).groups())
    strip(hand, "conv1").focus()
    hand.page.keyboard.press("Enter")
    expect(enlarged).to_be_focused()
    hand.page.keyboard.press("ArrowDown")
    hand.page.keyboard.press("ArrowRight")
    expect(note).to_contain_text(f"Row {row + 1}, column {column + 1}: ")
    assert enlarged.get_attribute("role") == "slider"
    assert enlarged.get_attribute("aria-valuenow") == str(row * 14 + column + 1)
    assert enlarged.get_attribute("aria-valuetext") == note.text_content()
    for _ in range(20):
        hand.page.keyboard.press("ArrowRight")
    expect(note).to_contain_text(f"Row {row + 1}, column 14: ")  # not around the corner
    hand.page.keyboard.press("Escape")
    expect(note).to_contain_text("Strongest: ")
    expect(strip(hand, "conv1")).to_be_focused()
    chosen = hand.page.locator(".title").text_content()
    strip(hand, "conv2").focus()
    expect(hand.page.locator(".title")).to_contain_text("conv2, map 1 ")
    strip(hand, "conv1").focus()
    expect(hand.page.locator(".title")).to_have_text(chosen)  # whoever comes back finds it
    strip(hand, "conv2").focus()
    expect(note).to_contain_text("Strongest: ")
    strip(hand, "output").focus()
    assert enlarged.get_attribute("role") == "img"  # of one number there is nothing to choose
    assert enlarged.get_attribute("tabindex") is None


def test_a_unit_has_seen_no_more_than_the_picture(hand):
    hand.draw(SEVEN)
    hand.settle()
    enlarged, note = choose(hand, "conv5")
    box = enlarged.bounding_box()
    seen = []
    for place in range(9):
        row, column = divmod(place, 3)
        hand.page.mouse.move(box["x"] + (column + 0.5) * box["width"] / 3, box["y"] + (row + 0.5) * box["height"] / 3)
        expect(note).to_contain_text(f"Row {row + 1}, column {column + 1}: ")
        seen.append((framed(hand), note.text_content().split(". ")[-1]))
    assert seen[0] == ([0, 0, 22, 22], "It has seen 22 × 22 pixels (framed).")
    assert seen[1] == ([0, 0, 22, 28], "It has seen 22 × 28 pixels (framed).")
    assert seen[4] == ([0, 0, 28, 28], "It has seen the whole picture.")


def test_maps_are_chosen_with_the_keyboard(hand):
    keys = hand.page.keyboard
    hand.settle()
    for block in ("conv2", "conv1"):
        choose(hand, block)  # whoever was here before has chosen others
    hand.page.mouse.move(5, 5)
    conv = strip(hand, "conv1")
    count = conv.get_attribute("aria-valuemax")
    conv.focus()
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(hand.page.locator(".title")).to_have_text(f"conv1, map 3 of {count}")
    assert conv.get_attribute("aria-valuenow") == "3"
    assert conv.get_attribute("aria-valuetext").startswith(f"conv1, map 3 of {count}. Strongest: ")
    keys.press("End")
    keys.press("ArrowRight")  # there are no more
    expect(hand.page.locator(".title")).to_have_text(f"conv1, map {count} of {count}")
    keys.press("Tab")
    expect(hand.page.locator(".title")).to_contain_text("conv2, map 1 of")


# -------------------------------------------------------------------------------------------------- why this answer?


def overlaid(hand) -> int:
    script = """canvas => canvas.getContext('2d').getImageData(0, 0, 28, 28).data
        .filter((value, i) => i % 4 == 3 && value > 40).length"""
    return hand.page.locator(".picture .overlay").evaluate(script)


def test_what_the_answer_hangs_on_lies_over_the_picture(hand):
    between = hand.page.locator(".between")
    hand.draw(SEVEN)
    hand.settle()
    assert overlaid(hand) == 0
    for name, said in (("Gradient", "The gradient of the output for 7"), ("Grey patch", "A grey patch")):
        hand.page.get_by_text(name, exact=True).click()
        expect(between).to_contain_text(said)
        soon(hand.page, lambda: overlaid(hand) > 20)
        hand.page.get_by_text("Off", exact=True).click()
        expect(between).to_contain_text("The box around your strokes")
        soon(hand.page, lambda: overlaid(hand) == 0)


def colours(hand) -> int:
    """How many shades there are on the paper."""
    script = """canvas => new Set(new Uint32Array(canvas.getContext('2d')
        .getImageData(0, 0, canvas.width, canvas.height).data.buffer).filter(rgba => rgba >>> 24 === 255)).size"""
    return hand.paper.evaluate(script)


def test_strokes_are_coloured_by_what_the_answer_owes_them(hand):
    hand.page.get_by_text("Strokes", exact=True).click()
    hand.draw(SEVEN, lift=False)
    soon(hand.page, lambda: colours(hand) == 1)
    assert hand.asked[-1].get("why") == ""  # not while the pen moves: every piece costs an answer
    hand.page.mouse.up()
    expect(hand.page.locator(".between")).to_contain_text("Your strokes were erased piece by piece")
    soon(hand.page, lambda: colours(hand) > 3)
    hand.page.get_by_text("Off", exact=True).click()
    soon(hand.page, lambda: colours(hand) == 1)


def test_what_is_no_digit_is_not_read_as_one(hand):
    hand.draw([(0.1 + 0.8 * (i % 2), 0.1 + 0.04 * i) for i in range(21)])
    hand.reads("?")
    expect(hand.page.locator(".card .sure")).to_have_text("Not a digit")
    expect(hand.page.locator(".card .answer")).to_have_text("?")
    expect(hand.page.locator(".verdict .forced")).to_have_text("If it had to be one:")
    expect(hand.page.locator(".three li").first).to_have_text(re.compile(r"^\d: \d+%$"))  # no "certainly" beside it
    expect(hand.page.locator(".kasane-canvas [role=status]")).to_have_text("Shipped with Kasane: Not a digit")
    hand.tool("Clear").click()
    hand.reads("")
    hand.draw(SEVEN)
    hand.reads("7")
    expect(hand.page.locator(".three li").first).to_have_text(re.compile(r"^7: [a-z ]+, \d+%$"))
    expect(hand.page.locator(".verdict .forced")).to_have_text("")


def test_the_same_percentage_has_the_same_word(tapped_page, app_url):
    """The answers of a network of our own making, either side of what the words change at."""

    def answer(socket) -> None:
        server = socket.connect_to_server()

        def change(message: bytes) -> None:
            header, arrays = protocol.decode(message)
            header["networks"][0] |= {"probabilities": [0.9851, 0.0451, 0.0549, *7 * [0.0]], "digit": 0, "known": True}
            socket.send(protocol.encode(header, arrays))

        server.on_message(change)

    tap(tapped_page, "/read/", answer)
    hand = Hand(tapped_page, app_url)
    expect(hand.page.locator(".three li")).to_have_text(
        ["0: certainly, 99%", "2: very unlikely, 5%", "1: very unlikely, 5%"]
    )


# --------------------------------------------------------------------------------------------------------- my digits


def test_my_digits_are_kept_and_learned_and_outlive_a_reload_but_no_removal(new_hand, tmp_path):
    hand, page = new_hand, new_hand.page
    three, kept = page.locator(".digits button", has_text="3"), page.locator(".kept figure")
    expect(three).to_be_disabled()
    hand.draw(SEVEN)
    hand.settle()
    three.click()
    expect(page.locator(".kept").first).to_have_text("Kept as a 3")
    expect(three).to_be_disabled()  # the same drawing once
    page.get_by_text("My digits (1)", exact=True).click()
    expect(page.locator(".kept img")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    record = json.loads(download.value.path().read_text())
    assert (record["label"], record["strokes"]) == (3, hand.strokes)

    (tmp_path / "photo.png").write_bytes(page_of(3, 1, 4))
    page.get_by_text("Read a photo or picture", exact=True).click()
    expect(page.get_by_role("button", name="Learn my digits")).to_have_count(0)  # nor its place for files
    page.locator("input[type=file]").set_input_files(tmp_path / "photo.png")
    expect(page.locator(".found figure")).to_have_count(3)
    expect(page.get_by_text("Shipped with Kasane: 3 1 4")).to_be_visible()
    expect(page.get_by_label("What is really written there, digit by digit")).to_have_value("314")
    page.get_by_role("button", name="Keep in My digits").click()
    expect(page.get_by_text("Kept in My digits: 3.")).to_be_visible()
    expect(page.get_by_role("button", name="Keep in My digits")).to_be_disabled()

    page.get_by_text("My digits (4)", exact=True).click()
    page.get_by_role("button", name="Learn my digits").click()
    expect(page.get_by_text("Read right before and after")).to_be_visible()
    expect(page.locator(".card h3")).to_have_text(["Shipped with Kasane", "Tuned on your digits"])
    expect(hand.root).to_have_attribute("data-digit-tuned", re.compile("."))
    page.get_by_label("Network", exact=True).select_option("Tuned on your digits")
    hand.paper.scroll_into_view_if_needed()
    hand.draw(LINE)  # the pad goes on
    expect(three).to_be_enabled()
    page.wait_for_url(re.compile("tuned=tuned-"))

    page.reload()
    hand.wait()
    expect(page.locator(".card h3")).to_have_text(["Shipped with Kasane", "Tuned on your digits"])
    page.get_by_text("My digits (4)", exact=True).click()
    expect(kept).to_have_text(["4", "1", "3", "3"])
    for left in (3, 2, 1, 0):
        page.get_by_role("button", name="Remove the last").click()
        expect(kept).to_have_count(left)
    expect(page.get_by_text("My digits (0)", exact=True)).to_be_visible()
    hand.settle()
    page.reload()
    hand.wait()
    hand.settle()
    expect(page.get_by_text("My digits (0)", exact=True)).to_be_visible()


def test_only_what_is_said_of_a_drawing_is_told_the_page_and_all_of_it(tapped_page, app_url):
    line = Line(tapped_page)
    hand = Hand(tapped_page, app_url)
    page, kept = hand.page, hand.page.locator(".correct .kept")

    def say(digit: int) -> None:
        page.locator(".digits button", has_text=str(digit)).click()

    line.hold()
    hand.draw(SEVEN)
    hand.draw(LINE)
    hand.settle()
    assert line.waiting == []  # of strokes the page hears nothing
    say(1)
    assert kept.text_content() == ""
    hand.tool("Clear").click()
    hand.draw(LINE)
    say(7)
    line.let_go()
    expect(kept).to_have_text("Kept as a 7")
    page.get_by_text("My digits (2)", exact=True).click()
    figures = page.locator(".kept figure")
    expect(figures).to_have_text(["7", "1"])
    say(4)  # that was wrong
    expect(kept).to_have_text("Kept as a 4")
    expect(figures).to_have_text(["4", "1"])
    page.get_by_role("button", name="Remove the last").click()
    expect(page.get_by_text("My digits (1)", exact=True)).to_be_visible()
    expect(kept).to_have_text("")
    say(4)
    expect(kept).to_have_text("Kept as a 4")
    page.get_by_text("日本語", exact=True).click()
    expect(kept).to_have_text("4 として保存")
    expect(figures).to_have_text(["4", "1"])


# ----------------------------------------------------------------------------------------------------------- screens


@pytest.fixture(scope="module")
def phone(opened, context_of):
    with opened(context_of(has_touch=True, is_mobile=True)) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        yield page


def test_on_a_phone_feature_maps_wait_to_be_asked_for_and_a_finger_chooses_a_cell(phone, app_url):
    hand = Hand(phone, app_url)
    hand.draw(SEVEN)
    hand.settle()
    assert all("maps" not in question for question in hand.asked)
    expect(phone.locator(".inside")).to_be_hidden()
    foot = hand.root.evaluate("root => root.getBoundingClientRect().bottom")
    assert phone.get_by_text("Read a photo or picture", exact=True).bounding_box()["y"] - foot < 60
    phone.get_by_role("switch", name="Feature maps").tap()
    expect(phone.locator(".inside")).to_be_visible()
    hand.settle()
    enlarged, note = phone.locator(".fitted canvas"), phone.locator(".note")
    enlarged.scroll_into_view_if_needed()
    expect(note).to_contain_text("Strongest: ")
    enlarged.tap(position={"x": 3, "y": 3})
    expect(note).to_contain_text("Row 1, column 1: ")
    phone.wait_for_timeout(300)  # the finger has been lifted
    expect(note).to_contain_text("Row 1, column 1: ")
    phone.reload()
    hand.wait()
    expect(phone.locator(".inside")).to_be_visible()
    phone.evaluate("sessionStorage.clear()")


def test_a_finger_draws_on_a_phone_and_all_of_it_is_in_reach(phone, app_url):
    hand = Hand(phone, app_url, "?lang=en")
    devtools = phone.context.new_cdp_session(phone)

    def touch(kind: str, *fingers) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(map(hand.at, fingers))]
        devtools.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    touch("Start", SEVEN[0])
    for a, b in itertools.pairwise(SEVEN):
        for i in range(1, 11):
            touch("Move", (a[0] + (b[0] - a[0]) * i / 10, a[1] + (b[1] - a[1]) * i / 10))
    touch("Start", SEVEN[-1], (0.9, 0.9))  # a second finger does nothing
    touch("Move", SEVEN[-1], (0.1, 0.9))
    touch("End")
    hand.reads("7")
    hand.settle()
    assert len(hand.strokes) == 1
    assert max(x for x, _ in hand.strokes[0]) < 0.75 * 280
    assert phone.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0

    photo, place = phone.locator(".st-key-to_photo button"), phone.get_by_test_id("stFileUploaderDropzone")
    link = phone.get_by_test_id("stPageLink-NavLink").locator("span").last
    for language in ("en", "ja"):
        if language != "en":
            phone.get_by_text("日本語", exact=True).click()
            expect(hand.root).to_have_attribute("lang", language)
            hand.wait()
        assert too_wide(phone) == []
        assert hand.paper.bounding_box()["width"] > 340
        assert link.evaluate("words => words.scrollWidth <= words.clientWidth")  # all of it can be read
        for name in ("pen", "eraser", "undo", "redo", "clear"):
            box = phone.locator(f".tools button.{name}").bounding_box()
            assert min(box["width"], box["height"]) >= 44

    assert photo.bounding_box()["height"] >= 44
    assert photo.bounding_box()["y"] < phone.locator(".paper").bounding_box()["y"]
    for _ in range(2):  # and again, back at the pad
        photo.click()
        expect(place).to_be_in_viewport(ratio=1)
        wait_quiet(phone)
        photo.scroll_into_view_if_needed()
    assert too_wide(phone) == []
    resize(phone, 1440, 900)
    expect(photo).to_be_hidden()


def test_nothing_jumps_when_the_first_answer_comes(page, tapped_page, app_url):
    def place(page) -> float:
        return page.locator(".layers").evaluate("layers => layers.getBoundingClientRect().top")

    mute, spoken = tapped_page, page
    tap(mute, "/read/", lambda socket: None)
    mute.goto(f"{app_url}/draw")
    wait_ready(mute)
    mute.locator(".layers").wait_for()
    Hand(spoken, app_url)
    for width in (1440, 390):
        for it in (mute, spoken):
            resize(it, width, 900)
        spoken.wait_for_timeout(300)
        assert place(mute) == pytest.approx(place(spoken), abs=2)
