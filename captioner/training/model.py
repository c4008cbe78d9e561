"""Encoder and decoder as one module, so that one optimiser and one `accelerate` wrapper see both."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, dropout

from captioner.decoder import Decoder, TeacherForced
from captioner.encoder import Encoder


class CaptionModel(nn.Module):
    """Inputs → teacher-forced logits; BatchNorm is held in eval mode always.

    ``feature_dropout`` is the chance of each of a photo's feature channels to be zero in all its
    cells while training: a photo is then harder to know again than what is on it.
    """

    def __init__(
        self, encoder: Encoder, decoder: Decoder, *, tuned: bool, pool: int = 1, feature_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(tuned)
        self.decoder = decoder
        self.tuned = tuned
        self.pool = pool
        self.feature_dropout = feature_dropout

    def train(self, mode: bool = True) -> CaptionModel:
        """Dropout follows ``mode``; the encoder's BatchNorm keeps its ImageNet statistics."""
        super().train(mode)
        self.encoder.eval()
        return self

    def annotate(self, inputs: Tensor) -> Tensor:
        """Photos ``(P, 3, H, W)`` or features ``(P, L, D)`` → features, pooled if so configured."""
        if inputs.dim() == 4:
            with torch.set_grad_enabled(self.tuned and torch.is_grad_enabled()):
                inputs = self.encoder(inputs.contiguous(memory_format=torch.channels_last))
        features = pool_features(inputs.to(working_dtype(inputs.device)), self.pool)
        if not self.training or not self.feature_dropout:
            return features
        channels = features.new_ones(len(features), 1, features.shape[2])
        return features * dropout(channels, self.feature_dropout)

    def forward(self, inputs: Tensor, captions: Tensor, lengths: Tensor) -> TeacherForced:
        """See `Decoder.forward`."""
        forced: TeacherForced = self.decoder(self.annotate(inputs), captions, lengths)
        return forced


def working_dtype(device: torch.device) -> torch.dtype:
    """What matrix products compute in: casting once here saves a cast at every step."""
    enabled = torch.is_autocast_enabled(device.type)
    return torch.get_autocast_dtype(device.type) if enabled else torch.float32


def pool_features(features: Tensor, factor: int) -> Tensor:
    """Average ``factor × factor`` neighbouring cells of ``(P, grid², D)``."""
    if factor == 1:
        return features
    photos, cells, size = features.shape
    side = round(cells**0.5)
    maps = features.transpose(1, 2).reshape(photos, size, side, side)
    return avg_pool2d(maps, factor).flatten(2).transpose(1, 2).contiguous()
