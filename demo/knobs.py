"""The three settings of a search: as components, and as numbers from a page or a program."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from captioner.search import SearchSettings, SettingsError
from captioner.settings import shown
from demo.arguments import AsSent


class KnobSlider(AsSent, gr.Slider):
    """Gradio's slider; its value is checked by `search_settings`."""

    def get_block_name(self) -> str:
        """Drawn as Gradio's own."""
        return "slider"


class KnobNumber(AsSent, gr.Number):
    """Gradio's number field; its value is checked by `search_settings`."""

    def get_block_name(self) -> str:
        """Drawn as Gradio's own."""
        return "number"


class Knobs(NamedTuple):
    """The three settings of a search."""

    beam_size: KnobSlider
    temperature: KnobSlider
    seed: KnobNumber


def search_settings(beam_size: Any, temperature: Any, seed: Any) -> SearchSettings:
    """The page's or a program's numbers as settings.

    Raises:
        SettingsError: if one is missing or out of its range.
    """
    return SearchSettings(whole(beam_size, "beam_size"), temperature, 0 if seed is None else whole(seed, "seed"))


def whole(value: Any, name: str) -> int:
    """A number from JSON, which has but one kind of number, as a whole number.

    Raises:
        SettingsError: if it is none, or not whole.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingsError(f"{name} must be a whole number, got {shown(value)}")
    return value


def text(value: Any, name: str) -> str:
    """A text as it was sent; nothing is the empty text.

    Raises:
        SettingsError: if it is something else.
    """
    if not isinstance(value, str | None):
        raise SettingsError(f"{name} must be text, got {shown(value)}")
    return value or ""
