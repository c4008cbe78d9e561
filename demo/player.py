"""The animated attention player: a Gradio component made of plain HTML, CSS and JavaScript files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel
from pydantic import Field

from demo.payload import VERSION, Payload

STATIC = Path(__file__).resolve().parent / "static"
SCRIPTS = (
    "strings.js",
    "field.js",
    "colour.js",
    "places.js",
    "stage.js",
    "words.js",
    "mind.js",
    "race.js",
    "whatif.js",
    "lecture.js",
    "timeline.js",
    "controls.js",
    "upload.js",
    "player.js",
)


class PlayerData(GradioModel):
    """What travels to the page; every message repeats all of it, so the last one is enough.

    Attributes:
        run: rises with every search; a higher one clears the player, a lower one is ignored.
        phase: ``empty``, ``looking``, ``guessing`` (beam search), ``writing``, ``done`` or ``stopped``.
        photo: arrives in the page as a URL. ``example``: its name if it is one of the examples.
        words: of the leading guess, see `demo.payload.word_payload`.
        captions: all that the search found, best first, once done; then answers to what was asked.
        chosen: the caption to play. ``start``: the word to begin at.
    """

    version: int = VERSION
    run: int = 0
    phase: str = "empty"
    photo: FileData | None = None
    example: str = ""
    size: tuple[int, int] = (4, 3)
    grid: tuple[int, int] = (14, 14)
    settings: list[float] = Field(default_factory=list)
    words: list[dict[str, Any]] = Field(default_factory=list)
    captions: list[dict[str, Any]] = Field(default_factory=list)
    chosen: int = 0
    start: int = 0
    done: bool = False


class AttentionPlayer(gr.HTML):
    """Plays a caption over its photo. Playing, scrubbing and looks never return to Python."""

    data_model = PlayerData

    def __init__(self, value: Payload | None = None, **options: Any) -> None:
        super().__init__(
            value=value,
            html_template=player_html(),
            css_template=player_css(),
            js_on_load=player_script(),
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: Payload | None) -> PlayerData:  # type: ignore[override]
        """A payload of `demo.studio.Studio` → what travels; its photo becomes a served file."""
        value = dict(value or {})
        if value.get("photo") is not None:
            value["photo"] = FileData(path=str(value["photo"]))
        return PlayerData(**value)

    def preprocess(self, payload: PlayerData | None) -> Payload:  # type: ignore[override]
        """What the page holds, as a dict."""
        return payload.model_dump() if payload else {}

    def api_info(self) -> dict[str, Any]:
        """The player's value is an object, see `PlayerData`."""
        return {"type": "object", "description": "the player's data"}


def player_html() -> str:
    """The player's markup, with no data in it."""
    return read_static("player.html")


def player_css() -> str:
    """The player's style, to be nested in a rule for its element."""
    return read_static("player.css")


def player_script() -> str:
    """The player's program: the body of a function of ``element``, ``props`` and ``watch``."""
    return "\n".join(read_static(name) for name in SCRIPTS)


def read_static(name: str) -> str:
    """A file of the page, as text."""
    return (STATIC / name).read_text(encoding="utf-8")
