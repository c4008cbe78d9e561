"""Photos in, results out: what was named on the command line, found by content; a line a result, kept when stopped.

At the end what was skipped, and why, and the results as JSON, CSV or in COCO's form.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from captioner.photo_file import looks_like_a_photo

# A file with one of these names is meant to be a photo: if it is none, that is said of it.
PHOTO_SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"),
    *(".heic", ".heif", ".ppm", ".pgm"),
}
NAMES_SHOWN = 3
OUTPUT_SUFFIXES = (".jsonl", ".json", ".csv")
COLUMNS = ("image", "caption", "log_prob", "incomplete")
LAST_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d+$")

LINE_BEGINS = b'{"image": "'

Row = dict[str, Any]  # `COLUMNS`, and ``by``: what wrote it


class OutputError(ValueError):
    """A result that cannot be written where, or as, it was asked for."""


@dataclass(frozen=True)
class Found:
    """What was named on the command line, with folders opened.

    Attributes:
        photos: to be captioned, in order.
        others: files of the folders that are no photos, by content and by name.
        unopened: folders inside that were not looked into.
        folders: those that were named.
    """

    photos: tuple[Path, ...]
    others: tuple[Path, ...] = ()
    unopened: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()

    def name(self, photo: Path) -> str:
        """How a photo is called in the results: by its path inside the folder, if one was named and nothing else."""
        if len(self.folders) == 1 and photo != self.folders[0] and photo.is_relative_to(self.folders[0]):
            return photo.relative_to(self.folders[0]).as_posix()
        return photo.as_posix()


def find(given: Sequence[Path], recursive: bool) -> Found:
    """The photos themselves, and those in the folders by name; a folder without any stays, to be refused."""
    photos: list[Path] = []
    others: list[Path] = []
    unopened: list[Path] = []
    folders = [each for each in given if each.is_dir()]
    for each in given:
        inside = [] if each not in folders else list(_files(each, recursive, unopened))
        kept = [path for path in inside if _is_a_photo(path)]
        others += sorted(set(inside) - set(kept))
        photos += sorted(kept) or [each]
    alone = folders if len(given) == 1 else []
    return Found(tuple(photos), tuple(others), tuple(unopened), tuple(alone or folders))


def _files(folder: Path, recursive: bool, unopened: list[Path]) -> Iterator[Path]:
    """Ordinary files; links to folders are not followed, as they can lead in a circle."""
    closed: list[Path] = unopened

    def unreadable(error: OSError) -> None:
        closed.append(Path(error.filename))

    for place, inner, names in os.walk(folder, onerror=unreadable):
        yield from (path for path in (Path(place, name) for name in names) if path.is_file())
        if not recursive:
            unopened += sorted(Path(place, name) for name in inner)
            inner.clear()


def _is_a_photo(path: Path) -> bool:
    """By name, unless hidden (a Mac writes ``._photo.jpg`` beside ``photo.jpg``), or by content."""
    if path.suffix.lower() in PHOTO_SUFFIXES and not path.name.startswith("."):
        return True
    try:
        with path.open("rb") as stream:
            return looks_like_a_photo(stream)
    except OSError:
        return False


@dataclass
class Report:
    """What became of the photos, and of what else was found."""

    captioned: int = 0
    before: int = 0
    incomplete: list[str] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def skip(self, photo: str, reason: str) -> None:
        """Note why a photo has no caption."""
        self.skipped.setdefault(reason, []).append(photo)

    def lines(self, found: Found, recursive: bool) -> Iterator[str]:
        """The end of the run, a line for each kind of thing."""
        seconds = time.monotonic() - self._began
        rate = f" in {_spent(seconds)} ({self.captioned / seconds:.2g} a second)" if self.captioned and seconds else ""
        before = f", {self.before} had one already" if self.before else ""
        yield f"{_count(self.captioned, 'photo')} captioned{rate}{before}."
        if self.incomplete:
            count = _count(len(self.incomplete), "photo")
            yield f"{count} captioned as far as the file goes: {_some(self.incomplete)}."
        for reason, photos in self.skipped.items():
            yield f"{_count(len(photos), 'photo')} skipped: {_some(photos)}. {reason}"
        if found.others:
            names = _some([each.name for each in found.others])
            yield f"{_count(len(found.others), 'file')} left out as no photo: {names}."
        if found.unopened:
            names, hint = _some([each.name for each in found.unopened]), "" if recursive else "; see --recursive"
            yield f"{_count(len(found.unopened), 'folder')} inside not looked into: {names}{hint}."


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _spent(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.1f} s"


class Results:
    """An output file that grows by a line a photo.

    A ``.jsonl`` is that file itself. ``.json`` and ``.csv`` are written from it at the end; until then the lines
    are in a file beside it, ``.part``.

    Args:
        output: the file that was asked for.
        by: model and settings; lines by others are not mixed with these.
        coco: whether the rows are to be ``image_id`` and ``caption`` only, as COCO's results are.

    Raises:
        OutputError: if the file cannot be read or written, or was not written by the same model and settings.
    """

    def __init__(self, output: Path, by: str, coco: bool = False) -> None:
        self._output, self._by, self._coco = output, by, coco
        self._lines = output if output.suffix.lower() == ".jsonl" and not coco else Path(f"{output}.part")
        self.done: frozenset[str] = frozenset(row["image"] for row in self._kept())
        self._stream = self._lines.open("ab")

    def add(self, image: str, values: Mapping[str, Any]) -> None:
        """Write a photo's line; it is in the file when this returns."""
        row = {"image": image, **values, "by": self._by}
        self._stream.write(_line(row).encode())
        self._stream.flush()

    def close(self, images: Iterable[str] | None = None) -> None:
        """End; with all ``images`` in their order, once every one was tried, also write the form asked for."""
        self._stream.close()
        if images is None or self._lines == self._output:
            return
        place = {image: index for index, image in enumerate(images)}
        rows = sorted(self._rows(), key=lambda row: place.get(row["image"], len(place)))
        form = _csv if self._output.suffix.lower() == ".csv" else _json
        write_whole(self._output, form(_coco(rows) if self._coco else rows))
        self._lines.unlink()

    def _kept(self) -> list[Row]:
        """The lines that are there; what a killed run left of its last line is cut off, if it can be that."""
        if not self._lines.exists():
            return []
        content = self._lines.read_bytes()
        whole = content.rfind(b"\n") + 1
        half = content[whole:]
        rows = self._rows()
        if not half.startswith(LINE_BEGINS[: len(half)]):
            raise self._foreign(len(rows) + 1)
        for row in rows:
            if row["by"] != self._by:
                raise OutputError(
                    f"{self._lines} was written with {row['by']}, and now it would be {self._by}; "
                    "please name another file, or remove this one."
                )
        os.truncate(self._lines, whole)
        return rows

    def _rows(self) -> list[Row]:
        """Of the lines that have an end."""
        rows: list[Row] = []
        for number, line in enumerate(self._lines.read_bytes().split(b"\n")[:-1], 1):
            try:
                row = json.loads(line)
                rows.append({name: row[name] for name in (*COLUMNS, "by")})
            except (ValueError, TypeError, KeyError):
                raise self._foreign(number) from None
        return rows

    def _foreign(self, line: int) -> OutputError:
        return OutputError(f"{self._lines}, line {line}: this is no result of this command; please name another file.")


def image_ids(images: Iterable[str]) -> dict[str, int | str]:
    """COCO's number of each photo: the one its name ends in, as in COCO_val2014_000000391895.jpg; else its stem.

    Raises:
        OutputError: if two photos have the same.
    """
    ids: dict[str, int | str] = {}
    known: dict[int | str, str] = {}
    for image in images:
        stem = Path(image).stem
        number = LAST_NUMBER.search(stem)
        ids[image] = int(number[0]) if number else stem
        if (other := known.setdefault(ids[image], image)) != image:
            raise OutputError(f"{other} and {image} would both be image_id {ids[image]!r}; please leave out --coco.")
    return ids


def sidecars(photos: Sequence[Path]) -> dict[Path, Path]:
    """A text file beside each photo: ``cat.txt`` for cat.jpg, but ``cat.jpg.txt`` where there is a cat.png too."""
    shared = Counter(photo.with_suffix("") for photo in photos)
    return {
        photo: photo.with_name(f"{photo.stem if shared[photo.with_suffix('')] == 1 else photo.name}.txt")
        for photo in photos
    }


def write_whole(path: Path, content: str) -> None:
    """Write a file that is either there in whole or not at all."""
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_text(content, encoding="utf-8", errors="replace", newline="")
    fresh.replace(path)


def _coco(rows: Sequence[Row]) -> list[Row]:
    ids = image_ids(row["image"] for row in rows)
    return [{"image_id": ids[row["image"]], "caption": row["caption"]} for row in rows]


def _json(rows: Sequence[Row]) -> str:
    return "[\n" + ",\n".join(_line(row).rstrip() for row in rows) + "\n]\n"


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "incomplete": str(row["incomplete"]).lower()} for row in rows)
    return text.getvalue()


def _line(row: Row) -> str:
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # a file's name that is no text; escaped, it can be read back
        line = json.dumps(row)
    return line + "\n"
