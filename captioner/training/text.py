"""Sentences without photos, from which a decoder learns the language alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from captioner.decoder import Decoder
from captioner.training.batches import pad_captions
from captioner.training.karpathy import DatasetError
from captioner.vocabulary import Vocabulary, tokenize

LONGEST = 24  # ids of a sentence, <start> and <end> counted


class Sentences(NamedTuple):
    """R sentences."""

    captions: Tensor  # (R, T+1) ids
    lengths: Tensor  # (R,), counting <start> and <end>


class TextOnly:
    """The sentences of a file, one a line; those too long to be captions are left out.

    Raises:
        DatasetError: if the file cannot be read or has no such sentence.
    """

    def __init__(self, path: Path, vocabulary: Vocabulary) -> None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{path} is not a text file, one sentence a line ({error})") from error
        encoded = [vocabulary.encode(tokens) for line in lines if (tokens := tokenize(line))]
        self._encoded = [sentence for sentence in encoded if len(sentence) <= LONGEST]
        self._pad = vocabulary.pad
        if not self._encoded:
            raise DatasetError(f"{path} has no sentence of at most {LONGEST - 2} words")

    def __len__(self) -> int:
        return len(self._encoded)

    def draw(self, count: int, seed: int) -> Sentences:
        """``count`` sentences, drawn from ``seed``."""
        chosen = np.random.default_rng(seed).integers(len(self._encoded), size=count)
        return Sentences(*pad_captions([self._encoded[index] for index in chosen], self._pad))


def language_loss(decoder: Decoder, sentences: Sentences, dtype: torch.dtype) -> Tensor:
    """Mean cross-entropy of the sentences' words, in nats, on an empty photo: one annotation of zeros."""
    rows = len(sentences.captions)
    nothing = torch.zeros(rows, 1, decoder.config.feature_size, dtype=dtype, device=sentences.captions.device)
    forced = decoder(nothing, sentences.captions, sentences.lengths)
    return cross_entropy(forced.logits.float(), forced.targets)
