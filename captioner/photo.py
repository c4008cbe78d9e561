"""A photo from outside → the view the model sees → its normalised tensor. Refuses what is not a photo."""

from __future__ import annotations

import io
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
    photo_format = photo_format or PhotoFormat()
    view = _view(_opened(source))
    resample = Image.Resampling[photo_format.interpolation.upper()]
    square = view.resize((photo_format.size, photo_format.size), resample)
    return Photo(view, normalize(square, photo_format))


def normalize(square: Image.Image, photo_format: PhotoFormat) -> Tensor:
    """RGB image → ``(3, H, W)`` float32: scaled to [0, 1], minus the mean, over the std."""
    pixels = torch.from_numpy(np.array(square, dtype=np.float32)).permute(2, 0, 1) / 255
    mean = torch.tensor(photo_format.mean).view(3, 1, 1)
    std = torch.tensor(photo_format.std).view(3, 1, 1)
    return ((pixels - mean) / std).contiguous()


def _opened(source: PhotoSource) -> Image.Image:
    if isinstance(source, Image.Image):
        return _checked(source)
    if isinstance(source, np.ndarray):
        return _checked(_from_array(source))
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = _checked(Image.open(source, formats=FORMATS))
    except Image.DecompressionBombError:
        raise PhotoError(_too_large("far too many")) from None
    except UnidentifiedImageError:
        raise PhotoError(
            "This is not an image we can read; please use a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file."
        ) from None
    except FileNotFoundError:
        raise PhotoError(f"There is no file {source}; please check the path.") from None
    except IsADirectoryError:
        raise PhotoError(f"{source} is a folder, not a photo; please name a file in it.") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PhotoError(_broken(error)) from None
    return image


def _from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not shaped or array.dtype != np.uint8:
        raise PhotoError(
            "An array must be (height, width), (height, width, 3) or (height, width, 4) of uint8, "
            f"not {array.shape} of {array.dtype}."
        )
    return Image.fromarray(array)


def _checked(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(_too_large(f"{width} × {height}"))
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"This image is only {width} × {height} pixels; please use one of at least {MIN_SIDE} pixels a side."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PhotoError(f"This image is too thin ({width} × {height}); please crop it to less than {MAX_ASPECT} to 1.")
    return image


def _view(image: Image.Image) -> Image.Image:
    try:
        image.draft("RGB", (VIEW_SIDE, VIEW_SIDE))
        image.load()
        rgb = _to_rgb(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise PhotoError(_broken(error)) from None
    rgb.thumbnail((VIEW_SIDE, VIEW_SIDE), Image.Resampling.LANCZOS)
    return rgb


def _to_rgb(image: Image.Image) -> Image.Image:
    """RGB of any Pillow mode: deep greys scaled down, transparency laid over white."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or of floats, → 8 bits; the full scale follows from the values."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    peak = values.max()
    scale = 1.0 if peak <= 1 and image.mode == "F" else 255.0 if peak <= 255 else max(65535.0, peak)
    return Image.fromarray((values / scale * 255).clip(0, 255).round().astype(np.uint8))


def _too_large(size: str) -> str:
    return f"This image has too many pixels ({size}); please shrink it below {MAX_PIXELS // 1_000_000} million pixels."


def _broken(error: BaseException) -> str:
    return f"This image file is damaged or incomplete; please export or download it again ({_one_line(error)})."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
