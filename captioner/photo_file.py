"""A photo's file, known by its content whatever its name, and decoded as far as it goes if its end is missing."""

from __future__ import annotations

import io
import struct
import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile

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
