"""How familiar a photo is: how near its mean annotation lies to those of the photos that the model learned from.

A frozen encoder describes every photo by annotations; what it never saw in training lies apart from
what it did. The mean annotation of a photo is projected onto the leading principal components of the
training photos and compared with the centres into which those fall (k-means). That is a measure of
likeness, not of truth: docs/familiarity.md shows what it says about captions, and how far it can be wrong.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Level = Literal["much like", "like", "unlike"]

COMPONENTS, CENTRES, QUANTILES = 64, 200, 101
UNLIKE, MUCH_LIKE = 0.1, 0.5  # shares of training photos that are stranger


class Familiar(NamedTuple):
    """What is said of one photo.

    Attributes:
        stranger: share of the training photos that are less like the others than this one is, in [0, 1].
        level: ``unlike`` below a tenth, ``much like`` from a half on.
    """

    stranger: float
    level: Level


class Familiarity(NamedTuple):
    """The training photos in a few numbers.

    Attributes:
        mean: ``(D,)``, their mean annotations' mean.
        components: ``(K, D)``, orthonormal principal components of those.
        centres: ``(C, K)``, of unit length: centres of their directions.
        quantiles: ``(Q,)``, ascending: how similar the training photos are to their nearest centres.
    """

    mean: Floats
    components: Floats
    centres: Floats
    quantiles: Floats

    @classmethod
    def checked(cls, mean: Floats, components: Floats, centres: Floats, quantiles: Floats) -> Familiarity:
        """One whose parts fit together.

        Raises:
            ValueError: if they do not.
        """
        found = tuple(each.shape for each in (mean, components, centres, quantiles))
        dimensions = tuple(len(shape) for shape in found)
        if dimensions != (1, 2, 2, 1) or found[1][1:] != found[0] or found[2][1] != found[1][0] or len(quantiles) < 2:
            raise ValueError(f"their shapes are {found}")
        if (np.diff(quantiles) < 0).any():
            raise ValueError("the quantiles do not ascend")
        return cls(mean, components, centres, quantiles)

    def of(self, features: Floats) -> Familiar:
        """What to say of a photo with these annotations ``(L, D)``."""
        similarity = float(self.similarity(features.mean(axis=0, keepdims=True))[0])
        stranger = float(np.interp(similarity, self.quantiles, np.linspace(0, 1, len(self.quantiles))))
        level: Level = "unlike" if stranger < UNLIKE else "like" if stranger < MUCH_LIKE else "much like"
        return Familiar(stranger, level)

    def similarity(self, means: Floats) -> Floats:
        """Cosine similarity ``(N,)`` of mean annotations ``(N, D)`` to their nearest centres."""
        nearest: Floats = (directions(means, self.mean, self.components) @ self.centres.T).max(axis=1)
        return nearest


def directions(means: Floats, mean: Floats, components: Floats) -> Floats:
    """``(N, D)`` mean annotations → unit vectors ``(N, K)`` among the components."""
    projected = (means - mean) @ components.T
    lengths = np.linalg.norm(projected, axis=1, keepdims=True).clip(1e-12)
    unit: Floats = (projected / lengths).astype(np.float32)
    return unit
