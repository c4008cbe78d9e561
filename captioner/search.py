"""Greedy, beam search, ancestral sampling and stochastic beam search: one generator, two strategies.

With a beam of 1 the deterministic strategy is greedy and the stochastic one is ancestral sampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from captioner.attention import Annotations
from captioner.caption import Floats
from captioner.decoder import Decoder, DecoderState, DecoderStep
from captioner.vocabulary import Vocabulary

MAX_BEAM_SIZE = 20
MAX_LENGTH = 60
ALTERNATIVES = 5

Doubles = NDArray[np.float64]


class SettingsError(ValueError):
    """Search settings that make no sense; the message says what is allowed."""


@dataclass(frozen=True)
class SearchSettings:
    """What the person can set.

    Attributes:
        beam_size: captions kept in the race, 1 to 20.
        temperature: 0 is deterministic; above, captions are drawn from ``softmax(logits / T)``.
        seed: of the draws; the same photo, settings and seed give the same captions.
        max_length: words at most, ``<end>`` included.
        length_penalty: see `rank`; None takes the checkpoint's own.

    Raises:
        SettingsError: if a value is out of its range.
    """

    beam_size: int = 3
    temperature: float = 0.0
    seed: int = 0
    max_length: int = 40
    length_penalty: float | None = None

    def __post_init__(self) -> None:
        _check_whole("beam_size", self.beam_size, 1, MAX_BEAM_SIZE)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_whole("max_length", self.max_length, 1, MAX_LENGTH)
        _check_number("temperature", self.temperature, 0, 10)
        if self.length_penalty is not None:
            _check_number("length_penalty", self.length_penalty, 0, 5)


class Step(NamedTuple):
    """One word of a hypothesis and what the model computed to choose it."""

    token: int
    log_prob: float  # nats, temperature 1
    alpha: Floats  # (L,)
    beta: float  # mean opening of the gate
    alternatives: tuple[tuple[int, float], ...]  # likeliest tokens and their probabilities


@dataclass(frozen=True)
class Hypothesis:
    """A beginning of a caption. It owns its steps, so the maps follow the winner.

    Attributes:
        row: row of the decoder state it continues from.
        phi: log-probability under the tempered model (stochastic search).
        gumbel: perturbed ``phi``, the key of the stochastic race.
    """

    steps: tuple[Step, ...] = ()
    row: int = 0
    log_prob: float = 0.0
    phi: float = 0.0
    gumbel: float = 0.0
    finished: bool = False

    @property
    def tokens(self) -> tuple[int, ...]:
        """Ids of the words so far."""
        return tuple(step.token for step in self.steps)


class Candidate(NamedTuple):
    """A hypothesis that may be extended by one token, with its keys after that."""

    parent: int  # index among the beam's hypotheses
    token: int | None  # None keeps a finished hypothesis in the race as it is
    phi: float = 0.0
    gumbel: float = 0.0


@dataclass(frozen=True)
class Beam:
    """The hypotheses of one photo that are still in the race, and those that left it finished."""

    hypotheses: tuple[Hypothesis, ...] = (Hypothesis(),)
    finished: tuple[Hypothesis, ...] = ()

    @property
    def live(self) -> tuple[Hypothesis, ...]:
        """Those that can grow."""
        return tuple(hypothesis for hypothesis in self.hypotheses if not hypothesis.finished)


class Snapshot(NamedTuple):
    """The state of one photo's search after a step: all hypotheses, best first."""

    hypotheses: tuple[Hypothesis, ...]
    done: bool

    @property
    def leader(self) -> Hypothesis:
        """The leading guess; final only when done."""
        return self.hypotheses[0]


class Strategy(Protocol):
    """Chooses which candidates stay in the race; a frozen value with one pure method."""

    def select(self, beam: Beam, log_probs: Doubles, noise: Doubles) -> list[Candidate]:
        """Candidates to keep.

        Args:
            log_probs: ``(live, V)`` log-probabilities at temperature 1, ``-inf`` where forbidden.
            noise: ``(live, V)`` independent uniform draws in (0, 1).
        """
        ...


@dataclass(frozen=True)
class BeamSearch:
    """The ``size`` likeliest beginnings survive; a finished caption leaves and takes its place along."""

    size: int

    def select(self, beam: Beam, log_probs: Doubles, noise: Doubles) -> list[Candidate]:
        """See `Strategy.select`; ``noise`` is not read."""
        del noise
        room = self.size - len(beam.finished)
        totals = log_probs + np.array([[hypothesis.log_prob] for hypothesis in beam.hypotheses])
        return [Candidate(parent, token) for parent, token in _top(totals, room)]


@dataclass(frozen=True)
class StochasticBeamSearch:
    """Draws ``size`` different captions without replacement (Kool, van Hoof, Welling 2019).

    Gumbel-top-k over the tree of captions, of the model at ``temperature``. With ``size`` 1 it is
    ancestral sampling. A finished caption stays in the race with its key.
    """

    size: int
    temperature: float

    def select(self, beam: Beam, log_probs: Doubles, noise: Doubles) -> list[Candidate]:
        """See `Strategy.select`; finished captions compete unchanged."""
        candidates = [
            Candidate(index, None, hypothesis.phi, hypothesis.gumbel)
            for index, hypothesis in enumerate(beam.hypotheses)
            if hypothesis.finished
        ]
        live = [index for index, hypothesis in enumerate(beam.hypotheses) if not hypothesis.finished]
        tempered = _log_softmax(log_probs / self.temperature)
        for row, parent in enumerate(live):
            hypothesis = beam.hypotheses[parent]
            phi = hypothesis.phi + tempered[row]
            keys = conditional_gumbels(phi, hypothesis.gumbel, noise[row])
            for _, token in _top(keys[None], self.size):
                candidates.append(Candidate(parent, token, float(phi[token]), float(keys[token])))
        candidates.sort(key=lambda candidate: -candidate.gumbel)
        return candidates[: self.size]


def conditional_gumbels(phi: Doubles, maximum: float, uniform: Doubles) -> Doubles:
    """Gumbels located at ``phi`` ``(V,)``, given that their maximum is ``maximum``.

    Kool et al. 2019, section 4.3 and its numerically stable form in appendix B.3.
    """
    gumbels = phi - np.log(-np.log(uniform))
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = maximum - gumbels + np.log1p(-np.exp(gumbels - gumbels.max()))
    keys = maximum - np.maximum(shift, 0) - np.log1p(np.exp(-np.abs(shift)))
    return np.where(np.isneginf(phi), -np.inf, keys)


def rank(log_prob: float, length: int, length_penalty: float) -> float:
    """The one order of captions: ``log p / length^penalty``; ``length`` counts ``<end>``."""
    return log_prob / float(max(length, 1) ** length_penalty)


def strategy_for(settings: SearchSettings) -> Strategy:
    """The corner of the two sliders: temperature 0 is deterministic, above it draws."""
    if settings.temperature == 0:
        return BeamSearch(settings.beam_size)
    return StochasticBeamSearch(settings.beam_size, settings.temperature)


@torch.inference_mode()
def search(
    decoder: Decoder,
    annotations: Annotations,
    vocabulary: Vocabulary,
    settings: SearchSettings,
    prefix: Sequence[int] = (),
) -> Iterator[list[Snapshot]]:
    """Caption P photos at once; after every step, a snapshot of each photo's race.

    A snapshot replaces the one before: in beam search another hypothesis can take the lead and
    rewrite words already shown. The last snapshots hold the result, unfinished captions only if
    no caption of the photo finished within ``settings.max_length``.

    Args:
        annotations: of P photos.
        prefix: ids every caption must begin with; ``<end>`` as the last ends the search there.
    """
    strategy, penalty = strategy_for(settings), settings.length_penalty or 0.0
    photos = annotations.features.shape[0]
    beams = [Beam() for _ in range(photos)]
    random = [np.random.Generator(np.random.PCG64(settings.seed)) for _ in range(photos)]
    state = decoder.start(annotations)
    words = torch.full((photos,), vocabulary.start, device=state.hidden.device)
    active = list(range(photos))  # photos whose race is on; their rows come in this order
    for position in range(max(settings.max_length, len(prefix))):
        width = words.shape[0] // len(active)
        read = _Reading.of(decoder.step(annotations, state, words), vocabulary)
        for place, photo in enumerate(active):
            beam, offset = beams[photo], place * width
            if position < len(prefix):
                chosen = [Candidate(0, prefix[position])]
            else:
                log_probs = read.allowed[offset : offset + len(beam.live)]
                noise = _uniform(random[photo], log_probs.shape) if settings.temperature else log_probs
                chosen = strategy.select(beam, log_probs, noise)
            beams[photo] = _grown(beam, chosen, read, offset, vocabulary.end, settings)
        still = [photo for photo in active if beams[photo].live]
        last = position + 1 >= max(settings.max_length, len(prefix)) or not still
        yield [_snapshot(beam, penalty, last) for beam in beams]
        if last:
            return
        if still != active:
            kept = torch.tensor([active.index(photo) for photo in still], device=words.device)
            annotations = Annotations(*(part[kept] for part in annotations))
            active = still
        rows, tokens = _next_rows([beams[photo].live for photo in active])
        state = read.state.select(torch.tensor(rows, device=words.device))
        words = torch.tensor(tokens, device=words.device)


@dataclass(frozen=True)
class _Reading:
    """A decoder step brought to NumPy, once for all hypotheses."""

    state: DecoderState
    log_probs: Doubles  # (R, V), temperature 1
    allowed: Doubles  # the same, -inf where a token is never written
    alphas: Floats
    betas: Floats

    @classmethod
    def of(cls, step: DecoderStep, vocabulary: Vocabulary) -> _Reading:
        log_probs = step.logits.double().log_softmax(dim=-1).cpu().numpy()
        allowed = log_probs.copy()
        allowed[:, list(vocabulary.never_written)] = -np.inf
        alphas = step.alpha.float().cpu().numpy()
        return cls(step.state, log_probs, allowed, alphas, step.beta.float().mean(dim=1).cpu().numpy())

    def step(self, row: int, token: int) -> Step:
        likeliest = tuple(
            (other, math.exp(self.allowed[row, other])) for _, other in _top(self.allowed[row][None], ALTERNATIVES)
        )
        return Step(token, float(self.log_probs[row, token]), self.alphas[row], float(self.betas[row]), likeliest)


def _grown(
    beam: Beam, chosen: Sequence[Candidate], read: _Reading, offset: int, end: int, settings: SearchSettings
) -> Beam:
    rows = {id(hypothesis): offset + place for place, hypothesis in enumerate(beam.live)}
    grown = []
    for candidate in chosen:
        parent = beam.hypotheses[candidate.parent]
        if candidate.token is None:
            grown.append(parent)
            continue
        row = rows[id(parent)]
        step = read.step(row, candidate.token)
        grown.append(
            Hypothesis(
                (*parent.steps, step),
                row,
                parent.log_prob + step.log_prob,
                candidate.phi,
                candidate.gumbel,
                candidate.token == end,
            )
        )
    if settings.temperature:
        return replace(beam, hypotheses=tuple(grown))
    leaving = tuple(hypothesis for hypothesis in grown if hypothesis.finished)
    return Beam(tuple(hypothesis for hypothesis in grown if not hypothesis.finished), beam.finished + leaving)


def _snapshot(beam: Beam, penalty: float, last: bool) -> Snapshot:
    hypotheses = beam.hypotheses + beam.finished
    done = last or not beam.live
    if done and any(hypothesis.finished for hypothesis in hypotheses):
        hypotheses = tuple(hypothesis for hypothesis in hypotheses if hypothesis.finished)
    ranked = sorted(hypotheses, key=lambda each: -rank(each.log_prob, len(each.steps), penalty))
    return Snapshot(tuple(ranked), done)


def _next_rows(races: Sequence[tuple[Hypothesis, ...]]) -> tuple[list[int], list[int]]:
    """State rows and last tokens of all live hypotheses, each photo padded to the widest race."""
    width = max(len(live) for live in races)
    padded = [hypothesis for live in races for hypothesis in (*live, *(live[-1:] * (width - len(live))))]
    return [hypothesis.row for hypothesis in padded], [hypothesis.steps[-1].token for hypothesis in padded]


def _top(scores: Doubles, count: int) -> list[tuple[int, int]]:
    """Row and column of the ``count`` highest finite scores, highest first, ties in index order."""
    flat = scores.ravel()
    count = min(count, flat.size)
    floor = np.partition(flat, flat.size - count)[flat.size - count]
    contenders = np.flatnonzero(flat >= floor)
    order = contenders[np.argsort(-flat[contenders], kind="stable")][:count]
    return [divmod(int(index), scores.shape[1]) for index in order if flat[index] > -np.inf]


def _uniform(random: np.random.Generator, shape: tuple[int, ...]) -> Doubles:
    return random.random(shape).clip(np.finfo(float).tiny, 1 - np.finfo(float).epsneg)


def _log_softmax(scores: Doubles) -> Doubles:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    normalized: Doubles = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalized


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, got {value!r}")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise SettingsError(f"{name} must be a number from {low:g} to {high:g}, got {value!r}")
