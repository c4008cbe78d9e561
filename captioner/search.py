"""Greedy, beam search, ancestral sampling and stochastic beam search: one generator, two strategies.

With a beam of 1 the deterministic strategy is greedy and the stochastic one is ancestral sampling. Beside it what it
leaves behind, the tree of every beginning that it kept, and one step of it: the likeliest words that begin as typed.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from captioner.caption import Alternative, Caption, Floats
from captioner.decoder import Annotated, DecoderState, DecoderStep, Recurrence
from captioner.hypotheses import Beam, Candidate, Doubles, Hypothesis, Ranking, Snapshot, Step, snapshot
from captioner.override import AttentionOverride
from captioner.settings import SearchSettings, SettingsError
from captioner.strategies import BeamSearch, StochasticBeamSearch, Strategy
from captioner.vocabulary import END, SPECIALS, Vocabulary

__all__ = [
    "Branch",
    "Completion",
    "Hypothesis",
    "SearchSettings",
    "SearchTree",
    "SettingsError",
    "Snapshot",
    "complete",
    "next_word",
    "search",
]

ALTERNATIVES = 5
ROOT = -1  # where the tree begins
MOST_COMPLETIONS = 8

A = TypeVar("A", bound=Annotated)


def strategy_for(settings: SearchSettings) -> Strategy:
    """The corner of the two sliders: temperature 0 is deterministic, above it draws."""
    if settings.temperature == 0:
        return BeamSearch(settings.beam_size)
    return StochasticBeamSearch(settings.beam_size, settings.temperature)


@torch.inference_mode()
def search(
    decoder: Recurrence[A],
    annotations: A,
    vocabulary: Vocabulary,
    settings: SearchSettings,
    prefix: Sequence[int] = (),
    attention: AttentionOverride | None = None,
) -> Iterator[list[Snapshot]]:
    """Caption P photos at once; after every step, a snapshot of each photo's race.

    A snapshot replaces the one before: in beam search another hypothesis can take the lead and
    rewrite words already shown. The last snapshots hold the result, unfinished captions only if
    no caption of the photo finished within ``settings.max_length``.

    Args:
        annotations: of P photos.
        prefix: ids every caption must begin with; ``<end>`` as the last ends the search there.
        attention: maps that replace the model's own, the same for every photo and hypothesis.

    Raises:
        FloatingPointError: if the model computes something that is not a number.
    """
    ranking = _ranking(settings, vocabulary)
    never_written = torch.tensor(vocabulary.never_written)
    races = [_Race.at_start(settings) for _ in range(len(annotations.projected))]
    limit = max(settings.max_length, len(prefix))
    state, active = decoder.start(annotations), races  # the rows of the active races come in this order
    words = torch.full((len(races),), vocabulary.start, device=state.hidden.device)
    for position in range(limit):
        alpha = attention.tensor(position, words.device) if attention else None
        read = _Reading.of(decoder.step(annotations, state, words, alpha), never_written, settings.beam_size)
        forced = prefix[position] if position < len(prefix) else None
        width = len(words) // len(active)
        for place, race in enumerate(active):
            race.advance(read, place * width, vocabulary.end, forced)
        running = [race for race in active if race.beam.live]
        last = position + 1 == limit or not running
        yield [snapshot(race.beam, ranking, last) for race in races]
        if last:
            return
        if len(running) < len(active):
            annotations = annotations.select([place for place, race in enumerate(active) if race.beam.live])
        active = running
        state, words = _next_rows(read.state, [race.beam.live for race in active])


def _ranking(settings: SearchSettings, vocabulary: Vocabulary) -> Ranking:
    if not settings.may_repeat:
        return Ranking(settings.length_penalty or 0.0)
    ids = frozenset(vocabulary.id(word) for word in settings.may_repeat if word in vocabulary)
    return Ranking(settings.length_penalty or 0.0, ids | {vocabulary.end})


@dataclass
class _Race:
    """The search of one photo: its beam, its strategy, its own stream of randomness."""

    settings: SearchSettings
    strategy: Strategy
    random: np.random.Generator
    beam: Beam = field(default_factory=Beam)

    @classmethod
    def at_start(cls, settings: SearchSettings) -> _Race:
        # Every photo draws from the same seed, so that a photo's captions do not depend on its batch.
        return cls(settings, strategy_for(settings), np.random.Generator(np.random.PCG64(settings.seed)))

    def advance(self, read: _Reading, offset: int, end: int, forced: int | None) -> None:
        """One word further; the rows of this photo begin at ``offset``."""
        chosen = [Candidate(0, forced)] if forced is not None else self._chosen(read, offset)
        rows = {id(hypothesis): offset + place for place, hypothesis in enumerate(self.beam.live)}
        parents = [self.beam.hypotheses[candidate.parent] for candidate in chosen]
        grown = [
            parent if candidate.token is None else read.extend(parent, rows[id(parent)], candidate, end)
            for parent, candidate in zip(parents, chosen, strict=True)
        ]
        self.beam = self._next(tuple(grown))

    def _chosen(self, read: _Reading, offset: int) -> list[Candidate]:
        rows = slice(offset, offset + len(self.beam.live))
        if isinstance(self.strategy, BeamSearch):
            chosen = self.strategy.select_likeliest(self.beam, read.tokens[rows], read.likeliest[rows])
            if chosen is not None:
                return chosen
        log_probs = read.allowed[rows]
        noise = _uniform(self.random, log_probs.shape) if self.settings.temperature else log_probs
        return self.strategy.select(self.beam, log_probs, noise)

    def _next(self, grown: tuple[Hypothesis, ...]) -> Beam:
        if not grown:
            return replace(self.beam, stuck=True)
        if self.settings.temperature:
            return Beam(grown)
        leaving = tuple(hypothesis for hypothesis in grown if hypothesis.finished)
        return Beam(tuple(hypothesis for hypothesis in grown if not hypothesis.finished), self.beam.finished + leaving)


@dataclass(frozen=True)
class _Reading:
    """A decoder step brought to NumPy, once for all hypotheses."""

    state: DecoderState
    log_probs: Doubles  # (R, V), temperature 1
    allowed: Doubles  # the same, -inf where a token is never written
    alphas: Floats
    betas: Floats
    likeliest: list[list[float]]  # of each row, highest first, the highest allowed log-probabilities
    tokens: list[list[int]]  # that have these
    known: dict[int, tuple[tuple[int, float], ...]] = field(default_factory=dict)  # alternatives of the rows asked for

    @classmethod
    def of(cls, step: DecoderStep, never_written: Tensor, beam_size: int) -> _Reading:
        log_probs = step.logits.cpu().double().log_softmax(dim=-1)
        allowed = log_probs.index_fill(1, never_written, -math.inf)
        values, tokens = allowed.topk(min(max(ALTERNATIVES, beam_size + 1), allowed.shape[1]))
        likeliest = values.tolist()
        if any(math.isnan(row[0]) for row in likeliest):  # one such logit makes all of its row so
            raise FloatingPointError("the model computed values that are not numbers; please load an intact checkpoint")
        beta = step.beta.float().cpu().numpy()
        betas = beta[:, 0] if beta.shape[1] == 1 else beta.mean(axis=1)
        numbers = log_probs.numpy(), allowed.numpy(), step.alpha.float().cpu().numpy(), betas
        return cls(step.state, *numbers, likeliest, tokens.tolist())

    def extend(self, parent: Hypothesis, row: int, candidate: Candidate, end: int) -> Hypothesis:
        """``parent``, which was read from ``row``, with the candidate's word."""
        assert candidate.token is not None
        log_prob = float(self.log_probs[row, candidate.token])
        step = Step(candidate.token, log_prob, self.alphas[row], float(self.betas[row]), self._alternatives(row))
        total, finished = parent.log_prob + log_prob, candidate.token == end
        return Hypothesis((*parent.steps, step), row, total, candidate.phi, candidate.gumbel, finished)

    def _alternatives(self, row: int) -> tuple[tuple[int, float], ...]:
        """The likeliest tokens of a row and their probabilities, found once for all that grow from it."""
        if row not in self.known:
            ranked = zip(self.tokens[row][:ALTERNATIVES], self.likeliest[row], strict=False)
            self.known[row] = tuple((token, math.exp(value)) for token, value in ranked if value > -math.inf)
        return self.known[row]


def _next_rows(state: DecoderState, races: Sequence[tuple[Hypothesis, ...]]) -> tuple[DecoderState, Tensor]:
    """States and last words of all live hypotheses, each photo padded to the widest race."""
    width = max(len(live) for live in races)
    padded = [hypothesis for live in races for hypothesis in (*live, *(live[-1:] * (width - len(live))))]
    numbers = [[hypothesis.row for hypothesis in padded], [hypothesis.steps[-1].token for hypothesis in padded]]
    rows, words = torch.tensor(numbers, device=state.hidden.device).unbind()
    return state.select(rows), words


def _uniform(random: np.random.Generator, shape: tuple[int, ...]) -> Doubles:
    return np.maximum(random.random(shape), np.finfo(float).tiny)  # NumPy's are in [0, 1)


class Branch(NamedTuple):
    """One word of the tree, after the words of its ancestors.

    Attributes:
        parent: index of the branch before it, `ROOT` for a first word.
        log_prob: of the whole beginning up to and including this word, nats, temperature 1.
    """

    parent: int
    word: str
    log_prob: float


@dataclass(frozen=True)
class SearchTree:
    """All beginnings a search has kept so far, and those still in its race.

    Attributes:
        branches: in the order in which they grew; a later tree of the same search only adds to them.
        race: the last branch of each caption in the race, best first. Those that end in ``<end>``
            are finished; a branch that leads to none of them was dropped.
    """

    branches: tuple[Branch, ...] = ()
    race: tuple[int, ...] = ()

    def grown(self, captions: Sequence[Caption]) -> SearchTree:
        """The tree after one more step.

        Args:
            captions: all that the step has in its race, best first, as `captioner.pipeline.Guess` holds them.
        """
        branches = list(self.branches)
        places = {(branch.parent, branch.word): index for index, branch in enumerate(branches)}
        race = []
        for caption in captions:
            at = ROOT
            totals = accumulate(float(each) for each in caption.log_probs)
            for word, total in zip(caption.words, totals, strict=True):
                if (at, word) not in places:
                    places[at, word] = len(branches)
                    branches.append(Branch(at, word, total))
                at = places[at, word]
            race.append(at)
        return SearchTree(tuple(branches), tuple(race))

    def path(self, tip: int) -> tuple[int, ...]:
        """Indices of the branches from the first word to ``tip``."""
        path = []
        while tip != ROOT:
            path.append(tip)
            tip = self.branches[tip].parent
        return tuple(reversed(path))


class Completion(NamedTuple):
    """What can be made of what was typed.

    Attributes:
        word: it, as the vocabulary spells it; None if the model does not know or never writes it.
        words: the likeliest that begin so, likeliest first, with their probabilities at temperature 1.
        known: how many words the model knows.
    """

    word: str | None
    words: tuple[Alternative, ...]
    known: int


@torch.inference_mode()
def next_word(decoder: Recurrence[A], annotations: A, vocabulary: Vocabulary, before: Sequence[int]) -> Doubles:
    """``(V,)`` log-probabilities in nats of the word after those with the ids ``before`` (no ``<start>``).

    ``-inf`` for what is never written.
    """
    state = decoder.start(annotations)
    for word in (vocabulary.start, *before):
        step = decoder.step(annotations, state, torch.tensor([word], device=state.hidden.device))
        state = step.state
    log_probs: Doubles = step.logits[0].cpu().double().log_softmax(dim=0).numpy()
    log_probs[list(vocabulary.never_written)] = -math.inf
    return log_probs


def complete(log_probs: Doubles, vocabulary: Vocabulary, typed: str) -> Completion:
    """The words that begin with what was typed; nothing typed begins all of them."""
    start = _spelled(typed.strip())
    begun = [each for each in range(len(vocabulary)) if _spelled(vocabulary.word(each)).startswith(start)]
    ordered = sorted((each for each in begun if log_probs[each] > -math.inf), key=lambda each: (-log_probs[each], each))
    words = tuple(Alternative(vocabulary.word(each), math.exp(log_probs[each])) for each in ordered[:MOST_COMPLETIONS])
    known = start in vocabulary and (start not in SPECIALS or start == END)
    return Completion(vocabulary.word(vocabulary.id(start)) if known else None, words, vocabulary.known)


def _spelled(word: str) -> str:
    return unicodedata.normalize("NFC", word).lower()
