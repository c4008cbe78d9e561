"""How a photo is seen in one step of training: left for right, or on some of its cells only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from captioner.training.karpathy import Tokens

OTHER_SIDE = {"left": "right", "right": "left"}


class View(NamedTuple):
    """One way to see a photo, drawn from a seed."""

    mirrored: bool
    order: np.random.Generator  # of the cells


@dataclass(frozen=True)
class Views:
    """In which ways photos are seen: augmentation that costs no encoding at training time.

    Attributes:
        mirror: every photo is shown left for right half the time, its captions and boxes likewise.
        cells: so many cells of the grid are shown, others each time; 0 is all. Fewer are faster, and
            harder to learn by heart.
    """

    mirror: bool = False
    cells: int = 0

    def draw(self, seed: int) -> View:
        """The view that follows from ``seed``."""
        random = np.random.default_rng(seed)
        return View(self.mirror and bool(random.integers(2)), random)

    def shown(self, view: View, cells: int) -> Tensor:
        """Which of the grid's ``cells`` are shown: their indices, in ascending order."""
        chosen = view.order.permutation(cells)[: self.cells or cells]
        return torch.from_numpy(np.sort(chosen))


def mirrored_caption(tokens: Tokens) -> Tokens:
    """The caption of the mirrored photo: left is right."""
    return tuple(OTHER_SIDE.get(token, token) for token in tokens)


def mirrored_map(inside: Tensor) -> Tensor:
    """A map ``(grid²,)`` of the mirrored photo."""
    side = round(len(inside) ** 0.5)
    return inside.view(side, side).flip(1).flatten()
