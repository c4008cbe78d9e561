"""What runs bring forth: captions, where each came from, and the frozen updates that whoever watches a run is given."""

from __future__ import annotations

import tempfile
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image

from captioner.caption import Caption, Floats, Word
from captioner.familiarity import Familiar
from captioner.override import AttentionOverride, Grid
from captioner.photo import Photo, PhotoFormat, from_view
from captioner.pipeline import Guess
from captioner.search import SearchSettings, SearchTree

MAX_ANSWERS = 12  # a tab

NO_TREE = SearchTree()

Origin = Literal["search", "word", "place", "hide", "uniform", "settings", "own", "branch"]
Asked = tuple[str | float, ...]  # see `demo.runs.questions.Question.asked`
Phase = Literal["waiting", "looking", "guessing", "writing", "done", "stopped"]


class PutAway(NamedTuple):
    """Where photos are written that leave memory, and what a model expects of them when they come back."""

    folder: Path
    photo_format: PhotoFormat


class Shown:
    """A photo that is asked about.

    Attributes:
        grid: rows and columns of its attention maps.
        view: it as a JPEG file, if a page shows it.
        name: of the example it is, if it is one.
        size: width and height in pixels. ``incomplete``: whether its file lacked its end.
    """

    def __init__(
        self, photo: Photo, grid: Grid, view: Path | None = None, name: str = "", away: PutAway | None = None
    ) -> None:
        """``away``: without it, the photo stays in memory."""
        self.grid, self.view, self.name = grid, view, name
        self.size, self.incomplete = photo.view.size, photo.incomplete
        self._photo: Photo | None = photo
        self._away = away
        self._file: Path | None = None

    @property
    def in_memory(self) -> Photo | None:
        """The photo, unless it was put away."""
        return self._photo

    @property
    def photo(self) -> Photo:
        """The photo; read again, without loss, if it was put away."""
        photo = self._photo
        if photo is not None:
            return photo
        assert self._away is not None
        assert self._file is not None
        with Image.open(self._file) as image:
            return from_view(image.convert("RGB"), self._away.photo_format, self.incomplete)

    def put_away(self) -> None:
        """Out of memory, into a file that goes when the photo is forgotten."""
        photo, away = self._photo, self._away
        if photo is None or away is None:
            return
        away.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=away.folder, suffix=".png", delete=False) as file:
            photo.view.save(file, "PNG", compress_level=1)
        self._file = Path(file.name)
        weakref.finalize(self, self._file.unlink, missing_ok=True)
        self._photo = None


class Change(NamedTuple):
    """One word before and after its attention was replaced; both name the same runners-up."""

    position: int
    before: Word
    after: Word


class Condition(NamedTuple):
    """What a next question can be asked under: ``word`` was said at ``position``, or (no word) a place was hidden."""

    origin: Literal["word", "hide"]
    position: int = -1
    word: str = ""


class Captioned(NamedTuple):
    """A caption, how it came about, and whether a search found it or which question brought it.

    Attributes:
        about: the caption that the question was asked about; none if a search found it.
        conditions: the words said and the places hidden for it, oldest first.
        same: ``(N,)`` nats, how likely the words of that caption are where this one was written, if the model sees
            something else there or looks elsewhere.
        asked: what was asked of that caption; nothing if a search found it.
    """

    caption: Caption
    shown: Shown
    settings: SearchSettings
    origin: Origin = "search"
    attention: AttentionOverride | None = None
    change: Change | None = None
    about: Captioned | None = None
    conditions: tuple[Condition, ...] = ()
    same: Floats | None = None
    asked: Asked = ()

    @property
    def keepable(self) -> bool:
        """Whether a next question can be asked under what was changed here: a word was said, or a place hidden."""
        return self.origin in ("word", "hide")

    @property
    def beginning(self) -> tuple[str, ...]:
        """The words up to the last one said for it: what is asked under its conditions begins with them."""
        last = max((each.position for each in self.conditions), default=-1)
        return self.caption.words[: last + 1]


class Result(NamedTuple):
    """What a finished search found, best first, then the newest answers to what was asked; the run that said so.

    ``forgotten``: how many older answers are no longer kept. ``familiar``: what is known of the photo.
    """

    found: tuple[Captioned, ...]
    run: int
    tree: SearchTree = NO_TREE
    forgotten: int = 0
    familiar: Familiar | None = None

    def answered(self, answer: Captioned, run: int) -> Result:
        """With one more answer; the oldest goes when there are more than `MAX_ANSWERS`, but not the one it is about."""
        found = [*self.found, answer]
        answers = [each for each in found if each.origin != "search"]
        if len(answers) <= MAX_ANSWERS:
            return self._replace(found=tuple(found), run=run)
        oldest = next(each for each in answers if each is not answer.about)
        kept = tuple(each for each in found if each is not oldest)
        return self._replace(found=kept, run=run, forgotten=self.forgotten + 1)

    def answer(self, asked: Asked, about: Captioned) -> int:
        """The place of the answer to the same question about the same caption; -1 if there is none that is kept."""
        return next((at for at, each in enumerate(self.found) if each.about is about and each.asked == asked), -1)


@dataclass(frozen=True, eq=False)
class Captioning:
    """A search at work on a photo, or in line with so many ``ahead`` of it.

    ``guess`` and ``tree`` are what it has so far; a search that was stopped keeps its last ones.
    """

    run: int
    shown: Shown
    settings: SearchSettings
    phase: Phase
    guess: Guess | None = None
    tree: SearchTree = NO_TREE
    ahead: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.phase in ("done", "stopped")

    def grown(self, guess: Guess) -> Captioning:
        """After one more step of the search."""
        phase: Phase = "done" if guess.done else "guessing" if self.settings.beam_size > 1 else "writing"
        return replace(self, phase=phase, guess=guess, tree=self.tree.grown(guess.captions))

    def result(self) -> Result:
        """What a finished search found."""
        assert self.guess is not None, "a search that has not begun has found nothing"
        found = tuple(Captioned(each, self.shown, self.settings) for each in self.guess.captions)
        return Result(found, self.run, self.tree, familiar=self.guess.familiar)


@dataclass(frozen=True)
class Asking:
    """A question is being answered, or stands in line; what ``run`` brought to the page stays on it meanwhile."""

    run: int
    ahead: int = 0


@dataclass(frozen=True, eq=False)
class Captions:
    """All captions that a page has.

    Attributes:
        chosen: the one to play, from the word at ``start``.
        beside: the one to play in step with it, -1 for none.
    """

    result: Result
    chosen: int
    start: int = 0
    beside: int = -1


Update = Captioning | Asking | Captions
