"""The search page in a real Chromium: trials appear while they learn, every control does what it says."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import resize, soon, tap, too_wide, wait_ready

QUICK = "data=digits&network=dense16&train_size=300&evaluate_every=20&over=lr:0.001..1 log,optimizer:sgd|adam"


# The least contrast between a point and the ground, as WCAG counts it.
FAINTEST = """(scatter) => {
  const context = document.createElement("canvas").getContext("2d");
  const light = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const linear = [...context.getImageData(0, 0, 1, 1).data].map((n) => ((n / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05;
  };
  const ground = light(getComputedStyle(scatter).getPropertyValue("--st-background-color"));
  const fills = [...scatter.querySelectorAll("path")].map((it) => getComputedStyle(it).fill);
  return Math.min(...fills.filter((it) => it !== "none").map((it) => light(it) / ground));
}"""


# The texts of a drawing that lie over one another, of those written in the same direction.
COVERED = """(drawing) => {
  const boxes = [...drawing.querySelectorAll(".axes text")].map((it) => {
    const { a, b, e, f } = it.getCTM(), { x, y, width, height } = it.getBBox();
    const left = x + a * e + b * f, top = y - b * e + a * f;
    return { it, left, top, right: left + width, bottom: top + height - 2, turned: Math.atan2(b, a).toFixed(2) };
  });
  const over = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom
    && other.top < one.bottom && one.turned === other.turned;
  const hidden = boxes.filter((one) => boxes.some((other) => one !== other && over(one, other)));
  return hidden.map(({ it }) => it.textContent);
}"""


class Visit:
    """The page, and what one can see and do on it."""

    def __init__(self, page, url: str, query: str) -> None:
        self.page = page
        page.goto(f"{url}/search?{query}")
        wait_ready(page)
        expect(self.root).to_be_visible()

    @property
    def root(self):
        return self.page.locator(".kasane-search")

    @property
    def finished(self) -> int:
        return int(self.root.get_attribute("data-finished"))

    @property
    def cells(self):
        return self.page.locator(".cells button:enabled")

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def speak(self, language: str) -> None:
        """Switch the language by the page's own control."""
        self.page.get_by_text({"en": "English", "ja": "日本語"}[language], exact=True).click()
        expect(self.root).to_have_attribute("lang", language)
        wait_ready(self.page)

    def enters(self, state: str) -> None:
        expect(self.root).to_have_attribute("data-state", state)

    def until(self, count: int) -> None:
        """Wait until so many trials have finished."""
        soon(self.page, lambda: self.finished >= count)


@pytest.fixture
def visit(page, app_url):
    return lambda query: Visit(page, app_url, query)


@pytest.fixture(scope="module")
def watched(opened, profile, app_url):
    """A page that has watched a search of twelve trials to its end."""
    with opened(profile) as page:
        search = Visit(page, app_url, f"{QUICK}&steps=200&trials=12")
        search.button("Start").click()
        search.enters("complete")
        expect(search.button("New")).to_be_visible()
        last = page.get_by_role("status").filter(has_text="Completed: 12 of 12")  # that is said by itself
        last.wait_for(state="attached")
        yield search


@pytest.fixture
def ended(watched):
    """The same page for many tests: each leaves it as it was."""
    watched.page.bring_to_front()
    return watched


@pytest.fixture
def done(watched) -> str:
    """The id of a search of twelve trials that has come to its end."""
    return watched.root.get_attribute("data-search")


def test_it_is_watched_stopped_reloaded_and_taken_up_again(visit, open_page, app_url):
    search = visit(f"{QUICK}&steps=4000&trials=60")
    expect(search.page.get_by_text("Press Start")).to_be_visible()
    expect(search.cells).to_have_count(0)
    search.button("Start").click()
    search.page.wait_for_url(re.compile("[?&]search="))
    search.until(2)
    before = int(search.root.get_attribute("data-shown"))
    expect(search.cells).not_to_have_count(0)
    # nothing was pressed
    soon(search.page, lambda: int(search.root.get_attribute("data-shown")) >= before + 2)

    other = Visit(open_page(), app_url, f"search={search.root.get_attribute('data-search')}")
    other.enters("running")
    assert other.finished >= 2
    other.button("Stop").click()
    for it in (search, other):  # whoever looks sees that it rests
        it.enters("stopped")
        expect(it.button("Resume")).to_be_enabled()
    count = search.finished
    search.page.reload()
    wait_ready(search.page)
    search.until(count)
    search.enters("stopped")
    assert search.finished == count

    trials = search.page.get_by_role("spinbutton", name="Trials", exact=True)
    trials.fill(str(count + 2))
    trials.press("Enter")
    wait_ready(search.page)
    search.button("Resume").click()
    search.enters("complete")
    other.enters("complete")
    assert search.finished == other.finished == count + 2
    search.button("New").click()
    expect(search.button("Start")).to_be_visible()
    soon(search.page, lambda: "search=" not in search.page.url)
    search.enters("ready")


def test_a_trial_is_marked_everywhere(ended):
    search = ended
    search.until(12)
    marked = search.page.locator(".on")
    search.cells.nth(2).hover()
    expect(marked).to_have_count(4)  # cell, point, line and row
    detail = search.page.locator(".detail")
    expect(detail).to_have_text(re.compile(r"^Trial \d+: validation \d+\.\d%, training \d+\.\d%; Learning rate"))
    said = detail.inner_text()
    pressed = search.page.locator(".cells button[aria-pressed=true]")
    expect(pressed).to_have_count(0)  # it is pointed at only
    search.cells.nth(2).focus()
    search.page.keyboard.press("Enter")
    search.page.mouse.move(5, 5)
    expect(detail).to_have_text(said)
    expect(search.page.get_by_role("status").filter(has_text=said)).to_have_count(1)
    expect(pressed).to_have_attribute("aria-label", f"3. {said}")
    expect(search.page.locator("tbody tr[aria-current]")).to_have_count(1)
    search.page.locator(".scatter").focus()
    search.page.keyboard.press("ArrowRight")  # from any trial to the next best, shown among the best twenty or not
    expect(pressed).to_have_attribute("aria-label", re.compile("^4. Trial"))
    expect(detail).not_to_have_text(said)
    search.page.keyboard.press("Home")
    expect(pressed).to_have_attribute("aria-label", re.compile("^1. Trial"))
    said = detail.inner_text()
    search.page.locator("tbody tr").nth(4).click()
    search.page.mouse.move(5, 5)
    expect(detail).not_to_have_text(said)
    for drawing in (".scatter", ".parallel"):
        box = search.page.locator(drawing).bounding_box()
        target = search.page.locator(f"{drawing} > .body > *").first.bounding_box()
        x, y = target["x"] + target["width"] / 2, target["y"] + target["height"] / 2
        search.page.mouse.move(x, y) if drawing == ".scatter" else search.page.mouse.move(
            box["x"] + 42, target["y"] + 2
        )
        expect(marked).not_to_have_count(0)
    search.page.mouse.move(5, 5)
    search.page.locator("tbody tr").nth(4).click()  # once more lets it go
    search.page.mouse.move(5, 5)
    expect(detail).to_have_text(re.compile("^The best: Trial"))
    expect(search.page.locator(".importance dd").first).to_contain_text("%")


class Teller:
    """Has every search on a page tell of trials that ended so, [(state, accuracy), …], whatever it has done."""

    def __init__(self, page, endings) -> None:
        self.text, self.sockets = self.whole(endings), []
        tap(page, "/searching/", self._connect)

    def _connect(self, socket) -> None:
        self.sockets.append(socket)
        socket.send(self.text)

    def tell(self, endings) -> None:
        self.text = self.whole(endings)
        self.sockets[-1].send(self.text)

    @staticmethod
    def whole(endings) -> str:
        trials = []
        for number, (state, accuracy) in enumerate(endings):
            about = {"number": number, "values": {"lr": 0.01 * (number + 1), "optimizer": "adam"}, "state": state}
            curves = {"steps": [0, 200], "train": [0.1, accuracy], "validation": [0.1, accuracy]}
            trials.append(about | curves | {"accuracy": accuracy, "loss": 1.0, "seconds": 1.0})
        about = {"whole": True, "state": "complete", "asked": len(trials), "workers": 0, "seconds": 1.0}
        return json.dumps(about | {"importance": {}, "trials": trials})


# The height of every mark in pixels, above and below its place, by its state.
MARKS = """paths => paths.map(path => {
  const { y, height } = path.getBBox();
  return [path.dataset.state, -y, y + height];
})"""


def test_what_ended_early_is_drawn_no_smaller_than_the_worst_and_said_on_its_card(tapped_page, app_url, done):
    endings = [("complete", 0.9), ("complete", 0.6), ("pruned", 0.4), ("pruned", 0.1), ("diverged", 0.0)]
    teller = Teller(tapped_page, endings)
    search = Visit(tapped_page, app_url, f"search={done}")
    search.until(5)
    marks = search.page.locator(".scatter .body > path").evaluate_all(MARKS)
    drawn = {state: (above, below) for state, above, below in marks}
    assert drawn["complete"] == pytest.approx((6.8, 6.8), abs=0.01)  # the best stands last
    assert [it[1:] for it in marks if it[0] == "pruned"] == [pytest.approx((3.2, 3.2), abs=0.01)] * 2
    assert drawn["diverged"] == pytest.approx((4.2, 3.2), abs=0.01)  # its tip is above

    only_news_is_said_after_a_trial_was_picked(search, lambda: teller.tell(endings))
    teller.tell([("complete", 0.6), ("pruned", 0.85), ("diverged", 0.0), ("complete", 0.7)])
    ended = search.page.locator(".cells em:visible")
    cut = "labels => labels.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent)"
    for language, words in (("en", ["pruned", "diverged"]), ("ja", ["枝刈り", "発散"])):
        if language != "en":
            search.speak(language)
        expect(search.page.locator(".cells button:enabled em")).to_have_text(["", "", *words])
        for width in (1440, 390):
            resize(search.page, width)
            assert ended.count() == 2
            assert ended.evaluate_all(cut) == []
        resize(search.page, 1440)


def only_news_is_said_after_a_trial_was_picked(search, tell_again) -> None:
    spoken = search.root.get_by_role("status")
    expect(spoken).to_have_text(re.compile("^Completed: 5 of 5"))
    search.cells.first.click()
    expect(spoken).to_have_text(re.compile("^Trial 0"))
    before = int(search.root.get_attribute("data-shown"))
    tell_again()
    soon(search.page, lambda: int(search.root.get_attribute("data-shown")) > before)
    search.page.wait_for_timeout(600)  # twice as long as it would take to be said
    expect(spoken).to_have_text(re.compile("^Trial 0"))
    search.cells.first.click()


def test_the_two_axes_are_never_the_same_by_themselves_and_no_name_beside_them_is_cut(visit):
    search = visit("data=digits&network=dense16&train_size=300")
    across, up = (search.page.get_by_label(name, exact=True) for name in ("Horizontal axis", "Vertical axis"))
    assert "lr" in {across.input_value(), up.input_value()}
    search.button("Does the optimizer matter?").click()
    expect(search.page.locator(".lines .axes")).to_contain_text("AdaGrad")
    soon(search.page, lambda: {across.input_value(), up.input_value()} == {"lr", "optimizer"})
    across.select_option("Learning rate")
    up.select_option("Optimizer")
    for drawing in (".scatter", ".parallel"):
        left = search.page.locator(drawing).bounding_box()["x"]
        for name in ("Momentum", "AdaGrad"):
            assert search.page.locator(f"{drawing} .axes").get_by_text(name).bounding_box()["x"] >= left
    search = visit("over=activation,initializer,normalization,optimizer")
    for language in ("en", "ja"):
        search.speak(language)
        for width in (1440, 390):
            resize(search.page, width)
            for drawing in (".scatter", ".parallel"):
                soon(search.page, lambda it=drawing: search.page.locator(it).evaluate(COVERED) == [])
            texts = search.page.locator(".scatter .axes text").all_text_contents()
            assert len(set(texts)) == len(texts)


def test_axes_of_the_points_can_be_chosen(ended):
    search = ended
    search.until(12)
    across, up = (search.page.get_by_label(name, exact=True) for name in ("Horizontal axis", "Vertical axis"))
    usual = across.input_value(), up.input_value()
    places = lambda: search.page.locator(".scatter .body > path").evaluate_all(  # noqa: E731
        "paths => paths.map(it => it.getAttribute('transform'))"
    )
    before = places()
    assert len(before) == 12
    up.select_option("Validation accuracy")
    soon(search.page, lambda: places() != before)
    across.select_option("Optimizer")
    expect(search.page.locator(".scatter .axes")).to_contain_text("Adam")
    soon(search.page, lambda: len({place.split("(")[1].split()[0] for place in places()}) == 2)
    up.select_option("Optimizer")
    expect(search.page.locator(".scatter .axes").get_by_text("Adam")).to_have_count(2)
    assert len(set(places())) == 12  # where only options are chosen from, no trial hides another
    for axis, value in zip((across, up), usual, strict=True):
        axis.select_option(value=value)
    soon(search.page, lambda: places() == before)


def test_what_is_shown_can_be_taken_home(ended):
    search = ended
    search.until(12)
    tables = {}
    for name, place, title in (
        ("curves", ".panel", "The best 20: accuracy while they learn"),
        ("trials", ".list", "The best 20 in numbers"),
    ):
        with search.page.expect_download() as download:
            search.page.locator(place).get_by_role("button", name=f"Download as CSV: {title}", exact=True).click()
        assert download.value.suggested_filename == f"kasane-search-{name}.csv"
        tables[name] = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert [row["trial"] for row in tables["trials"]] == [str(n) for n in range(12)]
    assert {row["optimizer"] for row in tables["trials"]} == {"sgd", "adam"}
    best = max(float(row["validation_accuracy"]) for row in tables["trials"])
    expect(search.page.locator(".cells b").first).to_have_text(f"{best:.1%}")
    first = [row for row in tables["curves"] if row["rank"] == "1"]
    assert [int(row["step"]) for row in first] == list(range(0, 201, 20))
    assert float(first[-1]["validation_accuracy"]) == best


def test_any_trial_opens_on_the_train_page_and_the_way_back_finds_the_search(ended, done):
    search = ended

    def back() -> None:
        search.page.go_back()
        search.page.wait_for_url(re.compile(rf"/search\?search={done}"))
        search.enters("complete")
        search.until(12)

    search.button("Open on the Train page").click()
    search.page.wait_for_url(re.compile(r"/train\?.*network=dense16"))
    wait_ready(search.page)
    back()
    row = search.page.locator("tbody tr").nth(3)
    rate = float(row.locator("td").nth(3).inner_text().replace("−", "-"))
    row.get_by_role("button").click()
    search.page.wait_for_url(re.compile(r"/train\?.*network=dense16"))
    wait_ready(search.page)
    field = search.page.get_by_label("Learning rate", exact=True).first
    soon(search.page, lambda: float(field.input_value()) == pytest.approx(rate, rel=0.006))
    search.page.reload()
    wait_ready(search.page)
    back()
    assert search.finished == 12


def test_what_to_try_comes_into_sight(open_page, app_url):
    page = open_page(reduced_motion="reduce")
    search = Visit(page, app_url, QUICK)
    status, header = page.locator(".kasane-search .status"), page.get_by_test_id("stHeader")
    tries = ((390, "Random or TPE", "sampler=tpe", 40), (1440, "Does the optimizer matter?", "pruning=1", 60))
    for width, name, setting, trials in tries:
        resize(page, width)
        search.button(name).click()
        page.wait_for_url(re.compile(setting))
        expect(status).to_contain_text(f"0 / {trials}")
        expect(search.button("Start")).to_be_in_viewport(ratio=1)
        expect(status).to_be_in_viewport(ratio=1)
        soon(page, lambda: search.button("Start").bounding_box()["y"] >= header.bounding_box()["height"])


def test_language_and_theme_leave_the_search_where_it_is(ended, done):
    search = ended
    search.cells.nth(1).click()
    search.speak("ja")
    assert search.root.get_attribute("data-search") == done
    assert search.finished == 12
    pressed = search.page.locator(".cells button[aria-pressed=true]")
    expect(pressed).to_have_count(1)
    search.page.emulate_media(color_scheme="dark")
    expect(search.cells).to_have_count(12)
    # also the trials that are no good are seen: they were nearly as dark as the page
    soon(search.page, lambda: search.page.locator(".scatter").evaluate(FAINTEST) >= 3)
    search.page.emulate_media(color_scheme="null")
    search.speak("en")
    search.cells.nth(1).click()
    expect(pressed).to_have_count(0)


def test_nothing_is_wider_than_the_screen_and_nothing_jumps(visit, ended):
    """A page that has no search yet beside one whose search has ended."""
    empty = visit(f"{QUICK}&trials=12")
    edges = "root => [...root.querySelectorAll('section')].map(it => Math.round(it.getBoundingClientRect().height))"
    for width, language in ((1440, "en"), (844, "en"), (390, "en"), (1440, "ja"), (390, "ja")):
        for search in (empty, ended):
            search.page.bring_to_front()
            if search.root.get_attribute("lang") != language:
                resize(search.page, 1440)
                search.speak(language)
            resize(search.page, width)
        soon(ended.page, lambda: ended.root.evaluate(edges) == empty.root.evaluate(edges))
        assert too_wide(ended.page) == too_wide(empty.page) == []
    resize(ended.page, 1440, 900)
    ended.speak("en")
