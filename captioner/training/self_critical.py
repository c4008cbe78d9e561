"""Self-critical training: captions are drawn from the model and judged by CIDEr, and by BLEU if so wished.

Rennie et al. 2017, with the mean reward of a photo's other draws as the baseline (Luo 2020). Each
photo's reference captions ride along under the ordinary objective, which keeps language and
attention in place where the reward is indifferent to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pycocoevalcap.bleu import bleu_scorer
from pycocoevalcap.cider.cider_scorer import CiderScorer, cook_refs, cook_test
from torch import Tensor
from torch.nn.functional import pad

from captioner.decoder import Decoder, DecoderState, TeacherForced
from captioner.training.batches import Batch
from captioner.training.karpathy import Example, Tokens
from captioner.training.objective import Loss, ObjectiveConfig, Shares, objective
from captioner.vocabulary import END, Vocabulary

MAX_LENGTH = 24


class Reward:
    """CIDEr of single captions, its n-gram frequencies those of all training captions, and a share of BLEU-4.

    ``<end>`` counts as a word on both sides, so that stopping in mid-phrase does not pay. ``bleu_weight``
    times a caption's own BLEU-4, in [0, 1], is added to its CIDEr, in [0, 10].
    """

    def __init__(self, examples: Sequence[Example], bleu_weight: float = 0.0) -> None:
        sentences = [[_sentence(tokens) for tokens in each.captions] for each in examples]
        self._references = [cook_refs(each) for each in sentences]
        self._bleu_references = [bleu_scorer.cook_refs(each) for each in sentences] if bleu_weight else []
        self._bleu_weight = bleu_weight
        self._frequency: dict[tuple[str, ...], float] = defaultdict(float)
        for references in self._references:
            for ngram in {ngram for reference in references for ngram in reference}:
                self._frequency[ngram] += 1

    def __call__(self, captions: Sequence[Tokens], photos: Sequence[int]) -> NDArray[np.float64]:
        """Reward of each caption, given as tokens with ``<end>`` if it has one, of these photos."""
        scorer = CiderScorer()
        scorer.document_frequency = self._frequency
        scorer.crefs = _OfCorpus([self._references[photo] for photo in photos], len(self._references))
        scorer.ctest = [cook_test(" ".join(caption)) for caption in captions]
        cider = np.array(scorer.compute_cider())
        return cider + self._bleu_weight * self._bleu(captions, photos) if self._bleu_weight else cider

    def _bleu(self, captions: Sequence[Tokens], photos: Sequence[int]) -> NDArray[np.float64]:
        scorer = bleu_scorer.BleuScorer(n=4)
        scorer.crefs = [self._bleu_references[photo] for photo in photos]
        scorer.ctest = [
            bleu_scorer.cook_test(" ".join(caption), references)
            for caption, references in zip(captions, scorer.crefs, strict=True)
        ]
        _, of_each = scorer.compute_score(option="closest")
        return np.array(of_each[-1])


class _OfCorpus(list[Any]):
    """References of a batch that count as the whole corpus where the scorer asks for its size."""

    def __init__(self, references: list[Any], size: int) -> None:
        super().__init__(references)
        self._size = size

    def __len__(self) -> int:
        return self._size


class Drawn(NamedTuple):
    """K captions drawn a photo, photo-major."""

    captions: Tensor  # (P·K, T+1) ids
    lengths: Tensor  # (P·K,), counting <start> and <end>
    rewards: Tensor  # (P·K,)
    advantages: Tensor  # (P·K,), over the siblings


class SelfCritic:
    """Draws captions, judges them, and turns the judgement into a loss."""

    def __init__(
        self, examples: Sequence[Example], vocabulary: Vocabulary, samples: int, bleu_weight: float = 0.0
    ) -> None:
        if samples < 2:
            raise ValueError(f"self-critical training needs at least 2 samples a photo, got {samples}")
        self.vocabulary, self.samples = vocabulary, samples
        self.reward = Reward(examples, bleu_weight)

    @torch.no_grad()
    def draw(self, decoder: Decoder, features: Tensor, photos: Sequence[int]) -> Drawn:
        """``samples`` captions a photo of these features ``(P, L, D)``, with their rewards."""
        captions, lengths = draw_captions(decoder, features, self.vocabulary, self.samples)
        rewards = self.reward(
            [
                tuple(self.vocabulary.word(index) for index in caption[1:length])
                for caption, length in zip(captions.tolist(), lengths.tolist(), strict=True)
            ],
            [photo for photo in photos for _ in range(self.samples)],
        )
        judged = torch.from_numpy(rewards).float().to(features.device)
        return Drawn(captions, lengths, judged, advantages(judged, self.samples))

    def with_references(self, drawn: Drawn, batch: Batch) -> tuple[Tensor, Tensor]:
        """Drawn and reference captions of a batch as one, photo-major: ``(P·(K+R), T+1)`` and lengths."""
        photos = len(batch.photos)
        longest = max(drawn.captions.shape[1], batch.captions.shape[1])
        captions = [
            pad(each, (0, longest - each.shape[1]), value=self.vocabulary.pad).view(photos, -1, longest)
            for each in (drawn.captions, batch.captions)
        ]
        lengths = [each.view(photos, -1) for each in (drawn.lengths, batch.lengths)]
        return torch.cat(captions, dim=1).flatten(0, 1), torch.cat(lengths, dim=1).flatten()

    def loss(
        self,
        forced: TeacherForced,
        drawn: Drawn,
        batch: Batch,
        weight: float,
        config: ObjectiveConfig,
        shares: Shares | None = None,
    ) -> Loss:
        """``−mean over drawn words of A(caption) log p(word) + weight · objective of the references``.

        ``forced`` is the pass over `with_references`; ``words`` is the first term. ``shares`` weighs
        the terms of one process among several.
        """
        photos = len(batch.photos)
        references = len(batch.captions) // photos
        photo, place = forced.rows // (self.samples + references), forced.rows % (self.samples + references)
        own = place < self.samples
        log_probs = forced.logits[own].float().log_softmax(dim=1)
        advantage = drawn.advantages[photo[own] * self.samples + place[own]]
        words = -(advantage * log_probs.gather(1, forced.targets[own].unsqueeze(1)).squeeze(1)).mean()
        if shares is not None:
            words = words * shares.drawn
        alphas = forced.alphas.view(photos, -1, *forced.alphas.shape[1:])[:, self.samples :].flatten(0, 1)
        rows = (photo * references + place - self.samples)[~own]
        kept = TeacherForced(forced.logits[~own], forced.targets[~own], alphas, rows)
        anchor = objective(kept, config, batch.regions, shares)
        terms = (weight * term for term in (anchor.doubly_stochastic, anchor.region, anchor.lessons))
        return Loss(words + weight * anchor.total, words, *terms)


def advantages(rewards: Tensor, samples: int) -> Tensor:
    """Each reward less the mean of the others of its photo; ``rewards`` ``(P·K,)``, photo-major."""
    grouped = rewards.view(-1, samples)
    others = (grouped.sum(dim=1, keepdim=True) - grouped) / (samples - 1)
    return (grouped - others).flatten()


def draw_captions(decoder: Decoder, features: Tensor, vocabulary: Vocabulary, samples: int) -> tuple[Tensor, Tensor]:
    """``samples`` independent draws a photo from the model at temperature 1, photo-major.

    Returns captions ``(P·K, T+1)``, ``<start> … <end> <pad> …``, and lengths ``(P·K,)``.
    """
    annotations = decoder.annotate(features)
    state = DecoderState(*(part.repeat_interleave(samples, dim=0) for part in decoder.start(annotations)))
    words = torch.full((len(state.hidden),), vocabulary.start, device=features.device)
    drawn, over = [words], torch.zeros_like(words, dtype=torch.bool)
    for _ in range(MAX_LENGTH):
        step = decoder.step(annotations, state, words)
        logits = step.logits.float()
        logits[:, list(vocabulary.never_written)] = -torch.inf
        words = torch.multinomial(logits.softmax(dim=1), 1).squeeze(1).masked_fill(over, vocabulary.pad)
        drawn.append(words)
        state = step.state
        over = over | (words == vocabulary.end)
        if over.all():
            break
    captions = torch.stack(drawn, dim=1)
    return captions, (captions != vocabulary.pad).sum(dim=1)


def _sentence(tokens: Tokens) -> str:
    return " ".join((*tokens, END))
