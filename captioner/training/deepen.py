"""A ResNet-101 that computes exactly what a given ResNet-50 computes, ready to learn more."""

from __future__ import annotations

import lzma
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from captioner.encoder import RESNET_101, Encoder, EncoderConfig
from captioner.training.data.datasets import DatasetError

LAYER3_BLOCK = re.compile(r"layer3\.(\d+)\.(.+)")


def read_trunk(path: Path) -> dict[str, Tensor]:
    """ResNet weights in torchvision's key names from a ``.safetensors``, ``.safetensors.xz`` or ``.pth`` file.

    Raises:
        DatasetError: if it holds none.
    """
    try:
        state = _read(path)
    except (
        OSError,
        lzma.LZMAError,
        SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        EOFError,
    ) as error:
        reason = (str(error).splitlines() or [repr(error)])[0]
        raise DatasetError(f"{path} holds no ResNet weights as .safetensors[.xz] or .pth ({reason})") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DatasetError(f"{path} holds no ResNet weights as .safetensors[.xz] or .pth, but something else")
    return {
        key: value.float() if value.is_floating_point() else value
        for key, value in state.items()
        if not key.startswith("fc.")
    }


def _read(path: Path) -> Any:
    if path.suffix in (".pth", ".pt"):
        return torch.load(path, map_location="cpu", weights_only=True)
    return load(lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes())


def filled_up(state: dict[str, Tensor], blocks: int = RESNET_101[2]) -> dict[str, Tensor]:
    """Fill up stage 3 to ``blocks`` with copies of its blocks that start as the identity.

    A bottleneck block adds ``bn3(…)`` to its input; with that BatchNorm's weight and bias zero it
    passes its input through (He et al. 2016), so ResNet-50 and the grown ResNet-101 agree exactly.
    """
    present = sorted({int(match[1]) for key in state if (match := LAYER3_BLOCK.match(key))})
    deeper = dict(state)
    for new in range(len(present), blocks):
        source = present[1 + (new - 1) % (len(present) - 1)]  # block 0 has a downsampling branch
        for key, value in state.items():
            match = LAYER3_BLOCK.match(key)
            if match and int(match[1]) == source:
                silent = match[2] in ("bn3.weight", "bn3.bias")
                deeper[f"layer3.{new}.{match[2]}"] = torch.zeros_like(value) if silent else value.clone()
    return deeper


def encoder_from_resnet(path: Path, blocks: int = RESNET_101[2]) -> Encoder:
    """An encoder from ResNet weights, of as many blocks as they have, its third stage filled up to ``blocks``.

    Raises:
        DatasetError: if the file holds none.
    """
    state = read_trunk(path)
    try:
        first, second, third, last = (_blocks(state, stage) for stage in (1, 2, 3, 4))
        encoder = Encoder(EncoderConfig((first, second, max(third, blocks), last)))
        encoder.trunk.load_state_dict(filled_up(state, encoder.config.blocks[2]))
    except (RuntimeError, IndexError, ZeroDivisionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(f"{path} holds no ResNet weights of bottleneck blocks ({reason})") from error
    return encoder


def _blocks(state: dict[str, Tensor], stage: int) -> int:
    return len({key.split(".")[1] for key in state if key.startswith(f"layer{stage}.")})


def deepened(encoder: Encoder, blocks: int) -> Encoder:
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
    larger.trunk.load_state_dict(filled_up(encoder.trunk.state_dict(), blocks))
    return larger
