"""`AttentionOverride`: attention maps that replace the model's own, to ask "what if it had looked there?"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from captioner.settings import MAX_LENGTH, SettingsError, number, whole

Grid = tuple[int, int]
Map = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AttentionOverride:
    """The attention of given steps, to be used instead of the model's own.

    The context of such a step is computed from the replaced map (Xu et al. 2015, equation 13), and
    the replaced map is the one reported. Steps that are not named keep the model's attention.

    Attributes:
        maps: word position (0 is the first word) → ``(rows, columns)`` map, non-negative and
            finite, not all zero; it is normalised to sum to 1, copied and made read-only.
        otherwise: the map of every other step; None leaves them to the model.

    Raises:
        SettingsError: if a position or a map makes no sense, or the maps differ in shape.
    """

    maps: Mapping[int, Map] = field(default_factory=dict)
    otherwise: Map | None = None

    def __post_init__(self) -> None:
        maps = {
            whole("position", position, 0, MAX_LENGTH - 1): _normalized(weights)
            for position, weights in self.maps.items()
        }
        object.__setattr__(self, "maps", MappingProxyType(maps))
        if self.otherwise is not None:
            object.__setattr__(self, "otherwise", _normalized(self.otherwise))
        if len(shapes := {each.shape for each in self._all()}) > 1:
            raise SettingsError(f"attention maps must all have one shape, got {sorted(shapes)}")

    @classmethod
    def spot(cls, grid: Grid, position: int, row: int, column: int, radius: float = 0.0) -> AttentionOverride:
        """*Look elsewhere*: for one word, only the cells around one cell; see `spot_map`."""
        return cls({position: spot_map(grid, row, column, radius)})

    @classmethod
    def uniform(cls, grid: Grid) -> AttentionOverride:
        """*No attention*: every map uniform, so that each context is the photo's plain mean.

        That mean is all that Show and Tell (Vinyals et al. 2015) knows of a photo, though it reads
        it only once, before the first word.
        """
        return cls(otherwise=np.ones(grid, dtype=np.float32))

    def at(self, position: int) -> Map | None:
        """The ``(rows, columns)`` map forced on the word at ``position``, summing to 1, or None."""
        return self.maps.get(position, self.otherwise)

    def tensor(self, position: int, device: torch.device) -> Tensor | None:
        """The same map as the decoder takes it, ``(L,)`` float32."""
        forced = self.at(position)
        return None if forced is None else torch.tensor(forced.ravel(), device=device)

    def check(self, grid: Grid) -> None:
        """Raises `SettingsError` if a map is not of this grid."""
        for each in self._all():
            if each.shape != grid:
                raise SettingsError(f"an attention map must be {_sized(grid)} cells, got {_sized(each.shape)}")

    def _all(self) -> tuple[Map, ...]:
        return (*self.maps.values(), *(() if self.otherwise is None else (self.otherwise,)))


def spot_map(grid: Grid, row: int, column: int, radius: float = 0.0) -> Map:
    """``(rows, columns)`` map, level on the cells whose centre is at most ``radius`` cells from one cell.

    Raises:
        SettingsError: if the cell is not on the grid, or the radius is not from 0 to rows + columns.
    """
    row, column = whole("row", row, 0, grid[0] - 1), whole("column", column, 0, grid[1] - 1)
    radius = number("radius", radius, 0, sum(grid))
    rows, columns = np.ogrid[: grid[0], : grid[1]]
    return _normalized(np.hypot(rows - row, columns - column) <= radius)


def _normalized(weights: object) -> Map:
    array = _numbers(weights)
    if array.ndim != 2 or not array.size:
        raise SettingsError(f"an attention map must have rows and columns, got the shape {array.shape}")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() == 0:
        raise SettingsError("an attention map must be finite and not negative, and not zero everywhere")
    array = array / array.max()  # first, so that a sum of huge weights does not overflow
    alpha: Map = (array / array.sum()).astype(np.float32)
    alpha.setflags(write=False)
    return alpha


def _numbers(weights: Any) -> NDArray[np.float64]:
    try:
        array = np.asarray(weights)
    except ValueError:
        raise SettingsError("an attention map must have rows of equal length") from None
    if array.dtype.kind not in "buif":
        raise SettingsError(f"an attention map must hold numbers, got {array.dtype}")
    return array.astype(np.float64)


def _sized(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
