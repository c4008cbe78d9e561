"""Encoder and decoder as one module, so that one optimiser and one `accelerate` wrapper see both."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from captioner.decoder import Decoder, TeacherForced
from captioner.encoder import Encoder
from captioner.training.objective import AuxiliaryLosses, AuxiliaryTargets

Stage = Literal["conv1", "layer1", "layer2", "layer3", "layer4"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class CaptionModel(nn.Module):
    """Inputs → teacher-forced logits; BatchNorm is held in eval mode always.

    Args:
        tuned: train the encoder too, from its stage ``tune_from`` on.
        feature_dropout: the chance of each of a photo's feature channels to be zero in all its cells
            while training: a photo is then harder to know again than what is on it.
        auxiliary: what the encoder learns beside captions.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        *,
        tuned: bool,
        tune_from: Stage = "conv1",
        feature_dropout: float = 0.0,
        auxiliary: AuxiliaryLosses | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(tuned)
        self.decoder = decoder
        self.auxiliary = auxiliary
        self.tuned = tuned
        self.tune_from = tune_from
        self.feature_dropout = feature_dropout
        for stage in STAGES[: STAGES.index(tune_from)]:
            encoder.trunk.get_submodule(stage).requires_grad_(False)
        encoder.trunk.bn1.requires_grad_(tuned and tune_from == "conv1")

    def train(self, mode: bool = True) -> CaptionModel:
        """Dropout follows ``mode``; the encoder's BatchNorm keeps its ImageNet statistics."""
        super().train(mode)
        self.encoder.eval()
        return self

    def annotate(self, inputs: Tensor) -> Tensor:
        """Photos ``(P, 3, H, W)`` or features ``(P, L, D)`` → features, some dropped while training."""
        return self._dropped(self._encoded(inputs))

    def forward(
        self, inputs: Tensor, captions: Tensor, lengths: Tensor, targets: AuxiliaryTargets | None = None
    ) -> tuple[TeacherForced, Tensor]:
        """See `Decoder.forward`; beside it the auxiliary losses, 0 without any."""
        features = self._encoded(inputs)
        forced: TeacherForced = self.decoder(self._dropped(features), captions, lengths)
        if self.auxiliary is None or targets is None:
            return forced, features.new_zeros((), dtype=torch.float32)
        return forced, self.auxiliary(features, targets)

    def _encoded(self, inputs: Tensor) -> Tensor:
        if inputs.dim() == 4:
            with torch.set_grad_enabled(self.tuned and torch.is_grad_enabled()):
                inputs = self.encoder(inputs.contiguous(memory_format=torch.channels_last))
        return inputs.to(working_dtype(inputs.device))

    def _dropped(self, features: Tensor) -> Tensor:
        if not self.training or not self.feature_dropout:
            return features
        channels = features.new_ones(len(features), 1, features.shape[2])
        return features * dropout(channels, self.feature_dropout)


def working_dtype(device: torch.device) -> torch.dtype:
    """What matrix products compute in: casting once here saves a cast at every step."""
    enabled = torch.is_autocast_enabled(device.type)
    return torch.get_autocast_dtype(device.type) if enabled else torch.float32
