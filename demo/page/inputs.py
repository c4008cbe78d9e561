"""What a person or a program puts in: the photo, the three knobs, the endpoints' arguments; and how it is refused.

No event fails but in one sentence, and no photo comes but by upload.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gradio as gr
from gradio.data_classes import FileData, ImageData
from pydantic import ValidationError

from demo.door.log import failed, refused
from demo.gradio_inside import Event, NoStub, WatchedBlocks, is_served_file, name_of
from demo.texts import english, told

ADDRESSES = ("http:", "https:", "ftp:", "data:", "//")


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


class Refusal(gr.Error):
    """A refusal that the caller reads as it is; Gradio writes no traceback for it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, print_exception=False)


class Page(WatchedBlocks):
    """Gradio's `Blocks`, with a check of everything before an event and a net below it."""

    @contextmanager
    def watched(self, event: Event, inputs: list[Any] | None, request: gr.Request | None) -> Iterator[None]:
        """One event, or one more step of a stream.

        Raises:
            Refusal: one sentence in the language of whoever asked, whatever was sent and whatever went wrong.
        """
        name, headers = name_of(event), request.headers if request else {}
        try:
            if inputs is not None:
                check_inputs(event, inputs)
            yield
        except Refusal as refusal:
            refused(name, refusal.message)
            raise Refusal(told(refusal.message, headers)) from None
        except Exception as error:
            failed(name, error)
            raise Refusal(told(english.FAILED, headers)) from None


def check_inputs(event: Event, inputs: list[Any]) -> None:
    """Refuse what no component should see.

    Gradio fetches any address that stands where a file should, and takes a path for a file of the
    visitor's own where the mark of an upload is missing.

    Raises:
        Refusal: if values are missing, or a file is none that was uploaded here.
    """
    if len(inputs) < len(event.inputs):
        raise Refusal(english.TOO_FEW_VALUES.format(len(event.inputs), len(inputs)))
    for block, value in zip(event.inputs, inputs, strict=False):
        for path in _paths(value):
            _check_path(path)
        if isinstance(block, PhotoInput) and value is not None:
            _check_photo(value)


def _paths(value: Any) -> Iterator[Any]:
    """Everything in a JSON value that stands where Gradio looks for a file."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if "path" in each or "url" in each:
                yield each.get("path") or each.get("url")
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _check_photo(value: Any) -> None:
    try:
        FileData.model_validate(value)
    except ValidationError:
        raise Refusal(english.NOT_SENT) from None


def _check_path(path: Any) -> None:
    if isinstance(path, str) and path.strip().lower().startswith(ADDRESSES):
        raise Refusal(english.PHOTO_NOT_FETCHED)
    if not is_served_file(path):
        raise Refusal(english.NOT_SENT)
