"""Captions decoded without teacher forcing, scored by pycocoevalcap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from captioner.decoder import Decoder
from captioner.search import SearchSettings, search
from captioner.settings import SEEDS
from captioner.training.karpathy import Example, Tokens
from captioner.vocabulary import Vocabulary

Annotate = Callable[[Sequence[str]], Tensor]

DETERMINERS = ("a", "an", "the", "his", "her", "its", "their")
DANGLING = frozenset(
    (*DETERMINERS, "and", "or", "of", "in", "on", "at", "with", "to", "by", "for", "from", "is", "are")
)


class Scored(NamedTuple):
    """The caption of each photo with what it scored over all of them."""

    captions: list[Tokens]
    scores: dict[str, float]


@torch.inference_mode()
def decode(
    decoder: Decoder, batches: Iterable[Tensor], vocabulary: Vocabulary, settings: SearchSettings
) -> list[Tokens]:
    """Best caption of each photo; ``batches`` of features ``(P, L, D)``.

    Above temperature 0 photo ``i`` is drawn with the seed ``settings.seed + i``: with one for all, the same
    luck would befall every caption, and their mean score would say little.
    """
    captions: list[Tokens] = []
    for features in batches:
        for part in torch.split(features, 1) if settings.temperature else [features]:
            drawn = replace(settings, seed=(settings.seed + len(captions)) % SEEDS)
            *_, snapshots = search(decoder, decoder.annotate(part), vocabulary, drawn)
            captions += [tuple(vocabulary.decode(snapshot.leader.tokens)) for snapshot in snapshots]
    return captions


def caption_scores(
    captions: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, meteor: bool = True
) -> dict[str, float]:
    """BLEU-1 to 4, ROUGE-L, CIDEr and METEOR (needs Java) over the data set's own tokens.

    The tokens are lower case without punctuation on both sides, so no tokeniser comes between.
    """
    from pycocoevalcap.bleu.bleu import Bleu  # noqa: PLC0415
    from pycocoevalcap.cider.cider import Cider  # noqa: PLC0415
    from pycocoevalcap.meteor.meteor import Meteor  # noqa: PLC0415
    from pycocoevalcap.rouge.rouge import Rouge  # noqa: PLC0415

    truth = {index: [" ".join(tokens) for tokens in tokens_list] for index, tokens_list in enumerate(references)}
    found = {index: [" ".join(tokens)] for index, tokens in enumerate(captions)}
    bleu, _ = Bleu(4).compute_score(truth, found, verbose=0)
    scores = {f"BLEU-{order}": 100 * float(value) for order, value in enumerate(bleu, 1)}
    scores["ROUGE-L"] = 100 * float(Rouge().compute_score(truth, found)[0])
    scores["CIDEr"] = float(Cider().compute_score(truth, found)[0])
    if meteor:
        scores["METEOR"] = 100 * float(Meteor().compute_score(truth, found)[0])
    return scores


def diversity(captions: Sequence[Tokens]) -> dict[str, float]:
    """Signs of collapse: distinct captions and words, mean length, share ending in a dangling word."""
    words = Counter(word for caption in captions for word in caption)
    return {
        "distinct captions": len(set(captions)),
        "distinct words": len(words),
        "mean length": words.total() / len(captions),
        "dangling": sum(not caption or caption[-1] in DANGLING for caption in captions) / len(captions),
    }


def evaluate(
    decoder: Decoder,
    examples: Sequence[Example],
    annotate: Annotate,
    vocabulary: Vocabulary,
    settings: SearchSettings,
    *,
    batch_size: int = 25,
    meteor: bool = False,
) -> Scored:
    """Decode and score examples; ``annotate`` gives the features of photos by file name."""
    names = [example.filename for example in examples]
    starts = tqdm(range(0, len(names), batch_size), desc=f"beam {settings.beam_size}", leave=False)
    batches = (annotate(names[start : start + batch_size]) for start in starts)
    captions = decode(decoder, batches, vocabulary, settings)
    references = [example.captions for example in examples]
    return Scored(captions, caption_scores(captions, references, meteor=meteor) | diversity(captions))
