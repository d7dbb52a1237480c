"""Does the shipped network read what hands really draw, and does the pad show it what the preprocessing makes?

    python -m tests.benchmarks.pendigits_pad [pendigits-orig.tra.gz]

Digits of UCI's "Pen-Based Recognition of Handwritten Digits" by the writers that were left out of its training: first
all of them as strokes, without a screen; then 200, twenty of each, with the mouse on the real pad in Chromium: at three
pen widths, in a corner, at a third of the size, and turned by 10° either way.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.async_api import async_playwright

from engine.data.datasets import LEFT_OUT
from engine.data.handwriting import parse_strokes, strokes_to_image
from engine.training.checkpoint import load_model
from pages._ui.reading.network import SHIPPED
from tests.browser.conftest import FLAGS, find_chromium, serve
from tests.engine.data.pendigits import PENDIGITS, PenDigit, read_pendigits

PART = 0.7  # of the pad that a drawing fills
PER_DIGIT = 20
# name: the pen's width, the part of the pad, the centre, and degrees of turning
HANDS = {
    "pen 6": (6, PART, 0.5, 0),
    "pen 16": (16, PART, 0.5, 0),
    "pen 28": (28, PART, 0.5, 0),
    "in a corner": (16, 0.4, 0.24, 0),
    "a third of the size": (16, PART / 3, 0.5, 0),
    "turned by +10°": (16, PART, 0.5, 10),
    "turned by −10°": (16, PART, 0.5, -10),
}
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
    print(f"{SHIPPED.name}: {right.mean():.2%} of {len(digits):,} strokes of writers who were left out")


def choose(digits: list[PenDigit]) -> list[PenDigit]:
    """Return some of each digit, spread over the writers."""
    chosen = []
    for label in range(10):
        of_label = [digit for digit in digits if digit.label == label]
        chosen += of_label[:: len(of_label) // PER_DIGIT][:PER_DIGIT]
    return chosen


def place(digit: PenDigit, part: float, centre: float, degrees: float) -> list[np.ndarray]:
    """Return the strokes in parts of the pad."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    strokes = [stroke @ np.array([[cos, sin], [-sin, cos]]) for stroke in digit.strokes]
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    return [(stroke - (low + high) / 2) * part / (high - low).max() + centre for stroke in strokes]


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
    """Print the accuracy for each of `HANDS`, and how often the pad's picture is the preprocessing's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
        pad = Pad(await context.new_page())
        await pad.open(url)
        for name, (width, *where) in HANDS.items():
            await pad.page.get_by_role("slider", name="Pen").fill(str(width))
            right = same = 0
            for digit in digits:
                read, picture, sent = await pad.draw(place(digit, *where))
                right += read == str(digit.label)
                same += np.array_equal(picture, strokes_to_image(parse_strokes(sent)))
                await pad.page.get_by_role("button", name="Clear", exact=True).click()
            print(
                f"{name}: {right} of {len(digits)} read right ({right / len(digits):.1%}); "
                f"{same} pictures equal to those of the strokes sent",
                flush=True,
            )
        await browser.close()


def main() -> None:
    digits = read_pendigits(sys.argv[1] if len(sys.argv) > 1 else PENDIGITS)
    digits = [digit for digit in digits if digit.writer % LEFT_OUT == 0]
    without_screen(digits)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as url:
        asyncio.run(on_the_pad(url, choose(digits)))


if __name__ == "__main__":
    main()
