"""What travels between a live camera and the server: a frame there, what stands over it back."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from captioner.search import SearchSettings, SettingsError
from demo.protocol.payload import Message, encode_alpha, known, short
from demo.protocol.received import fields, search_settings, text
from demo.runs.live import LiveAnswer
from demo.texts import english

MAX_FRAME = 128 * 1024  # bytes; 320 by 320 pixels of pure noise are half of it
MAX_WORDS = 50


@dataclass(frozen=True)
class Frame:
    """One frame, how to caption it, and the words that stand over the picture meanwhile."""

    jpeg: bytes
    settings: SearchSettings
    standing: tuple[str, ...]


def frame(jpeg: Any, beam_size: Any, standing: Any) -> Frame:
    """A frame as the page sent it: a file in base64, and a list of words. Always the likeliest words, none drawn.

    Raises:
        SettingsError: if a part of it is missing, too long or of the wrong kind.
    """
    content = file_in(jpeg)
    words = standing if isinstance(standing, list) else []
    if len(content) > MAX_FRAME or len(words) > MAX_WORDS or words is not standing:
        raise SettingsError(english.UNREADABLE_EVENT)
    return Frame(content, search_settings(beam_size, 0, 0), tuple(text("standing", word) for word in words))


def studied(data: Any) -> bytes:
    """The moment of a camera that is to become a photo: a file.

    Raises:
        SettingsError: if there is none.
    """
    return file_in(fields(data).get("photo"))


def file_in(encoded: Any) -> bytes:
    """A file's bytes from base64.

    Raises:
        SettingsError: if it is none.
    """
    try:
        content = base64.b64decode(text("photo", encoded), validate=True)
    except (binascii.Error, ValueError):  # beyond ASCII there is no base64
        raise SettingsError(english.UNREADABLE_EVENT) from None
    if not content:
        raise SettingsError(english.NO_PHOTO_SENT)
    return content


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
