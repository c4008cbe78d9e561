"""Rows of numbers as a program sends them → arrays of the attention's grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from captioner.caption import Floats
from captioner.override import Grid
from captioner.search import SettingsError


def map_rows(rows: Any, grid: Grid, name: str = "attention") -> Floats:
    """``(rows, columns)`` weights.

    Raises:
        SettingsError: unless they are ``grid`` finite numbers, none below 0, not all 0.
    """
    shape = f"{grid[0]} rows of {grid[1]} numbers"
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise SettingsError(f"{name} must be {shape}, got {type(rows).__name__}")
    lengths = {len(row) for row in rows}
    if len(rows) != grid[0] or lengths != {grid[1]}:
        counted = " or ".join(map(str, sorted(lengths))) or "no"
        raise SettingsError(f"{name} must be {shape}, got {len(rows)} rows of {counted}")
    if not all(_is_weight(value) for row in rows for value in row):
        raise SettingsError(f"{name} must hold finite numbers from 0 up")
    weights: Floats = np.array(rows, dtype=np.float64)
    if not weights.any():
        raise SettingsError(f"{name} must not be 0 everywhere")
    return weights


def mask_rows(rows: Any, grid: Grid) -> Floats:
    """``(rows, columns)``: 1 where to hide.

    Raises:
        SettingsError: unless they are ``grid`` zeros and ones (or booleans), not all zero.
    """
    mask = map_rows(rows, grid, "mask")
    if not np.isin(mask, (0, 1)).all():
        raise SettingsError("mask must hold only 0 and 1")
    return mask


def _is_weight(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) and 0 <= value <= 1e30 and math.isfinite(value)
