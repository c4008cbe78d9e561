"""Example photos that scikit-image carries inside its own package: nothing is downloaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from PIL import Image


class Example(NamedTuple):
    """A photo to try."""

    name: str
    path: Path

    @property
    def size(self) -> list[int]:
        """Width and height in pixels."""
        with Image.open(self.path) as image:
            return list(image.size)


FILES = {"Astronaut": "astronaut.png", "Cat": "chelsea.png", "Coffee": "coffee.png", "Rocket": "rocket.jpg"}


def examples() -> tuple[Example, ...]:
    """The photos of scikit-image that are installed here, in the order they are offered."""
    package = find_spec("skimage")  # found, not imported, which would be slow
    folders = package.submodule_search_locations if package else None
    found = (Example(name, Path(folder) / "data" / file) for name, file in FILES.items() for folder in folders or ())
    return tuple(example for example in found if example.path.is_file())


def example(name: str) -> Example | None:
    """The example of this name, or None."""
    return next((each for each in examples() if each.name == name), None)
