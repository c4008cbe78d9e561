"""`Caption` → the versioned dict that the player reads: plain JSON, a few hundred bytes a word."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from captioner.caption import END, Caption, Floats, Word
from captioner.pipeline import Guess

VERSION = 2
LEVELS = 255
KEPT_CAPTIONS = 10

Payload = dict[str, Any]


def word_payload(word: Word) -> Payload:
    """One word with its map, in short keys since it travels once for every word.

    ``a``: the map, row-major, one byte a cell, base64, scaled by its own maximum ``m``; ``p``: the
    word's probability; ``h``: entropy of the map in nats; ``b``: mean gate opening; ``alt``: the
    likeliest words of the step with their probabilities; ``end``: true for ``<end>`` alone.
    """
    return {
        "w": word.text,
        "a": encode_alpha(word.alpha),
        "m": short(float(word.alpha.max())),
        "p": short(word.probability),
        "h": short(word.entropy),
        "b": short(word.beta),
        "alt": [[other.word, short(other.probability)] for other in word.alternatives],
        "end": word.text == END,
    }


def caption_payload(caption: Caption) -> Payload:
    """A caption: its words, log-probability in nats, and whether it ended by itself."""
    return {
        "words": [word_payload(word) for word in caption],
        "log_prob": short(caption.log_prob),
        "finished": caption.finished,
    }


def guess_payload(guess: Guess, grid: tuple[int, int]) -> Payload:
    """What the player shows of a search: the leader's words, and once done every caption it found.

    It travels folded, see `demo.wire.WordPool`.
    """
    captions = guess.captions[:KEPT_CAPTIONS] if guess.done else guess.captions[:1]
    return {
        "version": VERSION,
        "grid": list(grid),
        "words": [word_payload(word) for word in guess.leader],
        "captions": [caption_payload(caption) for caption in captions] if guess.done else [],
        "done": guess.done,
    }


def caption_json(caption: Caption, grid: tuple[int, int], done: bool) -> Payload:
    """A caption for programs: the sentence beside what `caption_payload` holds."""
    return {
        "version": VERSION,
        "caption": caption.text,
        "grid": list(grid),
        "done": done,
        **caption_payload(caption),
    }


def encode_alpha(alpha: Floats) -> str:
    """``(rows, columns)`` weights → base64 of one byte a cell, 255 at the map's own maximum."""
    peak = float(alpha.max())
    scaled = alpha / peak if peak > 0 else np.zeros_like(alpha)
    return base64.b64encode((scaled * LEVELS).round().astype(np.uint8).tobytes()).decode("ascii")


def decode_alpha(encoded: str, peak: float, grid: Sequence[int]) -> Floats:
    """The inverse of `encode_alpha`, exact to half a level of ``peak``."""
    levels = np.frombuffer(base64.b64decode(encoded), dtype=np.uint8).reshape(tuple(grid))
    return (levels / LEVELS * peak).astype(np.float32)


def short(number: float) -> float:
    """Four significant digits: more than a screen can show, and half the bytes."""
    return float(f"{number:.4g}")
