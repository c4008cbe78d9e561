"""The page's verbs without the page: show a photo, search again, stop. One stream of payloads each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from captioner.caption import Caption
from captioner.photo import Photo, PhotoError, PhotoSource, prepare
from captioner.pipeline import Captioner, Look
from captioner.search import SearchSettings
from demo.payload import VERSION, Payload, caption_json, guess_payload
from demo.sessions import Session, Sessions, Shown
from demo.views import keep_view

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

    def show(self, key: str, source: PhotoSource, settings: SearchSettings) -> Iterator[Payload]:
        """Look at a new photo and caption it.

        Raises:
            PhotoError: before anything is yielded; the tab then keeps what it had.
        """
        run = self.sessions.ticket()
        photo = prepare(source, self.captioner.card.photo)
        session = self.sessions.get(key)
        if self.sessions.begin(session, run):
            session.shown = Shown(photo, keep_view(photo.view, self._views))
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
        base = {"version": VERSION, "run": run, "photo": shown.view, "size": list(shown.photo.view.size)}
        base["settings"] = [settings.beam_size, settings.temperature, settings.seed]
        base["grid"] = [self.captioner.encoder.config.grid] * 2
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
            if session.run == run:
                yield last

    def _encode(self, photo: Photo) -> Look:
        with self._turn:
            return self.captioner.look(photo)
