"""How a photo is seen in one step of training: left for right, a part of it, in another light, on some cells only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from captioner.training.data.datasets import Tokens
from captioner.training.options import check_options, option

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

    mirrored: bool = False
    crop: Crop = WHOLE
    contrast: float = 1.0
    brightness: float = 0.0
    cells: NDArray[np.int64] | None = None  # which of the grid are shown, in ascending order; None is all


PLAIN = View()


@dataclass(frozen=True)
class Augmentation:
    """In which ways photos are seen. Mirroring and choosing cells cost no encoding at training time.

    ``mirror`` names sources, or is ``("all",)``: their photos are shown left for right half the time, their
    captions and boxes likewise. Fewer cells are faster, and harder to learn by heart.
    """

    mirror: tuple[str, ...] = option((), "sources whose photos are shown left for right half the time, or `all`")
    cells: int = option(0, "show so many cells of the grid, others each time; 0 is all", least=0)
    crops: float = option(
        1.0, "show windows of at least this share of a photo, in other light; not with cached features", above=0, most=1
    )

    def __post_init__(self) -> None:
        check_options(self)

    def mirrors(self, source: str) -> bool:
        """Are photos of this source shown left for right?"""
        return bool({"all", source} & set(self.mirror))

    def draw(self, seed: int, source: str = "", grid: int = 0) -> View:
        """The view of a photo of ``source`` that follows from ``seed``; its cells are of ``grid`` × ``grid``."""
        random = np.random.default_rng(seed)
        mirrored = self.mirrors(source) and bool(random.integers(2))
        crop, contrast, brightness = WHOLE, 1.0, 0.0
        if self.crops < 1:
            change, brightness = random.uniform(-LIGHT, LIGHT, 2)
            contrast = 1 + change
            crop = self._crop(random)
        cells = np.sort(random.permutation(grid**2)[: self.cells]) if self.cells else None
        return View(mirrored, crop, contrast, brightness, cells)

    def _crop(self, random: np.random.Generator) -> Crop:
        smallest = self.crops**0.5
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
