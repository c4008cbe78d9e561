"""Refusals in Korean, for a page that is Korean; whoever reads another language gets the sentence as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What the page can be told, `{}` for each part that varies; in Korean the parts are named by their places.
SENTENCES = {
    "This is not an image we can read; please use a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file.": (
        "읽을 수 있는 이미지가 아닙니다. JPEG, PNG, WebP, GIF, BMP, TIFF 또는 AVIF 파일을 써 주세요."
    ),
    "This image has too many pixels ({}); please shrink it below {} million pixels.": (
        "이미지의 픽셀이 너무 많습니다({0}). {1}백만 픽셀보다 작게 줄여 주세요."
    ),
    "This image has too many pixels; please shrink it below {} million pixels.": (
        "이미지의 픽셀이 너무 많습니다. {0}백만 픽셀보다 작게 줄여 주세요."
    ),
    "This image is only {} pixels; please use one of at least {} pixels a side.": (
        "이미지가 {0}픽셀뿐입니다. 가로와 세로가 모두 {1}픽셀 이상인 것을 써 주세요."
    ),
    "This image is too thin ({}); please crop it to less than {} to 1.": (
        "이미지가 너무 가늘고 깁니다({0}). {1} 대 1보다 작은 비율로 잘라 주세요."
    ),
    "This image file is damaged or incomplete; please export or download it again ({}).": (
        "이미지 파일이 손상되었거나 끝까지 오지 않았습니다. 다시 내보내거나 내려받아 주세요({0})."
    ),
    "This file is over the maximum allowed size of {} MB; please shrink it.": (
        "파일이 너무 큽니다. {0} MB보다 작게 줄여 주세요."
    ),
    "There is no file {}; please check the path.": "파일이 없습니다. 사진을 다시 올려 주세요.",
    "Please choose a photo first; the last one is no longer kept.": (
        "먼저 사진을 골라 주세요. 지난 사진은 더 이상 보관하지 않습니다."
    ),
    "Please choose a place on the photo first.": "먼저 사진에서 한 곳을 골라 주세요.",
    "There is no finished caption yet; please wait for one.": "아직 다 쓴 문장이 없습니다. 잠시 기다려 주세요.",
    "There is no such question; please reload the page.": "그런 질문은 없습니다. 페이지를 새로 고쳐 주세요.",
    "There is no such caption on the page; please reload it.": "그런 문장은 없습니다. 페이지를 새로 고쳐 주세요.",
    "There is no such example; please reload the page.": "그런 예시는 없습니다. 페이지를 새로 고쳐 주세요.",
    "The kind of file must be one of {}, got {}": "파일 종류는 {0} 가운데 하나여야 합니다.",
    "the model does not know the word {}; please use another": "모델이 모르는 단어입니다: {0}. 다른 단어를 써 주세요.",
    "a beginning must have at most {} words, got {}": "첫머리는 {0}단어 이하여야 합니다. 지금은 {1}단어입니다.",
    "a sentence must have 1 to {} words, got {}": "문장은 1~{0}단어여야 합니다. 지금은 {1}단어입니다.",
    "a sentence must have at most {} words, got {}": "문장은 {0}단어 이하여야 합니다. 지금은 {1}단어입니다.",
    "a sentence must have at most {} characters, got {}": "문장은 {0}자 이하여야 합니다. 지금은 {1}자입니다.",
    "{} can only be the last word of a caption": "{0}은(는) 문장의 마지막에만 올 수 있습니다.",
    "{} must be a whole number from {} to {}, got {}": "{0}은(는) {1}에서 {2} 사이의 정수여야 합니다. 받은 값: {3}",
    "{} must be a whole number, got {}": "{0}은(는) 정수여야 합니다. 받은 값: {1}",
    "{} must be a number from {} to {}, got {}": "{0}은(는) {1}에서 {2} 사이의 수여야 합니다. 받은 값: {3}",
    "{} must be {} numbers, got {}": "{0}은(는) 수 {1}개여야 합니다. 받은 값: {2}",
    "{} must be text, got {}": "{0}은(는) 글이어야 합니다. 받은 값: {1}",
    "{} must be one of {}, got {}": "{0}은(는) {1} 가운데 하나여야 합니다. 받은 값: {2}",
    "{} are waiting already; please try again in a few minutes.": (
        "이미 {0}명이 기다리고 있습니다. 몇 분 뒤에 다시 해 주세요."
    ),
    "That message could not be read; please reload the page.": "요청을 읽을 수 없습니다. 페이지를 새로 고쳐 주세요.",
    "Something went wrong on the server; please try again.": "서버에 문제가 생겼습니다. 다시 해 주세요.",
    "Photos are not fetched from addresses; please send the file itself.": (
        "주소에 있는 사진은 가져오지 않습니다. 파일을 직접 올려 주세요."
    ),
    "That file was not sent to this page; please send a photo.": (
        "이 페이지에 올린 파일이 아닙니다. 사진을 올려 주세요."
    ),
    "Please send all {} values; only {} came.": "값 {0}개를 모두 보내 주세요. {1}개만 왔습니다.",
}


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(map(re.escape, sentence.split("{}"))), re.DOTALL)


_PATTERNS = [(_pattern(sentence), korean) for sentence, korean in SENTENCES.items()]


def reads_korean(headers: Mapping[str, str]) -> bool:
    """Whether a browser's first language is Korean, which is when its page is."""
    return headers.get("accept-language", "").strip().lower().startswith("ko")


def in_korean(sentence: str) -> str:
    """The sentence in Korean, or as it is if no Korean is known for it."""
    for pattern, korean in _PATTERNS:
        if found := pattern.fullmatch(sentence):
            return korean.format(*found.groups())
    return sentence


def told(sentence: str, headers: Mapping[str, str]) -> str:
    """The sentence in the language of whoever sent these headers."""
    return in_korean(sentence) if reads_korean(headers) else sentence
