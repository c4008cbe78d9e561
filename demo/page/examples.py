"""Example photos: two of our own, the others inside scikit-image's package; nothing is downloaded.

The first greets with an answer that is there as data, so that a page plays at once and no model works for it.
`python -m demo.page.examples` writes it anew for the bundled checkpoint, in every form of the encoder's arithmetic
that this machine has. A server whose checkpoint, photo or form is not in it asks its model when it starts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import gradio as gr
from gradio.data_classes import FileData, GradioRootModel
from PIL import Image, ImageOps

from captioner.card import Card
from captioner.encoder_form import FORMS, FormError
from captioner.pipeline import Captioner
from demo.gradio_inside import NoStub, files_folder
from demo.page.player import STATIC, read_static, static_script
from demo.protocol.payload import VERSION, Message, WordPool, update_message
from demo.runs.engine import Engine, FirstAnswer

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
RECORD = Path(__file__).resolve().parent.parent / "first_answer.json"
OF_SERVER = ("run", "photo")  # what each server says for itself


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


def first_answer(engine: Engine, run: int) -> FirstAnswer | None:
    """The answer to the example that greets; None if there is no example."""
    greeting = next(iter(examples()), None)
    return FirstAnswer(engine, greeting.path, greeting.name, run) if greeting else None


def first_message(first: FirstAnswer, record: Path = RECORD) -> Message:
    """What the player shows of it on arrival: the record's, if it is of this model and form, else what is found now."""
    captioner = first.engine.captioner
    kept = _read(record)
    known = (
        kept.get("answers", {}).get(captioner.encoder.form)
        if kept.get("of") == made_of(captioner.card, first)
        else None
    )
    return {**(known or answer_message(first)), "run": first.run, "photo": str(first.source)}


def made_of(card: Card, first: FirstAnswer) -> dict[str, Any]:
    """All that an answer depends on but the form: the checkpoint's files, how it searches, the photo, the messages."""
    return {
        "checkpoint": card.sha256,
        "beam size": card.beam_size,
        "length penalty": card.length_penalty,
        "may repeat": list(card.may_repeat),
        "photo format": json.loads(json.dumps(asdict(card.photo))),
        "photo": hashlib.sha256(first.source.read_bytes()).hexdigest(),
        "version": VERSION,
    }


def answer_message(first: FirstAnswer) -> Message:
    """What the model finds, as it travels, without what each server says for itself."""
    message = WordPool().fold(update_message(first.found()))
    return {name: value for name, value in message.items() if name not in OF_SERVER}


def main() -> None:
    """Write the record."""
    answers, of = {}, {}
    for form in FORMS:
        try:
            captioner = Captioner.load(form=form)
        except FormError:
            continue
        first = first_answer(Engine(captioner, files_folder()), 0)
        assert first is not None, "two examples are the project's own"
        of, answers[form] = made_of(captioner.card, first), answer_message(first)
    RECORD.write_text(json.dumps({"of": of, "answers": answers}, ensure_ascii=False) + "\n", encoding="utf-8")


def _read(record: Path) -> dict[str, Any]:
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


if __name__ == "__main__":
    main()
