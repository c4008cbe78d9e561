"""The page's heading, the photo field and the example thumbnails."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioRootModel, ImageData

from demo.examples import Example, examples
from demo.player import read_static


def header() -> gr.HTML:
    """The heading, in the browser's language."""
    return gr.HTML(
        html_template=read_static("header.html"),
        js_on_load=read_static("strings.js") + read_static("header.js"),
        apply_default_css=False,
        elem_id="header",
    )


class PhotoInput(gr.Image):
    """`gr.Image` that hands over the file as it was sent, unopened.

    Gradio would open and convert it first, and fail in its own words on a file that is no photo;
    `captioner.photo.prepare` reads more kinds and refuses in one clear sentence.
    """

    def get_block_name(self) -> str:
        """Tells the page to draw it as Gradio's own image field."""
        return "image"

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The uploaded file's path on this server, or None if the field is empty."""
        return payload.path if payload else None


class ExampleData(GradioRootModel):
    """Thumbnails with their names."""

    root: list[dict[str, str | FileData]]


class ExampleStrip(gr.HTML):
    """A row of example photos; ``choose`` fires with the name of the one clicked."""

    data_model = ExampleData

    def __init__(self, **options: Any) -> None:
        super().__init__(
            value=list(examples()),
            html_template='<div class="sat-examples" role="group"></div>',
            css_template=read_static("examples.css"),
            js_on_load=read_static("strings.js") + read_static("examples.js"),
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: list[Example] | None) -> ExampleData:  # type: ignore[override]
        """Examples → names and served files."""
        return ExampleData(
            root=[{"name": example.name, "photo": FileData(path=str(example.path))} for example in value or []]
        )

    def preprocess(self, payload: ExampleData | None) -> None:  # type: ignore[override]
        """Nothing comes back but the event."""
        return None

    def api_info(self) -> dict[str, Any]:
        """A list of names and files."""
        return {"type": "array", "items": {}, "description": "example photos"}
