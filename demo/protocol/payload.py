"""Updates → the plain JSON that the player reads: every word and every map of a run once, a few hundred bytes each."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from captioner.caption import END, Caption, Floats, Standing, Word
from captioner.familiarity import Familiar
from captioner.override import Grid
from captioner.pipeline import Guess
from captioner.search import SearchSettings, SearchTree
from demo.runs.updates import Asking, Captioned, Captioning, Captions, Change, Shown, Update

VERSION = 4  # of the player's messages; a page that was opened before the server knew another one ignores them
LEVELS = 255
KEPT_CAPTIONS = 10
MAP_KEYS = ("a", "m", "h", "b", "alt")
LINKED = ("beam", "temperature", "seed")  # settings in an address
DIGITS = 4  # more than a screen can show, and half the bytes

Message = dict[str, Any]  # JSON


def update_message(update: Update) -> Message:
    """Any update of a run, as the player reads it; every message of a run repeats all of it."""
    match update:
        case Asking():
            return {"version": VERSION, "run": update.run, "phase": "asking", "ahead": update.ahead}
        case Captioning():
            return _captioning_message(update)
        case Captions():
            return _captions_message(update)


def lost_message(run: int) -> Message:
    """The server has nothing of what the page shows; ``run`` is later than any that it does."""
    return {"version": VERSION, "run": run, "phase": "lost"}


def same_address(query: Mapping[str, str], name: str, settings: SearchSettings) -> bool:
    """Whether an address asks for nothing but this example and these settings; as ``isAskedFor`` in the page."""
    its = {"photo": name, **dict(zip(LINKED, (f"{each:g}" for each in _settings_message(settings)), strict=True))}
    return all(query.get(each, value) == value for each, value in its.items())


def guess_message(guess: Guess, grid: Grid) -> Message:
    """What the player shows of a search: the leader's words, and once done every caption it found."""
    captions = guess.captions[:KEPT_CAPTIONS] if guess.done else ()
    return {
        "version": VERSION,
        "grid": list(grid),
        "words": [word_message(word) for word in guess.leader],
        "captions": [caption_message(caption) for caption in captions],
        **familiar_message(guess.familiar),
        "done": guess.done,
    }


def caption_message(caption: Caption) -> Message:
    """A caption: its words, log-probability in nats, whether it ended by itself, and what the search ranked it by.

    ``rank`` has the fields of `captioner.caption.Standing`. One that has words which the model does not know has no
    log-probability and no score: ``unknown`` has those words, and how many it knows.
    """
    message = {
        "words": [word_message(word) for word in caption],
        "log_prob": known(caption.log_prob),
        "finished": caption.finished,
        "rank": caption.standing and _rank_message(caption.standing),
    }
    return {**message, "unknown": caption.unknown._asdict()} if caption.unknown else message


def _rank_message(standing: Standing) -> Message:
    return {**standing._asdict(), "score": known(standing.score)}


def word_message(word: Word) -> Message:
    """One word with its map, in short keys since it travels once for every word.

    ``a``: the map, row-major, one byte a cell, base64, scaled by its own maximum ``m``; ``p``: the
    word's probability, none if the model does not know it; ``h``: entropy of the map in nats; ``b``: mean gate
    opening; ``alt``: the likeliest words of the step with their probabilities; ``end``: true for ``<end>`` alone.
    """
    return {
        "w": word.text,
        "a": encode_alpha(word.alpha),
        "m": short(float(word.alpha.max())),
        "p": known(word.probability),
        "h": short(word.entropy),
        "b": short(word.beta),
        "alt": [[other.word, short(other.probability)] for other in word.alternatives],
        "end": word.text == END,
    }


def familiar_message(familiar: Familiar | None) -> Message:
    """How like its training photos this one is, and the share of those that are stranger; empty if nothing is known."""
    return {"familiar": {"level": familiar.level, "stranger": short(familiar.stranger)} if familiar else {}}


def tree_message(tree: SearchTree) -> Message:
    """The search so far: branches as triples of parent, word and log-probability; the race's tips, best first.

    Nothing for a single line of words, which is no more than the caption.
    """
    if len({branch.parent for branch in tree.branches}) == len(tree.branches):
        return {"branches": [], "race": []}
    branches = [[branch.parent, branch.word, short(branch.log_prob)] for branch in tree.branches]
    return {"branches": branches, "race": list(tree.race)}


def _captioning_message(update: Captioning) -> Message:
    head = {**_head(update.run, update.shown, update.settings), "phase": update.phase, "ahead": update.ahead}
    if update.guess is None:
        return {**head, "words": [], "captions": [], "done": update.done}
    guess = guess_message(update.guess, update.shown.grid)
    return {**head, **guess, "tree": tree_message(update.tree), "done": update.done}


def _captions_message(update: Captions) -> Message:
    result = update.result
    first = result.found[0]
    captions = [_found_message(each, result.found) for each in result.found]
    return {
        **_head(result.run, first.shown, first.settings),
        "phase": "done",
        "tree": tree_message(result.tree),
        "forgotten": result.forgotten,
        **familiar_message(result.familiar),
        "words": captions[update.chosen]["words"],
        "captions": captions,
        "chosen": update.chosen,
        "start": update.start,
        "beside": update.beside,
        "done": True,
    }


def _head(run: int, shown: Shown, settings: SearchSettings) -> Message:
    """What every message of a run repeats."""
    return {
        "version": VERSION,
        "run": run,
        "photo": str(shown.view),
        "example": shown.name,
        "size": list(shown.size),
        "grid": list(shown.grid),
        "settings": _settings_message(settings),
    }


def _found_message(each: Captioned, found: Sequence[Captioned]) -> Message:
    """A caption with its origin; one of other settings or of another photo than the first brings those along.

    An answer says which caption it is ``about`` (-1 if that is no longer kept), what was ``asked`` of it (see
    `demo.runs.questions.Question.asked`), and under which ``conditions`` it was written, as triples of origin, position
    and word; ``same`` are the log-probabilities that the words of that caption have where the answer was written, if
    they are others.
    """
    first = found[0]
    message = {**caption_message(each.caption), "origin": each.origin}
    if each.about:
        message["about"] = next((index for index, other in enumerate(found) if other is each.about), -1)
        message["asked"] = list(each.asked)
        message["conditions"] = [list(condition) for condition in each.conditions]
    if each.same is not None:
        message["same"] = [short(float(log_prob)) for log_prob in each.same]
    if each.settings != first.settings:
        message["settings"] = _settings_message(each.settings)
    if each.shown is not first.shown:
        message["photo"] = str(each.shown.view)
    if each.change:
        message["change"] = change_message(each.change)
    return message


def _settings_message(settings: SearchSettings) -> list[float]:
    return [settings.beam_size, settings.temperature, settings.seed]


def change_message(change: Change) -> Message:
    """A word's probabilities before and after, likeliest of either first, with the word that was written."""
    after = {other.word: other.probability for other in change.after.alternatives}
    words = {other.word: (other.probability, after[other.word]) for other in change.before.alternatives}
    words.setdefault(change.before.text, (change.before.probability, change.after.probability))
    ordered = sorted(words.items(), key=lambda item: -max(item[1]))
    return {
        "position": change.position,
        "word": change.before.text,
        "words": [[word, short(before), short(after)] for word, (before, after) in ordered],
    }


def encode_alpha(alpha: Floats) -> str:
    """``(rows, columns)`` weights → base64 of one byte a cell, 255 at the map's own maximum."""
    peak = float(alpha.max())
    scaled = alpha / peak if peak > 0 else np.zeros_like(alpha)
    return base64.b64encode((scaled * LEVELS).round().astype(np.uint8).tobytes()).decode("ascii")


def short(number: float, digits: int = DIGITS) -> float:
    """So many significant digits."""
    return float(f"{number:.{digits}g}")


def known(number: float) -> float | None:
    """A word's or a caption's own number; none of a word that the model does not know."""
    return None if math.isnan(number) else short(number)


class WordPool:
    """Turns the messages of one run into such as only ever add to the words sent before.

    Gradio sends the difference between two messages, so what stays in its place costs nothing.
    The words of one step share a map, so a runner-up's word costs a few bytes. The page's own
    ``unfold`` is the inverse.
    """

    def __init__(self) -> None:
        self._words: list[list[Any]] = []
        self._places: dict[str, int] = {}  # of words among those sent; of maps, the place of the word they came with

    def fold(self, message: Mapping[str, Any]) -> Message:
        """The message with all ``words`` sent so far, and places among them for the captions' words.

        ``words`` are triples of text, probability and map, which is what `word_message`
        says of a step, or the place of an earlier word of that step. ``shown`` is the leading guess.
        """
        shown = self._listed(message.get("words", ()))
        captions = [{**each, "words": self._listed(each["words"])} for each in message.get("captions", ())]
        return {**message, "captions": captions, "shown": shown, "words": [*self._words]}

    def _listed(self, words: Sequence[Message]) -> list[int]:
        return [self._word(word) for word in words]

    def _word(self, word: Message) -> int:
        seen = {key: word[key] for key in MAP_KEYS}
        key = repr((word["w"], word["p"], seen))
        if key not in self._places:
            self._places[key] = len(self._words)
            first = self._places.setdefault(repr(seen), len(self._words))
            self._words.append([word["w"], word["p"], seen if first == len(self._words) else first])
        return self._places[key]


def folded(updates: Iterable[Update]) -> Iterator[Message]:
    """The updates of one run as the messages that travel."""
    pool = WordPool()
    for update in updates:
        yield pool.fold(update_message(update))
