"""One word's attention over the photo: smooth upscaling, laid over in the colours of `captioner.render.looks`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from captioner.caption import END, Caption, Floats, Word
from captioner.render.looks import Style, layer, scale_tops

UPSCALE = 24  # 14×14 cells become 336×336 pixels
SIGMA = 8.0  # pixels of those, a third of a cell: scikit-image's own choice for this factor


def smooth(alpha: Floats, size: tuple[int, int]) -> Floats:
    """One map upscaled smoothly: ``(rows, columns)`` → ``(height, width)`` for ``size`` (width, height).

    scikit-image's ``pyramid_expand`` by 24 with σ = 8 px, in its own way at the edges, then resized
    bilinearly to the photo. Values stay attention per cell; a lone peak comes out lower than its cell.
    """
    from skimage.transform import pyramid_expand  # noqa: PLC0415  (slow to import)

    expanded = pyramid_expand(alpha.astype(np.float32), upscale=UPSCALE, sigma=SIGMA, preserve_range=True)
    resized = Image.fromarray(expanded.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32)


def overlay(view: Image.Image, alpha: Floats, style: Style | None = None, top: float | None = None) -> Image.Image:
    """The photo with one word's map over it, at the photo's own size.

    Args:
        alpha: ``(rows, columns)``.
        top: attention per cell that is drawn at full strength; `scale_tops` of the map alone if None.
    """
    style = style or Style()
    (own,) = scale_tops([alpha], style.scale)
    return _laid_over(view, layer(smooth(alpha, view.size), own if top is None else top, style))


def overlays(view: Image.Image, words: Sequence[Word], style: Style) -> tuple[list[Image.Image], list[float]]:
    """`overlay` for each word, on the style's scale; and the attention per cell at which the scale of each ends."""
    tops = scale_tops([word.alpha for word in words], style.scale)
    return [overlay(view, word.alpha, style, top) for word, top in zip(words, tops, strict=True)], tops


def drawn_words(caption: Caption) -> tuple[Word, ...]:
    """The words that get a picture: all but ``<end>``."""
    return tuple(word for word in caption if word.text != END)


def enlarged(view: Image.Image, side: int) -> Image.Image:
    """The photo with its longer side at ``side`` pixels, up or down."""
    factor = side / max(view.size)
    width, height = (max(1, round(length * factor)) for length in view.size)
    return view.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def _laid_over(view: Image.Image, painted: Floats) -> Image.Image:
    """Ordinary compositing: what is laid over counts as much as it is opaque."""
    photo = np.asarray(view.convert("RGB"), dtype=np.float32) / np.float32(255)
    opacity = painted[..., 3:]
    mixed = photo * (1 - opacity) + painted[..., :3] * opacity
    return Image.fromarray((mixed * 255).round().astype(np.uint8))
