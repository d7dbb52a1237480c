"""Networks that a person brings to the Draw page as a file, finds again after a reload, and takes away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from engine.experiment import Experiment
from engine.training.checkpoint import dump, load_model, network_only
from engine.training.trainer import Trainer
from tests.browser.conftest import soon, wait_ready
from tests.browser.test_draw import SEVEN, Hand

pytestmark = pytest.mark.browser

SHIPPED, BROUGHT = "Shipped with Kasane", "From a file"


@pytest.fixture(scope="module")
def checkpoint() -> bytes:
    trainer = Trainer(Experiment(network="dense16", train_size=600, test_size=50, steps=40, optimizer="adam", lr=0.01))
    trainer.advance()
    return dump(trainer)


class Visitor(Hand):
    """A hand that has opened the networks below the pad."""

    def wait(self) -> None:
        super().wait()
        self.page.get_by_test_id("stButtonGroup").get_by_text(re.compile("^(Networks|ネットワーク)$")).click()
        self.page.locator("input[type=file]").wait_for(state="attached")
        wait_ready(self.page)

    def bring(self, blob: bytes) -> None:
        file = {"name": "mine.safetensors", "mimeType": "application/octet-stream", "buffer": blob}
        self.page.locator("input[type=file]").set_input_files(file)

    def shows(self, *titles: str) -> None:
        """Wait until these networks read, each with its ten bars."""
        expect(self.page.locator(".card h3")).to_have_text(titles)
        expect(self.page.locator(".card [role=meter]")).to_have_count(10 * len(titles))


def test_a_network_from_a_file_reads_is_taken_away_and_outlives_a_reload_until_it_is_removed(page, app_url, checkpoint):
    visitor = Visitor(page, app_url)
    visitor.bring(checkpoint[:-1])
    expect(page.get_by_test_id("stAlert")).to_have_text(re.compile(r"not a safetensors file \(.*\)\.$"))
    expect(page.get_by_test_id("stFileUploaderFile")).to_have_count(0)
    visitor.shows(SHIPPED)
    visitor.bring(checkpoint)
    visitor.shows(SHIPPED, BROUGHT)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    visitor.draw(SEVEN)
    visitor.reads("7")
    expect(visitor.root).to_have_attribute("data-digit-brought", re.compile("."))
    for name in ("shipped", "brought"):
        with page.expect_download() as download:
            page.locator(f".st-key-take_{name} button").click()
        assert download.value.suggested_filename == f"kasane-{name}.safetensors"
        blob = download.value.path().read_bytes()
        assert load_model(blob).network.in_shape == (28, 28, 1)
    assert blob == network_only(checkpoint)
    soon(page, lambda: "brought=brought-" in page.url)
    page.reload()
    visitor.wait()
    visitor.shows(SHIPPED, BROUGHT)
    page.get_by_role("button", name="Remove", exact=True).click()
    visitor.shows(SHIPPED)
    soon(page, lambda: "brought=" not in page.url)
