"""The caption word by word, as an endless GIF or WebP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from captioner.caption import Caption
from captioner.render.looks import Lettering, Style, drawn_words, enlarged, lettering, overlays

ANIMATION_SUFFIXES = (".gif", ".webp")

INK, FAINT, PAPER, MARK = "#1d1d1f", "#a1a1a6", "#ffffff", "#ffd60a"
PHOTO_PIXELS, FONT_PIXELS, NARROWEST = 560, 25, 320
MARGIN, LINE, PADDING = 16, 42, 6  # pixels
WORD_MILLISECONDS, CLOSING_MILLISECONDS = 800, 2400


class _Placed(NamedTuple):
    """A word's text, font, and left end and middle in pixels below the photo."""

    text: str
    font: ImageFont.FreeTypeFont
    left: float
    middle: float
    width: float


def frames(view: Image.Image, caption: Caption, style: Style | None = None) -> list[Image.Image]:
    """One frame a word, that word marked in the sentence below; then the photo alone.

    ``<end>`` has no map here: the closing frame, the whole sentence under the bare photo, stands
    for it, and closes an unfinished caption too.
    """
    photo, words = enlarged(view, PHOTO_PIXELS), drawn_words(caption)
    maps, _ = overlays(photo, words, style or Style())
    width = max(photo.width, NARROWEST)
    sentence = _set([word.text for word in words], width)
    return [_frame(picture, width, sentence, current) for current, picture in enumerate([*maps, photo])]


def save_animation(view: Image.Image, caption: Caption, path: Path, style: Style | None = None) -> None:
    """Write `frames` as an endless GIF or WebP, as the path's suffix says; the closing frame stays longer."""
    pictures = frames(view, caption, style)
    durations = [WORD_MILLISECONDS] * (len(pictures) - 1) + [CLOSING_MILLISECONDS]
    options: dict[str, Any] = {"quality": 85, "method": 5, "kmin": 0, "kmax": 1}  # no residue of the frame before
    if path.suffix.lower() == ".gif":
        pictures, options = [_dithered(picture) for picture in pictures], {"optimize": False}
    first, *rest = pictures
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, **options)


def _set(texts: Sequence[str], width: int) -> list[_Placed]:
    """The sentence in as few lines as it needs, of about the same length, each centred."""
    room = width - 2 * MARGIN
    lettered = [_fitted(lettering(text), room) for text in texts]
    widths = [font.getlength(text) + 2 * PADDING for text, font in lettered]
    fewest = len(_lines(widths, room))
    narrowest = next(limit for limit in range(0, room + 8, 8) if len(_lines(widths, limit)) <= fewest)
    placed = []
    for row, line in enumerate(_lines(widths, narrowest)):
        left = (width - sum(widths[index] for index in line)) / 2
        for index in line:
            placed.append(_Placed(*lettered[index], left, (row + 0.5) * LINE, widths[index]))
            left += widths[index]
    return placed


def _fitted(word: Lettering, room: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """The word with its font, smaller if the word would be wider than a line."""
    font = ImageFont.truetype(word.font, FONT_PIXELS)
    excess = font.getlength(word.text) / (room - 2 * PADDING)
    return word.text, font.font_variant(size=FONT_PIXELS / max(excess, 1.0))


def _lines(widths: Sequence[float], limit: float) -> list[list[int]]:
    """Indices of the words of each line, filled one after the other; a wider word has its own line."""
    lines: list[list[int]] = []
    left = 0.0
    for index, width in enumerate(widths):
        if not lines or left + width > limit:
            lines.append([])
            left = 0.0
        lines[-1].append(index)
        left += width
    return lines


def _frame(picture: Image.Image, width: int, sentence: Sequence[_Placed], current: int) -> Image.Image:
    """The picture over the sentence; words still to come are faint."""
    below = max((placed.middle for placed in sentence), default=0.0) + LINE / 2
    page = Image.new("RGB", (width, picture.height + MARGIN + round(below) + MARGIN // 2), PAPER)
    page.paste(picture, ((width - picture.width) // 2, 0))
    pen = ImageDraw.Draw(page)
    for index, placed in enumerate(sentence):
        middle = picture.height + MARGIN / 2 + placed.middle
        if index == current:
            box = (placed.left, middle - LINE * 0.42, placed.left + placed.width, middle + LINE * 0.42)
            pen.rounded_rectangle(box, radius=8, fill=MARK)
        colour = INK if index <= current else FAINT
        pen.text((placed.left + PADDING, middle + 1), placed.text, fill=colour, font=placed.font, anchor="lm")
    return page


def _dithered(picture: Image.Image) -> Image.Image:
    palette = picture.quantize(256)
    return picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
