"""What a person sees: upload, words arriving, playing, scrubbing, previews, errors."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from demo.examples import examples

pytestmark = pytest.mark.browser

PIXELS = """() => new Promise((done) => {
  let before = null;
  let same = 0;
  requestAnimationFrame(function look() {
    const now = document.querySelector('.sat-top .sat-map').toDataURL();
    same = now === before ? same + 1 : 0;
    before = now;
    if (same < 15) requestAnimationFrame(look);
    else done(now);
  });
})"""


def data(page) -> dict[str, str]:
    return page.evaluate("() => ({...document.querySelector('.sat').dataset})")


def wait(page, condition: str, timeout: int = 120_000) -> None:
    page.wait_for_function(
        f"() => {{ const d = document.querySelector('.sat').dataset; return {condition}; }}", timeout=timeout
    )


def finished(page, after: str = "0") -> str:
    """Wait until a run later than ``after`` is done; returns its number."""
    wait(page, f"d.phase === 'done' && Number(d.run) > {after}")
    return data(page)["run"]


def upload(page, path: Path) -> None:
    page.set_input_files("#photo input[type=file]", str(path))


def words(page) -> list[str]:
    return page.locator(".sat > .sat-caption .sat-word:not(.sat-end) bdi").all_inner_texts()


def question(page, kind: str) -> None:
    """Open one of the questions that a class asks."""
    page.locator(f".sat-question[data-question={kind}]").click()


def weigh(page, sentence: str) -> None:
    """Ask how likely a sentence of one's own is."""
    question(page, "own")
    page.fill(".sat-own input", sentence)
    page.locator(".sat-own input").press("Enter")


def settle(page) -> str:
    """The map's pixels once it has come to rest: the same in many frames on end, however slow the frames come."""
    return page.evaluate(PIXELS)


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
    page.locator("#temperature input[type=number]").fill("1.5")
    page.locator("#temperature input[type=number]").press("Enter")
    after = finished(page, before)
    assert words(page)
    page.click("#dice")
    finished(page, after)


def test_a_new_photo_in_mid_caption_leaves_no_mixed_state(address, tiny, slow, open_page, photo):
    page = open_page(address)
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
    page = open_page(address)
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
        "cut": (folder / "cut.png", "damaged or incomplete"),
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
    page.locator("#temperature input[type=number]").fill("2")
    page.locator("#temperature input[type=number]").press("Enter")
    finished(page, run)
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
    two.locator("#beam input[type=number]").fill("1")
    two.locator("#beam input[type=number]").press("Enter")
    finished(two, run)
    assert one.locator(source).get_attribute("src") != two.locator(source).get_attribute("src")


@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
def test_the_bundled_checkpoint_captions_the_first_example(serve, open_page):
    page = open_page(serve(Captioner.load()))
    wait(page, "d.phase === 'done' && Number(d.step) >= 1", timeout=120_000)
    assert len(words(page)) >= 3
