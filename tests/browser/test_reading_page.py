"""What the map and its words tell those who see it, hear it, or cannot tell red from green; and every take-away."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from driver import data, drawn_hot, finished, settle, wait, weigh, words
from PIL import Image
from test_teaching import take

from demo.page.examples import examples

pytestmark = pytest.mark.browser

PLACES = ("top left", "top centre", "top right", "centre left", "centre", "centre right")
PLACES += ("bottom left", "bottom centre", "bottom right")


@pytest.fixture
def caption(tiny):
    return list(tiny.caption(str(examples()[0].path)))


def test_each_map_is_told_in_words(address, open_page, caption):
    page = open_page(address)
    finished(page)
    told = [each.get_attribute("aria-label") for each in page.locator(".sat-top .sat-caption .sat-word").all()]
    assert len(told) == len(caption)
    thirds = ((np.arange(14) + 0.5) * 3 / 14).astype(int)
    for word, text in zip(caption, told, strict=True):
        ninths = np.zeros((3, 3))
        np.add.at(ninths, (thirds[:, None], thirds[None, :]), word.alpha)
        name = "end" if word.text == "<end>" else word.text
        before, share = re.fullmatch(r"(.+), (\d+) % of the attention", text).groups()
        assert before == f"{name}: {PLACES[ninths.argmax()]}"
        assert int(share) == pytest.approx(100 * ninths.max(), abs=1), "the weights travel as bytes"


def test_the_bars_are_the_models_own_numbers(address, open_page, caption):
    page = open_page(address)
    finished(page)
    page.locator("body").press("2")
    wait(page, "d.step === '1'")
    word = caption[1]
    shown = page.locator(".sat-bars .sat-number").all_inner_texts()
    expected = [100 * other.probability for other in word.alternatives]
    assert [float(text.split()[0]) for text in shown[:5]] == pytest.approx(expected, abs=0.51)
    told = re.search(r"entropy ([0-9.]+) nats", page.locator(".sat-word-panel-focus-line").inner_text())
    assert float(told[1]) == pytest.approx(word.entropy, abs=0.0055)  # two decimals, of three that are sent
    gate = float(page.locator(".sat-word-panel-gate-value").inner_text().split()[0])
    assert gate == pytest.approx(100 * word.beta, abs=0.51)


def test_the_map_is_bright_where_the_model_looked(address, open_page, caption):
    page = open_page(address)
    finished(page)
    page.get_by_role("button", name="Cells").click()
    for index in (0, 1):
        page.locator("body").press(str(index + 1))
        wait(page, f"d.step === '{index}'")
        page.hover("h1")
        settle(page)
        opaque = page.evaluate(
            """() => {
              const canvas = document.querySelector('.sat-top .sat-map');
              const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              return [canvas.width, Array.from(pixels).filter((value, at) => at % 4 === 3)];
            }"""
        )
        field = np.array(opaque[1], float).reshape(-1, opaque[0])
        cells = field.reshape(14, field.shape[0] // 14, 14, field.shape[1] // 14).mean(axis=(1, 3))
        alpha = caption[index].alpha.ravel()
        assert alpha[cells.argmax()] > 0.9 * alpha.max(), "the highest weights are all as opaque as the look allows"
        assert np.corrcoef(cells.ravel(), alpha)[0, 1] > 0.8


def test_the_legend_marks_no_preference(address, open_page, caption):
    page = open_page(address)
    finished(page)
    page.locator("body").press("1")
    wait(page, "d.step === '0'")
    top = float(page.locator(".sat-legend-top").inner_text().split()[0])
    assert top == pytest.approx(100 * max(caption[0].alpha.max(), 4 / 196), abs=0.06)
    assert page.locator(".sat-legend-mark").inner_text() == "no preference 0.5 %"
    mark, bar = (page.locator(name).bounding_box() for name in (".sat-legend-mark", ".sat-legend-colours"))
    assert (mark["x"] - bar["x"]) / bar["width"] == pytest.approx(100 / 196 / top, abs=0.02)
    assert f"{top:.1f} %" in page.locator(".sat-legend").get_attribute("aria-label")


def test_loop_and_speed(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("body").press("End")
    page.select_option(".sat-speed", "3")
    page.click(".sat-loop")
    page.click(".sat-play")
    last = int(data(page)["count"]) - 1
    wait(page, f"d.playing === 'true' && Number(d.step) >= {last - 1}")
    wait(page, "d.playing === 'true' && Number(d.step) === 0")
    assert page.locator(".sat-loop").get_attribute("aria-pressed") == "true"


def test_everything_can_be_done_with_the_keyboard(address, open_page):
    page = open_page(address)
    run = finished(page)
    page.locator("body").press("1")
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.matches('.sat-question')"):
            break
    else:
        pytest.fail("the questions are not reached")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.matches('.sat-question[data-question=uniform]')")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "one sees where one is"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.matches('.sat-ask-uniform')")
    page.keyboard.press("Enter")
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")


def visible_text(kind: str, path: Path) -> str:
    content = path.read_text(encoding="utf-8")
    if kind == "svg":
        elements = list(ElementTree.fromstring(content).iter())
        assert not {each.tag.split("}")[-1] for each in elements} & {"script", "img", "foreignObject"}
        assert all(not name.lower().startswith("on") for each in elements for name in each.attrib)
    return content


def test_hostile_words_in_every_take_away(hostile_address, open_page, tmp_path):
    page = open_page(hostile_address)
    run = finished(page)
    drawn_hot(page, run)
    weigh(page, "<img src=x onerror=alert(1)> ${1} 한국어 مرحبا")
    wait(page, "d.beside === '0'")
    shown, count = words(page), int(data(page)["count"])
    for kind in ("gif", "webp"):
        with Image.open(take(page, kind, tmp_path)) as animation:
            assert animation.n_frames == count, "a frame a word, the closing one in the place of <end>"
    assert take(page, "pdf", tmp_path).read_bytes().startswith(b"%PDF-")
    with Image.open(take(page, "png", tmp_path)) as figure:
        figure.load()
    visible_text("svg", take(page, "svg", tmp_path))
    record = json.loads(take(page, "json", tmp_path).read_text(encoding="utf-8"))
    assert [word for word in record["words"] if word != "<end>"] == shown
    offline = take(page, "html", tmp_path)
    alone = open_page(offline.as_uri(), offline=True)
    wait(alone, "d.phase === 'done' && Number(d.step) >= 1")
    assert words(alone) == shown
    assert alone.locator(".sat img").count() == 1
    assert alone.locator(".sat-question:visible").count() == 0, "nobody is there to answer"
    assert not re.search(r"https?://(?!www\.w3\.org)", offline.read_text(encoding="utf-8").split("<main")[0])


def test_a_download_shows_that_it_is_being_made(address, open_page, tmp_path):
    page = open_page(address)
    finished(page)
    page.evaluate(
        """() => {
          window.busy = [];
          const group = document.querySelector('.sat-takeaway');
          const note = () => window.busy.push(group.getAttribute('aria-busy'));
          new MutationObserver(note).observe(group, { attributes: true });
        }"""
    )
    take(page, "gif", tmp_path)
    page.wait_for_selector(".sat-takeaway:not([aria-busy])")
    assert page.evaluate("() => window.busy")[0] == "true"
