"""Flickr8k, Flickr30k and MS COCO in the form of the Karpathy split JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Tokens = tuple[str, ...]


class DatasetError(ValueError):
    """A data set that cannot be read; the message names the file and the remedy."""


@dataclass(frozen=True)
class Example:
    """One photo with its reference captions, tokenised as the split file has them."""

    filename: str  # relative to the photo folder
    split: str
    captions: tuple[Tokens, ...]


@dataclass(frozen=True)
class Dataset:
    """A captioned photo collection: ``train`` and ``val`` examples of one photo folder."""

    name: str
    photos: Path
    examples: tuple[Example, ...]

    def split(self, split: str) -> tuple[Example, ...]:
        """The examples of one split, in the file's order."""
        chosen = tuple(example for example in self.examples if example.split == split)
        if not chosen:
            raise DatasetError(f"{self.name} has no photos in its split {split!r}")
        return chosen


def read_dataset(json_path: Path, photos: Path) -> Dataset:
    """Read a Karpathy split JSON; COCO's ``restval`` counts as ``train``, as is usual.

    Raises:
        DatasetError: if the file is not such a JSON, or the photo folder is missing.
    """
    if not photos.is_dir():
        raise DatasetError(f"{photos} is not a folder; --photos must name the folder of the photos")
    try:
        content = json.loads(json_path.read_text(encoding="utf-8"))
        examples = tuple(_example(image) for image in content["images"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{json_path} is not a Karpathy split JSON ({error!r})") from error
    return Dataset(str(content.get("dataset", json_path.stem)), photos, examples)


def _example(image: dict[str, Any]) -> Example:
    split = "train" if image["split"] == "restval" else image["split"]
    captions = tuple(tuple(sentence["tokens"]) for sentence in image["sentences"])
    return Example(str(Path(image.get("filepath", "")) / image["filename"]), split, captions)
