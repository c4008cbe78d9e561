"""Any Pillow mode and any embedded colour profile → RGB as screens show it (sRGB), small enough to look at."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

DEEP_GREYS = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
GREYS = ("1", "L", "LA")


def shrunk_srgb(image: Image.Image, side: int) -> Image.Image:
    """RGB, or RGBA if it has transparency, in sRGB and at most ``side`` pixels a side; the image may be changed.

    An embedded profile that cannot be read, or is of another kind of colours than the image, is ignored.
    """
    profile, space = _profile(image)
    image = _plain(image)
    grey, inks = image.mode in GREYS, image.mode == "CMYK"
    if not (inks and space == "CMYK"):
        image = _as(image, "RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)  # first: a profile is followed pixel by pixel
    if profile and space == "CMYK" and inks:
        return _in_srgb(image, profile) or image.convert("RGB")
    if profile and ((space == "GRAY" and grey) or (space == "RGB" and not inks)):
        colours = image.getchannel(0) if space == "GRAY" else _as(image, "RGB")
        return _with_alpha_of(image, _in_srgb(colours, profile) or image)
    return image


def _profile(image: Image.Image) -> tuple[ImageCms.ImageCmsProfile | None, str]:
    """The embedded profile and the kind of colours it describes: "RGB", "GRAY", "CMYK" or another's name."""
    content = image.info.get("icc_profile")
    if not content:
        return None, ""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        return profile, profile.profile.xcolor_space.strip()
    except Exception:  # the profile's parser meets arbitrary bytes
        return None, ""


def _in_srgb(colours: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image | None:
    """RGB, in the profile's perceptual intent, or in the one that it has; None if it cannot be followed."""
    try:
        screen, grey = ImageCms.createProfile("sRGB"), colours.mode == "L"
        exact = ImageCms.Flags.NOOPTIMIZE if grey else ImageCms.Flags.NONE  # of greys, the dark ones would suffer
        transform = ImageCms.buildTransform(profile, screen, colours.mode, "RGB", flags=exact)
        if not grey:
            return ImageCms.applyTransform(colours, transform)
        ramp = ImageCms.applyTransform(Image.frombytes("L", (256, 1), bytes(range(256))), transform)
        return Image.fromarray(np.asarray(ramp)[0][np.asarray(colours)])
    except Exception:  # as in `_profile`: its tables are read only now
        return None


def _with_alpha_of(image: Image.Image, colours: Image.Image) -> Image.Image:
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours


def _plain(image: Image.Image) -> Image.Image:
    """The image in a mode that Pillow turns into RGB."""
    if image.mode in DEEP_GREYS:
        return _eight_bit(image)
    return image.convert("LA") if image.mode == "La" else image  # premultiplied grey turns into nothing else


def _as(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or of floats, → 8 bits; the full scale follows from the largest value.

    Full scale is 1 for floats up to 1, 255 for values up to 255, else 65,535 or the largest value.
    """
    values = np.asarray(image)
    peak = float(values.max(where=np.isfinite(values), initial=0))
    scale = 1.0 if peak <= 1 and image.mode == "F" else 255.0 if peak <= 255 else max(65535.0, peak)
    scaled = np.multiply(values, 255 / scale, dtype=np.float32)
    scaled = np.nan_to_num(scaled, copy=False, nan=0, posinf=255, neginf=0).clip(0, 255, out=scaled)
    return Image.fromarray(scaled.round(out=scaled).astype(np.uint8))
