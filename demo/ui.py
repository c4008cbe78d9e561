"""The page: components and wiring, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from captioner.card import Card
from captioner.pipeline import Captioner
from demo.about import about
from demo.buttons import TakeawayButtons
from demo.endpoints import add_endpoints
from demo.examples import examples
from demo.gate import MAX_UPLOAD
from demo.handlers import Handlers
from demo.inputs import ExampleStrip, PhotoInput, header
from demo.knobs import KnobNumber, Knobs, KnobSlider
from demo.numbers import StepNumbersFeed
from demo.page import Page
from demo.payload import Payload
from demo.player import AttentionPlayer
from demo.sessions import Sessions
from demo.studio import Studio
from demo.translations import say

DICE = "() => Math.floor(Math.random() * 10000)"
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
    takeaway: TakeawayButtons
    dice: gr.Button
    stop: gr.Button


def build(captioner: Captioner, sessions: Sessions | None = None) -> gr.Blocks:
    """The page around a captioner; launch it with `demo.theme.launch_options`."""
    page = Page(title="Show, Attend and Tell, live", delete_cache=(CACHE_SECONDS, CACHE_SECONDS))
    with page:
        parts = _layout(captioner.card)
        with gr.Accordion(say("about"), open=False, elem_id="about"):
            gr.Markdown(about(captioner.card))
        feed = StepNumbersFeed(elem_id="numbers")
        studio = Studio(captioner, Path(parts.player.GRADIO_CACHE), sessions=sessions)
        handlers = Handlers(studio)
        _wire(page, handlers, parts)
        parts.player.explain(handlers.numbers, None, feed, concurrency_limit=None, trigger_mode="multiple", **QUIET)
        add_endpoints(studio)
    page.queue(max_size=MAX_QUEUE, api_open=False)
    return page


def _layout(card: Card) -> Parts:
    header()
    with gr.Row(elem_id="layout"):
        with gr.Column(scale=4, min_width=320, elem_id="watch"):
            player = AttentionPlayer(_first_paint(), elem_id="player", max_upload=MAX_UPLOAD)
            takeaway = TakeawayButtons(elem_id="takeaway")
        with gr.Column(scale=1, min_width=280, elem_id="choose"):
            photo = PhotoInput(
                sources=["upload", "webcam", "clipboard"],
                type="filepath",
                buttons=[],
                label=say("photo"),
                show_label=False,
                placeholder=say("photo_hint"),
                height=190,
                elem_id="photo",
            )
            strip = ExampleStrip(elem_id="examples")
            return Parts(player, photo, strip, _knobs(card), takeaway, *_buttons())


def _first_paint() -> Payload:
    """The photo that will play on arrival, so that the page is never blank."""
    return next(({"photo": example.path, "size": example.size, "phase": "looking"} for example in examples()), {})


def _knobs(card: Card) -> Knobs:
    with gr.Group(elem_id="knobs"):
        return Knobs(
            KnobSlider(1, 10, card.beam_size, step=1, label=say("beam"), info=say("beam_hint"), elem_id="beam"),
            KnobSlider(
                0, 2, 0, step=0.1, label=say("temperature"), info=say("temperature_hint"), elem_id="temperature"
            ),
            KnobNumber(0, label=say("seed"), info=say("seed_hint"), precision=0, elem_id="seed"),
        )


def _buttons() -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_id="buttons"):
        return (
            gr.Button(say("dice"), elem_id="dice", min_width=80),
            gr.Button(say("stop"), elem_id="stop", min_width=80),
        )


def _wire(page: gr.Blocks, handlers: Handlers, parts: Parts) -> None:
    knobs: list[Any] = list(parts.knobs)
    outputs = [parts.player, parts.photo]
    page.load(handlers.show_first, None, [*outputs, *knobs], **RUN)
    parts.photo.input(handlers.show, [parts.photo, *knobs], outputs, **RUN)
    parts.strip.choose(handlers.show_example, knobs, outputs, **RUN)
    gr.on([knob.input for knob in knobs], handlers.search, knobs, outputs, **RUN)
    parts.dice.click(None, None, parts.knobs.seed, js=DICE, **QUIET).then(handlers.search, knobs, outputs, **RUN)
    parts.stop.click(handlers.stop, None, None, queue=False, **QUIET)
    page.unload(handlers.leave)
    parts.player.refuse(handlers.refuse, None, None, **QUIET)
    parts.player.ask(handlers.ask, None, parts.player, **RUN)
    parts.takeaway.take(handlers.take, None, parts.takeaway, concurrency_limit=2, **QUIET)
