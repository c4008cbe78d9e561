"""Do the attended cells matter? Deletion and insertion curves (Petsiuk et al. 2018) on annotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from captioner.attention import Annotations
from captioner.decoder import Decoder
from captioner.training.measures.grounding import Named
from captioner.training.measures.scores import Annotate

STEPS = 14


@torch.inference_mode()
def deletion_scores(
    decoder: Decoder, nouns: Sequence[Named], annotate: Annotate, *, sample: int = 300, seed: int = 0
) -> dict[str, float]:
    """Areas under the deletion and insertion curves of a sample of nouns, mean over them, in nats.

    A cell is deleted by putting the photo's mean annotation in the place of its own. (The pixels
    stay: an annotation has seen more of the photo than its cell.) The curve is the log-probability of
    the noun, teacher-forced on the words before it from the first step on with the changed
    annotations, at 15 evenly spaced shares of deleted cells from none to all; its area is by the
    trapezoid rule over the share, so it is the mean log-probability along the curve.

    - deletion takes cells away by falling alpha of the noun's map: lower means they mattered more;
    - insertion begins with none and adds cells by falling alpha: higher means they sufficed more;
    - random order is the same in a random order, one a noun, drawn from ``seed``. It serves both:
      insertion in one order is deletion in the reverse order.

    ``whole photo`` and ``mean annotation alone`` are the two ends of every curve.
    """
    random = np.random.default_rng(seed)
    chosen = [nouns[index] for index in random.permutation(len(nouns))[:sample]]
    rows = []
    for noun in chosen:
        features = annotate([noun.caption.filename])[0]
        falling = torch.from_numpy(np.argsort(-noun.alpha.ravel(), kind="stable"))
        orders = [falling, falling.flip(0), torch.from_numpy(random.permutation(len(falling)))]
        curves = torch.stack([deletion_curve(decoder, features, noun, order) for order in orders])
        rows.append([*torch.trapezoid(curves, dx=1 / STEPS).tolist(), float(curves[0, 0]), float(curves[0, -1])])
    means = np.mean(rows, axis=0).tolist() if rows else []
    names = ("deletion", "insertion", "random order", "whole photo", "mean annotation alone")
    return {"words": len(chosen), **dict(zip(names, means, strict=bool(rows)))}


def deletion_curve(decoder: Decoder, features: Tensor, noun: Named, order: Tensor) -> Tensor:
    """``(15,)`` log-probabilities of the noun as ever more cells of ``features`` ``(L, D)`` are deleted."""
    cells = len(order)
    counts = [round(cells * step / STEPS) for step in range(STEPS + 1)]
    rank = torch.empty_like(order).scatter_(0, order, torch.arange(cells)).to(features.device)
    deleted = rank < torch.tensor(counts, device=features.device).unsqueeze(1)  # (15, L)
    own, mean = (decoder.annotate(each) for each in (features[None], features.mean(dim=0)[None, None]))
    annotations = Annotations(*(torch.where(deleted.unsqueeze(2), *pair) for pair in zip(mean, own, strict=True)))
    state = decoder.start(annotations)
    *given, word = noun.caption.words[: noun.position + 2]
    for previous in given:
        step = decoder.step(annotations, state, torch.full((len(counts),), previous, device=features.device))
        state = step.state
    return step.logits.double().log_softmax(dim=1)[:, word].cpu()
