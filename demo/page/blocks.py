"""The page as a Gradio app in which no event fails but in one sentence, and no photo comes but by upload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from pydantic import ValidationError

from demo.door.log import failed, refused
from demo.gradio_inside import Event, WatchedBlocks, is_served_file, name_of
from demo.page.inputs import PhotoInput
from demo.texts import english, told

ADDRESSES = ("http:", "https:", "ftp:", "data:", "//")


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
