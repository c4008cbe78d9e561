"""Photos of every kind: prepared as an independent computation says, or refused in one clear sentence."""

import io
import os
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin, TiffImagePlugin

from captioner import photo as module
from captioner.photo import IMAGENET_MEAN, IMAGENET_STD, Photo, PhotoError, PhotoFormat, prepare

WIDTH, HEIGHT = 48, 32  # not square


def smooth_rgb(width=WIDTH, height=HEIGHT):
    """Colours that tell left from right and top from bottom."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return np.stack([255 * x, 255 * y, 255 * (1 - x) * y], axis=2).round().astype(np.uint8)


RGB = smooth_rgb()
GREY = RGB[..., 0]
ALPHA = np.linspace(0, 255, HEIGHT).round().astype(np.uint8)[:, None].repeat(WIDTH, axis=1)


def stored(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def seen(source):
    """The view's pixels, after checking what holds for every photo."""
    photo = prepare(source, PhotoFormat(64))
    assert isinstance(photo, Photo)
    assert photo.view.mode == "RGB"
    assert photo.tensor.shape == (3, 64, 64)
    assert photo.tensor.dtype == torch.float32
    assert photo.tensor.isfinite().all()
    return np.asarray(photo.view).astype(int)


def over_white(colours, alpha):
    """Compositing by its formula."""
    share = alpha[..., None] / 255
    return colours * share + 255 * (1 - share)


def refused(source):
    """The one sentence with which a photo is refused."""
    with pytest.raises(PhotoError) as caught:
        prepare(source)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 400
    assert sentence[-1] == "."
    assert sentence[0].isupper() or sentence[0] in "/."
    assert "please" in sentence or "must be" in sentence
    return sentence


# --- modes and formats ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "WEBP", "PPM"])
def test_lossless_rgb_is_kept(file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    np.testing.assert_array_equal(seen(stored(Image.fromarray(RGB), file_format, **options)), RGB)


@pytest.mark.parametrize(("file_format", "tolerance"), [("JPEG", 4), ("WEBP", 8), ("AVIF", 8)])
def test_lossy_rgb_is_near(file_format, tolerance):
    pixels = seen(stored(Image.fromarray(RGB), file_format, quality=95))
    assert np.abs(pixels - RGB).mean() < tolerance


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF"])
def test_grey(file_format):
    pixels = seen(stored(Image.fromarray(GREY), file_format))
    assert np.abs(pixels - GREY[..., None]).max() <= (3 if file_format == "JPEG" else 0)


def test_one_bit():
    bits = GREY > 127
    for file_format in ("PNG", "BMP", "TIFF"):
        np.testing.assert_array_equal(
            seen(stored(Image.fromarray(bits), file_format)), 255 * bits[..., None].repeat(3, 2)
        )


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_rgba_lies_over_white(file_format):
    image = Image.fromarray(np.dstack([RGB, ALPHA]))
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    assert np.abs(seen(stored(image, file_format, **options)) - over_white(RGB, ALPHA)).max() <= 1


def test_grey_with_alpha_lies_over_white():
    image = Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(ALPHA)))
    expected = over_white(GREY[..., None].repeat(3, 2), ALPHA)
    assert np.abs(seen(stored(image, "PNG")) - expected).max() <= 1


def test_a_large_transparent_photo_lies_over_white():
    """Shrinking happens before compositing; colours hidden under full transparency must not bleed in."""
    size = 1500
    image = np.zeros((size, size, 4), dtype=np.uint8)
    image[..., 0] = 255  # red everywhere, but only the right half shows
    image[:, size // 2 :, 3] = 255
    pixels = seen(stored(Image.fromarray(image), "PNG", compress_level=1))
    assert pixels.shape == (1024, 1024, 3)
    np.testing.assert_array_equal(pixels[:, :500], 255)
    np.testing.assert_array_equal(pixels[:, 524:], np.full((1024, 500, 3), [255, 0, 0]))


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "TIFF"])
def test_palette(file_format):
    image = Image.fromarray(RGB).quantize(64)
    np.testing.assert_array_equal(seen(stored(image, file_format)), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_palette_with_transparency_lies_over_white(file_format):
    indices = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 3).astype(np.uint8)
    image = Image.fromarray(indices).convert("P")
    colours = np.array([[10, 20, 30], [200, 100, 50], [0, 0, 0]], dtype=np.uint8)
    image.putpalette(colours.tobytes())
    pixels = seen(stored(image, file_format, transparency=2))
    np.testing.assert_array_equal(pixels, np.array([[10, 20, 30], [200, 100, 50], [255, 255, 255]])[indices])


def test_palette_with_many_alphas_lies_over_white():
    image = Image.fromarray(np.array([[0, 1]], dtype=np.uint8).repeat(16, 0).repeat(8, 1)).convert("P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    pixels = seen(stored(image, "PNG", transparency=bytes([128, 255])))
    assert np.abs(pixels[0, 0] - over_white(np.array([[255, 0, 0]]), np.array([128]))[0]).max() <= 1
    assert pixels[0, 15].tolist() == [0, 0, 255]


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk(file_format):
    cmyk = np.zeros((HEIGHT, WIDTH, 4), dtype=np.uint8)
    cmyk[..., 0], cmyk[..., 3] = 255 - GREY, 64
    pixels = seen(
        stored(Image.fromarray(cmyk, "CMYK"), file_format, **({"quality": 100} if file_format == "JPEG" else {}))
    )
    key = (255 - 64) / 255  # RGB = 255 (1 - C)(1 - K)
    expected = np.stack([GREY * key, np.full_like(GREY, 255 * key), np.full_like(GREY, 255 * key)], axis=2)
    assert np.abs(pixels - expected).max() <= 6


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_uses_the_full_scale(file_format):
    deep = np.linspace(0, 65535, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).round().astype(np.uint16)
    pixels = seen(stored(Image.fromarray(deep), file_format))
    assert np.abs(pixels - deep[..., None] / 257).max() <= 0.5
    assert pixels.max() == 255


def test_16_bit_grey_that_holds_8_bit_values_is_not_black():
    np.testing.assert_array_equal(
        seen(stored(Image.fromarray(GREY.astype(np.uint16)), "PNG")), GREY[..., None].repeat(3, 2)
    )


def test_32_bit_grey_tiff():
    deep = np.linspace(-1000, 3e6, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.int32)
    expected = (deep / deep.max() * 255).clip(0, 255)
    assert np.abs(seen(stored(Image.fromarray(deep), "TIFF")) - expected[..., None]).max() <= 0.51


@pytest.mark.parametrize("top", [1.0, 255.0, 40_000.0, 1e9])
def test_float_tiff(top):
    values = np.linspace(0, top, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.float32)
    values[0, :4] = [np.nan, np.inf, -np.inf, -top]
    scale = {1.0: 1.0, 255.0: 255.0, 40_000.0: 65535.0, 1e9: 1e9}[top]
    expected = np.nan_to_num(values, nan=0, posinf=2 * scale, neginf=0).clip(0, scale) / scale * 255
    assert np.abs(seen(stored(Image.fromarray(values), "TIFF")) - expected[..., None]).max() <= 0.51


def test_16_bit_rgb_png():
    """Pillow keeps the high byte; written here by hand."""
    deep = RGB.astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    png = png_of((WIDTH, HEIGHT), depth=16, colour=2, data=zlib.compress(rows))
    assert np.abs(seen(png) - RGB).max() <= 1


@pytest.mark.parametrize("mode", ["HSV", "YCbCr", "LAB", "PA", "La", "RGBa", "RGBX", "I;16B"])
def test_rare_modes_are_prepared_or_refused(mode):
    try:
        assert seen(Image.new(mode, (WIDTH, HEIGHT))).shape == (HEIGHT, WIDTH, 3)
    except PhotoError:
        refused(Image.new(mode, (WIDTH, HEIGHT)))


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_is_its_first_frame(file_format):
    first, second = (Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "blue"))
    pixels = seen(stored(first, file_format, save_all=True, append_images=[second], duration=100))
    assert np.abs(pixels - [255, 0, 0]).max() <= 8


# --- EXIF -------------------------------------------------------------------------------------------------------

TURNS = {  # EXIF 2.3, tag 274: what to do with the stored pixels
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_turns(orientation, file_format):
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[274] = orientation
    options = {"JPEG": {"quality": 98}, "WEBP": {"lossless": True}}.get(file_format, {})
    pixels = seen(stored(image, file_format, exif=exif, **options))
    expected = TURNS[orientation](RGB)
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).mean() < 3


@pytest.mark.parametrize("orientation", [1, 5, 6])
def test_exif_turns_a_photo_that_is_decoded_small(orientation):
    image = Image.fromarray(smooth_rgb(2400, 1920))
    exif = image.getexif()
    exif[274] = orientation
    pixels = seen(stored(image, "JPEG", exif=exif))
    landscape = TURNS[orientation](smooth_rgb(1024, 819))
    assert pixels.shape == landscape.shape
    assert np.abs(pixels - landscape).mean() < 2


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 500, b"\0"]
)
def test_broken_exif_does_not_spoil_a_photo(exif):
    assert np.abs(seen(stored(Image.fromarray(RGB), "JPEG", quality=95, exif=exif)) - RGB).mean() < 4


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_unknown_orientation_is_no_turn(orientation):
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[274] = orientation
    np.testing.assert_array_equal(seen(stored(image, "PNG", exif=exif)), RGB)


# --- sources ----------------------------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same(tmp_path):
    content = stored(Image.fromarray(RGB), "PNG")
    path = tmp_path / "한국어 & spaces.txt"  # the content counts, not the name
    path.write_bytes(content)
    moved = io.BytesIO(content)
    moved.seek(100)
    with path.open("rb") as opened:
        opened.read()
        sources = [path, str(path), content, bytearray(content), memoryview(content), moved, opened, RGB]
        sources += [Image.fromarray(RGB), Image.open(path), np.dstack([RGB, np.full_like(GREY, 255)])]
        for source in sources:
            np.testing.assert_array_equal(seen(source), RGB)
        assert not opened.closed


def test_a_callers_image_and_array_are_left_alone():
    big = Image.open(io.BytesIO(stored(Image.fromarray(smooth_rgb(2200, 1100)), "JPEG")))
    prepare(big)
    assert big.size == (2200, 1100)
    array = np.full((2000, 1500, 3), 7, dtype=np.uint8)
    prepare(array)
    assert (array == 7).all()


def open_files():
    """How many files this process holds open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_files_are_closed(tmp_path, recwarn):
    (tmp_path / "good.png").write_bytes(stored(Image.fromarray(RGB), "PNG"))
    (tmp_path / "thin.png").write_bytes(stored(Image.new("L", (1, 5000)), "PNG"))
    (tmp_path / "bad.png").write_bytes(stored(Image.fromarray(RGB), "PNG")[:200])
    before = open_files()
    for _ in range(3):
        prepare(tmp_path / "good.png")
        refused(tmp_path / "thin.png")
        refused(tmp_path / "bad.png")
    assert open_files() == before
    assert not [warning for warning in recwarn if issubclass(warning.category, ResourceWarning)]


# --- the tensor -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos"])
def test_tensor_is_the_squashed_view_normalised(interpolation):
    photo = prepare(RGB, PhotoFormat(16, interpolation=interpolation))
    square = Image.fromarray(RGB).resize((16, 16), getattr(Image.Resampling, interpolation.upper()))
    expected = (np.asarray(square) / 255 - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)
    np.testing.assert_allclose(photo.tensor.permute(1, 2, 0), expected, atol=1e-5)


def test_view_keeps_the_aspect_and_the_whole_photo():
    view = prepare(np.zeros((500, 3000, 3), dtype=np.uint8)).view
    assert view.size == (1024, 171)
    assert prepare(np.zeros((300, 200, 3), dtype=np.uint8)).view.size == (200, 300)


def test_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation must be one of"):
        PhotoFormat(interpolation="nearest")


# --- refusals ---------------------------------------------------------------------------------------------------


def png_of(size, depth=8, colour=0, data=None, chunks=b"", end=True):
    """A PNG file made by hand."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunks, chunk(b"IDAT", zlib.compress(b"\0") if data is None else data)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + (chunk(b"IEND", b"") if end else b"")


NOT_IMAGES = {
    "zero bytes": b"",
    "text": b"this is not a photo at all, only renamed to .jpg\n" * 10,
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\nshowpage\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'/>",
    "zip": b"PK\x03\x04" + bytes(100),
    "only a png signature": b"\x89PNG\r\n\x1a\n",
    "only a jpeg signature": b"\xff\xd8\xff\xe0",
    "psd": b"8BPS\0\1" + bytes(50),
    "html": b"<!doctype html><img src=x onerror=alert(1)>",
}


@pytest.mark.parametrize("name", NOT_IMAGES)
def test_what_is_no_image_is_refused(name, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(NOT_IMAGES[name])
    assert refused(path) == refused(NOT_IMAGES[name])
    assert "not an image" in refused(path)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_files_of_which_most_is_missing_are_refused(file_format):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = stored(Image.fromarray(noise), file_format)
    assert "please" in refused(content[: int(len(content) * 0.3)])


@pytest.mark.parametrize(
    ("size", "hint"), [((1, 1), "at least 16"), ((15, 400), "at least 16"), ((5000, 1), "at least 16")]
)
def test_too_small(size, hint):
    sentence = refused(stored(Image.new("RGB", size), "PNG"))
    assert hint in sentence
    assert f"{size[0]} × {size[1]}" in sentence


def test_too_thin():
    assert "too thin (16 × 321)" in refused(stored(Image.new("L", (16, 321)), "PNG"))
    assert prepare(Image.new("L", (16, 320))).view.size == (16, 320)


@pytest.mark.parametrize("size", [(13_000, 10_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 16)])
def test_decompression_bombs_are_refused_before_they_are_decoded(size, recwarn):
    tracemalloc.start()
    sentence = refused(png_of(size))
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert "too many pixels" in sentence
    assert not recwarn


def test_bombs_of_other_formats():
    gif = bytearray(stored(Image.new("P", (20, 20)), "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    assert "too many pixels" in refused(bytes(gif))
    ppm = b"P6 40000 40000 255\n" + bytes(100)
    assert "too many pixels" in refused(ppm)


def test_png_with_absurd_chunks():
    def chunk(kind, content, length=None):
        return struct.pack(">I", len(content) if length is None else length) + kind + content + bytes(4)

    rows = zlib.compress(b"\0" * 33 * 32)
    text = b"zTXt" + b"comment\0\0" + zlib.compress(b"x" * (PngImagePlugin.MAX_TEXT_CHUNK + 10))
    bomb = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    refused(png_of((32, 32), data=rows, chunks=bomb))
    refused(png_of((32, 32), data=rows, chunks=chunk(b"tEXt", b"abc", 2**31)))
    refused(png_of((32, 32), data=rows, chunks=chunk(b"\0\1\2\3", b"abc")))
    refused(png_of((32, 32), data=b"no zlib stream"))
    refused(png_of((32, 32), colour=9))
    refused(png_of((0, 32)))


def test_tiff_with_absurd_tags():
    for tag, value in ((TiffImagePlugin.IMAGEWIDTH, 0), (TiffImagePlugin.SAMPLESPERPIXEL, 60_000)):
        content = bytearray(stored(Image.fromarray(RGB), "TIFF"))
        position = content.find(struct.pack("<H", tag), struct.unpack("<I", content[4:8])[0])
        content[position + 8 : position + 12] = struct.pack("<I", value)
        refused(bytes(content))


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (np.zeros((32, 32, 3)), "(32, 32, 3) of float64"),
        (np.zeros((32, 32, 2), np.uint8), "(32, 32, 2) of uint8"),
        (np.zeros((3, 32, 32), np.uint8), "(3, 32, 32) of uint8"),
        (np.zeros((0, 0, 3), np.uint8), "(0, 0, 3) of uint8"),
        (np.zeros(5, np.uint8), "(5,) of uint8"),
    ],
)
def test_arrays_that_are_no_photos(array, shape):
    assert shape in refused(array)


@pytest.mark.parametrize("source", [None, 5, ["a.jpg"], {"path": "x"}, object()])
def test_what_is_no_source_at_all(source):
    assert type(source).__name__ in refused(source)


def test_paths_that_lead_nowhere(tmp_path):
    assert "folder" in refused(tmp_path)
    assert "folder" in refused("")
    assert "There is no file" in refused(tmp_path / "missing.jpg")
    assert "There is no file" in refused("a\0b")
    assert "There is no file" in refused(tmp_path / "two\nlines.jpg")
    refused("x" * 5000)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    refused(loop)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "ordinary file" in refused(tmp_path / "pipe")


def test_a_file_that_may_not_be_read(monkeypatch, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"x")

    def forbidden(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.Image, "open", forbidden)
    assert "permissions" in refused(tmp_path / "photo.jpg")


def test_a_closed_file_and_a_text_file_are_refused():
    closed = io.BytesIO(b"x")
    closed.close()
    refused(closed)
    refused(io.StringIO("not bytes"))


# --- hostile bytes ----------------------------------------------------------------------------------------------

SEEDS = [
    stored(
        Image.fromarray(RGB), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    ),
    stored(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG"),
    stored(Image.fromarray(RGB).quantize(16), "GIF", transparency=3),
    stored(Image.fromarray(RGB), "WEBP"),
    stored(Image.fromarray(RGB), "TIFF"),
    stored(Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF"),
    stored(Image.fromarray(RGB), "BMP"),
    stored(Image.fromarray(RGB), "PPM"),
    stored(Image.fromarray(RGB), "AVIF"),
]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of damaged EXIF
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)


SIGNATURES = [
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"P6 ",
    b"P5 20 20 65535\n",
    b"RIFF\x40\0\0\0WEBPVP8 ",
    b"\0\0\0\x20ftypavif",
]


def prepared_or_refused(content):
    """Whatever the bytes: a finite tensor or a `PhotoError`, and no other exception."""
    try:
        photo = prepare(content, PhotoFormat(16))
    except PhotoError:
        refused(content)
    else:
        assert photo.tensor.isfinite().all()


@QUICK
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_files_are_prepared_or_refused(seed, data):
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, min(len(content), 400) - 1))
        content[position] = data.draw(st.integers(0, 255))
    prepared_or_refused(bytes(content))


@QUICK
@given(st.sampled_from(SIGNATURES), st.binary(max_size=300))
def test_random_bytes_after_a_signature_are_prepared_or_refused(signature, tail):
    prepared_or_refused(signature + tail)


# --- size -------------------------------------------------------------------------------------------------------


def test_a_huge_jpeg_is_decoded_small():
    content = stored(Image.new("RGB", (9000, 9000), (200, 100, 50)), "JPEG", quality=30)
    decoded = []
    original = module._upright_rgb
    module._upright_rgb = lambda image, *rest: decoded.append(image.size) or original(image, *rest)
    try:
        began = time.process_time()
        photo = prepare(content)
        spent = time.process_time() - began
    finally:
        module._upright_rgb = original
    assert decoded == [(1125, 1125)]
    assert photo.view.size == (1024, 1024)
    assert spent < 3
    assert np.abs(np.asarray(photo.view).astype(int) - [200, 100, 50]).max() <= 3


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is Linux's to tell")
@pytest.mark.slow
def test_a_huge_png_is_held_but_once():
    """It cannot be decoded small; its 150 MB are not copied."""
    content = stored(Image.new("RGB", (10_000, 5_000), (200, 100, 50)), "PNG")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins here
    before = resident("VmRSS")
    assert prepare(content).view.size == (1024, 512)
    assert resident("VmHWM") - before < 1.6 * 150_000


def resident(kind):
    """Kilobytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(kind))
