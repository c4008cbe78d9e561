"""The questions a class asks, who looked at a place, a phone in a hand, Korean refusals, and the waiting line."""

from __future__ import annotations

import re
from contextlib import ExitStack

import numpy as np
import pytest
from driver import data, drawn, finished, question, upload, wait, weigh, who_looked, words

from demo.door.middleware import MAX_UPLOAD
from demo.page.examples import examples

pytestmark = pytest.mark.browser

SMALL = """() => [...document.querySelectorAll(
  '.sat button, .sat input, .sat select, .sat-takeaway button, .sat-example, #photo, #buttons button')]
  .filter((each) => each.offsetParent && each.checkVisibility())
  .map((each) => [each.className || each.id, each.getBoundingClientRect()])
  .filter(([name, box]) => box.height < 39.5 || (box.width < 39.5 && !/sat-word/.test(name)))
  .map(([name, box]) => `${name} ${box.width} × ${box.height}`)"""


@pytest.fixture
def look(tiny):
    return tiny.look(str(examples()[0].path))


def opened(page) -> list[str]:
    return [
        each.get_attribute("data-question")
        for each in page.locator(".sat-question").all()
        if each.get_attribute("aria-selected") == "true"
    ]


def versus(page) -> list[list[str]]:
    """The words of both captions of an answer, the model's own first."""
    return [
        [word for word in row.locator("bdi").all_inner_texts() if word != "■"]
        for row in page.locator(".sat-versus li").all()
    ]


def test_one_question_is_open_at_a_time_and_says_how(address, open_page):
    page = open_page(address)
    finished(page)
    tabs = page.locator(".sat-question").all_inner_texts()
    assert tabs == ["Word", "Look", "Hide", "No attention", "Sentence", "Search"]
    assert page.locator(".sat-panel > h3").all_text_contents() == [
        "What if it had said another word?",
        "What if it had looked elsewhere?",
        "What if it could not see this?",
        "What if it had no attention?",
        "How likely is my sentence?",
        "What if it had searched another way?",
    ]
    for kind in ("place", "own", "hide", "settings", "uniform", "word"):
        page.locator(f".sat-question[data-question={kind}]").focus()
        page.keyboard.press("Enter")
        assert opened(page) == [kind]
        panels = page.locator(".sat-panel:visible")
        assert panels.count() == 1
        assert panels.first.get_attribute("data-question") == kind
        assert len(panels.locator(".sat-how").inner_text()) > 20


def test_the_tabs_are_walked_by_arrows(address, open_page):
    page = open_page(address)
    finished(page)
    page.keyboard.press("Home")
    wait(page, "d.step === '0'")
    page.locator(".sat-question[data-question=word]").focus()
    for key, kind in (("ArrowRight", "place"), ("End", "settings"), ("ArrowRight", "word"), ("ArrowLeft", "settings")):
        page.keyboard.press("Shift")  # whoever uses keys sees the focus
        page.keyboard.press(key)
        assert opened(page) == [kind]
        assert page.evaluate("document.activeElement.dataset.question") == kind
    assert page.locator(".sat-question[tabindex='0']").count() == 1
    assert data(page)["step"] == "0"


def test_the_answer_stands_beside_its_question(address, open_page):
    page = open_page(address)
    run = finished(page)
    page.locator("body").press("3")
    wait(page, "d.step === '2'")
    before = words(page)
    button = page.locator(".sat-ask-word button").first
    word = button.locator("bdi").inner_text()
    button.click()
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
    after = words(page)
    assert (after[:2], after[2]) == (before[:2], word)
    assert versus(page) == [before, after]
    assert word in page.locator(".sat-versus li:last-child .sat-differs bdi").all_inner_texts()
    assert opened(page) == ["word"]
    tabs, answer = (page.locator(name).bounding_box() for name in (".sat-tabs", ".sat-answer"))
    assert tabs["y"] + tabs["height"] <= answer["y"] < 800
    assert answer["x"] + answer["width"] <= tabs["x"] + tabs["width"] + 1
    page.locator(".sat-close").click()
    wait(page, "d.beside === ''")
    assert page.locator(".sat-answer").is_hidden()


def test_the_question_stays_where_it_was_asked(address, open_page):
    page = open_page(address)
    finished(page)
    question(page, "uniform")
    title = page.locator(".sat-question[data-question=uniform]")
    title.scroll_into_view_if_needed()
    top = title.bounding_box()["y"]
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.beside === '0'")
    assert title.bounding_box()["y"] == pytest.approx(top, abs=2), "the page grew above it"


def test_each_word_of_ones_own_sentence_is_weighed(address, open_page, tiny, look):
    page = open_page(address)
    finished(page)
    weigh(page, "a red dog runs")
    wait(page, "d.beside === '0'")
    expected = [100 * float(chance) for chance in np.exp(tiny.score(look, "a red dog runs").log_probs)]
    shown = [float(text.split()[0]) for text in page.locator(".sat-versus li:last-child small").all_inner_texts()]
    assert shown == pytest.approx(expected, abs=0.51)


def test_a_place_ranks_the_words_that_looked_there(address, open_page, tiny, look):
    page = open_page(address)
    finished(page)
    caption = tiny.caption(look)
    box = page.locator(".sat-stage").bounding_box()
    gaps = np.diff(np.sort(caption.alphas, axis=0)[-5:], axis=0).min(axis=0)  # the page has a byte a weight
    row, column = np.unravel_index(gaps.argmax(), gaps.shape)
    page.mouse.click(box["x"] + box["width"] * (column + 0.5) / 14, box["y"] + box["height"] * (row + 0.5) / 14)
    who_looked(page)
    shares = 100 * caption.alphas[:, row, column]
    order = np.argsort(-shares, kind="stable")
    named = ["■ end" if caption.words[index] == "<end>" else caption.words[index] for index in order]
    listed = page.locator(".sat-region-ranking li")
    assert listed.locator("bdi").all_inner_texts() == named[:5]
    numbers = [float(text.split()[0]) for text in listed.locator(".sat-number").all_inner_texts()]
    assert numbers == pytest.approx(shares[order][:5], abs=0.06)
    ranks = drawn(page, ".sat-top .sat-caption .sat-rank")
    assert {int(rank): index for index, rank in enumerate(ranks) if rank} == dict(
        zip((1, 2, 3), order[:3].tolist(), strict=True)
    )
    assert "0.5 %" in page.locator(".sat-region-ranking > span").inner_text()
    listed.nth(1).locator("button").click()
    wait(page, f"d.step === '{order[1]}' && d.playing === 'false'")
    page.locator(".sat-region-ranking-close").click()
    assert page.locator(".sat-region-ranking").is_hidden()
    assert set(drawn(page, ".sat-top .sat-caption .sat-rank")) == {""}


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_the_strip_shows_all_words_at_once(width, address, open_page):
    page = open_page(address, viewport={"width": width, "height": 900})
    finished(page)
    boxes = [each.bounding_box() for each in page.locator(".sat-strip .sat-thumb").all()]
    assert len(boxes) == int(data(page)["count"])
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width and box["width"] >= 56 for box in boxes)
    for text in page.locator(".sat-thumb bdi").all():
        assert text.evaluate("each => parseFloat(getComputedStyle(each).fontSize)") >= 14


def test_a_phone_has_the_photo_first_and_room_for_fingers(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844}, has_touch=True)
    finished(page)
    field, photo = page.locator("#photo").bounding_box(), page.locator(".sat-stage").bounding_box()
    assert field["y"] < photo["y"] < 270
    assert photo["y"] + photo["height"] < 844
    for kind in ("word", "place", "own", "settings"):
        question(page, kind)
        assert page.evaluate(SMALL) == []
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_korean_page_refuses_in_korean(address, open_page, tmp_path):
    page = open_page(address, locale="ko-KR")
    finished(page)
    (tmp_path / "text.jpg").write_text("this is no photo")
    upload(page, tmp_path / "text.jpg")
    toast = page.get_by_test_id("toast-body")
    toast.wait_for()
    assert "읽을 수 있는 이미지가 아닙니다" in toast.inner_text()
    formats = {"JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "HEIC"}
    assert set(re.findall("[A-Za-z]+", toast.inner_text())) == formats


def test_a_photo_too_large_to_be_sent_is_refused_in_the_pages_language(address, open_page, tmp_path):
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(MAX_UPLOAD + 1)
    page = open_page(address, locale="ko-KR")
    run = finished(page)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/upload" in request.url else None)
    upload(page, large)
    toast = page.locator("[data-testid=toast-body]")
    toast.wait_for()
    assert "파일이 너무 큽니다. 40 MB보다 작게 줄여 주세요." in toast.inner_text()
    assert sent == []
    assert data(page)["run"] == run


def test_whoever_waits_in_line_sees_how_many_are_ahead(address, engine, open_page):
    with ExitStack() as line:
        first, second = (ExitStack(), ExitStack())
        first.enter_context(engine.line.stand())
        second.enter_context(engine.line.stand())
        line.callback(first.close)
        line.callback(second.close)
        page = open_page(f"{address}/?photo=Corgi")  # the first answer needs no turn
        wait(page, "d.phase === 'waiting'")
        assert page.locator(".sat-status").inner_text() == "Waiting in line, 1 ahead of you"
        assert words(page) == []
        first.close()
        run = finished(page)
        first.enter_context(engine.line.stand())
        question(page, "uniform")
        page.locator(".sat-ask-uniform").click()
        page.wait_for_function(
            "() => document.querySelector('.sat-status').textContent.startsWith('Waiting in line, 1')"
        )
        assert words(page), "the page keeps what it has"
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
