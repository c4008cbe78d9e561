"""How a map of attention becomes colours: the one rule of scale, colours and opacity, for pictures and for the page.

The page gets these figures with its player and has none of its own. Here too what every picture is put together
from: a map laid smoothly over its photo, and words as text that can be drawn. matplotlib's import would hold up the
page, so none is at the top.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from captioner.caption import END, Caption, Floats, Word

StyleLook = Literal["heat", "spotlight"]
StyleScale = Literal["caption", "word"]

SHARPEST = 4.0  # a word's scale ends at four times "no preference" or higher: an even map must not look like a choice
OPACITY = 0.8
LEVELS = 512
DARK = (6, 6, 10)
# matplotlib's inferno at 17 places, safe for the colour-blind and in grey print.
INFERNO = [
    *("000004", "0b0724", "210c4a", "3d0965", "57106e", "71196e", "8a226a", "a32c61"),
    *("bc3754", "d24644", "e45a31", "f1731d", "f98e09", "fcac11", "f9cb35", "f2ea69", "fcffa4"),
]
UPSCALE = 24  # 14×14 cells become 336×336 pixels
SIGMA = 8.0  # pixels of those, a third of a cell: scikit-image's own choice for this factor
MISSING = "□"
PLACEHOLDER_FONTS = ("Last Resort",)


@dataclass(frozen=True)
class Style:
    """How maps are laid over the photo.

    Attributes:
        look: ``heat``, colours over the photo, clear where nobody looks; or ``spotlight``, the paper's (attended
            regions keep their light, the rest goes dark).
        scale: ``word``, each word's own; or ``caption``, one scale for all words, so that they can be compared.
        opacity: of the strongest colour, in [0, 1].
    """

    look: StyleLook = "heat"
    scale: StyleScale = "word"
    opacity: float = OPACITY


def scale_tops(alphas: Sequence[Floats], scale: StyleScale) -> list[float]:
    """The weight at which the scale of each map ends, that of its strongest colour.

    Of a word alone: its highest weight, or `SHARPEST` times ``1/L`` if that is more. Of a caption: the highest of all.

    Args:
        alphas: N maps ``(rows, columns)``.
    """
    if scale == "word":
        return [max(float(alpha.max()), SHARPEST / alpha.size) for alpha in alphas]
    return [max((float(alpha.max()) for alpha in alphas), default=1e-6)] * len(alphas)


def colour_table(look: StyleLook) -> Floats:
    """``(LEVELS, 4)``: red, green, blue and opacity in [0, 1], from no attention to the scale's end, undimmed."""
    share = np.linspace(0, 1, LEVELS)
    if look == "heat":  # starts a little above black, and is clear where nothing is: the photo stays readable
        colours, opacity = inferno(0.18 + 0.82 * share), np.minimum(1, 1.25 * share**0.9)
    else:
        colours, opacity = np.tile(np.array(DARK) / 255, (LEVELS, 1)), 1 - share**0.7
    return np.column_stack([colours, opacity]).astype(np.float32)


def inferno(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(N,)`` in [0, 1] → ``(N, 3)``, linear between 17 of matplotlib's colours."""
    stops = np.array([[int(stop[at : at + 2], 16) for at in (0, 2, 4)] for stop in INFERNO]) / 255
    places = np.linspace(0, 1, len(stops))
    return np.column_stack([np.interp(share, places, stops[:, channel]) for channel in range(3)])


def layer(weights: Floats, top: float, style: Style) -> Floats:
    """What is laid over the photo: weights ``(height, width)`` → ``(height, width, 4)``, opacity last, in [0, 1]."""
    levels = np.minimum(LEVELS - 1, (weights * ((LEVELS - 1) / max(top, 1e-12)) + 0.5).astype(int))
    painted: Floats = colour_table(style.look)[levels]
    painted[..., 3] *= style.opacity
    return painted


def figures() -> dict[str, Any]:
    """All that the page needs to draw alike; the tables as bytes, RGBA, in base64."""
    tables = {look: (255 * colour_table(look)).round().astype(np.uint8).tobytes() for look in get_args(StyleLook)}
    encoded = {look: base64.b64encode(table).decode("ascii") for look, table in tables.items()}
    return {"sharpest": SHARPEST, "opacity": OPACITY, "tables": encoded}


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


class Lettering(NamedTuple):
    """Text with the file of a font that draws all of it."""

    text: str
    font: Path


def printable(text: str) -> str:
    """The text with control characters, lone surrogates and their like shown as ``□``."""
    return "".join(character if character.isprintable() else MISSING for character in text)


def lettering(text: str, limit: int = 24) -> Lettering:
    """Printable text of at most ``limit`` characters, and the installed font that covers it best.

    DejaVu Sans comes with matplotlib. For what it lacks (Hangul, say) any installed font that
    has all of the characters serves; where there is none, they are shown as ``□``.
    """
    text = printable(text)
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    usual = _usual_font()
    missing = frozenset(text) - _characters(usual)
    if not missing:
        return Lettering(text, usual)
    if covering := _covering_font(frozenset(text)):
        return Lettering(text, covering)
    return Lettering("".join(MISSING if character in missing else character for character in text), usual)


@cache
def _usual_font() -> Path:
    from matplotlib.font_manager import FontProperties, findfont  # noqa: PLC0415  (slow to import)

    return Path(findfont(FontProperties(family="DejaVu Sans")))


@cache
def _covering_font(characters: frozenset[str]) -> Path | None:
    from matplotlib.font_manager import fontManager  # noqa: PLC0415  (slow to import)

    for entry in fontManager.ttflist:
        plain = entry.style == "normal" and not entry.name.startswith(PLACEHOLDER_FONTS)
        if plain and characters <= _characters(Path(entry.fname)):
            return Path(entry.fname)
    return None


@cache
def _characters(font: Path) -> frozenset[str]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415  (slow to import)

    try:
        return frozenset(map(chr, FT2Font(str(font)).get_charmap()))
    except (OSError, RuntimeError):  # a font that was removed or is damaged draws nothing
        return frozenset()
