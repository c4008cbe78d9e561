"""The page's verbs without the page: show a photo, search again, stop. One stream of payloads each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from captioner.photo import Photo, PhotoError, PhotoSource, prepare
from captioner.pipeline import Captioner, Look
from captioner.render import Style
from captioner.search import SearchSettings, SettingsError
from captioner.tree import SearchTree
from captioner.whatif import hide
from demo.line import PLACES, Line
from demo.looks import Looks
from demo.numbers import numbers_payload
from demo.payload import VERSION, Payload, guess_payload
from demo.results import page_payload, run_payload
from demo.sessions import Captioned, Change, Result, Session, Sessions, Shown
from demo.takeaway import write_takeaway
from demo.views import keep_view
from demo.whatif import NO_SUCH_CAPTION, NOTHING_YET, Plan, Question, plan, region_map
from demo.wire import tree_payload

PATIENCE = 0.5  # seconds between two looks at the line
NO_PHOTO = "Please choose a photo first; the last one is no longer kept."

Ahead = Callable[[float], int]  # see `demo.line.Line.stand`


class Studio:
    """A captioner shared by many tabs.

    A tab's newest run owns its page: an older one ends at its next step, without another word.
    A few runs are at work, the others stand in line and are told how many are ahead of them. At most
    ``workers`` steps are computed at a time, so runs and programs take turns step by step.
    """

    def __init__(self, captioner: Captioner, views: Path, workers: int = 1, sessions: Sessions | None = None) -> None:
        self.captioner = captioner
        self.sessions = Sessions() if sessions is None else sessions  # empty ones are false
        self._views = views
        self.turn = threading.BoundedSemaphore(workers)
        self.line = Line()
        self._looks = Looks(self.encode)
        self._opening = threading.BoundedSemaphore(PLACES)

    def show(self, key: str, source: PhotoSource, settings: SearchSettings, name: str = "") -> Iterator[Payload]:
        """Look at a new photo and caption it; ``name`` is that of an example.

        Raises:
            PhotoError: before anything is yielded; the tab then keeps what it had.
            BusyError: likewise, if the line is full.
        """
        run = self.sessions.ticket()
        with self.line.stand() as ahead:
            photo = self.open(source)
            session = self.sessions.get(key)
            if self.sessions.begin(session, run):
                session.shown = Shown(photo, keep_view(photo.view, self._views), name)
                yield from self._run(session, session.shown, run, settings, ahead)

    def search(self, key: str, settings: SearchSettings) -> Iterator[Payload]:
        """Caption the tab's photo again, with other settings; it is not encoded again.

        Raises:
            PhotoError: if the tab has no photo, or it was forgotten.
            BusyError: if the line is full.
        """
        run, session = self.sessions.ticket(), self.sessions.get(key)
        if session.shown is None:
            raise PhotoError(NO_PHOTO)
        with self.line.stand() as ahead:
            if self.sessions.begin(session, run):
                yield from self._run(session, session.shown, run, settings, ahead)

    def stop(self, key: str) -> None:
        """End what the tab runs or asked for at its next step; its page keeps the words it has."""
        self.sessions.get(key).stopped = self.sessions.ticket()

    def take(self, key: str, kind: str, index: int, style: Style) -> Path:
        """Write a finished caption of the tab as a file to download.

        Raises:
            SettingsError: if the tab has no such caption.
        """
        result = self.sessions.get(key).result
        if result is None:
            raise SettingsError(NOTHING_YET)
        with self.turn:
            return write_takeaway(result, index, kind, style, self._views)

    def ask(self, key: str, asked: Question) -> Iterator[Payload]:
        """Answer a what-if with one more caption beside those on the page; Stop or a refusal brings those back.

        Raises:
            SettingsError: if the tab has no finished caption, or the question makes no sense.
            BusyError: if the line is full.
        """
        run, session = self.sessions.ticket(), self.sessions.get(key)
        result = self._result(session, asked.index)
        about = result.found[asked.index]
        shown = self._hidden(about.shown, asked) if asked.kind == "hide" else about.shown
        planned = plan(asked, about.caption, about.settings, about.attention, self.grid)
        with self.line.stand() as ahead:
            if not self.sessions.begin(session, run, result):
                return
            asking = {"version": VERSION, "run": result.run, "phase": "asking"}
            yield asking
            for before in _waiting(session, run, ahead):
                yield {**asking, "ahead": before}
            try:
                answer = self._answer(session, run, shown, planned, about, asked)
            except SettingsError:
                yield page_payload(result, asked.index, self.grid)
                raise
        if answer is None:
            if session.run == run:
                yield page_payload(result, asked.index, self.grid)
            return
        answered = result.answered(answer, run, about)
        if self.sessions.finish(session, run, answered):
            start = asked.position if asked.kind in ("word", "place") else 0
            beside = next(place for place, each in enumerate(answered.found) if each is about)
            yield {**page_payload(answered, len(answered.found) - 1, self.grid), "start": start, "beside": beside}

    def explain(self, key: str, run: int, index: int, position: int) -> Payload:
        """The equations of one word of a caption that ``run`` brought to the tab, in numbers.

        Raises:
            SettingsError: if the tab has no such caption or word, or shows another run by now.
        """
        result = self._result(self.sessions.get(key), index)
        if result.run != run:
            raise SettingsError(NOTHING_YET)
        about = result.found[index]
        look = self._looks.of(about.shown)
        with self.turn:
            return numbers_payload(self.captioner.explain(look, about.caption.words, position, about.attention))

    def _run(
        self, session: Session, shown: Shown, run: int, settings: SearchSettings, ahead: Ahead
    ) -> Iterator[Payload]:
        base = run_payload(shown, run, settings, self.grid)
        last = {**base, "phase": "looking", "words": [], "captions": [], "done": False}
        for before in _waiting(session, run, ahead):
            yield {**last, "phase": "waiting", "ahead": before}
        if session.run != run:
            return
        if session.stopped > run:
            yield {**last, "phase": "stopped", "done": True}
            return
        yield last
        look = self._looks.of(shown)
        guesses, tree = self.captioner.stream(look, settings), SearchTree()
        while session.run == run and not last["done"]:
            if session.stopped > run:
                last = {**last, "phase": "stopped", "done": True}
            else:
                with self.turn:
                    guess = next(guesses)
                phase = "done" if guess.done else "guessing" if settings.beam_size > 1 else "writing"
                tree = tree.grown(guess.captions)
                last = {**base, "phase": phase, **guess_payload(guess, look.grid), "tree": tree_payload(tree)}
                if guess.done:
                    found = tuple(Captioned(caption, shown, settings) for caption in guess.captions)
                    self.sessions.finish(session, run, Result(found, run, tree))
            if session.run == run:
                yield last

    def _answer(
        self, session: Session, run: int, shown: Shown, planned: Plan, about: Captioned, asked: Question
    ) -> Captioned | None:
        """The answer, or None if the person pressed Stop or asked for something else meanwhile."""
        if not _wanted(session, run):
            return None
        look = self._looks.of(shown)
        guesses = planned.guesses(self.captioner, look)
        while _wanted(session, run):
            with self.turn:
                guess = next(guesses)
            if not guess.done:
                continue
            answer = Captioned(guess.leader, shown, planned.settings, asked.kind, planned.attention)
            if asked.kind != "place" or planned.attention is None:
                return answer
            with self.turn:
                words = self.captioner.look_elsewhere(
                    look, about.caption.words, asked.position, planned.attention, about.attention
                )
            return answer._replace(change=Change(asked.position, *words))
        return None

    def _hidden(self, shown: Shown, asked: Question) -> Shown:
        photo = hide(shown.photo.view, region_map(asked.region, self.grid) > 0, self.captioner.card.photo)
        return Shown(photo, keep_view(photo.view, self._views))

    @staticmethod
    def _result(session: Session, index: int) -> Result:
        result = session.result
        if result is None:
            raise SettingsError(NOTHING_YET)
        if not 0 <= index < len(result.found):
            raise SettingsError(NO_SUCH_CAPTION)
        return result

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the attention maps."""
        return (self.captioner.encoder.config.grid,) * 2

    def open(self, source: PhotoSource) -> Photo:
        """Decode a photo; few at a time, since a large one takes much memory.

        Raises:
            PhotoError: if it is none.
        """
        with self._opening:
            return prepare(source, self.captioner.card.photo)

    def encode(self, photo: Photo) -> Look:
        """Look at a photo when it is this tab's or program's turn."""
        with self.turn:
            return self.captioner.look(photo)


def _wanted(session: Session, run: int) -> bool:
    """Whether this run still owns the page, and nobody has pressed Stop or left."""
    return session.run == run and session.stopped < run


def _waiting(session: Session, run: int, ahead: Ahead) -> Iterator[int]:
    """How many are ahead of this run, now and then, until it is its turn or it is to end."""
    while _wanted(session, run) and (before := ahead(PATIENCE)):
        yield before
