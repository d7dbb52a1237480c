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
from tests.browser.conftest import Line, soon, wait_quiet, wait_ready
from tests.patience import PATIENCE

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
        self.until("d.state === 'paused' && d.rests === 'true'")

    def until(self, condition: str) -> None:
        """Wait until a condition over the data of the component's root element, `d`, holds."""
        script = f"() => {{ const d = document.querySelector('.kasane-liveview')?.dataset; return d && ({condition}) }}"
        self.page.wait_for_function(script)

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
            return protocol.decode(socket.recv(timeout=PATIENCE))

    def download(self, name: str, *, step: int | None = None) -> list[list[str]]:
        with self.page.expect_download() as download:
            self.block(name).get_by_role("button", name="Download as CSV").click()
        at = self.data("step") if step is None else step
        assert download.value.suggested_filename == f"kasane-{name}-step-{at}.csv"
        with open(download.value.path(), newline="") as file:
            return list(csv.reader(file))


def doctored(page, doctor) -> None:
    """Have `doctor(header, arrays)` change every frame on its way to the page."""

    def connected(socket):
        server = socket.connect_to_server()

        def pass_on(message: bytes) -> None:
            header, arrays = protocol.decode(message)
            arrays = {name: array.copy() for name, array in arrays.items()}
            doctor(header, arrays)
            socket.send(protocol.encode(header, arrays))

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/live/"), connected)


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


def test_what_was_chosen_is_there_when_one_comes_back(page, app_url):
    screen = Screen(page, app_url, ENDLESS, train=False)
    screen.press("10 steps")
    screen.until("+d.step === 10")
    chosen = ("Epochs", "Logarithmic", "Weights")
    for name in chosen:
        screen.root.get_by_role("radio", name=name, exact=True).check()
    batch = screen.block("loss").get_by_role("button", name="Mini-batch")
    batch.click()
    page.get_by_role("link", name="Home").first.click()
    page.wait_for_url(lambda url: "train" not in url)  # an entry of the history, which comes after the page
    wait_ready(page)
    page.go_back()
    screen.until("d.mounts === '2' && +d.step === 10")
    for name in chosen:
        expect(screen.root.get_by_role("radio", name=name, exact=True)).to_be_checked()
    expect(batch).to_have_attribute("aria-pressed", "false")
    soon(page, lambda: screen.plot("loss", "p.data?.[0]?.visible === false && p._fullLayout.yaxis.type") == "log")


def test_the_charts_come_though_plotly_could_not_be_had_at_first(new_context, app_url):
    context = new_context()
    page, errors, refused = context.new_page(), [], []

    def refuse_twice(route):
        if len(refused) == 2:
            return route.continue_()
        refused.append(route)
        return route.abort() if len(refused) == 1 else route.fulfill(status=503)

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(re.compile(r"plotly\.min\.js"), refuse_twice)
    screen = Screen(page, app_url, ENDLESS, train=False)
    screen.press("10 steps")
    expect(screen.block("loss").locator(".js-plotly-plot .main-svg").first).to_be_visible()
    assert (errors, len(refused)) == ([], 2)
    context.close()


def test_the_axes_can_be_chosen(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.pause()
    header, arrays = screen.newest()
    steps, _, seconds = arrays["loss"].T
    axes = {"Steps": steps, "Epochs": steps * header["batch"] / header["train_size"], "Seconds": seconds}
    for name, axis in axes.items():
        screen.root.get_by_role("radio", name=name).check()
        low, high = axis[-2] * (1 - 1e-5), axis[-1] * (1 + 1e-5)  # many points are drawn as means of two
        soon(page, lambda low=low, high=high: low <= screen.plot("loss", "p.data[0].x.at(-1)") <= high)
        assert 0 <= screen.plot("loss", "p.data[0].x[0]") < low
    screen.root.get_by_role("radio", name="Logarithmic").check()
    soon(page, lambda: screen.plot("loss", "p._fullLayout.yaxis.type") == "log")
    known = [0, *steps, header["step"]], [0, *seconds, header["seconds"]]
    drawn = screen.plot("loss", "Array.from(p.data[1].x)")
    assert drawn == pytest.approx(np.interp(arrays["evaluated"][:, 0], *known), rel=1e-4, abs=1e-6)


def test_steps_are_plain_numbers(fresh_page, app_url):
    def faster(header, arrays):
        header["step"] *= 2000
        for name in arrays.keys() & {"loss", "evaluated", "layer0", "layer1"}:
            arrays[name][:, 0] *= 2000

    doctored(fresh_page, faster)
    screen = Screen(fresh_page, app_url, ENDLESS, train=False)
    screen.press("10 steps")
    screen.until("+d.step === 20000")
    ticks = "[...p.querySelectorAll('.{}tick text')].map(it => it.textContent)"
    for name in ("loss", "accuracy", "mean"):
        soon(fresh_page, lambda name=name: screen.plot(name, ticks.format("x"))[-1:] in (["15k"], ["20k"]))
        texts = [*screen.plot(name, ticks.format("x")), *screen.plot(name, ticks.format("y"))]
        assert [text for text in texts if not re.fullmatch(r"−?[\d.]+[k%]?", text)] == []


def test_what_no_logarithm_has_is_not_drawn(page, app_url):
    screen = Screen(page, app_url, ENDLESS, train=False)
    for name, known in (("1 step", "markers"), ("1 step", "lines")):
        screen.press(name)
        soon(page, lambda known=known: screen.plot("update_ratio", "p.data[0]?.mode") == known)
    y = screen.plot("update_ratio", "Array.from(p.data[0].y, it => it > 0 ? it : null)")
    assert y[0] is None  # before the first step there is no update
    assert None not in y[1:]


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
    classes = set()
    points, held_out = (arrays["points"][arrays["points"][:, 3] == test, :3] for test in (0, 1))
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
    screen.block("plane").get_by_role("radio", name="Test set", exact=True).check()
    far = next(point for point in points if np.hypot(*(held_out - point)[:, :2].T).min() > 0.4)
    soon(page, lambda: canvas.last.evaluate(pixel, far[:2].tolist())[3] == 0)  # of the training set no more
    alone = [p for p in held_out if np.sort(np.hypot(*(held_out - p)[:, :2].T))[1] > 0.3][:30]
    for x1, x2, label in np.array(alone).tolist():
        red, _, blue, alpha = canvas.last.evaluate(pixel, [x1, x2])
        assert alpha == 255
        assert (blue > red) == (label == 1)


def test_a_unit_pointed_at_is_shown_large(page, app_url):
    screen = Screen(page, app_url, TOY, train=False)
    tiles = screen.block("units").locator(".klv-units button")
    expect(tiles).to_have_count(10)
    layers = screen.block("units").locator(".klv-layer")
    assert [layer.locator("button").count() for layer in layers.all()] == [2, 4, 2, 2]
    assert layers.locator("small").all_inner_texts() == [
        "Inputs: x₁, x₂",
        "Hidden layer 1",
        "Hidden layer 2",
        "Outputs",
    ]
    note = screen.block("plane").locator("[data-note]")
    whole = note.inner_text()
    tiles.nth(7).hover()
    expect(note).to_have_text("Hidden layer 2, unit 2")
    page.mouse.move(0, 0)
    expect(note).to_have_text(whole)
    tiles.nth(1).focus()
    expect(note).to_have_text("Input x₂")
    page.keyboard.press("ArrowDown")
    expect(note).to_have_text("Hidden layer 1, unit 3")
    page.keyboard.press("ArrowLeft")
    expect(note).to_have_text("Hidden layer 1, unit 2")
    tiles.nth(9).focus()
    expect(note).to_have_text("Output for class 1")
    order = screen.root.locator("section[data-block]").evaluate_all("all => all.map(one => one.dataset.block)")
    assert order.index("plane") < order.index("histograms")


# The colour of the canvas of lines halfway between the lower edge of one tile and the upper edge of another.
HALFWAY = """(canvas, [from, to]) => {
  const [a, b, box] = [from, to, canvas].map(it => it.getBoundingClientRect());
  const x = (a.left + a.right + b.left + b.right) / 4 - box.left, y = (a.bottom + b.top) / 2 - box.top;
  const scale = canvas.width / box.width;
  return Array.from(canvas.getContext('2d').getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data);
}"""


def test_weights_are_lines_and_those_of_a_unit_pointed_at_stand_out(fresh_page, app_url):
    def two_weights(header, arrays):
        if "links0" in arrays:
            arrays["links0"][:] = 0
            arrays["links0"][1, 2], arrays["links0"][0, 0] = -4, 4 - 1e-6

    doctored(fresh_page, two_weights)
    screen = Screen(fresh_page, app_url, TOY, train=False)
    block = screen.block("units")
    canvas, tiles = block.locator(".klv-network > canvas"), block.locator(".klv-units button")

    def color(source: int, target: int) -> list[int]:
        return canvas.evaluate(HALFWAY, [tiles.nth(source).element_handle(), tiles.nth(target).element_handle()])

    inputs, hidden = [0, 1], [2, 3, 4, 5]
    soon(fresh_page, lambda: color(inputs[0], hidden[0])[3] == 255)
    red, _, blue, alpha = color(inputs[1], hidden[2])
    assert alpha == 255
    assert red > blue  # negative: orange
    said = re.compile(r"The largest weight of an input: Input x₂ → Hidden layer 1, unit 3, −4\.$")
    expect(block.locator(".klv-units")).to_have_attribute("aria-label", said)
    red, _, blue, _ = color(inputs[0], hidden[0])
    assert blue > red  # positive
    assert color(inputs[0], hidden[2])[3] == 0  # a weight of zero
    tiles.nth(hidden[2]).hover()
    soon(fresh_page, lambda: 0 < color(inputs[0], hidden[0])[3] < 100)
    assert color(inputs[1], hidden[2])[3] == 255
    fresh_page.mouse.move(0, 0)
    soon(fresh_page, lambda: color(inputs[0], hidden[0])[3] == 255)


def test_weights_of_another_network_than_the_page_names_are_not_drawn(fresh_page, app_url):
    def older(header, arrays):
        if "links1" in arrays:
            arrays["links1"] = arrays["links1"][:3]

    doctored(fresh_page, older)
    screen = Screen(fresh_page, app_url, TOY, train=False)
    expect(screen.block("units").locator(".klv-units button")).to_have_count(10)
    expect(screen.block("units").locator(".klv-network > canvas")).to_be_hidden()


def test_layers_too_wide_for_lines_have_none(page, app_url):
    screen = Screen(page, app_url, TOY.replace("dense4", "dense13"), train=False)
    block = screen.block("units")
    expect(block.locator(".klv-units button")).to_have_count(2 + 13 + 2 + 2)
    expect(block.locator(".klv-network > canvas")).to_be_hidden()
    expect(block.get_by_text("Lines are weights")).to_be_hidden()
    expect(
        block.get_by_text("Lines for weights are shown in networks of at most 12 units a layer, 64 in all.")
    ).to_be_visible()


def test_units_that_are_left_out_are_named(page, app_url):
    screen = Screen(page, app_url, "data=toy2d&network=dense100+dense4+dense100", train=False)
    layers = screen.block("units").locator(".klv-layer")
    assert [layer.locator("button").count() for layer in layers.all()] == [2, 30, 4, 30, 2]
    titles = ["Hidden layer 1: 30 of 100 units", "Hidden layer 2", "Hidden layer 3: 30 of 100 units"]
    assert layers.locator("small").all_inner_texts()[1:4] == titles
    expect(layers.nth(3).locator("button").last).to_have_attribute("title", "Hidden layer 3, unit 30")


def test_the_run_before_is_drawn_behind_this_one_and_can_be_hidden(page, app_url):
    screen = Screen(page, app_url, "network=dense8&steps=300&evaluate_every=50", train=False)
    screen.press("Train")
    screen.until("d.state === 'completed'")
    blocks = screen.root.locator("section[data-block]:not([data-block=mistakes]):visible")
    places = "all => all.map(one => Math.round(one.offsetTop))"
    before = blocks.evaluate_all(places)
    screen.press("New weights")
    screen.until("+d.step === 0 && d.rests === 'true'")
    name = screen.root.get_by_role("button", name="before: Seed 0")
    soon(page, lambda: [len(x) for x in screen.plot("accuracy", "p.data.map(t => [...t.x])")] == [7, 7, 1, 1])
    assert screen.plot("loss", "p.data.map(t => t.x.at(-1))")[:2] == [300, 300]
    assert screen.plot("loss", "p.data[0].line.width < p.data.at(-1).line.width")
    assert blocks.evaluate_all(places) == before  # nothing has moved
    assert screen.download("accuracy")[0] == ["step", "epoch", "seconds", "train_accuracy", "test_accuracy"]
    screen.root.get_by_role("radio", name="Epochs").check()
    soon(page, lambda: screen.plot("accuracy", "p.data[0].x.at(-1)") == 300 * 100 / 4000)
    name.click()
    visible = "p.data.map(t => t.visible)"
    soon(page, lambda: screen.plot("accuracy", visible) == [False, False, True, True])
    soon(page, lambda: screen.plot("loss", visible) == [False, False, True, True, True])
    expect(name).to_have_attribute("aria-pressed", "false")


CLOUD = "network=dense30+dense9&steps=1000000"


def test_the_cloud_moves_while_it_learns_and_at_rest_is_what_the_run_has(page, app_url):
    screen = Screen(page, app_url, CLOUD)
    block = screen.block("cloud")
    picture = "canvas => canvas.toDataURL()"
    before = block.locator("canvas").evaluate(picture)
    soon(page, lambda: block.locator("canvas").evaluate(picture) != before)
    screen.pause()
    header, arrays = screen.newest()
    head, *rows = screen.download("cloud")
    assert head == ["x", "y", "class", "predicted"]
    np.testing.assert_allclose(numbers(rows), arrays["cloud"], rtol=1e-6)
    expect(block.locator("[data-note]")).to_contain_text("250 test examples where dense2 (9 units) puts them")
    share = re.search(r"\((\d+)% of their variance\)", block.locator("[data-note]").inner_text())[1]
    assert int(share) == pytest.approx(100 * header["cloud"]["share"], abs=0.51)
    wrong = int((arrays["cloud"][:, 2] != arrays["cloud"][:, 3]).sum())
    text = f"250 test examples at step {header['step']:,}, {wrong} of them taken for another class."
    expect(block.locator("[role=img]")).to_have_attribute("aria-label", text)
    expect(block.locator("li")).to_have_count(0)  # digits speak for themselves


def test_classes_with_long_names_are_dots_with_a_key(fresh_page, app_url):
    def things(header, arrays):
        header["classes"] = [f"Thing {k}" for k in range(10)]

    doctored(fresh_page, things)
    screen = Screen(fresh_page, app_url, CLOUD, train=False)
    expect(screen.block("cloud").locator("li")).to_have_text([f"Thing {k}" for k in range(10)])


@pytest.mark.parametrize("query", [TOY, "network=&steps=100"])
def test_there_is_no_cloud_without_a_hidden_layer_of_pictures(page, app_url, query):
    screen = Screen(page, app_url, query, train=False)
    expect(screen.root.locator("[data-block=cloud]")).to_be_hidden()


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
    first = min(40, len(arrays["wrong"]))
    expect(block.locator("li:visible")).to_have_count(first)
    pairs = [tuple(pair) for pair in arrays["wrong_labels"].tolist()]
    captions = block.locator("li b").all_text_contents()
    assert captions == [f"{right} → {wrong}" for right, wrong in pairs]

    right, wrong = pairs[0]
    cell = cells.nth(10 * right + wrong)
    height = block.bounding_box()["height"]
    cell.click()
    page.mouse.move(0, 0)
    expect(block.locator("li:visible")).to_have_count(pairs.count(pairs[0]))
    every = pairs.count(pairs[0]) == counts[10 * right + wrong]
    said = str(counts[10 * right + wrong]) if every else f"the {pairs.count(pairs[0])} most confident of "
    expect(block.locator(".klv-gallery p")).to_have_text(re.compile(f"^{right} taken for {wrong}: {said}"))
    assert all(pairs.count((i, j)) for i in range(10) for j in range(10) if i != j and counts[10 * i + j])
    assert block.bounding_box()["height"] == pytest.approx(height, abs=1)
    cell.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    cell.blur()
    expect(block.locator("li:visible")).to_have_count(first)

    measured = screen.data("step")
    screen.press("Resume")
    screen.until(f"d.state === 'running' && +d.step > {measured}")
    expect(screen.block("mistakes").locator(".klv-stale td")).to_have_count(100)
    head, *rows = screen.download("mistakes", step=measured)  # what is shown, not the step that the run is at
    assert head == ["right", "predicted", "count"]
    assert [int(count) for _, _, count in rows] == counts


def test_while_it_is_measured_it_says_so(fresh_page, app_url):
    measuring = True

    def unmeasured(header, arrays):
        if measuring:
            header["measuring"] = True
            for name in ("confusion", "wrong", "wrong_labels", "wrong_confidence"):
                arrays.pop(name, None)

    doctored(fresh_page, unmeasured)
    screen = Screen(fresh_page, app_url, ENDLESS, train=False)

    def says(text: str) -> None:
        expect(screen.block("mistakes").locator("[data-note]")).to_have_text(text)

    says("Measuring on the whole test set …")
    measuring = False
    screen.press("10 steps")
    screen.until("+d.step === 10")
    says("Rows: right answer. Columns: the network's answer.")
    measuring = True
    screen.press("1 step")
    screen.until("+d.step === 11")
    says("Measuring on the whole test set …")
    expect(screen.block("mistakes").locator(".klv-stale td")).to_have_count(100)


def test_another_page_ends_the_lease_at_once(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    page.get_by_role("link", name="Home").first.click()
    expect(screen.root).to_have_count(0)
    soon(page, lambda: screen.sockets[-1].is_closed())
    page.wait_for_timeout(4000)  # so that whoever looks comes after the page has gone, and does not keep the run going
    with connect(screen.sockets[-1].url) as socket:
        header, _ = protocol.decode(socket.recv(timeout=PATIENCE))
    assert header["state"] == "paused"


def test_a_run_that_ends_while_another_page_is_on_its_way_does_not_call_its_own_again(fresh_page, app_url):
    ended = []
    doctored(fresh_page, lambda header, arrays: header.update(state="completed") if ended else None)
    line = Line(fresh_page)
    screen = Screen(fresh_page, app_url, ENDLESS)
    wait_quiet(fresh_page)
    line.hold()
    fresh_page.get_by_role("link", name="Home").first.click()
    fresh_page.wait_for_timeout(3000)  # a busy server
    ended.append(True)
    screen.until("d.state === 'completed'")
    fresh_page.wait_for_timeout(500)
    line.let_go()
    expect(fresh_page.get_by_text("Watch a boundary form")).to_be_visible()
    wait_quiet(fresh_page)
    assert fresh_page.url.split("?")[0] == f"{app_url}/"


def test_a_lost_connection_comes_back(fresh_page, app_url):
    routes = []

    def pass_on(socket):
        routes.append(socket)
        socket.connect_to_server()

    fresh_page.route_web_socket(re.compile("/live/"), pass_on)
    screen = Screen(fresh_page, app_url, ENDLESS)
    last = "p.data[0].x.at(-1) ?? 0"
    drawn = screen.plot("loss", last)
    fresh_page.evaluate("""() => { window.lost = false; new MutationObserver(() => { window.lost = true })
        .observe(document.querySelector('.klv-lost'), {attributes: true}) }""")
    routes[-1].close(code=3001)
    fresh_page.wait_for_function("() => window.lost")
    assert screen.plot("loss", last) >= drawn
    screen.frames(3)
    expect(screen.root.locator(".klv-lost")).to_be_hidden()
    assert len(routes) == 2


def test_a_token_that_names_nothing_makes_the_page_ask_anew(fresh_page, app_url):
    fresh_page.route_web_socket(re.compile("/live/"), lambda socket: socket.close(code=4404))
    fresh_page.goto(f"{app_url}/train?{ENDLESS}")
    fresh_page.wait_for_selector(".kasane-liveview[data-state=gone]")
    wait_ready(fresh_page)
    assert fresh_page.locator("[data-testid=stException]").count() == 0


def test_what_the_charts_show_is_also_said(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.pause()
    step = f"{screen.data('step'):,}"
    expect(screen.root.locator("[aria-live=polite]")).to_have_text(f"Paused at step {step}.")
    for name in ("loss", "accuracy", "mean", "dead", "grad_norm", "update_ratio", "histograms"):
        image = screen.block(name).locator("[role=img]").first
        expect(image).to_have_attribute("aria-label", re.compile(r"\d"))
    expect(screen.block("loss").locator("[role=img]")).to_have_attribute(
        "aria-label", re.compile(f"Loss at step {step}: ")
    )
    unnamed = "all => all.filter(one => !(one.ariaLabel || one.textContent.trim())).length"
    assert screen.root.locator("button").evaluate_all(unnamed) == 0


def test_what_is_off_the_screen_is_said_too(page, app_url):
    screen = Screen(page, app_url, ENDLESS, train=False)
    images = screen.root.locator("[role=img]:visible")
    nameless = "all => all.filter((one) => !one.ariaLabel).length"
    soon(page, lambda: images.count() >= 9 and images.evaluate_all(nameless) == 0)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_what_is_said_of_the_state_follows_the_steps_and_the_language(page, app_url):
    screen = Screen(page, app_url, ENDLESS, train=False)
    said = screen.root.locator("[aria-live=polite]")
    expect(said).to_have_text("Ready at step 0.")
    screen.press("1 step")
    expect(said).to_have_text("Paused at step 1.")
    screen.press("10 steps")
    expect(said).to_have_text("Paused at step 11.")
    page.get_by_text("日本語", exact=True).click()
    japanese = catalog("ja")
    expect(said).to_have_text(japanese["{state} at step {step}."].format(state=japanese["Paused"], step=11))


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


def test_a_finger_finds_room(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    screen = Screen(page, app_url, ENDLESS, train=False)
    screen.press("1 step")
    screen.until("+d.step === 1")
    for name, lines in (("loss", 3), ("accuracy", 2), ("mean", 2)):
        screen.block(name)
        legend = ".klv-history > .klv-legend" if name == "mean" else f"[data-block={name}] .klv-legend"
        expect(screen.root.locator(f"{legend} button")).to_have_count(lines)
    expect(screen.block("mistakes").locator("td")).to_have_count(100)
    for name in (".klv-legend button", ".klv-choice input", ".klv-tool", ".klv-confusion td"):
        sizes = screen.root.locator(f"{name}:visible").evaluate_all("all => all.map(it => it.offsetHeight)")
        assert sizes
        assert min(sizes) >= 44, name
    expect(screen.root.locator("[data-t=history_hint]")).to_be_hidden()  # there is no shift key
    assert screen.root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    speed = page.get_by_test_id("stMain").get_by_test_id("stSlider")
    speed.scroll_into_view_if_needed()
    box = speed.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4)
    expect(speed.get_by_test_id("stSliderThumbValue")).to_have_text("100 steps/s")


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
