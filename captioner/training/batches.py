"""Examples → batches: which photos and captions come when is a pure function of seed and epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from captioner.training.karpathy import Example
from captioner.training.objective import Regions
from captioner.vocabulary import Vocabulary

Loader = Callable[[Sequence[str]], Tensor]
RegionSource = Callable[[str, int], "list[tuple[int, Tensor]]"]


class Batch(NamedTuple):
    """P photos with K captions each, photo-major."""

    inputs: Tensor  # (P, 3, H, W) photos or (P, L, D) features
    captions: Tensor  # (P·K, T+1) ids
    lengths: Tensor  # (P·K,), counting <start> and <end>
    regions: Regions | None
    photos: tuple[int, ...]  # index of each photo among the examples


class Chosen(NamedTuple):
    """One photo of a batch and which of its captions are used."""

    example: int
    captions: tuple[int, ...]


@dataclass(frozen=True)
class BatchPlan:
    """How an epoch is cut into batches, of which a process of several takes its share."""

    photos: int = 48
    captions_per_photo: int = 2
    seed: int = 0

    def epoch(self, examples: Sequence[Example], epoch: int) -> list[list[Chosen]]:
        """All batches of one epoch, as even as can be: every photo once, with ``captions_per_photo`` captions.

        A photo's captions are different ones as long as it has enough of them.
        """
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(examples))
        chosen = [
            Chosen(int(index), _pick(random, len(examples[index].captions), self.captions_per_photo)) for index in order
        ]
        batches = -(-len(chosen) // self.photos)
        size, larger = divmod(len(chosen), batches)
        edges = [batch * size + min(batch, larger) for batch in range(batches + 1)]
        return [chosen[first:last] for first, last in pairwise(edges)]


class BatchDataset(TorchDataset[Batch]):
    """The batches of one epoch from ``first`` on, for a `DataLoader` with ``batch_size=None``."""

    def __init__(
        self,
        examples: Sequence[Example],
        batches: Sequence[Sequence[Chosen]],
        vocabulary: Vocabulary,
        load: Loader,
        regions: RegionSource | None = None,
    ) -> None:
        self.examples, self.batches = examples, batches
        self.vocabulary, self.load, self.regions = vocabulary, load, regions

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        chosen = self.batches[index]
        inputs = self.load([self.examples[choice.example].filename for choice in chosen])
        encoded = [
            self.vocabulary.encode(self.examples[choice.example].captions[caption])
            for choice in chosen
            for caption in choice.captions
        ]
        captions, lengths = pad_captions(encoded, self.vocabulary.pad)
        photos = tuple(choice.example for choice in chosen)
        return Batch(inputs, captions, lengths, self._regions(chosen), photos)

    def _regions(self, chosen: Sequence[Chosen]) -> Regions | None:
        if self.regions is None:
            return None
        pairs = [(self.examples[choice.example].filename, caption) for choice in chosen for caption in choice.captions]
        found = [
            (row, step, inside)
            for row, (filename, caption) in enumerate(pairs)
            for step, inside in self.regions(filename, caption)
        ]
        if not found:
            return None
        rows, steps, inside = zip(*found, strict=True)
        return Regions(torch.tensor(rows), torch.tensor(steps), torch.stack(inside))


def pad_captions(encoded: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    """Captions of ids → ``(N, longest)`` padded with ``pad``, and their lengths ``(N,)``."""
    lengths = torch.tensor([len(caption) for caption in encoded])
    padded = torch.full((len(encoded), int(lengths.max())), pad)
    for row, caption in enumerate(encoded):
        padded[row, : len(caption)] = torch.tensor(caption)
    return padded, lengths


def _pick(random: np.random.Generator, available: int, wanted: int) -> tuple[int, ...]:
    picked = random.permutation(available)[:wanted]
    return tuple(int(index) for index in np.resize(picked, wanted))
