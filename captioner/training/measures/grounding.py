"""Does the attention look where annotators drew the thing? Measured on nouns whose boxes are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from captioner.decoder import Decoder
from captioner.training.data.batches import pad_captions
from captioner.training.data.datasets import Example, Tokens
from captioner.training.data.entities import Box, Entities, coverage
from captioner.training.measures.scores import Annotate
from captioner.vocabulary import Vocabulary

LARGEST_BOX = 0.9  # boxes over nearly the whole photo say nothing about where one looks
CENTRE_SPREAD = 0.25  # standard deviation of the centre map, in sides of the photo

Map = NDArray[np.float32]  # (grid, grid)


class CaptionMaps(NamedTuple):
    """A caption of a photo with the map of each of its T words."""

    filename: str
    words: tuple[int, ...]  # <start>, T ids, the last of which is <end>
    alphas: NDArray[np.float32]  # (T, grid, grid)


class Named(NamedTuple):
    """A noun of a caption, and where annotators drew what it names."""

    caption: CaptionMaps
    position: int  # among the T words
    boxes: tuple[Box, ...]

    @property
    def alpha(self) -> Map:
        """The map of the step that writes the noun."""
        alpha: Map = self.caption.alphas[self.position]
        return alpha


@torch.inference_mode()
def teacher_forced_maps(
    decoder: Decoder, filename: str, captions: Sequence[Tokens], annotate: Annotate, vocabulary: Vocabulary
) -> list[CaptionMaps]:
    """The maps of given captions of one photo: for the model's own, those it wrote them with."""
    encoded = [vocabulary.encode(tokens) for tokens in captions]
    alphas = decoder(annotate([filename]), *pad_captions(encoded, vocabulary.pad)).alphas.float().cpu().numpy()
    grid = round(alphas.shape[-1] ** 0.5)
    maps = alphas.reshape(*alphas.shape[:2], grid, grid)
    return [CaptionMaps(filename, tuple(ids), own[: len(ids) - 1]) for ids, own in zip(encoded, maps, strict=True)]


def reference_nouns(references: Sequence[CaptionMaps], entities: Entities) -> list[Named]:
    """The head noun (last word) of every boxed phrase; ``references`` of one photo, in the data set's order.

    Phrases whose boxes cover over 90 % of the photo are left out.
    """
    return [
        Named(caption, phrase.positions[-1], phrase.boxes)
        for number, caption in enumerate(references)
        for phrase in entities.phrases(caption.filename, number)
        if _says_where(phrase.boxes, entities.grid)
    ]


def own_nouns(caption: CaptionMaps, example: Example, entities: Entities, vocabulary: Vocabulary) -> list[Named]:
    """The words of the model's own caption that are the head noun of a boxed phrase of the photo.

    A noun's boxes are those of all phrases that it heads, in any of the photo's references, since
    nobody can tell which man the model means; boxes over 90 % of the photo are left out as above.
    """
    boxes: dict[str, set[Box]] = defaultdict(set)
    for number, tokens in enumerate(example.captions):
        for phrase in entities.phrases(example.filename, number):
            boxes[tokens[phrase.positions[-1]]].update(phrase.boxes)
    found = [
        Named(caption, position, tuple(sorted(boxes[word])))
        for position, index in enumerate(caption.words[1:])
        if (word := vocabulary.word(index)) in boxes
    ]
    return [each for each in found if _says_where(each.boxes, entities.grid)]


def grounding_scores(nouns: Sequence[Named]) -> dict[str, float]:
    """Correctness and pointing of the nouns' maps, against maps that know nothing of the noun.

    - correctness: the share of alpha inside the noun's boxes (Liu et al. 2017); against a uniform
      map, a Gaussian in the middle of the photo (standard deviation a quarter of the side), and
      the map of a noun half the list away: of another photo, unless there is but one;
    - pointing: is the middle of the strongest cell inside a box; against the middle of the photo,
      which is where the centre map points, and another photo's map.
    """
    if not nouns:
        return {"phrases": 0}
    grid = nouns[0].alpha.shape[0]
    inside = [coverage(each.boxes, grid) for each in nouns]
    boxes = [each.boxes for each in nouns]
    own, centre = [each.alpha for each in nouns], [centre_map(grid)] * len(nouns)
    others = own[len(own) // 2 :] + own[: len(own) // 2]
    correctness = _correctness(own, inside)
    uniform = _correctness([np.full((grid, grid), 1 / grid**2, np.float32)] * len(nouns), inside)
    return {
        "phrases": len(nouns),
        "correctness": correctness,
        "correctness, uniform map": uniform,
        "correctness, centre map": _correctness(centre, inside),
        "correctness, another photo's map": _correctness(others, inside),
        "correctness over uniform": correctness / uniform,
        "pointing": _pointing([strongest(alpha) for alpha in own], boxes),
        "pointing, middle of the photo": _pointing([(0.5, 0.5)] * len(nouns), boxes),
        "pointing, another photo's map": _pointing([strongest(alpha) for alpha in others], boxes),
    }


def centre_map(grid: int) -> Map:
    """A Gaussian in the middle of the photo, summing to 1."""
    offsets = (np.arange(grid) + 0.5) / grid - 0.5
    side = np.exp(-0.5 * (offsets / CENTRE_SPREAD) ** 2)
    weights = np.outer(side, side)
    centred: Map = (weights / weights.sum()).astype(np.float32)
    return centred


def strongest(alpha: Map) -> tuple[float, float]:
    """Middle of the strongest cell as fractions ``(x, y)`` of the photo."""
    row, column = np.unravel_index(int(alpha.argmax()), alpha.shape)
    return (float(column) + 0.5) / alpha.shape[1], (float(row) + 0.5) / alpha.shape[0]


def points_at(point: tuple[float, float], boxes: Sequence[Box]) -> bool:
    """Is the point in one of the boxes?"""
    x, y = point
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in boxes)


def _says_where(boxes: Sequence[Box], grid: int) -> bool:
    return bool(coverage(boxes, grid).mean() <= LARGEST_BOX)


def _correctness(maps: Sequence[Map], inside: Sequence[Map]) -> float:
    return float(np.mean([(alpha * cells).sum() for alpha, cells in zip(maps, inside, strict=True)]))


def _pointing(points: Sequence[tuple[float, float]], boxes: Sequence[Sequence[Box]]) -> float:
    return float(np.mean([points_at(point, each) for point, each in zip(points, boxes, strict=True)]))
