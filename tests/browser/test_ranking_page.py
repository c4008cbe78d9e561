"""The captions that a search found, with what ranks them: the numbers of Python, the bars that show them, the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import PLAIN, tiny_captioner
from driver import finished, wait, weigh

from captioner.search import SearchSettings
from demo.page.examples import examples

pytestmark = pytest.mark.browser

BEAM = 5
MAY_REPEAT = ("a", "runs")
CELLS = """() => [...document.querySelectorAll('.sat-captions button')].map((row) => [...row.children].map((cell) => {
  const box = cell.getBoundingClientRect();
  return [box.left, box.width];
}))"""


@pytest.fixture(scope="module")
def ranked(serve):
    """A page whose model prefers captions that do not repeat themselves, and the captions of its first example."""
    captioner = tiny_captioner(PLAIN)
    captioner.card = replace(captioner.card, beam_size=BEAM, length_penalty=0.8, may_repeat=MAY_REPEAT)
    found = captioner.captions(captioner.look(str(examples()[0].path)), SearchSettings(BEAM))
    return serve(captioner), found


@pytest.fixture
def page(ranked, open_page):
    page = open_page(ranked[0])
    finished(page)
    return page


def shares(page) -> list[float]:
    bars = page.locator(".sat-captions .sat-track")
    return [float(each) for each in bars.evaluate_all("all => all.map((bar) => bar.style.getPropertyValue('--share'))")]


def test_each_row_says_what_ranks_it(page, ranked):
    _, found = ranked
    rows = page.locator(".sat-captions button")
    assert rows.count() == len(found) == BEAM
    for row, caption in zip(rows.all(), found, strict=True):
        score = caption.log_prob / len(caption) ** 0.8
        count, nats, shown = (text.replace("−", "-") for text in row.locator(".sat-number").all_inner_texts())
        assert count == f"{len(caption)} words"
        assert nats == f"{caption.log_prob:.1f} nats"
        assert float(shown.removeprefix("score ")) == pytest.approx(score, abs=6e-4)
        nats, total = row.get_attribute("title").replace("−", "-").split(f" ∕ {len(caption)}^0.8 = ")
        assert float(nats) / len(caption) ** 0.8 == pytest.approx(float(total), abs=2e-3)
        assert shown == f"score {total}"
    assert "words^0.8" in page.locator(".sat-captions-line").inner_text()


def test_no_row_has_a_shorter_bar_than_one_below_it_unless_it_repeats_itself(page, ranked):
    _, found = ranked
    words = [[word for word in caption.words if word not in (*MAY_REPEAT, "<end>")] for caption in found]
    repeated = [len(set(each)) < len(each) for each in words]
    assert len(set(repeated)) == 2, "some do and some do not, or this proves nothing"
    marked = page.locator(".sat-captions small").all_inner_texts()
    assert [text == "Says a content word twice: put last" for text in marked] == repeated
    scores = np.array([caption.log_prob / len(caption) ** 0.8 for caption in found])
    shown = shares(page)
    assert shown == pytest.approx(np.exp(scores - scores.max()), rel=5e-3)
    for part in (False, True):
        own = [share for share, repeats in zip(shown, repeated, strict=True) if repeats == part]
        assert own == sorted(own, reverse=True)


def test_answers_stand_apart_and_one_without_a_total_has_no_bar(page):
    assert page.locator(".sat-captions-answers").count() == 0
    weigh(page, "a zxqv dog")
    wait(page, f"d.caption === '{BEAM}'")
    order = page.locator(".sat-captions > li").evaluate_all("all => all.map((row) => row.firstChild.nodeName)")
    assert order == [*["BUTTON"] * BEAM, "#text", "BUTTON"]
    assert shares(page)[-1] == 0
    assert page.locator(".sat-captions-score").last.inner_text() == "–"


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_the_rows_have_the_same_columns_whichever_plays(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.locator(".sat-captions button").nth(1).click()
    wait(page, "d.caption === '1'")
    page.wait_for_timeout(300)
    rows = np.array([row[2:] for row in page.evaluate(CELLS)])
    assert np.abs(rows[..., 0] - rows[0, :, 0]).max() < 0.6
    assert np.abs(rows[:, 0, 1] - rows[0, 0, 1]).max() < 0.6, "bars of one length are drawn at one length"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_rule_is_told_in_korean(ranked, open_page):
    page = open_page(ranked[0], locale="ko-KR")
    finished(page)
    line = page.locator(".sat-captions-line").inner_text()
    assert line.startswith("점수 순서입니다. 점수는 나트 ∕ 단어 수^0.8이며")
    assert "내용어" in line


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_the_bars_of_the_word_panel_stand_under_each_other(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    for key in ("1", "3"):
        page.locator("body").press(key)
        wait(page, f"d.step === '{int(key) - 1}'")
        bars = page.locator(".sat-bars .sat-track").evaluate_all(
            "all => all.map((bar) => [bar.getBoundingClientRect().left, bar.getBoundingClientRect().width])"
        )
        assert page.locator(".sat-bars .sat-chosen").count() == 1
        assert np.ptp(bars, axis=0) == pytest.approx([0, 0], abs=0.5)
