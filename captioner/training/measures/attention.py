"""What `evaluate --attention` measures of a model's maps.

Does the attention look where annotators drew the thing (nouns whose boxes are known)? Do the attended cells matter
(deletion and insertion curves, Petsiuk et al. 2018, on annotations)? How flat or alike are the maps in themselves?
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from captioner.attention import Annotations
from captioner.decoder import Decoder
from captioner.search import SearchSettings
from captioner.training.data.batches import pad_captions
from captioner.training.data.concepts import Box, Entities, coverage
from captioner.training.data.datasets import Example, Tokens
from captioner.training.measures.scores import Annotate, decode
from captioner.vocabulary import Vocabulary

LARGEST_BOX = 0.9  # boxes over nearly the whole photo say nothing about where one looks
CENTRE_SPREAD = 0.25  # standard deviation of the centre map, in sides of the photo

Map = NDArray[np.float32]  # (grid, grid)
CURVE_STEPS = 14


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


@torch.inference_mode()
def deletion_scores(
    decoder: Decoder, nouns: Sequence[Named], annotate: Annotate, *, sample: int = 300, seed: int = 0
) -> dict[str, float]:
    """Areas under the deletion and insertion curves of a sample of nouns, mean over them, in nats.

    A cell is deleted by putting the photo's mean annotation in the place of its own. (The pixels
    stay: an annotation has seen more of the photo than its cell.) The curve is the log-probability of
    the noun, teacher-forced on the words before it from the first step on with the changed
    annotations, at 15 evenly spaced shares of deleted cells from none to all; its area is by the
    trapezoid rule over the share, so it is the mean log-probability along the curve.

    - deletion takes cells away by falling alpha of the noun's map: lower means they mattered more;
    - insertion begins with none and adds cells by falling alpha: higher means they sufficed more;
    - random order is the same in a random order, one a noun, drawn from ``seed``. It serves both:
      insertion in one order is deletion in the reverse order.

    ``whole photo`` and ``mean annotation alone`` are the two ends of every curve.
    """
    random = np.random.default_rng(seed)
    chosen = [nouns[index] for index in random.permutation(len(nouns))[:sample]]
    rows = []
    for noun in chosen:
        features = annotate([noun.caption.filename])[0]
        falling = torch.from_numpy(np.argsort(-noun.alpha.ravel(), kind="stable"))
        orders = [falling, falling.flip(0), torch.from_numpy(random.permutation(len(falling)))]
        curves = torch.stack([deletion_curve(decoder, features, noun, order) for order in orders])
        rows.append([*torch.trapezoid(curves, dx=1 / CURVE_STEPS).tolist(), float(curves[0, 0]), float(curves[0, -1])])
    means = np.mean(rows, axis=0).tolist() if rows else []
    names = ("deletion", "insertion", "random order", "whole photo", "mean annotation alone")
    return {"words": len(chosen), **dict(zip(names, means, strict=bool(rows)))}


def deletion_curve(decoder: Decoder, features: Tensor, noun: Named, order: Tensor) -> Tensor:
    """``(15,)`` log-probabilities of the noun as ever more cells of ``features`` ``(L, D)`` are deleted."""
    cells = len(order)
    counts = [round(cells * step / CURVE_STEPS) for step in range(CURVE_STEPS + 1)]
    rank = torch.empty_like(order).scatter_(0, order, torch.arange(cells)).to(features.device)
    deleted = rank < torch.tensor(counts, device=features.device).unsqueeze(1)  # (15, L)
    own, mean = (decoder.annotate(each) for each in (features[None], features.mean(dim=0)[None, None]))
    annotations = Annotations(*(torch.where(deleted.unsqueeze(2), *pair) for pair in zip(mean, own, strict=True)))
    state = decoder.start(annotations)
    *given, word = noun.caption.words[: noun.position + 2]
    for previous in given:
        step = decoder.step(annotations, state, torch.full((len(counts),), previous, device=features.device))
        state = step.state
    return step.logits.double().log_softmax(dim=1)[:, word].cpu()


def sharpness_scores(captions: Sequence[CaptionMaps]) -> dict[str, float]:
    """Normalised entropy of the words' maps, and their mean distance within a caption.

    ``<end>`` is no word here. The entropy is a mean over all words, the distance one over all
    captions of two words or more.
    """
    maps = [own.reshape(len(own), own[0].size) for each in captions if len(own := each.alphas[:-1])]
    if not maps:
        return {"words": 0}
    distances = [mean_distance(own) for own in maps if len(own) > 1]
    return {
        "words": sum(map(len, maps)),
        "normalised entropy": float(normalised_entropy(np.concatenate(maps)).mean()),
        "distance between words": float(np.mean(distances)) if distances else 0.0,
    }


def normalised_entropy(alphas: NDArray[np.float32]) -> NDArray[np.float64]:
    """``−Σ_i α_i log α_i / log L`` of each row of ``(N, L)``: 1 for a uniform map, 0 for a single cell."""
    shares = alphas.astype(np.float64)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: NDArray[np.float64] = -(shares * logs).sum(axis=1) / np.log(alphas.shape[1])
    return entropy


def mean_distance(alphas: NDArray[np.float32]) -> float:
    """Mean total variation ``½ Σ_i |α_si − α_ti|`` over all pairs of rows of ``(T, L)``: 0 alike, 1 disjoint."""
    differences = np.abs(alphas[:, None].astype(np.float64) - alphas[None]).sum(axis=2) / 2
    return float(differences[np.triu_indices(len(alphas), 1)].mean())


def attention_table(
    decoder: Decoder,
    examples: Sequence[Example],
    annotate: Annotate,
    vocabulary: Vocabulary,
    entities: Entities,
    settings: SearchSettings,
) -> dict[str, dict[str, float]]:
    """Four rows of scores; ``settings`` are those of the model's own captions.

    See `grounding_scores` (references, teacher-forced, and own captions), `sharpness_scores` (own
    captions) and `deletion_scores` (nouns of the references that the model knows).
    """
    named: list[Named] = []
    own: list[CaptionMaps] = []
    own_named: list[Named] = []
    for example in tqdm(examples, desc="attention", unit="photo", leave=False):
        name = example.filename
        named += reference_nouns(teacher_forced_maps(decoder, name, example.captions, annotate, vocabulary), entities)
        written = decode(decoder, [annotate([name])], vocabulary, settings)
        own += (maps := teacher_forced_maps(decoder, name, written, annotate, vocabulary))
        own_named += own_nouns(maps[0], example, entities, vocabulary)
    known = [each for each in named if each.caption.words[each.position + 1] not in vocabulary.never_written]
    return {
        "attention on reference head nouns": grounding_scores(named),
        "attention on nouns of its own captions": grounding_scores(own_named),
        "attention maps of its own captions": sharpness_scores(own),
        "log-probability as cells are deleted": deletion_scores(decoder, known, annotate),
    }
