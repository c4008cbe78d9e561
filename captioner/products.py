"""Products of a few rows with a large matrix, where reading the matrix is what takes the time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]


def product(weight: Tensor, bias: Tensor) -> Product:
    """``x ↦ x Wᵀ + b`` for ``(R, I)`` float32 rows, ``weight`` ``(O, I)``, ``bias`` ``(O,)``.

    On x86 processors the weights are kept in float16, which halves what a step reads of them; the sums
    stay in float32 (FBGEMM), so a result moves by about 2⁻¹¹ of its size. Elsewhere all is float32.
    """
    if weight.device.type == "cpu" and weight.dtype == torch.float32 and _has_half_weights():
        packed = torch.ops.quantized.linear_prepack_fp16(weight, bias)
        return lambda rows: torch.ops.quantized.linear_dynamic_fp16(rows, packed)
    return exact_product(weight, bias)


def exact_product(weight: Tensor, bias: Tensor) -> Product:
    """The same in the weights' own precision."""
    turned = weight.T.contiguous()
    return lambda rows: torch.addmm(bias, rows, turned)


def _has_half_weights() -> bool:
    return "fbgemm" in torch.backends.quantized.supported_engines and hasattr(
        torch.ops.quantized, "linear_dynamic_fp16"
    )
