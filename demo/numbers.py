"""One word's equations in numbers: `StepNumbers` → plain JSON, and the component that brings it to the page."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import GradioRootModel

from captioner.caption import Floats
from captioner.equations import StepNumbers
from demo.payload import Payload
from demo.player import read_static

DIGITS = 5


def numbers_payload(numbers: StepNumbers) -> Payload:
    """The numbers of one step under the names of `StepNumbers`, maps as rows of numbers."""
    return {
        "word": numbers.word,
        "previous": numbers.previous,
        "energies": _rows(numbers.energies),
        "alpha": _rows(numbers.alpha),
        "shares": _rows(numbers.shares),
        "context_norm": _short(numbers.context_norm),
        "beta": _short(numbers.beta),
        "gated_norm": _short(numbers.gated_norm),
        "gates": {name: _short(value) for name, value in numbers.gates._asdict().items()},
        "words": [[each.word, _short(each.logit), _short(each.probability)] for each in numbers.words],
        "log_normalizer": _short(numbers.log_normalizer),
    }


class NumbersData(GradioRootModel):
    """The numbers with the run, caption and position they are of; empty if there are none."""

    root: dict[str, Any]


class StepNumbersFeed(gr.HTML):
    """Shows nothing: hands the numbers that the player asked for over to it, inside the page."""

    data_model = NumbersData

    def __init__(self, **options: Any) -> None:
        super().__init__(
            html_template='<span class="sat-numbers" hidden></span>',
            js_on_load=read_static("feed.js"),
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: Payload | None) -> NumbersData:  # type: ignore[override]
        """Numbers as `numbers_payload` makes them."""
        return NumbersData(root=value or {})

    def preprocess(self, payload: NumbersData | None) -> None:  # type: ignore[override]
        """Nothing comes back."""
        return None

    def api_info(self) -> dict[str, Any]:
        """An object."""
        return {"type": "object", "description": "the numbers of one step"}


def _rows(values: Floats) -> list[list[float]]:
    return [[_short(float(value)) for value in row] for row in values]


def _short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
