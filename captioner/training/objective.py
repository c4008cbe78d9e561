"""The training objective: packed cross-entropy, the doubly stochastic term, attention supervision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import cross_entropy

from captioner.decoder import TeacherForced


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the terms: label smoothing inside the first, λ of the second, weight of the third."""

    label_smoothing: float = 0.1
    doubly_stochastic: float = 1.0
    region: float = 0.0


class Regions(NamedTuple):
    """Where annotators drew the thing a word names, for M of the words of a batch."""

    rows: Tensor  # (M,) caption row
    steps: Tensor  # (M,) step that predicts the word
    inside: Tensor  # (M, L), share of each cell covered by the word's boxes, in [0, 1]


class Shares(NamedTuple):
    """What a process has of a batch, over what the mean process has; each a scalar, 1 for a single process.

    A mean over a process's own words times its share of them, averaged over the processes, is the
    mean over all words: so the loss and its gradient do not depend on how a batch was shared out.
    """

    words: Tensor
    captions: Tensor
    boxed: Tensor
    drawn: Tensor


class Loss(NamedTuple):
    """The terms, each a scalar; ``words`` is the cross-entropy in nats a word."""

    total: Tensor
    words: Tensor
    doubly_stochastic: Tensor
    region: Tensor
    lessons: Tensor  # of the encoder alone


def objective(
    forced: TeacherForced,
    config: ObjectiveConfig,
    regions: Regions | None = None,
    shares: Shares | None = None,
    lessons: Tensor | None = None,
) -> Loss:
    """Loss of one batch (Xu et al. 2015, equation 14, with the means stated here).

    - ``words``: mean cross-entropy over the real words only.
    - ``doubly_stochastic``: λ times the mean over captions and cells of ``(1 − Σ_t α_ti)²``; the
      sum over time runs over a caption's real steps.
    - ``region``: its weight times the mean over words with boxes of ``−log Σ_i α_i inside_i``
      (attention supervision; Liu et al. 2017).
    - ``lessons``: as `captioner.training.lessons` weighs them, a mean over photos.

    ``shares`` weighs the terms of one process among several.
    """
    words = cross_entropy(forced.logits.float(), forced.targets, label_smoothing=config.label_smoothing)
    doubly = config.doubly_stochastic * doubly_stochastic(forced.alphas)
    region = config.region * region_loss(forced.alphas, regions)
    taught = forced.logits.new_zeros((), dtype=forced.alphas.dtype) if lessons is None else lessons
    if shares is not None:
        words, doubly, region = words * shares.words, doubly * shares.captions, region * shares.boxed
        taught = taught * shares.captions
    return Loss(words + doubly + region + taught, words, doubly, region, taught)


def doubly_stochastic(alphas: Tensor) -> Tensor:
    """Mean over captions and cells of ``(1 − Σ_t α_ti)²``; ``alphas`` ``(R, T, L)``, zero past the end."""
    return (1 - alphas.float().sum(dim=1)).square().mean()


def region_loss(alphas: Tensor, regions: Regions | None) -> Tensor:
    """Mean of ``−log Σ_i α_i inside_i`` over the words with boxes; 0 if there are none."""
    if regions is None or len(regions.rows) == 0:
        return alphas.new_zeros(())
    attended = alphas[regions.rows, regions.steps].float()
    return -(attended * regions.inside).sum(dim=1).clamp_min(1e-6).log().mean()
