"""Does the attention look where annotators drew the thing? Measured on reference captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from captioner.decoder import Decoder
from captioner.training.batches import pad_captions
from captioner.training.entities import Box, Entities, coverage
from captioner.training.evaluation import Annotate
from captioner.training.karpathy import Example
from captioner.vocabulary import Vocabulary

LARGEST_BOX = 0.9  # a box over nearly the whole photo says nothing about where one looks


class Named(NamedTuple):
    """The map of one head noun and what it is compared with."""

    alpha: NDArray[np.float32]  # (grid, grid)
    boxes: tuple[Box, ...]


def attention_scores(
    decoder: Decoder, examples: Sequence[Example], annotate: Annotate, vocabulary: Vocabulary, entities: Entities
) -> dict[str, float]:
    """Attention on the head noun of every boxed phrase of the references, teacher-forced.

    - correctness: the share of alpha inside the phrase's boxes (Liu et al. 2017), against a
      uniform map's and against the map of a noun of another photo;
    - pointing: is the middle of the strongest cell inside a box, against the middle of the photo.

    Phrases whose boxes cover over 90 % of the photo are left out.
    """
    named = [each for example in examples for each in _head_nouns(decoder, example, annotate, vocabulary, entities)]
    inside = [coverage(each.boxes, entities.grid) for each in named]
    others = [each.alpha for each in named[len(named) // 2 :] + named[: len(named) // 2]]
    pairs = list(zip(named, inside, strict=True))
    correctness = float(np.mean([(each.alpha * cells).sum() for each, cells in pairs]))
    uniform = float(np.mean([cells.mean() for cells in inside]))
    return {
        "phrases": len(named),
        "correctness": correctness,
        "correctness, uniform map": uniform,
        "correctness, another photo's map": float(
            np.mean([(alpha * cells).sum() for alpha, cells in zip(others, inside, strict=True)])
        ),
        "correctness over uniform": correctness / uniform,
        "pointing": float(np.mean([points_at(strongest(each.alpha), each.boxes) for each in named])),
        "pointing, middle of the photo": float(np.mean([points_at((0.5, 0.5), each.boxes) for each in named])),
    }


def strongest(alpha: NDArray[np.float32]) -> tuple[float, float]:
    """Middle of the strongest cell as fractions ``(x, y)`` of the photo."""
    row, column = np.unravel_index(int(alpha.argmax()), alpha.shape)
    return (float(column) + 0.5) / alpha.shape[1], (float(row) + 0.5) / alpha.shape[0]


def points_at(point: tuple[float, float], boxes: Sequence[Box]) -> bool:
    """Is the point in one of the boxes?"""
    x, y = point
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


@torch.inference_mode()
def _head_nouns(
    decoder: Decoder, example: Example, annotate: Annotate, vocabulary: Vocabulary, entities: Entities
) -> list[Named]:
    captions, lengths = pad_captions([vocabulary.encode(tokens) for tokens in example.captions], vocabulary.pad)
    alphas: Tensor = decoder(annotate([example.filename]), captions, lengths).alphas
    maps = alphas.float().numpy().reshape(*alphas.shape[:2], entities.grid, entities.grid)
    return [
        Named(maps[number, phrase.positions[-1]], phrase.boxes)
        for number in range(len(example.captions))
        for phrase in entities.phrases(example.filename, number)
        if coverage(phrase.boxes, entities.grid).mean() <= LARGEST_BOX
    ]
