"""What people bring to the page: files by any name and kind, incomplete ones, links."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driver import data, finished, upload
from PIL import Image
from profiles import rgb_profile, to_srgb
from test_photo import smooth_rgb, stored

pytestmark = pytest.mark.browser

HEIC = Path(__file__).resolve().parent.parent / "gradient.heic"
SMOOTH = smooth_rgb(320, 240)
PUT = {  # how a file comes: chosen, or dropped on the photo field or beside it
    "chosen": """([name, kind, bytes]) => {
      const input = document.querySelector('#photo input[type=file]');
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], name, { type: kind }));
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }""",
    **{
        f"dropped on {where}": """([name, kind, bytes]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], name, { type: kind }));
      const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer });
      document.querySelector('WHERE').dispatchEvent(event);
    }""".replace("WHERE", where)
        for where in ("#photo button", ".sat")
    },
}


def put(page, name: str, content: bytes, kind: str = "", how: str = "chosen") -> None:
    page.evaluate(PUT[how], [name, kind, list(content)])


def toast(page) -> str:
    body = page.get_by_test_id("toast-body")
    body.wait_for(timeout=60_000)
    return body.inner_text()


def pixels(page) -> np.ndarray:
    """What the page shows, as its canvas would read it."""
    width, height, values = page.evaluate(
        """async () => {
          const photo = document.querySelector('.sat-photo');
          await photo.decode();
          const canvas = new OffscreenCanvas(photo.naturalWidth, photo.naturalHeight);
          const context = canvas.getContext('2d');
          context.drawImage(photo, 0, 0);
          const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
          return [canvas.width, canvas.height, Array.from(data)];
        }"""
    )
    return np.array(values).reshape(height, width, 4)[..., :3]


@pytest.mark.parametrize("how", PUT)
def test_a_heic_without_a_kind_is_captioned(address, open_page, how):
    page = open_page(address)
    run = finished(page)
    put(page, "IMG_0001.HEIC", HEIC.read_bytes(), "", how)
    finished(page, run)
    expected = np.rot90(to_srgb(smooth_rgb(64, 48)), -1)
    assert pixels(page).shape == expected.shape
    assert np.abs(pixels(page) - expected).mean() < 8


@pytest.mark.parametrize("name", ["IMG_0001", "photo.jfif", "PHOTO.JPE"])
def test_a_photo_by_any_name_is_captioned(address, open_page, name):
    page = open_page(address)
    run = finished(page)
    put(page, name, stored(Image.fromarray(SMOOTH), "JPEG"))
    finished(page, run)
    assert pixels(page).shape == SMOOTH.shape


@pytest.mark.parametrize(
    ("locale", "sentence"), [("en-US", "This is not an image we can read"), ("ko-KR", "읽을 수 있는 이미지가")]
)
@pytest.mark.parametrize("how", PUT)
def test_a_file_that_is_no_photo_is_refused_in_the_visitors_language(address, open_page, how, locale, sentence):
    page = open_page(address, locale=locale)
    finished(page)
    put(page, "paper.pdf", b"%PDF-1.7 no photo", "application/pdf", how)
    assert sentence in toast(page)


def test_a_photo_of_many_colours_is_shown_in_the_screens(address, open_page):
    page = open_page(address)
    run = finished(page)
    put(page, "p3.png", stored(Image.fromarray(SMOOTH), "PNG", icc_profile=rgb_profile()), "image/png")
    finished(page, run)
    assert np.abs(pixels(page) - to_srgb(SMOOTH)).mean() < 4
    assert np.abs(pixels(page) - SMOOTH).mean() > 8


@pytest.mark.parametrize(
    ("locale", "sentence"), [("en-US", "The end of this file is missing"), ("ko-KR", "파일의 끝부분이")]
)
def test_an_incomplete_photo_is_captioned_with_a_note(address, open_page, locale, sentence):
    page = open_page(address, locale=locale)
    run = finished(page)
    put(page, "cut.jpg", stored(Image.fromarray(SMOOTH), "JPEG")[:-1], "image/jpeg")
    assert sentence in toast(page)
    finished(page, run)


def test_a_whole_photo_has_no_note(address, open_page, photo):
    page = open_page(address)
    run = finished(page)
    upload(page, photo)
    finished(page, run)
    assert page.get_by_test_id("toast-body").count() == 0


@pytest.mark.parametrize(
    ("locale", "sentence"), [("en-US", "Photos are not fetched from addresses"), ("ko-KR", "주소에 있는 사진은")]
)
@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_link_gets_a_sentence_and_the_page_stays(address, open_page, how, locale, sentence):
    page = open_page(address, locale=locale)
    run = finished(page)
    page.evaluate(
        """(how) => {
          const transfer = new DataTransfer();
          transfer.setData('text/uri-list', 'https://example.org/cat.jpg');
          transfer.setData('text/plain', 'https://example.org/cat.jpg');
          const options = { bubbles: true, cancelable: true };
          document.querySelector('.sat').dispatchEvent(how === 'drop'
            ? new DragEvent('drop', { ...options, dataTransfer: transfer })
            : new ClipboardEvent('paste', { ...options, clipboardData: transfer }));
        }""",
        how,
    )
    assert sentence in toast(page)
    assert data(page)["run"] == run


def test_a_link_pasted_into_a_text_field_is_text(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator(".sat-question[data-question=own]").click()
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.setData('text/plain', 'https://example.org/cat.jpg');
          document.querySelector('.sat-own input').dispatchEvent(
            new ClipboardEvent('paste', { bubbles: true, clipboardData: transfer }));
        }"""
    )
    page.wait_for_timeout(1500)
    assert page.get_by_test_id("toast-body").count() == 0


def test_photos_come_by_the_pages_own_scheme_and_host(address, open_page):
    """Behind a proxy the server knows neither; the page must not ask for what it says."""
    page = open_page(address)
    finished(page)
    shown = page.locator("img.sat-photo, .sat-example img")
    sources = shown.evaluate_all("all => all.map((each) => each.getAttribute('src'))")
    assert len(sources) > 2
    for source in sources:
        assert source.startswith("/gradio_api/file="), source
