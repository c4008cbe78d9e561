"""The page's verbs without the page: show a photo, search again, stop. One stream of payloads each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from captioner.caption import Caption
from captioner.photo import Photo, PhotoError, PhotoSource, prepare
from captioner.pipeline import Captioner, Look
from captioner.render import Style
from captioner.search import SearchSettings, SettingsError
from captioner.whatif import hide
from demo.payload import VERSION, Payload, caption_json, guess_payload
from demo.results import result_payload
from demo.sessions import Captioned, Result, Session, Sessions, Shown
from demo.takeaway import write_takeaway
from demo.views import keep_view
from demo.whatif import NOTHING_YET, Question, answer, region_map

NO_PHOTO = "Please choose a photo first; the last one is no longer kept."


class Studio:
    """A captioner shared by many tabs.

    A tab's newest run owns its page: an older one ends at its next step, without another word.
    At most ``workers`` steps are computed at a time, so tabs take turns step by step.
    """

    def __init__(self, captioner: Captioner, views: Path, workers: int = 1, sessions: Sessions | None = None) -> None:
        self.captioner = captioner
        self.sessions = sessions or Sessions()
        self._views = views
        self._turn = threading.BoundedSemaphore(workers)

    def show(self, key: str, source: PhotoSource, settings: SearchSettings, name: str = "") -> Iterator[Payload]:
        """Look at a new photo and caption it; ``name`` is that of an example.

        Raises:
            PhotoError: before anything is yielded; the tab then keeps what it had.
        """
        run = self.sessions.ticket()
        photo = prepare(source, self.captioner.card.photo)
        session = self.sessions.get(key)
        if self.sessions.begin(session, run):
            session.shown = Shown(photo, keep_view(photo.view, self._views), name)
            yield from self._run(session, session.shown, run, settings)

    def search(self, key: str, settings: SearchSettings) -> Iterator[Payload]:
        """Caption the tab's photo again, with other settings; it is not encoded again.

        Raises:
            PhotoError: if the tab has no photo, or it was forgotten.
        """
        run, session = self.sessions.ticket(), self.sessions.get(key)
        if session.shown is None:
            raise PhotoError(NO_PHOTO)
        if self.sessions.begin(session, run):
            yield from self._run(session, session.shown, run, settings)

    def stop(self, key: str) -> None:
        """End the tab's run at its next step; its page keeps the words it has."""
        session = self.sessions.get(key)
        session.stopped = session.run

    def take(self, key: str, kind: str, index: int, style: Style) -> Path:
        """Write a finished caption of the tab as a file to download.

        Raises:
            SettingsError: if the tab has no such caption.
        """
        result = self.sessions.get(key).result
        if result is None:
            raise SettingsError(NOTHING_YET)
        with self._turn:
            return write_takeaway(result, index, kind, style, self._views)

    def ask(self, key: str, asked: Question) -> Iterator[Payload]:
        """Answer a what-if with one more caption beside those on the page.

        Raises:
            SettingsError: if the tab has no finished caption, or the question makes no sense.
        """
        run, session = self.sessions.ticket(), self.sessions.get(key)
        result = session.result
        if result is None or not 0 <= asked.index < len(result.found):
            raise SettingsError(NOTHING_YET)
        about = result.found[asked.index]
        shown = self._hidden(about.shown, asked) if asked.kind == "hide" else about.shown
        look = shown.looked(self._encode)
        with self._turn:
            caption = answer(self.captioner, look, about.caption.words, asked, result.settings)
        found = (*result.found, Captioned(caption, shown, asked.kind))
        if self.sessions.begin(session, run):
            session.result = replace(result, found=found)
            start = asked.position if asked.kind in ("word", "place") else 0
            base = self._base(result.found[0].shown, run, result.settings)
            yield {**base, "phase": "done", "start": start, **result_payload(found, len(found) - 1)}

    def captions(self, source: PhotoSource, settings: SearchSettings) -> Iterator[Payload]:
        """Caption a photo for a program: no tab, nothing kept.

        Raises:
            PhotoError: if it is no photo.
        """
        look = self._encode(prepare(source, self.captioner.card.photo))
        guesses = self.captioner.stream(look, settings)
        while True:
            with self._turn:
                guess = next(guesses, None)
            if guess is None:
                return
            yield caption_json(guess.leader, look.grid, guess.done)

    def score(self, source: PhotoSource, sentence: str) -> tuple[Look, Caption]:
        """A sentence of the person's own, as the model sees it."""
        look = self._encode(prepare(source, self.captioner.card.photo))
        with self._turn:
            return look, self.captioner.score(look, sentence)

    def _run(self, session: Session, shown: Shown, run: int, settings: SearchSettings) -> Iterator[Payload]:
        base = self._base(shown, run, settings)
        last = {**base, "phase": "looking", "words": [], "captions": [], "done": False}
        yield last
        look = shown.looked(self._encode)
        guesses = self.captioner.stream(look, settings)
        while session.run == run and not last["done"]:
            if session.stopped == run:
                last = {**last, "phase": "stopped", "done": True}
            else:
                with self._turn:
                    guess = next(guesses)
                phase = "done" if guess.done else "guessing" if settings.beam_size > 1 else "writing"
                last = {**base, "phase": phase, **guess_payload(guess, look.grid)}
                if guess.done and session.run == run:
                    session.result = Result(tuple(Captioned(caption, shown) for caption in guess.captions), settings)
            if session.run == run:
                yield last

    def _hidden(self, shown: Shown, asked: Question) -> Shown:
        grid = (self.captioner.encoder.config.grid,) * 2
        photo = hide(shown.photo.view, region_map(asked.region, grid) > 0, self.captioner.card.photo)
        return Shown(photo, keep_view(photo.view, self._views))

    def _base(self, shown: Shown, run: int, settings: SearchSettings) -> Payload:
        """What every message of a run repeats."""
        return {
            "version": VERSION,
            "run": run,
            "photo": shown.view,
            "example": shown.name,
            "size": list(shown.photo.view.size),
            "grid": [self.captioner.encoder.config.grid] * 2,
            "settings": [settings.beam_size, settings.temperature, settings.seed],
        }

    def _encode(self, photo: Photo) -> Look:
        with self._turn:
            return self.captioner.look(photo)
