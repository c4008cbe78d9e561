"""How a photo is seen in one step of training: left for right, a part of it, in another light, on some cells only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from captioner.training.karpathy import Tokens

OTHER_SIDE = {"left": "right", "right": "left"}
LIGHT = 0.2  # largest change of contrast, as a factor, and of brightness, in standard deviations
ASPECT = 0.2  # largest change of a crop's aspect, as a logarithm


class Crop(NamedTuple):
    """A window of a photo, in fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float

    def box(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        """A box ``x0, y0, x1, y1`` of the photo as the window has it; it may reach beyond the window."""
        x0, y0, x1, y1 = box
        return (
            (x0 - self.left) / self.width,
            (y0 - self.top) / self.height,
            (x1 - self.left) / self.width,
            (y1 - self.top) / self.height,
        )


WHOLE = Crop(0.0, 0.0, 1.0, 1.0)


class View(NamedTuple):
    """One way to see a photo, drawn from a seed. The crop is of the photo before it is mirrored."""

    mirrored: bool
    order: np.random.Generator  # of the cells
    crop: Crop = WHOLE
    contrast: float = 1.0
    brightness: float = 0.0


@dataclass(frozen=True)
class Views:
    """In which ways photos are seen. Mirroring and choosing cells cost no encoding at training time.

    Attributes:
        mirror: every photo is shown left for right half the time, its captions and boxes likewise.
        cells: so many cells of the grid are shown, others each time; 0 is all. Fewer are faster, and
            harder to learn by heart.
        smallest_crop: a window of at least this share of the photo's area is shown, enlarged, in a light
            of its own; 1 is the whole photo as it is. Only photos can be cropped, not their features.
    """

    mirror: bool = False
    cells: int = 0
    smallest_crop: float = 1.0

    def draw(self, seed: int) -> View:
        """The view that follows from ``seed``."""
        random = np.random.default_rng(seed)
        mirrored = self.mirror and bool(random.integers(2))
        if self.smallest_crop >= 1:
            return View(mirrored, random)
        contrast, brightness = random.uniform(-LIGHT, LIGHT, 2)
        return View(mirrored, random, self._crop(random), 1 + contrast, brightness)

    def shown(self, view: View, cells: int) -> Tensor:
        """Which of the grid's ``cells`` are shown: their indices, in ascending order."""
        chosen = view.order.permutation(cells)[: self.cells or cells]
        return torch.from_numpy(np.sort(chosen))

    def _crop(self, random: np.random.Generator) -> Crop:
        smallest = self.smallest_crop**0.5
        width = random.uniform(smallest, 1)
        height = float(np.clip(width * np.exp(random.uniform(-ASPECT, ASPECT)), smallest, 1))
        return Crop(random.uniform(0, 1 - width), random.uniform(0, 1 - height), width, height)


def framed(photos: Tensor, views: Sequence[View]) -> Tensor:
    """Photos ``(P, 3, H, W)``, mirrored already, as their views crop and light them; the size stays."""
    if all(view.crop == WHOLE for view in views):
        return photos
    windows = torch.tensor([_window(view) for view in views], dtype=photos.dtype)
    grid = affine_grid(windows, list(photos.shape), align_corners=False)
    shown = grid_sample(photos, grid, padding_mode="reflection", align_corners=False)
    contrast, brightness = (
        torch.tensor(values, dtype=photos.dtype).view(-1, 1, 1, 1)
        for values in ([view.contrast for view in views], [view.brightness for view in views])
    )
    return shown * contrast + brightness


def _window(view: View) -> list[list[float]]:
    """The affine map from the window's corners at ±1 to the photo's."""
    left, top, width, height = view.crop
    middle = 2 * left + width - 1
    return [[width, 0.0, -middle if view.mirrored else middle], [0.0, height, 2 * top + height - 1]]


def mirrored_caption(tokens: Tokens) -> Tokens:
    """The caption of the mirrored photo: left is right."""
    return tuple(OTHER_SIDE.get(token, token) for token in tokens)


def mirrored_map(inside: Tensor) -> Tensor:
    """A map ``(grid²,)`` of the mirrored photo."""
    side = round(len(inside) ** 0.5)
    return inside.view(side, side).flip(1).flatten()
