"""The download buttons."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from demo.player import read_static
from demo.takeaway import KINDS


class TakeawayData(GradioModel):
    """The file that was made; a new ``turn`` tells the page that the work has ended."""

    turn: str = ""
    file: FileData | None = None


class TakeawayButtons(gr.HTML):
    """A row of buttons; ``take`` fires with the kind, the caption's index and the look."""

    data_model = TakeawayData

    def __init__(self, **options: Any) -> None:
        super().__init__(
            html_template='<div class="sat-takeaway" role="group"></div>',
            css_template=read_static("takeaway.css"),
            js_on_load=read_static("strings.js") + read_static("takeaway.js"),
            apply_default_css=False,
            kinds=list(KINDS),
            **options,
        )

    def postprocess(self, value: Path | None) -> TakeawayData:  # type: ignore[override]
        """A written file, or None if nothing was made."""
        file = FileData(path=str(value), orig_name=value.name) if value else None
        return TakeawayData(turn=secrets.token_hex(4), file=file)

    def preprocess(self, payload: TakeawayData | None) -> None:  # type: ignore[override]
        """Nothing comes back but the event."""
        return None

    def api_info(self) -> dict[str, Any]:
        """A file."""
        return {"type": "object", "description": "a file"}
