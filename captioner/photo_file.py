"""A photo's file, known by its content whatever its name, and decoded as far as it goes if its end is missing.

Any Pillow mode and any embedded colour profile become RGB as screens show it (sRGB), small enough to look at.
"""

from __future__ import annotations

import io
import struct
import warnings
from functools import lru_cache
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageFile

DEEP_GREYS = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
GREYS = ("1", "L", "LA")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")  # Pillow's; HEIF is another library's
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
AVIF_BRANDS = {b"avif", b"avis"}
SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
)
HEAD = 64  # bytes from which the kind of a file is told
END_OF_JPEG = b"\xff\xd9"
END_OF_PNG = b"IEND\xaeB`\x82"
SMALL_PROFILE = 2**14  # bytes; larger ones are tables, of printers and of cameras
MOST_MISSING = 0.5  # of the picture; with more than this missing, a file is damaged rather than incomplete


class MissingDecoderError(Exception):
    """A HEIF photo, where the library that decodes them is not installed."""


def looks_like_a_photo(stream: BinaryIO) -> bool:
    """Whether the file begins as photos begin; its name says nothing."""
    stream.seek(0)
    head = stream.read(HEAD)
    boxed = _brands(head) & (HEIF_BRANDS | AVIF_BRANDS)
    netpbm = head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()
    return bool(boxed) or netpbm or head.startswith(SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def opened(stream: BinaryIO) -> ImageFile.ImageFile:
    """The image with its header read, its pixels not yet decoded.

    Raises:
        MissingDecoderError: of HEIF, if pi-heif is not installed.
        Exception: whatever Pillow and the decoders raise of what is no image.
    """
    stream.seek(0)
    brands = _brands(stream.read(HEAD))
    stream.seek(0)
    if not brands & HEIF_BRANDS or brands & AVIF_BRANDS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(stream, formats=FORMATS)
    try:
        from pi_heif import HeifImageFile  # only for who brings such a photo: it is a library of its own  # noqa: PLC0415
    except ImportError:
        raise MissingDecoderError from None
    heif: ImageFile.ImageFile = HeifImageFile(stream)
    return heif


def ended(image: Image.Image, stream: BinaryIO) -> bool:
    """Whether a decoded file has its end; only a PNG can be decoded without it, as its end holds no pixels."""
    if image.format != "PNG" or stream.closed:
        return True
    stream.seek(0, io.SEEK_END)
    stream.seek(max(0, stream.tell() - 2**16))
    return END_OF_PNG in stream.read()


def with_an_end(content: bytes) -> bytes | None:
    """The file with something in place of its missing end, or None if more than `MOST_MISSING` of it is.

    Containers tell their length, and their decoders want all of it: zeros stand for what is missing. A JPEG
    wants its end marker. The others are decoded line by line, see `mostly_there`.
    """
    if content.startswith(b"\xff\xd8"):
        return content + END_OF_JPEG
    missing = _told_length(content) - len(content)
    return content + bytes(missing) if missing <= MOST_MISSING * (len(content) + missing) else None


def mostly_there(image: ImageFile.ImageFile) -> bool:
    """Decode an image of `with_an_end`: whether no more than `MOST_MISSING` of its lines are missing.

    A line is missing if it has the value that Pillow, or the JPEG decoder, gives to what it has not decoded.
    """
    grey = image.format in ("JPEG", "MPO")
    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        image.tile = []  # tells Pillow that there is nothing more to decode
    lines = np.asarray(image.resize((min(image.width, 64), image.height), Image.Resampling.NEAREST)).astype(int)
    untouched = np.abs(lines - 128) <= 1 if grey else lines == 0
    return float(untouched.reshape(image.height, -1).all(axis=1).mean()) <= MOST_MISSING


def _brands(head: bytes) -> set[bytes]:
    """What an ISO base media file (ISO/IEC 14496-12) calls itself: its major brand and the compatible ones."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(len(head), int.from_bytes(head[:4], "big"))
    return {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}


def _told_length(content: bytes) -> int:
    """Bytes of the whole file by its own account, or as many as there are if it has none."""
    if content[:4] == b"RIFF":
        return 8 + int.from_bytes(content[4:8], "little")
    at = 0
    while content[4:8] == b"ftyp" and at + 16 <= len(content):
        size, long_size = struct.unpack_from(">I4xQ", content, at)
        size = long_size if size == 1 else size
        if size < 8:  # 0: to the end of the file, however long that was
            break
        at += size
    return max(at, len(content))


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
        space = profile.profile.xcolor_space.strip()
        if space == "RGB" and len(content) <= SMALL_PROFILE and _is_the_screens(content):
            return None, ""
        return profile, space
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


@lru_cache(maxsize=32)
def _is_the_screens(content: bytes) -> bool:
    """Whether an RGB profile moves no colour by more than a level of 255, as the sRGB of most photos does.

    To follow it would take as long as to decode the photo.
    """
    levels = np.linspace(0, 255, 33).round().astype(np.uint8)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    colours = np.concatenate([np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3), greys])
    followed = _in_srgb(Image.fromarray(colours[None]), ImageCms.ImageCmsProfile(io.BytesIO(content)))
    return followed is not None and int(np.abs(np.asarray(followed)[0].astype(int) - colours).max()) <= 1


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
