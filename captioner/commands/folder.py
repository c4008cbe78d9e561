"""What was named on the command line → photos, found by content; and at the end, what was skipped and why."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from captioner.photo_file import looks_like_a_photo

# A file with one of these names is meant to be a photo: if it is none, that is said of it.
PHOTO_SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"),
    *(".heic", ".heif", ".ppm", ".pgm"),
}
NAMES_SHOWN = 3


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
