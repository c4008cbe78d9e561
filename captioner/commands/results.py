"""The results of many photos: a line each, kept when a run is stopped; JSON, CSV or COCO's form when it is done."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from captioner.commands.folder import OutputError

OUTPUT_SUFFIXES = (".jsonl", ".json", ".csv")
COLUMNS = ("image", "caption", "log_prob", "incomplete")
LAST_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d+$")

LINE_BEGINS = b'{"image": "'

Row = dict[str, Any]  # `COLUMNS`, and ``by``: what wrote it


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
