"""DenseNet-169, an encoder that has learnt more, whose features another encoder learns to tell (Hinton et al. 2015)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import densenet169

from captioner.training.karpathy import DatasetError

FEATURE_SIZE = 1664
SMALLEST = 1e-2  # added to a deviation: some features are hardly ever active
BATCH = 32
LARGEST = 5.0  # standard deviations: beyond, a feature is cut off


class Teacher:
    """``(P, 3, H, W)`` normalised photos → ``(P, (H/32)·(W/32), 1664)``, each feature of mean 0 and deviation 1.

    Raises:
        DatasetError: if the file holds no DenseNet-169 in torchvision's key names.
    """

    def __init__(self, path: Path) -> None:
        self.network: nn.Module = densenet169(weights=None).features
        try:
            state = {name.removeprefix("features."): value.float() for name, value in load_file(path).items()}
            self.network.load_state_dict({name: value for name, value in state.items() if "classifier" not in name})
        except (OSError, SafetensorError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise DatasetError(f"{path} holds no DenseNet-169 as safetensors ({reason})") from error
        self.network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.mean, self.deviation = torch.zeros(FEATURE_SIZE), torch.ones(FEATURE_SIZE)

    def standardise(self, photos: Tensor) -> None:
        """Take mean and deviation of every feature from these photos."""
        features = torch.cat([self._features(part).cpu() for part in torch.split(photos, BATCH)]).flatten(0, 1)
        self.mean, self.deviation = features.mean(dim=0), features.std(dim=0) + SMALLEST

    def __call__(self, photos: Tensor) -> Tensor:
        """See the class."""
        mean, deviation = (each.to(photos.device) for each in (self.mean, self.deviation))
        return ((self._features(photos) - mean) / deviation).clamp(-LARGEST, LARGEST)

    @torch.no_grad()
    def _features(self, photos: Tensor) -> Tensor:
        self.network.to(photos.device)
        maps: Tensor = self.network(photos.contiguous(memory_format=torch.channels_last))
        return maps.relu().flatten(2).transpose(1, 2).float()
