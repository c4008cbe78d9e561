"""Weights stored small, restored to float32: int8 with a scale per kernel or group of inputs, or float16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

Storage = Literal["float32", "float16", "int8"]

MATRIX_GROUP = 64
LEVELS = 127
SCALES = ".scales"


def pack(state: Mapping[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """A state dict in its stored form.

    int8: each kernel or matrix ``w`` ``(out, …)`` is flattened to ``(out, inputs)``. All inputs of a
    kernel's output channel (what int8 convolutions can use) and every 64 inputs of a matrix (all of them,
    where they do not divide evenly) share a bfloat16 scale ``s`` such that ``w ≈ q s`` with ``q`` in
    −127 … 127. Vectors (biases, BatchNorm) become float16.
    """
    packed: dict[str, Tensor] = {}
    for name, value in state.items():
        tensor = value.detach().cpu()
        if storage == "int8" and tensor.is_floating_point() and tensor.dim() > 1:
            packed[name], packed[name + SCALES] = _quantize(tensor.float())
        elif storage != "float32" and tensor.is_floating_point():
            packed[name] = tensor.half().contiguous()
        else:
            packed[name] = tensor.contiguous()
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The float32 state dict of a stored one, whichever form it has.

    Raises:
        ValueError: if an int8 tensor and its scales do not come together or do not fit.
    """
    quantized = {name for name, value in packed.items() if value.dtype == torch.int8}
    scales = {name.removesuffix(SCALES) for name in packed if name.endswith(SCALES)}
    if quantized != scales:
        name = min(quantized ^ scales)
        raise ValueError(f"{name} lacks its {'int8 values' if name in scales else f'scales {name + SCALES}'}")
    state: dict[str, Tensor] = {}
    for name, value in packed.items():
        if name.endswith(SCALES):
            continue
        if name in quantized:
            state[name] = _restore(name, value, packed[name + SCALES])
        else:
            state[name] = value.float() if value.is_floating_point() else value
    return state


def as_stored(state: Mapping[str, Tensor], storage: Storage) -> dict[str, Tensor]:
    """What `unpack` will give after `pack`: weights with the rounding of their storage."""
    return unpack(pack(state, storage))


def _quantize(tensor: Tensor) -> tuple[Tensor, Tensor]:
    inputs = tensor[0].numel()
    group = MATRIX_GROUP if tensor.dim() == 2 and inputs % MATRIX_GROUP == 0 else inputs
    groups = tensor.reshape(len(tensor), inputs // group, group)
    scales = (groups.abs().amax(dim=2) / LEVELS).clamp_min(1e-30).bfloat16()
    quantized = (groups / scales.float().unsqueeze(2)).round().clamp(-LEVELS, LEVELS).to(torch.int8)
    return quantized.reshape(tensor.shape).contiguous(), scales.contiguous()


def _restore(name: str, quantized: Tensor, scales: Tensor) -> Tensor:
    rows, groups = scales.shape if scales.dim() == 2 else (0, 0)
    if quantized.dim() < 2 or rows != len(quantized) or not groups or quantized[0].numel() % groups:
        raise ValueError(f"the scales of {name} are {tuple(scales.shape)}, which does not fit {tuple(quantized.shape)}")
    values = quantized.reshape(rows, groups, -1).float().mul_(scales.float().unsqueeze(2))
    return values.reshape(quantized.shape)
