"""Does the shipped network read what hands really draw, and does the pad show it what the preprocessing makes?

    python -m tests.benchmarks.pendigits_pad [pendigits-orig.tra.gz]

First all digits of UCI's "Pen-Based Recognition of Handwritten Digits" as strokes, without a screen; then 100 of them,
ten of each, with the mouse on the real pad in Chromium, at three pen widths. The writers with odd numbers had a part in
choosing the preprocessing's pen; those with even numbers are strangers to it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.async_api import async_playwright

from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.training.checkpoint import load_model
from pages._ui.reading import SHIPPED
from tests.browser.conftest import FLAGS, find_chromium, serve
from tests.engine.data.pendigits import PENDIGITS, PenDigit, read_pendigits

WIDTHS = (6, 16, 28)
PART = 0.7  # of the pad that a drawing fills
PER_DIGIT = 10
IDLE = """async seq => {
  const component = document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot;
  const root = component.querySelector('.kasane-canvas');
  while (Number(root.dataset.seq) < seq) await new Promise(requestAnimationFrame);
  const pixels = root.querySelector('.picture canvas').getContext('2d').getImageData(0, 0, 28, 28).data;
  return [root.dataset.digitShipped, Array.from(pixels).filter((_, i) => i % 4 == 0)];
}"""


def without_screen(digits: list[PenDigit]) -> None:
    """Print the accuracy on the strokes themselves."""
    model = load_model(SHIPPED)
    images = np.array([strokes_to_image(digit.strokes) for digit in digits])[..., None]
    answers = np.array([model.probabilities(image[None]).argmax() for image in images])
    right = answers == [digit.label for digit in digits]
    strangers = np.array([digit.writer % 2 == 0 for digit in digits])
    print(
        f"{SHIPPED.name}: {right.mean():.2%} of {len(digits):,} pendigits; "
        f"{right[strangers].mean():.2%} of the {strangers.sum():,} by writers of even number"
    )


def choose(digits: list[PenDigit]) -> list[PenDigit]:
    """Return ten of each digit, spread over the writers of even number."""
    chosen = []
    for label in range(10):
        of_label = [digit for digit in digits if digit.label == label and digit.writer % 2 == 0]
        chosen += of_label[:: len(of_label) // PER_DIGIT][:PER_DIGIT]
    return chosen


def place(digit: PenDigit) -> list[np.ndarray]:
    """Return the strokes in parts of the pad, in its middle."""
    points = np.concatenate(digit.strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    return [(stroke - (low + high) / 2) * PART / (high - low).max() + 0.5 for stroke in digit.strokes]


class Pad:
    """The pad in a browser, and what it sends."""

    def __init__(self, page) -> None:
        self.page, self.asked = page, {"seq": 0, "strokes": []}
        page.on("websocket", lambda socket: "/read/" in socket.url and socket.on("framesent", self._note))

    def _note(self, frame: str) -> None:
        self.asked = json.loads(frame)

    async def open(self, url: str) -> None:
        await self.page.goto(f"{url}/draw")
        await self.page.wait_for_selector(".kasane-canvas[data-replies]", timeout=60_000)
        self.box = await self.page.locator(".paper canvas").bounding_box()

    async def draw(self, strokes: list[np.ndarray]) -> tuple[str, np.ndarray, list]:
        """Draw on an empty pad; return what is read, the picture and the strokes that the pad sent."""
        mouse, box = self.page.mouse, self.box
        for stroke in strokes:
            points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
            await mouse.move(*points[0])
            await mouse.down()
            # Sent without waiting for one another, as a fast hand does: Chromium coalesces them.
            await asyncio.gather(*(mouse.move(*point) for point in points[1:]))
            await mouse.up()
        for _ in range(100):  # until the last point has been sent; then the answer to that
            sent = self.asked["strokes"]
            if len(sent) == len(strokes) and np.abs(np.array(sent[-1][-1]) - 280 * strokes[-1][-1]).max() < 2:
                break
            await asyncio.sleep(0.03)
        read, picture = await self.page.evaluate(IDLE, self.asked["seq"])
        return read, np.array(picture, np.uint8).reshape(28, 28), sent


async def on_the_pad(url: str, digits: list[PenDigit]) -> None:
    """Print, for each pen width, the accuracy and how near the pad's picture is to the preprocessing's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
        pad = Pad(await context.new_page())
        await pad.open(url)
        for width in WIDTHS:
            await pad.page.get_by_role("slider").fill(str(width))
            right = same = 0
            apart = []
            for digit in digits:
                read, picture, sent = await pad.draw(place(digit))
                right += read == str(digit.label)
                same += np.array_equal(picture, strokes_to_image(parse_strokes(sent)))
                original = strokes_to_image(digit.strokes)
                apart.append(np.abs(picture.astype(int) - original).mean())
                await pad.page.get_by_role("button", name="Clear", exact=True).click()
            print(
                f"pad, pen {width:2}: {right} of {len(digits)} read right; {same} pictures equal to those of the "
                f"strokes sent, {np.mean(apart):.2f} of 255 a pixel (worst {max(apart):.2f}) from the data set's"
            )
        await browser.close()


def main() -> None:
    digits = read_pendigits(sys.argv[1] if len(sys.argv) > 1 else PENDIGITS)
    without_screen(digits)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as url:
        asyncio.run(on_the_pad(url, choose(digits)))


if __name__ == "__main__":
    main()
