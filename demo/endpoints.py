"""The named endpoints for programs: `/caption` streams, `/score` weighs a sentence, the rest asks what if."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr

from captioner.photo import PhotoError
from captioner.search import SettingsError
from demo.arguments import Answer, Number, Rows, Text
from demo.inputs import PhotoInput
from demo.knobs import search_settings, text, whole
from demo.line import PLACES
from demo.page import Refusal
from demo.payload import Payload
from demo.programs import Programs
from demo.requests import logged
from demo.rows import map_rows, mask_rows
from demo.studio import Studio
from demo.whatif import Question

CAPTION = (
    "Caption a photo, streaming. Returns after every word an object with `caption` (the sentence so far), `log_prob` "
    "(nats), `done`, `finished`, `grid` and `words`; each word has `w` (text), `p` (probability), `a` (attention, "
    "14×14 bytes in base64, row-major, 255 = `m`), `m` (largest weight), `h` (entropy, nats), `b` (gate, 0 to 1) and "
    "`alt` (likeliest words with probabilities). The sentence may change until `done`."
)
SCORE = "How likely the model finds your own sentence for a photo, and where it looks for each word; as `/caption`."
BEGIN_WITH = "Caption a photo with a sentence that begins with your words; returns the object of `/caption`, once."
PAIR = "Returns `before`, the model's own caption, and `after`, both as `/caption`"
ANOTHER_WORD = (
    f"Put `word` at `position` (0 is the first) of the model's caption; the model goes on from there. {PAIR}."
)
LOOK_ELSEWHERE = (
    "Replace the attention of the word at `position` (0 is the first) of the model's caption; the model goes on from "
    f"there. {PAIR}, and `change`: `position`, the `word` before, and `words`, each likely word with its probability "
    "before and after."
)
HIDE = f"Paint a region over with the mean colour of photos, look again, caption again. {PAIR}, of the painted photo."
NO_ATTENTION = f"Caption with every attention map uniform, so that the model sees the photo's plain mean. {PAIR}."
EXPLAIN = (
    "The paper's equations of the step that weighs the word at `position` (0 is the first; the place after the last "
    "is that of `<end>`) of a sentence, in numbers: `energies`, `alpha` and `shares` (of the context), each a list of "
    "rows; `context_norm`, `beta`, `gated_norm`; `gates` of the LSTM (means); `words` (word, logit, probability) and "
    "`log_normalizer`; `previous`, the word fed in."
)


def add_endpoints(studio: Studio) -> None:
    """Add all endpoints, on components that no person sees. Call inside the page's context."""
    endpoints = _Endpoints(Programs(studio))
    grid = studio.grid
    with gr.Column(visible=False):
        photo = PhotoInput(type="filepath", label="photo")
        knobs = [
            Number(studio.captioner.card.beam_size, label="captions kept in the race, 1 to 20"),
            Number(0, label="0 is deterministic; above, up to 10, captions are drawn"),
            Number(0, label="of the draws, 0 to 2**32 - 1"),
        ]
        sentence, beginning = Text(label="a caption of your own"), Text(label="the caption's first words")
        word = Text(label="one that the model knows; <end> ends the caption")
        position = Number(label="of a word; 0 is the first")
        attention = Rows(label=f"{grid[0]} rows of {grid[1]} numbers from 0 up; made to sum to 1")
        mask = Rows(label=f"{grid[0]} rows of {grid[1]} numbers, 1 where to hide and 0 elsewhere")
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

    add(endpoints.caption, [photo, *knobs], CAPTION)
    add(endpoints.score, [photo, sentence], SCORE)
    add(endpoints.begin_with, [photo, beginning, *knobs], BEGIN_WITH)
    add(endpoints.another_word, [photo, position, word, *knobs], ANOTHER_WORD)
    add(endpoints.look_elsewhere, [photo, position, attention, *knobs], LOOK_ELSEWHERE)
    add(endpoints.hide, [photo, mask, *knobs], HIDE)
    add(endpoints.no_attention, [photo, *knobs], NO_ATTENTION)
    add(endpoints.explain, [photo, sentence, position], EXPLAIN)


class _Endpoints:
    """One method an endpoint; its parameters' names are those that a program uses."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def caption(self, photo: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Payload]:
        yield from self._programs.captions(_required(photo), search_settings(beam_size, temperature, seed))

    def score(self, photo: Any, sentence: Any) -> Iterator[Payload]:
        yield self._programs.score(_required(photo), text(sentence, "sentence"))

    def begin_with(self, photo: Any, beginning: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Payload]:
        settings = search_settings(beam_size, temperature, seed)
        *_, last = self._programs.captions(_required(photo), settings, text(beginning, "beginning"))
        yield last

    def another_word(
        self, photo: Any, position: Any, word: Any, beam_size: Any, temperature: Any, seed: Any
    ) -> Iterator[Payload]:
        asked = Question("word", position=whole(position, "position"), word=text(word, "word"))
        yield self._programs.what_if(_required(photo), search_settings(beam_size, temperature, seed), asked)

    def look_elsewhere(
        self, photo: Any, position: Any, attention: Any, beam_size: Any, temperature: Any, seed: Any
    ) -> Iterator[Payload]:
        weights = map_rows(attention, self._programs.grid)
        asked = Question("place", position=whole(position, "position"), weights=weights)
        yield self._programs.what_if(_required(photo), search_settings(beam_size, temperature, seed), asked)

    def hide(self, photo: Any, mask: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Payload]:
        asked = Question("hide", weights=mask_rows(mask, self._programs.grid))
        yield self._programs.what_if(_required(photo), search_settings(beam_size, temperature, seed), asked)

    def no_attention(self, photo: Any, beam_size: Any, temperature: Any, seed: Any) -> Iterator[Payload]:
        asked = Question("uniform")
        yield self._programs.what_if(_required(photo), search_settings(beam_size, temperature, seed), asked)

    def explain(self, photo: Any, sentence: Any, position: Any) -> Iterator[Payload]:
        yield self._programs.explain(_required(photo), text(sentence, "sentence"), whole(position, "position"))


def _refusing(endpoint: Callable[..., Iterator[Payload]]) -> Callable[..., Iterator[Payload]]:
    """The endpoint, its refusals turned into errors that the caller reads."""

    @wraps(endpoint)
    def refusing(*arguments: Any) -> Iterator[Payload]:
        try:
            with logged(f"/{endpoint.__name__}"):
                yield from endpoint(*arguments)
        except (PhotoError, SettingsError) as error:
            raise Refusal(str(error)) from None

    return refusing


def _required(photo: str | None) -> str:
    if not photo:
        raise PhotoError("Please send a photo.")
    return photo
