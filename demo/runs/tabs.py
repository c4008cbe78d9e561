"""What a tab's page can wish for: show a photo, search again, ask what if, stop. One stream of updates each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from captioner.equations import StepNumbers
from captioner.photo import PhotoError, PhotoSource
from captioner.search import Completion, SearchSettings, SettingsError
from demo.runs.engine import Engine, FirstAnswer
from demo.runs.questions import Question, with_same_sentence, words_before
from demo.runs.sessions import ForgottenError, Sessions
from demo.runs.updates import Asking, Captioned, Captioning, Captions, Result, Shown
from demo.runs.waiting_line import NEWS_SECONDS, Run, news
from demo.texts import english

Ahead = Callable[[float], int]  # see `demo.runs.waiting_line.WaitingLine.stand`


class Tabs:
    """The tabs that share an engine.

    A tab's newest run owns its page: an older one ends at its next step, without another word.
    A few runs are at work, the others stand in line and are told how many are ahead of them.
    """

    def __init__(self, engine: Engine, sessions: Sessions | None = None, first: FirstAnswer | None = None) -> None:
        """``first``: what a tab shows that has asked for nothing yet."""
        self.engine, self.first = engine, first
        self.sessions = Sessions() if sessions is None else sessions  # empty ones are false

    def recall(self, key: str, run: int) -> Iterator[Asking]:
        """Before a tab asks about what ``run`` brought to its page: one that asked for nothing has the first answer.

        Raises:
            ForgottenError: if nothing is known of the tab, and its page shows something else.
            BusyError: if the line is full.
        """
        session, first = self.sessions.get(key), self.first
        if session.run:
            return
        if first is None or run != first.run:
            raise ForgottenError
        with self.engine.line.stand() as ahead:
            yield Asking(run)
            while before := ahead(NEWS_SECONDS):
                yield Asking(run, before)
            found = first.found()
        with session.lock:
            if not session.run:
                session.run, session.shown, session.result = run, found.shown, found.result()

    def knows(self, key: str) -> bool:
        """Whether the tab has a photo here."""
        return self.sessions.get(key).shown is not None

    def show(self, key: str, source: PhotoSource, settings: SearchSettings, name: str = "") -> Iterator[Captioning]:
        """Look at a new photo and caption it; ``name`` is that of an example.

        Raises:
            PhotoError: before anything is yielded; the tab then keeps what it had.
            BusyError: likewise, if the line is full.
        """
        run = Run(self.sessions.ticket(), self.sessions.get(key))
        with self.engine.line.stand() as ahead:
            shown = self.engine.show(source, name)
            if run.begin():
                run.session.shown = shown
                yield from self._searched(run, shown, settings, ahead)

    def search(self, key: str, settings: SearchSettings) -> Iterator[Captioning]:
        """Caption the tab's photo again, with other settings; it is not encoded again.

        Raises:
            PhotoError: if the tab has no photo, or it was forgotten.
            BusyError: if the line is full.
        """
        run = Run(self.sessions.ticket(), self.sessions.get(key))
        shown = run.session.shown
        if shown is None:
            raise PhotoError(english.NO_PHOTO)
        with self.engine.line.stand() as ahead:
            if run.begin():
                yield from self._searched(run, shown, settings, ahead)

    def ask(self, key: str, asked: Question) -> Iterator[Asking | Captions]:
        """Answer a what-if with one more caption beside those on the page; Stop or a refusal brings those back.

        What was asked already is not computed again: the page goes to the answer that is there.

        Raises:
            SettingsError: if the tab has no finished caption, or the question makes no sense.
            BusyError: if the line is full.
        """
        run = Run(self.sessions.ticket(), self.sessions.get(key))
        result = run.session.finished()
        about = asked.about(run.session.captioned(asked.index), result.found[0])
        if (again := result.answer(asked.asked, about)) >= 0:
            yield from _back_to(run, result, again, asked.start)
            return
        start, answers, answer = asked.start, asked.answers(self.engine, about), None
        next(answers)  # a question that makes no sense is refused before it stands in line
        with self.engine.line.stand() as ahead:
            if not run.begin(result):
                return
            yield Asking(result.run)
            for before in news(run, ahead):
                yield Asking(result.run, before)
            try:
                while answer is None and run.wanted():
                    answer = next(answers)
                if answer and asked.sees_otherwise:
                    answer = with_same_sentence(self.engine, answer)
            except SettingsError:
                yield Captions(result, asked.index)
                raise
        if answer is None:
            if run.owns:
                yield Captions(result, asked.index)
            return
        answered = result.answered(answer, run.number)
        if run.finish(answered):
            yield Captions(answered, len(answered.found) - 1, start, answered.found.index(about))

    def stop(self, key: str) -> None:
        """End what the tab runs or asked for at its next step; its page keeps the words it has."""
        self.sessions.get(key).stopped = self.sessions.ticket()

    def result(self, key: str) -> Result:
        """All finished captions of the tab.

        Raises:
            SettingsError: if it has none.
        """
        return self.sessions.get(key).finished()

    def explain(self, key: str, run: int, index: int, position: int) -> StepNumbers:
        """The equations of one word of a caption that ``run`` brought to the tab, in numbers.

        Raises:
            SettingsError: if the tab has no such caption or word, or shows another run by now.
        """
        about = self._brought(key, run, index)
        look = self.engine.look(about.shown)
        with self.engine.turn:
            return self.engine.captioner.explain(look, about.caption.words, position, about.attention)

    def complete(self, key: str, run: int, index: int, position: int, typed: str) -> Completion:
        """The words that begin with what was ``typed``, likeliest first, in the place of one of a caption's words.

        Raises:
            SettingsError: as `explain` does.
        """
        about = self._brought(key, run, index)
        before, look = words_before(about, position), self.engine.look(about.shown)
        with self.engine.turn:
            return self.engine.captioner.complete(look, before, typed)

    def _brought(self, key: str, run: int, index: int) -> Captioned:
        """A caption of the page that ``run`` brought to the tab."""
        session = self.sessions.get(key)
        about = session.captioned(index)
        if session.finished().run != run:
            raise SettingsError(english.NOTHING_YET)
        return about

    def _searched(self, run: Run, shown: Shown, settings: SearchSettings, ahead: Ahead) -> Iterator[Captioning]:
        last = Captioning(run.number, shown, settings, "looking")
        for before in news(run, ahead):
            yield replace(last, phase="waiting", ahead=before)
        if run.wanted():
            yield last
            guesses = self.engine.search(self.engine.look(shown), settings)
            while run.wanted() and not last.done:
                last = last.grown(next(guesses))
                if last.done:
                    run.finish(last.result())  # kept before anybody hears of it
                if run.owns:
                    yield last
        if run.owns and not last.done:
            yield replace(last, phase="stopped")


def _back_to(run: Run, result: Result, index: int, start: int) -> Iterator[Captions]:
    """The page with an answer that is there, beside what it is about."""
    kept, answer = result._replace(run=run.number), result.found[index]
    if run.begin(kept):
        beside = next(at for at, each in enumerate(result.found) if each is answer.about)
        yield Captions(kept, index, start, beside)
