"""Reading the model's mind, the captions found, lecture mode, taking along, links, and pages for everyone."""

from __future__ import annotations

import json

import numpy as np
import pytest
from driver import data, drawn, finished, question, settle, wait, weigh, who_looked, words
from PIL import Image

from demo.page.examples import examples

pytestmark = pytest.mark.browser


def test_each_word_shows_its_own_bars(address, open_page):
    page = open_page(address)
    finished(page)
    headings = set()
    for key in ("1", "2", "3"):
        page.locator("body").press(key)
        page.wait_for_timeout(150)
        headings.add(page.locator(".sat-word-panel").inner_text())
        shares = [float(text.split()[0]) for text in page.locator(".sat-bars .sat-number").all_inner_texts()]
        assert shares[:5] == sorted(shares[:5], reverse=True)
        assert sum(shares) <= 101
        assert page.locator(".sat-bars .sat-chosen").count() == 1
    assert len(headings) == 3


def test_a_click_on_the_photo_says_which_words_looked_there(address, open_page):
    page = open_page(address)
    finished(page)
    box = page.locator(".sat-stage").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5 / 14, box["y"] + box["height"] * 13.5 / 14)
    who_looked(page)
    shown = [float(text.split()[0]) for text in drawn(page, ".sat-caption .sat-share")]
    assert len(shown) == int(data(page)["count"])
    assert len(set(shown)) > 1
    page.mouse.click(box["x"] + box["width"] * 0.5 / 14, box["y"] + box["height"] * 13.5 / 14)
    assert set(drawn(page, ".sat-caption .sat-share")) == {""}


def test_the_coverage_is_another_picture(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("body").press("1")
    one = settle(page)
    page.get_by_role("button", name="Coverage").click()
    wait(page, "d.coverage === 'true'")
    page.hover("h1")
    assert settle(page) != one
    page.locator("body").press("1")
    wait(page, "d.coverage === 'false'")
    assert settle(page) == one


def test_every_caption_found_can_be_played(address, open_page):
    page = open_page(address)
    finished(page)
    rows = page.locator(".sat-captions button")
    assert rows.count() == 3
    scores = [float(text.split()[0].replace("−", "-")) for text in rows.locator(".sat-captions-nats").all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    rows.nth(1).click()
    wait(page, "d.caption === '1' && d.playing === 'true'")
    assert " ".join(words(page)) == rows.nth(1).locator("bdi").inner_text()


def test_lecture_mode_fills_the_screen_with_real_numbers(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("body").press("3")
    page.locator("body").press("f")
    page.wait_for_selector(".sat-lecture .sat-equations li")
    box = page.locator(".sat").bounding_box()
    assert (box["width"], box["height"]) == (1280, 800)
    probability, softmax = (
        float(page.locator(selector).text_content().split()[0])
        for selector in (".sat-word-panel-chance", ".sat-equations li:last-child strong")
    )
    assert softmax == pytest.approx(probability, abs=0.51)
    before = page.locator(".sat-equations").inner_text()
    page.hover(".sat-stage", position={"x": 6, "y": 6})
    page.wait_for_timeout(200)
    assert page.locator(".sat-equations").inner_text() != before
    page.locator(".sat-full").click()
    page.wait_for_selector(".sat:not(.sat-lecture)")


def take(page, kind: str, folder):
    with page.expect_download(timeout=60_000) as download:
        page.click(f".sat-takeaway [data-kind={kind}]")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_taking_along(hostile_address, open_page, tmp_path, tiny):
    page = open_page(hostile_address)
    finished(page)
    shown, count = words(page), int(data(page)["count"])
    record = json.loads(take(page, "json", tmp_path).read_text(encoding="utf-8"))
    assert [word for word in record["words"] if word != "<end>"] == shown
    assert np.array(record["alphas"]).sum(axis=(1, 2)) == pytest.approx(np.ones(count), abs=1e-4)
    with Image.open(take(page, "gif", tmp_path)) as gif:
        assert gif.n_frames >= len(shown)
    with Image.open(take(page, "png", tmp_path)) as figure:
        assert min(figure.size) > 200
    offline = take(page, "html", tmp_path)
    alone = open_page(offline.as_uri())
    wait(alone, "d.phase === 'done' && Number(d.step) >= 1")
    assert words(alone) == shown
    width = tiny.look(examples()[0].path).view.width
    assert alone.locator(".sat-photo").evaluate("image => image.naturalWidth") == width
    alone.locator("body").press("Home")
    first = settle(alone)
    alone.locator("body").press("3")
    assert settle(alone) != first


def test_a_link_restores_photo_and_settings(address, open_page):
    page = open_page(f"{address}/?beam=2&temperature=0.7&seed=5&photo=Corgi")
    finished(page)
    assert "beam 2 · temperature 0.7 · seed 5" in page.evaluate(
        "getComputedStyle(document.querySelector('#settings > button > span'), '::after').content"
    )
    page.locator("#settings > button").click()
    assert page.locator("#beam input[type=number]").input_value() == "2"
    assert page.locator("#temperature input[type=number]").input_value() == "0.7"
    assert page.locator("#seed input").input_value() == "5"
    first = words(page)
    again = open_page(page.url)
    finished(again)
    assert words(again) == first
    assert "photo=Corgi" in again.url


def test_nonsense_in_a_link_is_the_default(address, open_page):
    page = open_page(f"{address}/?beam=many&temperature=1e999&seed=-1&photo=%3Cb%3E")
    finished(page)
    page.locator("#settings > button").click()
    assert page.locator("#temperature input[type=number]").input_value() == "0"


def test_korean(address, open_page):
    page = open_page(address, locale="ko-KR")
    finished(page)
    page.locator("#settings > button").click()
    page.wait_for_selector("#beam")
    text = page.locator("body").inner_text()
    for word in ("집중", "게이트", "빔 크기", "온도", "가져가기"):
        assert word in text


def test_with_reduced_motion_nothing_plays_by_itself(address, open_page):
    page = open_page(address, reduced_motion="reduce")
    finished(page)
    assert data(page)["playing"] == "false"
    step = data(page)["step"]
    page.wait_for_timeout(1200)
    assert data(page)["step"] == step


def test_each_map_has_words_and_the_caption_is_announced(address, open_page):
    page = open_page(address)
    finished(page)
    described = [each.get_attribute("aria-label") for each in page.locator(".sat-caption .sat-word").all()]
    assert all("of the attention" in text for text in described)
    assert page.locator(".sat-live").inner_text() == "Caption: " + " ".join(words(page))
    assert page.locator("button:visible").evaluate_all(
        "all => all.every((each) => each.innerText.trim() || each.getAttribute('aria-label') || each.title)"
    )


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_wider_than_the_screen(width, address, open_page):
    page = open_page(address, viewport={"width": width, "height": 900})
    finished(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_a_runner_up_begins_a_branch(address, open_page):
    page = open_page(address)
    run = finished(page)
    page.locator("body").press("3")
    page.wait_for_timeout(200)
    before = words(page)
    page.locator(".sat-bars button").first.click()
    page.locator(".sat-say").click()
    wait(page, f"Number(d.run) > {run} && d.caption === '3'")
    after = words(page)
    assert after[:2] == before[:2]
    assert after[2] != before[2]
    assert page.locator(".sat-captions button").count() == 4
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0'")
    assert words(page) == before


def test_attention_can_be_forced_or_taken_away(address, open_page):
    page = open_page(address)
    run = finished(page)
    question(page, "place")
    assert page.locator(".sat-ask-place").is_disabled()
    page.locator("body").press("2")
    page.locator(".sat-stage").click(position={"x": 5, "y": 5})
    page.locator(".sat-ask-place").click()
    wait(page, f"Number(d.run) > {run} && d.caption === '3' && d.step === '1'")
    page.locator("body").press("2")
    page.wait_for_timeout(300)
    assert "top left" in page.locator(".sat-top .sat-caption .sat-word").nth(1).get_attribute("aria-label")
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.caption === '4'")
    page.locator("body").press("1")
    page.wait_for_timeout(300)
    assert "196.0 of 196" in page.locator(".sat-word-panel").inner_text().replace("196 of 196", "196.0 of 196")
    # A scale of its own must not make a choice of an even map.
    assert page.locator(".sat-legend-top").inner_text() == f"{100 * 4 / 196:.1f} %"


def test_a_hidden_place_is_painted_over(address, open_page):
    page = open_page(address)
    finished(page)
    question(page, "hide")
    page.locator(".sat-stage").scroll_into_view_if_needed()
    whole = page.locator(".sat-top .sat-photo").get_attribute("src")
    box = page.locator(".sat-stage").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert page.locator(".sat-region").bounding_box()["width"] > box["width"] / 3
    page.click(".sat-ask-hide")
    wait(page, "d.caption === '3'")
    painted = page.locator(".sat-top .sat-photo").get_attribute("src")
    assert painted != whole
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0'")
    assert page.locator(".sat-top .sat-photo").get_attribute("src") not in (painted, None)


def test_a_sentence_of_ones_own(address, open_page):
    page = open_page(address)
    finished(page)
    weigh(page, "A red dog runs, <b>quickly</b>!")
    wait(page, "d.caption === '3'")
    assert words(page) == ["a", "red", "dog", "runs", "b", "quickly", "b"]
