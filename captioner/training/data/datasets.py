"""Captioned photo collections in the forms people have: see docs/data.md.

Karpathy's split JSON, COCO's captions JSON, ``Flickr8k.token.txt``, CSV, and proposed captions as JSON lines.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captioner.vocabulary import tokenize

Tokens = tuple[str, ...]
SPLITS = {"restval": "train", "dev": "val", "validation": "val"}  # as Karpathy and others call them
TOKEN_LINE = re.compile(r"([^\t]+)#\d+\t(.*)")
SHOWN = 20
FORMS = (
    "expected Karpathy's split JSON, COCO's captions JSON, lines PHOTO#NUMBER<tab>CAPTION, CSV PHOTO,CAPTION[,SPLIT] "
    "or JSON lines with filename and captions (docs/data.md)"
)


class DatasetError(ValueError):
    """A data set that cannot be read; the message names the file, the place and the remedy."""


@dataclass(frozen=True)
class Example:
    """One photo with its reference captions, in lower-case words without punctuation."""

    filename: str  # relative to the photo folder
    split: str
    captions: tuple[Tokens, ...]
    source: str = ""  # the name of its `captioner.training.data.sources.Source`


@dataclass(frozen=True)
class Dataset:
    """A captioned photo collection: ``train`` and ``val`` examples of one photo folder."""

    name: str
    photos: Path
    examples: tuple[Example, ...]

    def split(self, split: str) -> tuple[Example, ...]:
        """The examples of one split, in the file's order."""
        chosen = self.of(split)
        if not chosen:
            raise DatasetError(f"{self.name} has no photos in its split {split!r}")
        return chosen

    def of(self, split: str) -> tuple[Example, ...]:
        """The same, which may be none."""
        return tuple(example for example in self.examples if example.split == split)


def read_dataset(path: Path, photos: Path) -> Dataset:
    """Read a captions file; its form is seen from its content.

    Captions are tokenised as everywhere in the project: lower case, without punctuation. A form that has no
    splits is all ``train``, or all ``val`` or ``test`` if the file's name says so.

    Raises:
        DatasetError: naming every place that is of no such form, or if the photo folder is missing.
    """
    if not photos.is_dir():
        raise DatasetError(f"{photos} is not a folder; --photos must name the folder of the photos")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: {FORMS}, found no text in UTF-8 ({error})") from error
    said = _json(path, text) if text.lstrip()[:1] in ("{", "[") else _text(path, text)
    examples = tuple(
        Example(name, split, tuple(caption for caption in captions if caption))
        for name, (split, captions) in said.items()
    )
    return Dataset(path.stem, photos, examples)


Said = dict[str, tuple[str, list[Tokens]]]  # file name → split, captions
Found = list[tuple[str, str, list[Tokens]]]  # file name, split, captions
Entry = tuple[str, Callable[[], Found]]  # a place in the file, and what stands there


def _json(path: Path, text: str) -> Said:
    try:
        content = json.loads(text)
    except ValueError as error:
        if "\n" in text.strip():
            return _collected(path, _json_lines(path, text))
        raise DatasetError(f"{path}: {FORMS}, found broken JSON ({error})") from error
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return _collected(path, _coco(path, content))
    if isinstance(content, dict) and isinstance(content.get("images"), list):
        return _collected(path, _karpathy(content["images"]))
    if isinstance(content, dict) and "filename" in content:
        return _collected(path, _json_lines(path, text))
    raise DatasetError(f"{path}: {FORMS}, found other JSON")


def _collected(path: Path, entries: Iterable[Entry]) -> Said:
    """All entries by photo; every wrong one is named."""
    said: Said = {}
    wrong = []
    for place, read in entries:
        try:
            for name, split, captions in read():
                said.setdefault(name, (SPLITS.get(split, split), []))[1].extend(captions)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            wrong.append(f"{path}, {place}: {reason}")
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise DatasetError("\n".join([*wrong[:SHOWN], *more, FORMS]))
    return said


def _karpathy(images: list[Any]) -> Iterator[Entry]:
    def read(image: dict[str, Any]) -> Found:
        name = str(Path(image.get("filepath", "")) / image["filename"])
        return [
            (name, str(image["split"]), [_sentence(number, each) for number, each in enumerate(image["sentences"])])
        ]

    for number, image in enumerate(images):
        yield f"images[{number}]", lambda image=image: read(image)  # type: ignore[misc]


def _sentence(number: int, sentence: dict[str, Any]) -> Tokens:
    if "tokens" not in sentence:
        return _words(sentence["raw"])
    tokens = sentence["tokens"]
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ValueError(f"sentences[{number}].tokens should be a list of words, found {str(tokens)[:40]!r}")
    return tuple(word for token in tokens for word in _clean(token))


def _clean(token: str) -> list[str]:
    """A token of the file as a caption has it: ``it's`` stays one, ``Dog`` is lower case, a full stop is none."""
    word = token.lower()
    return [word] if "'" in word.strip("'") and word.replace("'", "").isalnum() else tokenize(token)


def _words(text: Any) -> Tokens:
    if not isinstance(text, str):
        raise ValueError(f"a caption should be text, found {str(text)[:40]!r}")
    return tuple(tokenize(text))


def _coco(path: Path, content: Mapping[str, Any]) -> Iterator[Entry]:
    split = _split_by_name(path)
    names: dict[Any, str] = {}

    def photo(image: dict[str, Any]) -> Found:
        names[image["id"]] = str(image["file_name"])
        return [(names[image["id"]], split, [])]

    def caption(annotation: dict[str, Any]) -> Found:
        if annotation["image_id"] not in names:
            raise ValueError(f"image_id {annotation['image_id']!r} is that of no image")
        return [(names[annotation["image_id"]], split, [_words(annotation["caption"])])]

    for number, image in enumerate(content.get("images", [])):
        yield f"images[{number}]", lambda image=image: photo(image)  # type: ignore[misc]
    for number, annotation in enumerate(content["annotations"]):
        yield f"annotations[{number}]", lambda annotation=annotation: caption(annotation)  # type: ignore[misc]


def _json_lines(path: Path, text: str) -> Iterator[Entry]:
    split = _split_by_name(path)

    def read(line: str) -> Found:
        photo = json.loads(line)
        return [(str(photo["filename"]), split, [_words(caption["raw"]) for caption in photo["captions"]])]

    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"line {number}", lambda line=line: read(line)  # type: ignore[misc]


def _text(path: Path, text: str) -> Said:
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise DatasetError(f"{path}: {FORMS}, found nothing")
    tabbed = path.suffix.lower() != ".csv" and "\t" in lines[0]
    return _collected(path, _token_lines(path, lines) if tabbed else _csv(path, lines))


def _token_lines(path: Path, lines: list[str]) -> Iterator[Entry]:
    split = _split_by_name(path)

    def read(line: str) -> Found:
        found = TOKEN_LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"should be PHOTO#NUMBER<tab>CAPTION, found {line[:60]!r}")
        return [(found[1], split, [_words(found[2])])]

    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"line {number}", lambda line=line: read(line)  # type: ignore[misc]


def _csv(path: Path, lines: list[str]) -> Iterator[Entry]:
    split = _split_by_name(path)

    def read(row: list[str]) -> Found:
        if len(row) not in (2, 3) or not row[0].strip():
            raise ValueError(f"should be PHOTO,CAPTION or PHOTO,CAPTION,SPLIT (quote commas), found {row[:4]}")
        return [(row[0].strip(), row[2].strip() if len(row) == 3 else split, [_words(row[1])])]

    rows = csv.reader(lines, skipinitialspace=True)
    for row in rows:
        header = rows.line_num == 1 and [cell.strip().lower() for cell in row[1:2]] == ["caption"]
        if row and not header:
            yield f"line {rows.line_num}", lambda row=row: read(row)  # type: ignore[misc]


def _split_by_name(path: Path) -> str:
    words = re.split(r"[^a-z]+", path.stem.lower())
    return next((split for split in ("val", "test") if split in words), "train")
