"""Runs side by side, in a real browser: how long each comparison takes, and how often its charts are drawn meanwhile.

    python -m tests.benchmarks.comparisons

Criteria: four runs on Initialization and five on Regularization within 30 s, every chart drawn at least three times a
second; the 4×4 panel on Normalization within 60 s; 100 trials of ch06-search within 60 s. Needs a Chromium; starts a
server of its own. Run it while nothing else runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.browser.conftest import FLAGS, find_chromium, serve, wait_ready

COMPARISONS = {
    "course-inits": "initialization",
    "course-regularizers": "regularization",
    "ch06-batchnorm": "normalization",
}
# A chart is drawn when lines of its SVG change or something is painted on its canvas: counted once a screen frame.
COUNT = """
window.drawn = {};
const seen = new Map();
let frame = 0;
const tick = () => { frame++; requestAnimationFrame(tick); };
requestAnimationFrame(tick);
const count = (element) => {
  const name = element.closest?.("[data-block]")?.dataset.block;
  if (!name || seen.get(name) === frame) return;
  seen.set(name, frame);
  window.drawn[name] = (window.drawn[name] ?? 0) + 1;
};
for (const method of ["fillRect", "stroke", "fill", "putImageData", "drawImage"]) {
  const paint = CanvasRenderingContext2D.prototype[method];
  CanvasRenderingContext2D.prototype[method] = function (...rest) {
    count(this.canvas);
    return paint.apply(this, rest);
  };
}
const lines = new MutationObserver((changes) => {
  for (const { target } of changes) if (target.closest?.(".scatterlayer")) count(target);
});
lines.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["d"] });
"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        # Tall enough for every chart: what is out of sight is not drawn.
        page = chromium.new_context(viewport={"width": 1440, "height": 3200}, locale="en-US").new_page()
        page.add_init_script(COUNT)
        for preset, name in COMPARISONS.items():
            compared(page, f"{url}/{name}?preset={preset}", preset)
        chromium.close()
    search()


def compared(page, address: str, preset: str) -> None:
    """Train a comparison to its end and print how long it took and how often each chart was drawn."""
    page.goto(address)
    wait_ready(page)
    view = page.locator(".kasane-liveview[data-state=paused]")
    view.wait_for()
    page.get_by_role("button", name="Train all", exact=True).click()
    page.locator(".kasane-liveview[data-state=running]").wait_for()
    start = time.monotonic()
    page.evaluate("window.drawn = {}")
    page.locator(".kasane-liveview[data-state=completed]").wait_for(timeout=180_000)
    seconds = time.monotonic() - start
    drawn = page.evaluate("window.drawn")
    rates = ", ".join(f"{name} {count / seconds:.1f}" for name, count in drawn.items())
    print(f"{preset}: {seconds:.1f} s; drawn a second: {rates}", flush=True)


def search() -> None:
    """Print how long the book's search takes from the command line."""
    start = time.monotonic()
    command = [sys.executable, "-m", "engine", "search", "--preset", "ch06-search", "--json"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    print(
        f"ch06-search: {len(found['trials'])} trials in {found['seconds']:.1f} s, with start-up "
        f"{time.monotonic() - start:.1f} s; the best reaches {found['best']['accuracy']:.3f}"
    )


if __name__ == "__main__":
    main()
