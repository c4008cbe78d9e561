"""How smoothly the page plays in Chromium with its processor slowed down: frame times, and what a frame costs.

    python -m benchmarks.frames --chromium /usr/bin/chromium

Starts the page with the bundled checkpoint (or takes ``--url`` of a running one), waits for the
caption of the first example, and plays it in a loop. Headless Chromium paints in software, so the
intervals also say how busy the machine is. The rows below the page's are what this browser can do
at best: an empty page that redraws a canvas of the same size over a photo of the same size, and one
that draws nothing. With ``--lecture`` it plays in lecture mode, an equation revealed and tied to the picture.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from playwright.sync_api import Page, sync_playwright

from captioner.pipeline import Captioner
from demo.page.ui import build
from demo.server import launch_options

FRAME = 1000 / 60  # milliseconds
LATE = 1.5  # frames
PARTS = {"ScriptDuration": "scripting", "LayoutDuration": "layout", "RecalcStyleDuration": "style"}
COUNTS = {"LayoutCount": "layouts", "RecalcStyleCount": "style passes"}
EMPTY = """<!doctype html><body style="margin: 0">
<div style="position: relative; width: {width}px; height: {height}px">
<img src="{photo}" style="position: absolute; width: 100%; height: 100%">
<canvas width="112" height="112" style="position: absolute; width: 100%; height: 100%; will-change: opacity"></canvas>
</div>"""
REDRAWN = """() => {
  const context = document.querySelector('canvas').getContext('2d');
  const image = context.createImageData(112, 112);
  const pixels = new Uint32Array(image.data.buffer);
  let level = 0;
  requestAnimationFrame(function frame() {
    pixels.fill(0x80000000 + (level = (level + 1) % 256));
    context.putImageData(image, 0, 0);
    requestAnimationFrame(frame);
  });
}"""
FRAMES = """(seconds) => new Promise((done) => {
  const times = [];
  requestAnimationFrame(function frame(time) {
    times.push(time);
    if (time - times[0] < 1000 * seconds) requestAnimationFrame(frame);
    else done(times);
  });
})"""


class Row(NamedTuple):
    """One page's frames: their times, and milliseconds of processor time and counts, in all of them."""

    name: str
    times: list[float]
    spent: dict[str, float]


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
        if options.lecture:
            _lecture(page)
        rows = [_measured("the page, playing", page, options)]
        photo = page.locator(".sat-photo").first
        box, source = photo.bounding_box(), photo.evaluate("photo => photo.src")
        page.goto("about:blank")
        page.set_content(EMPTY.format(photo=source, **(box or {})))
        rows.append(_measured("an empty page", page, options))
        page.evaluate(REDRAWN)
        rows.insert(1, _measured("a bare canvas, redrawn", page, options))
        browser.close()
    _report(rows, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="", help="of a running page; without it one is started here")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--slowdown", type=float, default=4, help="how many times slower the processor appears")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--lecture", action="store_true", help="in lecture mode, with the lines of the context")
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


def _lecture(page: Page) -> None:
    page.keyboard.press("f")
    page.wait_for_selector(".sat-lecture .sat-equations [data-part=context]")
    for _ in range(3):  # the energy, its weight, the context
        page.keyboard.press("n")
    page.wait_for_selector(".sat-ties path")


def _measured(name: str, page: Page, options: argparse.Namespace) -> Row:
    """Processor time is the main thread's."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.send("Emulation.setCPUThrottlingRate", {"rate": options.slowdown})
    page.wait_for_timeout(1000)  # the first frames still compile
    before = _metrics(session)
    times: list[float] = page.evaluate(FRAMES, options.seconds)
    after = _metrics(session)
    session.detach()
    spent = {part: 1000 * (after[key] - before[key]) for key, part in PARTS.items()}
    return Row(name, times, spent | {part: after[key] - before[key] for key, part in COUNTS.items()})


def _metrics(session: Any) -> dict[str, float]:
    return {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}


def _report(rows: list[Row], options: argparse.Namespace) -> None:
    print(f"{options.width}×{options.height}, {options.slowdown:g} times slower, {options.seconds:g} s a row\n")
    parts = [*PARTS.values(), *COUNTS.values()]
    heads = ["", "frames", "a second", "median interval", "95th percentile", "late"]
    heads += [f"{part} a frame" for part in parts]
    print("|", " | ".join(heads), "|")
    print("|" + "---|" * len(heads))
    for name, times, spent in rows:
        intervals = [later - earlier for earlier, later in pairwise(times)]
        late = sum(interval > LATE * FRAME for interval in intervals) / len(intervals)
        shown = [f"{statistics.median(intervals):.1f} ms", f"{_percentile(intervals):.1f} ms", f"{late:.0%}"]
        shown += [f"{spent[part] / len(intervals):.2f}" + " ms" * (part in PARTS.values()) for part in parts]
        rate = 1000 * len(intervals) / (times[-1] - times[0])
        print(f"| {name} | {len(intervals)} | {rate:.1f} |", " | ".join(shown), "|")
    print(f"\nlate: after more than {LATE * FRAME:.0f} ms")


def _percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


if __name__ == "__main__":
    main()
