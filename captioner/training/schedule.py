"""How a run is trained: its length, its rates, and which parameters get which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from captioner.training.model import CaptionModel
from captioner.training.options import amounts, check_options, option


@dataclass(frozen=True)
class TrainerConfig:
    """How long, how fast and by which score."""

    epochs: int = option(24, "passes over the photos; see --batch-photos for what one is of several sources", least=1)
    learning_rate: float = option(1e-3, "peak of the decoder's one-cycle schedule", above=0)
    encoder_learning_rate: float = option(
        1e-4, "the same of a tuned encoder; ten times this for norms that begin at 0", above=0
    )
    warmup: float = option(0.1, "share of the steps until the peak", above=0, most=0.9)
    weight_decay: float = option(0.01, "of AdamW", least=0)
    clip: float = option(5.0, "largest norm of the gradient; 0 does not clip", least=0)
    patience: int = option(5, "epochs without a better score before stopping early", least=0)
    metric: str = option(
        "",
        'score that decides, such as "CIDEr" or "flickr8k CIDEr + 0.5 everyday CIDEr"; default: the sum of every CIDEr',
    )
    save_every: int = option(250, "steps between resumable states", least=1)
    workers: int = option(0, "processes that read batches ahead", least=0)
    ema: float = option(
        0.0, "decay of the moving average of the weights, which is then what is kept; 0: none", least=0, most=0.99999
    )
    caption_weights: Mapping[str, float] | None = option(
        None, "how much the captions of a source count, if not 1: NAME=0.5,NAME=…", parse=amounts
    )

    def __post_init__(self) -> None:
        check_options(self)


def parameter_groups(model: CaptionModel, config: TrainerConfig) -> list[dict[str, Any]]:
    """The decoder and the auxiliary losses at their rate and, if fine-tuned, the encoder at its own smaller one.

    Norms whose weights are all zero, of blocks that still are the identity, have far to go: ten times that rate.
    """
    heads = [] if model.auxiliary is None else list(model.auxiliary.parameters())
    groups: list[dict[str, Any]] = [{"params": [*model.decoder.parameters(), *heads], "lr": config.learning_rate}]
    if not model.tuned:
        return groups
    norms_at_zero = {
        name.removesuffix("weight")
        for name, each in model.encoder.named_parameters()
        if name.endswith("weight") and not each.any()
    }
    silent: list[Tensor] = []
    others: list[Tensor] = []
    for name, each in model.encoder.named_parameters():
        if each.requires_grad:
            (silent if f"{name.rpartition('.')[0]}." in norms_at_zero else others).append(each)
    groups.append({"params": others, "lr": config.encoder_learning_rate})
    return [*groups, {"params": silent, "lr": 10 * config.encoder_learning_rate}] if silent else groups
