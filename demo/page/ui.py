"""The page: components and wiring, nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from captioner.card import Card
from captioner.pipeline import Captioner
from demo.door.middleware import MAX_UPLOAD
from demo.gradio_inside import files_folder
from demo.page.about import AboutModel
from demo.page.downloads import DownloadButtons
from demo.page.endpoints import add_endpoints, add_frames
from demo.page.examples import ExampleStrip, first_answer, first_message
from demo.page.handlers import Handlers
from demo.page.inputs import KnobNumber, Knobs, KnobSlider, Page, PhotoInput
from demo.page.player import AttentionPlayer, CompletionFeed, LiveSwitch, StepNumbersFeed, page_header
from demo.protocol.payload import Message
from demo.runs.engine import Engine
from demo.runs.sessions import Sessions
from demo.runs.tabs import Tabs
from demo.texts import english, korean

WORDS = gr.I18n(en=english.PAGE, ko=korean.PAGE)
CACHE_SECONDS = 6 * 3600
MAX_QUEUE = 60
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# A run watches its own number and ends by itself, so a newer one must never wait for an older one.
RUN: dict[str, Any] = {**QUIET, "trigger_mode": "multiple", "concurrency_limit": None}


class Parts(NamedTuple):
    """The page's components."""

    player: AttentionPlayer
    photo: PhotoInput
    strip: ExampleStrip
    knobs: Knobs
    downloads: DownloadButtons
    dice: gr.Button
    stop: gr.Button


def build(captioner: Captioner, sessions: Sessions | None = None) -> gr.Blocks:
    """The page around a captioner; launch it with `demo.server.launch_options`."""
    page = Page(title=english.TITLE, fill_width=True, delete_cache=(CACHE_SECONDS, CACHE_SECONDS))
    with page:
        engine, sessions = Engine(captioner, files_folder()), Sessions() if sessions is None else sessions
        first = first_answer(engine, sessions.ticket())
        parts = _layout(captioner.card, first_message(first) if first else {})
        with gr.Accordion(_say("about"), open=False, elem_id="about"):
            AboutModel(captioner.card, captioner.encoder.form, captioner.encoder.engine)
        feed = StepNumbersFeed(elem_id="numbers")
        handlers = Handlers(Tabs(engine, sessions, first))
        _wire(page, handlers, parts)
        parts.player.explain(handlers.numbers, None, feed, concurrency_limit=None, trigger_mode="multiple", **QUIET)
        words = CompletionFeed(elem_id="completions")
        parts.player.complete(handlers.complete, None, words, concurrency_limit=None, trigger_mode="multiple", **QUIET)
        add_endpoints(engine)
        add_frames(engine)
    page.queue(max_size=MAX_QUEUE, api_open=False)
    return page


def _layout(card: Card, first: Message) -> Parts:
    page_header()
    with gr.Column(elem_id="layout"):
        with gr.Row(elem_id="choose"):
            photo = PhotoInput(
                sources=["upload", "webcam", "clipboard"],
                type="filepath",
                buttons=[],
                label=_say("photo"),
                show_label=False,
                placeholder=_say("photo_hint"),
                height=84,
                elem_id="photo",
            )
            LiveSwitch(elem_id="live")
            strip = ExampleStrip(elem_id="examples")
            with gr.Column(elem_id="search"):
                with gr.Accordion(_say("settings"), open=False, elem_id="settings"):
                    knobs = _knobs(card)
                buttons = _buttons()
        with gr.Column(elem_id="watch"):
            player = AttentionPlayer(first, elem_id="player", max_upload=MAX_UPLOAD)
            downloads = DownloadButtons(elem_id="takeaway")
    return Parts(player, photo, strip, knobs, downloads, *buttons)


def _knobs(card: Card) -> Knobs:
    with gr.Group(elem_id="knobs"):
        return Knobs(
            KnobSlider(1, 10, card.beam_size, step=1, label=_say("beam"), info=_say("beam_hint"), elem_id="beam"),
            KnobSlider(
                0, 2, 0, step=0.1, label=_say("temperature"), info=_say("temperature_hint"), elem_id="temperature"
            ),
            KnobNumber(0, label=_say("seed"), info=_say("seed_hint"), precision=0, elem_id="seed"),
        )


def _buttons() -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_id="buttons"):
        return (
            gr.Button(_say("dice"), elem_id="dice", min_width=80),
            gr.Button(_say("stop"), elem_id="stop", min_width=80),
        )


def _wire(page: gr.Blocks, handlers: Handlers, parts: Parts) -> None:
    knobs: list[Any] = list(parts.knobs)
    outputs = [parts.player, parts.photo]
    page.load(handlers.show_first, None, [*outputs, *knobs], **RUN)
    parts.photo.input(handlers.show, [parts.photo, *knobs], outputs, **RUN)
    parts.strip.choose(handlers.show_example, knobs, outputs, **RUN)
    gr.on([knob.input for knob in knobs], handlers.search, knobs, outputs, **RUN)
    temperature, seed = parts.knobs.temperature, parts.knobs.seed
    parts.dice.click(handlers.draw, [parts.knobs.beam_size, temperature], [*outputs, temperature, seed], **RUN)
    parts.stop.click(handlers.stop, None, None, queue=False, **QUIET)
    page.unload(handlers.leave)
    parts.player.refuse(handlers.refuse, None, None, **QUIET)
    parts.player.study(handlers.study, knobs, outputs, **RUN)
    parts.player.ask(handlers.ask, None, parts.player, **RUN)
    parts.downloads.take(handlers.take, None, parts.downloads, concurrency_limit=2, **QUIET)


def _say(key: str) -> Any:
    """A text that the browser shows in the page's language."""
    return WORDS(key)
