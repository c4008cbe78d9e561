"""Annotations are kept for the photos asked about last; any other photo is looked at again when it is asked about."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable

from captioner.photo import Photo
from captioner.pipeline import Look
from demo.sessions import Shown

MAX_LOOKS = 32  # a class; 4 MB each


class Looks:
    """Bounds how many photos have their annotations kept. A photo that is forgotten takes its own along.

    Args:
        encode: looks at a photo.
        limit: of photos.
    """

    def __init__(self, encode: Callable[[Photo], Look], limit: int = MAX_LOOKS) -> None:
        self._encode, self._limit = encode, limit
        self._used: weakref.WeakKeyDictionary[Shown, int] = weakref.WeakKeyDictionary()
        self._turns, self._lock = itertools.count(), threading.Lock()

    def of(self, shown: Shown) -> Look:
        """The photo's look, encoded now if it is not kept."""
        look = shown.looked(self._encode)
        with self._lock:
            self._used[shown] = next(self._turns)
            while len(self._used) > self._limit:
                oldest = min(self._used.items(), key=lambda each: each[1])[0]
                oldest.look = None
                del self._used[oldest]
        return look
