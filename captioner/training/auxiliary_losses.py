"""What an encoder learns beside captions: which words a photo and its cells show, and a teacher's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, dropout, smooth_l1_loss

from captioner.training.data.concepts import ConceptTargets
from captioner.training.options import check_options, option
from captioner.training.teachers import on_one_grid

RARE = -4.0  # first logit of a concept in a cell
PHOTO_SHARE = 0.5  # of the concept loss: photos against cells


@dataclass(frozen=True)
class AuxiliaryConfig:
    """Weights of the losses of an encoder beside those of the captions."""

    concepts: float = option(
        0.0, "of telling which words are on a photo, and in which cells where boxes say so", least=0,
        name="concept-weight",
    )  # fmt: skip
    teacher: float = option(0.0, "of telling the features of other networks", least=0, name="teacher-weight")

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def any(self) -> bool:
        """Is there one?"""
        return bool(self.concepts or self.teacher)


class AuxiliaryTargets(NamedTuple):
    """What is to be learnt of P photos."""

    concepts: ConceptTargets | None
    taught: tuple[Tensor, ...] = ()  # (P, L', T) of each other network, on a grid of its own


class AuxiliaryLosses(nn.Module):
    """Linear heads on the annotations, needed in training only.

    A concept is scored in every cell; on the photo, by its mean annotation and, since one cell is
    enough, by the log-sum-exp over its cells (compare Fang et al. 2015, section 3).
    """

    def __init__(
        self, config: AuxiliaryConfig, feature_size: int, frequency: Tensor, taught: Sequence[int] = ()
    ) -> None:
        super().__init__()
        self.config = config
        self.photo = nn.Linear(feature_size, len(frequency))
        self.cells = nn.Linear(feature_size, len(frequency))
        self.teachers = nn.ModuleList(nn.Linear(feature_size, size) for size in taught)
        for head in (self.photo, self.cells):
            head.requires_grad_(bool(config.concepts))  # several processes wait for every gradient that may come
        self.teachers.requires_grad_(bool(config.teacher))
        with torch.no_grad():
            for head in (self.photo, self.cells):
                head.weight.normal_(std=0.003)
            self.cells.bias.fill_(RARE)
            self.photo.bias.copy_(frequency.clamp(1e-4, 1 - 1e-4).logit() - PHOTO_SHARE * RARE)

    def forward(self, features: Tensor, targets: AuxiliaryTargets) -> Tensor:
        """The weighed loss, a scalar, of ``(P, L, D)`` annotations.

        - concepts: binary cross-entropy, summed over concepts, half of it the mean over photos, half
          the mean over cells, of which only what is known counts;
        - teacher: smooth L1 distance of its features from a linear map of the annotations, on the coarser of
          the two grids; the mean over several teachers.
        """
        loss = features.new_zeros((), dtype=torch.float32)
        if targets.concepts is not None:
            loss = loss + self.config.concepts * self._concept_loss(features, targets.concepts)
        for head, taught in zip(self.teachers, targets.taught, strict=True):
            told, wanted = on_one_grid(head(features).float(), taught)
            loss = loss + self.config.teacher * smooth_l1_loss(told, wanted) / len(self.teachers)
        return loss

    def photo_logits(self, features: Tensor, cells: Tensor) -> Tensor:
        """``(P, C)`` from the annotations ``(P, L, D)`` and the concepts' logits ``(P, L, C)`` in their cells."""
        anywhere = cells.logsumexp(dim=1) - log(cells.shape[1])
        mean = dropout(features.mean(dim=1), 0.3, self.training)
        logits: Tensor = self.photo(mean).float() + PHOTO_SHARE * anywhere
        return logits

    def _concept_loss(self, features: Tensor, targets: ConceptTargets) -> Tensor:
        cells = self.cells(features).float()
        photo = self.photo_logits(features, cells)
        whole = binary_cross_entropy_with_logits(photo, targets.present, reduction="none").sum(dim=1).mean()
        known = targets.placed.unsqueeze(1)
        each = binary_cross_entropy_with_logits(cells, targets.inside, reduction="none") * known
        return (whole + each.sum(dim=2).mean()) / 2
