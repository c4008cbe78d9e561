"""One word's attention over the photo: smooth upscaling, and the spotlight and heat looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from captioner.caption import END, Caption, Floats, Word

StyleLook = Literal["heat", "spotlight"]
StyleScale = Literal["caption", "word"]

UPSCALE = 24  # 14×14 cells become 336×336 pixels
SIGMA = 8.0  # pixels of those, a third of a cell: scikit-image's own choice for this factor

SPOTLIGHT_FLOOR = 0.2  # how much of the photo's light stays where nobody looks
HEAT_COLOURS = "inferno"
HEAT_OPACITY = 0.65


@dataclass(frozen=True)
class Style:
    """How maps are laid over the photo.

    Attributes:
        look: ``heat``, colours over a greyed photo, or ``spotlight``, the paper's (attended regions
            keep their light, the rest goes dark).
        scale: ``caption``, one scale for all words, so that they can be compared; or ``word``, each
            word's own maximum.
    """

    look: StyleLook = "heat"
    scale: StyleScale = "caption"


def smooth(alpha: Floats, size: tuple[int, int]) -> Floats:
    """One map upscaled smoothly: ``(rows, columns)`` → ``(height, width)`` for ``size`` (width, height).

    scikit-image's ``pyramid_expand`` by 24 with σ = 8 px, in its own way at the edges, then resized
    bilinearly to the photo. Values stay attention per cell; a lone peak comes out lower than its cell.
    """
    from skimage.transform import pyramid_expand  # noqa: PLC0415  (slow to import)

    expanded = pyramid_expand(alpha.astype(np.float32), upscale=UPSCALE, sigma=SIGMA, preserve_range=True)
    resized = Image.fromarray(expanded.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32)


def overlay(view: Image.Image, alpha: Floats, style: Style | None = None, peak: float | None = None) -> Image.Image:
    """The photo with one word's map over it, at the photo's own size.

    Args:
        alpha: ``(rows, columns)``.
        peak: smoothed attention per cell that is drawn at full strength; the map's maximum if None.
    """
    weights = smooth(alpha, view.size)
    return _blend(view, weights, style or Style(), float(weights.max()) if peak is None else peak)


def overlays(view: Image.Image, words: Sequence[Word], style: Style) -> tuple[list[Image.Image], float]:
    """`overlay` for each word, on the style's scale; and the highest smoothed attention per cell of all."""
    weights = [smooth(word.alpha, view.size) for word in words]
    own = [float(each.max()) for each in weights]
    highest = max(own, default=0.0)
    peaks = own if style.scale == "word" else [highest] * len(own)
    return [_blend(view, each, style, peak) for each, peak in zip(weights, peaks, strict=True)], highest


def drawn_words(caption: Caption) -> tuple[Word, ...]:
    """The words that get a picture: all but ``<end>``."""
    return tuple(word for word in caption if word.text != END)


def enlarged(view: Image.Image, side: int) -> Image.Image:
    """The photo with its longer side at ``side`` pixels, up or down."""
    factor = side / max(view.size)
    width, height = (max(1, round(length * factor)) for length in view.size)
    return view.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def _blend(view: Image.Image, weights: Floats, style: Style, peak: float) -> Image.Image:
    strength = (weights / max(peak, 1e-12)).clip(0, 1)[..., None]
    photo = np.asarray(view.convert("RGB"), dtype=np.float32) / np.float32(255)
    mixed = _heat(photo, strength) if style.look == "heat" else _spotlight(photo, strength)
    return Image.fromarray((mixed * 255).round().astype(np.uint8))


def _spotlight(photo: Floats, strength: Floats) -> Floats:
    lit: Floats = photo * (SPOTLIGHT_FLOOR + (1 - SPOTLIGHT_FLOOR) * strength)
    return lit


def _heat(photo: Floats, strength: Floats) -> Floats:
    import matplotlib as mpl  # noqa: PLC0415  (slow to import)

    grey = photo.mean(axis=-1, keepdims=True)
    muted = 0.75 * (0.3 * photo + 0.7 * grey)
    colours = mpl.colormaps[HEAT_COLOURS](strength[..., 0])[..., :3]
    opacity = HEAT_OPACITY * strength
    warmed: Floats = muted * (1 - opacity) + colours * opacity
    return warmed
