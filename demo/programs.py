"""What programs ask: no tab, nothing kept; they take turns with the tabs, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from captioner.caption import Caption
from captioner.photo import Photo, PhotoSource
from captioner.pipeline import Guess, Look
from captioner.search import SearchSettings
from captioner.whatif import hide
from demo.numbers import numbers_payload
from demo.payload import Payload, caption_json
from demo.results import change_payload
from demo.sessions import Change
from demo.studio import Studio
from demo.whatif import Plan, Question, plan


class Programs:
    """A studio's captioner for programs. Every verb raises `PhotoError` or `SettingsError` on bad arguments."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._captioner = studio.captioner
        self.grid = studio.grid

    def captions(self, source: PhotoSource, settings: SearchSettings, beginning: str = "") -> Iterator[Payload]:
        """The caption as it grows; ``beginning``: words it must begin with."""
        look = self._look(source)
        for guess in self._turns(self._captioner.stream(look, settings, beginning)):
            yield caption_json(guess.leader, look.grid, guess.done)

    def score(self, source: PhotoSource, sentence: str) -> Payload:
        """A sentence of one's own, as the model sees it."""
        look = self._look(source)
        return caption_json(self._last(Plan(SearchSettings(), sentence=sentence), look), look.grid, done=True)

    def explain(self, source: PhotoSource, sentence: str, position: int) -> Payload:
        """The equations of one word of a sentence, in numbers."""
        look = self._look(source)
        with self._studio.turn:
            return numbers_payload(self._captioner.explain(look, sentence, position))

    def what_if(self, source: PhotoSource, settings: SearchSettings, asked: Question) -> Payload:
        """The model's own caption ``before``, and the one ``after``; for ``place`` also the word's ``change``."""
        photo = self._studio.open(source)
        look = self._studio.encode(photo)
        before = self._last(Plan(settings), look)
        planned = plan(asked, before, settings, None, self.grid)
        looked = self._studio.encode(self._painted(photo, asked)) if asked.kind == "hide" else look
        after = self._last(planned, looked)
        answer = {"before": caption_json(before, self.grid, True), "after": caption_json(after, self.grid, True)}
        if asked.kind == "place" and planned.attention is not None:
            with self._studio.turn:
                words = self._captioner.look_elsewhere(look, before.words, asked.position, planned.attention)
            answer["change"] = change_payload(Change(asked.position, *words))
        return answer

    def _painted(self, photo: Photo, asked: Question) -> Photo:
        return hide(photo.view, asked.map(self.grid) > 0, self._captioner.card.photo)

    def _look(self, source: PhotoSource) -> Look:
        return self._studio.encode(self._studio.open(source))

    def _last(self, planned: Plan, look: Look) -> Caption:
        *_, last = self._turns(planned.guesses(self._captioner, look))
        return last.leader

    def _turns(self, guesses: Iterator[Guess]) -> Iterator[Guess]:
        while True:
            with self._studio.turn:
                guess = next(guesses, None)
            if guess is None:
                return
            yield guess
