"""A ResNet-101 that computes exactly what a given ResNet-50 computes, ready to learn more."""

from __future__ import annotations

import lzma
import re
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from captioner.encoder import RESNET_101, Encoder, EncoderConfig
from captioner.training.karpathy import DatasetError

LAYER3_BLOCK = re.compile(r"layer3\.(\d+)\.(.+)")


def read_trunk(path: Path) -> dict[str, Tensor]:
    """ResNet weights in torchvision's key names from a ``.safetensors`` or ``.safetensors.xz`` file."""
    try:
        content = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
        state = load(content)
    except (OSError, lzma.LZMAError, SafetensorError) as error:
        raise DatasetError(f"{path} holds no ResNet weights as safetensors ({error})") from error
    return {
        key: value.float() if value.is_floating_point() else value
        for key, value in state.items()
        if not key.startswith("fc.")
    }


def grow(state: dict[str, Tensor], blocks: int = RESNET_101[2]) -> dict[str, Tensor]:
    """Fill up stage 3 to ``blocks`` with copies of its blocks that start as the identity.

    A bottleneck block adds ``bn3(…)`` to its input; with that BatchNorm's weight and bias zero it
    passes its input through (He et al. 2016), so ResNet-50 and the grown ResNet-101 agree exactly.
    """
    present = sorted({int(match[1]) for key in state if (match := LAYER3_BLOCK.match(key))})
    grown = dict(state)
    for new in range(len(present), blocks):
        source = present[1 + (new - 1) % (len(present) - 1)]  # block 0 has a downsampling branch
        for key, value in state.items():
            match = LAYER3_BLOCK.match(key)
            if match and int(match[1]) == source:
                silent = match[2] in ("bn3.weight", "bn3.bias")
                grown[f"layer3.{new}.{match[2]}"] = torch.zeros_like(value) if silent else value.clone()
    return grown


def encoder_from_resnet(path: Path, config: EncoderConfig | None = None) -> Encoder:
    """An encoder from ResNet-50 or ResNet-101 weights, grown where stage 3 is short of blocks."""
    encoder = Encoder(config)
    encoder.trunk.load_state_dict(grow(read_trunk(path), encoder.config.blocks[2]))
    return encoder


def grown(encoder: Encoder, blocks: int) -> Encoder:
    """An encoder that computes the same, with ``blocks`` in its stage 3; itself if it has them.

    Raises:
        DatasetError: if it has more.
    """
    first, second, present, last = encoder.config.blocks
    if blocks < present:
        raise DatasetError(f"the encoder has {present} blocks in its third stage; it can grow, but not to {blocks}")
    if blocks == present:
        return encoder
    larger = Encoder(replace(encoder.config, blocks=(first, second, blocks, last)))
    larger.trunk.load_state_dict(grow(encoder.trunk.state_dict(), blocks))
    return larger


def coarse(encoder: Encoder) -> Encoder:
    """An encoder without dilation on a grid half as fine, its weights copied: several times faster.

    Where it has a cell of its last stage, the dilated one computes the same there.
    """
    config = replace(encoder.config, dilated=False, grid=encoder.config.grid // 2)
    other = Encoder(config)
    other.load_state_dict(encoder.state_dict())
    return other
