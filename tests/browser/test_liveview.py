"""The live view under real conditions: the real server trains, Chromium draws, and both are asked what they have."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from engine.data import toy2d
from engine.data.datasets import FASHION
from engine.experiment import Experiment
from engine.nn import Activation
from engine.runs import frames, protocol
from engine.training.trainer import Trainer
from pages._ui.i18n import catalog
from tests.browser.conftest import Line, hurry, resize, soon, tap, wait_quiet, wait_ready, wait_until
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

ENDLESS = "network=dense8&steps=1000000"
TOY = "data=toy2d&network=dense4+dense2&activation=tanh&steps=1000000"


class Screen:
    """The Train page, what one can do with its live view, and what the server knows about the run it shows."""

    def __init__(self, page, url: str, query: str, *, train: bool = True, shows: str = "+d.frames > 0") -> None:
        self.page, self.server = page, url.replace("http", "ws")
        self.sockets: list = []
        page.on("websocket", lambda socket: "/live/" in socket.url and self.sockets.append(socket))
        page.goto(f"{url}/train?{query}")
        wait_ready(page)
        self.root = page.locator(".kasane-liveview")
        self.until(shows)
        if train:
            self.train()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def train(self) -> None:
        self.press("Train")
        self.until("d.state === 'running' && +d.step > 50")

    def complete(self) -> None:
        """Train to the end, as fast as can be."""
        hurry(self.page)
        self.press("Train")
        self.until("d.state === 'completed' && d.rests === 'true'")

    def pause(self) -> None:
        self.press("Pause")
        self.until("d.state === 'paused' && d.rests === 'true'")

    def until(self, condition: str) -> None:
        """Wait until a condition over the data of the component's root element, `d`, holds."""
        script = f"() => {{ const d = document.querySelector('.kasane-liveview')?.dataset; return d && ({condition}) }}"
        wait_until(self.page, script)

    def build(self, network: str) -> None:
        """Have a network of these hidden layers begin."""
        field = self.page.get_by_role("textbox", name="Hidden layers")
        field.fill(network)
        field.press("Enter")

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
            self.block(name).locator("[data-tool=csv]").click()
        at = self.data("step") if step is None else step
        assert download.value.suggested_filename == f"kasane-{name}-step-{at}.csv"
        with open(download.value.path(), newline="") as file:
            return list(csv.reader(file))


def wait_drawn(page) -> None:
    """Wait until what rests, and has come into sight or been changed, is drawn: a frame later, if at all."""
    page.evaluate(f"() => new Promise((done) => {'requestAnimationFrame(() => ' * 5}done(){')' * 5})")


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

    tap(page, "/live/", connected)


def numbers(rows: list[list[str]]) -> np.ndarray:
    return np.array([[float(cell or "nan") for cell in row] for row in rows])


def test_zoom_and_hidden_lines_survive_frames_pause_and_language(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    box = screen.block("loss").locator(".nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.8, steps=5)
    page.mouse.up()
    ranges = "[...p._fullLayout.xaxis.range, ...p._fullLayout.yaxis.range]"
    soon(page, lambda: screen.plot("loss", ranges)[0] > 0)
    zoomed = screen.plot("loss", ranges)
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


def test_a_page_that_is_left_listens_no_more_and_has_what_was_chosen_when_one_comes_back(page, app_url):
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
    soon(page, lambda: screen.sockets[-1].is_closed())  # with which the run's lease has ended
    page.go_back()
    screen.until("d.mounts === '2' && +d.step === 10")
    for name in chosen:
        expect(screen.root.get_by_role("radio", name=name, exact=True)).to_be_checked()
    expect(batch).to_have_attribute("aria-pressed", "false")
    soon(page, lambda: screen.plot("loss", "p.data?.[0]?.visible === false && p._fullLayout.yaxis.type") == "log")


def test_charts_come_though_plotly_could_not_be_had_at_first_and_a_network_that_goes_is_missed(new_context, app_url):
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
    context.set_offline(True)  # the open line is silent, as by radio, and not closed
    lost = screen.root.locator(".klv-lost")
    expect(lost).to_be_visible()
    context.set_offline(False)
    expect(lost).to_be_hidden()
    context.close()


def test_the_first_steps(page, app_url):
    screen = Screen(page, app_url, ENDLESS, train=False)
    expect(screen.root.locator(".klv-toy")).to_be_hidden()  # digits have no plane
    images = screen.root.locator("[role=img]:visible")
    nameless = "all => all.filter((one) => !one.ariaLabel).length"
    soon(page, lambda: images.count() >= 9 and images.evaluate_all(nameless) == 0)  # off the screen, too
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    said = screen.root.locator("[aria-live=polite]")
    expect(said).to_have_text("Ready at step 0.")
    for n, known in ((1, "markers"), (2, "lines")):
        screen.press("1 step")
        expect(said).to_have_text(f"Paused at step {n}.")
        soon(page, lambda known=known: screen.plot("update_ratio", "p.data?.[0]?.mode") == known)
    y = screen.plot("update_ratio", "Array.from(p.data[0].y, it => it > 0 ? it : null)")
    assert y[0] is None  # before the first step there is no update, and zero has no logarithm
    assert None not in y[1:]
    page.get_by_text("日本語", exact=True).click()
    japanese = catalog("ja")
    expect(said).to_have_text(japanese["{state} at step {step}."].format(state=japanese["Paused"], step=2))


def test_the_charts_of_a_run_at_rest(page, app_url):
    screen = Screen(page, app_url, ENDLESS)
    screen.until("+d.step > 1000")
    screen.pause()
    header, arrays = screen.newest()
    they_are_said(screen)
    they_are_saved(screen, header, arrays)
    their_axes_can_be_chosen(screen, header, arrays)
    assert len(arrays["loss"]) > 400
    assert 100 < screen.plot("loss", "p.data[0].x.length") <= 400  # points a line


def they_are_said(screen) -> None:
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
    tools = screen.root.locator("[data-tool]").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert len(set(tools)) == len(tools)  # of which chart each is
    assert {"Download as CSV: Loss", "Reset zoom: Loss"} < set(tools)


def they_are_saved(screen, header, arrays) -> None:
    head, *rows = screen.download("loss")
    assert head == ["step", "epoch", "seconds", "batch_loss", "train_loss", "test_loss"]
    table = numbers(rows)
    batch = table[~np.isnan(table[:, 3])]
    np.testing.assert_allclose(batch[:, [0, 3, 2]], arrays["loss"], rtol=1e-6)
    np.testing.assert_array_equal(batch[:, 3].astype(np.float32), arrays["loss"][:, 1])
    evaluated = table[~np.isnan(table[:, 4])]
    np.testing.assert_allclose(evaluated[:, [0, 4, 5]], arrays["evaluated"][:, [0, 1, 3]], rtol=1e-6)
    np.testing.assert_allclose(table[:, 1], table[:, 0] * header["batch"] / header["train_size"], rtol=1e-6)

    accuracy = numbers(screen.download("accuracy")[1:])
    np.testing.assert_allclose(accuracy[:, [0, 3, 4]], arrays["evaluated"][:, [0, 2, 4]], rtol=1e-6)
    for written in (table[:, 3:], accuracy[:, 3:]):
        known = written[~np.isnan(written)]
        assert known.tolist() == [float(str(it)) for it in known.astype(np.float32)]  # no digit that float32 makes up

    head, *rows = screen.download("mean")
    assert head == ["step", "epoch", "seconds", "dense1_mean", "dense1_mean_std", "output_mean", "output_mean_std"]
    np.testing.assert_allclose(numbers(rows)[:, [0, 3, 4]], arrays["layer0"][:, :3], rtol=1e-6)

    head, *rows = screen.download("histograms")
    assert [int(row[3]) for row in rows] == arrays["activations"].astype(int).ravel().tolist()
    assert all(float(edge) == float(f"{float(edge):.6g}") for row in rows for edge in row[1:3])  # 0.015 stays that


def their_axes_can_be_chosen(screen, header, arrays) -> None:
    steps, _, seconds = arrays["loss"].T
    axes = {"Steps": steps, "Epochs": steps * header["batch"] / header["train_size"], "Seconds": seconds}
    several = -(-len(steps) // 400)  # points, of many, are drawn as their mean
    last = steps[(len(steps) - 1) // several * several :].mean()
    for name, axis in axes.items():
        screen.root.get_by_role("radio", name=name).check()
        end = pytest.approx(np.interp(last, steps, axis), rel=1e-4)
        soon(screen.page, lambda end=end: screen.plot("loss", "p.data[0].x.at(-1)") == end)
        assert 0 <= screen.plot("loss", "p.data[0].x[0]") < axis[-2]
    screen.root.get_by_role("radio", name="Logarithmic").check()
    soon(screen.page, lambda: screen.plot("loss", "p._fullLayout.yaxis.type") == "log")
    known = [0, *steps, header["step"]], [0, *seconds, header["seconds"]]
    drawn = screen.plot("loss", "Array.from(p.data[1].x)")
    assert drawn == pytest.approx(np.interp(arrays["evaluated"][:, 0], *known), rel=1e-4, abs=1e-6)


def test_long_names_great_numbers_and_what_is_being_measured(tapped_page, app_url):
    """What frames say here only now and then."""
    measuring = True

    def other(header, arrays):
        header["classes"] = [f"Thing {k}" for k in range(10)]
        header["step"] *= 2000
        for name in arrays.keys() & {"loss", "evaluated", "layer0", "layer1"}:
            arrays[name][:, 0] *= 2000
        if measuring:
            header["measuring"] = True
            for name in ("confusion", "wrong", "wrong_labels", "wrong_confidence"):
                arrays.pop(name, None)

    doctored(tapped_page, other)
    screen = Screen(tapped_page, app_url, ENDLESS, train=False)
    things = [f"Thing {k}" for k in range(10)]
    expect(screen.block("cloud").locator("li")).to_have_text(things)  # of dots: only digits speak for themselves

    def says(text: str) -> None:
        expect(screen.block("mistakes").locator("[data-note]")).to_have_text(text)

    says("Measuring on the whole test set …")
    measuring = False
    screen.press("10 steps")
    screen.until("+d.step === 20000")
    says("Rows: right answer. Columns: the network's answer.")
    ticks = "[...p.querySelectorAll('.{}tick text')].map(it => it.textContent)"
    for name in ("loss", "accuracy", "mean"):
        soon(tapped_page, lambda name=name: screen.plot(name, ticks.format("x"))[-1:] in (["15k"], ["20k"]))
        texts = [*screen.plot(name, ticks.format("x")), *screen.plot(name, ticks.format("y"))]
        assert [text for text in texts if not re.fullmatch(r"−?[\d.]+[k%]?", text)] == []
    measuring = True
    screen.press("1 step")
    screen.until("+d.step === 22000")
    says("Measuring on the whole test set …")
    expect(screen.block("mistakes").locator(".klv-stale td")).to_have_count(100)


def test_forty_layers_have_a_histogram_and_a_line_each(page, app_url):
    network = "+".join(["dense8"] * 39)
    screen = Screen(page, app_url, f"network={network}&steps=1000000&normalization=batch", train=False)
    screen.press("10 steps")
    screen.until("+d.step === 10")
    cells = screen.block("histograms").locator(".klv-cell")
    expect(cells.locator("b")).to_have_text([*(f"dense{k}" for k in range(1, 40)), "output"])
    expect(cells.first.locator("small").first).to_contain_text("mean")
    expect(cells.first.locator("small").last).to_contain_text("dead")
    ink = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .filter((value, i) => i % 4 === 3 && value > 100).length"""
    soon(page, lambda: cells.first.locator("canvas").evaluate(ink) > 100)
    screen.block("histograms").get_by_role("radio", name="Gradients").check()
    expect(cells.first.locator("small").first).to_contain_text("norm")
    screen.block("grad_norm")
    expect(screen.root.locator(".klv-history .klv-legend button")).to_have_count(40)
    page.wait_for_function("() => document.querySelector('[data-block=grad_norm] .js-plotly-plot')?.data.length === 40")
    screen.press("Resume")
    screen.frames(3)


def test_the_plane_and_its_units(page, app_url):
    screen = Screen(page, app_url, TOY, train=False)
    expect(screen.root.locator("[data-block=cloud]")).to_be_hidden()
    a_unit_pointed_at_is_shown_large(screen)
    screen.train()
    screen.until("+d.step > 500")
    nothing_jumps_between_frames(screen)
    screen.pause()
    the_plane_is_what_the_network_makes_of_it(screen)


def a_unit_pointed_at_is_shown_large(screen) -> None:
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
    screen.page.mouse.move(0, 0)
    expect(note).to_have_text(whole)
    tiles.nth(1).focus()
    expect(note).to_have_text("Input x₂")
    screen.page.keyboard.press("ArrowDown")
    expect(note).to_have_text("Hidden layer 1, unit 3")
    screen.page.keyboard.press("ArrowLeft")
    expect(note).to_have_text("Hidden layer 1, unit 2")
    tiles.nth(9).focus()
    expect(note).to_have_text("Output for class 1")
    order = screen.root.locator("section[data-block]").evaluate_all("all => all.map(one => one.dataset.block)")
    assert order.index("plane") < order.index("histograms")


def nothing_jumps_between_frames(screen) -> None:
    places = "all => all.map(one => Math.round(one.getBoundingClientRect().top))"
    blocks = screen.root.locator("section[data-block]:visible")
    before = blocks.evaluate_all(places)
    screen.frames(8)
    assert blocks.evaluate_all(places) == before


# The colours of a canvas over the plane at some points of it.
COLOURS = """(canvas, points) => points.map(([x1, x2]) => Array.from(canvas.getContext('2d').getImageData(
    (x1 + 6) / 12 * canvas.width, (6 - x2) / 12 * canvas.height, 1, 1).data))"""


def the_plane_is_what_the_network_makes_of_it(screen) -> None:
    _, arrays = screen.newest()
    canvas = screen.block("plane").locator("canvas")
    wait_drawn(screen.page)

    def alone(points: np.ndarray) -> np.ndarray:
        """Tell of each point whether no other covers it."""
        apart = np.hypot(*(points[:, None, :2] - points[:, :2]).T)
        return np.sort(apart, axis=0)[1] > 0.3

    def have_the_colours_of_their_classes(points: np.ndarray) -> None:
        colours = canvas.last.evaluate(COLOURS, points[:, :2].tolist())
        for label, (red, _, blue, alpha) in zip(points[:, 2], colours, strict=True):
            assert alpha == 255
            assert (blue > red) == (label == 1)

    points, held_out = (arrays["points"][arrays["points"][:, 3] == test, :3] for test in (0, 1))
    classes, some = set(), points[:60, :2].tolist()
    for (x1, x2), (red, _, blue, alpha) in zip(some, canvas.first.evaluate(COLOURS, some), strict=True):
        sure = int(arrays["plane"][int((6 - x2) / 12 * 64), int((x1 + 6) / 12 * 64)])
        assert alpha == 255
        if abs(sure - 128) > 60:
            assert (blue > red) == (sure > 128)
            classes.add(sure > 128)
    assert classes == {True, False}
    have_the_colours_of_their_classes(points[:60][alone(points)[:60]])
    screen.block("plane").get_by_role("radio", name="Test set", exact=True).check()
    far = next(point for point in points if np.hypot(*(held_out - point)[:, :2].T).min() > 0.4)
    soon(screen.page, lambda: canvas.last.evaluate(COLOURS, [far[:2].tolist()])[0][3] == 0)  # no training set
    have_the_colours_of_their_classes(held_out[alone(held_out)][:30])


def test_the_files_of_the_plane_and_its_units_hold_what_the_network_says(page, app_url):
    query = TOY.replace("steps=1000000", "features=x1+x2^2&steps=40")
    screen = Screen(page, app_url, query, train=False)
    screen.complete()
    spec = {"data": "toy2d", "network": "dense4 dense2", "activation": "tanh", "features": "x1 x2^2", "steps": 40}
    trainer = Trainer(Experiment(**spec))
    trainer.advance()

    def over_the_plane(size: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return some points, and what the layers make of them, the inputs first."""
        points, hidden = frames.square(size), []
        inputs = toy2d.features(points, ("x1", "x2^2"))
        with trainer.network.register_forward_hook(lambda layer, y: isinstance(layer, Activation) and hidden.append(y)):
            outputs = trainer.network.forward(inputs, training=False)
        return points, [inputs, *hidden, outputs]

    head, *rows = screen.download("units")
    assert head == ["kind", "layer", "unit", "from_unit", "x1", "x2", "value"]
    table = numbers([row[1:] for row in rows])
    outputs, weights = (table[[row[0] == kind for row in rows]] for kind in ("output", "weight"))
    assert len(outputs) + len(weights) == len(rows)
    points, layers = over_the_plane(frames.RESPONSE)
    assert len(outputs) == len(points) * sum(layer.shape[1] for layer in layers)
    for k, layer in enumerate(layers):
        for unit, real in enumerate(layer.T):
            mine = outputs[(outputs[:, 0] == k) & (outputs[:, 1] == unit + 1)]
            np.testing.assert_allclose(mine[:, 3:5], points, atol=1e-5)
            np.testing.assert_allclose(mine[:, 5], real, atol=1.2 * np.ptp(real) / 510)  # half a step, and its digits
    assert np.isnan(outputs[:, 2]).all()
    matrices = [it.data for it in trainer.network.parameters().values() if it.decays]
    assert len(weights) == sum(it.size for it in matrices)
    for layer, unit, source, *nowhere, weight in weights:
        assert np.isnan(nowhere).all()
        assert weight == pytest.approx(matrices[int(layer) - 1][int(source) - 1, int(unit) - 1], abs=1e-4)

    head, *rows = screen.download("plane")
    assert head == ["x1", "x2", "probability"]
    points, (*_, logits) = over_the_plane(toy2d.PLANE)
    np.testing.assert_allclose(numbers(rows)[:, :2], points, atol=1e-5)
    np.testing.assert_allclose(numbers(rows)[:, 2], trainer.loss.probabilities(logits)[:, 1], atol=1.2 / 510)


def test_the_files_of_pictures_hold_weights_and_the_names_of_the_data_in_both_languages(tapped_page, app_url):
    doctored(tapped_page, lambda header, arrays: header.update(classes=FASHION))
    screen = Screen(tapped_page, app_url, "network=conv5@3+pool2+dense10&steps=20", train=False)
    screen.complete()
    trainer = Trainer(Experiment(network="conv5@3 pool2 dense10", steps=20))
    kernels = next(it.data for it in trainer.network.parameters().values() if it.decays)[:, :, 0]
    before = kernels.copy()
    trainer.advance()
    head, *rows = screen.download("filters")
    assert head == ["filter", "row", "column", "before", "now"]
    assert len(rows) == kernels.size
    halves = np.abs([before, kernels]).max(axis=(1, 2)) / 254  # of the step from byte to byte
    for n, row, column, *weights in numbers(rows):
        place = int(row), int(column), int(n) - 1
        assert abs(weights[0] - before[place]) <= 1.2 * halves[0][place[-1]]  # and the rounding of its digits
        assert abs(weights[1] - kernels[place]) <= 1.2 * halves[1][place[-1]]

    files = {name: screen.download(name) for name in ("cloud", "mistakes")}
    assert {row[2] for row in files["cloud"][1:]} == {row[0] for row in files["mistakes"][1:]} == {*FASHION}
    tapped_page.get_by_text("日本語", exact=True).click()
    expect(screen.block("cloud").locator("li").first).to_have_text(catalog("ja")[FASHION[0]])
    assert {name: screen.download(name) for name in files} == files


# The colour of the canvas of lines halfway between the lower edge of one tile and the upper edge of another.
HALFWAY = """(canvas, [from, to]) => {
  const [a, b, box] = [from, to, canvas].map(it => it.getBoundingClientRect());
  const x = (a.left + a.right + b.left + b.right) / 4 - box.left, y = (a.bottom + b.top) / 2 - box.top;
  const scale = canvas.width / box.width;
  return Array.from(canvas.getContext('2d').getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data);
}"""


def test_weights_are_lines_and_those_of_a_unit_pointed_at_stand_out(tapped_page, app_url):
    another_network = False  # than the page names, which may be ahead of the frames

    def two_weights(header, arrays):
        if "links0" in arrays:
            arrays["links0"][:] = 0
            arrays["links0"][1, 2], arrays["links0"][0, 0] = -4, 4 - 1e-6
            if another_network:
                arrays["links1"] = arrays["links1"][:3]

    doctored(tapped_page, two_weights)
    screen = Screen(tapped_page, app_url, TOY, train=False)
    block = screen.block("units")
    canvas, tiles = block.locator(".klv-network > canvas"), block.locator(".klv-units button")

    def color(source: int, target: int) -> list[int]:
        return canvas.evaluate(HALFWAY, [tiles.nth(source).element_handle(), tiles.nth(target).element_handle()])

    inputs, hidden = [0, 1], [2, 3, 4, 5]
    soon(tapped_page, lambda: color(inputs[0], hidden[0])[3] == 255)
    red, _, blue, alpha = color(inputs[1], hidden[2])
    assert alpha == 255
    assert red > blue  # negative: orange
    said = re.compile(r"The largest weight of an input: Input x₂ → Hidden layer 1, unit 3, −4\.$")
    expect(block.locator(".klv-units")).to_have_attribute("aria-label", said)
    red, _, blue, _ = color(inputs[0], hidden[0])
    assert blue > red  # positive
    assert color(inputs[0], hidden[2])[3] == 0  # a weight of zero
    tiles.nth(hidden[2]).hover()
    soon(tapped_page, lambda: 0 < color(inputs[0], hidden[0])[3] < 100)
    assert color(inputs[1], hidden[2])[3] == 255
    tapped_page.mouse.move(0, 0)
    soon(tapped_page, lambda: color(inputs[0], hidden[0])[3] == 255)
    another_network = True
    screen.press("1 step")
    screen.until("+d.step === 1")
    expect(tiles).to_have_count(10)
    expect(canvas).to_be_hidden()


def test_layers_of_many_units_have_no_lines_and_name_those_that_are_left_out(page, app_url):
    screen = Screen(page, app_url, TOY.replace("dense4", "dense13"), train=False)
    block = screen.block("units")
    expect(block.locator(".klv-units button")).to_have_count(2 + 13 + 2 + 2)
    expect(block.locator(".klv-network > canvas")).to_be_hidden()
    expect(block.get_by_text("Lines are weights")).to_be_hidden()
    expect(
        block.get_by_text("Lines for weights are shown in networks of at most 12 units a layer, 64 in all.")
    ).to_be_visible()
    assert {kind for kind, *_ in screen.download("units")[1:]} == {"output"}
    screen.build("dense100 dense4 dense100")
    layers = block.locator(".klv-layer")
    expect(layers.locator("small")).to_have_text(
        [
            "Inputs: x₁, x₂",
            "Hidden layer 1: 30 of 100 units",
            "Hidden layer 2",
            "Hidden layer 3: 30 of 100 units",
            "Outputs",
        ]
    )
    assert [layer.locator("button").count() for layer in layers.all()] == [2, 30, 4, 30, 2]
    expect(layers.nth(3).locator("button").last).to_have_attribute("title", "Hidden layer 3, unit 30")


def test_the_run_before_is_drawn_behind_this_one_and_can_be_hidden(page, app_url):
    screen = Screen(page, app_url, "network=dense8&steps=300&evaluate_every=50", train=False)
    hurry(page)
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


def test_the_examples_of_a_run_are_a_cloud_that_moves_and_at_rest_what_it_gets_wrong(page, app_url):
    screen = Screen(page, app_url, "network=dense30+dense9&steps=1000000")
    expect(screen.root.locator("[data-block=mistakes] table")).to_have_count(0)
    picture, pixels = screen.block("cloud").locator("canvas"), "canvas => canvas.toDataURL()"
    before = picture.evaluate(pixels)
    soon(page, lambda: picture.evaluate(pixels) != before)
    screen.until("+d.step > 200")
    screen.pause()
    header, arrays = screen.newest()
    the_cloud_is_what_the_run_has(screen, header, arrays)
    what_it_gets_wrong_is_shown(screen, arrays)
    screen.build("")  # no hidden layer
    expect(screen.root.locator("[data-block=cloud]")).to_be_hidden()


def the_cloud_is_what_the_run_has(screen, header, arrays) -> None:
    block = screen.block("cloud")
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


def what_it_gets_wrong_is_shown(screen, arrays) -> None:
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
    screen.page.mouse.move(0, 0)
    expect(block.locator("li:visible")).to_have_count(pairs.count(pairs[0]))
    every = pairs.count(pairs[0]) == counts[10 * right + wrong]
    said = str(counts[10 * right + wrong]) if every else f"the {pairs.count(pairs[0])} most confident of "
    expect(block.locator(".klv-gallery p")).to_have_text(re.compile(f"^{right} taken for {wrong}: {said}"))
    assert all(pairs.count((i, j)) for i in range(10) for j in range(10) if i != j and counts[10 * i + j])
    assert block.bounding_box()["height"] == pytest.approx(height, abs=1)
    cell.focus()
    screen.page.keyboard.press("Enter")
    screen.page.keyboard.press("Escape")
    cell.blur()
    expect(block.locator("li:visible")).to_have_count(first)

    measured = screen.data("step")
    screen.press("Resume")
    screen.until(f"d.state === 'running' && +d.step > {measured}")
    expect(screen.block("mistakes").locator(".klv-stale td")).to_have_count(100)
    head, *rows = screen.download("mistakes", step=measured)  # what is shown, not the step that the run is at
    assert head == ["right", "predicted", "count"]
    assert [int(count) for _, _, count in rows] == counts


def test_a_run_that_ends_while_another_page_is_on_its_way_does_not_call_its_own_again(tapped_page, app_url):
    ended = []
    doctored(tapped_page, lambda header, arrays: header.update(state="completed") if ended else None)
    line = Line(tapped_page)
    screen = Screen(tapped_page, app_url, ENDLESS)
    wait_quiet(tapped_page)
    line.hold()
    tapped_page.get_by_role("link", name="Home").first.click()
    tapped_page.wait_for_timeout(3000)  # a busy server
    ended.append(True)
    screen.until("d.state === 'completed'")
    tapped_page.wait_for_timeout(500)
    line.let_go()
    expect(tapped_page.get_by_text("Watch a boundary form")).to_be_visible()
    wait_quiet(tapped_page)
    assert tapped_page.url.split("?")[0] == f"{app_url}/"


def test_a_token_that_names_nothing_makes_the_page_ask_anew_and_a_lost_connection_comes_back(tapped_page, app_url):
    routes, known = [], False

    def pass_on(socket):
        if not known:
            socket.close(code=4404)
            return
        routes.append(socket)
        socket.connect_to_server()

    tap(tapped_page, "/live/", pass_on)
    screen = Screen(tapped_page, app_url, ENDLESS, train=False, shows="d.state === 'gone'")
    wait_ready(tapped_page)
    assert tapped_page.locator("[data-testid=stException]").count() == 0
    known = True
    screen.press("Reset")
    screen.until("+d.frames > 0")
    screen.train()
    last = "p.data[0].x.at(-1) ?? 0"
    drawn = screen.plot("loss", last)
    tapped_page.evaluate("""() => { window.lost = false; new MutationObserver(() => { window.lost = true })
        .observe(document.querySelector('.klv-lost'), {attributes: true}) }""")
    routes[-1].close(code=3001)
    tapped_page.wait_for_function("() => window.lost")
    assert screen.plot("loss", last) >= drawn
    screen.frames(3)
    expect(screen.root.locator(".klv-lost")).to_be_hidden()
    assert len(routes) == 2


def test_on_a_phone_nothing_overflows_and_a_finger_finds_room(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    for query in (TOY, ENDLESS):
        screen = Screen(page, app_url, query)
        screen.pause()
        for block in screen.root.locator("[data-block]:visible").all():
            block.scroll_into_view_if_needed()
            wait_drawn(page)
        overflow = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]'))"
        assert page.evaluate(overflow) <= 0
        assert screen.root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    for name, lines in (("loss", 3), ("accuracy", 2), ("mean", 2)):
        screen.block(name)
        legend = ".klv-history > .klv-legend" if name == "mean" else f"[data-block={name}] .klv-legend"
        expect(screen.root.locator(f"{legend} button")).to_have_count(lines)
    expect(screen.block("mistakes").locator("td")).to_have_count(100)
    for name in (".klv-legend button", ".klv-choice input", ".klv-tool", ".klv-confusion td"):
        sizes = screen.root.locator(f"{name}:visible").evaluate_all("all => all.map(it => it.offsetHeight)")
        assert sizes
        assert min(sizes) >= 44, name
    a_cell_is_tapped_twice(screen.block("mistakes"))
    expect(screen.root.locator("[data-t=history_hint]")).to_be_hidden()  # there is no shift key
    speed = page.get_by_test_id("stMain").get_by_test_id("stSlider")
    speed.scroll_into_view_if_needed()
    box = speed.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4)
    expect(speed.get_by_test_id("stSliderThumbValue")).to_have_text("100 steps/s")


def a_cell_is_tapped_twice(block) -> None:
    caption, chosen = block.locator(".klv-gallery p"), block.locator("td[aria-selected=true]")
    every = caption.inner_text()
    right, wrong = block.locator("li:visible b").first.inner_text().split(" → ")
    cell = block.locator("td").nth(10 * int(right) + int(wrong))
    cell.tap()
    expect(caption).to_have_text(re.compile(f"^{right} taken for {wrong}: "))
    expect(chosen).to_have_count(1)
    cell.tap()
    expect(chosen).to_have_count(0)
    expect(caption).to_have_text(every)


@pytest.mark.parametrize(("query", "width"), [
    ("train?network=dense30+dense20", 390), (f"train?{TOY}", 1440),
    ("train?preset=ch07-simple-conv&data=mnist-5k", 1440),
    ("initialization?preset=course-inits", 390), ("initialization?preset=symmetry", 1440),
])  # fmt: skip
def test_what_comes_into_sight_has_its_height_already(open_page, app_url, query, width):
    page = open_page(viewport={"width": width, "height": 844})
    blocks = page.locator(".kasane-liveview [data-block]:not([data-block=mistakes]):visible")  # below which is nothing
    heights = "all => Object.fromEntries(all.map(one => [one.dataset.block, one.offsetHeight]))"

    def opened(times: int) -> None:
        page.wait_for_selector(f".kasane-liveview[data-mounts='{times}'][data-frames]:not([data-frames='0'])")
        wait_ready(page)
        page.wait_for_function("window.Plotly")

    page.goto(f"{app_url}/{query}")
    opened(1)
    for block in blocks.all():
        block.scroll_into_view_if_needed()
        wait_drawn(page)
    seen = blocks.evaluate_all(heights)
    resize(page, 1440)  # where the navigation is at hand
    page.get_by_role("link", name="Home").first.click()
    page.get_by_text("Watch a boundary form").wait_for()
    wait_quiet(page)
    resize(page, width)
    page.go_back()
    opened(2)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    soon(page, lambda: blocks.evaluate_all(heights) == seen)
