"""What the tests of the page share: photos and captions to show, and messages read as the page reads them."""

import base64
from collections.abc import Sequence

import numpy as np

from captioner.caption import Alternative, Caption
from captioner.pipeline import Captioner
from captioner.search import SearchSettings
from demo.protocol.payload import update_message
from demo.runs.engine import Engine
from demo.runs.tabs import Tabs

GREEDY = SearchSettings(1, max_length=6)


def gradient(width=48, height=32, shift=0):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255 - shift, width)
    return pixels


def texts(payload):
    return [word["w"] for word in payload["words"]]


def make_caption(words: tuple[str, ...], finished: bool = True, grid: tuple[int, int] = (3, 2)) -> Caption:
    random = np.random.default_rng(1)
    alphas = random.random((len(words), *grid)).astype(np.float32)
    alphas /= alphas.sum(axis=(1, 2), keepdims=True)
    return Caption(
        words,
        np.log(random.random(len(words))).astype(np.float32),
        alphas,
        random.random(len(words)).astype(np.float32),
        tuple(tuple(Alternative(f"word{rank}", 0.5**rank) for rank in range(1, 6)) for _ in words),
        finished,
    )


def decode_alpha(encoded: str, peak: float, grid: Sequence[int]) -> np.ndarray:
    """A map as a page or a program reads it: levels of its own maximum."""
    return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(grid) / 255 * peak


def unfold(message):
    def word(place):
        text, chance, seen = message["words"][place]
        facts = seen if isinstance(seen, dict) else message["words"][seen][2]
        return {"w": text, "p": chance, "end": text == "<end>", **facts}

    captions = [{**each, "words": [word(place) for place in each["words"]]} for each in message["captions"]]
    return {"words": [word(place) for place in message["shown"]], "captions": captions}


class PlayedTabs(Tabs):
    """Tabs whose updates come as the messages that the player reads, before they are folded."""

    def __init__(self, captioner: Captioner, folder, sessions=None) -> None:
        super().__init__(Engine(captioner, folder), sessions)
        self.captioner = captioner

    def show(self, *arguments):
        for update in super().show(*arguments):
            yield update_message(update)

    def search(self, *arguments):
        for update in super().search(*arguments):
            yield update_message(update)

    def ask(self, *arguments):
        for update in super().ask(*arguments):
            yield update_message(update)
