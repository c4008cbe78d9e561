"""What the page says about its model: readable by everyone in each language, and nothing in a card is markup."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest
from conftest import PLAIN, tiny_captioner
from driver import data, finished, wait
from test_accessible import AXE

from demo.texts import english, korean

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)></q><script>alert(2)</script> ${alert(3)} {{value}} \"'&amp;"
FOUND = """async () => {
  const { violations } = await axe.run('#about', { resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    [id, target.join(' '), failureSummary.slice(0, 200)].join(': ')));
}"""
OUTSIDE = """() => [...document.querySelectorAll('#about article *')]
  .filter((each) => each.getClientRects().length && !each.closest('.sat-about-table > *'))
  .filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    const whole = document.querySelector('#about').getBoundingClientRect();
    return left < whole.left - 0.5 || right > whole.right + 0.5;
  }).map((each) => each.outerHTML.slice(0, 100))"""
CAPTIONS = {f"BLEU-{number}": 65.0 - 14 * number for number in (1, 2, 3, 4)}
SCORES = {
    **{f"flickr8k val, 9 photos, beam size {size}, temperature 0": {**CAPTIONS, "CIDEr": 0.5} for size in (3, 5)},
    "flickr8k val, 9 photos, attention on reference head nouns": {
        "phrases": 12193,
        "correctness": 0.7,
        "correctness, uniform map": 0.2,
        "correctness, another photo's map": 0.3,
        "pointing": 0.8,
        "pointing, middle of the photo": 0.4,
    },
    "flickr8k val, 9 photos, attention maps of its own captions": {"words": 300, "normalised entropy": 0.8},
}


@pytest.fixture(scope="module")
def address(serve) -> str:
    """A page whose model has a whole card, with markup wherever a card can have text."""
    captioner = tiny_captioner(PLAIN)
    captioner.card = replace(
        captioner.card,
        name=HOSTILE,
        training={"data": f"Nine photos of dogs. {HOSTILE}"},
        scores={**SCORES, f"x, {HOSTILE}": {HOSTILE: 1.0, "pointing": 0.5, f"pointing, {HOSTILE}": 0.25}},
        limits=f"Mostly dogs. {HOSTILE}",
        failures={"the moon": "a dog", HOSTILE: HOSTILE},
        licence="To be used with care. " * 9,
    )
    return serve(captioner)


def opened(open_page, address: str, width: int = 1280, **options):
    page = open_page(address, viewport={"width": width, "height": 800}, **options)
    finished(page)
    page.locator("#about > button").click()
    page.locator("#about summary:visible").click()
    page.locator("#about details[open] table").first.wait_for()
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ko", 390)])
def test_axe_finds_nothing_in_it(language, width, theme, address, open_page):
    if not AXE.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("axe-core is not installed: npm ci")
        pytest.skip("axe-core is not installed: npm ci")
    url = f"{address}/?__theme={theme}&lang={language}"
    page = opened(open_page, url, width, color_scheme=theme)
    page.wait_for_timeout(700)  # fading colours come to rest
    page.add_script_tag(path=str(AXE))
    assert page.evaluate(FOUND) == []


def test_it_is_shown_in_the_language_of_the_page_alone(address, open_page):
    for language, texts, other in (("en", english, korean), ("ko", korean, english)):
        page = opened(open_page, f"{address}/?lang={language}")
        heads = page.locator("#about h2:visible").all_inner_texts()
        assert heads == [texts.TRAINED_HEAD, texts.GOOD_HEAD, texts.LOOKS_HEAD, *heads[3:]]
        assert page.locator("#about article:visible").get_attribute("lang") == language
        assert other.GOOD_HEAD not in page.locator("#about").inner_text()


def test_nothing_of_a_card_becomes_markup(address, open_page):
    page = opened(open_page, f"{address}/?lang=en")
    assert page.locator("#about :is(img, script)").count() == 0
    assert page.locator("#about q:visible").all_text_contents() == ["a dog", HOSTILE]
    assert HOSTILE in page.locator("#about article:visible > p").text_content()


def test_the_longest_bar_is_full_and_the_others_are_in_proportion(address, open_page):
    page = opened(open_page, f"{address}/?lang=en")
    lines = page.locator("#about article:visible figure", has_text="BLEU-1").locator("li")
    widths = lines.locator("i").evaluate_all(
        "all => all.map((each) => parseFloat(getComputedStyle(each).backgroundSize))"
    )
    numbers = [float(re.search(r"([\d.]+)$", each.replace("\n", " "))[1]) for each in lines.all_inner_texts()]
    assert numbers[0] == CAPTIONS["BLEU-1"]
    assert [width / max(widths) for width in widths] == pytest.approx(
        [each / max(numbers) for each in numbers], abs=1e-3
    )


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_all_of_it_lies_within_the_page(width, address, open_page):
    page = opened(open_page, f"{address}/?lang=en", width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []
    assert page.locator("#about summary:visible").bounding_box()["height"] >= 44


def test_the_player_has_its_keys_after_a_click_in_it(address, open_page):
    page = opened(open_page, address)
    page.locator("#about h2:visible").first.click()
    page.keyboard.press("1")
    wait(page, "d.step === '0'")
    page.locator("#about summary:visible").click()
    page.keyboard.press("2")
    wait(page, "d.step === '1'")
    playing = data(page)["playing"]
    page.keyboard.press("Enter")
    page.locator("#about details[open]:visible").wait_for()
    assert data(page)["playing"] == playing
