"""What the person can set of a search, checked once."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass
from numbers import Integral, Real

MAX_BEAM_SIZE = 20
MAX_LENGTH = 60
SEEDS = 2**32  # how many there are


class SettingsError(ValueError):
    """Search settings that make no sense; the message says what is allowed."""


@dataclass(frozen=True)
class SearchSettings:
    """What the person can set; NumPy's numbers are taken too and become Python's.

    Attributes:
        beam_size: captions kept in the race, 1 to 20.
        temperature: 0 is deterministic; above, captions are drawn from ``softmax(logits / T)``.
        seed: of the draws; the same photo, settings and seed give the same captions.
        max_length: words at most, ``<end>`` included.
        length_penalty: see `captioner.hypotheses.rank`; None takes the checkpoint's own.
        may_repeat: the words that a caption may say twice; one that says another twice is ranked
            after all that do not. None takes the checkpoint's own, no words prefer nothing.

    Raises:
        SettingsError: if a value is out of its range.
    """

    beam_size: int = 3
    temperature: float = 0.0
    seed: int = 0
    max_length: int = 40
    length_penalty: float | None = None
    may_repeat: frozenset[str] | None = None

    def __post_init__(self) -> None:
        checked: dict[str, float] = {
            "beam_size": whole("beam_size", self.beam_size, 1, MAX_BEAM_SIZE),
            "temperature": number("temperature", self.temperature, 0, 10),
            "seed": whole("seed", self.seed, 0, SEEDS - 1),
            "max_length": whole("max_length", self.max_length, 1, MAX_LENGTH),
        }
        if self.length_penalty is not None:
            checked["length_penalty"] = number("length_penalty", self.length_penalty, 0, 5)
        for name, value in checked.items():
            object.__setattr__(self, name, value)


def whole(name: str, value: object, low: int, high: int) -> int:
    """``value`` as Python's int; `SettingsError` unless it is a whole number from ``low`` to ``high``."""
    result = low - 1 if isinstance(value, bool) or not isinstance(value, Integral) else int(value)
    if not low <= result <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, got {shown(value)}")
    return result


def number(name: str, value: object, low: float, high: float) -> float:
    """``value`` as Python's float; `SettingsError` unless it is a number from ``low`` to ``high``."""
    try:
        result = math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    except OverflowError:
        result = math.inf
    if not low <= result <= high:
        raise SettingsError(f"{name} must be a number from {low:g} to {high:g}, got {shown(value)}")
    return result


def shown(value: object) -> str:
    """A value from outside as it may stand in a message: short, escaped, on one line."""
    if value is None:
        return "nothing"
    try:
        return reprlib.repr(value)
    except ValueError:  # Python refuses to print a whole number of thousands of digits
        return f"a huge {type(value).__name__}"
