"""What the page's events do: a studio's verbs, its refusals turned into toasts."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import gradio as gr

from captioner.photo import PhotoError
from captioner.render import Style, StyleLook, StyleScale
from captioner.search import SettingsError
from captioner.settings import shown
from demo.examples import Example, example
from demo.gate import TOO_LARGE_UPLOAD
from demo.knobs import search_settings, text, whole
from demo.korean import told
from demo.line import BusyError
from demo.links import linked
from demo.payload import Payload
from demo.refusals import UNREADABLE, refused
from demo.requests import logged
from demo.studio import Studio
from demo.whatif import question
from demo.wire import WordPool

TOAST_SECONDS = 15

Update = tuple[Any, Any]  # of the player, and of the photo field


class Handlers:
    """One method an event; the tab is known by its session."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def show(self, photo: str | None, beam: Any, temperature: Any, seed: Any, request: gr.Request) -> Iterator[Update]:
        """A photo was put in; an emptied field is no photo."""
        if photo:
            yield from self._streamed(request, photo, (beam, temperature, seed))

    def show_example(
        self, beam: Any, temperature: Any, seed: Any, request: gr.Request, event: gr.EventData
    ) -> Iterator[Update]:
        """An example was clicked."""
        try:
            chosen = example(text(_sent(event).get("name"), "name"))
            if chosen is None:
                raise SettingsError("There is no such example; please reload the page.")
        except SettingsError as error:
            _warn("example", error, request)
        else:
            yield from self._streamed(request, chosen, (beam, temperature, seed))

    def show_first(self, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """The page was opened, perhaps by a link: also sets the three knobs."""
        first, values = linked(request.query_params, self.studio.captioner.card.beam_size)
        updates: tuple[Any, ...] = values
        for update in self._streamed(request, first, values):
            yield *update, *updates
            updates = (gr.skip(),) * len(values)

    def search(self, beam: Any, temperature: Any, seed: Any, request: gr.Request) -> Iterator[Update]:
        """A knob was moved."""
        yield from self._streamed(request, None, (beam, temperature, seed))

    def stop(self, request: gr.Request) -> None:
        """Stop was pressed."""
        self.studio.stop(_key(request))

    def refuse(self, request: gr.Request) -> None:
        """A photo is too large to be sent, says the page."""
        _warn("photo", PhotoError(TOO_LARGE_UPLOAD), request)

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        self.studio.sessions.leave(_key(request))

    def ask(self, request: gr.Request, event: gr.EventData) -> Iterator[Any]:
        """A what-if was asked."""
        try:
            with logged("question"):
                yield from _folded(self.studio.ask(_key(request), question(_sent(event))))
        except (BusyError, PhotoError, SettingsError) as error:
            _warn("question", error, request)

    def numbers(self, request: gr.Request, event: gr.EventData) -> Payload:
        """The player asks for the equations of one word; the page may meanwhile show something else."""
        try:
            data = _sent(event)
            asked = {name: whole(data.get(name), name) for name in ("run", "index", "position")}
            return {**asked, **self.studio.explain(_key(request), **asked)}
        except SettingsError as error:
            refused("numbers", error)
            return {}

    def take(self, request: gr.Request, event: gr.EventData) -> Path | None:
        """A download was asked for."""
        try:
            data = _sent(event)
            style = _style(data.get("look"), data.get("scale"))
            kind, index = text(data.get("kind"), "kind"), whole(data.get("index"), "index")
            with logged("takeaway"):
                return self.studio.take(_key(request), kind, index, style)
        except SettingsError as error:
            _warn("takeaway", error, request)
            return None

    def _streamed(
        self, request: gr.Request, photo: str | Example | None, values: tuple[Any, Any, Any]
    ) -> Iterator[Update]:
        """Updates for the player, the photo field emptied for the next one; a refusal keeps the page as it is."""
        key, what = _key(request), "photo" if photo else "search"
        try:
            settings = search_settings(*values)
            if isinstance(photo, Example):
                payloads = self.studio.show(key, photo.path, settings, photo.name)
            else:
                payloads = self.studio.show(key, photo, settings) if photo else self.studio.search(key, settings)
            with logged(what):
                for payload in _folded(payloads):
                    yield payload, None
        except (BusyError, PhotoError, SettingsError) as error:
            _warn(what, error, request)
            yield gr.skip(), None


def _folded(payloads: Iterator[Payload]) -> Iterator[Any]:
    """What travels, and then nothing new: Gradio repeats the last message of a stream in whole when it ends."""
    pool = WordPool()
    for payload in payloads:
        yield pool.fold(payload)
    yield gr.skip()


def _sent(event: gr.EventData) -> Mapping[str, Any]:
    if not isinstance(event._data, Mapping):
        raise SettingsError(UNREADABLE)
    return event._data


def _style(look: Any, scale: Any) -> Style:
    for name, value, known in (("look", look, get_args(StyleLook)), ("scale", scale, get_args(StyleScale))):
        if value not in known:
            raise SettingsError(f"{name} must be one of {', '.join(known)}, got {shown(value)}")
    return Style(look, scale)


def _warn(what: str, error: Exception, request: gr.Request) -> None:
    refused(what, error)
    # A toast is drawn as markup.
    gr.Warning(html.escape(told(str(error), request.headers)), duration=TOAST_SECONDS)


def _key(request: gr.Request) -> str:
    return str(request.session_hash)
