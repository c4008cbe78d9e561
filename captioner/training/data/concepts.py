"""What captions name: their content words as concepts, on a photo and in its cells; where annotators drew a phrase."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from captioner.training.data.augmentation import OTHER_SIDE, WHOLE, Crop, View
from captioner.training.data.datasets import Dataset, DatasetError, Example, Tokens
from captioner.vocabulary import tokenize

Box = tuple[float, float, float, float]
DETERMINERS = frozenset({"a", "an", "the"})
MIN_FREQUENCY = 15
FUNCTION_WORDS = """
a about along an and another are around as at be been being by down during each for from had has have he her him his
in into is it its like near next of off on one other out over she some something that the their them there they this
through to up what which while who with
"""


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


class ConceptTargets(NamedTuple):
    """What P photos show, of C concepts."""

    present: Tensor  # (P, C), share of the photo's captions that have the word
    inside: Tensor  # (P, L, C), share of each cell that the word's boxes cover
    placed: Tensor  # (P, C) bool: is it known of each cell? So it is of words with boxes, and of words no caption has


class Concepts:
    """The content words of the training captions, with the boxes of the phrases they stand in.

    A word without a box may be anywhere on the photo, so that its cells say nothing. ``entities`` are those of
    the sources that have boxes, by name.

    Raises:
        DatasetError: if no word is frequent enough.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        entities: Mapping[str, Entities],
        grid: int,
        min_frequency: int = MIN_FREQUENCY,
    ) -> None:
        function_words = set(FUNCTION_WORDS.split())
        counts = Counter(word for each in examples for caption in each.captions for word in caption)
        self.words = tuple(
            word for word, count in counts.most_common() if count >= min_frequency and word not in function_words
        )
        if not self.words:
            raise DatasetError(f"no word of the captions occurs {min_frequency} times; train without concepts")
        self.grid = grid
        self._index = {word: index for index, word in enumerate(self.words)}
        self._turned = torch.tensor([self._index.get(OTHER_SIDE.get(word, word), i) for word, i in self._index.items()])
        self._boxes = [self._boxed(example, entities.get(example.source)) for example in examples]
        self._present = torch.stack([self._shares(example) for example in examples])

    @property
    def frequency(self) -> Tensor:
        """``(C,)``: the share of photos that show each concept."""
        return (self._present > 0).float().mean(dim=0)

    def targets(self, examples: Sequence[int], views: Sequence[View]) -> ConceptTargets:
        """Those of photos, by their index among the examples, each as its view has it."""
        found = [self._of(example, view) for example, view in zip(examples, views, strict=True)]
        return ConceptTargets(*(torch.stack(parts) for parts in zip(*found, strict=True)))

    def _of(self, example: int, view: View) -> tuple[Tensor, Tensor, Tensor]:
        present = self._present[example]
        inside = torch.zeros(self.grid, self.grid, len(self.words))
        placed = present == 0
        for box, words in self._boxes[example].items():
            covered = torch.from_numpy(coverage([view.crop.box(box)], self.grid)).unsqueeze(2)
            inside[:, :, words] = torch.maximum(inside[:, :, words], covered)
            placed[words] = True
        if view.mirrored:
            present, inside, placed = present[self._turned], inside.flip(1)[:, :, self._turned], placed[self._turned]
        return present, inside.flatten(0, 1), placed

    def _boxed(self, example: Example, entities: Entities | None) -> dict[Box, list[int]]:
        found: dict[Box, set[int]] = {}
        if entities is None:
            return {}
        for number, caption in enumerate(example.captions):
            for phrase in entities.phrases(example.filename, number):
                words = {self._index[word] for at in phrase.positions if (word := caption[at]) in self._index}
                for box in phrase.boxes if words else ():
                    found.setdefault(box, set()).update(words)
        return {box: sorted(words) for box, words in found.items()}

    def _shares(self, example: Example) -> Tensor:
        shares = torch.zeros(len(self.words))
        for caption in example.captions:
            for word in {self._index[word] for word in caption if word in self._index}:
                shares[word] += 1 / len(example.captions)
        return shares
