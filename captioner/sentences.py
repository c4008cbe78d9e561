"""A person's words → ids: the beginning of a caption, a whole one, or one up to a word. Checked here."""

from __future__ import annotations

from collections.abc import Sequence

from captioner.settings import MAX_LENGTH, SettingsError, shown, whole
from captioner.vocabulary import END, SPECIALS, Vocabulary, tokenize

MAX_SENTENCE_WORDS = 50
MAX_CHARACTERS = 2000

Words = str | Sequence[str]  # a sentence to be tokenised, or words as they are


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
