"""What training minimises: packed cross-entropy, the doubly stochastic term, attention supervision.

And what an encoder learns beside captions: which words a photo and its cells show, and a teacher's features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, dropout, smooth_l1_loss

from captioner.decoder import TeacherForced
from captioner.training.data.concepts import ConceptTargets, Regions
from captioner.training.options import check_options, option
from captioner.training.teachers import on_one_grid

RARE = -4.0  # first logit of a concept in a cell
PHOTO_SHARE = 0.5  # of the concept loss: photos against cells


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the terms of the loss."""

    label_smoothing: float = option(0.1, "share of every word's target spread over all words", least=0, most=1)
    doubly_stochastic: float = option(1.0, "λ of the paper's equation 14", least=0)
    region: float = option(
        0.0, "supervise the attention on the boxes of the sources that have any", least=0, name="region-weight"
    )

    def __post_init__(self) -> None:
        check_options(self)


class Shares(NamedTuple):
    """What a process has of a batch, over what the mean process has; each a scalar, 1 for a single process.

    A mean over a process's own words times its share of them, averaged over the processes, is the
    mean over all words: so the loss and its gradient do not depend on how a batch was shared out.
    """

    words: Tensor  # each word as much as its caption counts
    captions: Tensor
    boxed: Tensor


class Loss(NamedTuple):
    """The terms, each a scalar; ``words`` is the cross-entropy in nats a word."""

    total: Tensor
    words: Tensor
    doubly_stochastic: Tensor
    region: Tensor
    auxiliary: Tensor  # of the encoder alone


def objective(
    forced: TeacherForced,
    config: ObjectiveConfig,
    regions: Regions | None = None,
    shares: Shares | None = None,
    auxiliary: Tensor | None = None,
    weights: Tensor | None = None,
) -> Loss:
    """Loss of one batch (Xu et al. 2015, equation 14, with the means stated here).

    - ``words``: mean cross-entropy over the real words only, each weighed as its caption ``weights`` ``(R,)``.
    - ``doubly_stochastic``: λ times the mean over captions and cells of ``(1 − Σ_t α_ti)²``; the
      sum over time runs over a caption's real steps.
    - ``region``: its weight times the mean over words with boxes of ``−log Σ_i α_i inside_i``
      (attention supervision; Liu et al. 2017).
    - ``auxiliary``: as `AuxiliaryLosses` weighs them, a mean over photos.

    ``shares`` weighs the terms of one process among several.
    """
    words = word_loss(forced, config.label_smoothing, weights)
    doubly = config.doubly_stochastic * doubly_stochastic(forced.alphas)
    region = config.region * region_loss(forced.alphas, regions)
    taught = forced.logits.new_zeros((), dtype=forced.alphas.dtype) if auxiliary is None else auxiliary
    if shares is not None:
        words, doubly, region = words * shares.words, doubly * shares.captions, region * shares.boxed
        taught = taught * shares.captions
    return Loss(words + doubly + region + taught, words, doubly, region, taught)


def word_loss(forced: TeacherForced, label_smoothing: float, weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy of the words, each weighed as its caption; ``weights`` ``(R,)``."""
    logits = forced.logits.float()
    if weights is None:
        return cross_entropy(logits, forced.targets, label_smoothing=label_smoothing)
    each = cross_entropy(logits, forced.targets, label_smoothing=label_smoothing, reduction="none")
    own = weights[forced.rows]
    return torch.dot(each, own) / own.sum().clamp_min(1e-9)


def doubly_stochastic(alphas: Tensor) -> Tensor:
    """Mean over captions and cells of ``(1 − Σ_t α_ti)²``; ``alphas`` ``(R, T, L)``, zero past the end."""
    return (1 - alphas.float().sum(dim=1)).square().mean()


def region_loss(alphas: Tensor, regions: Regions | None) -> Tensor:
    """Mean of ``−log Σ_i α_i inside_i`` over the words with boxes; 0 if there are none."""
    if regions is None or len(regions.rows) == 0:
        return alphas.new_zeros(())
    attended = alphas[regions.rows, regions.steps].float()
    return -(attended * regions.inside).sum(dim=1).clamp_min(1e-6).log().mean()


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
