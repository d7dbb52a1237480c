"""A comparison in a real Chromium: the server trains several runs in step, and the page draws what they are."""

from __future__ import annotations

import csv
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from engine import presets
from engine.data import toy2d
from engine.nn import Activation
from engine.runs import frames, protocol
from engine.training.trainer import Trainer
from tests.browser.conftest import hurry, soon, too_wide, wait_ready, wait_until
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

FOUR = list(presets.get("course-inits").runs)
ROOT = ".kasane-liveview"


class Screen:
    """A comparison on the initialization page."""

    def __init__(self, page, url: str, query: str = "preset=course-inits") -> None:
        self.page, self.server = page, url.replace("http", "ws")
        self.sockets: list = []
        page.on("websocket", lambda socket: "/live/" in socket.url and self.sockets.append(socket))
        page.goto(f"{url}/initialization?{query}")
        wait_ready(page)
        self.root = page.locator(ROOT)
        self.until("+d.frames > 0")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def until(self, condition: str) -> None:
        script = f"() => {{ const d = document.querySelector('{ROOT}')?.dataset; return d && ({condition}) }}"
        wait_until(self.page, script)

    @property
    def step(self) -> int:
        return int(self.root.get_attribute("data-step"))

    def start(self) -> None:
        self.press("Train all")
        self.until("d.state === 'running' && +d.step > 20")

    def pause(self) -> None:
        self.press("Pause")
        self.until("d.state === 'paused' && d.rests === 'true'")
        self.page.get_by_role("button", name="Resume").wait_for()

    def newest(self) -> dict[str, tuple[dict, dict]]:
        """Return the newest frame of every run by its name, asked from the server beside the page."""
        found = {}
        with connect(f"{self.server}/live/{self.sockets[-1].url.rsplit('/', 1)[1]}") as socket:
            while len(found) < len(FOUR):
                header, arrays = protocol.decode(socket.recv(timeout=PATIENCE))
                found[header["run"]] = (header, arrays)
        return found

    def table(self) -> dict[str, list[str]]:
        rows = self.root.locator(".kcp-runs tbody tr")
        return {
            row.locator("th span").inner_text(): row.locator("td").all_inner_texts() for row in rows.all()
        }  # fmt: skip

    def steps(self) -> list[int]:
        """Return the step that each run has come to, says the table."""
        return [int(step.replace(",", "")) for step, *_ in self.table().values()]

    def download(self, block: str) -> list[list[str]]:
        block = self.root.locator(f"[data-block={block}]")
        block.scroll_into_view_if_needed()
        with self.page.expect_download() as download:
            block.get_by_role("button", name="Download as CSV").click()
        with open(download.value.path(), newline="") as file:
            return list(csv.reader(file))


@pytest.fixture(scope="module")
def opened_once(opened, profile, app_url):
    """A comparison at rest after ten steps, whose canvases keep what is written into them."""
    with opened(profile, fresh=True) as page:
        page.add_init_script(WRITTEN)
        screen = Screen(page, app_url)
        screen.press("10 steps")
        screen.until("+d.step === 10 && d.rests === 'true'")
        yield screen


@pytest.fixture
def ten(opened_once):
    """A comparison after ten steps; what a test has chosen to look at is put back."""
    opened_once.page.bring_to_front()
    chosen = [it.element_handle() for it in opened_once.root.locator("input[type=radio]:checked").all()]
    yield opened_once
    for it in chosen:
        it.check()


def test_train_pause_step_resume_reset_and_what_the_table_says(page, app_url):
    screen = Screen(page, app_url, "preset=course-inits&steps=100000")
    screen.start()
    screen.pause()
    at = screen.step
    screen.press("10 steps")
    screen.until(f"+d.step === {at + 10}")
    screen.press("1 step")
    screen.until(f"+d.step === {at + 11}")
    soon(page, lambda: sorted(screen.steps()) == sorted(header["step"] for header, _ in screen.newest().values()))
    screen.until("d.rests === 'true'")
    frames, table = screen.newest(), screen.table()
    assert list(table) == FOUR
    names = page.url.split("runs=")[1].split("&")[0].replace("%2C", ",").split(",")
    published = {
        "sigmoid, std 0.01": "11.4%",
        "ReLU, std 0.01": "92.0%",
        "sigmoid, Xavier": "87.2%",
        "ReLU, He": "95.6%",
    }
    for label, name in zip(FOUR, names, strict=True):
        header, arrays = frames[name]
        _, _, train, _, test = arrays["evaluated"][-1]
        test = header.get("test_accuracy", test)
        step, *shares, gap, figure = table[label]
        assert int(step.replace(",", "")) == header["step"]
        assert shares == [f"{train:.1%}", f"{test:.1%}"]
        assert float(gap.replace("−", "-")) == pytest.approx(100 * (train - test), abs=0.051)
        assert figure == published[label]
    screen.press("Resume")
    screen.until(f"d.state === 'running' && +d.step > {at + 20}")
    screen.press("Reset")
    screen.until("+d.step === 0")
    soon(page, lambda: "seed" not in page.url)
    screen.press("New weights")
    page.wait_for_url(re.compile("seed=1"))
    slider = page.get_by_role("slider", name="Speed")
    for _ in range(4):
        slider.press("ArrowLeft")
    page.get_by_text("3 steps/s").wait_for()
    screen.press("Train all")
    screen.until("d.state === 'running' && +d.step >= 3")
    first = screen.step
    page.wait_for_timeout(1500)
    assert screen.step - first <= 12
    assert screen.root.get_attribute("data-mounts") == "1"


def test_fields_and_the_language_change_while_it_trains(page, app_url):
    screen = Screen(page, app_url, "preset=course-inits&steps=1000000")
    screen.start()
    field = page.get_by_label("Learning rate", exact=True)
    field.fill("0.033")
    field.press("Enter")
    page.wait_for_url(re.compile("lr=0.033"))
    screen.until(f"d.state === 'running' && +d.step > {screen.step}")
    soon(page, lambda: [header["lr"] for header, _ in screen.newest().values()] == [pytest.approx(0.033)] * 4)
    page.get_by_text("日本語", exact=True).click()
    page.get_by_test_id("stSidebar").get_by_text("学習率", exact=True).wait_for()
    screen.until(f"d.state === 'running' && +d.step > {screen.step}")
    soon(page, lambda: "lang=ja" in page.url)
    field = page.get_by_role("textbox", name="隠れ層")
    field.fill("dense30")
    field.press("Enter")
    page.wait_for_url(re.compile("network=dense30"))
    screen.until("+d.step === 0")  # another network: all begin again
    assert screen.root.get_attribute("data-mounts") == "1"


def test_a_changed_run_has_another_name_at_once_and_no_published_figure(ten):
    screen, page = ten, ten.page
    assert [row[-1] for row in screen.table().values()] == ["11.4%", "92.0%", "87.2%", "95.6%"]
    field = page.get_by_label("Learning rate", exact=True)
    field.fill("0.2")
    field.press("Enter")
    named = [f"{label} → lr 0.2" for label in FOUR]
    soon(page, lambda: list(screen.table()) == named)
    assert screen.step == 10  # the same runs, at rest
    assert {len(row) for row in screen.table().values()} == {4}
    assert screen.root.locator("[data-block=panel] .kcp-cell b").all_inner_texts() == named
    assert {row[0] for row in screen.download("panel")[1:]} == {f"{label} → lr=0.2" for label in FOUR}
    field.fill("0.1")
    field.press("Enter")
    soon(page, lambda: list(screen.table()) == FOUR)
    assert [row[-1] for row in screen.table().values()] == ["11.4%", "92.0%", "87.2%", "95.6%"]


def test_rows_hide_and_show_their_runs(ten):
    screen, page = ten, ten.page
    visible = "p => p.data.filter(t => t.visible === true).length"
    loss = screen.root.locator("[data-block=loss] .js-plotly-plot")
    button = screen.root.get_by_role("button", name="ReLU, He")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(loss).to_be_visible()
    page.wait_for_function(f"() => ({visible})(document.querySelector('[data-block=loss] .js-plotly-plot')) === 4")
    button.click()
    expect(screen.root.get_by_role("button", name="ReLU, He")).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(f"() => ({visible})(document.querySelector('[data-block=loss] .js-plotly-plot')) === 3")
    cells = screen.root.locator("[data-block=layers] .kcp-cell")
    xavier = screen.root.get_by_role("button", name="sigmoid, Xavier")
    screen.root.locator("[data-block=layers]").scroll_into_view_if_needed()  # what is off the screen is not drawn
    expect(cells).to_have_count(9)
    for left in (3, 12):  # this one alone, and all again
        xavier.click(modifiers=["Shift"])
        screen.root.locator("[data-block=layers]").scroll_into_view_if_needed()
        expect(cells).to_have_count(left)
        soon(page, lambda: loss.evaluate(visible) == left // 3)  # noqa: B023


def test_every_choice_and_every_csv(ten):
    screen = ten
    for option in ("Epochs", "Logarithmic", "Training set", "Activations", "Weights", "Activation: mean"):
        screen.root.get_by_role("radio", name=option, exact=True).first.check()
    heads = {
        "accuracy": "step", "panel": "run", "depth": "run", "layers": "run", "history": "run",
    }  # fmt: skip
    for block, head in heads.items():
        first, *rows = screen.download(block)
        assert first[0] == head
        assert len(rows) >= 1
    (_, *layers) = screen.download("layers")
    assert {row[0] for row in layers} == set(FOUR)
    assert len(layers) == 4 * 3 * 40
    assert all(float(edge) == float(f"{float(edge):.6g}") for row in layers for edge in row[2:4])  # 0.015 stays that


# Keeps what is written into every canvas since it was last wiped.
WRITTEN = """const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
  (this.canvas.written ??= []).push(String(text));
  fillText.call(this, text, ...at);
};
CanvasRenderingContext2D.prototype.clearRect = function (...at) {
  this.canvas.written = [];
  clearRect.call(this, ...at);
};"""


def test_small_charts_name_their_lines_and_have_numbers_on_their_axes(ten):
    screen, page = ten, ten.page
    panel, history = (screen.root.locator(f"[data-block={name}]") for name in ("panel", "history"))

    def written(block, cell: int = 0) -> set[str]:
        block.scroll_into_view_if_needed()
        return set(block.locator("canvas").nth(cell).evaluate("it => it.written ?? []"))

    steps = screen.root.locator("[data-fact=of_steps]").inner_text().removeprefix("of ")
    soon(page, lambda: written(panel) == {"0%", "50%", "100%", "0", steps})
    layers = screen.newest()[next(iter(screen.newest()))][0]["layers"]
    history.scroll_into_view_if_needed()  # what is out of sight is not drawn
    expect(history.locator(".kcp-key span")).to_have_text(layers)
    strokes = history.locator(".kcp-key path").evaluate_all("all => all.map(it => it.getAttribute('stroke-dasharray'))")
    assert len(set(strokes)) == min(len(layers), 5)

    def only_decades() -> bool:
        return {text[:2] for text in written(history) - {"0", "1", "Step", steps}} == {"10"}

    for name in ("Activation: standard deviation", "Gradient norm ‖∂L/∂W‖"):
        history.get_by_role("radio", name=name, exact=True).check()
        soon(page, only_decades)
        assert written(history, 3) >= {"0", "Step", steps}
        assert 2 <= len(written(history) - {"0", "Step", steps}) <= 4
    history.get_by_role("radio", name="Activation: mean", exact=True).check()
    soon(page, lambda: not any("⁻" in text for text in written(history)))
    for note in history.locator("small").all():
        assert note.evaluate("it => it.scrollWidth <= it.clientWidth")


def test_of_many_layers_the_first_and_the_last_are_said(page, app_url):
    screen = Screen(page, app_url, f"preset=course-inits&network={'+'.join(['dense8'] * 20)}")
    screen.press("10 steps")
    screen.until("+d.step === 10")
    cell = screen.root.locator("[data-block=history] .kcp-cell").first
    cell.scroll_into_view_if_needed()
    note = cell.locator("small")
    expect(note).not_to_be_empty()
    names = [part.split()[0] for part in note.inner_text().split(" · ")]
    assert names == [*(f"dense{n}" for n in range(1, 5)), "…", *(f"dense{n}" for n in range(18, 21)), "output"]


def test_another_tab_shows_the_same_finished_runs(open_page, app_url):
    first = Screen(open_page(), app_url, "preset=symmetry&steps=300")
    hurry(first.page)
    first.press("Train all")
    first.until("d.state === 'completed'")
    first.page.get_by_text("here there are fewer, so it is not judged").wait_for()
    first.page.wait_for_url(re.compile("runs="))
    table = first.table()
    the_file_holds_what_the_units_make_of_the_plane(first)
    second = Screen(open_page(), app_url, first.page.url.split("?")[1])
    second.until("d.state === 'completed' && +d.step === 300")
    soon(second.page, lambda: list(second.table().values()) == list(table.values()))
    assert first.root.get_attribute("data-state") == "completed"
    first.page.reload()
    wait_ready(first.page)
    first.until("d.state === 'completed' && +d.step === 300")


def the_file_holds_what_the_units_make_of_the_plane(screen) -> None:
    """Compare what a finished run of 300 steps is said to be with what it is, unit by unit."""
    head, *rows = screen.download("units")
    assert head == ["run", "layer", "unit", "x1", "x2", "value"]
    points, told = frames.square(frames.RESPONSE), iter(rows)

    def hidden(experiment) -> list[np.ndarray]:
        trainer, layers = Trainer(experiment), []
        trainer.advance()
        with trainer.network.register_forward_hook(lambda layer, y: isinstance(layer, Activation) and layers.append(y)):
            trainer.network.forward(toy2d.features(points, ("x1", "x2")), training=False)
        return layers

    for label, experiment in presets.get("symmetry").runs.items():
        for k, layer in enumerate(hidden(replace(experiment, steps=300))):
            for unit, real in enumerate(layer.T):
                mine = list(itertools.islice(told, len(points)))
                assert {tuple(row[:3]) for row in mine} == {(label, str(k + 1), str(unit + 1))}
                numbers = np.array([row[3:] for row in mine], float)
                np.testing.assert_allclose(numbers[:, :2], points, atol=1e-5)
                np.testing.assert_allclose(numbers[:, 2], real, atol=1.2 * np.ptp(real) / 510 + 1e-6)  # half a step
    assert not list(told)


def speaks_both(page):
    """Yield twice: while a page of comparisons speaks English, and when it has come to speak Japanese."""
    heads, japanese = page.locator(".kcp-runs thead"), re.compile("[ぁ-んァ-ヶ一-龥]")
    expect(heads).not_to_contain_text(japanese)
    yield
    page.get_by_text("日本語", exact=True).click()
    expect(heads).to_contain_text(japanese)
    wait_ready(page)
    yield


@pytest.fixture(scope="module")
def phone(opened, context_of):
    with opened(context_of(has_touch=True)) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        yield page


# Whether the numbers under a histogram are cut, and how high they are.
CAPTIONS = (
    "all => all.map(it => [it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight, it.offsetHeight])"
)


def test_a_phone_shows_it_all_without_overflow(phone, app_url):
    screen = Screen(phone, app_url, "preset=course-inits-all")
    phone.locator(".st-key-initialization_train button").click()
    rights = f"[...document.querySelectorAll('{ROOT} .klv-card')].map((card) => card.getBoundingClientRect().right)"
    for _ in speaks_both(phone):
        screen.until(f"d.state === 'running' && +d.step > {screen.step + 50}")
        assert too_wide(phone) == []
        assert phone.evaluate(f"Math.max(...{rights}) - innerWidth") <= 0
        sizes = screen.root.locator(".kcp-runs button").evaluate_all("all => all.map(it => it.offsetHeight)")
        assert min(sizes) >= 44  # as large as a finger
        captions = screen.root.locator(".kcp-layers small").evaluate_all(CAPTIONS)
        assert captions
        assert {cut for cut, _ in captions} == {False}
        assert len({height for _, height in captions}) == 1  # so nothing moves when one takes another line


# Whether a table fits, and on how many lines its headings are.
TABLE = """() => {
  const box = document.querySelector(".kcp-scroll");
  const heads = [...box.querySelectorAll("thead th")].filter((it) => it.offsetWidth);
  const lines = heads.map((it) => it.offsetHeight / parseFloat(getComputedStyle(it).lineHeight));
  const cut = [...box.querySelectorAll("th, td")].filter((it) => it.scrollWidth > it.clientWidth + 1);
  return { over: box.scrollWidth - box.clientWidth, lines: Math.max(...lines), cut: cut.map((it) => it.textContent) };
}"""


@pytest.mark.parametrize("query", ["preset=course-regularizers", "preset=course-regularizers&1.l2=0.2&1.dropout=0.5"])
def test_the_table_fits_a_phone(phone, app_url, query):
    phone.goto(f"{app_url}/regularization?{query}&lang=en")
    phone.wait_for_function(f"() => +document.querySelector('{ROOT}')?.dataset.frames > 0")
    wait_ready(phone)
    for _ in speaks_both(phone):
        expect(phone.locator(".kcp-runs tbody tr")).to_have_count(5)
        table = phone.evaluate(TABLE)
        assert table["over"] <= 0
        assert table["cut"] == []
        assert table["lines"] < 3.5
