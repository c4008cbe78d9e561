"""The animated attention player: a Gradio component made of plain HTML, CSS and JavaScript files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel, GradioRootModel
from pydantic import Field

from demo.payload import VERSION, Payload

STATIC = Path(__file__).resolve().parent / "static"
SCRIPTS = (
    "strings.js",
    "wire.js",
    "field.js",
    "colour.js",
    "state.js",
    "places.js",
    "cells.js",
    "names.js",
    "stage.js",
    "words.js",
    "mind.js",
    "race.js",
    "tree.js",
    "beside.js",
    "change.js",
    "answer.js",
    "whatif.js",
    "lookers.js",
    "numbers.js",
    "lecture.js",
    "timeline.js",
    "controls.js",
    "upload.js",
    "playback.js",
    "captions.js",
    "arrival.js",
    "player.js",
)

STYLES = ("player.css", "words.css", "whatif.css", "tree.css", "beside.css", "lecture.css")


class PlayerData(GradioModel):
    """What travels to the page; every message repeats all of it, so the last one is enough.

    Attributes:
        run: rises with every search; a higher one clears the player, a lower one is ignored.
        phase: ``empty``, ``looking``, ``guessing`` (beam search), ``writing``, ``done``, ``stopped``,
            ``waiting`` in line; or ``asking``, when nothing else is news. ``ahead``: how many must end
            first.
        photo: arrives in the page as a URL. ``example``: its name if it is one of the examples.
        words: all that any caption here needs, with their maps, see `demo.wire.WordPool`.
        shown: the leading guess, as places among the words.
        captions: all that the search found, best first, once done; then answers to what was asked.
        tree: the search so far, see `demo.wire.tree_payload`.
        chosen: the caption to play. ``start``: the word to begin at. ``beside``: the caption to play
            in step with it, -1 for none.
        forgotten: how many older answers are no longer kept.
    """

    version: int = VERSION
    run: int = 0
    phase: str = "empty"
    ahead: int = 0
    photo: FileData | None = None
    example: str = ""
    size: tuple[int, int] = (4, 3)
    grid: tuple[int, int] = (14, 14)
    settings: list[float] = Field(default_factory=list)
    words: list[tuple[str, float, dict[str, Any] | int]] = Field(default_factory=list)
    shown: list[int] = Field(default_factory=list)
    tree: dict[str, Any] = Field(default_factory=dict)
    captions: list[dict[str, Any]] = Field(default_factory=list)
    chosen: int = 0
    beside: int = -1
    start: int = 0
    forgotten: int = 0
    done: bool = False


class PlayerValue(GradioRootModel):
    """The player's data as a list of one.

    Gradio sends differences: from a list to `gr.skip` is a single short one, from an object one a key.
    """

    root: list[PlayerData]


class AttentionPlayer(gr.HTML):
    """Plays a caption over its photo. Playing, scrubbing and looks never return to Python."""

    data_model = PlayerValue

    def __init__(self, value: Payload | None = None, **options: Any) -> None:
        super().__init__(
            value=value,
            html_template=player_html(),
            css_template=player_css(),
            js_on_load=player_script(),
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: Payload | None) -> PlayerValue:  # type: ignore[override]
        """A payload of `demo.studio.Studio` → what travels; its photo becomes a served file."""
        value = dict(value or {})
        if value.get("photo") is not None:
            value["photo"] = FileData(path=str(value["photo"]))
        return PlayerValue(root=[PlayerData(**value)])

    def preprocess(self, payload: PlayerValue | None) -> Payload:  # type: ignore[override]
        """What the page holds, as a dict."""
        return payload.root[0].model_dump() if payload else {}

    def api_info(self) -> dict[str, Any]:
        """The player's value is a list of one object, see `PlayerData`."""
        return {"type": "array", "items": {}, "description": "the player's data"}


def player_html() -> str:
    """The player's markup, with no data in it."""
    return read_static("player.html")


def player_css() -> str:
    """The player's style, to be nested in a rule for its element."""
    return "".join(read_static(name) for name in STYLES)


def player_script() -> str:
    """The player's program: the body of a function of ``element``, ``props`` and ``watch``."""
    return "\n".join(read_static(name) for name in SCRIPTS)


def read_static(name: str) -> str:
    """A file of the page, as text."""
    return (STATIC / name).read_text(encoding="utf-8")
