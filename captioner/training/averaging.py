"""Averages of weights: the moving one that a run keeps while it trains, and the mean of checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from captioner.checkpoint import BUNDLED, Checkpoint, CheckpointError, load_checkpoint
from captioner.training.model import CaptionModel


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
