"""The live camera: the switch beside the photo field, and the endpoint that takes its frames."""

from __future__ import annotations

from typing import Any

import gradio as gr

from captioner.photo import PhotoError
from captioner.search import SettingsError
from demo.gradio_inside import NoStub
from demo.page.blocks import Refusal
from demo.page.inputs import Answer, NumberArgument, RowsArgument, TextArgument
from demo.page.player import read_static, static_script
from demo.protocol.live import frame, live_message
from demo.protocol.payload import Message
from demo.runs.engine import Engine
from demo.runs.live import Live
from demo.runs.waiting_line import BusyError


class LiveSwitch(gr.HTML, metaclass=NoStub):
    """A button that asks the player, inside the page, for its camera; Python hears nothing of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            html_template='<button type="button" class="sat-live-switch" aria-pressed="false"></button>',
            css_template=read_static("components.css"),
            js_on_load=static_script("components.js", "startLiveSwitch"),
            apply_default_css=False,
            **options,
        )


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
