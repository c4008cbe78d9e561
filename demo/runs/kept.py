"""What is kept of the photos asked about: a budget in bytes for pixels and annotations; the longest unused leave first.

A photo that leaves memory is written to the folder for temporary files, without loss, and read from there when
somebody asks about it again: the visitor sees no difference but a moment. What is free goes back to the machine: glibc
keeps it, for every thread apart, unless it is told.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from captioner.photo import Photo
from captioner.pipeline import Look
from demo.runs.updates import Shown

VARIABLE = "CAPTIONER_KEPT_MB"
LEAST, MOST, SHARE = 32, 64, 128  # megabytes, and which part of the memory that the process may have
MEGABYTE = 2**20
M_ARENA_MAX = -8  # malloc.h
ARENAS = 2
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # version 2, version 1


class BudgetError(ValueError):
    """A budget that is none; the message says what to set."""


def budget(environment: Mapping[str, str] = os.environ) -> int:
    """Bytes that may be kept: what the environment says, or else a 128th of `available`, from 32 to 64 MB.

    Raises:
        BudgetError: if the environment says no whole number of megabytes.
    """
    said = environment.get(VARIABLE, "")
    if said:
        if not said.isdecimal() or not int(said):
            raise BudgetError(f"{VARIABLE} must be a whole number of megabytes, at least 1, got {said[:20]!r}.")
        return int(said) * MEGABYTE
    return min(max(available() // SHARE, LEAST * MEGABYTE), MOST * MEGABYTE)


def available(limits: tuple[str, ...] = CGROUP_LIMITS) -> int:
    """Bytes of memory that this process may have: the machine's, or its container's if that is less."""
    machine = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else MOST * SHARE * MEGABYTE
    )
    return min([machine, *filter(None, map(_limit, limits))])


def _limit(path: str) -> int | None:
    try:
        said = Path(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(said) if said.isdecimal() else None  # "max" is none


def size_of(photo: Photo | None, look: Look | None) -> int:
    """Bytes of a photo's pixels and of its annotations; the view, which both have, counts once."""
    tensors = [photo.tensor] if photo else []
    if look is not None:
        tensors += [*look.annotations, *(look.folded or ())]
    view = photo.view if photo else look.view if look else None
    pixels = view.width * view.height * len(view.getbands()) if view else 0
    return pixels + sum(tensor.nbytes for tensor in tensors)


@dataclass(eq=False)
class _Kept:
    used: int
    look: Look | None = None
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class KeptPhotos:
    """The photos asked about, and their looks, as long as the budget lasts.

    A photo that is forgotten everywhere else takes its own along.

    Args:
        encode: looks at a photo.
        limit: bytes; the photo asked about last is kept, however large it is.
    """

    def __init__(self, encode: Callable[[Photo], Look], limit: int | None = None) -> None:
        self._encode, self.limit = encode, budget() if limit is None else limit
        self._kept: weakref.WeakKeyDictionary[Shown, _Kept] = weakref.WeakKeyDictionary()
        self._uses, self._lock = itertools.count(), threading.Lock()

    def __contains__(self, shown: Shown) -> bool:
        return shown in self._kept

    @property
    def bytes(self) -> int:
        """Of all that is kept."""
        with self._lock:
            return self._total()

    def add(self, shown: Shown) -> Shown:
        """A new photo, nobody has looked at it yet."""
        with self._lock:
            self._kept[shown] = _Kept(next(self._uses), bytes=size_of(shown.in_memory, None))
        self._make_room(shown)
        return shown

    def look(self, shown: Shown) -> Look:
        """The photo's look, encoded now, by whoever comes first, if it is not kept."""
        with self._lock:
            kept = self._kept.setdefault(shown, _Kept(next(self._uses)))
        with kept.lock:
            look = kept.look = kept.look or self._encode(shown.photo)
        with self._lock:
            kept.used, kept.bytes = next(self._uses), size_of(shown.in_memory, look)
            self._kept[shown] = kept  # others may have crowded it out meanwhile
        self._make_room(shown)
        return look

    def _make_room(self, wanted: Shown) -> None:
        """Let the longest unused go, all but ``wanted``, until what is left fits."""
        leaving = []
        with self._lock:
            others = sorted(
                (each for each in self._kept.items() if each[0] is not wanted), key=lambda each: each[1].used
            )
            total = self._total()
            for shown, kept in others:
                if total <= self.limit:
                    break
                total -= kept.bytes
                del self._kept[shown]
                leaving.append(shown)
        for shown in leaving:
            shown.put_away()

    def _total(self) -> int:
        return sum(kept.bytes for kept in self._kept.values())


def share_arenas() -> None:
    """Let all threads share a few pools of memory. Call before they are started; nothing happens without glibc."""
    _glibc("mallopt", M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give back what is free."""
    _glibc("malloc_trim", 0)


def _glibc(name: str, *numbers: int) -> None:
    try:
        function = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return
    function(*numbers)
