"""Networks that have learnt more, whose features an encoder learns to tell (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d
from torchvision.models import get_model

from captioner.training.data.augmentation import View, framed
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.features import FeatureCache

SMALLEST = 1e-2  # added to a deviation: some features are hardly ever active
BATCH = 32
LARGEST = 5.0  # standard deviations: beyond, a feature is cut off


class Standard:
    """Each feature with mean 0 and deviation 1 over the photos of `learn`, cut off at 5 deviations."""

    def __init__(self, size: int) -> None:
        self.mean, self.deviation = torch.zeros(size), torch.ones(size)

    def learn(self, features: Tensor) -> None:
        """Take mean and deviation from ``(P, L, T)``."""
        cells = features.flatten(0, 1).float()
        self.mean, self.deviation = cells.mean(dim=0), cells.std(dim=0) + SMALLEST

    def __call__(self, features: Tensor) -> Tensor:
        """``(P, L, T)`` standardised."""
        mean, deviation = (each.to(features.device) for each in (self.mean, self.deviation))
        return ((features.float() - mean) / deviation).clamp(-LARGEST, LARGEST)


class NetworkTeacher:
    """A torchvision network: ``(P, 3, H, W)`` normalised photos → ``(P, L, T)`` of its last feature maps.

    Raises:
        DatasetError: if torchvision has no such network, or the file does not hold its weights.
    """

    def __init__(self, name: str, path: Path) -> None:
        try:
            network = get_model(name, weights=None)
            self.network: nn.Module = _trunk(network)
            state = {key: value.float() for key, value in load_file(path).items()}
            own = self.network.state_dict()
            self.network.load_state_dict({key: _found(key, state) for key in own})
        except (OSError, SafetensorError, RuntimeError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise DatasetError(f"{path} holds no weights of torchvision's {name} as safetensors ({reason})") from error
        self.network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        with torch.no_grad():
            self.size = self.network(torch.zeros(1, 3, 64, 64)).shape[1]
        self.standard = Standard(self.size)

    def learn(self, photos: Tensor) -> None:
        """Take mean and deviation of every feature from these photos."""
        self.standard.learn(torch.cat([self._features(part).cpu() for part in torch.split(photos, BATCH)]))

    def __call__(self, photos: Tensor) -> Tensor:
        """See the class."""
        return self.standard(self._features(photos))

    @torch.no_grad()
    def _features(self, photos: Tensor) -> Tensor:
        self.network.to(photos.device)
        maps: Tensor = self.network(photos.contiguous(memory_format=torch.channels_last))
        return maps.flatten(2).transpose(1, 2).float()


class FileTeacher:
    """Features of any network, in the form of the feature cache, a folder a source; a view is taken of their grid.

    Raises:
        DatasetError: if a source has no such folder.
    """

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        self.caches: Mapping[str, FeatureCache] = {name: FeatureCache(folder / name) for name in sources}

    def learn(self, examples: Sequence[Example]) -> None:
        """Take mean and deviation of every feature from these photos."""
        features = torch.stack([self.caches[each.source].photo(each.filename) for each in examples])
        self.size = features.shape[2]
        self.standard = Standard(self.size)
        self.standard.learn(features)

    def __call__(self, examples: Sequence[Example], views: Sequence[View]) -> Tensor:
        """``(P, L, T)`` standardised, of each photo as its view has it; light is not seen in them."""
        found = torch.stack([self.caches[each.source].photo(each.filename) for each in examples])
        maps = as_maps(self.standard(found))
        turned = [one.flip(-1) if view.mirrored else one for one, view in zip(maps, views, strict=True)]
        unlit = [view._replace(contrast=1.0, brightness=0.0) for view in views]
        return framed(torch.stack(turned), unlit).flatten(2).transpose(1, 2)


def as_maps(features: Tensor) -> Tensor:
    """``(P, L, D)`` → ``(P, D, side, side)``."""
    side = round(features.shape[1] ** 0.5)
    return features.transpose(1, 2).reshape(len(features), -1, side, side)


def on_one_grid(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two features ``(P, L, D)`` of the same photos, averaged onto the coarser of their grids."""
    cells = min(first.shape[1], second.shape[1])
    pooled = [
        each if each.shape[1] == cells else adaptive_avg_pool2d(as_maps(each), round(cells**0.5)).flatten(2).mT
        for each in (first, second)
    ]
    return pooled[0], pooled[1]


def _trunk(network: Any) -> nn.Module:
    """All of a network up to its last maps, with the names of its weights kept."""
    if isinstance(getattr(network, "features", None), nn.Module):
        trunk = nn.Sequential()
        trunk.add_module("features", network.features)
        return trunk.append(nn.ReLU()) if type(network).__name__ == "DenseNet" else trunk
    if not hasattr(network, "layer4"):
        raise ValueError("of such a network this project does not know which features to take")
    names = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
    trunk = nn.Sequential()
    for name in names:
        trunk.add_module(name, getattr(network, name))
    return trunk


def _found(key: str, state: Mapping[str, Tensor]) -> Tensor:
    """A weight under its torchvision name, or under that without ``features.``."""
    return state[key] if key in state else state[key.removeprefix("features.")]
