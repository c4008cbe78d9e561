"""How the attention maps of captions are in themselves: flat or sharp, all alike or each its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from captioner.training.grounding import CaptionMaps


def sharpness_scores(captions: Sequence[CaptionMaps]) -> dict[str, float]:
    """Normalised entropy of the words' maps, and their mean distance within a caption.

    ``<end>`` is no word here. The entropy is a mean over all words, the distance one over all
    captions of two words or more.
    """
    maps = [own.reshape(len(own), own[0].size) for each in captions if len(own := each.alphas[:-1])]
    if not maps:
        return {"words": 0}
    distances = [mean_distance(own) for own in maps if len(own) > 1]
    return {
        "words": sum(map(len, maps)),
        "normalised entropy": float(normalised_entropy(np.concatenate(maps)).mean()),
        "distance between words": float(np.mean(distances)) if distances else 0.0,
    }


def normalised_entropy(alphas: NDArray[np.float32]) -> NDArray[np.float64]:
    """``−Σ_i α_i log α_i / log L`` of each row of ``(N, L)``: 1 for a uniform map, 0 for a single cell."""
    shares = alphas.astype(np.float64)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy: NDArray[np.float64] = -(shares * logs).sum(axis=1) / np.log(alphas.shape[1])
    return entropy


def mean_distance(alphas: NDArray[np.float32]) -> float:
    """Mean total variation ``½ Σ_i |α_si − α_ti|`` over all pairs of rows of ``(T, L)``: 0 alike, 1 disjoint."""
    differences = np.abs(alphas[:, None].astype(np.float64) - alphas[None]).sum(axis=2) / 2
    return float(differences[np.triu_indices(len(alphas), 1)].mean())
