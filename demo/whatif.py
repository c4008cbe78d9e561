"""What if? The questions a class asks, each answered by one more caption of the same photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from captioner.caption import Caption
from captioner.override import AttentionOverride
from captioner.pipeline import Captioner, Look
from captioner.search import SearchSettings, SettingsError
from demo.sessions import Result

SPOT_RADIUS = 1.5  # cells around the chosen one that keep the attention
NOTHING_YET = "There is no finished caption yet."


@dataclass(frozen=True)
class Question:
    """What the person asks about one word of one caption.

    Attributes:
        kind: ``word``: go on from ``word`` in the place of the one at ``position``; ``place``:
            force that step's attention around ``(row, column)``; ``uniform``: no attention at all;
            ``own``: how likely is ``sentence``?
        index: of the caption among those on the page.
    """

    kind: str
    index: int = 0
    position: int = 0
    word: str = ""
    row: int = 0
    column: int = 0
    sentence: str = ""


def question(data: Mapping[str, Any]) -> Question:
    """A question as a browser sent it.

    Raises:
        SettingsError: if a part is missing or of the wrong kind.
    """
    try:
        return Question(
            kind=str(data["kind"]),
            index=int(data.get("index", 0)),
            position=int(data.get("position", 0)),
            word=str(data.get("word", "")),
            row=int(data.get("row", 0)),
            column=int(data.get("column", 0)),
            sentence=str(data.get("sentence", "")),
        )
    except (KeyError, TypeError, ValueError):
        raise SettingsError("That question could not be read; please reload the page.") from None


def answer(captioner: Captioner, look: Look, result: Result, question: Question) -> Caption:
    """The caption that answers.

    Raises:
        SettingsError: if the question makes no sense for this result.
    """
    if not 0 <= question.index < len(result.captions):
        raise SettingsError(NOTHING_YET)
    settings = SearchSettings(**result.settings)
    words = result.captions[question.index].words
    if not 0 <= question.position <= len(words):
        raise SettingsError("That caption has no such word.")
    before = words[: question.position]
    match question.kind:
        case "own":
            return captioner.score(look, question.sentence)
        case "word":
            return captioner.caption(look, settings, (*before, question.word))
        case "place":
            spot = AttentionOverride.spot(look.grid, question.position, question.row, question.column, SPOT_RADIUS)
            return captioner.caption(look, settings, before, spot)
        case "uniform":
            return captioner.caption(look, settings, attention=AttentionOverride.uniform(look.grid))
    raise SettingsError("There is no such question.")
