"""What if? One class a question that a visitor can ask of a caption; each owns its plan, its photo and its answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from captioner.caption import Caption, Floats
from captioner.override import AttentionOverride
from captioner.photo import hide
from captioner.pipeline import Guess
from captioner.search import SearchSettings
from captioner.settings import SettingsError, whole
from captioner.settings import shown as excerpt
from demo.runs.engine import Engine
from demo.runs.updates import Asked, Captioned, Change, Condition, Origin, Shown
from demo.texts import english


@dataclass(frozen=True, eq=False)
class Plan:
    """How a question is answered: a search with what is forced upon it, or a sentence to weigh in its place.

    ``changed``: the position of the word of which the answer also says how its probabilities change.
    """

    shown: Shown
    settings: SearchSettings
    beginning: tuple[str, ...] = ()
    attention: AttentionOverride | None = None
    sentence: str | None = None
    changed: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Question(ABC):
    """A question about one caption, answered by one more caption beside it.

    Attributes:
        index: of a caption among those on the page.
        keep: whether to ask under what was changed for that caption: a word was said, or a place hidden.
        start: the word from which on the answer is worth watching.
        about_a_word: whether it asks about a word of the caption, or about all of it.
        sees_otherwise: whether the model is to see something else, or to look elsewhere; then the words of the caption
            that was asked about have another likelihood too.
    """

    origin: ClassVar[Origin]
    about_a_word: ClassVar[bool] = False
    sees_otherwise: ClassVar[bool] = False
    index: int = 0
    keep: bool = False

    @property
    def start(self) -> int:
        """The first word, if no other is asked about."""
        return 0

    @property
    def asked(self) -> Asked:
        """What is asked, as plain values; a question that asks the same of the same caption has the same answer."""
        return (self.origin, *self._details())

    def _details(self) -> Asked:
        """What its kind leaves open."""
        return ()

    def about(self, pointed: Captioned, own: Captioned) -> Captioned:
        """The caption that it is about, given the one at ``index`` and the model's own.

        That is the model's own, so that the answer differs from it by what is asked and by nothing else; or an
        answer, if what was changed for it is to be kept. A word can be one of any caption that the search found.
        """
        kept = self.keep and pointed.keepable
        return pointed if kept or (self.about_a_word and pointed.origin == "search") else own

    @abstractmethod
    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """How to answer it of this caption.

        Raises:
            SettingsError: if it makes no sense there.
        """

    def condition(self, answer: Caption) -> tuple[Condition, ...]:
        """What a next question can be asked under once this one is answered."""
        return ()

    def answers(self, engine: Engine, about: Captioned) -> Iterator[Captioned | None]:
        """None when the plan stands and after every step, so that whoever asked may leave; at last the answer.

        Raises:
            SettingsError: at first, if the question makes no sense of this caption; later, if the
                model does not know a word, or a sentence is none.
        """
        plan = self.plan(engine, about)
        yield None
        look = engine.look(plan.shown)
        yield None
        if plan.sentence is None:
            guesses = engine.search(look, plan.settings, plan.beginning, plan.attention)
        else:
            guesses = iter([Guess((engine.score(look, plan.sentence),), done=True)])
        for guess in guesses:
            if not guess.done:
                yield None
                continue
            answer = Captioned(
                guess.leader,
                plan.shown,
                plan.settings,
                self.origin,
                plan.attention,
                about=about,
                conditions=about.conditions + self.condition(guess.leader),
                asked=self.asked,
            )
            if plan.changed is None or plan.attention is None:
                yield answer
                return
            words = engine.look_elsewhere(look, about.caption, plan.changed, plan.attention)
            yield answer._replace(change=Change(plan.changed, *words))


def with_same_sentence(engine: Engine, answer: Captioned) -> Captioned:
    """The answer, and how likely the words of the caption it is about are where it was written."""
    assert answer.about is not None
    words = answer.about.caption.words
    same = engine.score(engine.look(answer.shown), words, answer.attention)
    return answer._replace(same=same.log_probs[: len(words)])  # an unfinished caption is weighed with its end


@dataclass(frozen=True, eq=False, kw_only=True)
class AnotherWord(Question):
    """What if it had said ``word`` at ``position``? The model goes on from there."""

    origin = "word"
    about_a_word = True
    position: int
    word: str

    @property
    def start(self) -> int:
        """The word that was replaced."""
        return self.position

    def _details(self) -> Asked:
        return (self.position, self.word)

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """The words before it and the other word are given."""
        return Plan(about.shown, about.settings, (*words_before(about, self.position), self.word))

    def condition(self, answer: Caption) -> tuple[Condition, ...]:
        """The word was said."""
        return (Condition("word", self.position, answer.words[self.position]),)


@dataclass(frozen=True, eq=False, kw_only=True)
class LookElsewhere(Question):
    """What if it had looked elsewhere for the word at ``position``? ``weights`` ``(rows, columns)`` say where."""

    origin = "place"
    sees_otherwise = True
    about_a_word = True
    position: int
    weights: Floats

    @property
    def start(self) -> int:
        """The word whose attention was replaced."""
        return self.position

    def _details(self) -> Asked:
        return (self.position, *_edges(self.weights))

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """The words before it are given, its attention is forced, all that follows is free."""
        before = words_before(about, self.position)
        attention = AttentionOverride({self.position: self.weights})
        return Plan(about.shown, about.settings, before, attention, changed=self.position)


@dataclass(frozen=True, eq=False, kw_only=True)
class Hide(Question):
    """What if it could not see this? ``mask`` ``(rows, columns)`` is not zero where the photo is painted over."""

    origin = "hide"
    sees_otherwise = True
    mask: Floats

    def _details(self) -> Asked:
        return _edges(self.mask)

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """The same search of the painted photo, which a page gets to see if it sees the whole one."""
        painted = hide(about.shown.photo.view, self.mask > 0, engine.captioner.card.photo)
        shown = engine.viewed(painted) if about.shown.view else engine.painted(painted)
        return Plan(shown, about.settings, about.beginning)

    def condition(self, answer: Caption) -> tuple[Condition, ...]:
        """A place is hidden."""
        return (Condition("hide"),)


@dataclass(frozen=True, eq=False, kw_only=True)
class NoAttention(Question):
    """What if it had no attention? Every word reads the photo's plain mean."""

    origin = "uniform"
    sees_otherwise = True

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """The same search with every map uniform."""
        attention = AttentionOverride.uniform(about.shown.grid)
        return Plan(about.shown, about.settings, about.beginning, attention)


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnSentence(Question):
    """How likely is my sentence?"""

    origin = "own"
    sentence: str

    def _details(self) -> Asked:
        return (self.sentence,)

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """No search; the sentence is weighed, which has words of its own."""
        if about.beginning:
            raise SettingsError(english.SENTENCE_OF_ONES_OWN)
        return Plan(about.shown, about.settings, sentence=self.sentence)


@dataclass(frozen=True, eq=False, kw_only=True)
class OtherSettings(Question):
    """What if it had searched another way?"""

    origin = "settings"
    settings: SearchSettings

    def _details(self) -> Asked:
        return (self.settings.beam_size, self.settings.temperature, self.settings.seed)

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """A search as wished for."""
        return Plan(about.shown, self.settings, about.beginning)


@dataclass(frozen=True, eq=False, kw_only=True)
class FinishBranch(Question):
    """How does the model go on from a beginning that its search dropped? ``words`` are those of the beginning."""

    origin = "branch"
    words: tuple[str, ...]

    @property
    def start(self) -> int:
        """The last word that is given."""
        return len(self.words) - 1

    def about(self, pointed: Captioned, own: Captioned) -> Captioned:
        """Always the model's own, whose search it was; nothing is kept that was changed later."""
        return own

    def _details(self) -> Asked:
        return self.words

    def plan(self, engine: Engine, about: Captioned) -> Plan:
        """The beginning is given, and the search goes on from there as it began."""
        if not self.words:
            raise SettingsError(english.NO_BEGINNING)
        return Plan(about.shown, about.settings, self.words)


def _edges(weights: Floats) -> Asked:
    """The first row and column and the last of a region whose cells all weigh 1; of any other map, all its weights."""
    rows, columns = (np.flatnonzero(weights.any(axis=axis)).tolist() for axis in (1, 0))
    if rows:
        cells = weights[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if (cells == 1).all():
            return (rows[0], columns[0], rows[-1], columns[-1])
    return tuple(weights.ravel().tolist())


def words_before(about: Captioned, position: int) -> tuple[str, ...]:
    """The words before a position; a word that was said and is kept must be among them."""
    caption = about.caption
    before = caption.words[: whole("position", position, 0, len(caption.words) - caption.finished)]
    if len(before) < len(about.beginning):
        raise SettingsError(english.BEFORE_A_KEPT_WORD.format(excerpt(about.beginning[-1])))
    return before
