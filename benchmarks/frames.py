"""How smoothly the page plays in Chromium with its processor slowed down: frame times, and what a frame costs.

    python -m benchmarks.frames --chromium /usr/bin/chromium

Starts the page with the bundled checkpoint (or takes ``--url`` of a running one), waits for the
caption of the first example, and plays it in a loop. Headless Chromium paints in software, so the
intervals also say how busy the machine is; scripting is the page's own share, in processor time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from playwright.sync_api import Page, sync_playwright

from captioner.pipeline import Captioner
from demo.theme import launch_options
from demo.ui import build

FRAME = 1000 / 60  # milliseconds
LATE = 1.5  # frames
PARTS = {"ScriptDuration": "scripting", "LayoutDuration": "layout", "RecalcStyleDuration": "style"}
FRAMES = """(seconds) => new Promise((done) => {
  const times = [];
  requestAnimationFrame(function frame(time) {
    times.push(time);
    if (time - times[0] < 1000 * seconds) requestAnimationFrame(frame);
    else done(times);
  });
})"""


def main() -> None:
    """Measure and print."""
    options = _options()
    with _served(options.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": options.width, "height": options.height})
        page.goto(url)
        page.set_default_timeout(600_000)
        page.wait_for_selector(".sat[data-phase=done]")
        _loop(page)
        times, spent = _measured(page, options.slowdown, options.seconds)
        browser.close()
    _report(times, spent, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="", help="of a running page; without it one is started here")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--slowdown", type=float, default=4, help="how many times slower the processor appears")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=800)
    return parser.parse_args()


@contextmanager
def _served(url: str) -> Iterator[str]:
    """``url``, or a page started here for as long as it is needed."""
    if url:
        yield url
        return
    page = build(Captioner.load())
    _, address, _ = page.launch(**launch_options(), prevent_thread_lock=True, quiet=True)
    yield address
    page.close(verbose=False)


def _loop(page: Page) -> None:
    page.click(".sat-loop")
    page.keyboard.press("Home")
    page.click(".sat-play")
    page.wait_for_selector(".sat[data-playing=true]")
    page.mouse.move(1, 1)


def _measured(page: Page, slowdown: float, seconds: float) -> tuple[list[float], dict[str, float]]:
    """Times of the frames, and milliseconds of the main thread's processor time in each part of the work."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    page.wait_for_timeout(1000)  # the first frames still compile
    before = _metrics(session)
    times: list[float] = page.evaluate(FRAMES, seconds)
    after = _metrics(session)
    return times, {part: 1000 * (after[name] - before[name]) for name, part in PARTS.items()}


def _metrics(session: Any) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def _report(times: list[float], spent: dict[str, float], options: argparse.Namespace) -> None:
    intervals = [later - earlier for earlier, later in pairwise(times)]
    late = sum(interval > LATE * FRAME for interval in intervals) / len(intervals)
    print(f"{options.width}×{options.height}, {options.slowdown:g} times slower, {len(intervals)} frames")
    print(f"interval: median {statistics.median(intervals):.1f} ms, 95th percentile {_percentile(intervals):.1f} ms")
    print(f"later than {LATE * FRAME:.1f} ms: {late:.1%}")
    print("a frame: " + ", ".join(f"{part} {time / len(intervals):.2f} ms" for part, time in spent.items()))


def _percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


if __name__ == "__main__":
    main()
