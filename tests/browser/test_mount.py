"""What every component of ours does with its place in the page: Streamlit's calls, in every order that they come in."""

from __future__ import annotations

import re
from itertools import product
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go_to, soon, wait_quiet, wait_ready

pytestmark = pytest.mark.browser

# Runs `play`, which has mount(n, attention) → the end of that call, the place, pause(), and go(), which ends the wait.
STAGE = """async ([waits, play]) => {
  const { mounted } = await import("/ui/served/mount.js");
  const log = [], place = document.createElement("div");
  let views = 0, go;
  const ready = new Promise((done) => (go = done));
  document.body.append(place);
  const show = mounted(() => {
    const name = "ab"[views++];
    const root = document.createElement("p");
    root.scrollIntoView = () => {};
    const say = (what) => log.push(name + what);
    return { root, update: ({ data }) => say(data.n), again: () => say("!"), close: () => say("x") };
  }, waits ? () => ready : undefined);
  const mount = (n, attention) => show({ parentElement: place, data: { n, attention } });
  const pause = () => new Promise((done) => setTimeout(done, 250));
  await new Function("mount", "place", "pause", "go", `return (async () => { ${play} })()`)(mount, place, pause, go);
  place.remove();
  return log.join(" ");
}"""

AGAIN = "place.remove(); end(); document.body.append(place);"
ORDERS = {
    "one after the other": (False, "mount(1); const end = mount(2); place.remove(); end()", "a1 a2 ax"),
    "overtaken": (False, "mount(1)(); mount(2)(); await pause(); place.remove(); await pause()", "a1 a2 ax"),
    "overtaken late": (False, "mount(1)(); await pause(); mount(2)(); place.remove(); await pause()", "a1 a2 ax"),
    "its place goes late": (False, "mount(1)(); await pause(); place.remove(); await pause()", "a1 ax"),
    "ended twice": (False, "const end = mount(1); end(); place.remove(); end(); await pause()", "a1 ax"),
    "mounted anew": (False, f"const end = mount(1); {AGAIN} mount(2)", "a1 ax b2"),
    "two wait": (True, "const calls = [mount(1), mount(2)]; go(); (await calls[0])(); await pause()", "a1 a2"),
    "gone while it waited": (True, "const late = mount(1); place.remove(); go(); (await late)?.()", ""),
    "called": (False, "[0, 1, 1, 2, 0, 2].forEach((attention, n) => mount(n, attention))", "a0 a1 a! a2 a3 a! a4 a5"),
    "called with another": (False, f"const end = mount(1, 3); {AGAIN} mount(2, 3); mount(3, 4)", "a1 a! ax b2 b3 b!"),
}


def test_a_view_is_made_once_and_ends_when_its_place_goes(page, app_url):
    page.goto(f"{app_url}/_stcore/health")  # a document of the server's, no page of ours
    for name, (waits, play, log) in ORDERS.items():
        assert page.evaluate(STAGE, [waits, play]) == log, name


LEAVING = ["history.back()", "document.querySelector('[data-testid=stTopNavLink]').click()"]


def test_what_a_component_says_after_its_page_was_left_calls_it_no_more(page, app_url):
    page.goto(app_url)
    wait_ready(page)
    for leave, late in product(LEAVING, (0, 5)):
        go_to(page, "Learning", "Normalization")
        typed = page.locator(".kasane-normal input[type=number]").first
        typed.wait_for()
        wait_quiet(page)
        typed.evaluate(f"""(input) => {{
          const say = () => {{ input.value = 7; input.dispatchEvent(new Event("change", {{ bubbles: true }})) }};
          addEventListener("popstate", () => setTimeout(say, {late}), {{ once: true }});
          {leave};
          setTimeout(say, {late});
        }}""")  # as a run would that ends in this moment
        page.get_by_text("Watch a boundary form").wait_for()
        wait_quiet(page)
        assert urlsplit(page.url).path == "/", (leave, late)
        assert "typed" not in page.url
        expect(page.get_by_text("Watch a boundary form")).to_be_visible()
    go_to(page, "Learning", "Normalization")  # and there it says what it has to say
    typed.fill("7")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("typed="))


# Whether every canvas of a kind has as many pixels as the screen gives it; `least` of them are there.
SHARP = """(all, least) => all.length >= least
    && all.every((it) => Math.abs(it.width - devicePixelRatio * it.getBoundingClientRect().width) <= 1)"""
DRAWN = {  # section, page, part: canvases, and how many there are at least
    ("", "Draw", ""): (".strips .strip:last-child canvas", 1),  # the bars of the output layer
    ("Learning", "Optimizers", ""): (".kr-chart, .kasane-race th canvas", 8),
    ("Learning", "Initialization", "Trained side by side"): (".kcp-depth canvas, .kcp-panel canvas", 5),
}


def test_on_another_screen_everything_is_as_sharp_as_that(open_page, app_url):
    page = open_page(device_scale_factor=1, reduced_motion="reduce")
    devtools = page.context.new_cdp_session(page)

    def show(ratio: int) -> None:
        # The page is as wide as before; of a ratio alone an emulated screen does not tell.
        screen = {"width": 1440, "height": 899 + ratio, "deviceScaleFactor": ratio, "mobile": False}
        devtools.send("Emulation.setDeviceMetricsOverride", screen)
        page.wait_for_function(f"devicePixelRatio === {ratio}")

    page.goto(app_url)
    wait_ready(page)
    for place, (canvases, least) in DRAWN.items():
        show(1)
        go_to(page, *place)
        drawn = page.locator(canvases)
        soon(page, lambda drawn=drawn, least=least: drawn.evaluate_all(SHARP, least))
        show(2)
        soon(page, lambda drawn=drawn, least=least: drawn.evaluate_all(SHARP, least))


# Gives an element the focus, and tells whether a key that is pressed there is left to the browser.
LEFT = """(stage, [key, alt, ctrl]) => {
  stage.focus();
  const more = { altKey: alt, ctrlKey: ctrl, bubbles: true, composed: true, cancelable: true };
  return stage.dispatchEvent(new KeyboardEvent("keydown", { key, ...more }));
}"""
STAGES = {  # section, page, part: where keys are heard, and what is made of pictures that move by themselves
    ("", "Draw", ""): (".kasane-canvas .paper canvas", ".kasane-canvas[data-replies]"),
    ("Learning", "Optimizers", ""): (".kasane-race [role=application]", ".kasane-race"),
    ("Networks", "Convolution", ""): (".kasane-window .output .grid", None),
    ("Learning", "Normalization", ""): (".kasane-normal .stage", None),
    ("Learning", "Regularization", "Why L1 zeroes weights"): (".kasane-regular .handle", None),
}


# The headings of a page, in components too, that are more than one level below the one before.
SKIPPING = """() => {
  const within = (root) => [...root.querySelectorAll("*")].flatMap((it) =>
    [...(/^H[1-6]$/.test(it.tagName) ? [it] : []), ...(it.shadowRoot ? within(it.shadowRoot) : [])]);
  const headings = within(document), level = (it) => Number(it.tagName[1]);
  return headings.filter((it, n) => level(it) > (n ? level(headings[n - 1]) : 0) + 1).map((it) => it.textContent);
}"""


def test_every_picture_has_a_name_headings_have_all_levels_and_keys_are_left_to_the_browser(page, app_url):
    page.goto(app_url)
    wait_ready(page)
    for place, (stage, moving) in STAGES.items():
        go_to(page, *place)
        if moving:
            page.locator(moving).wait_for()
            pictures = page.locator(f"{moving} [role=img]:visible")
            soon(page, lambda pictures=pictures: pictures.count() > 0)
            assert all(pictures.evaluate_all("all => all.map(it => it.getAttribute('aria-label'))")), place
        stage = page.locator(stage).first
        stage.wait_for()
        wait_ready(page)
        assert page.evaluate(SKIPPING) == [], place
        assert stage.evaluate(LEFT, ["ArrowLeft", True, False]), place  # Alt and ←: back
        assert stage.evaluate(LEFT, ["ArrowRight", False, True]), place
        assert not stage.evaluate(LEFT, ["ArrowLeft", False, False]), place
