"""What if? The questions a class asks, each answered by one more caption beside the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from captioner.caption import Caption, Floats
from captioner.override import AttentionOverride
from captioner.pipeline import Captioner, Look
from captioner.search import SearchSettings, SettingsError

NOTHING_YET = "There is no finished caption yet."


@dataclass(frozen=True)
class Question:
    """What the person asks about one word of one caption, or about a region of the photo.

    Attributes:
        kind: ``word``: go on from ``word`` in the place of the one at ``position``; ``place``:
            that step's attention is forced into the region; ``hide``: the photo with the region
            painted over; ``uniform``: no attention at all; ``own``: how likely is ``sentence``?
        index: of the caption among those on the page.
        region: first row, first column, last row, last column of grid cells.
    """

    kind: str
    index: int = 0
    position: int = 0
    word: str = ""
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    sentence: str = ""


def question(data: Mapping[str, Any]) -> Question:
    """A question as a browser sent it.

    Raises:
        SettingsError: if a part is missing or of the wrong kind.
    """
    try:
        top, left, bottom, right = (int(edge) for edge in data.get("region") or (0, 0, 0, 0))
        return Question(
            kind=str(data["kind"]),
            index=int(data.get("index", 0)),
            position=int(data.get("position", 0)),
            word=str(data.get("word", "")),
            region=(top, left, bottom, right),
            sentence=str(data.get("sentence", "")),
        )
    except (KeyError, TypeError, ValueError):
        raise SettingsError("That question could not be read; please reload the page.") from None


def answer(
    captioner: Captioner, look: Look, words: tuple[str, ...], asked: Question, settings: SearchSettings
) -> Caption:
    """The caption that answers, of a look at the photo (for ``hide``, at the painted one).

    Args:
        words: of the caption that was asked about.

    Raises:
        SettingsError: if the question makes no sense for this caption.
    """
    if not 0 <= asked.position <= len(words):
        raise SettingsError("That caption has no such word.")
    before = words[: asked.position]
    match asked.kind:
        case "own":
            return captioner.score(look, asked.sentence)
        case "word":
            return captioner.caption(look, settings, (*before, asked.word))
        case "place":
            override = AttentionOverride({asked.position: region_map(asked.region, look.grid)})
            return captioner.caption(look, settings, before, override)
        case "uniform":
            return captioner.caption(look, settings, attention=AttentionOverride.uniform(look.grid))
        case "hide":
            return captioner.caption(look, settings)
    raise SettingsError("There is no such question.")


def region_map(region: tuple[int, int, int, int], grid: tuple[int, int]) -> Floats:
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
