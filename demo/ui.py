"""The page: components and wiring, nothing else."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from captioner.card import Card
from captioner.photo import PhotoError
from captioner.pipeline import Captioner
from captioner.search import SettingsError
from demo.endpoints import Knobs, add_endpoints, search_settings
from demo.examples import examples
from demo.inputs import ExampleStrip, PhotoInput
from demo.payload import Payload
from demo.player import STATIC, AttentionPlayer
from demo.studio import Studio
from demo.translations import say

DICE = "() => Math.floor(Math.random() * 10000)"
CACHE_SECONDS = 6 * 3600
TOAST_SECONDS = 15
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# A run watches its own number and ends by itself, so a newer one must never wait for an older one.
RUN: dict[str, Any] = {**QUIET, "trigger_mode": "multiple", "concurrency_limit": None}

Update = tuple[Any, Any]
Values = tuple[Any, Any, Any]  # beam size, temperature, seed, as the page sends them


class Parts(NamedTuple):
    """The page's components."""

    player: AttentionPlayer
    photo: PhotoInput
    strip: ExampleStrip
    knobs: Knobs
    dice: gr.Button
    stop: gr.Button


def build(captioner: Captioner) -> gr.Blocks:
    """The page around a captioner; launch it with `demo.theme.launch_options`."""
    page = gr.Blocks(title="Show, Attend and Tell, live", delete_cache=(CACHE_SECONDS, CACHE_SECONDS))
    with page:
        parts = _layout(captioner.card)
        studio = Studio(captioner, Path(parts.player.GRADIO_CACHE))
        _wire(page, studio, parts)
        add_endpoints(studio)
    page.queue(max_size=256)
    return page


def _layout(card: Card) -> Parts:
    gr.HTML((STATIC / "header.html").read_text(encoding="utf-8"), elem_id="header", apply_default_css=False)
    with gr.Row(elem_id="layout"):
        with gr.Column(scale=4, min_width=320, elem_id="watch"):
            player = AttentionPlayer(_first_paint(), elem_id="player")
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
            return Parts(player, photo, strip, _knobs(card), *_buttons())


def _first_paint() -> Payload:
    """The photo that will play on arrival, so that the page is never blank."""
    return next(({"photo": example.path, "size": example.size, "phase": "looking"} for example in examples()), {})


def _knobs(card: Card) -> Knobs:
    with gr.Group(elem_id="knobs"):
        return Knobs(
            gr.Slider(1, 10, card.beam_size, step=1, label=say("beam"), info=say("beam_hint"), elem_id="beam"),
            gr.Slider(0, 2, 0, step=0.1, label=say("temperature"), info=say("temperature_hint"), elem_id="temperature"),
            gr.Number(0, label=say("seed"), info=say("seed_hint"), precision=0, elem_id="seed"),
        )


def _buttons() -> tuple[gr.Button, gr.Button]:
    with gr.Row(elem_id="buttons"):
        return gr.Button(say("dice"), elem_id="dice"), gr.Button(say("stop"), elem_id="stop")


def _wire(page: gr.Blocks, studio: Studio, parts: Parts) -> None:
    knobs: list[Any] = list(parts.knobs)
    outputs = [parts.player, parts.photo]

    def show(photo: str | None, beam: Any, temperature: Any, seed: Any, request: gr.Request) -> Iterator[Update]:
        if photo:
            yield from _streamed(studio, request, photo, (beam, temperature, seed))

    def show_example(
        beam: Any, temperature: Any, seed: Any, request: gr.Request, event: gr.EventData
    ) -> Iterator[Update]:
        paths = {example.name: example.path for example in examples()}
        if path := paths.get(str(event.name)):
            yield from _streamed(studio, request, path, (beam, temperature, seed))

    def show_first(beam: Any, temperature: Any, seed: Any, request: gr.Request) -> Iterator[Update]:
        for example in examples()[:1]:
            yield from _streamed(studio, request, example.path, (beam, temperature, seed))

    def search(beam: Any, temperature: Any, seed: Any, request: gr.Request) -> Iterator[Update]:
        yield from _streamed(studio, request, None, (beam, temperature, seed))

    def stop(request: gr.Request) -> None:
        studio.stop(_key(request))

    page.load(show_first, knobs, outputs, **RUN)
    parts.photo.input(show, [parts.photo, *knobs], outputs, **RUN)
    parts.strip.choose(show_example, knobs, outputs, **RUN)
    gr.on([knob.input for knob in knobs], search, knobs, outputs, **RUN)
    parts.dice.click(None, None, parts.knobs.seed, js=DICE, **QUIET).then(search, knobs, outputs, **RUN)
    parts.stop.click(stop, None, None, queue=False, **QUIET)


def _streamed(studio: Studio, request: gr.Request, photo: str | Path | None, values: Values) -> Iterator[Update]:
    """Updates for the player, the photo field emptied for the next one; a refusal keeps the page as it is."""
    key = _key(request)
    try:
        settings = search_settings(*values)
        payloads = studio.show(key, photo, settings) if photo else studio.search(key, settings)
        for payload in payloads:
            yield payload, None
    except (PhotoError, SettingsError) as error:
        gr.Warning(html.escape(str(error)), duration=TOAST_SECONDS, title="")
        yield gr.skip(), None


def _key(request: gr.Request) -> str:
    return str(request.session_hash)
