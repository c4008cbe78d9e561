"""How a run is trained: its length, its rates, and which parameters get which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from captioner.training.model import CaptionModel


@dataclass(frozen=True)
class TrainerConfig:
    """How to train; data and model sizes are given elsewhere.

    Attributes:
        learning_rate: peak of the one-cycle schedule for the decoder.
        encoder_learning_rate: the same for a fine-tuned encoder; ten times this for the norms that begin at 0.
        clip: largest norm of the gradient.
        patience: epochs without a better score before stopping early.
        samples: captions drawn a photo for self-critical training; 0 is teacher forcing.
        bleu_weight: of BLEU-4 beside CIDEr in the reward of drawn captions.
        reference_weight: of the ordinary objective on reference captions beside the drawn ones.
        ema: decay of the moving average of the weights, which is then what is judged and kept; 0 is none.
        metric: the decoded score that decides, as `evaluation` names it.
        save_every: steps between resumable states.
    """

    epochs: int = 24
    learning_rate: float = 1e-3
    encoder_learning_rate: float = 1e-4
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 5.0
    patience: int = 5
    metric: str = "CIDEr"
    save_every: int = 250
    workers: int = 0
    samples: int = 0
    bleu_weight: float = 0.0
    reference_weight: float = 0.2
    ema: float = 0.0


def parameter_groups(model: CaptionModel, config: TrainerConfig) -> list[dict[str, Any]]:
    """The decoder and the lessons at their rate and, if fine-tuned, the encoder at its own smaller one.

    Norms whose weights are all zero, of blocks that still are the identity, have far to go: ten times that rate.
    """
    heads = [] if model.lessons is None else list(model.lessons.parameters())
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
