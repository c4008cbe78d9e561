"""A caption as the PyTorch tutorial on the paper makes it: the measure of what folding and sharing save.

One eager float32 forward of the encoder; every beam with a copy of the annotations of its own; their
projection computed again at every step; each layer by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

from captioner.decoder import Decoder


@torch.inference_mode()
def tutorial_search(decoder: Decoder, features: Tensor, start: int, end: int, beam_size: int, limit: int) -> list[int]:
    """The likeliest caption that finished, by beam search; of the unfinished, if none did.

    Args:
        features: ``(1, L, D)`` of one photo.
        start: id of ``<start>``; ``end``, that of ``<end>``.
        limit: words at most, ``<end>`` included.
    """
    beams = features.expand(beam_size, *features.shape[1:]).contiguous()
    mean = beams.mean(dim=1)
    hidden, cell = decoder.initial_hidden(mean), decoder.initial_cell(mean)
    sentences = torch.full((beam_size, 1), start, device=features.device)
    scores = torch.zeros(beam_size, 1, device=features.device)
    finished: list[tuple[float, list[int]]] = []
    for position in range(limit):
        logits, hidden, cell = _step(decoder, beams, hidden, cell, sentences[:, -1])
        totals = scores + logits.log_softmax(dim=1)
        room = beam_size - len(finished)
        flat = totals[0] if position == 0 else totals.flatten()  # at first all beams are the same
        best, places = flat.topk(min(room, len(flat)))
        parents, words = places // logits.shape[1], places % logits.shape[1]
        sentences = torch.cat([sentences[parents], words.unsqueeze(1)], dim=1)
        done = words == end
        finished += zip(best[done].tolist(), sentences[done].tolist(), strict=True)
        going = parents[~done]
        sentences, scores = sentences[~done], best[~done].unsqueeze(1)
        beams, hidden, cell = beams[going], hidden[going], cell[going]
        if len(finished) >= beam_size or not len(going):
            break
    unfinished = list(zip(scores.flatten().tolist(), sentences.tolist(), strict=True))
    return max(finished or unfinished, key=lambda each: each[0])[1][1:]


def _step(
    decoder: Decoder, beams: Tensor, hidden: Tensor, cell: Tensor, words: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    attention, embedded = decoder.attention, decoder.embedding(words)
    projected = attention.feature_projection(beams)  # (K, L, A)
    mixed = attention.activation(projected + attention.hidden_projection(hidden).unsqueeze(1))
    alpha = attention.energy(mixed).squeeze(2).softmax(dim=1)
    context = (beams * alpha.unsqueeze(2)).sum(dim=1)
    context = torch.sigmoid(decoder.gate(hidden)) * context
    hidden, cell = decoder.lstm(torch.cat([embedded, context], dim=1), (hidden, cell))
    return decoder.output(embedded, hidden, context), hidden, cell
