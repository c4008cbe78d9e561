"""The endpoints' arguments and answer: Gradio's own components that describe themselves to programs."""

from __future__ import annotations

from typing import Any

import gradio as gr

ANSWER = "what the endpoint's description says"


class Number(gr.Number):
    """A number argument, described by its label."""

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own."""
        return "number"

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, described."""
        return {**super().api_info(), "additional_description": self.label}


class Text(gr.Textbox):
    """A text argument, described by its label."""

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own."""
        return "textbox"

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, described."""
        return {**super().api_info(), "additional_description": self.label}


class Rows(gr.JSON):
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
