"""Live runs in a real browser and under load: updates a second, latency of Pause, training speed, fairness.

    python -m tests.benchmarks.live

Needs a Chromium; starts a server of its own. Run it while nothing else runs.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks.client import Session
from tests.browser.conftest import FLAGS, find_chromium, serve, wait_ready

NETWORK = {"network": "dense100 dense100", "steps": "1000000"}
QUERY = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in NETWORK.items())
SECONDS = 8.0


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as url:
        classroom(url)
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US").new_page()
        one_browser(page, url)
        ten_sessions(page, url)
        chromium.close()


def one_browser(page, url: str) -> None:
    """Criterion: ≥ 5 updates/s, no remount, Pause within 300 ms, ≥ 90 % of the command line's speed."""
    page.goto(f"{url}/train?{QUERY}")
    wait_ready(page)
    set_full_speed(page)
    view = page.locator("[data-frames]")
    rates, redraws, ratios = [], [], []
    for _ in range(3):
        command_line = command_line_rate()
        page.get_by_role("button", name="Train" if not rates else "Resume", exact=True).click()
        page.wait_for_function("document.querySelector('[data-frames]').dataset.state === 'running'")
        page.wait_for_timeout(1000)
        before = read(view)
        redraws.append(redraws_a_second(page, SECONDS))
        after = read(view)
        elapsed = after["time"] - before["time"]
        rates.append((after["frames"] - before["frames"]) / elapsed)
        ratios.append((after["step"] - before["step"]) / elapsed / command_line)
        latency = pause_latency(page)
    print(f"one browser: {statistics.median(rates):.1f} frames drawn a second; mounts {after['mounts']:.0f}")
    print(f"the loss chart is redrawn {statistics.median(redraws):.1f} times a second")
    print(f"training in the page: {statistics.median(ratios):.0%} of the command line's steps a second (median of 3)")
    print(f"Pause shows after {latency:.0f} ms")


def redraws_a_second(page, seconds: float) -> float:
    """Return how often the lines of the loss chart change."""
    count = page.evaluate(
        """milliseconds => new Promise(done => {
            let count = 0;
            const observer = new MutationObserver(() => count++);  // one call for all the changes of one drawing
            const options = {subtree: true, childList: true, attributes: true, attributeFilter: ['d']};
            observer.observe(document.querySelector('[data-block=loss] .scatterlayer'), options);
            setTimeout(() => { observer.disconnect(); done(count); }, milliseconds);
        })""",
        seconds * 1000,
    )
    return count / seconds


def set_full_speed(page) -> None:
    slider = page.get_by_role("slider")
    slider.press("End")
    page.get_by_test_id("stSliderThumbValue").get_by_text("full speed").wait_for()
    wait_ready(page)


def read(view) -> dict[str, float]:
    """Return the live view's counters."""
    return view.evaluate(
        "({dataset: d}) => ({frames: +d.frames, step: +d.step, mounts: +d.mounts, time: performance.now() / 1000})"
    )


def pause_latency(page) -> float:
    """Return milliseconds from the click on Pause to the view saying so."""
    return page.evaluate(
        """() => new Promise(done => {
            const view = document.querySelector('[data-frames]');
            const button = [...document.querySelectorAll('button')].find(b => b.innerText.trim().endsWith('Pause'));
            const start = performance.now();
            new MutationObserver(() => view.dataset.state === 'paused' && done(performance.now() - start))
                .observe(view, {attributes: true});
            button.click();
        })"""
    )


def command_line_rate() -> float:
    """Return steps a second of wall-clock time of `python -m engine train`, start-up excluded, one BLAS thread."""
    times = {}
    for steps in (1000, 9000):
        settings = [f"--set=network={NETWORK['network']}", f"--set=steps={steps}"]
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "engine", "train", *settings, "--json"],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        times[steps] = time.monotonic() - start
    return 8000 / (times[9000] - times[1000])


def ten_sessions(page, url: str) -> None:
    """Criterion: ≥ 3 updates/s each, steps within 20 %, a closed tab pauses at once, a killed worker loses nothing."""
    page.goto(f"{url}/train?{QUERY}&seed=1")
    wait_ready(page)
    page.get_by_role("button", name="Train", exact=True).click()
    sessions = [Session(url).open(**NETWORK) for _ in range(9)]
    for session in sessions:
        session.watch()
        session.click("train")
    view = page.locator("[data-frames]")
    time.sleep(3)
    browser = read(view)
    updates, made = watched(sessions)
    later = read(view)
    elapsed = later["time"] - browser["time"]
    made.append((later["step"] - browser["step"]) / elapsed)
    updates.append((later["frames"] - browser["frames"]) / elapsed)
    print(
        f"ten sessions: {min(updates):.1f} to {max(updates):.1f} updates a second each, the browser {updates[-1]:.1f}"
    )
    print(f"  steps a second {min(made):.0f} to {max(made):.0f}: {spread(made)}")

    kill_workers()
    steps = [session.frames[-1][1] for session in sessions]
    time.sleep(6)
    gained = [session.frames[-1][1] - step for session, step in zip(sessions, steps, strict=True)]
    print(f"  after SIGKILL of the worker every session went on: {min(gained)} to {max(gained)} further steps in 6 s")

    close_tabs(sessions)


def watched(sessions: list[Session]) -> tuple[list[float], list[float]]:
    """Return how many updates and how many steps a second each session gets."""
    first = [(len(session.frames), *session.frames[-1]) for session in sessions]
    time.sleep(SECONDS)
    last = [(len(session.frames), *session.frames[-1]) for session in sessions]
    pairs = list(zip(first, last, strict=True))
    updates = [(after[0] - before[0]) / SECONDS for before, after in pairs]
    return updates, [(after[2] - before[2]) / (after[1] - before[1]) for before, after in pairs]


def spread(made: list[float]) -> str:
    """Return by how much the slowest and the fastest differ from the mean."""
    mean = statistics.fmean(made)
    return f"{min(made) / mean - 1:+.0%} to {max(made) / mean - 1:+.0%} of the mean"


def classroom(url: str) -> None:
    """Thirty laptops that do the same at the same moment: open the page, press Train, watch, press Pause."""
    sessions = [Session(url) for _ in range(30)]

    def together(act) -> tuple[float, float]:
        """Let all of them do something; return the shortest and the longest time that it took, in seconds."""

        def timed(session: Session) -> float:
            start = time.monotonic()
            act(session)
            return time.monotonic() - start

        with ThreadPoolExecutor(len(sessions)) as threads:
            seconds = list(threads.map(timed, sessions))
        return min(seconds), max(seconds)

    def train(session: Session) -> None:
        session.watch()
        session.click("train")
        while not session.frames or session.frames[-1][1] == 0:
            time.sleep(0.01)

    opened = together(lambda session: session.open(**NETWORK))
    trained = together(train)
    print(f"{len(sessions)} sessions at once: the page after {opened[0]:.1f} to {opened[1]:.1f} s")
    print(f"  the first step after {trained[0]:.1f} to {trained[1]:.1f} s")
    time.sleep(3)
    updates, made = watched(sessions)
    print(f"  {min(updates):.1f} to {max(updates):.1f} updates a second each")
    print(f"  {sum(made):.0f} steps a second in all, each session {spread(made)}")
    paused = together(lambda session: session.click("pause"))
    print(f"  Pause is answered after {paused[0]:.2f} to {paused[1]:.2f} s")
    for session in sessions:
        session.close()


def close_tabs(sessions: list[Session]) -> None:
    """Close every tab; look after a while whether the runs stood still, and whether they were freed."""
    last = {session: session.frames[-1][1] for session in sessions}
    for session in sessions:
        session.close()
    time.sleep(3)
    comes_back, *stay_away = sessions
    moved = first_frame(comes_back) - last[comes_back]
    print(f"  a closed tab's run, looked at 3 s later, had made {moved} more steps (frames are up to 0.2 s old)")
    time.sleep(22)
    gone = sum(first_frame(session) is None for session in stay_away)
    print(f"  25 s after closing, {gone} of {len(stay_away)} runs were freed")


def first_frame(session: Session) -> int | None:
    """Open the live channel again and return the step it first shows, None when the server knows the run no more."""
    session.frames = []
    session.watch()
    time.sleep(0.5)
    frames = list(session.frames)
    session.close()
    return frames[0][1] if frames else None


def kill_workers() -> None:
    found = subprocess.run(["pgrep", "-f", "engine.runs.worker"], capture_output=True, text=True, check=True).stdout
    for pid in found.split():
        os.kill(int(pid), signal.SIGKILL)


if __name__ == "__main__":
    main()
