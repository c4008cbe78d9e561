"""The training objective: packed cross-entropy, the doubly stochastic term, attention supervision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from captioner.decoder import TeacherForced
from captioner.training.data.entities import Regions
from captioner.training.options import check_options, option


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
    - ``auxiliary``: as `captioner.training.auxiliary_losses` weighs them, a mean over photos.

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
