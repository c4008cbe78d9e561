"""Examples → batches: which photos and captions come when is a pure function of seed and epoch."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from captioner.training.data.augmentation import Augmentation, View, mirrored_caption, mirrored_map
from captioner.training.data.concepts import Concepts, ConceptTargets, Entities, Regions
from captioner.training.data.datasets import Example
from captioner.training.data.features import Loader
from captioner.training.options import OptionError, amounts, check_options, option
from captioner.vocabulary import Vocabulary


class Batch(NamedTuple):
    """P photos with K captions each, photo-major."""

    inputs: Tensor  # (P, 3, H, W) photos or (P, L, D) features
    captions: Tensor  # (P·K, T+1) ids
    lengths: Tensor  # (P·K,), counting <start> and <end>
    weights: Tensor  # (P·K,), how much each caption counts
    regions: Regions | None
    concepts: ConceptTargets | None = None
    taught: tuple[Tensor, ...] = ()  # (P, L', T) features of other networks, from files


class Chosen(NamedTuple):
    """One photo of a batch, which of its captions are used, and what its view is drawn from."""

    example: int
    captions: tuple[int, ...]
    seed: int


def photos_a_batch(text: str) -> int | dict[str, int]:
    """A whole number, or ``flickr8k=96,everyday=24``: how many photos of each source.

    Raises:
        argparse.ArgumentTypeError: if it is neither.
    """
    if text.lstrip("-").isdigit():
        return int(text)
    found = {name: int(number) for name, number in amounts(text).items() if number == int(number) > 0}
    if len(found) < len(amounts(text)):
        raise argparse.ArgumentTypeError(f"expected whole numbers of photos above 0, got {text!r}")
    return found


@dataclass(frozen=True)
class BatchPlan:
    """How an epoch is cut into batches, of which a process of several takes its share.

    With a number of photos, the sources are one collection and an epoch is every photo once. With a
    number for each source, an epoch is every photo of the *first* named once; of the others so many
    stand in each batch as is said, drawn without replacement until all have been seen, over the ends of
    epochs too.
    """

    photos: int | Mapping[str, int] = option(
        48, "photos a batch, over all processes, or of each source: NAME=96,NAME=24", parse=photos_a_batch, least=1,
        name="batch-photos",
    )  # fmt: skip
    captions_per_photo: int = option(2, "captions of a photo that come in one batch", least=1)
    seed: int = option(0, "of batches, views, dropout and new weights", least=0)

    def __post_init__(self) -> None:
        check_options(self)

    def epoch(self, examples: Sequence[Example], epoch: int) -> list[list[Chosen]]:
        """All batches of one epoch, as even as can be, each photo with ``captions_per_photo`` captions.

        A photo's captions are different ones as long as it has enough of them.

        Raises:
            OptionError: if a source is named that there is not.
        """
        random = np.random.default_rng([self.seed, epoch])
        if isinstance(self.photos, int):
            batches = _evenly(random.permutation(len(examples)).tolist(), self.photos)
        else:
            batches = self._mixed(random, _by_source(examples, self.photos), epoch, self.photos)
        order = [index for batch in batches for index in batch]
        captions = [_pick(random, len(examples[index].captions), self.captions_per_photo) for index in order]
        seeds = random.integers(2**63, size=len(order))
        chosen = iter([Chosen(*each) for each in zip(order, captions, seeds.tolist(), strict=True)])
        return [[next(chosen) for _ in batch] for batch in batches]

    def _mixed(
        self, random: np.random.Generator, indices: Sequence[Sequence[int]], epoch: int, photos: Mapping[str, int]
    ) -> list[list[int]]:
        first, *others = indices
        size, *sizes = photos.values()
        batches = _evenly([first[at] for at in random.permutation(len(first))], size)
        for place, (own, count) in enumerate(zip(others, sizes, strict=True), 1):
            begun = epoch * len(batches) * count  # so many have been drawn in the epochs before
            drawn = self._stream(own, place, begun, len(batches) * count)
            for number, batch in enumerate(batches):
                batch.extend(drawn[number * count : (number + 1) * count])
        return batches

    def _stream(self, indices: Sequence[int], place: int, first: int, count: int) -> list[int]:
        """``count`` photos, the ``first``-th on, of one permutation of a source after the other."""
        rounds = range(first // len(indices), (first + count - 1) // len(indices) + 1)
        order = [
            at for each in rounds for at in np.random.default_rng([self.seed, place, each, 1]).permutation(len(indices))
        ]
        begin = first - rounds[0] * len(indices)
        return [indices[at] for at in order[begin : begin + count]]


class BatchDataset(TorchDataset[Batch]):
    """The batches of one epoch from ``first`` on, for a `DataLoader` with ``batch_size=None``.

    Args:
        entities: the boxes of the sources that have any, by name; their grid is that of the features.
        weights: how much the captions of a source count; 1 if it is not named.
        taught: what gives the features of other networks of photos as their views have them.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        batches: Sequence[Sequence[Chosen]],
        vocabulary: Vocabulary,
        load: Loader,
        *,
        grid: int = 0,
        entities: Mapping[str, Entities] | None = None,
        augmentation: Augmentation | None = None,
        concepts: Concepts | None = None,
        weights: Mapping[str, float] | None = None,
        taught: Sequence[Callable[[Sequence[Example], Sequence[View]], Tensor]] = (),
    ) -> None:
        self.examples, self.batches, self.vocabulary, self.load = examples, batches, vocabulary, load
        self.grid, self.entities, self.augmentation = grid, entities or {}, augmentation or Augmentation()
        self.concepts, self.weights, self.taught = concepts, weights or {}, taught

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Batch:
        chosen = self.batches[index]
        examples = [self.examples[choice.example] for choice in chosen]
        views = [
            self.augmentation.draw(choice.seed, example.source, self.grid)
            for choice, example in zip(chosen, examples, strict=True)
        ]
        captions, lengths = pad_captions(self._encoded(chosen, views), self.vocabulary.pad)
        weights = [self.weights.get(each.source, 1.0) for each in examples]
        concepts = self.concepts.targets([choice.example for choice in chosen], views) if self.concepts else None
        return Batch(
            self.load(examples, views),
            captions,
            lengths,
            torch.tensor(weights).repeat_interleave(len(captions) // len(chosen)),
            self._regions(chosen, views),
            concepts,
            tuple(told(examples, views) for told in self.taught),
        )

    def _encoded(self, chosen: Sequence[Chosen], views: Sequence[View]) -> list[list[int]]:
        captions = [
            (self.examples[choice.example].captions[caption], view)
            for choice, view in zip(chosen, views, strict=True)
            for caption in choice.captions
        ]
        return [
            self.vocabulary.encode(mirrored_caption(tokens) if view.mirrored else tokens) for tokens, view in captions
        ]

    def _regions(self, chosen: Sequence[Chosen], views: Sequence[View]) -> Regions | None:
        found = []
        asked = [(photo, caption) for photo, choice in enumerate(chosen) for caption in choice.captions]
        for row, (photo, caption) in enumerate(asked):
            example, view = self.examples[chosen[photo].example], views[photo]
            if boxes := self.entities.get(example.source):
                regions = boxes.regions(example.filename, caption, view.crop)
                found += [(row, step, _seen(inside, view)) for step, inside in regions]
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


def _by_source(examples: Sequence[Example], photos: Mapping[str, int]) -> list[list[int]]:
    """The indices of each source's examples, in the order of ``photos``."""
    found: dict[str, list[int]] = {name: [] for name in photos}
    for index, example in enumerate(examples):
        if example.source in found:
            found[example.source].append(index)
    if missing := [name for name, own in found.items() if not own]:
        known = ", ".join(sorted({example.source for example in examples}))
        raise OptionError(
            f"--batch-photos names {missing[0]!r}, of which there are no training photos (known: {known})"
        )
    return list(found.values())


def _evenly(order: Sequence[int], size: int) -> list[list[int]]:
    count = -(-len(order) // size)
    least, larger = divmod(len(order), count)
    edges = [batch * least + min(batch, larger) for batch in range(count + 1)]
    return [list(order[first:last]) for first, last in pairwise(edges)]


def _seen(inside: Tensor, view: View) -> Tensor:
    """A map as the view has it; all zero where none of its cells are shown."""
    turned = mirrored_map(inside) if view.mirrored else inside
    return turned if view.cells is None else turned[torch.from_numpy(view.cells)]
