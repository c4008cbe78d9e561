"""The named endpoints for programs: `/caption` streams, `/score` weighs a sentence, the rest asks what if.

And the one that the live camera sends its frames to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr

from captioner.photo import PhotoError
from captioner.search import SettingsError
from demo.door.log import logged
from demo.page.inputs import Answer, NumberArgument, PhotoInput, Refusal, RowsArgument, TextArgument
from demo.protocol.answers import caption_answer, guess_answer, live_message, numbers_message, pair_answer
from demo.protocol.payload import Message
from demo.protocol.received import frame, map_rows, mask_rows, search_settings, text, whole
from demo.runs.engine import Engine
from demo.runs.live import Live
from demo.runs.programs import Programs
from demo.runs.questions import AnotherWord, Hide, LookElsewhere, NoAttention, Question
from demo.runs.waiting_line import PLACES, BusyError
from demo.texts import english


def add_endpoints(engine: Engine) -> None:
    """Add all endpoints, on components that no person sees. Call inside the page's context."""
    endpoints = _Endpoints(Programs(engine))
    grid = engine.grid
    with gr.Column(visible=False):
        photo = PhotoInput(type="filepath", label="photo")
        knobs = [
            NumberArgument(engine.captioner.card.beam_size, label=english.BEAM_ARGUMENT),
            NumberArgument(0, label=english.TEMPERATURE_ARGUMENT),
            NumberArgument(0, label=english.SEED_ARGUMENT),
        ]
        sentence = TextArgument(label=english.SENTENCE_ARGUMENT)
        beginning = TextArgument(label=english.BEGINNING_ARGUMENT)
        word = TextArgument(label=english.WORD_ARGUMENT)
        position = NumberArgument(label=english.POSITION_ARGUMENT)
        attention = RowsArgument(label=english.ATTENTION_ARGUMENT.format(*grid))
        mask = RowsArgument(label=english.MASK_ARGUMENT.format(*grid))
        answer = Answer(label="answer")

    def add(function: Callable[..., Any], inputs: list[Any], description: str) -> None:
        gr.Button(visible=False).click(
            _refusing(function),
            inputs,
            answer,
            api_name=function.__name__,
            api_description=description,
            api_visibility="public",
            concurrency_limit=PLACES,
            concurrency_id="programs",
        )

    add(endpoints.caption, [photo, *knobs], english.CAPTION)
    add(endpoints.score, [photo, sentence], english.SCORE)
    add(endpoints.begin_with, [photo, beginning, *knobs], english.BEGIN_WITH)
    add(endpoints.another_word, [photo, position, word, *knobs], english.ANOTHER_WORD)
    add(endpoints.look_elsewhere, [photo, position, attention, *knobs], english.LOOK_ELSEWHERE)
    add(endpoints.hide, [photo, mask, *knobs], english.HIDE)
    add(endpoints.no_attention, [photo, *knobs], english.NO_ATTENTION)
    add(endpoints.explain, [photo, sentence, position], english.EXPLAIN)


def add_frames(engine: Engine) -> None:
    """Add the endpoint `/live`, which the player asks frame by frame. Call inside the page's context.

    It stands in the engine's own line, not in Gradio's queue, whose answers come over another connection.
    """
    live = Live(engine)

    def captioned(jpeg: Any, beam_size: Any, standing: Any) -> Message:
        try:
            sent = frame(jpeg, beam_size, standing)
            return live_message(live.frame(sent.jpeg, sent.settings, sent.standing))
        except (BusyError, PhotoError, SettingsError) as error:
            raise Refusal(str(error)) from None

    with gr.Column(visible=False):
        inputs = [TextArgument(label="jpeg"), NumberArgument(label="beam_size"), RowsArgument(label="standing")]
        answer = Answer(label="answer")
    gr.Button(visible=False).click(
        captioned, inputs, answer, queue=False, show_progress="hidden", api_name="live", api_visibility="undocumented"
    )


class _Endpoints:
    """One method an endpoint; its parameters' names are those that a program uses."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def caption(self, photo: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Message]:
        for guess in self._programs.captions(_required(photo), search_settings(beam_size, temperature, seed)):
            yield guess_answer(guess)

    def score(self, photo: Any, sentence: Any) -> Iterator[Message]:
        yield caption_answer(self._programs.score(_required(photo), text("sentence", sentence)))

    def begin_with(self, photo: Any, beginning: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Message]:
        settings = search_settings(beam_size, temperature, seed)
        yield caption_answer(self._programs.caption(_required(photo), settings, text("beginning", beginning)))

    def another_word(
        self, photo: Any, position: Any, word: Any, beam_size: Any, temperature: Any, seed: Any
    ) -> Iterator[Message]:
        asked = AnotherWord(position=whole("position", position), word=text("word", word))
        yield self._pair(photo, asked, beam_size, temperature, seed)

    def look_elsewhere(
        self, photo: Any, position: Any, attention: Any, beam_size: Any, temperature: Any, seed: Any
    ) -> Iterator[Message]:
        weights = map_rows(attention, self._programs.engine.grid)
        asked = LookElsewhere(position=whole("position", position), weights=weights)
        yield self._pair(photo, asked, beam_size, temperature, seed)

    def hide(self, photo: Any, mask: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Message]:
        asked = Hide(mask=mask_rows(mask, self._programs.engine.grid))
        yield self._pair(photo, asked, beam_size, temperature, seed)

    def no_attention(self, photo: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Message]:
        yield self._pair(photo, NoAttention(), beam_size, temperature, seed)

    def explain(self, photo: Any, sentence: Any, position: Any) -> Iterator[Message]:
        asked = text("sentence", sentence), whole("position", position)
        yield numbers_message(self._programs.explain(_required(photo), *asked))

    def _pair(self, photo: Any, asked: Question, *settings: Any) -> Message:
        return pair_answer(*self._programs.what_if(_required(photo), search_settings(*settings), asked))


def _refusing(endpoint: Callable[..., Iterator[Message]]) -> Callable[..., Iterator[Message]]:
    """The endpoint, its refusals turned into errors that the caller reads."""

    @wraps(endpoint)
    def refusing(*arguments: Any) -> Iterator[Message]:
        try:
            with logged(f"/{endpoint.__name__}"):
                yield from endpoint(*arguments)
        except (PhotoError, SettingsError) as error:
            raise Refusal(str(error)) from None

    return refusing


def _required(photo: str | None) -> str:
    if not photo:
        raise PhotoError(english.NO_PHOTO_SENT)
    return photo
