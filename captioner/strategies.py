"""The two strategies of search, as frozen values: the likeliest survive, or captions are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from captioner.hypotheses import Beam, Candidate, Doubles, Hypothesis


class Strategy(Protocol):
    """Chooses which candidates stay in the race; a frozen value with one pure method."""

    def select(self, beam: Beam, log_probs: Doubles, noise: Doubles) -> list[Candidate]:
        """Candidates to keep, at most as many as the beam is wide.

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
        totals = log_probs + np.array([[hypothesis.log_prob] for hypothesis in beam.live])
        return [Candidate(parent, token) for parent, token in highest(totals, room)]

    def select_likeliest(
        self, beam: Beam, tokens: Sequence[Sequence[int]], log_probs: Sequence[Sequence[float]]
    ) -> list[Candidate] | None:
        """The same from a few of each row, for no more than ``size`` of any can be kept; None where they do not tell.

        Args:
            tokens: of each live hypothesis its likeliest, likeliest first, one more than ``size`` if there are so many.
            log_probs: those of these tokens.
        """
        candidates = []
        for parent, hypothesis in enumerate(beam.live):
            before = math.nan
            for token, log_prob in zip(tokens[parent], log_probs[parent], strict=True):
                total = log_prob + hypothesis.log_prob
                if total == -math.inf:
                    break
                if total == before:  # which of equals come first is told by all of the row
                    return None
                candidates.append((-total, parent, token))
                before = total
        candidates.sort()
        return [Candidate(parent, token) for _, parent, token in candidates[: self.size - len(beam.finished)]]


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
        candidates, row = [], 0
        for parent, hypothesis in enumerate(beam.hypotheses):
            if hypothesis.finished:
                candidates.append(Candidate(parent, None, hypothesis.phi, hypothesis.gumbel))
            else:
                candidates += self._children(parent, hypothesis, log_probs[row], noise[row])
                row += 1
        candidates.sort(key=lambda candidate: -candidate.gumbel)
        return candidates[: self.size]

    def _children(self, parent: int, hypothesis: Hypothesis, log_probs: Doubles, noise: Doubles) -> list[Candidate]:
        phi = hypothesis.phi + tempered(log_probs, self.temperature)
        keys = conditional_gumbels(phi, hypothesis.gumbel, noise)
        return [
            Candidate(parent, token, float(phi[token]), float(keys[token]))
            for _, token in highest(keys[None], self.size)
        ]


def tempered(log_probs: Doubles, temperature: float) -> Doubles:
    """Log-probabilities ``(V,)`` of ``softmax(log_probs / temperature)``; all ``-inf`` stays so."""
    peak = log_probs.max()
    if peak == -np.inf:
        return log_probs
    with np.errstate(over="ignore"):
        scaled = (log_probs - peak) / temperature  # the peak goes first: a tiny temperature must not overflow it
    normalized: Doubles = scaled - np.log(np.exp(scaled).sum())
    return normalized


def conditional_gumbels(phi: Doubles, maximum: float, uniform: Doubles) -> Doubles:
    """Gumbels located at ``phi`` ``(V,)``, given that their maximum is ``maximum``.

    Kool et al. 2019, section 4.3 and its numerically stable form in appendix B.3.
    """
    gumbels = phi - np.log(-np.log(uniform))
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = maximum - gumbels + np.log1p(-np.exp(gumbels - gumbels.max()))
        keys = maximum - np.maximum(shift, 0) - np.log1p(np.exp(-np.abs(shift)))
    return np.where(np.isneginf(phi), -np.inf, keys)


def highest(scores: Doubles, count: int) -> list[tuple[int, int]]:
    """Row and column of the ``count`` highest finite scores, highest first, ties in index order."""
    left, found = scores.ravel().copy(), []
    for _ in range(min(count, left.size)):  # for a few, this is faster than to sort or to partition
        index = int(left.argmax())
        if left[index] == -np.inf:
            break
        found.append(divmod(index, scores.shape[1]))
        left[index] = -np.inf
    return found
