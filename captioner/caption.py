"""The frozen results: a caption, its words, what the model considered for each, and all of it as JSON. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

END = "<end>"
SCHEMA = 1


class Alternative(NamedTuple):
    """A word the model considered at one step, with its probability at temperature 1."""

    word: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """One word of a caption with everything the model computed to write it.

    ``alpha`` is ``(rows, columns)`` and sums to 1. It is computed from the hidden state *before*
    the word is chosen (Xu et al. 2015, equations 4 to 6), so every runner-up shares it.
    """

    text: str
    log_prob: float
    alpha: Floats
    beta: float
    alternatives: tuple[Alternative, ...]

    @property
    def probability(self) -> float:
        """The model's probability of this word, at temperature 1; nan if it does not know the word."""
        return float(np.exp(self.log_prob))

    @property
    def entropy(self) -> float:
        """Entropy of the attention in nats: 0 for one cell, ``log(cells)`` for no preference."""
        return attention_entropy(self.alpha)


class Unknown(NamedTuple):
    """What a person's sentence has that the model knows not: the words in their order, and how many it knows."""

    words: tuple[str, ...]
    known: int


class Standing(NamedTuple):
    """What a search puts a caption in its place by: the highest score first, those that repeat themselves last.

    Attributes:
        score: ``log_prob / words ** penalty``, nats; nan if the caption has an unknown word.
        words: how many the score counts, ``<end>`` included.
        penalty: the exponent.
        repeats: whether it says a content word twice; None if the search does not ask for that.
    """

    score: float
    words: int
    penalty: float
    repeats: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Caption:
    """A caption of N words, aligned with the attention that wrote each of them.

    Attributes:
        words: N words, no ``<start>``; ``<end>`` is kept as the last one if it was emitted.
        log_probs: ``(N,)`` nats, the model's own (temperature 1); nan for a word that it does not know.
        alphas: ``(N, rows, columns)``, each map sums to 1.
        betas: ``(N,)``, mean opening of the gate in (0, 1).
        alternatives: for each word the likeliest words of that step, likeliest first.
        finished: False if the length limit came before ``<end>``.
        unknown: the words of a person's sentence that the model does not know, if there are any.
        standing: what the search that wrote it ranked it by.
    """

    words: tuple[str, ...]
    log_probs: Floats
    alphas: Floats
    betas: Floats
    alternatives: tuple[tuple[Alternative, ...], ...]
    finished: bool
    unknown: Unknown | None = None
    standing: Standing | None = None

    def __post_init__(self) -> None:
        lengths = {
            len(self.words),
            len(self.log_probs),
            len(self.alphas),
            len(self.betas),
            len(self.alternatives),
        }
        if len(lengths) != 1:
            raise ValueError(f"a caption's parts must have one entry a word, got lengths {lengths}")

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[Word]:
        return (self.word(index) for index in range(len(self)))

    def __str__(self) -> str:
        return self.text

    def word(self, index: int) -> Word:
        """The word at ``index`` with its own map, gate and runners-up."""
        return Word(
            self.words[index],
            float(self.log_probs[index]),
            self.alphas[index],
            float(self.betas[index]),
            self.alternatives[index],
        )

    @property
    def text(self) -> str:
        """The words as a sentence, without ``<end>``."""
        return " ".join(word for word in self.words if word != END)

    @property
    def log_prob(self) -> float:
        """Log-probability of the whole caption in nats, at temperature 1; nan if it has an unknown word."""
        return float(self.log_probs.sum(dtype=np.float64))

    def with_unknown(self, words: Mapping[int, str], known: int) -> Caption:
        """With these words, by place, as they were written: the model, which knows so many, has no number for them."""
        written = tuple(words.get(place, word) for place, word in enumerate(self.words))
        log_probs = self.log_probs.copy()
        log_probs[list(words)] = np.nan
        standing = self.standing and self.standing._replace(score=math.nan)
        unknown = Unknown(tuple(words.values()), known)
        return replace(self, words=written, log_probs=log_probs, unknown=unknown, standing=standing)


def attention_entropy(alpha: Floats) -> float:
    """Entropy ``-Σ α log α`` in nats of one attention map of any shape."""
    weights = alpha[alpha > 0].astype(np.float64)
    return float(-(weights * np.log(weights)).sum())


def record(caption: Caption, settings: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The caption as JSON values; numbers have the digits that restore their float32 exactly.

    ``alphas`` is ``N × rows × columns`` (row 0 at the top of the photo), log-probabilities and
    entropies are in nats, ``settings`` is kept as given. A word that the model does not know has no
    log-probability, nor has a caption with one.
    """
    return {
        "schema": SCHEMA,
        "text": caption.text,
        "finished": caption.finished,
        "log_prob": None if caption.unknown else caption.log_prob,
        "words": list(caption.words),
        "unknown": list(caption.unknown.words) if caption.unknown else [],
        "log_probs": _numbers(caption.log_probs),
        "betas": _numbers(caption.betas),
        "entropies": [word.entropy for word in caption],
        "alternatives": [[dict(each._asdict()) for each in choices] for choices in caption.alternatives],
        "alphas": _numbers(caption.alphas),
        "settings": dict(settings or {}),
    }


def _numbers(values: np.ndarray[Any, Any]) -> Any:
    return [_numbers(value) if value.ndim else None if np.isnan(value) else float(str(value)) for value in values]
