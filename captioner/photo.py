"""A photo from outside → the view the model sees → its normalised tensor. Refuses what is not a photo."""

from __future__ import annotations

import io
import re
import stat
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from captioner.photo_file import (
    MissingDecoderError,
    ended,
    looks_like_a_photo,
    mostly_there,
    opened,
    shrunk_srgb,
    with_an_end,
)

Interpolation = Literal["bilinear", "bicubic", "lanczos"]
PhotoSource = str | Path | bytes | BinaryIO | Image.Image | np.ndarray[Any, Any]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
MAX_PIXELS = 120_000_000
MIN_SIDE = 16
MAX_ASPECT = 20
VIEW_SIDE = 1024
ADDRESS = re.compile(r"data:|[a-z][a-z0-9+.-]+:/", re.IGNORECASE)

# What a decoder says of a file is for programmers, and stays with the error as its cause.
BROKEN = "This image file is damaged or incomplete; please export or download it again."
MOSTLY_MISSING = "More than half of this picture is missing; please export or download it again."
INCOMPLETE = "The end of this file is missing; the caption is of the part that is there."


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
        incomplete: whether the file lacked its end; what is missing is flat in the view.
    """

    view: Image.Image
    tensor: Tensor = field(repr=False)
    incomplete: bool = False


def prepare(source: PhotoSource, photo_format: PhotoFormat | None = None) -> Photo:
    """Open, turn upright, flatten to RGB of the screen (sRGB), resize and normalise one photo.

    An embedded colour profile is followed. A file that lacks its end is taken as far as it goes, if at
    least half of the picture is there.

    Args:
        source: a path, the file's bytes, an open binary file, a Pillow image, or an array
            ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of uint8.

    Raises:
        PhotoError: in one sentence, if it is not an image, is broken, too large or too thin.
    """
    view, incomplete = _view(source)
    return from_view(view, photo_format or PhotoFormat(), incomplete)


def from_view(view: Image.Image, photo_format: PhotoFormat, incomplete: bool = False) -> Photo:
    """The photo of a view that `prepare` made, perhaps painted over since."""
    resample = Image.Resampling[photo_format.interpolation.upper()]
    square = view.resize((photo_format.size, photo_format.size), resample)
    return Photo(view, normalize(square, photo_format), incomplete)


def normalize(square: Image.Image, photo_format: PhotoFormat) -> Tensor:
    """RGB image → ``(3, H, W)`` float32: scaled to [0, 1], minus the mean, over the std."""
    pixels = torch.from_numpy(np.array(square, dtype=np.float32)).permute(2, 0, 1) / 255
    mean = torch.tensor(photo_format.mean).view(3, 1, 1)
    std = torch.tensor(photo_format.std).view(3, 1, 1)
    return ((pixels - mean) / std).contiguous()


def _view(source: PhotoSource) -> tuple[Image.Image, bool]:
    """The view, and whether the photo's file is incomplete."""
    if isinstance(source, Image.Image):
        return _upright_rgb(_checked(source)), False
    if isinstance(source, np.ndarray):
        return _upright_rgb(_from_array(source)), False
    try:
        with _stream(source) as stream:
            return _from_file(stream)
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError(_too_large()) from None
    except MissingDecoderError:
        raise PhotoError(
            "HEIC photos cannot be read here, which is a matter of the installation; please export the photo as a JPEG."
        ) from None
    except UnidentifiedImageError:
        raise PhotoError(
            "This is not an image we can read; please use a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."
        ) from None
    except PermissionError:
        raise PhotoError(f"{_one_line(source)} may not be read; please change its permissions.") from None
    except Exception as error:  # the decoders raise whatever a hostile file leads them to
        raise PhotoError(BROKEN) from error


def _from_file(stream: BinaryIO) -> tuple[Image.Image, bool]:
    """As `_view`. A file that cannot be decoded is tried once more with something in place of its missing end."""
    try:
        return _decoded(stream)
    except (PhotoError, Image.DecompressionBombError, MissingDecoderError):
        raise
    except Exception as error:
        mended = _mended(stream)
        if mended is None:
            raise
        try:
            return _decoded(io.BytesIO(mended), mended=True)
        except PhotoError:
            raise
        except Exception:
            raise error from None


def _mended(stream: BinaryIO) -> bytes | None:
    if not looks_like_a_photo(stream):  # nobody wants all of a film in memory
        return None
    stream.seek(0)
    return with_an_end(stream.read())


def _decoded(stream: BinaryIO, mended: bool = False) -> tuple[Image.Image, bool]:
    with opened(stream) as image:
        # A JPEG is decoded at a fraction of its size where that suffices, which saves time and memory.
        _checked(image).draft("RGB", (VIEW_SIDE, VIEW_SIDE))
        if mended and not mostly_there(image):
            raise PhotoError(MOSTLY_MISSING)
        image.load()
        incomplete = mended or not ended(image, stream)
        return _upright_rgb(image, True), incomplete


def _stream(source: str | Path | bytes | BinaryIO) -> AbstractContextManager[BinaryIO]:
    """The file to read from; closed at the end if it was opened here."""
    if isinstance(source, (str, Path)):
        return _existing(source).open("rb")
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    if not hasattr(source, "read"):
        raise PhotoError(
            f"A photo must be a path, bytes, a binary file, an image or an array, not {type(source).__name__}."
        )
    return nullcontext(source if source.seekable() else io.BytesIO(source.read()))


def _existing(source: str | Path) -> Path:
    path = Path(source)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # a name can also be too long, or hold a null
        if ADDRESS.match(str(source)):
            raise PhotoError(
                "Photos are not fetched from addresses; please download this one and name the file."
            ) from None
        raise PhotoError(f"There is no file {_one_line(path)}; please check the path.") from None
    if stat.S_ISDIR(mode):
        raise PhotoError(f"{_one_line(path)} is a folder, not a photo; please name a file in it.")
    if not stat.S_ISREG(mode):  # a pipe or a device could keep us waiting for ever
        raise PhotoError(f"{_one_line(path)} is not an ordinary file; please name a photo.")
    return path


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
    """The view: EXIF turn, sRGB, at most 1,024 px a side, transparency laid over white.

    Of an image that is ours to change no copy is made: a large one takes half a gigabyte.
    """
    try:
        image.load()
        view = shrunk_srgb(_upright(image, ours), VIEW_SIDE)
    except Exception as error:  # as in `_view`; a caller's own image can be lazy too
        raise PhotoError(BROKEN) from error
    if view.mode != "RGB":
        white = Image.new("RGBA", view.size, "white")
        view = Image.alpha_composite(white, view).convert("RGB")
    view.info = {}  # its profile was followed, and must not be followed again by who opens a copy of the view
    return view


def _upright(image: Image.Image, ours: bool) -> Image.Image:
    """A copy, or the image itself if it is ours, turned as its EXIF says; with broken EXIF it is taken as it lies."""
    try:
        if not ours:
            return ImageOps.exif_transpose(image)
        ImageOps.exif_transpose(image, in_place=True)
    except Exception:  # the EXIF parser meets arbitrary bytes
        return image if ours else image.copy()
    return image


def _too_large(size: str = "") -> str:
    return f"This image has too many pixels{size}; please shrink it below {MAX_PIXELS // 1_000_000} million pixels."


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:120]


def hide(view: Image.Image, mask: np.ndarray[Any, Any], photo_format: PhotoFormat | None = None) -> Photo:
    """*Hide it*: the view with a region painted over, ready to be looked at again.

    The paint is the mean colour of the photos the encoder learned from (ImageNet's), which
    normalises to zero: the value that stands for nothing there, with which the convolutions pad the
    photo's own border. Black or white would be extreme values, a new object rather than none. An
    edge remains where the paint begins, and the model may see that.

    Args:
        view: of a `Photo` or a look.
        mask: ``(height, width)`` of bool or uint8 at any resolution, not zero where to hide; it is
            stretched over the whole view, by nearest neighbour.

    Raises:
        PhotoError: if the mask is none.
    """
    photo_format = photo_format or PhotoFormat()
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype not in (bool, np.uint8) or not mask.size:
        found = f"{mask.shape} of {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise PhotoError(f"A mask must be an array (height, width) of bool or uint8, not {found}.")
    stencil = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).resize(view.size, Image.Resampling.NEAREST)
    colour = tuple(round(255 * channel) for channel in photo_format.mean)
    painted = view.copy()
    painted.paste(colour, mask=stencil)
    return from_view(painted, photo_format)
