"""A photo from outside → the view the model sees → its normalised tensor. Refuses what is not a photo."""

from __future__ import annotations

import io
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

Interpolation = Literal["bilinear", "bicubic", "lanczos"]
PhotoSource = str | Path | bytes | BinaryIO | Image.Image | np.ndarray[Any, Any]
DEEP_GREYS = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
MAX_PIXELS = 120_000_000
MIN_SIDE = 16
MAX_ASPECT = 20
VIEW_SIDE = 1024


class PhotoError(ValueError):
    """A photo that cannot be captioned; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class PhotoFormat:
    """What a model expects of its photos: side in pixels, normalisation, interpolation."""

    size: int = 256
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    interpolation: Interpolation = "bicubic"

    def __post_init__(self) -> None:
        if self.interpolation not in get_args(Interpolation):
            raise ValueError(f"interpolation must be one of {get_args(Interpolation)}, got {self.interpolation!r}")


@dataclass(frozen=True, eq=False)
class Photo:
    """A prepared photo.

    Attributes:
        view: upright RGB with the photo's own aspect, at most 1,024 px a side. The model sees the
            whole of it, squashed to a square, so a cell of the attention grid is the same
            fraction of the view's width and height.
        tensor: ``(3, size, size)`` float32, normalised.
    """

    view: Image.Image
    tensor: Tensor = field(repr=False)


def prepare(source: PhotoSource, photo_format: PhotoFormat | None = None) -> Photo:
    """Open, turn upright, flatten to RGB, resize and normalise one photo.

    Args:
        source: a path, the file's bytes, an open binary file, a Pillow image, or an array
            ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of uint8.

    Raises:
        PhotoError: in one sentence, if it is not an image, is broken, too large or too thin.
    """
    return from_view(_view(source), photo_format or PhotoFormat())


def from_view(view: Image.Image, photo_format: PhotoFormat) -> Photo:
    """The photo of a view that `prepare` made, perhaps painted over since."""
    resample = Image.Resampling[photo_format.interpolation.upper()]
    square = view.resize((photo_format.size, photo_format.size), resample)
    return Photo(view, normalize(square, photo_format))


def normalize(square: Image.Image, photo_format: PhotoFormat) -> Tensor:
    """RGB image → ``(3, H, W)`` float32: scaled to [0, 1], minus the mean, over the std."""
    pixels = torch.from_numpy(np.array(square, dtype=np.float32)).permute(2, 0, 1) / 255
    mean = torch.tensor(photo_format.mean).view(3, 1, 1)
    std = torch.tensor(photo_format.std).view(3, 1, 1)
    return ((pixels - mean) / std).contiguous()


def _view(source: PhotoSource) -> Image.Image:
    if isinstance(source, Image.Image):
        return _upright_rgb(_checked(source))
    if isinstance(source, np.ndarray):
        return _upright_rgb(_from_array(source))
    if isinstance(source, (str, Path)):
        source = _existing(Path(source))
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    try:
        with _opened(source) as image:
            # A JPEG is decoded at a fraction of its size where that suffices, which saves time and memory.
            _checked(image).draft("RGB", (VIEW_SIDE, VIEW_SIDE))
            return _upright_rgb(image, True)
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(_too_large()) from None
    except UnidentifiedImageError:
        raise PhotoError(
            "This is not an image we can read; please use a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file."
        ) from None
    except PermissionError:
        raise PhotoError(f"{_one_line(source)} may not be read; please change its permissions.") from None
    except Exception as error:  # the decoders raise whatever a hostile file leads them to
        raise PhotoError(_broken(error)) from None


def _existing(path: Path) -> Path:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # a name can also be too long, or hold a null
        raise PhotoError(f"There is no file {_one_line(path)}; please check the path.") from None
    if stat.S_ISDIR(mode):
        raise PhotoError(f"{_one_line(path)} is a folder, not a photo; please name a file in it.")
    if not stat.S_ISREG(mode):  # a pipe or a device could keep us waiting for ever
        raise PhotoError(f"{_one_line(path)} is not an ordinary file; please name a photo.")
    return path


def _opened(source: Path | BinaryIO) -> Image.Image:
    if not isinstance(source, Path) and not hasattr(source, "read"):
        raise PhotoError(
            f"A photo must be a path, bytes, a binary file, an image or an array, not {type(source).__name__}."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(source, formats=FORMATS)


def _from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or array.dtype != np.uint8 or not array.size:
        raise PhotoError(
            "An array must be (height, width), (height, width, 3) or (height, width, 4) of uint8, "
            f"not {array.shape} of {array.dtype}."
        )
    return _checked(Image.fromarray(array))


def _checked(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(_too_large(f" ({width} × {height})"))
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"This image is only {width} × {height} pixels; please use one of at least {MIN_SIDE} pixels a side."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(f"This image is too thin ({width} × {height}); please crop it to less than {MAX_ASPECT} to 1.")
    return image


def _upright_rgb(image: Image.Image, ours: bool = False) -> Image.Image:
    """The view: EXIF turn, at most 1,024 px a side, RGB, transparency laid over white.

    Of an image that is ours to change no copy is made: a large one takes half a gigabyte.
    """
    try:
        image.load()
        view = _colour(_upright(image, ours))
    except Exception as error:  # as in `_view`; a caller's own image can be lazy too
        raise PhotoError(_broken(error)) from None
    view.thumbnail((VIEW_SIDE, VIEW_SIDE), Image.Resampling.LANCZOS)
    if view.mode == "RGB":
        return view
    white = Image.new("RGBA", view.size, "white")
    return Image.alpha_composite(white, view).convert("RGB")


def _upright(image: Image.Image, ours: bool) -> Image.Image:
    """A copy, or the image itself if it is ours, turned as its EXIF says; with broken EXIF it is taken as it lies."""
    try:
        if not ours:
            return ImageOps.exif_transpose(image)
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # the EXIF parser meets arbitrary bytes
        return image if ours else image.copy()
    return image


def _colour(image: Image.Image) -> Image.Image:
    """RGB of any Pillow mode, or RGBA if it has transparency; deep greys scaled down."""
    if image.mode in DEEP_GREYS:
        image = _eight_bit(image)
    if image.mode == "La":  # Pillow turns premultiplied grey into nothing else
        image = image.convert("LA")
    mode = "RGBA" if image.has_transparency_data else "RGB"
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


def _too_large(size: str = "") -> str:
    return f"This image has too many pixels{size}; please shrink it below {MAX_PIXELS // 1_000_000} million pixels."


def _broken(error: Exception) -> str:
    reason = _one_line(error) or type(error).__name__
    return f"This image file is damaged or incomplete; please export or download it again ({reason})."


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:120]
