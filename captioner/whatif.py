"""What if? One word with its attention replaced, before and after; a photo with a region painted over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from captioner.attention import Annotations
from captioner.caption import Alternative, Word
from captioner.decoder import Decoder
from captioner.equations import Turn, likeliest, teacher_forced
from captioner.override import AttentionOverride, Grid
from captioner.photo import Photo, PhotoError, PhotoFormat, from_view
from captioner.vocabulary import Vocabulary


@torch.inference_mode()
def before_and_after(
    decoder: Decoder,
    annotations: Annotations,
    vocabulary: Vocabulary,
    ids: Sequence[int],
    attention: AttentionOverride,
    grid: Grid,
    instead_of: AttentionOverride | None = None,
) -> tuple[Word, Word]:
    """The last of ``ids`` with the model's own attention and with the replaced one, the words before it given.

    Before may have had maps replaced too: those of ``instead_of``. Both name the same runners-up, the
    likeliest of either, each in its own order.
    """
    turns = [teacher_forced(decoder, annotations, vocabulary, ids, each) for each in (instead_of, attention)]
    shown = {word for turn in turns for word in likeliest(turn.step.logits[0].double().cpu().numpy(), vocabulary)}
    before, after = (_word(turn, ids[-1], shown, vocabulary, grid) for turn in turns)
    return before, after


def _word(turn: Turn, written: int, shown: set[int], vocabulary: Vocabulary, grid: Grid) -> Word:
    log_probs = turn.step.logits[0].double().log_softmax(dim=0).cpu().numpy()
    ordered = sorted(shown, key=lambda word: (-log_probs[word], word))
    return Word(
        vocabulary.word(written),
        float(log_probs[written]),
        turn.step.alpha[0].float().cpu().numpy().reshape(grid),
        float(turn.step.beta.mean()),
        tuple(Alternative(vocabulary.word(word), float(np.exp(log_probs[word]))) for word in ordered),
    )


def hide(view: Image.Image, mask: np.ndarray[Any, Any], photo_format: PhotoFormat | None = None) -> Photo:
    """*Hide it*: the view with a region painted over, ready to be looked at again.

    The paint is the mean colour of the photos the encoder learned from (ImageNet's), which
    normalises to zero: the value that stands for nothing there, with which the convolutions pad the
    photo's own border. Black or white would be extreme values, a new object rather than none. An
    edge remains where the paint begins, and the model may see that.

    Args:
        view: of a `Photo` or a look.
        mask: ``(height, width)`` of bool or uint8 at any resolution, not zero where to hide; it is
            stretched over the whole view, by nearest neighbour.

    Raises:
        PhotoError: if the mask is none.
    """
    photo_format = photo_format or PhotoFormat()
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype not in (bool, np.uint8) or not mask.size:
        found = f"{mask.shape} of {mask.dtype}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise PhotoError(f"A mask must be an array (height, width) of bool or uint8, not {found}.")
    stencil = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).resize(view.size, Image.Resampling.NEAREST)
    colour = tuple(round(255 * channel) for channel in photo_format.mean)
    painted = view.copy()
    painted.paste(colour, mask=stencil)
    return from_view(painted, photo_format)
