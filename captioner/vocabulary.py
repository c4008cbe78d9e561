"""Words and ids: the special tokens, the word map, and how a sentence becomes tokens, a person's own words ids."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from captioner.settings import MAX_LENGTH, SettingsError, shown, whole

JOINERS = "\u200c\u200d"  # zero-width non-joiner, zero-width joiner
PAD, START, END, UNK = SPECIALS = ("<pad>", "<start>", "<end>", "<unk>")
MAX_SENTENCE_WORDS = 50
MAX_CHARACTERS = 2000

Words = str | Sequence[str]  # a sentence to be tokenised, or words as they are


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


def beginning_ids(vocabulary: Vocabulary, beginning: Words, max_length: int) -> list[int]:
    """Ids that a caption of at most ``max_length`` words must begin with, ``<end>`` only if named.

    Raises:
        SettingsError: if the model does not know or never writes a word, ``<end>`` is not the last,
            or there are too many.
    """
    tokens = _tokens(beginning)
    words, ended = _without_end(tokens)
    unknown = [word for word in words if word not in vocabulary or word in SPECIALS]
    if unknown:
        raise SettingsError(f"the model does not know the word {shown(unknown[0])}; please use another")
    if len(tokens) > max_length:
        raise SettingsError(f"a beginning must have at most {max_length} words, got {len(tokens)}")
    ids = vocabulary.encode(words)[1:]
    return ids if ended else ids[:-1]


def sentence_ids(vocabulary: Vocabulary, sentence: Words) -> list[int]:
    """Ids of a person's own sentence, ``<end>`` included.

    Raises:
        SettingsError: if it has no word or more than 50, or words after ``<end>``.
    """
    tokens = _tokens(sentence)
    if not 1 <= len(tokens) <= MAX_SENTENCE_WORDS:
        raise SettingsError(f"a sentence must have 1 to {MAX_SENTENCE_WORDS} words, got {len(tokens)}")
    return _caption_ids(vocabulary, tokens)


def unknown_words(vocabulary: Vocabulary, sentence: Words) -> dict[int, str]:
    """The words of a person's own sentence that the model does not know, by their place."""
    return {place: word for place, word in enumerate(_tokens(sentence)) if vocabulary.id(word) == vocabulary.unk}


def ids_up_to(vocabulary: Vocabulary, words: Words, position: int) -> list[int]:
    """Ids of a caption's words up to the one at ``position``, itself included; the last place is ``<end>``'s.

    Raises:
        SettingsError: if there is no such position, words follow ``<end>``, or there are more than any caption has.
    """
    tokens = _tokens(words)
    if len(tokens) > MAX_LENGTH:
        raise SettingsError(f"a sentence must have at most {MAX_LENGTH} words, got {len(tokens)}")
    ids = _caption_ids(vocabulary, tokens)
    return ids[: whole("position", position, 0, len(ids) - 1) + 1]


def _caption_ids(vocabulary: Vocabulary, tokens: list[str]) -> list[int]:
    words, _ = _without_end(tokens)
    if END in words:
        raise SettingsError(f"{END} can only be the last word of a caption")
    return vocabulary.encode(words)[1:]


def _without_end(tokens: list[str]) -> tuple[list[str], bool]:
    ended = tokens[-1:] == [END]
    return tokens[: len(tokens) - ended], ended


def _tokens(words: Words) -> list[str]:
    if not isinstance(words, str):
        return list(words)
    if len(words) > MAX_CHARACTERS:  # before it is tokenised, which takes time
        raise SettingsError(f"a sentence must have at most {MAX_CHARACTERS} characters, got {len(words)}")
    return tokenize(words)
