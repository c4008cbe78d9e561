"""The paper's figure: a grid with one cell a word, as PNG, PDF or SVG."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from captioner.caption import Caption, Word
from captioner.render.looks import Style, drawn_words, enlarged, lettering, overlays

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")

INK, FAINT, PAPER = "#1d1d1f", "#86868b", "#ffffff"
PHOTO_PIXELS, DOTS_PER_INCH = 400, 160
PHOTO_INCHES, NARROWEST_CELL, NARROWEST_FIGURE = 2.2, 1.3, 4.2
TITLE, GAP, MARGIN, FOOT = 0.3, 0.14, 0.2, 0.22  # inches
WIDTH_TO_HEIGHT = 1.6
TITLE_CHARACTERS, LEGEND_CHARACTERS = 16, 100


class _Layout(NamedTuple):
    """Where things are, in inches from the top left corner."""

    width: float
    height: float
    columns: int
    cell: tuple[float, float]
    photo: tuple[float, float]

    def corner(self, index: int) -> tuple[float, float]:
        row, column = divmod(index, self.columns)
        return MARGIN + column * (self.cell[0] + GAP), MARGIN + row * (self.cell[1] + GAP)


def figure(view: Image.Image, caption: Caption, style: Style | None = None) -> Figure:
    """The photo, then for each word its map over the photo, titled with the word and its probability.

    ``<end>`` has no cell. Words are drawn as plain text, never as mathematics.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  (slow to import)

    style = style or Style()
    photo, words = enlarged(view, PHOTO_PIXELS), drawn_words(caption)
    layout = _layout(len(words) + 1, photo.size)
    drawn = Figure(figsize=(layout.width, layout.height), facecolor=PAPER)
    maps, _ = overlays(photo, words, style)
    for index, picture in enumerate([photo, *maps]):
        _draw_photo(drawn, layout, index, picture)
    for index, word in enumerate(words, start=1):
        _draw_title(drawn, layout, index, word)
    if words:
        highest = max(float(word.alpha.max()) for word in words)
        legend = _legend(words[0].alpha.size, highest, style)
        _write(drawn, layout, (MARGIN, layout.height - MARGIN), legend, 7, FAINT)
    return drawn


def save_figure(view: Image.Image, caption: Caption, path: Path, style: Style | None = None) -> None:
    """Write `figure` as PNG, PDF or SVG, as the path's suffix says."""
    drawn = figure(view, caption, style)
    drawn.savefig(path, dpi=DOTS_PER_INCH, facecolor=PAPER, format=path.suffix[1:].lower())


def _layout(cells: int, size: tuple[int, int]) -> _Layout:
    """The number of columns that brings the page nearest to its usual shape without a lone last row."""
    photo = (PHOTO_INCHES * size[0] / max(size), PHOTO_INCHES * size[1] / max(size))
    cell = (max(photo[0], NARROWEST_CELL), photo[1] + TITLE)
    columns = min(cells, max(1, round(math.sqrt(cells * WIDTH_TO_HEIGHT * cell[1] / cell[0]))))
    rows = math.ceil(cells / columns)
    columns = math.ceil(cells / rows)
    width = 2 * MARGIN + columns * (cell[0] + GAP) - GAP
    height = 2 * MARGIN + rows * (cell[1] + GAP) - GAP + FOOT
    return _Layout(max(width, NARROWEST_FIGURE), height, columns, cell, photo)


def _draw_photo(drawn: Figure, layout: _Layout, index: int, picture: Image.Image) -> None:
    left, top = layout.corner(index)
    bottom = layout.height - top - TITLE - layout.photo[1]
    width, height = layout.photo[0] / layout.width, layout.photo[1] / layout.height
    axes = drawn.add_axes((left / layout.width, bottom / layout.height, width, height))
    axes.imshow(picture, aspect="auto")
    axes.set_axis_off()


def _draw_title(drawn: Figure, layout: _Layout, index: int, word: Word) -> None:
    left, top = layout.corner(index)
    right, baseline = left + max(layout.photo[0], NARROWEST_CELL), top + TITLE - 0.08
    _write(drawn, layout, (left, baseline), lettering(word.text, TITLE_CHARACTERS).text, 10, INK)
    _write(drawn, layout, (right, baseline), _percent(word.probability), 7, FAINT, "right")


def _write(
    drawn: Figure, layout: _Layout, place: tuple[float, float], text: str, size: float, colour: str, align: str = "left"
) -> None:
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415  (slow to import)

    text, font = lettering(text, LEGEND_CHARACTERS)
    drawn.text(
        place[0] / layout.width,
        1 - place[1] / layout.height,
        text,
        fontproperties=FontProperties(fname=font, size=size),
        color=colour,
        horizontalalignment=align,
        verticalalignment="baseline",
        parse_math=False,
        usetex=False,
    )


def _legend(cells: int, highest: float, style: Style) -> str:
    even = f"no preference would be {_percent(1 / cells)}"
    if style.scale == "word":
        return f"Each map on its own scale, at most {_percent(highest)} of the attention in a cell · {even}"
    return f"One scale, up to {_percent(highest)} of a word's attention in a cell · {even}"


def _percent(share: float) -> str:
    if math.isnan(share):  # of a word that the model does not know
        return "unknown"
    return f"{100 * share:.1f} %" if share < 0.0995 else f"{100 * share:.0f} %"
