"""What this page uses of Gradio's insides, each with a test that fails when Gradio changes it. Nothing is patched."""

from __future__ import annotations

import asyncio
import logging
from abc import ABCMeta
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.component_meta import ComponentMeta, updateable
from gradio.utils import get_upload_folder, is_in_or_equal
from starlette._utils import get_route_path
from starlette.types import Scope

Event = BlockFunction


class NoStub(ComponentMeta):
    """The class of component classes that leave no ``.pyi`` beside their source.

    Gradio's own writes one whenever such a class is defined; type checkers would then read that
    stale copy in place of the source. A component of ours defines no events, so all else that
    Gradio's does for it is to remember the constructor's arguments, for the copy that a tab gets.
    """

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        """The class, made as any other."""
        if "__init__" in attributes:
            attributes["__init__"] = updateable(attributes["__init__"])  # type: ignore[no-untyped-call]
        return ABCMeta.__new__(cls, name, bases, attributes)


class WatchedBlocks(gr.Blocks):
    """`gr.Blocks` in which every event, and every further step of a stream, happens inside a context."""

    def watched(
        self, event: Event, inputs: list[Any] | None, request: gr.Request | None
    ) -> AbstractContextManager[None]:
        """The context of one step.

        Args:
            inputs: what was sent, before any component sees it; None for a further step of a stream.
        """
        return nullcontext()

    async def process_api(self, block_fn: BlockFunction | int, inputs: list[Any], *rest: Any, **options: Any) -> Any:
        """One event, or one more step of a stream, as Gradio's routes and queue ask for it."""
        event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        request = options.get("request")
        sent = inputs if options.get("iterator") is None else None
        with self.watched(event, sent, request if isinstance(request, gr.Request) else None):
            return await super().process_api(event, inputs, *rest, **options)


def name_of(event: Event) -> str:
    """An event's public name, or that of its function."""
    return str(event.api_name or event.name)


def events_of(app: Any) -> Mapping[int, Event]:
    """All events of the page that a web application of Gradio's serves, by number."""
    events: Mapping[int, Event] = app.get_blocks().fns
    return events


def route_path(scope: Scope) -> str:
    """A request's path as the application's routes see it: without the prefix that ``GRADIO_ROOT_PATH`` names."""
    return get_route_path(scope)


def sent_with(event: gr.EventData) -> Any:
    """The whole of what the page's JavaScript gave to ``trigger``; Gradio only offers its parts by name."""
    return event._data


def files_folder() -> Path:
    """The folder of what was uploaded, and of the files that Gradio may serve."""
    return Path(get_upload_folder())


def is_served_file(path: Any) -> bool:
    """Whether this is the path of a file in `files_folder`, links followed."""
    try:
        return isinstance(path, str) and is_in_or_equal(path, files_folder()) and Path(path).is_file()
    except (OSError, ValueError, RuntimeError):  # a name can be too long, hold a null, or lead in a circle
        return False


def use_protocol(page: gr.Blocks, made: Callable[[type[asyncio.Protocol]], type[asyncio.Protocol]]) -> None:
    """Let the server of a page speak to new connections by another class, made from uvicorn's."""
    config = page.server.config
    config.http_protocol_class = made(config.http_protocol_class)


def stop_serving(page: gr.Blocks, seconds: int) -> None:
    """Stop the server of a page: open streams end within so many seconds, and Gradio deletes the files it made."""
    page.server.config.timeout_graceful_shutdown = seconds
    logging.getLogger("uvicorn.error").disabled = True  # that it ends open streams is no error
    page.close(verbose=False)
