"""Photos and features as a training reads them: by example, each as its view has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from captioner.photo import PhotoFormat, prepare
from captioner.training.data.augmentation import PLAIN, View, framed
from captioner.training.data.datasets import Example
from captioner.training.data.features import FeatureCache


class Loader(Protocol):
    """What a model reads of photos."""

    def __call__(self, examples: Sequence[Example], views: Sequence[View] = (), /) -> Tensor:
        """Photos ``(P, 3, H, W)`` or features ``(P, L, D)``, each as its view has it; no views: as they are."""


class PhotoFiles:
    """Prepared photos ``(P, 3, size, size)``, mirrored, cropped and lit as their views say.

    Args:
        folders: of the photos of each source, by its name.
    """

    def __init__(self, folders: Mapping[str, Path], photo_format: PhotoFormat) -> None:
        self.folders, self.photo_format = dict(folders), photo_format

    def __call__(self, examples: Sequence[Example], views: Sequence[View] = ()) -> Tensor:
        """See the class."""
        views = views or [PLAIN] * len(examples)
        photos = [prepare(self.folders[each.source] / each.filename, self.photo_format).tensor for each in examples]
        turned = [photo.flip(-1) if view.mirrored else photo for photo, view in zip(photos, views, strict=True)]
        return framed(torch.stack(turned), views)


class CachedFeatures:
    """Features ``(P, L, D)`` in float16, mirrored and of some cells only as their views say.

    Args:
        caches: of the features of each source, by its name.
    """

    def __init__(self, caches: Mapping[str, FeatureCache]) -> None:
        self.caches = dict(caches)

    def __call__(self, examples: Sequence[Example], views: Sequence[View] = ()) -> Tensor:
        """See the class."""
        views = views or [PLAIN] * len(examples)
        return torch.stack(
            [
                self.caches[example.source].photo(example.filename, view.mirrored, view.cells)
                for example, view in zip(examples, views, strict=True)
            ]
        )
