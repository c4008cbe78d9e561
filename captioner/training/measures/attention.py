"""Everything that `evaluate --attention` measures of a model's maps, and how flat or alike they are in themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from captioner.decoder import Decoder
from captioner.search import SearchSettings
from captioner.training.data.datasets import Example
from captioner.training.data.entities import Entities
from captioner.training.measures.deletion import deletion_scores
from captioner.training.measures.grounding import (
    CaptionMaps,
    Named,
    grounding_scores,
    own_nouns,
    reference_nouns,
    teacher_forced_maps,
)
from captioner.training.measures.scores import Annotate, decode
from captioner.vocabulary import Vocabulary


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
