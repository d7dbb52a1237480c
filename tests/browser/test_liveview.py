"""The live view under real conditions: the real server trains, Chromium draws, and both are asked what they have."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from engine.runs import protocol
from pages._ui.i18n import catalog
from tests.browser.conftest import soon, wait_ready

pytestmark = pytest.mark.browser

ENDLESS = "network=dense8&steps=1000000"
TOY = "data=toy2d&network=dense4+dense2&activation=tanh&steps=1000000"


class Screen:
    """The Train page, what one can do with its live view, and what the server knows about the run it shows."""

    def __init__(self, page, url: str, query: str, *, train: bool = True) -> None:
        self.page, self.server = page, url.replace("http", "ws")
        self.sockets: list = []
        page.on("websocket", lambda socket: "/live/" in socket.url and self.sockets.append(socket))
        page.goto(f"{url}/train?{query}")
        wait_ready(page)
        self.root = page.locator(".kasane-liveview")
        self.until("+d.frames > 0")
        if train:
            self.press("Train")
            self.until("d.state === 'running' && +d.step > 50")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def pause(self) -> None:
        self.press("Pause")
        self.until("d.state === 'paused'")

    def until(self, condition: str) -> None:
        """Wait until a condition over the data of the component's root element, `d`, holds."""
        script = f"() => {{ const d = document.querySelector('.kasane-liveview')?.dataset; return d && ({condition}) }}"
        self.page.wait_for_function(script, timeout=30_000)

    def data(self, name: str) -> int:
        return int(self.root.get_attribute(f"data-{name}"))

    def frames(self, count: int) -> None:
        """Wait for so many more frames."""
        self.until(f"+d.frames >= {self.data('frames') + count}")

    def block(self, name: str):
        block = self.root.locator(f"[data-block={name}]")
        block.scroll_into_view_if_needed()
        return block

    def plot(self, name: str, expression: str):
        """Evaluate an expression about a Plotly chart `p`."""
        figure = self.block(name).locator(".js-plotly-plot")
        return figure.evaluate(f"p => {expression}")

    def newest(self) -> tuple[dict, dict[str, np.ndarray]]:
        """Return the run's newest frame, asked from the server beside the page."""
        with connect(f"{self.server}/live/{self.sockets[-1].url.rsplit('/', 1)[1]}") as socket:
            return protocol.decode(socket.recv(timeout=10))

    def download(self, name: str) -> list[list[str]]:
        with self.page.expect_download() as download:
            self.block(name).get_by_role("button", name="Download as CSV").click()
        assert download.value.suggested_filename == f"kasane-{name}-step-{self.data('step')}.csv"
        with open(download.value.path(), newline="") as file:
            return list(csv.reader(file))


def numbers(rows: list[list[str]]) -> np.ndarray:
    return np.array([[float(cell or "nan") for cell in row] for row in rows])


def test_frames_arrive_by_themselves(page, app_url):
    screen = Screen(page, app_url, ENDLESS)  # how many in a second: tests/benchmarks/live.py
    before = screen.data("frames")
    soon(page, lambda: screen.data("frames") >= before + 12)


def test_zoom_and_hidden_lines_survive_frames_pause_and_language(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    box = screen.block("loss").locator(".nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.8, steps=5)
    page.mouse.up()
    ranges = "[...p._fullLayout.xaxis.range, ...p._fullLayout.yaxis.range]"
    zoomed = screen.plot("loss", ranges)
    assert 0 < zoomed[0] < zoomed[1]
    batch = screen.block("loss").get_by_role("button", name="Mini-batch")
    batch.click()
    screen.frames(10)
    screen.pause()
    page.get_by_role("radio", name="日本語").or_(page.get_by_role("button", name="日本語")).first.click()
    name = catalog("ja").get("Loss", "Loss")
    expect(screen.block("loss").get_by_role("heading")).to_have_text(name)
    assert screen.plot("loss", ranges) == zoomed
    assert screen.plot("loss", "p.data.map(t => t.visible)") == [False, True, True]
    assert screen.block("loss").locator(".klv-legend button").first.get_attribute("aria-pressed") == "false"
    assert screen.data("mounts") == 1
    screen.block("loss").locator("[data-tool=reset_zoom]").click()
    soon(page, lambda: screen.plot("loss", ranges)[0] == 0)


def test_the_axes_can_be_chosen(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.pause()
    header, arrays = screen.newest()
    ends = {"Steps": header["step"], "Epochs": header["epoch"], "Seconds": header["seconds"]}
    for name, end in ends.items():
        screen.root.get_by_role("radio", name=name).check()
        soon(page, lambda end=end: screen.plot("loss", "p.data[0].x.at(-1)") == pytest.approx(end, rel=0.1))
        x = screen.plot("loss", "Array.from(p.data[0].x)")
        assert 0 <= x[0] < x[-1] <= end * 1.0001
    screen.root.get_by_role("radio", name="Logarithmic").check()
    soon(page, lambda: screen.plot("loss", "p._fullLayout.yaxis.type") == "log")
    seconds = arrays["evaluated"][:, 0] * header["seconds"] / header["step"]  # about, were all steps equally long
    drawn = screen.plot("loss", "Array.from(p.data[1].x)")
    assert drawn[-1] == pytest.approx(seconds[-1], rel=0.5)


def test_another_run_is_shown_in_the_same_charts(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.press("Reset")
    screen.until("d.state === 'paused' && +d.step === 0")
    assert [socket.is_closed() for socket in screen.sockets] == [True, False]
    assert screen.data("mounts") == 1
    screen.press("Train")
    screen.until("d.state === 'running' && +d.step > 10")


def test_at_most_400_points_a_line(page, app_url):
    screen = Screen(page, app_url, f"{ENDLESS}&evaluate_every=1")
    screen.until("+d.step > 1000")
    screen.pause()
    lengths = screen.plot("loss", "p.data.map(t => t.x.length)")
    assert all(100 < length <= 400 for length in lengths)


def test_the_files_hold_the_curves(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.pause()
    header, arrays = screen.newest()
    head, *rows = screen.download("loss")
    assert head == ["step", "epoch", "seconds", "batch_loss", "train_loss", "test_loss"]
    table = numbers(rows)
    batch = table[~np.isnan(table[:, 3])]
    np.testing.assert_allclose(batch[:, [0, 3, 2]], arrays["loss"], rtol=1e-6)
    evaluated = table[~np.isnan(table[:, 4])]
    np.testing.assert_allclose(evaluated[:, [0, 4, 5]], arrays["evaluated"][:, [0, 1, 3]], rtol=1e-6)
    np.testing.assert_allclose(table[:, 1], table[:, 0] * header["batch"] / header["train_size"], rtol=1e-6)

    accuracy = numbers(screen.download("accuracy")[1:])
    np.testing.assert_allclose(accuracy[:, [0, 3, 4]], arrays["evaluated"][:, [0, 2, 4]], rtol=1e-6)

    head, *rows = screen.download("mean")
    assert head == ["step", "epoch", "seconds", "dense1_mean", "dense1_mean_std", "output_mean", "output_mean_std"]
    np.testing.assert_allclose(numbers(rows)[:, [0, 3, 4]], arrays["layer0"][:, :3], rtol=1e-6)

    head, *rows = screen.download("histograms")
    assert [int(row[3]) for row in rows] == arrays["activations"].astype(int).ravel().tolist()


def test_histograms_of_every_layer(page, app_url):
    screen = Screen(page, app_url, "network=dense8+dense8+dense8&steps=1000000")
    cells = screen.block("histograms").locator(".klv-cell")
    expect(cells).to_have_count(4)
    expect(cells.locator("b")).to_have_text(["dense1", "dense2", "dense3", "output"])
    expect(cells.first.locator("small").first).to_contain_text("mean")
    expect(cells.first.locator("small").last).to_contain_text("dead")
    ink = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .filter((value, i) => i % 4 === 3 && value > 100).length"""
    assert cells.first.locator("canvas").evaluate(ink) > 100
    screen.block("histograms").get_by_role("radio", name="Gradients").check()
    expect(cells.first.locator("small").first).to_contain_text("norm")


def test_forty_layers_still_work(page, app_url):
    screen = Screen(page, app_url, f"network={'+'.join(['dense8'] * 39)}&steps=1000000&normalization=batch")
    expect(screen.block("histograms").locator(".klv-cell")).to_have_count(40)
    screen.block("grad_norm")
    expect(screen.root.locator(".klv-history .klv-legend button")).to_have_count(40)
    page.wait_for_function("() => document.querySelector('[data-block=grad_norm] .js-plotly-plot')?.data.length === 40")
    screen.frames(3)


def test_the_plane_shows_what_the_network_makes_of_it(page, app_url):
    screen = Screen(page, app_url, TOY)
    screen.until("+d.step > 500")
    screen.pause()
    _, arrays = screen.newest()
    canvas = screen.block("plane").locator("canvas")
    page.wait_for_timeout(500)
    pixel = """(canvas, [x1, x2]) => Array.from(canvas.getContext('2d').getImageData(
        (x1 + 6) / 12 * canvas.width, (6 - x2) / 12 * canvas.height, 1, 1).data)"""
    classes, points = set(), arrays["points"]
    for x1, x2, label in points[:60].tolist():
        sure = int(arrays["plane"][int((6 - x2) / 12 * 64), int((x1 + 6) / 12 * 64)])
        red, _, blue, alpha = canvas.first.evaluate(pixel, [x1, x2])
        assert alpha == 255
        if abs(sure - 128) > 60:
            assert (blue > red) == (sure > 128)
            classes.add(sure > 128)
        if np.sort(np.hypot(points[:, 0] - x1, points[:, 1] - x2))[1] > 0.3:  # no other point covers this one
            red, _, blue, alpha = canvas.last.evaluate(pixel, [x1, x2])
            assert alpha == 255
            assert (blue > red) == (label == 1)
    assert classes == {True, False}


def test_a_unit_pointed_at_is_shown_large(page, app_url):
    screen = Screen(page, app_url, TOY, train=False)
    tiles = screen.block("units").locator(".klv-units button")
    expect(tiles).to_have_count(6)
    assert [layer.locator("button").count() for layer in screen.block("units").locator(".klv-layer").all()] == [4, 2]
    note = screen.block("plane").locator("[data-note]")
    whole = note.inner_text()
    tiles.nth(5).hover()
    expect(note).to_have_text("Hidden layer 2, unit 2")
    page.mouse.move(0, 0)
    expect(note).to_have_text(whole)
    tiles.nth(0).focus()
    expect(note).to_have_text("Hidden layer 1, unit 1")
    page.keyboard.press("ArrowRight")
    expect(note).to_have_text("Hidden layer 1, unit 2")
    order = screen.root.locator("section[data-block]").evaluate_all("all => all.map(one => one.dataset.block)")
    assert order.index("plane") < order.index("histograms")


def test_digits_have_no_plane(page, app_url):
    screen = Screen(page, app_url, ENDLESS, train=False)
    expect(screen.root.locator(".klv-toy")).to_be_hidden()


def test_at_rest_it_shows_what_the_network_gets_wrong(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    expect(screen.block("mistakes").locator("table")).to_have_count(0)
    screen.until("+d.step > 200")
    screen.pause()
    _, arrays = screen.newest()
    block = screen.block("mistakes")
    cells = block.locator("td")
    expect(cells).to_have_count(100)
    counts = [int(text) for text in cells.all_inner_texts()]
    assert counts == arrays["confusion"].ravel().tolist()
    expect(block.locator("li:visible")).to_have_count(len(arrays["wrong"]))
    pairs = [tuple(pair) for pair in arrays["wrong_labels"].tolist()]
    captions = block.locator("li b").all_inner_texts()
    assert captions == [f"{right} → {wrong}" for right, wrong in pairs]

    right, wrong = pairs[0]
    cell = cells.nth(10 * right + wrong)
    height = block.bounding_box()["height"]
    cell.click()
    page.mouse.move(0, 0)
    expect(block.locator("li:visible")).to_have_count(pairs.count(pairs[0]))
    assert block.bounding_box()["height"] == pytest.approx(height, abs=1)
    cell.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    cell.blur()
    expect(block.locator("li:visible")).to_have_count(len(pairs))

    screen.press("Resume")
    screen.until("d.state === 'running'")
    expect(screen.block("mistakes").locator(".klv-stale td")).to_have_count(100)


def test_another_page_ends_the_lease_at_once(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    page.get_by_role("link", name="Home").first.click()
    expect(screen.root).to_have_count(0)
    soon(page, lambda: screen.sockets[-1].is_closed())
    page.wait_for_timeout(4000)  # so that whoever looks comes after the page has gone, and does not keep the run going
    with connect(screen.sockets[-1].url) as socket:
        header, _ = protocol.decode(socket.recv(timeout=10))
    assert header["state"] == "paused"


def test_a_lost_connection_comes_back(page, app_url):
    routes = []

    def pass_on(socket):
        routes.append(socket)
        socket.connect_to_server()

    page.route_web_socket(re.compile("/live/"), pass_on)
    screen = Screen(page, app_url, ENDLESS)
    last = "p.data[0].x.at(-1) ?? 0"
    drawn = screen.plot("loss", last)
    page.evaluate("""() => { window.lost = false; new MutationObserver(() => { window.lost = true })
        .observe(document.querySelector('.klv-lost'), {attributes: true}) }""")
    routes[-1].close(code=3001)
    page.wait_for_function("() => window.lost")
    assert screen.plot("loss", last) >= drawn
    screen.frames(3)
    expect(screen.root.locator(".klv-lost")).to_be_hidden()
    assert len(routes) == 2


def test_a_token_that_names_nothing_makes_the_page_ask_anew(page, app_url):
    page.route_web_socket(re.compile("/live/"), lambda socket: socket.close(code=4404))
    page.goto(f"{app_url}/train?{ENDLESS}")
    page.wait_for_selector(".kasane-liveview[data-state=gone]")
    wait_ready(page)
    assert page.locator("[data-testid=stException]").count() == 0


def test_what_the_charts_show_is_also_said(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.pause()
    step = f"{screen.data('step'):,}"
    expect(screen.root.locator("[aria-live=polite]")).to_have_text(f"Paused at step {step}.")
    for name in ("loss", "accuracy", "mean", "dead", "grad_norm", "update_ratio", "histograms"):
        image = screen.block(name).locator("[role=img]").first
        expect(image).to_have_attribute("aria-label", re.compile(r"\d"), timeout=10_000)
    expect(screen.block("loss").locator("[role=img]")).to_have_attribute(
        "aria-label", re.compile(f"Loss at step {step}: ")
    )
    unnamed = "all => all.filter(one => !(one.ariaLabel || one.textContent.trim())).length"
    assert screen.root.locator("button").evaluate_all(unnamed) == 0


@pytest.mark.parametrize("query", [ENDLESS, TOY])
def test_nothing_overflows_a_narrow_screen(open_page, app_url, query):
    page = open_page(viewport={"width": 390, "height": 844})
    screen = Screen(page, app_url, query)
    screen.pause()
    for block in screen.root.locator("[data-block]:visible").all():
        block.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
    overflow = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]'))"
    assert page.evaluate(overflow) <= 0
    assert screen.root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0


def test_nothing_jumps_between_frames(page, app_url):
    screen = Screen(page, app_url, TOY)
    screen.until("+d.step > 300")
    places = "all => all.map(one => Math.round(one.getBoundingClientRect().top))"
    blocks = screen.root.locator("section[data-block]:visible")
    before = blocks.evaluate_all(places)
    screen.frames(8)
    assert blocks.evaluate_all(places) == before


@pytest.mark.parametrize(("query", "width"), [
    ("train?network=dense30+dense20", 390), (f"train?{TOY}", 1440),
    ("train?preset=ch07-simple-conv&data=mnist-5k", 1440),
    ("initialization?preset=course-inits", 390), ("initialization?preset=symmetry", 1440),
])  # fmt: skip
def test_what_comes_into_sight_has_its_height_already(open_page, app_url, query, width):
    page = open_page(viewport={"width": width, "height": 844})
    blocks = page.locator(".kasane-liveview [data-block]:not([data-block=mistakes]):visible")  # below which is nothing
    heights = "all => Object.fromEntries(all.map(one => [one.dataset.block, one.offsetHeight]))"

    def opened() -> None:
        page.goto(f"{app_url}/{query}")
        wait_ready(page)
        page.wait_for_selector(".kasane-liveview[data-frames]:not([data-frames='0'])")

    opened()
    for block in blocks.all():
        block.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    seen = blocks.evaluate_all(heights)
    opened()
    soon(page, lambda: blocks.evaluate_all(heights) == seen)
