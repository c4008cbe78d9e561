"""Words from any word map as text that can be drawn: printable, and in a font that has its glyphs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

MISSING = "□"
PLACEHOLDER_FONTS = ("Last Resort",)


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
