"""A caption as plain JSON values: everything the model computed to write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from captioner.caption import Caption

SCHEMA = 1


def record(caption: Caption, settings: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The caption as JSON values; numbers have the digits that restore their float32 exactly.

    ``alphas`` is ``N × rows × columns`` (row 0 at the top of the photo), log-probabilities and
    entropies are in nats, ``settings`` is kept as given. A word that the model does not know has no
    log-probability, nor has a caption with one.
    """
    return {
        "schema": SCHEMA,
        "text": caption.text,
        "finished": caption.finished,
        "log_prob": None if caption.unknown else caption.log_prob,
        "words": list(caption.words),
        "unknown": list(caption.unknown.words) if caption.unknown else [],
        "log_probs": _numbers(caption.log_probs),
        "betas": _numbers(caption.betas),
        "entropies": [word.entropy for word in caption],
        "alternatives": [[dict(each._asdict()) for each in choices] for choices in caption.alternatives],
        "alphas": _numbers(caption.alphas),
        "settings": dict(settings or {}),
    }


def _numbers(values: np.ndarray[Any, Any]) -> Any:
    return [_numbers(value) if value.ndim else None if np.isnan(value) else float(str(value)) for value in values]
