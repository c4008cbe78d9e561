"""How a test drives the page: what it shows, waiting for it, and the few things that every visitor does."""

from __future__ import annotations

import os
from pathlib import Path

PATIENCE = int(os.environ.get("BROWSER_PATIENCE", "120000"))  # milliseconds, on a busy machine

PIXELS = """() => new Promise((done) => {
  let before = null;
  let same = 0;
  requestAnimationFrame(function look() {
    const now = document.querySelector('.sat-top .sat-map').toDataURL();
    same = now === before ? same + 1 : 0;
    before = now;
    if (same < 15) requestAnimationFrame(look);
    else done(now);
  });
})"""


def data(page) -> dict[str, str]:
    return page.evaluate("() => ({...document.querySelector('.sat').dataset})")


def wait(page, condition: str, timeout: int = PATIENCE) -> None:
    page.wait_for_function(
        f"() => {{ const d = document.querySelector('.sat')?.dataset ?? {{}}; return {condition}; }}", timeout=timeout
    )


def finished(page, after: str = "0") -> str:
    """Wait until a run later than ``after`` is done; returns its number."""
    wait(page, f"d.phase === 'done' && Number(d.run) > {after}")
    return data(page)["run"]


def upload(page, path: Path) -> None:
    page.set_input_files("#photo input[type=file]", str(path))


def words(page) -> list[str]:
    return page.locator(".sat-top .sat-caption .sat-word:not(.sat-end) bdi").all_inner_texts()


def question(page, kind: str) -> None:
    """Open one of the questions that a class asks."""
    page.locator(f".sat-question[data-question={kind}]").click()


def drawn_hot(page, after: str) -> str:
    """Draw at a temperature that brings out every word, after the run ``after``; returns the new run's number."""
    page.locator("#settings > button").click()
    page.locator("#temperature input[type=number]").fill("2")
    page.locator("#temperature input[type=number]").press("Enter")
    return finished(page, after)


def set_beam(page, size: int) -> None:
    """Unfold the settings of the search, set the beam size, and fold them away."""
    page.locator("#settings > button").click()
    field = page.locator("#beam input[type=number]")
    field.fill(str(size))
    field.press("Enter")
    page.locator("#settings > button").click()


def drawn(page, selector: str) -> list[str]:
    """What style sheets write into elements, from their ``data-text``."""
    return [each.get_attribute("data-text") or "" for each in page.locator(selector).all()]


def who_looked(page) -> None:
    """Ask who looked at the place that is chosen."""
    page.locator(".sat-top .sat-chips button").last.click()


def weigh(page, sentence: str) -> None:
    """Ask how likely a sentence of one's own is."""
    question(page, "own")
    page.fill(".sat-own input", sentence)
    page.locator(".sat-own input").press("Enter")


def settle(page) -> str:
    """The map's pixels once it has come to rest: the same in many frames on end, however slow the frames come."""
    return page.evaluate(PIXELS)
