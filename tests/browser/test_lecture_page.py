"""In front of a class: the photo's share of the screen, sizes of type, contrast, and equations tied to the picture."""

from __future__ import annotations

import pytest
from driver import finished, wait, weigh

pytestmark = pytest.mark.browser

SCREENS = [(1280, 720), (1366, 768), (1920, 1080), (3840, 2160)]
LONG = " ".join(["a", "man", "dog", "on", "grass", "red"] * 5)  # 30 words
PARTS = ["energy", "alpha", "context", "gate", "lstm", "softmax"]
MEASURES = """() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const zoom = Number(getComputedStyle(document.documentElement).getPropertyValue('--zoom')) || 1;
  const size = (selector) => Math.min(...[...document.querySelectorAll(selector)]
    .map((each) => (parseFloat(getComputedStyle(each).fontSize) * zoom) / innerHeight));
  const player = document.querySelector('.sat-lecture');
  const luminance = (colour) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = luminance(getComputedStyle(player).backgroundColor);
  const contrast = (each) => {
    const ink = luminance(getComputedStyle(each).color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  };
  const type = '.sat-equations li > :is(code, strong, span)';
  return {
    photo: box('.sat-top .sat-stage').height / innerHeight,
    equations: size('.sat-equations code'), notes: size('.sat-equations li > span'),
    contrast: Math.min(...[...document.querySelectorAll(type)].map(contrast)),
    over: Math.max(player.scrollHeight - player.clientHeight, player.scrollWidth - player.clientWidth),
    outside: [...document.querySelectorAll('.sat-caption .sat-word, .sat-equations li > *, .sat-transport > *')]
      .filter((each) => each.getClientRects().length)
      .filter((each) => {
        const { top, right, bottom } = each.getBoundingClientRect();
        return bottom > innerHeight + 1 || right > innerWidth + 1 || top < -1;
      })
      .map((each) => each.textContent),
    covered: box('.sat-equations li:last-child').bottom - box('.sat-caption').top,
    words: document.querySelectorAll('.sat-top .sat-word:not(.sat-end)').length,
  };
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_a_long_caption_fits_a_lecture(width, height, theme, address, open_page):
    options = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
    page = open_page(f"{address}/?__theme={theme}", **options)
    finished(page)
    weigh(page, LONG)
    wait(page, "d.beside === '0'")
    page.locator(".sat-close").click()
    page.keyboard.press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    page.wait_for_timeout(500)
    found = page.evaluate(MEASURES)
    assert found["words"] == 30
    assert found["photo"] >= 0.65
    assert found["equations"] >= 0.024
    assert found["notes"] >= 0.018
    assert found["contrast"] >= 7
    assert found["over"] <= 0
    assert found["outside"] == []
    assert found["covered"] <= 1


def test_equations_are_revealed_one_at_a_time_and_tied_to_the_picture(address, open_page):
    page = open_page(address)
    finished(page)
    page.keyboard.press("3")
    page.keyboard.press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    assert page.locator(".sat-ties path").count() == 0
    page.locator(".sat-top .sat-stage").hover(position={"x": 50, "y": 60})
    page.wait_for_timeout(300)
    cell = page.locator(".sat-top .sat-cursor").bounding_box()
    for number, part in enumerate(PARTS):
        page.keyboard.press("n")
        page.wait_for_selector(f".sat-ties[data-part={part}] path")
        shown = [each for each in page.locator(".sat-equations li").all() if each.is_visible()]
        assert len(shown) == number + 1
        tie = page.locator(".sat-ties .sat-tie").first.evaluate(
            "path => { const at = (share) => { const p = path.getPointAtLength(share * path.getTotalLength());"
            " return [p.x, p.y]; }; return [at(0), at(1)]; }"
        )
        card = shown[-1].bounding_box()
        if part == "alpha":
            assert tie[0] == pytest.approx([cell["x"] + cell["width"] / 2, cell["y"] + cell["height"] / 2], abs=2)
        if part != "softmax":
            assert tie[1] == pytest.approx([card["x"], card["y"] + card["height"] / 2], abs=2)
    page.keyboard.press("n")
    page.wait_for_function("document.querySelectorAll('.sat-ties path').length === 0")
    assert page.locator(".sat-equations li:visible").count() == len(PARTS)
    page.locator(".sat-equations [data-part=gate]").hover()
    page.wait_for_selector(".sat-ties[data-part=gate] path")


def test_how_the_map_is_drawn_can_be_asked_for(address, open_page):
    page = open_page(address)
    finished(page)
    page.keyboard.press("f")
    page.wait_for_selector(".sat-lecture")
    assert page.locator(".sat-looks").is_hidden()
    page.keyboard.press("m")
    assert page.locator(".sat-looks").is_visible()
    page.locator(".sat-looks [data-look*=spotlight]").click()
    wait(page, "d.mode === 'spotlight'")
    page.keyboard.press("m")
    assert page.locator(".sat-looks").is_hidden()
