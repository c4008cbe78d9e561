"""Encoder and decoder as one module, so that one optimiser and one `accelerate` wrapper see both."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, dropout

from captioner.decoder import Decoder, TeacherForced
from captioner.encoder import Encoder
from captioner.training.lessons import Lessons, LessonTargets
from captioner.training.text import language_loss

STAGES = ("conv1", "layer1", "layer2", "layer3", "layer4")


class CaptionModel(nn.Module):
    """Inputs → teacher-forced logits; BatchNorm is held in eval mode always.

    Args:
        tuned: train the encoder too, from its stage ``tune_from`` on.
        attention_only: of the decoder, train the soft attention alone and hold the rest.
        pool: average ``pool × pool`` cells of the grid.
        feature_dropout: the chance of each of a photo's feature channels to be zero in all its cells
            while training: a photo is then harder to know again than what is on it.
        lessons: what the encoder learns beside captions.
        text_weight: of the language loss, where sentences without photos come along.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        *,
        tuned: bool,
        tune_from: str = STAGES[0],
        pool: int = 1,
        feature_dropout: float = 0.0,
        lessons: Lessons | None = None,
        text_weight: float = 0.0,
        attention_only: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(tuned)
        self.decoder = decoder.requires_grad_(not attention_only)
        decoder.attention.requires_grad_(True)
        self.lessons = lessons
        self.text_weight = text_weight
        self.tuned = tuned
        self.tune_from = tune_from
        self.pool = pool
        self.feature_dropout = feature_dropout
        for stage in STAGES[: STAGES.index(tune_from)]:
            encoder.trunk.get_submodule(stage).requires_grad_(False)
        encoder.trunk.bn1.requires_grad_(tuned and tune_from == STAGES[0])

    def train(self, mode: bool = True) -> CaptionModel:
        """Dropout follows ``mode``; the encoder's BatchNorm keeps its ImageNet statistics."""
        super().train(mode)
        self.encoder.eval()
        return self

    def annotate(self, inputs: Tensor) -> Tensor:
        """Photos ``(P, 3, H, W)`` or features ``(P, L, D)`` → features, pooled and dropped if so configured."""
        return self._dropped(self._encoded(inputs))

    @torch.no_grad()
    def encoded_once(self, inputs: Tensor) -> Tensor:
        """Photos as the features of a frozen encoder, for inputs that are read more than once; all else unchanged."""
        return self._cells(inputs) if inputs.dim() == 4 and not self.tuned else inputs

    def forward(
        self, inputs: Tensor, captions: Tensor, lengths: Tensor, targets: LessonTargets | None = None
    ) -> tuple[TeacherForced, Tensor]:
        """See `Decoder.forward`; beside it the loss of the lessons, 0 without any."""
        features = self._encoded(inputs)
        forced: TeacherForced = self.decoder(self._dropped(features), captions, lengths)
        loss = features.new_zeros((), dtype=torch.float32)
        if self.lessons is not None and targets is not None:
            loss = self.lessons(features, targets)
        if targets is not None and targets.text is not None:
            loss = loss + self.text_weight * language_loss(self.decoder, targets.text, features.dtype)
        return forced, loss

    def _encoded(self, inputs: Tensor) -> Tensor:
        if inputs.dim() == 4:
            with torch.set_grad_enabled(self.tuned and torch.is_grad_enabled()):
                inputs = self._cells(inputs)
        return pool_features(inputs.to(working_dtype(inputs.device)), self.pool)

    def _cells(self, photos: Tensor) -> Tensor:
        cells: Tensor = self.encoder(photos.contiguous(memory_format=torch.channels_last))
        return cells

    def _dropped(self, features: Tensor) -> Tensor:
        if not self.training or not self.feature_dropout:
            return features
        channels = features.new_ones(len(features), 1, features.shape[2])
        return features * dropout(channels, self.feature_dropout)


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
