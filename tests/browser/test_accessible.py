"""Everyone: what axe-core finds in every state of the page, and the way to the upload by keys."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from driver import data, finished, question, wait

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
# What Gradio draws alone, by selector, and the rules that it breaks there.
GRADIOS = {
    "nested-interactive": ["button.upload-container"],  # its file field lies within its button
    "label-content-name-mismatch": ["button.upload-container"],  # which it names by other words than stand on it
}
FOUND = """async (theirs) => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) => nodes
    .filter(({ target }) => !(theirs[id] || []).some((each) => document.querySelector(target[0]).closest(each)))
    .map(({ target, failureSummary }) => [id, target.join(' '), failureSummary.slice(0, 200)].join(': ')));
}"""


def settled(page) -> None:
    """Fading colours have come to rest."""
    page.keyboard.press("End")
    page.wait_for_timeout(700)


def compared(page) -> None:
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.beside === '0'")


def framed(page) -> None:
    page.locator(".sat-top .sat-stage").click(position={"x": 40, "y": 40})
    page.locator(".sat-top .sat-chips button").last.click()


def lectured(page) -> None:
    page.keyboard.press("f")
    page.wait_for_selector(".sat-lecture .sat-equations li")
    page.keyboard.press("n")


def taught(page) -> None:
    page.keyboard.press("t")
    page.wait_for_selector(".sat[data-lesson=guess]")


def asked_in_lesson(page) -> None:
    page.evaluate("localStorage.setItem('sat-lesson', '7')")
    page.keyboard.press("t")
    page.keyboard.press("PageDown")
    wait(page, "d.beside === '0'")
    page.evaluate("localStorage.removeItem('sat-lesson')")


STATES = {
    "arrival": lambda page: None,
    "a place": framed,
    "own sentence": lambda page: question(page, "own"),
    "other settings": lambda page: question(page, "settings"),
    "comparison": compared,
    "settings": lambda page: page.locator("#settings > button").click(),
    "about": lambda page: page.locator("#about > button").click(),
    "lecture": lectured,
    "lesson": taught,
    "answer in the lesson": asked_in_lesson,
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(state, theme, address, open_page):
    if not AXE.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("axe-core is not installed: npm ci")
        pytest.skip("axe-core is not installed: npm ci")
    page = open_page(f"{address}/?__theme={theme}", color_scheme=theme)
    finished(page)
    STATES[state](page)
    settled(page)
    page.add_script_tag(path=str(AXE))
    assert page.evaluate(FOUND, GRADIOS) == []


def test_the_upload_is_a_few_tabs_away_and_the_photo_one(address, open_page):
    page = open_page(address)
    finished(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "sat-skip"
    for tabs in range(2, 11):  # noqa: B007
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('#photo'))"):
            break
    else:
        pytest.fail("no upload within ten tabs")
    page.locator(".sat-skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.classList.contains('sat-stage')")
    step = data(page)["step"]
    page.keyboard.press("ArrowUp")
    assert page.locator(".sat-top .sat-cursor").is_visible()
    assert data(page)["step"] == step or data(page)["playing"] == "true"
