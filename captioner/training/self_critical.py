"""Self-critical training: captions are drawn from the model and judged by CIDEr.

Rennie et al. 2017, with the mean reward of a photo's other draws as the baseline (Luo 2020).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pycocoevalcap.cider.cider_scorer import CiderScorer, cook_refs, cook_test
from torch import Tensor

from captioner.decoder import Decoder, DecoderState, TeacherForced
from captioner.training.karpathy import Example, Tokens
from captioner.training.objective import Loss, doubly_stochastic
from captioner.vocabulary import END, Vocabulary

MAX_LENGTH = 24


class CiderReward:
    """CIDEr of single captions, its n-gram frequencies those of all training captions.

    ``<end>`` counts as a word on both sides, so that stopping in mid-phrase does not pay.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._references = [cook_refs([_sentence(tokens) for tokens in each.captions]) for each in examples]
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
        return np.array(scorer.compute_cider())


class _OfCorpus(list[Any]):
    """References of a batch that count as the whole corpus where the scorer asks for its size."""

    def __init__(self, references: list[Any], size: int) -> None:
        super().__init__(references)
        self._size = size

    def __len__(self) -> int:
        return self._size


class SelfCritic:
    """Draws captions, judges them, and turns the judgement into a loss."""

    def __init__(self, examples: Sequence[Example], vocabulary: Vocabulary, samples: int) -> None:
        if samples < 2:
            raise ValueError(f"self-critical training needs at least 2 samples a photo, got {samples}")
        self.vocabulary, self.samples = vocabulary, samples
        self.reward = CiderReward(examples)

    @torch.no_grad()
    def draw(self, decoder: Decoder, features: Tensor, photos: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Captions ``(P·K, T+1)``, lengths ``(P·K,)`` and each one's advantage ``(P·K,)`` over its siblings."""
        captions, lengths = draw_captions(decoder, features, self.vocabulary, self.samples)
        rewards = self.reward(
            [
                tuple(self.vocabulary.word(index) for index in caption[1:length])
                for caption, length in zip(captions.tolist(), lengths.tolist(), strict=True)
            ],
            [photo for photo in photos for _ in range(self.samples)],
        )
        return captions, lengths, advantages(torch.from_numpy(rewards), self.samples).to(features.device)

    def loss(self, forced: TeacherForced, advantage: Tensor, doubly_stochastic_weight: float) -> Loss:
        """``−mean over words of A(caption) log p(word)``, plus the doubly stochastic term."""
        log_probs = forced.logits.float().log_softmax(dim=1)
        drawn = log_probs.gather(1, forced.targets.unsqueeze(1)).squeeze(1)
        words = -(advantage.float()[forced.rows] * drawn).mean()
        doubly = doubly_stochastic_weight * doubly_stochastic(forced.alphas)
        return Loss(words + doubly, words, doubly, words.new_zeros(()))


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
