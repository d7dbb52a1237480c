"""How long after the pen moved is the new prediction on the screen, and how often are the feature maps drawn anew?

One line of text with the feature maps shown, and one without them; before these, what the preprocessing alone takes.

    python -m tests.benchmarks.draw_latency [--url http://…] [--moves 200]

A figure eight is drawn in headless Chromium at the pace of a mouse, 125 movements a second. The pad itself measures:
from the time stamp of the earliest pointer event that a prediction is the first to know of, to the frame that shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from engine.data.handwriting import strokes_to_image
from tests.browser.conftest import FLAGS, find_chromium, serve, wait_ready

PACE = 0.008  # seconds between two movements
COLLECT = """() => {
  const root = document.querySelector('.stBidiComponent [data-testid=stBidiComponentIsolated]').shadowRoot
    .querySelector('.kasane-canvas');
  window.latencies = [];
  new MutationObserver(() => window.latencies.push(Number(root.dataset.latency)))
    .observe(root, {attributeFilter: ['data-replies']});
}"""


def measure(url: str, moves: int, *, maps: bool) -> tuple[list[float], float, int]:
    """Return the latencies (ms) of the predictions shown while drawing, its seconds, and how often maps were drawn."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/draw")
        wait_ready(page)
        page.wait_for_selector(".kasane-canvas[data-replies]")
        if not maps:
            page.get_by_role("switch", name="Feature maps").click()
        box = page.locator(".paper canvas").bounding_box()

        def move(part: float) -> None:
            angle = 2 * math.pi * part
            x, y = 0.5 + 0.2 * math.sin(2 * angle), 0.5 - 0.35 * math.cos(angle)
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

        move(0)
        page.mouse.down()
        for i in range(10):  # the first answers load the network
            move(0.05 * i / 10)
        time.sleep(0.3)
        page.evaluate(COLLECT)
        drawn = int(page.locator(".kasane-canvas").get_attribute("data-maps") or 0)
        start = time.perf_counter()
        for i in range(moves):
            move(0.05 + 0.95 * i / moves)
            time.sleep(max(0.0, start + (i + 1) * PACE - time.perf_counter()))
        seconds = time.perf_counter() - start
        latencies = page.evaluate("window.latencies")
        drawn = int(page.locator(".kasane-canvas").get_attribute("data-maps") or 0) - drawn
        browser.close()
    return latencies, seconds, drawn


def strokes_latency() -> float:
    """Return the milliseconds from three strokes of 150 points each to the network's picture, the best of 20."""
    rng, seconds = np.random.default_rng(0), []
    strokes = [np.cumsum(rng.normal(0, 3, (150, 2)), axis=0) for _ in range(3)]
    for _ in range(20):
        start = time.perf_counter()
        strokes_to_image(strokes)
        seconds.append(time.perf_counter() - start)
    return min(seconds) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="a running server; without it one is started")
    parser.add_argument("--moves", type=int, default=200)
    options = parser.parse_args()
    print(f"strokes of 450 points to picture: {strokes_latency():.2f} ms")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.url or stack.enter_context(serve(folder))
        for maps in (True, False):
            latencies, seconds, drawn = measure(url, options.moves, maps=maps)
            p50, p95 = np.percentile(latencies, [50, 95])
            print(
                f"pointer to prediction: p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {max(latencies):.1f} ms; "
                f"{len(latencies)} predictions and {drawn} times feature maps ({drawn / seconds:.0f} a second) "
                f"in {options.moves} movements and {seconds:.1f} s"
            )


if __name__ == "__main__":
    main()
