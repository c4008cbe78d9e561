"""ResNet-101 without pool and classifier: a photo → its annotations, one vector a grid cell.

`FoldedEncoder` is its form for captioning only: BatchNorm folded into the convolutions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torchvision.models import ResNet101_Weights
from torchvision.models.resnet import Bottleneck, ResNet

RESNET_101 = (3, 4, 23, 3)
FEATURE_SIZE = 2048


@dataclass(frozen=True)
class EncoderConfig:
    """The encoder's shape.

    Attributes:
        blocks: bottleneck blocks of the four stages; ResNet-101 by default.
        dilated: the last stage keeps stride 1 with dilation 2, so that a 256 px photo leaves as
            16×16 and pools to a *real* 14×14. False is the older form (8×8 stretched to 14×14).
        grid: cells a side of the square annotation grid.
    """

    blocks: tuple[int, int, int, int] = RESNET_101
    dilated: bool = True
    grid: int = 14


class Encoder(nn.Module):
    """Annotations ``a_i`` of a photo (Xu et al. 2015, section 3.1.1), in row-major grid order."""

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or EncoderConfig()
        self.trunk = build_trunk(self.config)
        self.pool = nn.AdaptiveAvgPool2d(self.config.grid)

    def forward(self, photos: Tensor) -> Tensor:
        """``(N, 3, H, W)`` normalised photos → ``(N, grid², 2048)`` annotations."""
        trunk = self.trunk
        maps = trunk.maxpool(trunk.relu(trunk.bn1(trunk.conv1(photos))))
        maps = trunk.layer4(trunk.layer3(trunk.layer2(trunk.layer1(maps))))
        annotations: Tensor = self.pool(maps).flatten(2).transpose(1, 2)
        return annotations


def build_trunk(config: EncoderConfig) -> ResNet:
    """torchvision's ResNet with the given blocks, its key names kept, without the classifier."""
    trunk = ResNet(Bottleneck, list(config.blocks), replace_stride_with_dilation=[False, False, config.dilated])
    del trunk.fc
    del trunk.avgpool
    return trunk


def without_identity_blocks(encoder: Encoder) -> Encoder:
    """The same, with the same weights (shared, not copied), less the blocks that still are the identity."""
    weights = (*encoder.parameters(), *encoder.buffers())
    lean = copy.deepcopy(encoder, {id(each): each for each in weights})
    for index, block in enumerate(lean.trunk.layer3):
        if not (block.bn3.weight.any() or block.bn3.bias.any()):
            lean.trunk.layer3[index] = nn.Identity()
    return lean


def torchvision_trunk(name: str) -> dict[str, Tensor]:
    """The trunk's weights of a ``ResNet101_Weights`` entry, without the classifier; torchvision downloads them once.

    Raises:
        OSError, RuntimeError: if the download fails or does not match its hash.
    """
    state = ResNet101_Weights[name].get_state_dict(check_hash=True)
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


class FoldedEncoder(nn.Module):
    """What an `Encoder` computes in eval mode, not to be trained further.

    bfloat16 moves the features by 2 to 3 percent.

    Attributes:
        config: of the encoder it was made from.
        dtype: of its arithmetic.
    """

    def __init__(self, encoder: Encoder, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.config = encoder.config
        self.dtype = dtype
        self.encoder = without_identity_blocks(encoder).eval()
        _fold_batch_norms(self.encoder, device, self.dtype)

    @torch.inference_mode()
    def forward(self, photos: Tensor) -> Tensor:
        """``(N, 3, H, W)`` normalised photos → ``(N, grid², 2048)`` annotations, float32."""
        features: Tensor = self.encoder(photos.to(self.dtype, memory_format=torch.channels_last))
        return features.float().contiguous()


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes in it, else float32.

    The processor is asked, not timed: the same machine must choose the same at every start, so that the
    same photo, settings and seed give the same captions.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = device.type == "cpu" and any(map(processor().get, ("amx_bf16", "avx512_bf16")))
    return torch.bfloat16 if native else torch.float32


def processor() -> Mapping[str, Any]:
    """What the processor can do, as far as this version of PyTorch tells."""
    capabilities: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    return capabilities()


def _fold_batch_norms(module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Each BatchNorm becomes a part of the convolution before it, which gets weights of its own, layer by layer."""
    for parent in list(module.modules()):
        for (_, layer), (next_name, following) in pairwise(list(parent.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                layer.weight, layer.bias = folded(layer, following)
                layer.requires_grad_(False)
                layer.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
                setattr(parent, next_name, nn.Identity())


def folded(layer: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[nn.Parameter, nn.Parameter]:
    """Weight and bias of a convolution that does what the two do in eval mode (Ioffe and Szegedy 2015)."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return fuse_conv_bn_weights(
        layer.weight, layer.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
