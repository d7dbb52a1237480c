"""The language can be changed at any time: what was chosen stays, is said in the other language, and can be changed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from pages._ui.i18n import LANGUAGES, catalog
from tests.browser.conftest import wait_ready

pytestmark = pytest.mark.browser


class Screen:
    """A page, in one language after the other."""

    def __init__(self, page, url: str) -> None:
        self.page, self.language = page, "en"
        page.goto(url)
        wait_ready(page)

    def said(self, message: str) -> str:
        return catalog(self.language).get(message, message)

    def speak(self, language: str) -> None:
        self.page.get_by_text(LANGUAGES[language], exact=True).click()
        self.language = language
        expect(self.page.get_by_text(self.said("Language"), exact=True)).to_be_attached()
        wait_ready(self.page)

    def box(self, label: str):
        return self.page.get_by_role("combobox", name=self.said(label), exact=True)

    def choose(self, label: str, option: str) -> None:
        self.box(label).click()
        self.page.get_by_role("option", name=self.said(option), exact=True).click()
        self.shows(label, option)

    def shows(self, label: str, option: str) -> None:
        expect(self.box(label)).to_have_value(self.said(option))
        wait_ready(self.page)
        expect(self.page.get_by_text(self.said("Something went wrong on this page. Reload it; your run is kept."))
               ).to_have_count(0)  # fmt: skip


# One for each way that choices are drawn: fields of an experiment, settings of a page.
@pytest.mark.parametrize(("path", "label", "first", "second"), [
    ("train", "Loss", "Sum of squared errors", "Softmax, cross-entropy"),
    ("convolution?part=kernels", "Kernel", "Blur (box)", "Sharpen"),
])  # fmt: skip
def test_a_choice_outlives_a_change_of_language(page, app_url, path, label, first, second):
    screen = Screen(page, f"{app_url}/{path}")
    thumb = page.get_by_test_id("stMain").get_by_test_id("stSliderThumbValue")
    if path == "train":
        page.get_by_role("slider", name="Speed").press("End")
        expect(thumb).to_have_text(screen.said("full speed"))
    screen.choose(label, first)
    screen.speak("ja")
    screen.shows(label, first)
    screen.choose(label, second)
    if path == "train":
        expect(thumb).to_have_text(screen.said("full speed"))
    screen.speak("en")
    screen.shows(label, second)
    screen.choose(label, first)


def test_fields_to_search_outlive_a_change_of_language(page, app_url):
    screen = Screen(page, f"{app_url}/search?over=optimizer:sgd|adam")
    fields = page.get_by_test_id("stMultiSelect").first
    expect(fields).to_contain_text(screen.said("Optimizer"))
    screen.speak("ja")
    expect(fields).to_contain_text(screen.said("Optimizer"))
    page.get_by_role("button", name=screen.said("As on the Train page")).click()
    wait_ready(page)
    expect(fields).to_contain_text(screen.said("Optimizer"))


def test_the_document_says_its_language_which_outlives_a_reload_and_its_page(page, app_url):
    screen = Screen(page, app_url)
    html = page.locator("html")
    expect(page).to_have_title("Kasane 重ね")
    expect(html).to_have_attribute("lang", "en")
    screen.speak("ja")
    page.wait_for_url("**/?lang=ja")
    page.reload()
    expect(page.get_by_text(screen.said("Watch a boundary form"))).to_be_attached()
    expect(html).to_have_attribute("lang", "ja")
    page.get_by_role("link", name=screen.said("Train"), exact=True).first.click()
    expect(page).to_have_title(f"{screen.said('Train')} · Kasane 重ね")
    screen.speak("en")
    expect(html).to_have_attribute("lang", "en")
    expect(page).to_have_title("Train · Kasane 重ね")


def test_an_address_without_a_page_says_so_in_the_language_that_the_browser_prefers_and_leads_home(open_page, app_url):
    page = open_page(locale="ja-JP")
    page.goto(f"{app_url}/home?steps=5")
    title = page.locator("h1")
    expect(title).to_have_text("このページはありません")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_test_id("stPageLink").get_by_role("link", name="ホーム").click()
    expect(title).to_have_text("Kasane 重ね")
    page.go_back()
    expect(title).to_have_text("このページはありません")
