"""A camera's captions: every frame is a photo of its own, and yet the words stay long enough to be read.

Nothing is kept of a frame, and nothing of a camera: the page itself says which words stand over its picture.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from captioner.caption import Caption
from captioner.photo import prepare
from captioner.pipeline import Captioner, Look
from captioner.search import SearchSettings
from demo.runs.engine import Engine

MARGIN = 0.1  # nats a word
PATIENCE_SECONDS = 0.5  # in line, before the place goes back and the page hears of it; its next frame is newer


class LiveCaption(NamedTuple):
    """What stands over a frame.

    Attributes:
        caption: the words on show, with their maps and probabilities on this very frame.
        changed: whether they are others than before.
        gain: nats a word by which the frame's own best caption is likelier than the one that stood
            there before; 0 for the first frame, and where both are the same.
    """

    caption: Caption
    changed: bool
    gain: float


class LiveAnswer(NamedTuple):
    """What becomes of one frame.

    Attributes:
        shown: what stands over it; None if others wait, and this frame waits no longer.
        ahead: how many runs must end before the next frame; 0 if it had its turn.
        seconds: how long captioning it took, from its turn on; 0 without one.
    """

    shown: LiveCaption | None
    ahead: int
    seconds: float


class Live:
    """An engine for cameras: a frame at a time stands in the line of all, at its end, and has one turn."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def frame(self, jpeg: bytes, settings: SearchSettings, standing: Sequence[str] = ()) -> LiveAnswer:
        """Caption one frame.

        Args:
            standing: the words that stand over the picture now, as a `Caption` has them; none for a first frame.

        Raises:
            PhotoError: if the frame is no photo.
            SettingsError: if no caption can have these words.
            BusyError: if the line is full.
        """
        with self.engine.line.stand() as ahead:
            if before := ahead(PATIENCE_SECONDS):
                return LiveAnswer(None, before, 0.0)
            start = time.perf_counter()
            photo = prepare(jpeg, self.engine.captioner.card.photo)
            with self.engine.turn:
                shown = steady_caption(self.engine.captioner, self.engine.captioner.look(photo), settings, standing)
            return LiveAnswer(shown, 0, time.perf_counter() - start)


def steady_caption(
    captioner: Captioner, look: Look, settings: SearchSettings, standing: Sequence[str] = (), margin: float = MARGIN
) -> LiveCaption:
    """What to show over a frame.

    A caption stays until that of a new frame is likelier *on the new frame* by more than ``margin`` nats a
    word. Both are weighed by the same model on the same picture, so that a changed scene ends a caption at
    once, and the noise of a still one does not.

    Args:
        standing: the words on show; none for a first frame.
        margin: 0 shows every frame's own caption that is likelier than the one on show.

    Raises:
        SettingsError: if no caption can have the words of ``standing``.
    """
    found = captioner.caption(look, settings)
    if not found.finished:  # cut off by the length limit: weighed with its end, as the one on show will be
        found = captioner.score(look, found.words)
    if found.words == tuple(standing):
        return LiveCaption(found, False, 0.0)
    before = captioner.score(look, standing) if standing else None
    if before is None or before.unknown:  # words of another model have no probability to compare with
        return LiveCaption(found, True, 0.0)
    gain = a_word(found) - a_word(before)
    return LiveCaption(found, True, gain) if gain > margin else LiveCaption(before, False, gain)


def a_word(caption: Caption) -> float:
    """Log-probability in nats a word, ``<end>`` counted."""
    return float(caption.log_prob) / len(caption.words)
