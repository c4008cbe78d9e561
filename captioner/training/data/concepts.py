"""The content words of the captions as concepts: which are on a photo, and in which of its cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from captioner.training.data.augmentation import OTHER_SIDE, View
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.entities import Box, Entities, coverage

MIN_FREQUENCY = 15
FUNCTION_WORDS = """
a about along an and another are around as at be been being by down during each for from had has have he her him his
in into is it its like near next of off on one other out over she some something that the their them there they this
through to up what which while who with
"""


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
