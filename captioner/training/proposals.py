"""Captions for photos that have none: candidates of the model and of people, ranked by what is seen on the photo.

What is seen, a linear probe says: a map of the photo's mean annotation to words, learnt from captioned photos.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from captioner.decoder import Decoder
from captioner.search import SearchSettings, search
from captioner.training.data.batches import pad_captions
from captioner.training.data.datasets import DatasetError, Example, Tokens
from captioner.training.measures.scores import says_twice
from captioner.training.options import check_options, option
from captioner.vocabulary import Vocabulary, tokenize

PROBE_STEPS, PROBE_BATCH = 300, 512
LOWEST, HIGHEST = -6.0, 3.0  # log-odds beyond say no more
MOST_ANSWERS = 3  # more words that answers confirm count no more


class WordProbe:
    """Log-odds of words on a photo.

    A word is on a photo if one of its captions has it. Logistic regression on the standardised mean annotation, with
    AdamW's weight decay; a rare word begins at its frequency.

    Args:
        means: ``(P, D)`` mean annotations of the examples.
        leave_out: words that every caption may have.
        min_frequency: photos that show a word, at least.

    Raises:
        DatasetError: if no word is frequent enough.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        means: Tensor,
        leave_out: frozenset[str],
        *,
        min_frequency: int = 12,
        weight_decay: float = 0.05,
        seed: int = 0,
    ) -> None:
        said = [{word for caption in example.captions for word in caption} - leave_out for example in examples]
        counts = Counter(word for words in said for word in words)
        self.words = tuple(sorted(word for word, count in counts.items() if count >= min_frequency))
        if not self.words:
            raise DatasetError(f"no word is on {min_frequency} photos; a probe needs more captioned photos")
        self.index = {word: place for place, word in enumerate(self.words)}
        present = torch.zeros(len(examples), len(self.words))
        for row, words in enumerate(said):
            present[row, [self.index[word] for word in words if word in self.index]] = 1
        self.mean, self.deviation = means.mean(dim=0), means.std(dim=0) + 1e-3
        self.linear = _fitted((means - self.mean) / self.deviation, present, weight_decay, seed)

    @torch.inference_mode()
    def __call__(self, means: Tensor) -> Tensor:
        """``(N, D)`` mean annotations → ``(N, W)`` log-odds of the words, within −6 … 3."""
        found: Tensor = self.linear((means - self.mean) / self.deviation)
        return found.clamp(LOWEST, HIGHEST)

    def known(self, caption: Sequence[str]) -> list[int]:
        """The places of a caption's words, each once."""
        return sorted({self.index[word] for word in caption if word in self.index})


def _fitted(inputs: Tensor, present: Tensor, weight_decay: float, seed: int) -> nn.Linear:
    random = torch.Generator().manual_seed(seed)
    linear = nn.Linear(inputs.shape[1], present.shape[1])
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.copy_(present.mean(dim=0).clamp(1e-4, 1 - 1e-4).logit())
    optimizer = torch.optim.AdamW(linear.parameters(), lr=1e-3, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, PROBE_STEPS)
    for _ in range(PROBE_STEPS):
        rows = torch.randint(len(inputs), (min(PROBE_BATCH, len(inputs)),), generator=random)
        logits = linear(nn.functional.dropout(inputs[rows], 0.3))
        loss = binary_cross_entropy_with_logits(logits, present[rows], reduction="none").sum(dim=1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return linear.requires_grad_(False)


@dataclass(frozen=True)
class ProposalConfig:
    """Which candidates there are, and how they are ranked."""

    beam_size: int = option(5, "captions of a search that are candidates", least=1, most=20)
    samples: int = option(0, "captions drawn from the model that are candidates too", least=0, most=20)
    temperature: float = option(0.7, "of those draws", above=0, most=10)
    sentences: int = option(24, "people's sentences a photo that are candidates: those whose words it shows", least=0)
    probe_weight: float = option(
        0.5, "of the mean log-odds of a caption's words beside its log-probability a token", least=0
    )
    answer_weight: float = option(0.15, "of each word that an answer confirms", least=0)
    keep: int = option(3, "captions kept a photo", least=1)
    seed: int = option(0, "of the draws and of the probe", least=0)

    def __post_init__(self) -> None:
        check_options(self)


class Proposal(NamedTuple):
    """A candidate with all that its rank is made of."""

    caption: Tokens
    origin: str  # model or people
    log_prob: float  # nats a token, <end> counted
    words: float  # mean log-odds of its words on the photo
    answers: int  # of its words that an answer confirms

    def rank(self, config: ProposalConfig) -> float:
        """The higher the better."""
        confirmed = config.answer_weight * min(self.answers, MOST_ANSWERS)
        return self.log_prob + config.probe_weight * self.words + confirmed

    def as_json(self) -> dict[str, object]:
        """As a line of the proposals' file has it."""
        numbers = {"log_prob": round(self.log_prob, 3), "words": round(self.words, 3), "answers": self.answers}
        return {"raw": " ".join(self.caption), "from": self.origin, **numbers}


class Proposer:
    """Proposes captions of photos.

    Args:
        may_repeat: words that a caption may say twice; one that says another twice is left out.
        sentences: of people, about photos of the same world.
    """

    def __init__(
        self,
        decoder: Decoder,
        vocabulary: Vocabulary,
        probe: WordProbe,
        may_repeat: frozenset[str],
        sentences: Sequence[Tokens],
        config: ProposalConfig,
        length_penalty: float = 0.0,
    ) -> None:
        self.decoder, self.vocabulary, self.probe = decoder.eval(), vocabulary, probe
        self.may_repeat, self.config, self.length_penalty = may_repeat, config, length_penalty
        known = [each for each in dict.fromkeys(sentences) if each and all(word in vocabulary for word in each)]
        self.sentences = [each for each in known if not says_twice(each, may_repeat)]
        places = [probe.known(each) for each in self.sentences]
        self._sentence = torch.tensor([row for row, own in enumerate(places) for _ in own], dtype=torch.long)
        self._word = torch.tensor([place for own in places for place in own], dtype=torch.long)
        self._counts = torch.tensor([len(own) for own in places])

    @torch.inference_mode()
    def __call__(self, features: Tensor, answers: frozenset[str] = frozenset()) -> list[Proposal]:
        """The best captions of a photo, best first; ``features`` ``(1, L, D)``, ``answers`` words of its answers."""
        odds = self.probe(features.mean(dim=1).cpu())[0]
        candidates = dict.fromkeys(self._written(features), "model")
        candidates = {**dict.fromkeys(self._said(odds), "people"), **candidates}
        captions = [each for each in candidates if each and not says_twice(each, self.may_repeat)]
        if not captions:
            return []
        proposals = [
            Proposal(
                caption, candidates[caption], log_prob, self._words(caption, odds), self._confirmed(caption, answers)
            )
            for caption, log_prob in zip(captions, self._log_probs(features, captions), strict=True)
        ]
        return sorted(proposals, key=lambda each: -each.rank(self.config))[: self.config.keep]

    def _written(self, features: Tensor) -> Iterator[Tokens]:
        """The captions of a beam search, and those drawn."""
        config = self.config
        searches = [SearchSettings(config.beam_size, length_penalty=self.length_penalty)]
        if config.samples:
            searches.append(SearchSettings(config.samples, config.temperature, config.seed))
        annotations = self.decoder.annotate(features)
        for settings in searches:
            *_, (snapshot,) = search(self.decoder, annotations, self.vocabulary, settings)
            for hypothesis in snapshot.hypotheses:
                if hypothesis.finished:
                    yield tuple(self.vocabulary.decode(hypothesis.tokens))

    def _said(self, odds: Tensor) -> list[Tokens]:
        """People's sentences whose words the photo shows: the highest sum of log-odds, long ones held back."""
        count = min(self.config.sentences, len(self.sentences))
        if not count:
            return []
        sums = torch.zeros(len(self.sentences)).index_add_(0, self._sentence, odds[self._word])
        relevance = sums / (self._counts + 2)
        return [self.sentences[place] for place in relevance.topk(count).indices.tolist()]

    def _log_probs(self, features: Tensor, captions: Sequence[Tokens]) -> list[float]:
        """Nats a token of each caption, teacher-forced."""
        ids, lengths = pad_captions([self.vocabulary.encode(caption) for caption in captions], self.vocabulary.pad)
        forced = self.decoder(features, ids.to(features.device), lengths.to(features.device))
        of_word = forced.logits.float().log_softmax(dim=1).gather(1, forced.targets.unsqueeze(1)).squeeze(1)
        total = torch.zeros(len(captions), device=features.device).index_add_(0, forced.rows, of_word)
        means: list[float] = (total.cpu() / (lengths - 1)).tolist()
        return means

    def _words(self, caption: Tokens, odds: Tensor) -> float:
        known = self.probe.known(caption)
        return float(odds[known].mean()) if known else float(odds.min())

    def _confirmed(self, caption: Tokens, answers: frozenset[str]) -> int:
        return len({word for word in caption if word in answers and word not in self.may_repeat})


def read_sentences(path: Path) -> list[Tokens]:
    """The sentences of a text file, one a line.

    Raises:
        DatasetError: if it cannot be read.
    """
    try:
        return [tuple(words) for line in path.read_text(encoding="utf-8-sig").splitlines() if (words := tokenize(line))]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: expected text in UTF-8, one sentence a line, found {error}") from error


def read_answers(path: Path) -> dict[str, frozenset[str]]:
    """The words of the answers to questions about each photo: ``{"filename": …, "answers": [[question, answer], …]}``.

    Raises:
        DatasetError: if a line has another form.
    """
    found = {}
    try:
        for line in path.read_text(encoding="utf-8-sig").splitlines():
            if line.strip():
                photo = json.loads(line)
                words = (word for _, answer in photo["answers"] for word in tokenize(answer))
                found[str(photo["filename"])] = frozenset(words)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f'{path}: expected {{"filename": …, "answers": [[question, answer], …]}} on every line ({error!r})'
        ) from error
    return found
