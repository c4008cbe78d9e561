"""What a search holds: hypotheses that own their steps, the beam of one photo, and the order of captions."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from captioner.caption import Floats, Standing

Doubles = NDArray[np.float64]


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
    """The hypotheses of one photo that are still in the race, and those that left it finished.

    ``stuck``: no continuation was possible, so the race is over and the hypotheses stay unfinished.
    """

    hypotheses: tuple[Hypothesis, ...] = (Hypothesis(),)
    finished: tuple[Hypothesis, ...] = ()
    stuck: bool = False

    @property
    def live(self) -> tuple[Hypothesis, ...]:
        """Those that can grow."""
        return () if self.stuck else tuple(each for each in self.hypotheses if not each.finished)


class Snapshot(NamedTuple):
    """The state of one photo's search after a step: all hypotheses, best first, and what each is ranked by."""

    hypotheses: tuple[Hypothesis, ...]
    done: bool
    standings: tuple[Standing, ...]

    @property
    def leader(self) -> Hypothesis:
        """The leading guess; final only when done."""
        return self.hypotheses[0]


def rank(log_prob: float, length: int, length_penalty: float) -> float:
    """The one order of captions: ``log p / length^penalty``; ``length`` counts ``<end>``."""
    return log_prob / float(max(length, 1) ** length_penalty)


def repeats(tokens: tuple[int, ...], may_repeat: AbstractSet[int]) -> bool:
    """Whether a token that is not among ``may_repeat`` comes twice."""
    content = [token for token in tokens if token not in may_repeat]
    return len(set(content)) < len(content)


@dataclass(frozen=True)
class Ranking:
    """How the captions of a search are put in order: the highest `rank` first.

    Attributes:
        may_repeat: ids that a caption may have twice; a finished one that has any other twice
            comes after all that do not. None prefers nothing.
    """

    length_penalty: float = 0.0
    may_repeat: frozenset[int] | None = None

    def standing(self, hypothesis: Hypothesis) -> Standing:
        """What a hypothesis is ranked by; one that is not finished may still repeat itself."""
        words, repeated = len(hypothesis.steps), None
        if self.may_repeat is not None:
            repeated = hypothesis.finished and repeats(hypothesis.tokens, self.may_repeat)
        return Standing(rank(hypothesis.log_prob, words, self.length_penalty), words, self.length_penalty, repeated)


def key(standing: Standing) -> tuple[bool, float]:
    """What the captions of a search are sorted by, ascending."""
    return standing.repeats is True, -standing.score


def snapshot(beam: Beam, ranking: Ranking, last: bool) -> Snapshot:
    """The beam's hypotheses in order; once the race is over, the unfinished only if none finished."""
    hypotheses = beam.hypotheses + beam.finished
    done = last or not beam.live
    if done and any(each.finished for each in hypotheses):
        hypotheses = tuple(each for each in hypotheses if each.finished)
    ranked = sorted(((each, ranking.standing(each)) for each in hypotheses), key=lambda pair: key(pair[1]))
    return Snapshot(tuple(each for each, _ in ranked), done, tuple(standing for _, standing in ranked))
