"""Photos with a colour profile, against the profile's own arithmetic in plain NumPy."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from profiles import P3, SRGB, grey_profile, ink_profile, lab_to_srgb, rgb_profile, to_srgb
from test_photo import ALPHA, GREY, RGB, over_white, seen, stored

from captioner.photo import prepare

WIDE = rgb_profile(P3)


def test_the_profiles_made_here_are_what_littlecms_takes_them_for():
    for content, space in ((WIDE, "RGB"), (grey_profile(), "GRAY"), (ink_profile(lambda *_: (50, 0, 0)), "CMYK")):
        assert ImageCms.ImageCmsProfile(io.BytesIO(content)).profile.xcolor_space.strip() == space


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "JPEG", "AVIF"])
def test_a_profile_is_followed(file_format):
    options = {"lossless": True} if file_format == "WEBP" else {}
    if file_format in ("JPEG", "AVIF"):
        options = {"quality": 98, "subsampling": "4:4:4"}
    pixels = seen(stored(Image.fromarray(RGB), file_format, icc_profile=WIDE, **options))
    assert np.abs(pixels - to_srgb(RGB)).mean() < (3 if file_format in ("JPEG", "AVIF") else 0.5)
    assert np.abs(pixels - RGB).mean() > 9, "the profile makes a difference"


@pytest.mark.parametrize("gamma", [1.0, 1.8])
def test_its_curve_is_followed_too(gamma):
    content = stored(Image.fromarray(RGB), "PNG", icc_profile=rgb_profile(SRGB, gamma))
    pixels, expected = seen(content), to_srgb(RGB, SRGB, gamma)
    assert np.abs(pixels - expected).max() <= 2


def test_the_profile_of_the_screen_changes_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.abs(seen(stored(Image.fromarray(RGB), "PNG", icc_profile=srgb)) - RGB).max() <= 1


def test_an_image_of_pillows_has_its_profile_followed_and_is_left_alone():
    image = Image.open(io.BytesIO(stored(Image.fromarray(RGB), "PNG", icc_profile=WIDE)))
    assert np.abs(seen(image) - to_srgb(RGB)).max() <= 2
    np.testing.assert_array_equal(np.asarray(image), RGB)
    assert image.info["icc_profile"] == WIDE


def test_the_view_has_no_profile_to_be_followed_again():
    view = prepare(stored(Image.fromarray(RGB), "PNG", icc_profile=WIDE)).view
    again = Image.open(io.BytesIO(stored(view, "PNG")))
    assert "icc_profile" not in again.info
    np.testing.assert_array_equal(np.asarray(again), np.asarray(view))


def test_transparency_and_a_palette_keep_theirs():
    content = stored(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG", icc_profile=WIDE)
    assert np.abs(seen(content) - over_white(to_srgb(RGB), ALPHA)).max() <= 2
    palette = Image.fromarray(RGB).quantize(64)
    expected = to_srgb(np.asarray(palette.convert("RGB")))
    assert np.abs(seen(stored(palette, "PNG", icc_profile=WIDE)) - expected).max() <= 2


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize("deep", [False, True])
def test_grey_of_a_profile(file_format, deep):
    """Linear grey, the darkest of it too: 1 of 255 is shown as 13."""
    grey = GREY.astype(np.uint16) * 257 if deep else GREY
    pixels = seen(stored(Image.fromarray(grey), file_format, icc_profile=grey_profile(1.0)))
    expected = to_srgb(GREY[..., None].repeat(3, 2), SRGB, 1.0)
    assert np.abs(pixels - expected).max() <= 2
    ramp = np.arange(256, dtype=np.uint8)[None].repeat(16, 0)
    ramp = seen(stored(Image.fromarray(ramp), "PNG", icc_profile=grey_profile(1.0)))
    assert ramp[0, 1].tolist() == [13, 13, 13]


def test_grey_with_transparency_of_a_profile():
    image = Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(ALPHA)))
    expected = over_white(to_srgb(GREY[..., None].repeat(3, 2), SRGB, 1.0), ALPHA)
    assert np.abs(seen(stored(image, "PNG", icc_profile=grey_profile(1.0))) - expected).max() <= 2


def test_grey_of_a_profile_for_colours():
    pixels = seen(stored(Image.fromarray(GREY), "PNG", icc_profile=rgb_profile(SRGB, 1.0)))
    assert np.abs(pixels - to_srgb(GREY[..., None].repeat(3, 2), SRGB, 1.0)).max() <= 2


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
@pytest.mark.parametrize("inks", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0), (1, 1, 0, 0)])
def test_inks_of_a_profile(file_format, inks):
    """Inks of a printer like no other: each corner has a colour of its own."""

    def lab_of(cyan, magenta, yellow, key):
        light = 1 - key  # as in any printer, all of the key is black
        shade = 100 - 15 * cyan - 25 * magenta - 5 * yellow
        return light * shade, light * (20 * cyan - 15 * yellow), 25 * light * magenta

    image = Image.new("CMYK", (48, 32), tuple(255 * ink for ink in inks))
    options = {"quality": 100} if file_format == "JPEG" else {}
    pixels = seen(stored(image, file_format, icc_profile=ink_profile(lab_of), **options))
    assert np.abs(pixels - lab_to_srgb(lab_of(*inks))).max() <= 3


@pytest.mark.parametrize(
    "content",
    [b"no profile", WIDE[:200], WIDE[:128], WIDE[:300] + b"\xff" * 100, ink_profile(lambda *_: (50, 0, 0))],
    ids=["text", "half", "header", "damaged", "of another kind"],
)
def test_a_profile_that_cannot_be_followed_is_ignored(content):
    np.testing.assert_array_equal(seen(stored(Image.fromarray(RGB), "PNG", icc_profile=content)), RGB)


def test_inks_with_a_profile_for_colours_are_as_without():
    image = Image.new("CMYK", (48, 32), (200, 30, 90, 10))
    np.testing.assert_array_equal(seen(stored(image, "TIFF", icc_profile=WIDE)), seen(stored(image, "TIFF")))


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.1])
def test_a_profile_near_the_screens_is_followed_all_the_same(gamma):
    """Only one that changes nothing to be seen is left out; each is asked once, the answer holds for the next photo."""
    for _ in range(2):
        pixels = seen(stored(Image.fromarray(RGB), "PNG", icc_profile=rgb_profile(SRGB, gamma)))
        assert np.abs(pixels - to_srgb(RGB, SRGB, gamma)).max() <= 2
        assert np.abs(pixels - RGB).max() > 2


@pytest.mark.parametrize("profile", [5, (1, 2), "sRGB", b"sRGB"])
def test_what_is_no_profile_is_ignored(profile):
    """A file's tag can be of any type."""
    image = Image.fromarray(RGB)
    image.info["icc_profile"] = profile
    np.testing.assert_array_equal(seen(image), RGB)
