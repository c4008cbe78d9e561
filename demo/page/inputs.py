"""What a person or a program puts in: the photo, the three knobs, and the endpoints' arguments."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr
from gradio.data_classes import ImageData

from demo.gradio_inside import NoStub
from demo.texts import english


class AsSent(metaclass=NoStub):
    """A component that hands over what was sent, untouched, for `demo.protocol.received` to check.

    Gradio's own would turn a list into text, round a number, or fail in words meant for programmers.
    """

    def preprocess(self, payload: Any) -> Any:
        """The value."""
        return payload

    def get_block_name(self) -> str:
        """Drawn, if ever, as Gradio's own component, which is the last base."""
        return type(self).__bases__[-1].__name__.lower()


class PhotoInput(AsSent, gr.Image):
    """`gr.Image` that hands over the file as it was sent, unopened.

    Gradio would open and convert it first, and fail in its own words on a file that is no photo;
    `captioner.photo.prepare` reads more kinds and refuses in one clear sentence.
    """

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The uploaded file's path on this server, or None if the field is empty."""
        return payload.path if payload else None

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, but without addresses, which are not fetched here."""
        info = super().api_info()
        properties = {name: kind for name, kind in info["properties"].items() if name != "url"}
        return {**info, "properties": properties, "additional_description": english.PHOTO_ARGUMENT}

    def example_payload(self) -> dict[str, Any]:
        """A file of the caller's; Gradio's own is an address."""
        return {"path": "photo.jpg", "meta": {"_type": "gradio.FileData"}}


class KnobSlider(AsSent, gr.Slider):
    """Gradio's slider; its value is checked by `demo.protocol.received.search_settings`."""


class KnobNumber(AsSent, gr.Number):
    """Gradio's number field, likewise."""


class Knobs(NamedTuple):
    """The three settings of a search."""

    beam_size: KnobSlider
    temperature: KnobSlider
    seed: KnobNumber


class NumberArgument(AsSent, gr.Number):
    """A number, as a program sends it."""

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, described by its label."""
        return {**super().api_info(), "additional_description": self.label}


class TextArgument(AsSent, gr.Textbox):
    """A text, as a program sends it."""

    def api_info(self) -> dict[str, Any]:
        """Gradio's own, described by its label."""
        return {**super().api_info(), "additional_description": self.label}


class RowsArgument(AsSent, gr.JSON):
    """Rows of numbers, as a program sends them."""

    def api_info(self) -> dict[str, Any]:
        """A list of lists of numbers."""
        rows = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
        return {**rows, "additional_description": self.label}


class Answer(AsSent, gr.JSON):
    """What an endpoint returns."""

    def api_info(self) -> dict[str, Any]:
        """An object."""
        return {"type": "object", "description": english.ANSWER}
