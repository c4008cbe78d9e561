"""The page as a Gradio app in which no event fails but in one sentence, and no photo comes but by upload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder, is_in_or_equal
from pydantic import ValidationError

from demo.inputs import PhotoInput
from demo.korean import told
from demo.refusals import FAILED, NO_ADDRESS, NOT_SENT, failed, refused

ADDRESSES = ("http:", "https:", "ftp:", "data:", "//")


class Refusal(gr.Error):
    """A refusal that the caller reads as it is; Gradio writes no traceback for it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, print_exception=False)


def _readable(sentence: str, request: Any) -> Refusal:
    """The refusal in the language of whoever asked."""
    return Refusal(told(sentence, request.headers if isinstance(request, gr.Request) else {}))


class Page(gr.Blocks):
    """Gradio's `Blocks`, with a check of everything before an event and a net below it."""

    async def process_api(self, block_fn: BlockFunction | int, inputs: list[Any], *rest: Any, **options: Any) -> Any:
        """One event, or one more step of a stream.

        Raises:
            gr.Error: one sentence, whatever was sent and whatever went wrong.
        """
        event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        name = str(event.api_name or event.name)
        try:
            if options.get("iterator") is None:
                check_inputs(event, inputs)
            return await super().process_api(event, inputs, *rest, **options)
        except Refusal as refusal:
            refused(name, refusal.message)
            raise _readable(refusal.message, options.get("request")) from None
        except Exception as error:
            failed(name, error)
            raise _readable(FAILED, options.get("request")) from None


def check_inputs(event: BlockFunction, inputs: list[Any]) -> None:
    """Refuse what no component should see.

    Gradio fetches any address that stands where a file should, and takes a path for a file of the
    visitor's own where the mark of an upload is missing.

    Raises:
        Refusal: if values are missing, or a file is none that was uploaded here.
    """
    if len(inputs) < len(event.inputs):
        raise Refusal(f"Please send all {len(event.inputs)} values; only {len(inputs)} came.")
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
        raise Refusal(NOT_SENT) from None


def _check_path(path: Any) -> None:
    if isinstance(path, str) and path.strip().lower().startswith(ADDRESSES):
        raise Refusal(NO_ADDRESS)
    try:
        sent = isinstance(path, str) and is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()
    except (OSError, ValueError, RuntimeError):  # a name can be too long, hold a null, or lead in a circle
        sent = False
    if not sent:
        raise Refusal(NOT_SENT)
