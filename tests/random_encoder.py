"""An encoder with random statistics in every BatchNorm and one block that is the identity, and photos for it."""

import torch
from torch import nn

from captioner.encoder import Encoder, EncoderConfig


def random_encoder(dilated: bool = True) -> Encoder:
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 2, 3, 2), dilated=dilated, grid=4)).eval()
    with torch.no_grad():
        for layer in encoder.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.3, 0.3)
                layer.running_var.uniform_(0.3, 2)
                layer.weight.uniform_(0.5, 1.5)
                layer.bias.uniform_(-0.3, 0.3)
        encoder.trunk.layer3[2].bn3.weight.zero_()
        encoder.trunk.layer3[2].bn3.bias.zero_()
    return encoder


def random_photos(count: int = 3, seed: int = 1) -> torch.Tensor:
    """``(count, 3, 96, 96)``."""
    return torch.randn(count, 3, 96, 96, generator=torch.Generator().manual_seed(seed))


def deviation(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Relative to the length of all of theirs."""
    return float((ours - theirs).norm() / theirs.norm())
