"""One choice of language, and all that the page says follows it, whatever the browser speaks."""

from __future__ import annotations

import re

import pytest
from driver import finished
from test_bringing import put, toast

pytestmark = pytest.mark.browser

HANGUL = re.compile("[가-힣]")
OTHER = {"en": ("en-US", "ko", "한국어"), "ko": ("ko-KR", "en", "English")}  # the browser's → what is chosen, its name
BLEND = """([selector, back]) => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const part = document.querySelector(selector);
  const style = getComputedStyle(part);
  canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  const behind = [...canvas.getImageData(0, 0, 1, 1).data];
  canvas.globalAlpha = Number(style.opacity);
  canvas.fillStyle = style.color;
  canvas.fillRect(0, 0, 1, 1);
  return [behind, [...canvas.getImageData(0, 0, 1, 1).data]];
}"""


def words_of(page) -> dict[str, str]:
    """What each part of the page says."""
    page.locator("#about button").first.click()
    page.locator("#about p").first.wait_for(state="attached")
    said = page.evaluate(
        """() => Object.fromEntries([['tagline', '.sat-header p'], ['question', '.sat-question'], ['world',
          '.sat-world'], ['download', '.sat-takeaway button'], ['upload', '#photo'], ['dice', '#dice'],
          ['about', '#about']].map(([name, selector]) => [name, document.querySelector(selector).innerText]))"""
    )
    return {**said, "play": page.locator(".sat-play").get_attribute("aria-label")}


@pytest.mark.parametrize("spoken", OTHER)
def test_all_parts_of_the_page_follow_the_choice(spoken, address, open_page):
    locale, chosen, name = OTHER[spoken]
    page = open_page(address, locale=locale)
    finished(page)
    assert page.evaluate("document.documentElement.lang") == spoken
    before = words_of(page)
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(re.compile(f"lang={chosen}"))
    page.wait_for_selector(".sat")
    finished(page)
    assert page.evaluate("document.documentElement.lang") == chosen
    assert page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"
    after = words_of(page)
    korean, other = (after, before) if chosen == "ko" else (before, after)
    for part in before:
        assert HANGUL.search(korean[part]), part
        assert not HANGUL.search(other[part]), part


@pytest.mark.parametrize("spoken", OTHER)
def test_what_the_server_says_follows_the_choice(spoken, address, open_page):
    locale, chosen, _ = OTHER[spoken]
    page = open_page(f"{address}/?lang={chosen}", locale=locale)
    finished(page)
    put(page, "paper.pdf", b"%PDF-1.7 no photo", "application/pdf")
    assert bool(HANGUL.search(toast(page))) is (chosen == "ko")
    with page.expect_download() as taken:
        page.locator(".sat-takeaway [data-kind=html]").click()
    assert f'<html lang="{chosen}">' in taken.value.path().read_text(encoding="utf-8")


def test_a_taken_page_stays_in_its_language(address, open_page, tmp_path):
    page = open_page(f"{address}/?lang=ko", locale="en-US")
    finished(page)
    with page.expect_download() as taken:
        page.locator(".sat-takeaway [data-kind=html]").click()
    file = tmp_path / "taken.html"
    taken.value.save_as(file)
    offline = open_page(file.as_uri(), locale="en-US")
    assert HANGUL.search(offline.locator(".sat-play").get_attribute("aria-label"))


def test_the_choice_is_kept_for_the_next_visit(address, open_page):
    page = open_page(address, locale="en-US")
    finished(page)
    page.wait_for_timeout(1500)  # so that nothing is cut off on its way
    page.get_by_role("button", name="한국어").click()
    page.wait_for_url(re.compile("lang=ko"))
    page.wait_for_selector(".sat")
    finished(page)
    page.wait_for_timeout(1500)
    page.goto(address)
    page.wait_for_selector(".sat")
    assert HANGUL.search(page.locator(".sat-header p").inner_text())
    assert "lang=ko" in page.url
    finished(page)


def test_an_address_that_says_nothing_stays_so(address, open_page):
    page = open_page(address, locale="ko-KR")
    finished(page)
    assert "lang" not in page.url
    assert HANGUL.search(page.locator(".sat-header p").inner_text())


def luminance(pixel: list[int]) -> float:
    """WCAG 2, relative luminance."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (x / 255 for x in pixel)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear[:3], strict=False))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_sentence_below_the_title_and_the_choice_can_be_read(address, open_page, width, scheme, language):
    page = open_page(
        f"{address}/?lang={language}",
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        has_touch=width < 500,
    )
    finished(page)
    # On a phone there is room for the other language alone.
    choice = ".sat-languages button" if width > 500 else '.sat-languages [aria-pressed="false"]'
    for part in (".sat-header p", ".sat-lesson-start", choice):
        box = page.locator(part).first.bounding_box()
        assert box, "it is there"
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        back, front = sorted(map(luminance, page.evaluate(BLEND, [part, None])))
        assert (front + 0.05) / (back + 0.05) >= 4.5, part
    bottom = page.locator(".sat-header p").bounding_box()
    below = page.locator("#layout").bounding_box()
    assert bottom["y"] + bottom["height"] <= below["y"] + 1
    sizes = page.locator(f".sat-lesson-start, {choice}").evaluate_all(
        "all => all.map((each) => [each.offsetWidth, each.offsetHeight])"
    )
    assert len(sizes) == (3 if width > 500 else 2)
    assert all(min(size) >= 44 for size in sizes)
