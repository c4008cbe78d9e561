"""What phones and browsers save, by content whatever the name; and files that lack their end."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from profiles import to_srgb
from test_photo import HEIGHT, RGB, WIDTH, refused, seen, smooth_rgb, stored

from captioner.photo import BROKEN, MOSTLY_MISSING, PhotoError, prepare
from captioner.photo_file import looks_like_a_photo

HEIC = Path(__file__).with_name("gradient.heic").read_bytes()  # `smooth_rgb(64, 48)` in Display P3, to be turned
PHOTO = Image.fromarray(smooth_rgb(320, 240))
PROGRESSIVE = "progressive JPEG"


def encoded(file_format):
    """320 × 240, in what phones, browsers and scanners save."""
    if file_format == "HEIF":
        return HEIC
    options = {PROGRESSIVE: {"progressive": True}, "JPEG": {"quality": 90}}.get(file_format, {})
    return stored(PHOTO, "JPEG" if file_format == PROGRESSIVE else file_format, **options)


# --- kinds of files ---------------------------------------------------------------------------------------------


def test_a_heic_is_upright_in_the_colours_of_the_screen():
    pytest.importorskip("pi_heif")
    expected = np.rot90(to_srgb(smooth_rgb(64, 48)), -1)  # EXIF orientation 6
    pixels = seen(HEIC)
    assert pixels.shape == expected.shape == (64, 48, 3)
    assert np.abs(pixels - expected).mean() < 3


def test_a_heic_without_its_library_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    assert "please export the photo as a JPEG" in refused(HEIC)


@pytest.mark.slow
def test_the_library_is_imported_by_the_first_heic_only():
    code = (
        "import io, sys; from captioner.photo import prepare; from PIL import Image; b = io.BytesIO();"
        "Image.new('RGB', (32, 32)).save(b, 'JPEG'); prepare(b); assert 'pi_heif' not in sys.modules"
    )
    root = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=300)


@pytest.mark.parametrize(
    "name",
    ["photo.jfif", "photo.jpe", "PHOTO.JPG", "photo", "photo.heic", "photo.txt", "IMG 0001 (1).PNG", ".hidden", "사진"],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_the_name_says_nothing(tmp_path, name, file_format):
    path = tmp_path / name
    path.write_bytes(stored(Image.fromarray(RGB), file_format))
    assert np.abs(seen(path) - RGB).mean() < 4


def test_a_phones_pair_of_pictures_is_its_first():
    first, second = Image.fromarray(RGB), Image.new("RGB", (WIDTH, HEIGHT), "blue")
    content = stored(first, "MPO", save_all=True, append_images=[second], quality=95)
    assert np.abs(seen(content) - RGB).mean() < 4


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "MPO", "HEIF"])
def test_photos_look_like_photos(file_format):
    assert looks_like_a_photo(io.BytesIO(encoded(file_format)))


@pytest.mark.parametrize(
    "content",
    [b"", b"text", b"%PDF-1.7", b"P5rhaps a letter", b"RIFF\x40\0\0\0WAVEfmt ", b"\0\0\0\x20ftypisom" + bytes(40)],
)
def test_other_files_do_not(content):
    assert not looks_like_a_photo(io.BytesIO(content))


@pytest.mark.parametrize(
    "address", ["https://example.org/a.jpg", "HTTP://x/y", "ftp://x/y.png", "file:///a.jpg", "data:image/png;base64,AA"]
)
def test_an_address_is_refused_for_what_it_is(address, tmp_path):
    assert refused(address) == refused(Path(address))
    assert "Photos are not fetched from addresses; please download" in refused(address)
    assert "no file" in refused(tmp_path / "a.jpg")


def test_a_file_that_is_named_like_an_address_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data:x").write_bytes(stored(Image.fromarray(RGB), "PNG"))
    np.testing.assert_array_equal(seen("data:x"), RGB)


def test_a_stream_that_cannot_be_rewound():
    reading, writing = os.pipe()
    os.write(writing, stored(Image.fromarray(RGB), "PNG"))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        np.testing.assert_array_equal(seen(pipe), RGB)


# --- files that lack their end ----------------------------------------------------------------------------------

# A GIF's and a BMP's last bytes hold nothing of the picture, and are not missed.
LACKING = ["JPEG", PROGRESSIVE, "PNG", "WEBP", "TIFF", "AVIF", "PPM", "HEIF"]


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("file_format", LACKING)
def test_a_photo_that_lacks_its_last_bytes_is_taken_and_told(file_format, cut):
    content = encoded(file_format)
    whole, lacking = prepare(content), prepare(content[:-cut])
    assert (whole.incomplete, lacking.incomplete) == (False, True)
    assert lacking.view.size == whole.view.size
    difference = np.abs(np.asarray(lacking.view).astype(int) - np.asarray(whole.view))
    assert np.median(difference.max(axis=2)) <= 2


@pytest.mark.parametrize("file_format", ["JPEG", PROGRESSIVE, "PNG", "GIF", "BMP", "TIFF", "PPM", "WEBP"])
def test_what_is_there_is_seen(file_format):
    """Three quarters of a file; a progressive JPEG then has all of its lines, less sharp."""
    content = encoded(file_format)
    whole, lacking = prepare(content), prepare(content[: len(content) * 3 // 4])
    assert lacking.incomplete
    difference = np.abs(np.asarray(lacking.view).astype(int) - np.asarray(whole.view)).max(axis=(1, 2))
    there = (difference < (60 if file_format == PROGRESSIVE else 8)).mean()
    assert there > 0.5


@pytest.mark.parametrize(("rows", "taken"), [(125, True), (115, False)])
@pytest.mark.parametrize("file_format", ["PNG", "PPM", "TIFF", "BMP"])
def test_the_line_is_at_half_of_the_picture(file_format, rows, taken):
    """240 lines, each as long as the next, uncompressed: the file is cut within one of those near the middle."""
    noise = np.random.default_rng(0).integers(1, 256, (240, 320, 3), dtype=np.uint8)
    options = {"compress_level": 0} if file_format == "PNG" else {}
    content = stored(Image.fromarray(noise), file_format, **options)
    cut = content[: len(content) * rows // 240]
    if taken:
        assert prepare(cut).incomplete
    else:
        assert "More than half of this picture is missing" in refused(cut)


@pytest.mark.parametrize(("share", "taken"), [(0.51, True), (0.49, False)])
@pytest.mark.parametrize("file_format", ["WEBP", "AVIF"])
def test_the_line_is_at_half_of_the_file_where_it_tells_its_length(file_format, share, taken):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    content = stored(Image.fromarray(noise), file_format)
    cut = content[: int(len(content) * share)]
    if taken:
        assert prepare(cut).incomplete
    else:
        assert "please" in refused(cut)


@pytest.mark.parametrize(("share", "taken"), [(0.6, True), (0.4, False)])
def test_the_line_of_a_jpeg(share, taken):
    """Noise, so that every line takes about as many bytes; the JPEG is decoded as large as it is."""
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    content = stored(Image.fromarray(noise), "JPEG", quality=90)
    cut = content[: int(len(content) * share)]
    if taken:
        assert prepare(cut).incomplete
    else:
        assert "More than half" in refused(cut)


def test_a_dark_photo_that_is_whole_is_not_taken_for_an_incomplete_one():
    for colour in ("black", (128, 128, 128)):
        for file_format in ("JPEG", "PNG", "GIF"):
            assert not prepare(stored(Image.new("RGB", (64, 64), colour), file_format)).incomplete


def test_bytes_behind_the_end_are_nothing_missing():
    """Phones hang films and maps behind their photos."""
    for file_format in ("JPEG", "PNG", "WEBP"):
        assert not prepare(encoded(file_format) + b"\0" * 5000).incomplete


def test_a_container_that_claims_to_be_huge_is_refused_without_making_it_up():
    content = bytearray(encoded("WEBP"))
    content[4:8] = (2**32 - 10).to_bytes(4, "little")
    assert "please" in refused(bytes(content))


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_a_refusal_is_in_our_words_and_the_decoders_are_its_cause(file_format, share):
    content = encoded(file_format)
    with pytest.raises(PhotoError) as caught:
        prepare(content[: int(len(content) * share)])
    assert str(caught.value) in (BROKEN, MOSTLY_MISSING) or str(caught.value).startswith("This is not an image")
    if str(caught.value) == BROKEN:
        assert caught.value.__cause__ is not None
