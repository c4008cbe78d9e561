"""The endpoints' arguments and answer: Gradio's own components that describe themselves to programs."""

from __future__ import annotations

from typing import Any

import gradio as gr

ANSWER = "what the endpoint's description says"


class AsSent:
    """A component that hands over what was sent, untouched.

    Gradio's own would turn a list into text, round a number, or fail in words meant for programmers.
    """

    def preprocess(self, payload: Any) -> Any:
        """The value, for `demo.knobs` or `demo.rows` to check."""
        return payload


class Number(AsSent, gr.Number):
    """A number argument, described by its label."""

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own."""
        return "number"

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, described."""
        return {**super().api_info(), "additional_description": self.label}


class Text(AsSent, gr.Textbox):
    """A text argument, described by its label."""

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own."""
        return "textbox"

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, described."""
        return {**super().api_info(), "additional_description": self.label}


class Rows(AsSent, gr.JSON):
    """Rows of numbers, described by their label."""

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own."""
        return "json"

    def api_info(self) -> dict[str, Any]:
        """A list of lists of numbers."""
        rows = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
        return {**rows, "additional_description": self.label}


class Answer(gr.JSON):
    """What an endpoint returns."""

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own."""
        return "json"

    def api_info(self) -> dict[str, Any]:
        """An object."""
        return {"type": "object", "description": ANSWER}
