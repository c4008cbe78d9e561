"""How a run is trained: its length, its rates, which parameters get which; and the averages of weights.

The moving average is kept while a run trains; the mean of checkpoints is taken of finished ones.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from captioner.checkpoint import BUNDLED, Checkpoint, CheckpointError, load_checkpoint
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


class MovingAverage:
    """An exponential moving average of all weights that are trained (Polyak and Juditsky 1992).

    The decay of step ``n`` is ``min(decay, (1 + n) / (10 + n))``: else a short run would still
    hold much of the weights that it began with.

    Attributes:
        model: the averaged weights, ready to be judged; a frozen encoder is shared, not copied.
    """

    def __init__(self, model: CaptionModel, decay: float) -> None:
        shared = {} if model.tuned else {id(model.encoder): model.encoder}
        self.model = copy.deepcopy(model, shared)
        self.decay = decay

    def update(self, model: CaptionModel, step: int) -> None:
        """Take in the weights after ``step``, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averaged, current = _trained(self.model), _trained(model)
        take_in = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        take_in(list(averaged.values()), [current[name] for name in averaged], step)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged weights by name."""
        return {name: weights.detach() for name, weights in _trained(self.model).items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from the weights that `state_dict` gave."""
        for name, weights in _trained(self.model).items():
            weights.data.copy_(state[name])


def _trained(model: CaptionModel) -> dict[str, nn.Parameter]:
    return {name: weights for name, weights in model.named_parameters() if weights.requires_grad}


def mean_checkpoint(folders: Sequence[Path]) -> Checkpoint:
    """The mean of several checkpoints' weights, with the card of the last; its scores are left out.

    Raises:
        CheckpointError: if one cannot be loaded, or is of another shape or vocabulary than the first.
    """
    loaded = [load_checkpoint(folder) for folder in folders]
    for folder, each in zip(folders, loaded, strict=True):
        if _shape(each) != _shape(loaded[0]):
            raise CheckpointError(
                f"{folder}: expected the layers, photo form and vocabulary of {folders[0]}, found others; "
                "average checkpoints of one training only"
            )
    last = loaded[-1]
    last.encoder.load_state_dict(_mean([each.encoder.state_dict() for each in loaded]))
    last.decoder.load_state_dict(_mean([each.decoder.state_dict() for each in loaded]))
    training = {**last.card.training, "mean of": [str(folder) for folder in folders]}
    return last._replace(card=replace(last.card, encoder_weights=BUNDLED, training=training, scores={}))


def _shape(checkpoint: Checkpoint) -> tuple[object, ...]:
    card = checkpoint.card
    decoder = replace(card.decoder, dropout=0.0)  # of training only
    return card.encoder, decoder, card.photo, checkpoint.vocabulary.word_map


def _mean(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """In double precision, so that what is the same in all stays the same to the last bit."""
    return {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value.dtype)
        for name, value in states[-1].items()
    }
