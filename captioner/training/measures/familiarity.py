"""Fitting `captioner.familiarity.Familiarity` to training photos, and what it says about captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.stats import spearmanr

from captioner.familiarity import CENTRES, COMPONENTS, QUANTILES, Familiarity, directions
from captioner.quantization import as_stored

Floats = NDArray[np.float32]
RESAMPLES = 1000


class Fifth(NamedTuple):
    """The photos of one fifth, the least first."""

    photos: int
    score: float  # their mean
    low: float  # of the measure
    high: float


class Tells(NamedTuple):
    """How a measure of photos goes with the score of their captions."""

    correlation: float  # Spearman's
    interval: tuple[float, float]  # 95 %, by resampling photos
    fifths: tuple[Fifth, ...]

    @property
    def holds(self) -> bool:
        """Whether the interval excludes zero."""
        return self.interval[0] > 0 or self.interval[1] < 0


def fit(means: Floats, seed: int = 0, components: int = COMPONENTS, centres: int = CENTRES) -> Familiarity:
    """Principal components of mean annotations ``(N, D)``, k-means of their directions, and how near each lies.

    The quantiles are those of the numbers as they are stored.
    """
    mean = means.mean(axis=0)
    _, _, axes = np.linalg.svd(means - mean, full_matrices=False)
    own = directions(means, mean, axes[:components])
    found, _ = kmeans2(own, min(centres, len(own)), iter=20, rng=np.random.default_rng(seed), minit="++")
    found = found[np.linalg.norm(found, axis=1) > 0]  # a centre that nobody is near
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    rough = {"mean": mean, "components": axes[:components], "centres": unit}
    stored = as_stored({name: torch.from_numpy(np.float32(value)) for name, value in rough.items()}, "float16")
    parts = {name: value.numpy() for name, value in stored.items()}
    unknown = Familiarity(**parts, quantiles=np.linspace(0, 1, QUANTILES, dtype=np.float32))
    quantiles = np.quantile(unknown.similarity(means), np.linspace(0, 1, QUANTILES)).astype(np.float32)
    return unknown._replace(quantiles=quantiles)


def tells(measure: Sequence[float], scores: Sequence[float], seed: int = 0) -> Tells:
    """How a measure goes with the scores of the same photos."""
    known, scored = np.asarray(measure, dtype=float), np.asarray(scores, dtype=float)
    random = np.random.default_rng(seed)
    drawn = (random.integers(0, len(known), len(known)) for _ in range(RESAMPLES))
    resampled = [float(spearmanr(known[rows], scored[rows]).statistic) for rows in drawn]
    low, high = np.quantile(resampled, (0.025, 0.975))
    parts = np.array_split(np.argsort(known, kind="stable"), 5)
    fifths = tuple(
        Fifth(len(rows), float(scored[rows].mean()), float(known[rows[0]]), float(known[rows[-1]])) for rows in parts
    )
    return Tells(float(spearmanr(known, scored).statistic), (float(low), float(high)), fifths)
