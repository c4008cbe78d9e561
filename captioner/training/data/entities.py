"""Where annotators drew what a word names: Flickr30k Entities boxes on the attention grid."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from captioner.training.data.augmentation import WHOLE, Crop
from captioner.training.data.datasets import Dataset, DatasetError, Tokens
from captioner.vocabulary import tokenize

Box = tuple[float, float, float, float]
DETERMINERS = frozenset({"a", "an", "the"})


class Phrase(NamedTuple):
    """A noun phrase of a caption: its word positions and its boxes as fractions of the photo."""

    positions: tuple[int, ...]
    boxes: tuple[Box, ...]


class Regions(NamedTuple):
    """Where annotators drew the thing a word names, for M of the words of a batch."""

    rows: Tensor  # (M,) caption row
    steps: Tensor  # (M,) step that predicts the word
    inside: Tensor  # (M, L), share of each cell covered by the word's boxes, in [0, 1]


class Entities:
    """Boxed phrases of every caption of a data set, found by photo and caption number."""

    def __init__(self, path: Path, dataset: Dataset, grid: int) -> None:
        captions = {example.filename: example.captions for example in dataset.examples}
        self.grid = grid
        self._phrases: dict[tuple[str, int], tuple[Phrase, ...]] = {}
        try:
            for line in path.read_text(encoding="utf-8").splitlines():
                self._add(json.loads(line), captions)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path} is not an Entities file, one JSON object a line ({error!r})") from error

    def phrases(self, filename: str, caption: int) -> tuple[Phrase, ...]:
        """The phrases with boxes of one caption."""
        return self._phrases.get((filename, caption), ())

    def regions(self, filename: str, caption: int, crop: Crop = WHOLE) -> list[tuple[int, Tensor]]:
        """Step and cell coverage ``(grid²,)`` of each word of a boxed phrase, determiners left out.

        The grid lies on the photo's ``crop``; phrases of which nothing is seen there are left out.
        """
        return [
            (position, torch.from_numpy(inside))
            for phrase in self.phrases(filename, caption)
            for inside in [coverage([crop.box(box) for box in phrase.boxes], self.grid).ravel()]
            if inside.any()
            for position in phrase.positions
        ]

    def _add(self, photo: dict[str, Any], captions: dict[str, tuple[Tokens, ...]]) -> None:
        filename = photo["filename"]
        by_tokens = {tuple(_words(sentence)): sentence for sentence in photo["sentences"]}
        for number, tokens in enumerate(captions.get(filename, ())):
            sentence = by_tokens.get(tokens)
            if sentence is not None:
                self._phrases[filename, number] = tuple(_phrases(sentence))


def coverage(boxes: Sequence[Box], grid: int) -> NDArray[np.float32]:
    """``(grid, grid)``: the share of each cell inside the boxes, summed over them, at most 1."""
    edges = np.arange(grid + 1) / grid
    covered = np.zeros((grid, grid))
    for left, top, right, bottom in boxes:
        columns = _overlap(edges, left, right) * grid
        rows = _overlap(edges, top, bottom) * grid
        covered += np.outer(rows, columns)
    return covered.clip(0, 1).astype(np.float32)


def _overlap(edges: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    shared: NDArray[np.float64] = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    return shared.clip(0)


def _words(sentence: dict[str, Any]) -> list[str]:
    return [word for token in sentence["tokens"] for word in tokenize(token)]


def _phrases(sentence: dict[str, Any]) -> list[Phrase]:
    """Phrases with boxes, their token spans moved to the positions of `tokenize`'s words."""
    starts: list[int] = []
    words: list[str] = []
    for token in sentence["tokens"]:
        starts.append(len(words))
        words.extend(tokenize(token))
    starts.append(len(words))
    found = []
    for phrase in sentence["phrases"]:
        span = range(starts[phrase["first"]], starts[phrase["last"] + 1])
        positions = tuple(position for position in span if words[position] not in DETERMINERS)
        if phrase["boxes"] and positions:
            found.append(Phrase(positions, tuple(tuple(box) for box in phrase["boxes"])))
    return found
