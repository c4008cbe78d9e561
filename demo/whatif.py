"""What if? The questions a class asks, each answered by one more caption beside the one it was asked about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from captioner.caption import Caption, Floats
from captioner.override import AttentionOverride, Grid
from captioner.pipeline import Captioner, Guess, Look
from captioner.search import SearchSettings, SettingsError
from captioner.settings import shown, whole
from demo.knobs import search_settings, text
from demo.knobs import whole as sent_whole

NOTHING_YET = "There is no finished caption yet; please wait for one."
NO_SUCH_QUESTION = "There is no such question; please reload the page."
NO_SUCH_CAPTION = "There is no such caption on the page; please reload it."

KINDS = ("word", "place", "hide", "uniform", "settings", "own")


@dataclass(frozen=True, eq=False)
class Question:
    """What the person asks about one word of one caption, or about a region of the photo.

    Attributes:
        kind: ``word``: go on from ``word`` in the place of the one at ``position``; ``place``:
            that step's attention is forced into the region; ``hide``: the photo with the region
            painted over; ``uniform``: no attention at all; ``settings``: another search;
            ``own``: how likely is ``sentence``?
        index: of the caption among those on the page.
        region: first row, first column, last row, last column of grid cells.
        weights: ``(rows, columns)``, in the place of a region: attention, or not zero where to hide.
    """

    kind: str
    index: int = 0
    position: int = 0
    word: str = ""
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    weights: Floats | None = None
    sentence: str = ""
    settings: SearchSettings | None = None

    def map(self, grid: Grid) -> Floats:
        """``(rows, columns)``: ``weights``, or 1 in the region and 0 elsewhere.

        Raises:
            SettingsError: if the region is not on the grid.
        """
        return region_map(self.region, grid) if self.weights is None else self.weights


@dataclass(frozen=True, eq=False)
class Plan:
    """How a question is answered: a sentence to weigh, or else a search with what is forced upon it."""

    settings: SearchSettings
    beginning: tuple[str, ...] = ()
    attention: AttentionOverride | None = None
    sentence: str | None = None

    def guesses(self, captioner: Captioner, look: Look) -> Iterator[Guess]:
        """The answer as it grows."""
        if self.sentence is not None:
            yield Guess((captioner.score(look, self.sentence),), done=True)
        else:
            yield from captioner.stream(look, self.settings, self.beginning, self.attention)


def question(data: Mapping[str, Any]) -> Question:
    """A question as a browser sent it; fields that no question has are not read.

    Raises:
        SettingsError: if a part is missing or of the wrong kind, or settings are out of range.
    """
    kind, settings = text(data.get("kind"), "kind"), data.get("settings")
    if kind not in KINDS:
        raise SettingsError(NO_SUCH_QUESTION)
    return Question(
        kind,
        index=sent_whole(data.get("index", 0), "index"),
        position=sent_whole(data.get("position", 0), "position"),
        word=text(data.get("word"), "word"),
        region=_region(data.get("region")),
        sentence=text(data.get("sentence"), "sentence"),
        settings=None if settings is None else search_settings(*_listed(settings, "settings", 3)),
    )


def _region(sent: Any) -> tuple[int, int, int, int]:
    if sent is None:
        return 0, 0, 0, 0
    top, left, bottom, right = (sent_whole(edge, "region") for edge in _listed(sent, "region", 4))
    return top, left, bottom, right


def _listed(sent: Any, name: str, count: int) -> list[Any]:
    if not isinstance(sent, list | tuple) or len(sent) != count:
        raise SettingsError(f"{name} must be {count} numbers, got {shown(sent)}")
    return list(sent)


def plan(
    asked: Question, caption: Caption, settings: SearchSettings, attention: AttentionOverride | None, grid: Grid
) -> Plan:
    """How to answer what is asked about a caption that was made so (for ``hide``, of the painted photo).

    Raises:
        SettingsError: if the question makes no sense for this caption.
    """
    words = caption.words
    before = words[: whole("position", asked.position, 0, len(words) - caption.finished)]
    match asked.kind:
        case "own":
            return Plan(settings, sentence=asked.sentence)
        case "word":
            return Plan(settings, (*before, asked.word), forced(attention, asked.position + 1))
        case "place":
            return Plan(settings, before, forced(attention, asked.position, asked.map(grid)))
        case "uniform":
            return Plan(settings, attention=AttentionOverride.uniform(grid))
        case "hide":
            return Plan(settings)
        case "settings" if asked.settings:
            return Plan(asked.settings)
    raise SettingsError(NO_SUCH_QUESTION)


def forced(
    attention: AttentionOverride | None, position: int, weights: Floats | None = None
) -> AttentionOverride | None:
    """The maps that were forced before ``position``, and there ``weights``; later words are free again."""
    maps = {at: each for at, each in (attention.maps if attention else {}).items() if at < position}
    if weights is not None:
        maps[position] = weights
    otherwise = attention.otherwise if attention else None
    return AttentionOverride(maps, otherwise) if maps or otherwise is not None else None


def region_map(region: tuple[int, int, int, int], grid: Grid) -> Floats:
    """``(rows, columns)``: 1 in the region, 0 elsewhere.

    Raises:
        SettingsError: if the region is not on the grid.
    """
    top, left, bottom, right = region
    if not (0 <= top <= bottom < grid[0] and 0 <= left <= right < grid[1]):
        raise SettingsError("Please choose a place on the photo first.")
    weights = np.zeros(grid, dtype=np.float32)
    weights[top : bottom + 1, left : right + 1] = 1
    return weights
