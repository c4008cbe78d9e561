"""What a search holds: hypotheses that own their steps, the beam of one photo, and the order of captions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from captioner.caption import Floats

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
    """The state of one photo's search after a step: all hypotheses, best first."""

    hypotheses: tuple[Hypothesis, ...]
    done: bool

    @property
    def leader(self) -> Hypothesis:
        """The leading guess; final only when done."""
        return self.hypotheses[0]


def rank(log_prob: float, length: int, length_penalty: float) -> float:
    """The one order of captions: ``log p / length^penalty``; ``length`` counts ``<end>``."""
    return log_prob / float(max(length, 1) ** length_penalty)


def snapshot(beam: Beam, length_penalty: float, last: bool) -> Snapshot:
    """The beam's hypotheses in order; once the race is over, the unfinished only if none finished."""
    hypotheses = beam.hypotheses + beam.finished
    done = last or not beam.live
    if done and any(each.finished for each in hypotheses):
        hypotheses = tuple(each for each in hypotheses if each.finished)
    ranked = sorted(hypotheses, key=lambda each: -rank(each.log_prob, len(each.steps), length_penalty))
    return Snapshot(tuple(ranked), done)
