"""Every sentence that a visitor can read, in each language; imports nothing of the project.

`language` decides which one a visitor reads; in the browser, `static/model/language.js` does.
"""

import re
from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

from demo.texts.korean import ABOUT, SENTENCES, WORDS

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
PARAMETER = "lang"  # of the page's address


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(map(re.escape, sentence.split("{}"))), re.DOTALL)


def _patterns(sentences: Mapping[str, str]) -> list[tuple[re.Pattern[str], str]]:
    """Sentences with more parts first: what stands between the parts of one may look like a part of another."""
    return [(_pattern(each), sentences[each]) for each in sorted(sentences, key=lambda each: -len(each))]


_REFUSALS, _ABOUT = _patterns(SENTENCES), _patterns(ABOUT)


def language(headers: Mapping[str, str]) -> Language:
    """The language that a visitor's page is in: the one that its address asks for, or else the browser's first.

    Every request of a page carries its whole address as the Referer; a page whose visitor has chosen a language has
    that in its address.
    """
    wishes = (_asked(headers.get("referer", "")), headers.get("accept-language", ""))
    return next((each for wish in wishes for each in LANGUAGES if re.match(rf"\s*{each}\b", wish, re.IGNORECASE)), "en")


def _asked(address: str) -> str:
    try:
        return parse_qs(urlsplit(address).query).get(PARAMETER, [""])[0]
    except ValueError:  # whoever calls may send anything
        return ""


def in_korean(sentence: str) -> str:
    """The sentence in Korean, or as it is if no Korean is known for it."""
    return _translated(sentence, _REFUSALS)


def told(sentence: str, headers: Mapping[str, str]) -> str:
    """The sentence in the language of whoever sent these headers."""
    return in_korean(sentence) if language(headers) == "ko" else sentence


def of_model(text: str, spoken: Language) -> str:
    """What a checkpoint's card says, in a language; as it is where only English is known."""
    return _translated(text, _ABOUT) if spoken == "ko" else text


def _translated(sentence: str, patterns: list[tuple[re.Pattern[str], str]]) -> str:
    for pattern, korean in patterns:
        if found := pattern.fullmatch(sentence):
            return korean.format(*(WORDS.get(part, part) for part in found.groups()))
    return sentence
