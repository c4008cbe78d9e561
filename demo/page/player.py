"""The animated attention player, a Gradio component made of plain HTML, CSS and JavaScript files; and its switches."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel, GradioRootModel
from pydantic import Field

from captioner.render.looks import figures
from demo.gradio_inside import NoStub
from demo.page.joiner import join_modules
from demo.protocol.payload import VERSION, Message
from demo.texts import english, korean

STATIC = Path(__file__).resolve().parent.parent / "static"
STYLES = ("player.css", "questions.css", "modes.css")


class PlayerData(GradioModel):
    """What travels to the page; every message repeats all of it, so the last one is enough.

    Attributes:
        run: rises with every search; a higher one clears the player, a lower one is ignored.
        phase: ``empty``, ``looking``, ``guessing`` (beam search), ``writing``, ``done``, ``stopped``,
            ``waiting`` in line; or ``asking`` or ``lost``, when nothing else is news. ``ahead``: how many
            must end first.
        photo: arrives in the page as a URL. ``example``: its name if it is one of the examples.
        words: all that any caption here needs, with their maps, see `demo.protocol.payload.WordPool`.
        shown: the leading guess, as places among the words.
        captions: all that the search found, best first, once done; then answers to what was asked.
        tree: the search so far, see `demo.protocol.payload.tree_message`.
        chosen: the caption to play. ``start``: the word to begin at. ``beside``: the caption to play
            in step with it, -1 for none.
        forgotten: how many older answers are no longer kept.
        familiar: how like the training photos this one is, see `demo.protocol.payload.familiar_message`.
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
    words: list[tuple[str, float | None, dict[str, Any] | int]] = Field(default_factory=list)
    shown: list[int] = Field(default_factory=list)
    tree: dict[str, Any] = Field(default_factory=dict)
    captions: list[dict[str, Any]] = Field(default_factory=list)
    chosen: int = 0
    beside: int = -1
    start: int = 0
    forgotten: int = 0
    familiar: dict[str, Any] = Field(default_factory=dict)
    done: bool = False


class PlayerValue(GradioRootModel):
    """The player's data as a list of one.

    Gradio sends differences: from a list to `gr.skip` is a single short one, from an object one a key.
    """

    root: list[PlayerData]


class AttentionPlayer(gr.HTML, metaclass=NoStub):
    """Plays a caption over its photo. Playing, scrubbing and looks never return to Python."""

    data_model = PlayerValue

    def __init__(self, value: Message | None = None, **options: Any) -> None:
        super().__init__(
            value=value,
            html_template=player_html(),
            css_template=player_css(),
            js_on_load=player_script(),
            apply_default_css=False,
            **player_props(),
            **options,
        )

    def postprocess(self, value: Message | None) -> PlayerValue:  # type: ignore[override]
        """A message, folded by `demo.protocol.payload`, → what travels; its photos become served files."""
        value = _served(value or {})
        captions = [_served(each) for each in value.get("captions", ())]
        return PlayerValue(root=[PlayerData(**{**value, "captions": captions})])

    def preprocess(self, payload: PlayerValue | None) -> Message:  # type: ignore[override]
        """What the page holds, as a dict."""
        return payload.root[0].model_dump() if payload else {}

    def api_info(self) -> dict[str, Any]:
        """The player's value is a list of one object, see `PlayerData`."""
        return {"type": "array", "items": {}, "description": "the player's data"}


class FeedData(GradioRootModel):
    """A message with the run, caption and position that it is of; empty if there is none."""

    root: dict[str, Any]


class StepNumbersFeed(gr.HTML, metaclass=NoStub):
    """Shows nothing: hands the equations' numbers that the player asked for over to it, inside the page."""

    data_model = FeedData
    start = "startFeed"

    def __init__(self, **options: Any) -> None:
        super().__init__(
            html_template="<span hidden></span>",
            js_on_load=static_script("view/page.js", self.start),
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: Message | None) -> FeedData:  # type: ignore[override]
        """What `demo.protocol.answers` makes of it."""
        return FeedData(root=value or {})

    def preprocess(self, payload: FeedData | None) -> None:  # type: ignore[override]
        """Nothing comes back."""
        return None

    def api_info(self) -> dict[str, Any]:
        """An object."""
        return {"type": "object", "description": "what the player asked for"}


class CompletionFeed(StepNumbersFeed):
    """The same for the words that complete what is typed in the place of a word."""

    start = "startCompletions"


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


def page_head() -> str:
    """HTML for the beginning of the page's head: what has to run before Gradio starts.

    Every request of the page shall carry its address, see `demo.texts.language`, and none to anybody else.
    """
    script = f"(function (element, props, watch, trigger) {{\n{static_script('arrival.js', 'startArrival')}}})();"
    return f'<meta name="referrer" content="same-origin"><script>{script}</script>'


def page_header() -> gr.HTML:
    """The heading, and the choice of a language."""
    return gr.HTML(
        html_template=read_static("header.html"),
        js_on_load=static_script("components.js", "startHeader"),
        apply_default_css=False,
        elem_id="header",
    )


def player_props() -> Message:
    """What the player's program knows beforehand: its messages' version, how maps are drawn, and the glossary."""
    return {
        "version": VERSION,
        "looks": figures(),
        "glossary": {"en": english.GLOSSARY, "ko": korean.GLOSSARY},
    }


def player_html() -> str:
    """The player's markup, with no data in it."""
    return read_static("player.html")


@cache
def player_css() -> str:
    """The player's style, to be nested in a rule for its element."""
    return "".join(read_static(name) for name in STYLES)


def player_script() -> str:
    """The player's program: the body of a function of ``element``, ``props``, ``watch`` and ``trigger``."""
    return static_script("player.js", "startPlayer")


@cache
def static_script(entry: str, start: str) -> str:
    """A module of the page with all that it imports, as the body of such a function; it begins with ``start``."""
    return join_modules(STATIC / entry, start)


@cache
def read_static(name: str) -> str:
    """A file of the page, as text."""
    return (STATIC / name).read_text(encoding="utf-8")


def _served(message: Message) -> Message:
    """The message with its photo as a file to serve."""
    photo = message.get("photo")
    return {**message, "photo": FileData(path=photo).model_dump()} if photo else {**message}
