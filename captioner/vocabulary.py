"""Words and ids: the special tokens, the word map, and how a sentence becomes tokens."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

JOINERS = "\u200c\u200d"  # zero-width non-joiner, zero-width joiner
PAD, START, END, UNK = SPECIALS = ("<pad>", "<start>", "<end>", "<unk>")


class VocabularyError(ValueError):
    """A word map that cannot serve as a vocabulary."""


def tokenize(sentence: str) -> list[str]:
    """Split a sentence of any script into lower-case words, punctuation left out.

    Follows the Karpathy split: ``"A man's t-shirt."`` becomes ``a man s t shirt``. Text is
    NFC-normalised, so that composed and decomposed Hangul or accents are the same word. Invisible
    characters vanish, but for the joiners that Indic and Persian spelling needs inside a word.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", sentence).lower())
    words = "".join(_kept(char) for char in text).split()
    return [word.strip(JOINERS) for word in words if word.strip(JOINERS)]


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf":
        return char if char in JOINERS else ""
    return " " if category[0] in "PSCZ" else char


class Vocabulary:
    """A bijection between words and the ids ``0 … V-1``, special tokens included.

    Words are kept as the map spells them, and found in composed (NFC) and in lower-case spelling too, unless
    that is another word of the map.

    Raises:
        VocabularyError: if ids are not exactly ``0 … V-1``, a special token is missing, or a word
            is no Unicode text.
    """

    def __init__(self, word_map: Mapping[str, int]) -> None:
        words = _words_by_id(word_map)
        missing = [special for special in SPECIALS if special not in word_map]
        if missing:
            raise VocabularyError(f"the word map lacks the special tokens {', '.join(missing)}")
        self._words = words
        self._ids = dict(word_map)
        composed = {unicodedata.normalize("NFC", word): index for word, index in word_map.items()}
        self._composed = {word.lower(): index for word, index in composed.items()} | composed | self._ids
        self.pad, self.start, self.end, self.unk = (self._ids[special] for special in SPECIALS)

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]], min_frequency: int = 1) -> Vocabulary:
        """The vocabulary of tokenised sentences: words seen at least ``min_frequency`` times.

        ``<pad>`` is 0, then the words by falling frequency (ties alphabetically), then
        ``<unk>``, ``<start>`` and ``<end>``, as in the field's usual word maps.
        """
        counts = Counter(token for sentence in sentences for token in sentence)
        kept = sorted(
            (word for word, count in counts.items() if count >= min_frequency),
            key=lambda word: (-counts[word], word),
        )
        ordered = [PAD, *(word for word in kept if word not in SPECIALS), UNK, START, END]
        return cls({word: index for index, word in enumerate(ordered)})

    def __len__(self) -> int:
        return len(self._words)

    def __contains__(self, word: object) -> bool:
        return word in self._composed

    @property
    def known(self) -> int:
        """How many words it has, the special tokens not counted."""
        return len(self._words) - len(SPECIALS)

    @property
    def word_map(self) -> dict[str, int]:
        """A fresh dict from word to id, as stored in ``vocabulary.json``."""
        return dict(self._ids)

    @property
    def never_written(self) -> tuple[int, int, int]:
        """The ids that no search may emit: ``<pad>``, ``<start>``, ``<unk>``."""
        return self.pad, self.start, self.unk

    def word(self, index: int) -> str:
        """The word with this id."""
        return self._words[index]

    def id(self, word: str) -> int:
        """The id of this word, or that of ``<unk>``."""
        return self._composed.get(word, self.unk)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """``[<start>, …ids…, <end>]`` for one tokenised caption."""
        return [self.start, *(self.id(token) for token in tokens), self.end]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The words up to the first ``<end>``, without ``<start>``, ``<end>`` and ``<pad>``."""
        words = []
        for index in ids:
            if index == self.end:
                break
            if index not in (self.start, self.pad):
                words.append(self._words[index])
        return words


def _words_by_id(word_map: Mapping[str, int]) -> tuple[str, ...]:
    for word, index in word_map.items():
        if not isinstance(word, str) or type(index) is not int:
            raise VocabularyError(f"a word map goes from text to whole numbers, got {word!r}: {index!r}")
        if any("\ud800" <= char <= "\udfff" for char in word):
            raise VocabularyError(f"the word {word!r} is no Unicode text")
    by_id = {index: word for word, index in word_map.items()}
    if sorted(by_id) != list(range(len(word_map))):
        raise VocabularyError(f"the word map's ids must be 0 to {len(word_map) - 1}, each once")
    return tuple(by_id[index] for index in range(len(by_id)))
