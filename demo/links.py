"""A link restores what was on the page: the example and the three settings."""

from __future__ import annotations

from collections.abc import Mapping

from captioner.search import SettingsError
from demo.examples import Example, example, examples
from demo.knobs import search_settings

Values = tuple[int, float, int]


def linked(query: Mapping[str, str], beam_size: int) -> tuple[Example | None, Values]:
    """The example and the settings that a link asks for; what it lacks, or says wrongly, is the default."""
    first = example(query.get("photo", "")) or next(iter(examples()), None)
    try:
        numbers = (query.get("beam", beam_size), query.get("temperature", 0), query.get("seed", 0))
        settings = search_settings(*(float(number) for number in numbers))
    except (ValueError, OverflowError, SettingsError):
        return first, (beam_size, 0.0, 0)
    return first, (settings.beam_size, settings.temperature, settings.seed)
