"""Everything that `evaluate --attention` measures of a model's maps."""

from __future__ import annotations

from collections.abc import Sequence

from tqdm import tqdm

from captioner.decoder import Decoder
from captioner.search import SearchSettings
from captioner.training.deletion import deletion_scores
from captioner.training.entities import Entities
from captioner.training.evaluation import Annotate, decode
from captioner.training.grounding import (
    CaptionMaps,
    Named,
    grounding_scores,
    own_nouns,
    reference_nouns,
    teacher_forced_maps,
)
from captioner.training.karpathy import Example
from captioner.training.sharpness import sharpness_scores
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
