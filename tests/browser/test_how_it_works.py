"""The strip from photo to word: lit in turn as playback goes, opened by pointer and by keys."""

from __future__ import annotations

import pytest
from driver import finished, wait

pytestmark = pytest.mark.browser

PARTS = ["photo", "annotations", "attention", "lstm", "word"]
LOG = """() => {
  window.lit = [];
  new MutationObserver(() => {
    const now = [...document.querySelectorAll('.sat-part.sat-lit')].map((each) => each.dataset.part).join();
    if (now !== window.lit[window.lit.length - 1]) window.lit.push(now);
  }).observe(document.querySelector('.sat-how-it-works ol'), { subtree: true, attributeFilter: ['class'] });
}"""


def test_each_part_is_lit_in_turn(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator(".sat-speed").select_option("0.25")
    page.locator("body").press("Home")
    wait(page, "d.step === '0' && d.playing === 'false'")
    page.evaluate(LOG)
    page.locator(".sat-play").click()
    wait(page, "Number(d.step) >= 2")
    lit = [each for each in page.evaluate("window.lit") if each]
    assert lit[: len(PARTS)] == PARTS
    assert lit[len(PARTS) : len(PARTS) + 3] == PARTS[2:], "the photo is looked at once"
    page.locator(".sat-play").click()
    page.wait_for_selector(".sat-part[data-part=word].sat-lit")
    assert page.locator(".sat-lit.sat-part").count() == 1


def test_each_part_opens_by_keys_one_at_a_time(address, open_page):
    page = open_page(address)
    finished(page)
    parts = page.locator(".sat-part")
    panel = page.locator(".sat-part-panel")
    parts.first.focus()
    told = set()
    for index in range(len(PARTS)):
        assert page.evaluate("document.activeElement.dataset.part") == PARTS[index]
        page.keyboard.press("Enter" if index % 2 else "Space")
        assert parts.nth(index).get_attribute("aria-expanded") == "true"
        assert page.locator(".sat-part[aria-expanded=true]").count() == 1
        assert panel.locator("p").count() == 1
        assert panel.locator("code").first.inner_text()
        told.add(panel.inner_text())
        page.keyboard.press("Tab")
        while page.evaluate("Boolean(document.activeElement.closest('.sat-part-panel'))"):
            page.keyboard.press("Tab")
    assert len(told) == len(PARTS)
    parts.last.click()
    assert panel.inner_text() == ""
    assert page.locator(".sat-part[aria-expanded=true]").count() == 0


def test_the_paper_is_cited_as_text(address, open_page):
    page = open_page(address)
    finished(page)
    cited = page.locator(".sat-how-it-works [data-say=cited]")
    assert cited.is_visible()
    for part in (
        "Show, Attend and Tell: Neural Image Caption Generation with Visual Attention",
        "ICML 2015",
        "1502.03044",
    ):
        assert part in cited.inner_text()
