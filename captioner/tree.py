"""The beam as a tree: every beginning a search ever kept, as plain data. NumPy-free and torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from captioner.caption import Caption

ROOT = -1


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
