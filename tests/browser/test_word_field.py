"""Any word typed in the place of another, and one's own sentence word by word beside the model's."""

from __future__ import annotations

import numpy as np
import pytest
from driver import data, finished, question, wait, weigh, words

from demo.page.examples import examples

pytestmark = pytest.mark.browser

FIELD = ".sat-any-word input"
OPTIONS = ".sat-any-word li"


@pytest.fixture
def look(tiny):
    return tiny.look(str(examples()[0].path))


def at_third_word(page) -> str:
    """Wait for a caption and stop at its third word; returns the run."""
    run = finished(page)
    page.locator("body").press("3")
    wait(page, "d.step === '2'")
    question(page, "word")
    return run


def test_a_typed_word_is_completed_likeliest_first_and_said(address, open_page, tiny, look):
    page = open_page(address)
    run = at_third_word(page)
    before = words(page)
    page.locator(FIELD).click()
    page.keyboard.type("r", delay=20)
    page.locator(OPTIONS).first.wait_for()
    expected = tiny.complete(look, before[:2], "r").words
    assert page.locator(f"{OPTIONS} bdi").all_inner_texts() == [each.word for each in expected]
    shown = [float(text.split()[0]) for text in page.locator(f"{OPTIONS} .sat-number").all_inner_texts()]
    assert shown == pytest.approx([100 * each.probability for each in expected], abs=0.51)
    assert data(page)["step"] == "2", "keys that are typed are not the player's"
    page.keyboard.press("ArrowUp")
    last = page.locator(OPTIONS).last
    assert page.locator(FIELD).get_attribute("aria-activedescendant") == last.get_attribute("id")
    page.keyboard.press("ArrowDown")
    assert page.locator(f"{OPTIONS}[aria-selected=true] bdi").all_inner_texts() == [expected[0].word]
    page.keyboard.press("Escape")
    assert page.locator(FIELD).get_attribute("aria-expanded") == "false"
    assert page.locator(FIELD).input_value() == "r"
    page.keyboard.press("ArrowDown")
    page.locator(OPTIONS).first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
    assert words(page)[:3] == [*before[:2], expected[0].word]


def test_a_whole_word_is_said_at_enter_however_fast_it_was_typed(address, open_page):
    page = open_page(address)
    run = at_third_word(page)
    before = words(page)
    word = next(each for each in ("grass", "ball", "man") if each != before[2])
    page.locator(FIELD).fill(word.capitalize())
    page.locator(FIELD).press("Enter")
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
    assert words(page)[:3] == [*before[:2], word]


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [
        ("en-US", "“zxqv” is not among the 8 words that the model knows."),
        ("ko-KR", "“zxqv”은(는) 모델이 아는 단어 8개에 없습니다."),
    ],
)
def test_a_word_that_it_does_not_know_is_said_so_and_stays(locale, sentence, address, open_page):
    page = open_page(address, locale=locale)
    run = at_third_word(page)
    before = words(page)
    page.locator(FIELD).fill("zxqv")
    page.locator(FIELD).press("Enter")
    page.wait_for_function("() => document.querySelector('.sat-any-word-line').textContent !== ''")
    assert page.locator(".sat-any-word-line").inner_text() == sentence
    assert page.locator(FIELD).input_value() == "zxqv"
    assert (words(page), data(page)["run"], data(page)["step"]) == (before, run, "2")


def test_hostile_words_are_completed_as_text(hostile_address, open_page):
    page = open_page(hostile_address)
    at_third_word(page)
    page.locator(FIELD).fill("<i")
    page.locator(OPTIONS).first.wait_for()
    assert page.locator(f"{OPTIONS} bdi").all_inner_texts() == ["<img src=x onerror=alert(1)>"]
    assert page.locator(f"{OPTIONS} img").count() == 0


def test_ones_own_sentence_stands_word_by_word_beside_the_models(address, open_page, tiny, look):
    page = open_page(address)
    finished(page)
    own = tiny.caption(look)
    typed = f"{own.words[0]} zxqv {own.words[1]}"
    weigh(page, typed)
    wait(page, "d.beside === '0'")
    rows = page.locator(".sat-weighing li")
    scored = tiny.score(look, typed)
    sides = [[], []]
    for row in rows.all():
        names, numbers = (row.locator(f":scope > span:nth-child({at}) > *").all_inner_texts() for at in (1, 3))
        bars = row.locator(".sat-pairbar > *")
        for side in (0, 1):
            if names[side]:
                drawn = "sat-track" in (bars.nth(side).get_attribute("class") or "")
                assert drawn == (numbers[side] != "–")
                sides[side].append((names[side], numbers[side]))
    assert [name.removeprefix("■ ") for name, _ in sides[0]] == [*own.words[:-1], "end"]
    assert [name for name, _ in sides[1]][:3] == typed.split()
    figures = [[None if text == "–" else float(text.replace("−", "-")) for _, text in side] for side in sides]
    assert figures[0] == pytest.approx([float(each) for each in own.log_probs], abs=0.011)
    assert figures[1][1] is None
    known = [each for each in figures[1] if each is not None]
    assert known == pytest.approx([float(each) for each in scored.log_probs if not np.isnan(each)], abs=0.011)
