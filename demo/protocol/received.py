"""What a browser or a program sends, checked once: settings, questions, maps, downloads, links, frames of a camera."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import numpy as np

from captioner.caption import Floats
from captioner.override import Grid
from captioner.render import Style, StyleLook, StyleScale
from captioner.search import SearchSettings, SettingsError
from captioner.settings import shown
from demo.runs.questions import (
    AnotherWord,
    FinishBranch,
    Hide,
    LookElsewhere,
    NoAttention,
    OtherSettings,
    OwnSentence,
    Question,
)
from demo.texts import english

MAX_FRAME = 128 * 1024  # bytes; 320 by 320 pixels of pure noise are half of it
MAX_STANDING = 50

Fields = Mapping[str, Any]
Kind = TypeVar("Kind", bound=str)


# --- single values --------------------------------------------------------------------------------------------------


def whole(name: str, value: Any) -> int:
    """A number from JSON, which has but one kind of number, as a whole number; `captioner` checks its range.

    Raises:
        SettingsError: if it is none, or not whole.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingsError(english.NOT_WHOLE.format(name, shown(value)))
    return value


def text(name: str, value: Any) -> str:
    """A text as it was sent; nothing is the empty text.

    Raises:
        SettingsError: if it is something else.
    """
    if not isinstance(value, str | None):
        raise SettingsError(english.NOT_TEXT.format(name, shown(value)))
    return value or ""


def fields(data: Any) -> Fields:
    """What an event of the page carries, by name.

    Raises:
        SettingsError: if it carries something else.
    """
    if not isinstance(data, Mapping):
        raise SettingsError(english.UNREADABLE_EVENT)
    return data


def search_settings(beam_size: Any, temperature: Any, seed: Any) -> SearchSettings:
    """The page's or a program's numbers as settings.

    Raises:
        SettingsError: if one is missing or out of its range.
    """
    return SearchSettings(whole("beam_size", beam_size), temperature, 0 if seed is None else whole("seed", seed))


# --- maps -----------------------------------------------------------------------------------------------------------


def map_rows(rows: Any, grid: Grid, name: str = "attention") -> Floats:
    """``(rows, columns)`` weights, from as many lists of numbers.

    Raises:
        SettingsError: unless they are ``grid`` finite numbers, none below 0, not all 0.
    """
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise SettingsError(english.NO_ROWS.format(name, *grid, type(rows).__name__))
    lengths = {len(row) for row in rows}
    if len(rows) != grid[0] or lengths != {grid[1]}:
        counted = " or ".join(map(str, sorted(lengths))) or "no"
        raise SettingsError(english.OTHER_ROWS.format(name, *grid, len(rows), counted))
    if not all(_is_weight(value) for row in rows for value in row):
        raise SettingsError(english.NO_WEIGHTS.format(name))
    weights: Floats = np.array(rows, dtype=np.float64)
    if not weights.any():
        raise SettingsError(english.ALL_ZERO.format(name))
    return weights


def mask_rows(rows: Any, grid: Grid) -> Floats:
    """``(rows, columns)``: 1 where to hide.

    Raises:
        SettingsError: unless they are ``grid`` zeros and ones (or booleans), not all zero.
    """
    mask = map_rows(rows, grid, "mask")
    if not np.isin(mask, (0, 1)).all():
        raise SettingsError(english.NO_MASK)
    return mask


def region_map(region: Any, grid: Grid) -> Floats:
    """``(rows, columns)``: 1 in a region, 0 elsewhere.

    Args:
        region: first row, first column, last row, last column of grid cells.

    Raises:
        SettingsError: if there is none, or it is not on the grid.
    """
    if region is None:
        raise SettingsError(english.NO_PLACE)
    top, left, bottom, right = (whole("region", edge) for edge in _listed("region", region, 4))
    if not (0 <= top <= bottom < grid[0] and 0 <= left <= right < grid[1]):
        raise SettingsError(english.NO_PLACE)
    weights = np.zeros(grid, dtype=np.float32)
    weights[top : bottom + 1, left : right + 1] = 1
    return weights


# --- events of the page ---------------------------------------------------------------------------------------------


def question(data: Any, grid: Grid) -> Question:
    """A what-if as the page sent it; fields that its kind of question has not are not read.

    Raises:
        SettingsError: if there is no such question, or a part of it is missing or of the wrong kind.
    """
    sent = fields(data)
    index, keep = whole("index", sent.get("index", 0)), sent.get("keep") is True
    asked: Question
    match text("kind", sent.get("kind")):
        case "word":
            asked = AnotherWord(index=index, keep=keep, position=_position(sent), word=text("word", sent.get("word")))
        case "place":
            weights = region_map(sent.get("region"), grid)
            asked = LookElsewhere(index=index, keep=keep, position=_position(sent), weights=weights)
        case "hide":
            asked = Hide(index=index, keep=keep, mask=region_map(sent.get("region"), grid))
        case "uniform":
            asked = NoAttention(index=index, keep=keep)
        case "own":
            asked = OwnSentence(index=index, keep=keep, sentence=text("sentence", sent.get("sentence")))
        case "settings":
            settings = search_settings(*_listed("settings", sent.get("settings"), 3))
            asked = OtherSettings(index=index, keep=keep, settings=settings)
        case "branch":
            asked = FinishBranch(index=index, words=_words(sent.get("words")))
        case _:
            raise SettingsError(english.NO_SUCH_QUESTION)
    return asked


def shown_run(data: Any) -> int:
    """The run that brought what the page shows; 0 if that is not said.

    Raises:
        SettingsError: if it is no number.
    """
    return whole("run", fields(data).get("run", 0))


@dataclass(frozen=True)
class AskedWord:
    """One word of a caption that a run brought to the page."""

    run: int
    index: int
    position: int


def asked_word(data: Any) -> AskedWord:
    """The word whose equations the page wants.

    Raises:
        SettingsError: if a number is missing or none.
    """
    sent = fields(data)
    return AskedWord(**{name: whole(name, sent.get(name)) for name in ("run", "index", "position")})


@dataclass(frozen=True)
class AskedFile:
    """A download: the kind of file, the caption's place on the page, and how its maps are drawn."""

    kind: str
    index: int
    style: Style


def asked_file(data: Any) -> AskedFile:
    """The download that the page wants.

    Raises:
        SettingsError: if a part of it is missing or of the wrong kind.
    """
    sent = fields(data)
    look: StyleLook = _one_of("look", sent.get("look"), get_args(StyleLook))
    scale: StyleScale = _one_of("scale", sent.get("scale"), get_args(StyleScale))
    return AskedFile(text("kind", sent.get("kind")), whole("index", sent.get("index")), Style(look, scale))


OWN = "own"  # in an address, in the place of an example: a photo that was put in


def linked_settings(query: Mapping[str, str], beam_size: int) -> SearchSettings:
    """The settings that a link asks for; what it lacks, or says wrongly, is the default."""
    numbers = (query.get("beam", beam_size), query.get("temperature", 0), query.get("seed", 0))
    try:
        return search_settings(*(float(number) for number in numbers))
    except (ValueError, OverflowError):
        return SearchSettings(beam_size)


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise SettingsError(english.NO_WORDS.format("words", shown(value)))
    return tuple(value)


def _position(sent: Fields) -> int:
    return whole("position", sent.get("position", 0))


def _one_of(name: str, value: Any, known: tuple[Kind, ...]) -> Kind:
    if value not in known:
        raise SettingsError(english.NOT_ONE_OF.format(name, ", ".join(known), shown(value)))
    return known[known.index(value)]


def _listed(name: str, value: Any, count: int) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) != count:
        raise SettingsError(english.NOT_SO_MANY.format(name, count, shown(value)))
    return list(value)


def _is_weight(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) and 0 <= value <= 1e30 and math.isfinite(value)


# --- a live camera --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """One frame, how to caption it, and the words that stand over the picture meanwhile."""

    jpeg: bytes
    settings: SearchSettings
    standing: tuple[str, ...]


def frame(jpeg: Any, beam_size: Any, standing: Any) -> Frame:
    """A frame as the page sent it: a file in base64, and a list of words. Always the likeliest words, none drawn.

    Raises:
        SettingsError: if a part of it is missing, too long or of the wrong kind.
    """
    content = file_in(jpeg)
    words = standing if isinstance(standing, list) else []
    if len(content) > MAX_FRAME or len(words) > MAX_STANDING or words is not standing:
        raise SettingsError(english.UNREADABLE_EVENT)
    return Frame(content, search_settings(beam_size, 0, 0), tuple(text("standing", word) for word in words))


def studied(data: Any) -> bytes:
    """The moment of a camera that is to become a photo: a file.

    Raises:
        SettingsError: if there is none.
    """
    return file_in(fields(data).get("photo"))


def file_in(encoded: Any) -> bytes:
    """A file's bytes from base64.

    Raises:
        SettingsError: if it is none.
    """
    try:
        content = base64.b64decode(text("photo", encoded), validate=True)
    except (binascii.Error, ValueError):  # beyond ASCII there is no base64
        raise SettingsError(english.UNREADABLE_EVENT) from None
    if not content:
        raise SettingsError(english.NO_PHOTO_SENT)
    return content
