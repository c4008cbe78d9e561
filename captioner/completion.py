"""Any word: those of the vocabulary that begin as somebody types, in the order of their probability at one step."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import torch

from captioner.caption import Alternative
from captioner.hypotheses import Doubles
from captioner.recurrence import Annotated, Recurrence
from captioner.vocabulary import END, SPECIALS, Vocabulary

MOST = 8

A = TypeVar("A", bound=Annotated)


class Completion(NamedTuple):
    """What can be made of what was typed.

    Attributes:
        word: it, as the vocabulary spells it; None if the model does not know or never writes it.
        words: the likeliest that begin so, likeliest first, with their probabilities at temperature 1.
        known: how many words the model knows.
    """

    word: str | None
    words: tuple[Alternative, ...]
    known: int


@torch.inference_mode()
def next_word(decoder: Recurrence[A], annotations: A, vocabulary: Vocabulary, before: Sequence[int]) -> Doubles:
    """``(V,)`` log-probabilities in nats of the word after those with the ids ``before`` (no ``<start>``).

    ``-inf`` for what is never written.
    """
    state = decoder.start(annotations)
    for word in (vocabulary.start, *before):
        step = decoder.step(annotations, state, torch.tensor([word], device=state.hidden.device))
        state = step.state
    log_probs: Doubles = step.logits[0].cpu().double().log_softmax(dim=0).numpy()
    log_probs[list(vocabulary.never_written)] = -math.inf
    return log_probs


def complete(log_probs: Doubles, vocabulary: Vocabulary, typed: str) -> Completion:
    """The words that begin with what was typed; nothing typed begins all of them."""
    start = _spelled(typed.strip())
    begun = [each for each in range(len(vocabulary)) if _spelled(vocabulary.word(each)).startswith(start)]
    ordered = sorted((each for each in begun if log_probs[each] > -math.inf), key=lambda each: (-log_probs[each], each))
    words = tuple(Alternative(vocabulary.word(each), math.exp(log_probs[each])) for each in ordered[:MOST])
    known = start in vocabulary and (start not in SPECIALS or start == END)
    return Completion(vocabulary.word(vocabulary.id(start)) if known else None, words, vocabulary.known)


def _spelled(word: str) -> str:
    return unicodedata.normalize("NFC", word).lower()
