"""What the server remembers of each browser tab: bounded in number and in age."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from captioner.caption import Caption, Word
from captioner.override import AttentionOverride
from captioner.photo import Photo
from captioner.pipeline import Look
from captioner.search import SearchSettings
from captioner.tree import SearchTree

SEARCH = "search"  # the origin of what no question brought
MAX_SESSIONS = 64
MAX_AGE = 3600.0
MAX_ANSWERS = 12  # a tab
LEFT_AGE = 120.0  # a laptop that slept, a network that failed for a moment


@dataclass(eq=False)
class Shown:
    """The photo a tab shows. It is looked at (encoded) by whichever run comes first, and again if that was dropped."""

    photo: Photo
    view: Path
    name: str = ""
    look: Look | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def looked(self, encode: Callable[[Photo], Look]) -> Look:
        """The photo's look, encoded now if no run has done so yet."""
        with self.lock:
            look = self.look  # another thread may drop it at any moment
            if look is None:
                look = self.look = encode(self.photo)
            return look


class Change(NamedTuple):
    """One word before and after its attention was replaced; both name the same runners-up."""

    position: int
    before: Word
    after: Word


class Captioned(NamedTuple):
    """A caption on the page, how it came about, and whether the search found it or what was asked."""

    caption: Caption
    shown: Shown
    settings: SearchSettings
    origin: str = SEARCH
    attention: AttentionOverride | None = None
    change: Change | None = None


class Result(NamedTuple):
    """What a finished search found, best first, then the newest answers to what was asked; the run that said so.

    ``forgotten``: how many older answers are no longer kept.
    """

    found: tuple[Captioned, ...]
    run: int
    tree: SearchTree = SearchTree()
    forgotten: int = 0

    def answered(self, answer: Captioned, run: int, about: Captioned) -> Result:
        """With one more answer; the oldest one goes when there are more than `MAX_ANSWERS`, but not ``about``."""
        found = [*self.found, answer]
        answers = [each for each in found if each.origin != SEARCH]
        if len(answers) <= MAX_ANSWERS:
            return self._replace(found=tuple(found), run=run)
        oldest = next(each for each in answers if each is not about)
        kept = tuple(each for each in found if each is not oldest)
        return self._replace(found=kept, run=run, forgotten=self.forgotten + 1)


@dataclass(eq=False)
class Session:
    """One tab: its photo, the run that may write to its page, and when the person last pressed Stop.

    ``stopped`` is a ticket too: every run that was asked for before it is to end. ``left`` is when
    the tab was closed, or lost; infinity while it is open.
    """

    shown: Shown | None = None
    result: Result | None = None
    run: int = 0
    stopped: int = 0
    used: float = 0.0
    left: float = math.inf


class Sessions:
    """Sessions by key; the longest unused leave when there are too many or they are too old.

    Run numbers rise across the server's life, so a page can tell a newer run from an older one.
    """

    def __init__(
        self, limit: int = MAX_SESSIONS, max_age: float = MAX_AGE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._max_age, self._clock = limit, max_age, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()
        self._tickets = itertools.count(time.time_ns() // 1_000_000)

    def __len__(self) -> int:
        return len(self._sessions)

    def ticket(self) -> int:
        """A number for a run, taken when the person asked for it; a later one outranks it."""
        return next(self._tickets)

    def get(self, key: str) -> Session:
        """The session of this tab, fresh if it is new or was forgotten."""
        with self._lock:
            now = self._clock()
            session = self._sessions.setdefault(key, Session())
            session.used, session.left = now, math.inf
            self._sessions.move_to_end(key)
            while len(self._sessions) > self._limit:
                self._sessions.popitem(last=False)
            self._forget(now)
            return session

    def leave(self, key: str) -> None:
        """The tab was closed: what it runs ends at its next step, what is kept for it goes soon."""
        with self._lock:
            if session := self._sessions.get(key):
                session.stopped, session.left = self.ticket(), self._clock()

    def sweep(self) -> None:
        """Forget the sessions that are too old, or whose tabs were closed and have not come back."""
        with self._lock:
            self._forget(self._clock())

    def begin(self, session: Session, run: int, result: Result | None = None) -> bool:
        """Give the page to this run, unless a later one has it already; ``result`` is what stays on it."""
        with self._lock:
            if run < session.run:
                return False
            session.run, session.result = run, result
            return True

    def finish(self, session: Session, run: int, result: Result) -> bool:
        """Keep what this run found, unless the page has gone to a later one."""
        with self._lock:
            if run != session.run:
                return False
            session.result = result
            return True

    def _forget(self, now: float) -> None:
        for key, session in list(self._sessions.items()):
            if now - session.used > self._max_age or now - session.left > LEFT_AGE:
                del self._sessions[key]
