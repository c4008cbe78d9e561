"""Example photos: two of our own, the others inside scikit-image's package; nothing is downloaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import gradio as gr
from gradio.data_classes import FileData, GradioRootModel
from PIL import Image, ImageOps

from demo.gradio_inside import NoStub, files_folder
from demo.page.player import STATIC, read_static, static_script

THUMBNAIL = 160  # pixels a side, twice what the strip shows
World = Literal["inside", "outside"]

OWN = STATIC.parent / "photos"
INSIDE = {
    "Photographer": "camera.png",
    "Shepherd": "shepherd.jpg",
    "Corgi": "corgi.jpg",
    "Motorcycle": "motorcycle_left.png",
}
OUTSIDE = {"Bricks": "brick.png", "Retina": "retina.jpg", "Coins": "coins.png", "Horse": "horse.png"}


class Example(NamedTuple):
    """A photo to try; ``world``: whether it shows what the model has learned, or something else."""

    name: str
    path: Path
    world: World

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        with Image.open(self.path) as image:
            return image.size


def examples() -> tuple[Example, ...]:
    """The photos that are here, in the order they are offered; the first one greets."""
    package = find_spec("skimage")  # found, not imported, which would be slow
    locations = package.submodule_search_locations if package else None
    folders = [OWN, *(Path(each) / "data" for each in locations or ())]
    worlds: tuple[tuple[World, dict[str, str]], ...] = (("inside", INSIDE), ("outside", OUTSIDE))
    found = (
        Example(name, folder / file, world)
        for world, files in worlds
        for name, file in files.items()
        for folder in folders
    )
    return tuple(example for example in found if example.path.is_file())


def example(name: str) -> Example | None:
    """The example of this name, or None."""
    return next((each for each in examples() if each.name == name), None)


def thumbnail(example: Example) -> Path:
    """A small square of it, as the strip shows it: the photos themselves are a megabyte and more."""
    path = files_folder() / "thumbnails" / f"{example.name}.jpg"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(example.path) as image:
            image.draft("RGB", (THUMBNAIL, THUMBNAIL))
            ImageOps.fit(image.convert("RGB"), (THUMBNAIL, THUMBNAIL)).save(path, "JPEG", quality=85)
    return path


class ExampleData(GradioRootModel):
    """Thumbnails with their names."""

    root: list[dict[str, str | FileData]]


class ExampleStrip(gr.HTML, metaclass=NoStub):
    """Example photos, a row for each world; ``choose`` fires with the name of the one clicked."""

    data_model = ExampleData

    def __init__(self, **options: Any) -> None:
        super().__init__(
            value=list(examples()),
            html_template='<div class="sat-worlds"></div>',
            css_template=read_static("components.css"),
            js_on_load=static_script("components.js", "startExamples"),
            apply_default_css=False,
            **options,
        )

    def postprocess(self, value: list[Example] | None) -> ExampleData:  # type: ignore[override]
        """Examples → names, worlds and served thumbnails."""
        return ExampleData(
            root=[
                {"name": example.name, "world": example.world, "photo": FileData(path=str(thumbnail(example)))}
                for example in value or []
            ]
        )

    def preprocess(self, payload: ExampleData | None) -> None:  # type: ignore[override]
        """Nothing comes back but the event."""
        return None

    def api_info(self) -> dict[str, Any]:
        """A list of names and files."""
        return {"type": "array", "items": {}, "description": "example photos"}
