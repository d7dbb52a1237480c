"""The Architectures page in a real Chromium: to scale, in any width, and a link between looking and training."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go_to, resize, soon, too_wide, wait_ready

pytestmark = pytest.mark.browser

SHEET = ".bp-sheet[role=img]"


def go(page, url):
    page.goto(url)
    wait_ready(page)
    page.locator(".bp-plane").first.wait_for()


def boxes(page):
    """Return the sizes of the boxes' front sides, (width, height) in pixels, the input first."""
    script = "cubes => cubes.map(cube => [cube.offsetWidth, cube.offsetHeight])"
    return page.locator(".bp-cube").evaluate_all(script)


def fits(page) -> bool:
    """Tell whether all of the drawing is in sight."""
    return page.locator(SHEET).evaluate("it => it.scrollWidth === it.clientWidth")


def test_the_largest_network_is_to_scale_and_fits_every_screen_but_a_phone_where_it_scrolls(page, app_url):
    go(page, f"{app_url}/architectures?net=vgg16")
    drawn = boxes(page)
    heights = [height for _, height in drawn]
    pooled = [heights[n] for n in (0, 3, 6, 10, 14, 18)]  # 224, 112, 56, 28, 14 and 7 pixels a side
    steps = [before - after for before, after in itertools.pairwise(pooled)]
    assert max(steps) - min(steps) <= 4  # every halving is a step of the same height
    assert min(steps) > 10
    widths = [width for width, _ in drawn]
    assert widths[0] < widths[1] < widths[4] < widths[7] < widths[11] == widths[18]  # 3, 64, 128, 256, 512 channels

    cut = "names => names.filter(it => it.scrollWidth > it.clientWidth).map(it => it.textContent)"
    for width in (1440, 1366, 1280):
        resize(page, width, 768)
        soon(page, lambda: fits(page))
        assert too_wide(page) == []
        assert page.locator(".bp-name").evaluate_all(cut) == []

    resize(page, 390)
    soon(page, lambda: not fits(page))
    assert too_wide(page) == []  # the drawing scrolls by itself
    drawing = page.locator(SHEET)
    faded = drawing.evaluate("it => Number(getComputedStyle(it).maskImage.match(/100% - (\\d+)px/)[1])")
    assert faded > 0  # the edge beyond which it goes on
    drawing.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.bp-sheet').scrollLeft > 0")
    drawing.evaluate("it => it.scrollTo(it.scrollWidth, 0)")

    def last_is_clear() -> bool:
        last, edge = drawing.locator(".bp-name").last.bounding_box(), drawing.bounding_box()
        return last["x"] + last["width"] <= edge["x"] + edge["width"] - faded + 0.5

    soon(page, last_is_clear)  # where it ends nothing is faded


def test_bars_show_where_the_costs_are_and_the_table_downloads(page, app_url):
    go(page, f"{app_url}/architectures?net=alexnet")
    tall = page.locator(".bp-bar i").evaluate_all("bars => bars.map(bar => bar.offsetHeight)")
    parameters, multiply_adds = tall[:11], tall[11:]
    assert parameters.index(max(parameters)) == 8  # dense1
    assert multiply_adds.index(max(multiply_adds)) == 2  # conv2
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert download.value.suggested_filename == "kasane-alexnet.csv"
    assert download.value.path().read_text().splitlines()[-1].startswith("output,output,4096,1000,4097000,4096000")


def test_the_drawing_follows_the_input_and_the_language_switch_keeps_both(page, app_url):
    go(page, f"{app_url}/architectures?net=lenet5")
    before = boxes(page)[0][1]
    field = page.get_by_label("Input size", exact=True)
    field.fill("3")
    field.press("Enter")
    page.get_by_text("Input size must be a whole number from 12 to 1024 for LeNet-5, not 3.").wait_for()
    expect(page.locator(".bp-cube")).to_have_count(0)  # Streamlit takes out what is no more when a run has ended
    field.fill("112")
    field.press("Enter")
    page.wait_for_url(re.compile("size=112"))
    page.get_by_text("112×112×1", exact=True).wait_for()
    soon(page, lambda: boxes(page)[0][1] > before + 20)
    page.get_by_text("日本語", exact=True).click()
    page.wait_for_url(re.compile("lang=ja"))
    page.get_by_label("入力のサイズ", exact=True).wait_for()
    page.get_by_text("112×112×1", exact=True).wait_for()
    soon(page, lambda: "net=lenet5" in page.url)
    soon(page, lambda: "size=112" in page.url)
    assert fits(page)
    assert too_wide(page) == []
    resize(page, 390)
    soon(page, lambda: not fits(page))
    assert too_wide(page) == []


def test_train_takes_the_network_along_and_the_way_back_finds_it(page, app_url):
    go(page, f"{app_url}/architectures?net=784-50-10&size=56")
    train = page.get_by_role("button", name="Train it")
    train.click()
    page.wait_for_url(re.compile(r"/train\?.*preset=ch05-two-layer"))
    wait_ready(page)
    page.go_back()
    page.wait_for_url(re.compile(r"/architectures\?net=784-50-10&size=56"))
    page.get_by_text("56×56×1", exact=True).wait_for()
    train.click()
    page.wait_for_url(re.compile(r"/train\?.*preset=ch05-two-layer"))
    expect(page.get_by_label("Hidden layers", exact=True)).to_have_value("dense50")
    page.get_by_role("button", name="1 step", exact=True).click()
    page.wait_for_function("+document.querySelector('[data-frames]')?.dataset.step === 1")
    go_to(page, "Networks", "Architectures")  # and what was looked at is still there
    page.get_by_text("56×56×1", exact=True).wait_for()
    page.wait_for_url(re.compile("net=784-50-10.*size=56|size=56.*net=784-50-10"))


def test_what_to_try_brings_the_picture_into_sight(page, app_url):
    go(page, f"{app_url}/architectures")
    button = page.get_by_role("button", name="Twice the side")
    button.scroll_into_view_if_needed()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("it => it.scrollTop") > 500
    button.click()
    page.get_by_text("448×448×3", exact=True).wait_for()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop < 10")
    page.wait_for_url(re.compile("net=vgg16.*size=448|size=448.*net=vgg16"))
    page.get_by_role("button", name="No dense layer").click()
    page.get_by_text("112×112×1", exact=True).wait_for()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop < 10")
