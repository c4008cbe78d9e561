"""A picture that is taken along shows what the screen shows: the player's canvas against `captioner.render`."""

from __future__ import annotations

import numpy as np
import pytest
from driver import settle, wait
from PIL import Image
from skimage.transform import pyramid_expand

from captioner.caption import Alternative, Caption
from captioner.photo import prepare
from captioner.render.looks import Style, layer, overlay, scale_tops
from captioner.search import SearchSettings
from demo.page.downloads import offline_page
from demo.runs.engine import keep_view
from demo.runs.updates import Captioned, Result, Shown

pytestmark = pytest.mark.browser

NEAR = 3  # of 255
GREY = 120
SIDE = 14 * 24  # the export's own resolution; the page's canvas has a third of it
CANVAS = """() => {
  const canvas = document.querySelector('.sat-top .sat-map');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, canvas.height, Array.from(data)];
}"""


@pytest.fixture(scope="module")
def caption(tiny):
    """Three maps: an even one, a peaked one, and one of a model's."""
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    real = tiny.caption(photo).alphas[1]
    alphas = np.stack([np.full((14, 14), 1 / 196, np.float32), np.pad(np.full((2, 2), 0.25, np.float32), 6), real])
    numbers = np.full(3, 0.5, np.float32)
    return Caption(("even", "peaked", "real"), -numbers, alphas, numbers, ((Alternative("even", 0.5),),) * 3, True)


@pytest.fixture(scope="module")
def view():
    return Image.new("RGB", (SIDE, SIDE), (GREY,) * 3)


@pytest.fixture
def page(open_page, caption, view, tiny, tmp_path):
    """The page that is taken along, which is the player's own files."""
    shown = Shown(prepare(view, tiny.card.photo), (14, 14), keep_view(view, tmp_path))
    result = Result((Captioned(caption, shown, SearchSettings()),), 1)
    (tmp_path / "page.html").write_text(offline_page(result, 0), encoding="utf-8")
    page = open_page((tmp_path / "page.html").as_uri())
    wait(page, "d.phase === 'done'")
    return page


@pytest.mark.parametrize("look", ["heat", "spotlight"])
@pytest.mark.parametrize("scale", ["word", "caption"])
def test_the_canvas_and_the_export_are_one_picture(page, caption, view, look, scale):
    style = Style(look, scale)
    page.locator(f'[data-look=\'{{"mode":"{look}"}}\']').click()
    page.locator(f'[data-look=\'{{"scale":"{scale}"}}\']').click()
    for index, (alpha, top) in enumerate(zip(caption.alphas, scale_tops(list(caption.alphas), scale), strict=True)):
        page.locator("body").press(str(index + 1))
        wait(page, f"d.step === '{index}'")
        page.mouse.move(0, 0)
        settle(page)
        width, height, pixels = page.evaluate(CANVAS)
        canvas = np.array(pixels, float).reshape(height, width, 4)

        rule = 255 * layer(pyramid_expand(alpha, upscale=8, sigma=8 / 3, preserve_range=True), top, style)
        opacity = canvas[..., 3:] / 255
        assert np.abs(canvas - rule)[..., 3].max() <= NEAR
        assert np.abs(canvas[..., :3] * opacity - rule[..., :3] * rule[..., 3:] / 255).max() <= NEAR

        screen = GREY * (1 - opacity) + canvas[..., :3] * opacity
        export = np.asarray(overlay(view, alpha, style, top), float)
        assert np.abs(screen - export[1::3, 1::3]).max() <= NEAR  # the middles of the canvas's pixels


def test_an_even_map_is_no_choice_on_either(page, caption, view):
    """Where the scale would end at a word's own peak, it would be as strong as the strongest."""
    page.locator("body").press("1")
    wait(page, "d.step === '0'")
    page.mouse.move(0, 0)
    settle(page)
    _, _, pixels = page.evaluate(CANVAS)
    assert max(pixels[3::4]) < 0.5 * 0.8 * 255
    even = np.asarray(overlay(view, caption.alphas[0], Style("heat", "word")), float)
    peaked = np.asarray(overlay(view, caption.alphas[1], Style("heat", "word")), float)
    assert np.abs(even - GREY).max() < 0.6 * np.abs(peaked - GREY).max()
