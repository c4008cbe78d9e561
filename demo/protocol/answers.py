"""What programs are answered, its keys spelled out; and what the page asks for beside its stream.

That is the numbers of the equations, words that begin as typed, and what stands over a camera's frame.
"""

from __future__ import annotations

from captioner.caption import Caption, Floats, Word
from captioner.equations import StepNumbers
from captioner.pipeline import Guess
from captioner.search import Completion
from demo.protocol.payload import DIGITS, VERSION, Message, change_message, encode_alpha, known, short
from demo.runs.live import LiveAnswer
from demo.runs.updates import Captioned


def caption_answer(caption: Caption, done: bool = True) -> Message:
    """A caption: the sentence, its log-probability in nats, whether it ended by itself, its words with their maps.

    A word that the model does not know is named and has no probability, nor has the sentence then.
    """
    return {
        "version": VERSION,
        "caption": caption.text,
        "grid": list(caption.alphas.shape[1:]),
        "done": done,
        "words": [_word_answer(word) for word in caption],
        "log_prob": known(caption.log_prob),
        "unknown": list(caption.unknown.words) if caption.unknown else [],
        "finished": caption.finished,
    }


def guess_answer(guess: Guess) -> Message:
    """What a search has so far, and how like the training photos its photo is, if that is known."""
    familiarity = guess.familiar and {"level": guess.familiar.level, "stranger": short(guess.familiar.stranger)}
    return {**caption_answer(guess.leader, guess.done), "familiarity": familiarity}


def pair_answer(before: Captioned, after: Captioned) -> Message:
    """A what-if: two captions, and how the probabilities of one word changed if its attention was replaced."""
    answer = {"before": caption_answer(before.caption), "after": caption_answer(after.caption)}
    return {**answer, "change": change_message(after.change)} if after.change else answer


def numbers_message(numbers: StepNumbers) -> Message:
    """The numbers of one step under the names of `StepNumbers`, maps as rows of numbers."""
    return {
        "word": numbers.word,
        "previous": numbers.previous,
        "energies": _rows(numbers.energies),
        "alpha": _rows(numbers.alpha),
        "shares": _rows(numbers.shares),
        "context_norm": _long(numbers.context_norm),
        "beta": _long(numbers.beta),
        "gated_norm": _long(numbers.gated_norm),
        "gates": {name: _long(value) for name, value in numbers.gates._asdict().items()},
        "words": [[each.word, _long(each.logit), _long(each.probability)] for each in numbers.words],
        "log_normalizer": _long(numbers.log_normalizer),
    }


def live_message(answer: LiveAnswer) -> Message:
    """What stands over the frame: words as (text, probability, map, its maximum), as `payload.word_message` has them.

    ``gain`` in nats a word; ``seconds`` that captioning took. A frame that had no turn has no words, and says how
    many are ``ahead``.
    """
    message: Message = {"ahead": answer.ahead, "seconds": short(answer.seconds)}
    if answer.shown is None:
        return message
    caption = answer.shown.caption
    return {
        **message,
        "grid": list(caption.alphas.shape[1:]),
        "words": [
            [word.text, known(word.probability), encode_alpha(word.alpha), short(float(word.alpha.max()))]
            for word in caption
        ],
        "changed": answer.shown.changed,
        "gain": short(answer.shown.gain),
    }


def completion_message(completion: Completion) -> Message:
    """The word that was typed, if the model knows it; those that begin so, with their probabilities."""
    words = [[each.word, short(each.probability)] for each in completion.words]
    return {"word": completion.word, "words": words, "known": completion.known}


def _word_answer(word: Word) -> Message:
    return {
        "word": word.text,
        "probability": known(word.probability),
        "attention": encode_alpha(word.alpha),
        "largest": short(float(word.alpha.max())),
        "entropy": short(word.entropy),
        "gate": short(word.beta),
        "alternatives": [[other.word, short(other.probability)] for other in word.alternatives],
    }


def _long(number: float) -> float:
    """One digit more, for numbers that are put into equations."""
    return short(number, DIGITS + 1)


def _rows(values: Floats) -> list[list[float]]:
    return [[_long(float(value)) for value in row] for row in values]
