"""What programs ask: no tab, nothing kept; they take turns with the tabs, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from captioner.caption import Caption
from captioner.equations import StepNumbers
from captioner.photo import PhotoSource
from captioner.pipeline import Guess
from captioner.search import SearchSettings
from demo.runs.engine import Engine
from demo.runs.questions import Question
from demo.runs.updates import Captioned


class Pair(NamedTuple):
    """The model's own caption, and the one that answers a question about it."""

    before: Captioned
    after: Captioned


class Programs:
    """An engine for programs. Every verb raises `PhotoError` or `SettingsError` on bad arguments."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def captions(self, source: PhotoSource, settings: SearchSettings, beginning: str = "") -> Iterator[Guess]:
        """The caption as it grows; ``beginning``: words it must begin with."""
        look = self.engine.look(self.engine.open(source))
        yield from self.engine.search(look, settings, beginning)

    def caption(self, source: PhotoSource, settings: SearchSettings, beginning: str = "") -> Caption:
        """The finished caption; ``beginning``: words it must begin with."""
        *_, last = self.captions(source, settings, beginning)
        return last.leader

    def score(self, source: PhotoSource, sentence: str) -> Caption:
        """A sentence of one's own, as the model sees it."""
        return self.engine.score(self.engine.look(self.engine.open(source)), sentence)

    def explain(self, source: PhotoSource, sentence: str, position: int) -> StepNumbers:
        """The equations of one word of a sentence, in numbers."""
        look = self.engine.look(self.engine.open(source))
        with self.engine.turn:
            return self.engine.captioner.explain(look, sentence, position)

    def what_if(self, source: PhotoSource, settings: SearchSettings, asked: Question) -> Pair:
        """The model's own caption before, and the answer to what is asked about it after."""
        shown = self.engine.open(source)
        look = self.engine.look(shown)
        *_, last = self.engine.search(look, settings)
        before = Captioned(last.leader, shown, settings)
        *_, after = asked.answers(self.engine, before)
        assert after is not None, "the last of all answers is one"
        return Pair(before, after)
