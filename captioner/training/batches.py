"""Examples → batches: which photos and captions come when is a pure function of seed and epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from captioner.training.concepts import Concepts, ConceptTargets
from captioner.training.karpathy import Example
from captioner.training.objective import Regions
from captioner.training.views import Crop, View, Views, framed, mirrored_caption, mirrored_map
from captioner.vocabulary import Vocabulary

RegionSource = Callable[[str, int, Crop], "list[tuple[int, Tensor]]"]


class Loader(Protocol):
    """Photos ``(P, 3, H, W)``, or their features ``(P, L, D)``, by file name."""

    def __call__(self, filenames: Sequence[str], mirrored: Sequence[bool] = (), /) -> Tensor:
        """Those of which ``mirrored`` says so left for right; empty: none."""


class Batch(NamedTuple):
    """P photos with K captions each, photo-major."""

    inputs: Tensor  # (P, 3, H, W) photos or (P, L, D) features
    captions: Tensor  # (P·K, T+1) ids
    lengths: Tensor  # (P·K,), counting <start> and <end>
    regions: Regions | None
    photos: tuple[int, ...]  # index of each photo among the examples
    concepts: ConceptTargets | None = None


class Chosen(NamedTuple):
    """One photo of a batch, which of its captions are used, and what its view is drawn from."""

    example: int
    captions: tuple[int, ...]
    seed: int


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
        captions = [_pick(random, len(examples[index].captions), self.captions_per_photo) for index in order]
        seeds = random.integers(2**63, size=len(order))
        chosen = [Chosen(*each) for each in zip(order.tolist(), captions, seeds.tolist(), strict=True)]
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
        views: Views | None = None,
        concepts: Concepts | None = None,
    ) -> None:
        self.examples, self.batches = examples, batches
        self.vocabulary, self.load, self.regions, self.views = vocabulary, load, regions, views or Views()
        self.concepts = concepts

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        chosen = self.batches[index]
        views = [self.views.draw(choice.seed) for choice in chosen]
        filenames = [self.examples[choice.example].filename for choice in chosen]
        inputs = self.load(filenames, [view.mirrored for view in views])
        if inputs.dim() == 4:
            inputs = framed(inputs, views)
        cells = None
        if inputs.dim() == 3 and self.views.cells:
            cells = torch.stack([self.views.shown(view, inputs.shape[1]) for view in views])
            inputs = torch.stack([photo[shown] for photo, shown in zip(inputs, cells, strict=True)])
        captions, lengths = pad_captions(self._encoded(chosen, views), self.vocabulary.pad)
        photos = tuple(choice.example for choice in chosen)
        concepts = self.concepts.targets(photos, views) if self.concepts else None
        return Batch(inputs, captions, lengths, self._regions(chosen, views, cells), photos, concepts)

    def _encoded(self, chosen: Sequence[Chosen], views: Sequence[View]) -> list[list[int]]:
        captions = [
            (self.examples[choice.example].captions[caption], view)
            for choice, view in zip(chosen, views, strict=True)
            for caption in choice.captions
        ]
        return [
            self.vocabulary.encode(mirrored_caption(tokens) if view.mirrored else tokens) for tokens, view in captions
        ]

    def _regions(self, chosen: Sequence[Chosen], views: Sequence[View], cells: Tensor | None) -> Regions | None:
        if self.regions is None:
            return None
        asked = [(photo, caption) for photo, choice in enumerate(chosen) for caption in choice.captions]
        found = [
            (row, step, _seen(inside, views[photo], None if cells is None else cells[photo]))
            for row, (photo, caption) in enumerate(asked)
            for step, inside in self.regions(self.examples[chosen[photo].example].filename, caption, views[photo].crop)
        ]
        seen = [(row, step, inside) for row, step, inside in found if inside.any()]
        if not seen:
            return None
        rows, steps, inside = zip(*seen, strict=True)
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


def _seen(inside: Tensor, view: View, cells: Tensor | None) -> Tensor:
    """A map as the view has it; all zero where none of its cells are shown."""
    turned = mirrored_map(inside) if view.mirrored else inside
    return turned if cells is None else turned[cells]
