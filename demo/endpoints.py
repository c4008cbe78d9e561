"""The named endpoints for programs: `/caption` streams, `/score` weighs a sentence of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr

from captioner.photo import PhotoError
from captioner.search import SearchSettings, SettingsError
from demo.inputs import PhotoInput
from demo.payload import Payload, caption_json
from demo.studio import Studio

CAPTION = (
    "Caption a photo, streaming. Returns after every word an object with `caption` (the sentence so far), `log_prob` "
    "(nats), `done`, `finished`, `grid` and `words`; each word has `w` (text), `p` (probability), `a` (attention, "
    "14×14 bytes in base64, row-major, 255 = `m`), `m` (largest weight), `h` (entropy, nats), `b` (gate, 0 to 1) and "
    "`alt` (likeliest words with probabilities). The sentence may change until `done`."
)
SCORE = "How likely the model finds your own sentence for a photo, and where it looks for each word; as `/caption`."


class Knobs(NamedTuple):
    """The three settings of a search."""

    beam_size: gr.Slider
    temperature: gr.Slider
    seed: gr.Number


def search_settings(beam_size: float, temperature: float, seed: float | None) -> SearchSettings:
    """The page's or a program's numbers as settings.

    Raises:
        SettingsError: if one is missing or out of its range.
    """
    numbers = {"beam_size": beam_size, "temperature": temperature, "seed": 0 if seed is None else seed}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise SettingsError(f"{name} must be a number, got {number!r}")
    for name in ("beam_size", "seed"):
        if numbers[name] != int(numbers[name]):
            raise SettingsError(f"{name} must be a whole number, got {numbers[name]!r}")
    return SearchSettings(int(numbers["beam_size"]), float(temperature), int(numbers["seed"]))


def add_endpoints(studio: Studio) -> None:
    """Add both endpoints, on components that no person sees. Call inside the page's context."""
    with gr.Column(visible=False):
        photo = PhotoInput(type="filepath", label="photo")
        beam_size = gr.Number(studio.captioner.card.beam_size, label="beam_size, 1 to 20", precision=0)
        temperature = gr.Number(0, label="temperature, 0 is deterministic")
        seed = gr.Number(0, label="seed, 0 to 2**32 - 1", precision=0)
        sentence = gr.Textbox(label="sentence")
        answer = gr.JSON(label="caption")
        caption_button, score_button = gr.Button(), gr.Button()

    def caption(photo: str | None, beam_size: float, temperature: float, seed: float) -> Iterator[Payload]:
        try:
            yield from studio.captions(_required(photo), search_settings(beam_size, temperature, seed))
        except (PhotoError, SettingsError) as error:
            raise gr.Error(str(error), print_exception=False) from None

    def score(photo: str | None, sentence: str) -> Payload:
        try:
            look, caption = studio.score(_required(photo), sentence)
        except (PhotoError, SettingsError) as error:
            raise gr.Error(str(error), print_exception=False) from None
        return caption_json(caption, look.grid, done=True)

    shared: dict[str, Any] = {"concurrency_limit": 2, "api_visibility": "public"}
    caption_button.click(
        caption, [photo, beam_size, temperature, seed], answer, api_name="caption", api_description=CAPTION, **shared
    )
    score_button.click(score, [photo, sentence], answer, api_name="score", api_description=SCORE, **shared)


def _required(photo: str | None) -> str:
    if not photo:
        raise PhotoError("Please send a photo.")
    return photo
