"""What a person sees: upload, words arriving, playing, scrubbing, previews, errors."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from driver import data, drawn_hot, finished, set_beam, settle, upload, wait, words
from PIL import Image

from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from captioner.search import SearchSettings
from demo.page.examples import examples

pytestmark = pytest.mark.browser


def test_an_example_plays_on_arrival(address, open_page):
    page = open_page(address)
    wait(page, "Number(d.count) > 2 && d.playing === 'true' && Number(d.step) >= 1")
    assert page.locator(".sat-photo").evaluate("image => image.naturalWidth") > 100


def test_words_arrive_one_by_one_after_an_upload(address, open_page, photo):
    page = open_page(address)
    before = finished(page)
    page.evaluate(
        """() => {
          window.counts = [];
          const root = document.querySelector('.sat');
          new MutationObserver(() => window.counts.push([root.dataset.run, Number(root.dataset.count)]))
            .observe(root, { attributes: true });
        }"""
    )
    upload(page, photo)
    run = finished(page, before)
    counts = [count for number, count in page.evaluate("() => window.counts") if number == run]
    assert counts == sorted(counts)
    assert len(set(counts)) >= 3
    assert page.locator(".sat-photo").evaluate("image => image.naturalWidth / image.naturalHeight") == pytest.approx(
        200 / 120, abs=0.02
    )


def test_pause_scrub_and_keys_move_the_map(address, open_page):
    page = open_page(address)
    finished(page)
    page.click(".sat-play")
    wait(page, "d.playing === 'false'")
    step = data(page)["step"]
    page.wait_for_timeout(1200)
    assert data(page)["step"] == step
    page.locator(".sat-scrub").fill("0")
    wait(page, "d.step === '0'")
    first = settle(page)
    page.locator("body").press("End")
    last = int(data(page)["count"]) - 1
    wait(page, f"d.step === '{last}'")
    assert settle(page) != first
    page.locator("body").press("2")
    wait(page, "d.step === '1'")
    page.locator("body").press("ArrowLeft")
    wait(page, "d.step === '0'")
    assert settle(page) == first
    page.locator("body").press(" ")
    wait(page, "d.playing === 'true' && Number(d.step) >= 1")


@pytest.mark.parametrize("clicked", [".sat-examples button >> nth=1", "#beam input[type=range]", "#dice"])
def test_keys_work_after_any_click(clicked, address, open_page):
    page = open_page(address)
    run = finished(page)
    if clicked.startswith("#beam"):
        page.locator("#settings > button").click()
    page.locator(clicked).click()
    run = finished(page, run)
    last = int(data(page)["count"]) - 1
    page.keyboard.press("End")
    wait(page, f"d.step === '{last}' && d.playing === 'false'")
    page.keyboard.press("Home")
    wait(page, "d.step === '0'")
    page.keyboard.press("f")
    page.wait_for_selector(".sat-lecture")


def test_typing_fields_and_sliders_reached_by_keys_keep_their_keys(address, open_page):
    page = open_page(address)
    finished(page)
    page.keyboard.press("Home")
    wait(page, "d.step === '0'")
    page.locator("#settings > button").click()
    page.locator("#seed input").focus()
    page.keyboard.press("End")
    page.locator(".sat-question[data-question=own]").click()
    own = page.locator(".sat-own input")
    own.focus()
    page.keyboard.press("3")
    assert own.input_value() == "3"
    assert data(page)["step"] == "0"
    if not page.locator("#beam").is_visible():
        page.locator("#settings > button").click()
    slider = page.locator("#beam input[type=range]")
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    assert slider.input_value() != before
    assert data(page)["step"] in ("0", "-1")  # not the next word; -1 where the next run has begun


def test_hover_previews_and_click_pins_a_word(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("body").press("Home")
    wait(page, "d.step === '0'")
    still = settle(page)
    page.hover(".sat-caption .sat-word >> nth=2")
    wait(page, "d.preview === '2'")
    hovered = settle(page)
    assert hovered != still
    assert data(page)["step"] == "0"
    page.hover("h1")
    wait(page, "d.preview === ''")
    assert settle(page) == still
    page.click(".sat-strip .sat-thumb >> nth=2")
    wait(page, "d.step === '2'")
    page.hover("h1")
    assert settle(page) == hovered


def test_looks_change_the_pixels(address, open_page, tiny):
    page = open_page(address)
    finished(page)
    peaks = tiny.caption(str(examples()[0].path)).alphas.max(axis=(1, 2))
    page.locator("body").press(str(peaks.argmin() + 1))  # not the word whose peak sets the scale
    seen = {settle(page)}
    for name in ("Spotlight", "Cells", "One scale"):
        page.get_by_role("button", name=name).click()
        page.hover("h1")
        seen.add(settle(page))
    assert len(seen) == 4


def test_a_moved_slider_searches_again(address, open_page):
    page = open_page(address)
    before = finished(page)
    assert page.locator(".sat-status").inner_text() == ""
    page.locator("#settings > button").click()
    page.locator("#temperature input[type=number]").fill("1.5")
    page.locator("#temperature input[type=number]").press("Enter")
    after = finished(page, before)
    assert words(page)
    page.click("#dice")
    finished(page, after)


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("en-US", "the temperature is now 0.7."), ("ko-KR", "온도를 0.7(으)로 올렸습니다.")],
)
def test_a_new_seed_draws_and_says_what_it_changed_for_that(address, tiny, open_page, locale, sentence):
    page = open_page(address, locale=locale)
    run = finished(page)
    page.click("#dice")
    run = finished(page, run)
    assert sentence in page.get_by_test_id("toast-body").inner_text()
    page.get_by_test_id("toast-close").click()
    page.get_by_test_id("toast-body").wait_for(state="detached")
    temperature, seed = drawn_with(page)
    assert temperature == 0.7
    drawn = tiny.caption(str(examples()[0].path), SearchSettings(3, 0.7, seed))
    assert words(page) == [word for word in drawn.words if word != "<end>"]
    page.click("#dice")
    finished(page, run)
    assert drawn_with(page)[0] == 0.7
    assert page.get_by_test_id("toast-body").count() == 0, "nothing but the seed changed"


def drawn_with(page) -> tuple[float, int]:
    """Temperature and seed, as the address has them."""
    query = parse_qs(urlsplit(page.url).query)
    return float(query["temperature"][0]), int(query["seed"][0])


def test_a_new_photo_in_mid_caption_leaves_no_mixed_state(address, tiny, slow, open_page, photo):
    page = open_page(f"{address}/?photo=Corgi")
    wait(page, "Number(d.count) >= 2")
    assert data(page)["phase"] != "done"
    run = data(page)["run"]
    upload(page, photo)
    finished(page, run)
    page.wait_for_timeout(1000)
    alone = tiny.caption(str(photo))
    assert words(page) == [word for word in alone.words if word != "<end>"]
    assert int(data(page)["count"]) == len(alone)


def test_stop_keeps_the_words_written_so_far(address, slow, open_page):
    page = open_page(f"{address}/?photo=Corgi")
    wait(page, "Number(d.count) >= 2")
    page.click("#stop")
    wait(page, "d.phase === 'stopped'")
    stopped = data(page)
    page.wait_for_timeout(2500)
    assert data(page)["count"] == stopped["count"]
    assert 2 <= int(stopped["count"]) < 9


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that are no usable photo, each with a part of the sentence that refuses it."""
    Image.new("RGB", (64, 64)).save(folder / "whole.png")
    whole = (folder / "whole.png").read_bytes()
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (1, 5000)).save(folder / "thread.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("this is no photo")
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    (folder / "bomb.png").write_bytes(bomb)
    return {
        "dot": (folder / "dot.png", "only 1 × 1 pixels"),
        "thread": (folder / "thread.png", "only 1 × 5000 pixels"),
        "empty": (folder / "empty.jpg", "not an image we can read"),
        "text": (folder / "text.jpg", "not an image we can read"),
        "cut": (folder / "cut.png", "More than half of this picture is missing"),
        "bomb": (folder / "bomb.png", "too many pixels"),
    }


@pytest.mark.parametrize("kind", ["dot", "thread", "empty", "text", "cut", "bomb"])
def test_a_bad_file_is_refused_in_one_sentence(kind, address, open_page, tmp_path):
    page = open_page(address)
    run = finished(page)
    shown = words(page)
    path, sentence = bad_files(tmp_path)[kind]
    upload(page, path)
    toast = page.get_by_test_id("toast-body")
    toast.wait_for(timeout=15_000)
    assert sentence in toast.inner_text()
    assert words(page) == shown
    assert data(page)["run"] == run
    page.click(".sat-example >> nth=1")
    finished(page, run)


def test_markup_and_other_scripts_play_as_plain_text(hostile_address, open_page):
    page = open_page(hostile_address)
    run = finished(page)
    drawn_hot(page, run)
    for key in ("Home", "ArrowRight", "End"):
        page.locator("body").press(key)
        page.wait_for_timeout(150)
    text = page.locator(".sat").inner_text()
    for word in ("<img src=x onerror=alert(1)>", "${1}", "{{value}}", "한국어", "مرحبا"):
        assert word in text
    assert page.locator(".sat img").count() == 1


def test_two_tabs_do_not_share_a_photo(address, open_page, photo):
    one, two = open_page(address), open_page(address)
    finished(two)
    run = finished(one)
    upload(one, photo)
    finished(one, run)
    source = ".sat-photo"
    assert one.locator(source).get_attribute("src") != two.locator(source).get_attribute("src")
    run = data(two)["run"]
    set_beam(two, 1)
    finished(two, run)
    assert one.locator(source).get_attribute("src") != two.locator(source).get_attribute("src")


@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
def test_the_bundled_checkpoint_captions_the_first_example(serve, open_page):
    page = open_page(serve(Captioner.load()))
    wait(page, "d.phase === 'done' && Number(d.step) >= 1", timeout=120_000)
    assert len(words(page)) >= 3
