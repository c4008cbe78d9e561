"""The three settings of a search: as components, and as numbers from a page or a program."""

from __future__ import annotations

from typing import NamedTuple

import gradio as gr

from captioner.search import SearchSettings, SettingsError


class Knobs(NamedTuple):
    """The three settings of a search."""

    beam_size: gr.Slider
    temperature: gr.Slider
    seed: gr.Number


def search_settings(beam_size: float, temperature: float, seed: float | None) -> SearchSettings:
    """The page's or a program's numbers as settings.

    Raises:
        SettingsError: if one is missing or out of its range.
    """
    numbers = {"beam_size": beam_size, "temperature": temperature, "seed": 0 if seed is None else seed}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SettingsError(f"{name} must be a number, got {value!r}")
    return SearchSettings(whole(beam_size, "beam_size"), float(temperature), whole(numbers["seed"], "seed"))


def whole(value: float, name: str) -> int:
    """A number as a whole number.

    Raises:
        SettingsError: if it is none, or not whole.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not float(value).is_integer():
        raise SettingsError(f"{name} must be a whole number, got {value!r}")
    return int(value)
