"""What the page's events do: received, run, and sent back; a refusal becomes a toast."""

from __future__ import annotations

import html
import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from captioner.photo import PhotoError
from captioner.search import SettingsError
from demo.door.log import logged, refused
from demo.door.middleware import TOO_LARGE_UPLOAD
from demo.gradio_inside import sent_with
from demo.page.downloads import write_download
from demo.page.examples import Example, example, examples
from demo.protocol import received
from demo.protocol.answers import completion_message, numbers_message
from demo.protocol.payload import Message, folded, lost_message, same_address
from demo.runs.sessions import ForgottenError
from demo.runs.tabs import Tabs
from demo.runs.updates import Captioning, Update
from demo.runs.waiting_line import BusyError
from demo.texts import english, language, told

TOAST_SECONDS = 15
DRAWN_TEMPERATURE = 0.7  # where a first draw differs from the likeliest caption and is still one
NEW_SEEDS = 10_000  # short enough to be told from one to another
SETTLED = gr.skip()  # nothing new: Gradio repeats the last message of a stream in whole when it ends
NOT_SENT = {"large": TOO_LARGE_UPLOAD, "address": english.PHOTO_NOT_FETCHED, "gone": english.PHOTO_GONE}
REFUSED = (BusyError, PhotoError, SettingsError)

PlayerAndPhoto = tuple[Any, Any]  # updates of the player, and of the photo field
OUTPUTS = 5  # of the page's opening: those two, and the three knobs


class Handlers:
    """One method an event; the tab is known by its session."""

    def __init__(self, tabs: Tabs) -> None:
        self.tabs = tabs
        self._grid = tabs.engine.grid

    def show(
        self, photo: str | None, beam: Any, temperature: Any, seed: Any, request: gr.Request
    ) -> Iterator[PlayerAndPhoto]:
        """A photo was put in; an emptied field is no photo."""
        if photo:
            yield from self._captioned(request, photo, (beam, temperature, seed))

    def show_example(
        self, beam: Any, temperature: Any, seed: Any, request: gr.Request, event: gr.EventData
    ) -> Iterator[PlayerAndPhoto]:
        """An example was clicked."""
        try:
            chosen = example(received.text("name", received.fields(sent_with(event)).get("name")))
            if chosen is None:
                raise SettingsError(english.NO_SUCH_EXAMPLE)
        except SettingsError as error:
            _warn("example", error, request)
        else:
            yield from self._captioned(request, chosen, (beam, temperature, seed))

    def study(
        self, beam: Any, temperature: Any, seed: Any, request: gr.Request, event: gr.EventData
    ) -> Iterator[PlayerAndPhoto]:
        """A moment of the live camera was chosen: it is a photo like any other."""
        try:
            moment = received.studied(sent_with(event))
        except SettingsError as error:
            _warn("photo", error, request)
        else:
            yield from self._captioned(request, moment, (beam, temperature, seed))

    def show_first(self, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """The page was opened, perhaps by a link, which names an example and settings: also sets the three knobs."""
        query, first = request.query_params, self.tabs.first
        if first and same_address(query, first.name, first.settings):  # it plays already
            yield (gr.skip(),) * OUTPUTS
            return
        linked = received.linked_settings(query, self.tabs.engine.captioner.card.beam_size)
        values = (linked.beam_size, linked.temperature, linked.seed)
        knobs: tuple[Any, ...] = values
        for update in self._restored(request, values):
            yield *update, *knobs
            knobs = (gr.skip(),) * len(values)

    def search(self, beam: Any, temperature: Any, seed: Any, request: gr.Request) -> Iterator[PlayerAndPhoto]:
        """A knob was moved. Whoever emptied a field is about to type another number."""
        if beam is None or temperature is None:
            yield SETTLED, SETTLED
            return
        yield from self._searched(request, (beam, temperature, seed))

    def draw(self, beam: Any, temperature: Any, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """New seed was pressed: also sets the seed, and a temperature of 0, at which nothing is drawn; then says so."""
        try:
            asked = received.search_settings(beam, temperature, 0).temperature
        except SettingsError as error:
            _warn("search", error, request)
            yield (gr.skip(),) * 4
            return
        drawn = asked or DRAWN_TEMPERATURE
        if drawn != asked:
            gr.Info(told(english.NOW_DRAWN.format(drawn), request.headers), duration=TOAST_SECONDS)
        values = (beam, drawn, secrets.randbelow(NEW_SEEDS))
        knobs: tuple[Any, ...] = values[1:]
        for update in self._searched(request, values):
            yield *update, *knobs
            knobs = (gr.skip(),) * len(knobs)

    def ask(self, request: gr.Request, event: gr.EventData) -> Iterator[Any]:
        """A what-if was asked."""
        key = _key(request)
        try:
            asked, run = received.question(sent_with(event), self._grid), received.shown_run(sent_with(event))
            with logged("question"):
                yield from folded(self.tabs.recall(key, run))
                yield from folded(self.tabs.ask(key, asked))
                yield SETTLED
        except ForgottenError:
            yield self._lost()
        except REFUSED as error:
            _warn("question", error, request)

    def numbers(self, request: gr.Request, event: gr.EventData) -> Message:
        """The player asks for the equations of one word; the page may meanwhile show something else."""
        try:
            asked = asdict(received.asked_word(sent_with(event)))
            deque(self.tabs.recall(_key(request), asked["run"]), 0)
            return {**asked, **numbers_message(self.tabs.explain(_key(request), **asked))}
        except (BusyError, ForgottenError, SettingsError) as error:
            refused("numbers", error)
            return {}

    def complete(self, request: gr.Request, event: gr.EventData) -> Message:
        """A word is being typed in the place of another: those that begin so."""
        try:
            asked = asdict(received.asked_word(sent_with(event)))
            typed = received.text("typed", received.fields(sent_with(event)).get("typed"))
            deque(self.tabs.recall(_key(request), asked["run"]), 0)
            completion = self.tabs.complete(_key(request), **asked, typed=typed)
            return {**asked, "typed": typed, **completion_message(completion)}
        except (BusyError, ForgottenError, SettingsError) as error:
            refused("completion", error)
            return {}

    def take(self, request: gr.Request, event: gr.EventData) -> Path | None:
        """A download was asked for."""
        try:
            asked = received.asked_file(sent_with(event))
            with logged("takeaway"):
                deque(self.tabs.recall(_key(request), received.shown_run(sent_with(event))), 0)
                result, engine = self.tabs.result(_key(request)), self.tabs.engine
                with engine.turn:
                    spoken = language(request.headers)
                    return write_download(result, asked.index, asked.kind, asked.style, engine.folder, spoken)
        except ForgottenError:
            _warn("takeaway", PhotoError(english.NO_PHOTO), request)
            return None
        except (BusyError, SettingsError) as error:
            _warn("takeaway", error, request)
            return None

    def stop(self, request: gr.Request) -> None:
        """Stop was pressed."""
        self.tabs.stop(_key(request))

    def refuse(self, request: gr.Request, event: gr.EventData) -> None:
        """Something was put in that the page does not send, or has no longer: see `NOT_SENT`."""
        try:
            raise PhotoError(NOT_SENT.get(str(received.fields(sent_with(event)).get("kind")), TOO_LARGE_UPLOAD))
        except REFUSED as error:
            _warn("photo", error, request)

    def leave(self, request: gr.Request) -> None:
        """The tab was closed."""
        self.tabs.sessions.leave(_key(request))

    def _searched(self, request: gr.Request, values: tuple[Any, Any, Any]) -> Iterator[PlayerAndPhoto]:
        """The photo on the page again, with other settings."""
        if self.tabs.knows(_key(request)):
            yield from self._captioned(request, None, values)
        else:
            yield from self._restored(request, values)

    def _restored(self, request: gr.Request, values: tuple[Any, Any, Any]) -> Iterator[PlayerAndPhoto]:
        """What the page's address names, for a tab that has nothing here: an example, or a photo that the page has."""
        name = request.query_params.get("photo", "")
        if name == received.OWN:
            yield self._lost(), None
            return
        yield from self._captioned(request, example(name) or next(iter(examples()), None), values)

    def _lost(self) -> Message:
        return lost_message(self.tabs.sessions.ticket())

    def _captioned(
        self, request: gr.Request, photo: str | bytes | Example | None, values: tuple[Any, Any, Any]
    ) -> Iterator[PlayerAndPhoto]:
        """Updates for the player, the photo field emptied for the next one; a refusal keeps the page as it is."""
        key, what = _key(request), "photo" if photo else "search"
        try:
            settings = received.search_settings(*values)
            with logged(what):
                updates = self._updates(key, photo, settings)
                for message in folded(_noted(updates, request) if isinstance(photo, str) else updates):
                    yield message, None
                yield SETTLED, None
        except REFUSED as error:
            _warn(what, error, request)
            yield gr.skip(), None

    def _updates(self, key: str, photo: str | bytes | Example | None, settings: Any) -> Iterator[Update]:
        if isinstance(photo, Example):
            return self.tabs.show(key, photo.path, settings, photo.name)
        return self.tabs.show(key, photo, settings) if photo else self.tabs.search(key, settings)


def _noted(updates: Iterable[Update], request: gr.Request) -> Iterator[Update]:
    """The updates of a photo that was put in; if its file lacks its end, that is told once it is shown."""
    told_already = False
    for update in updates:
        yield update
        if not told_already and isinstance(update, Captioning) and update.shown.incomplete:
            _toast(english.INCOMPLETE, request)
        told_already = True


def _warn(what: str, error: Exception, request: gr.Request) -> None:
    refused(what, error)
    _toast(str(error), request)


def _toast(sentence: str, request: gr.Request) -> None:
    # A toast is drawn as markup. Who has a slider before them knows no parameter's name.
    gr.Warning(html.escape(told(sentence.replace("beam_size", "beam size"), request.headers)), duration=TOAST_SECONDS)


def _key(request: gr.Request) -> str:
    return str(request.session_hash)
