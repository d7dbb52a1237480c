"""The window in a real Chromium: what it shows at every place is what the engine computes, and hands can lead it."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from engine.analysis.convolution import pad
from pages._ui.i18n import catalog
from pages._ui.window import scenes, sources
from pages._ui.window.settings import SETTINGS
from tests.browser.conftest import followed, go_to, resize, soon, stays, too_wide, wait_ready
from tests.engine.textbook import conv2d_loops

pytestmark = pytest.mark.browser

WORDS = """play pause back forward speed csv place keys input padding kernel output window products bias sum largest
    mean overall is_largest is_mean matrix column result col2im copies copies_hint said"""
LABELS = dict.fromkeys(WORDS.split(), "–") | {
    "channel": "Channel {n}",
    "filter": "Filter {n}",
    "row_is": "Row {row} is this window; times column {n}, plus the bias: {sum}.",
}

# Mounts the page's own window.js once more, leads it through scenes, and reads every number that it shows.
DRIVER = """async ([batch, labels]) => {
  const { default: mount } = await import(new URL("ui/window/window.js", document.baseURI));
  const parentElement = document.createElement("div");
  const number = (text) => Number(text.replace("−", "-"));
  const grid = (root) => [...root.querySelectorAll("i")].map((cell) => number(cell.textContent));
  const all = (selector) => [...parentElement.querySelectorAll(selector)];
  const frame = (root) => ["--i", "--j", "--rows", "--columns"].map((name) =>
    number(root.querySelector(".frame").style.getPropertyValue(name)));
  const here = (root) => {
    const cells = [...root.querySelectorAll("i")];
    return [...root.querySelectorAll("i.here")].map((cell) => cells.indexOf(cell));
  };
  const terms = (root) => [...root.querySelectorAll(".term > b")].map((term) => number(term.textContent));
  let close, found = [];
  for (const { scene, places } of JSON.parse(batch)) {
    close = mount({ parentElement, data: { key: "sweep", scene, labels, language: "en", attention: 0 } });
    const travelled = all(scene.mode === "im2col" ? ".product .grid" : ".output .grid, .largest .grid");
    const root = parentElement.querySelector(".kasane-window");
    const look = [];
    for (const [filter, place] of places) {
      const target = scene.mode === "im2col" ? [travelled[0], place * scene.weights.length + filter]
        : [travelled[scene.mode === "pooling" ? 0 : filter], place];
      target[0].querySelectorAll("i")[target[1]].click();
      look.push({
        place: number(root.dataset.place),
        playing: root.dataset.playing,
        frames: all(".input .grid").map(frame),
        kernels: all(".kernel .grid").map(grid),
        factors: all(".factors .grid").map(grid),
        patches: all(".pooled .grid").map(grid),
        terms: scene.mode === "pooling" ? all(".pooled").map(terms) : terms(parentElement),
        shown: target[0].querySelectorAll("i")[target[1]].textContent,
        here: travelled.map(here),
        frameOfRows: scene.mode === "im2col" ? frame(all(".rows .grid")[0]) : null,
        sentence: all(".sentences p").map((line) => line.textContent),
        means: all(".mean .grid").map(grid),
      });
    }
    found.push({
      look,
      inputs: all(".input .grid").map(grid),
      outputs: all(".output .grid, .largest .grid, .product .grid").map(grid),
      matrix: all(".rows .grid").map(grid),
      back: all(".back .grid").map(grid),
    });
  }
  close();
  return JSON.stringify(found);
}"""


@pytest.fixture(scope="module")
def still(opened, profile, app_url):
    """The page as those see it who ask for less motion."""
    with opened(profile) as page:
        page.emulate_media(reduced_motion="reduce")
        yield Visit(page, app_url)


@pytest.fixture(scope="module")
def sweep(still):
    """Return a function that shows scenes, each at some (filter, place), and returns what was seen."""

    def show(wanted):
        seen = []
        for start in range(0, len(wanted), 40):
            batch = [{"scene": scene, "places": places} for scene, places in wanted[start : start + 40]]
            seen += json.loads(still.page.evaluate(DRIVER, [json.dumps(batch), LABELS]))
        return seen

    return show


def some(places, filters, most=20):
    """Return at most `most` places, the first and last of them included, each with the next filter."""
    chosen = sorted({round(n) for n in np.linspace(0, places - 1, min(places, most))})
    return [(n % filters, place) for n, place in enumerate(chosen)]


def options(*names):
    return itertools.product(*(SETTINGS[name].options for name in names))


def rounded(values):
    """Return numbers as they are shown: at most two decimals, halves away from zero."""
    values = np.asarray(values, np.float64)
    return np.sign(values) * np.floor(np.abs(values) * 100 + 0.5 + 1e-9) / 100


# --- the numbers on the screen ----------------------------------------------------------------------------------------


def test_every_number_of_the_convolution_is_the_engines(sweep):
    """537 settings, each at up to 20 places: frame, patch, kernel, products, sums and output, as they stand there."""
    kinds = itertools.cycle(options("channels", "filters", "input", "weights"))
    apart = itertools.cycle((1, 2, 1, 3, 1))
    wanted, expected = [], []
    for n, k, s, p in options("size", "kernel", "stride", "padding"):
        if n + 2 * p < k:
            continue
        c, f, kind, weights = next(kinds)
        d = next(apart)
        if n + 2 * p < d * (k - 1) + 1:
            d = 1
        x = sources.numbers(kind, n, c, label=n % 10, seed=k)
        weight, bias = sources.weights(weights, k, c, f, seed=n + p)
        stretched = np.zeros((d * (k - 1) + 1, d * (k - 1) + 1, c, f))
        stretched[::d, ::d] = weight
        y = conv2d_loops(x[None], stretched, bias, s, p)[0]
        scene = scenes.convolution(x, weight, bias, stride=s, padding=p, dilation=d)
        places = some(y.shape[0] * y.shape[1], f)
        wanted.append((scene, places))
        expected.append((x, weight, bias, s, p, d, y, places))
    assert len(wanted) == 9 * 5 * 3 * 4 - 3
    checked = 0
    for seen, (x, weight, bias, s, p, d, y, places) in zip(sweep(wanted), expected, strict=True):
        k, c, reach = len(weight), x.shape[-1], d * (len(weight) - 1) + 1
        padded = pad(x[None], p)[0]
        np.testing.assert_array_equal(seen["outputs"], np.moveaxis(y, -1, 0).reshape(y.shape[-1], -1))
        np.testing.assert_array_equal(seen["inputs"], np.moveaxis(padded, -1, 0).reshape(c, -1))
        for look, (f, place) in zip(seen["look"], places, strict=True):
            i, j = divmod(place, y.shape[1])
            patch = padded[s * i : s * i + reach : d, s * j : s * j + reach : d]
            products = patch * weight[..., f]
            assert (look["place"], look["playing"]) == (place, "false")
            assert look["frames"] == [[s * i, s * j, reach, reach]] * c
            as_planes = [it.reshape(-1, c).T for it in (patch, weight[..., f], products)]
            assert np.array_equal(look["factors"], np.stack(as_planes, axis=1).reshape(3 * c, -1))
            assert np.array_equal(look["kernels"], as_planes[1])
            sums = products.sum(axis=(0, 1))
            assert look["terms"] == [*sums, bias[f], sums.sum() + bias[f]]
            assert float(look["shown"].replace("−", "-")) == y[i, j, f] == look["terms"][-1]
            assert look["here"] == [[place]] * y.shape[-1]
            checked += 1
    assert checked > 6_000


def test_every_number_of_pooling_is_the_engines(sweep):
    wanted, expected = [], []
    for n, k, s, c in options("pool_size", "pool", "pool_stride", "pool_channels"):
        x = sources.numbers("random", n, c, seed=n * k) * (1 if c == 2 else -1)  # negative numbers too
        scene = scenes.pooling(x, k, stride=s)
        places = some(np.size(scene["largest"][0]), 1, most=8)
        wanted.append((scene, places))
        expected.append((x, k, s, scene, places))
    for seen, (x, k, s, scene, places) in zip(sweep(wanted), expected, strict=True):
        np.testing.assert_array_equal(seen["outputs"], np.reshape(scene["largest"], (x.shape[-1], -1)))
        for look, (_, place) in zip(seen["look"], places, strict=True):
            i, j = divmod(place, len(scene["largest"][0][0]))
            patch = x[s * i : s * i + k, s * j : s * j + k]
            assert np.array_equal(look["patches"], patch.reshape(-1, x.shape[-1]).T)
            largest, sums, means = (reduce(patch, axis=(0, 1)) for reduce in (np.max, np.sum, np.mean))
            terms = np.stack([largest, sums, np.full(len(sums), k * k), rounded(means)], axis=-1)
            assert np.allclose(look["terms"], terms, rtol=0, atol=1e-9)
            assert np.allclose(np.array(look["means"])[:, place], rounded(means), rtol=0, atol=1e-9)


def test_every_number_of_the_matrix_is_the_engines(sweep):
    names = [f"matrix_{name}" for name in ("size", "kernel", "stride", "padding", "channels")]
    wanted, expected = [], []
    for (n, k, s, p, c), f in zip(options(*names), itertools.cycle((1, 2, 3)), strict=False):
        x = sources.numbers("random", n, c, seed=n)
        weight, bias = sources.weights("random", k, c, f, seed=k)
        scene = scenes.as_matrix(x, weight, bias, stride=s, padding=p)
        wanted.append((scene, some(len(scene["matrix"]), f, most=10)))
        expected.append((scene, conv2d_loops(x[None], weight, bias, s, p).reshape(-1, f), wanted[-1][1]))
    for seen, (scene, y, places) in zip(sweep(wanted), expected, strict=True):
        np.testing.assert_array_equal(seen["matrix"], [np.ravel(scene["matrix"])])
        np.testing.assert_array_equal(seen["outputs"], [y.ravel()])
        np.testing.assert_array_equal(seen["back"], np.reshape(scene["back"], (len(scene["back"]), -1)))
        for look, (f, place) in zip(seen["look"], places, strict=True):
            assert look["frameOfRows"] == [place, 0, 1, len(scene["matrix"][0])]
            value = f"{y[place, f]:.0f}".replace("-", "−")
            assert look["sentence"][0].startswith(f"Row {place + 1} is this window")
            assert look["sentence"][0].endswith(f"times column {f + 1}, plus the bias: {value}.")


# --- the real controls ------------------------------------------------------------------------------------------------


class Visit:
    """The page, and what one can see and do on it."""

    def __init__(self, page, url: str, query: str = "") -> None:
        self.page = page
        page.goto(f"{url}/convolution{query}")
        self.wait()

    def wait(self) -> None:
        wait_ready(self.page)
        self.root.and_(self.page.locator("[data-cell]")).wait_for()

    @property
    def root(self):
        return self.page.locator(".kasane-window")

    @property
    def place(self) -> int:
        return int(self.root.get_attribute("data-place"))

    def at(self, place: int) -> None:
        expect(self.root).to_have_attribute("data-place", str(place))

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def pause(self) -> None:
        self.button("Pause").click()
        expect(self.root).to_have_attribute("data-playing", "false")

    def numbers(self, selector: str) -> list[float]:
        texts = self.page.locator(f".kasane-window {selector} i").all_inner_texts()
        return [float(text.replace("−", "-")) for text in texts]

    def choose(self, name: str, option: str) -> None:
        """Press an option of a segmented control."""
        self.page.locator(f"[class*=st-key-convolution_{name}]").get_by_role("radio", name=option, exact=True).click()


@pytest.fixture
def visit(page, app_url):
    return lambda query="": Visit(page, app_url, query)


def test_the_controls_reach_the_window_and_what_it_shows_can_be_taken_home(visit):
    window = visit("?input=ramp&weights=random")
    window.pause()
    for name, option in (("kernel", "2"), ("stride", "2"), ("padding", "1"), ("channels", "2"), ("filters", "3")):
        window.choose(name, option)
        window.page.wait_for_url(re.compile(f"[?&]{name}={option}(&|$)"))
    x = sources.numbers("ramp", 8, 2)
    weight, bias = sources.weights("random", 2, 2, 3)
    output = np.moveaxis(conv2d_loops(x[None], weight, bias, 2, 1)[0], -1, 0).ravel().tolist()
    expect(window.page.locator(".output .grid")).to_have_count(3)
    expect(window.page.locator(".input h2")).to_have_text("Input 8 × 8 × 2 with 1 of padding")
    soon(window.page, lambda: window.numbers(".output .grid") == output)
    assert window.numbers(".input .grid") == np.moveaxis(pad(x[None], 1)[0], -1, 0).ravel().tolist()
    with window.page.expect_download() as download:
        window.button("Download as CSV").click()
    assert download.value.suggested_filename == "kasane-convolution.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert [float(row["value"]) for row in rows if row["array"] == "output"] == output
    assert {row["array"] for row in rows} == {"input", *(f"kernel of filter {n}" for n in (1, 2, 3)), "output"}


def test_it_stands_still_for_those_who_ask_for_less_motion(still):
    still.page.bring_to_front()
    assert still.root.get_attribute("data-playing") == "false"
    still.page.wait_for_timeout(900)
    assert still.place == 0


def test_it_moves_by_itself_as_fast_as_is_asked_until_a_button_or_a_key_leads_it(visit):
    window = visit()
    before = window.place
    expect(window.root).not_to_have_attribute("data-place", str(before))
    window.pause()
    rest = window.place
    window.page.wait_for_timeout(900)
    assert window.place == rest
    window.button("One place forward").click()
    window.at((rest + 1) % 36)
    window.button("One place back").click()
    window.button("One place back").click()
    window.at((rest - 1) % 36)
    assert followed(window.root, window.button("Play"), 2) == [rest, (rest + 1) % 36]

    slider = window.page.get_by_label("Speed")
    slider.evaluate("(it) => { it.value = 1; it.dispatchEvent(new Event('input')); }")
    # 16 places a second, one every 62 ms; at first it stays 700 ms at each
    since = """(root) => new Promise((done) => {
      const times = [];
      new MutationObserver((_, observer) => {
        if (times.push(performance.now()) < 16) return;
        observer.disconnect();
        done(times.slice(1).map((time, n) => time - times[n]).sort((a, b) => a - b)[0]);
      }).observe(root, { attributeFilter: ["data-place"] });
    })"""
    assert window.root.evaluate(since) < 350

    grid = window.page.get_by_role("application", name="Output")
    grid.focus()
    window.page.keyboard.press("Space")
    expect(window.root).to_have_attribute("data-playing", "false")
    window.page.locator(".output i").first.click()
    grid.focus()
    for key, place in (
        ("ArrowRight", 1), ("ArrowDown", 7), ("ArrowLeft", 6), ("End", 11), ("Home", 6), ("ArrowUp", 0), ("ArrowUp", 0),
    ):  # fmt: skip
        window.page.keyboard.press(key)
        window.at(place)
    expect(window.page.get_by_role("status")).to_have_text("Row 1, column 1: 4")


def test_pointing_leads_the_window_and_a_click_keeps_it(visit):
    window = visit("?filters=2")
    cells = window.page.locator(".output .grid").nth(1).locator("i")
    cells.nth(22).hover()
    window.at(22)
    expect(window.root).to_have_attribute("data-filter", "1")
    window.page.wait_for_timeout(900)
    assert window.place == 22  # it waits for the pointer
    assert window.root.get_attribute("data-playing") == "true"
    window.root.evaluate("""(root) => { window.next = new Promise((done) =>
      new MutationObserver(() => done(root.dataset.place)).observe(root, { attributeFilter: ["data-place"] })) }""")
    window.page.mouse.move(2, 2)
    assert window.page.evaluate("window.next") == "23"
    cells.nth(8).click()
    window.page.mouse.move(2, 2)
    window.page.wait_for_timeout(900)
    assert window.place == 8
    assert window.root.get_attribute("data-playing") == "false"


def test_copies_of_a_cell_are_found_in_the_matrix(visit):
    window = visit("?part=im2col&matrix_size=4&matrix_kernel=2&matrix_channels=2")
    window.pause()
    window.page.locator(".input .grid").nth(1).locator("i").nth(5).hover()  # row 2, column 2 of the second channel
    copies = window.page.locator(".rows i.copy")
    expect(copies).to_have_count(4)
    value = window.numbers(".input .grid")[16 + 5]
    assert [float(text) for text in copies.all_inner_texts()] == [value] * 4
    expect(window.page.locator(".sentences p").nth(1)).to_have_text(
        f"Cell (2, 2) lies under 4 windows: 4 × {value:.0f} = {4 * value:.0f}."
    )
    window.page.locator(".rows i").nth(8 * 3 + 1).hover()
    window.at(3)


def test_what_to_try_comes_into_sight(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.goto(f"{app_url}/convolution?part=window")
    wait_ready(page)
    part = page.locator("[class*=st-key-convolution_part]")
    tools, output = page.locator(".kasane-window .tools"), page.locator(".output .grid")
    for width, from_quiz in ((390, False), (390, True), (1440, True)):
        resize(page, width)
        if from_quiz:
            part.get_by_role("radio", name="Quiz").click()
            expect(tools).to_have_count(0)
        page.get_by_role("button", name="Halve the picture").click()
        page.wait_for_url(re.compile("stride=2"))
        expect(tools).to_be_in_viewport(ratio=1)
        expect(output).to_be_in_viewport(ratio=1)
        expect(page.locator(".kasane-window")).to_have_attribute("data-place", "0")


def test_settings_outlive_other_pages_and_with_the_place_the_language(visit):
    window = visit("?kernel=2&filters=2")
    window.page.get_by_role("link", name="Train", exact=True).first.click()
    expect(window.root).to_have_count(0)
    wait_ready(window.page)
    assert window.page.locator("[data-testid=stAlert]").count() == 0  # its address says nothing of ours
    go_to(window.page, "Networks", "Convolution")
    window.wait()
    soon(window.page, lambda: "kernel=2" in window.page.url)
    expect(window.page.locator(".output .grid")).to_have_count(2)
    window.page.locator(".output i").nth(9).click()
    window.at(9)
    window.page.get_by_text("日本語", exact=True).click()
    expect(window.root).to_have_attribute("lang", "ja")
    assert window.place == 9
    assert window.root.get_attribute("data-playing") == "false"
    soon(window.page, lambda: "kernel=2" in window.page.url)
    expect(
        window.page.locator("[class*=st-key-convolution_kernel]").get_by_role("radio", name="2", exact=True)
    ).to_be_checked()


def test_a_sidebar_goes_with_what_was_in_it_and_comes_back_as_it_was(page, app_url):
    part = page.locator("[class*=st-key-convolution_part]")
    sidebar, main = page.get_by_test_id("stSidebar"), page.get_by_test_id("stMain")
    collapse = page.get_by_test_id("stSidebarCollapseButton").get_by_role("button")
    expand = page.get_by_test_id("stExpandSidebarButton")
    whole = page.viewport_size["width"]
    room = lambda: main.bounding_box()["width"]  # noqa: E731
    page.goto(f"{app_url}/convolution?part=runs")
    wait_ready(page)
    for _ in range(2):
        expect(sidebar).to_be_visible()
        soon(page, lambda: room() < whole)
        part.get_by_text("Quiz", exact=True).click()
        expect(sidebar).to_be_hidden()
        expect(expand).to_be_hidden()
        soon(page, lambda: room() == whole)
        part.get_by_text("Train them", exact=True).click()
    expect(sidebar).to_be_visible()
    sidebar.hover()
    collapse.click()
    expect(expand).to_be_visible()
    soon(page, lambda: room() == whole)  # nothing moves under the click any more
    part.get_by_text("Quiz", exact=True).click()
    expect(expand).to_be_hidden()
    part.get_by_text("Train them", exact=True).click()
    expect(expand).to_be_visible()
    assert room() == whole
    expand.click()
    soon(page, lambda: room() < whole)


def test_a_phone_keeps_the_navigation_that_an_empty_sidebar_holds(open_page, app_url):
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(f"{app_url}/convolution?part=quiz")
    wait_ready(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_test_id("stSidebarNav").get_by_text("Architectures", exact=True)).to_be_in_viewport()


def test_back_from_the_train_page_finds_the_part_as_it_was(page, app_url):
    page.goto(f"{app_url}/convolution?part=network&stride=3")
    wait_ready(page)
    page.get_by_role("button", name="Train the book").click()
    page.wait_for_url(re.compile(r"/train\?.*network="))
    wait_ready(page)
    page.go_back()
    page.wait_for_url(re.compile("/convolution.*stride=3"))
    expect(page.get_by_role("button", name="Train the book")).to_be_visible()
    assert "part=network" in page.url


def test_the_quiz_hides_new_solutions_and_keeps_what_was_typed(page, app_url):
    page.goto(f"{app_url}/convolution?part=quiz")
    wait_ready(page)
    fields, solutions = page.get_by_label(re.compile("^Answer to question")), page.locator("[open] .katex")
    fields.nth(0).fill("12")
    fields.nth(0).press("Enter")
    page.get_by_text("The way to the answer").nth(0).click()
    solution = page.locator("[data-testid=stExpander]").nth(0)
    expect(solution.locator(".katex-html").first).to_contain_text("s")  # the formula before the numbers
    expect(solutions).not_to_have_count(0)
    page.get_by_role("button", name="New numbers").click()
    page.wait_for_url(re.compile("seed=1"))
    expect(solutions).to_have_count(0)
    expect(fields.nth(0)).to_have_value("")
    fields.nth(2).fill("34")
    fields.nth(2).press("Enter")
    expect(page.get_by_text(re.compile("Right|Not yet"))).to_have_count(1)
    part = page.locator("[class*=st-key-convolution_part]")
    part.get_by_role("radio", name="Pooling").click()
    page.locator(".kasane-window[data-cell]").wait_for()
    part.get_by_text("Quiz", exact=True).click()
    expect(fields.nth(2)).to_have_value("34")
    expect(page.get_by_text(re.compile("Right|Not yet"))).to_have_count(1)
    expect(fields.nth(0)).to_have_value("")


# --- kernels of one's own ---------------------------------------------------------------------------------------------


def test_a_drawing_is_carried_over(page, app_url):
    page.goto(f"{app_url}/draw")
    page.locator(".kasane-canvas[data-replies]").wait_for()
    box = page.locator(".paper canvas").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 90, steps=8)
    page.mouse.move(box["x"] + 150, box["y"] + 330, steps=8)
    page.mouse.up()
    page.locator(".kasane-canvas[data-digit-shipped='7']").wait_for()
    go_to(page, "Networks", "Convolution")
    page.get_by_role("radio", name="Your own kernel", exact=True).click()
    page.get_by_role("radio", name="My drawing", exact=True).click()
    expect(page.locator("[data-testid=stImage] img")).to_have_count(2)
    page.reload()
    expect(page.locator("[data-testid=stImage] img")).to_have_count(2)


def test_a_picture_is_uploaded(page, app_url, tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (300, 600, 3), dtype=np.uint8)).save(tmp_path / "photo.jpg")
    (tmp_path / "no.png").write_bytes(b"no picture")
    page.goto(f"{app_url}/convolution?part=kernels&picture=upload")
    wait_ready(page)
    place = page.locator("[data-testid=stFileUploaderDropzone]")
    for part, words in (("button p", "Choose a file"), ("[data-testid$=Instructions] span", "Up to 20 MB: png, jpg")):
        assert place.locator(part).evaluate("it => getComputedStyle(it, '::after').content").startswith(f'"{words}')
    (tmp_path / "notes.txt").write_text("no picture")
    page.locator("input[type=file]").set_input_files(tmp_path / "notes.txt")
    said = "getComputedStyle(document.querySelector('[data-testid=stFileUploader]'), '::after').content"
    soon(page, lambda: page.evaluate(said).startswith('"Not taken. Up to 20 MB: png, jpg'))
    page.locator("input[type=file]").set_input_files(tmp_path / "no.png")
    expect(page.locator("[data-testid=stAlert]")).to_have_text(re.compile("must be a whole PNG, JPEG"))
    expect(page.locator("input[type=file]")).to_have_count(1)  # the place for the next one has come
    page.locator("input[type=file]").set_input_files(tmp_path / "photo.jpg")
    expect(page.get_by_text("Input, 100 × 200")).to_be_visible()
    expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
    page.get_by_role("button", name="Fullscreen: Input").focus()
    expect(page.get_by_test_id("stElementToolbar").first).to_have_css("opacity", "1")
    page.get_by_label("Row 2, column 2").fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("[data-testid=stImage] img")).to_have_count(2)
    page.locator("input[type=file]").set_input_files(tmp_path / "no.png")
    expect(page.locator("[data-testid=stAlert]")).to_have_text(re.compile("must be a whole PNG, JPEG"))
    expect(page.get_by_text("Input, 100 × 200")).to_be_visible()  # the one before stays
    page.get_by_text("Quiz", exact=True).click()
    page.get_by_text("Your own kernel", exact=True).click()
    expect(page.get_by_text("Input, 100 × 200")).to_be_visible()
    expect(page.locator("[data-testid=stAlert]")).to_have_count(0)
    expect(page.get_by_label("Row 2, column 2")).to_have_value("3")


# --- screens ----------------------------------------------------------------------------------------------------------

WINDOW = ".kasane-window[data-cell]"
PARTS = {  # every part but that of the runs, and what is there when it has come
    "The window": f"{WINDOW} .kernel",
    "Your own kernel": "[data-testid=stImage] img >> nth=1",
    "Pooling": f"{WINDOW} .pooled",
    "im2col and col2im": f"{WINDOW} .rows",
    "A trained network": "[data-testid=stImage] img >> nth=1",
    "Quiz": "[class*=st-key-quiz_]",
}
LARGEST = (
    "?size=12&padding=3&channels=3&filters=3&kernel=5&named_size=5&pool_channels=3&pool=4"
    "&matrix_size=5&matrix_padding=1&matrix_channels=2&matrix_filters=3"
)


@pytest.mark.parametrize(("query", "parts"), [
    ("?", ["The window"]),
    ("?size=12&padding=3&dilation=3", ["The window"]),
    (LARGEST, PARTS),
], ids=["as it opens", "stretched", "largest"])  # fmt: skip
def test_nothing_is_wider_than_the_screen_and_nothing_jumps_while_it_moves(open_page, app_url, query, parts):
    page = open_page(reduced_motion="reduce")
    page.goto(f"{app_url}/convolution{query}&lang=en")
    wait_ready(page)
    root, part = page.locator(".kasane-window"), page.locator("[class*=st-key-convolution_part]")
    for language, widths in (("en", [1440, 390]), ("ja", [1440, 768, 390])):
        if language == "ja":
            resize(page, 1440)
            page.get_by_text("日本語", exact=True).click()
            page.wait_for_function("document.documentElement.lang === 'ja'")
            wait_ready(page)
        for name in parts:
            part.get_by_role("radio", name=catalog(language).get(name, name), exact=True).click()
            page.locator(PARTS[name]).first.wait_for()
            has_window = WINDOW in PARTS[name]
            expect(root).to_have_count(int(has_window))  # the part before has gone
            if has_window:
                expect(root).to_have_attribute("lang", language)
            wait_ready(page)
            for width in widths:
                resize(page, width)
                soon(page, lambda: too_wide(page) == [])
                if has_window and language == "en":
                    assert stays(root, ".grid, .sign, .stage, p", 30), name
