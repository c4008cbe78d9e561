"""One step of the decoder in real numbers: what the paper's equations say of one word of one photo.

And of the same word with its attention replaced, before and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from captioner.attention import Annotations
from captioner.caption import Alternative, Floats, Word
from captioner.decoder import Decoder, DecoderState, DecoderStep, lstm_gates
from captioner.hypotheses import Doubles
from captioner.override import AttentionOverride, Grid
from captioner.strategies import highest
from captioner.vocabulary import Vocabulary

TOP_WORDS = 5


class WeighedWord(NamedTuple):
    """A word the step considered: its logit and, by the softmax over all words, its probability."""

    word: str
    logit: float
    probability: float


class GateMeans(NamedTuple):
    """The LSTM's gates, each averaged over the hidden units (equation 1).

    ``input``, ``forget`` and ``output`` are in (0, 1); ``cell``, the candidate for the memory, in (-1, 1).
    """

    input: float
    forget: float
    cell: float
    output: float


@dataclass(frozen=True, slots=True, eq=False)
class StepNumbers:
    """The numbers of the step that wrote ``word`` after ``previous`` (Xu et al. 2015, section 3.1.2).

    Attributes:
        word: the word at this position; ``previous`` is the one fed in, ``<start>`` at first.
        energies: ``(rows, columns)``, equation 4; the model's own even where alpha was replaced.
        alpha: ``(rows, columns)``, sums to 1, equation 5, or the map that replaced it.
        shares: ``(rows, columns)``, ``α_i |a_i|`` over their sum: a cell's part in the context's
            making. The vectors ``α_i a_i`` may partly cancel, so this is no share of its length.
        context_norm: length of ``Σ α_i a_i``, equation 13, before the gate.
        beta: the gate, its mean where each feature has its own.
        gated_norm: length of the context after the gate, as the LSTM reads it.
        gates: of the LSTM.
        words: the likeliest words, likeliest first; ``word`` is the last of them if it is not one.
        log_normalizer: ``log Σ exp(logit)`` over all words: a probability is ``exp(logit - this)``.
    """

    word: str
    previous: str
    energies: Floats
    alpha: Floats
    shares: Floats
    context_norm: float
    beta: float
    gated_norm: float
    gates: GateMeans
    words: tuple[WeighedWord, ...]
    log_normalizer: float


class Turn(NamedTuple):
    """One turn of the recurrence, of one row, with what went into it."""

    fed: Tensor  # (1,), the previous word
    before: DecoderState
    forced: Tensor | None  # (L,), the map that replaced alpha
    step: DecoderStep


@torch.inference_mode()
def teacher_forced(
    decoder: Decoder,
    annotations: Annotations,
    vocabulary: Vocabulary,
    ids: Sequence[int],
    attention: AttentionOverride | None = None,
) -> Turn:
    """The turn that weighs the last of ``ids`` (no ``<start>``, at least one), all before it fed in."""
    state = decoder.start(annotations)
    for position, word in enumerate([vocabulary.start, *ids[:-1]]):
        fed = torch.tensor([word], device=state.hidden.device)
        forced = attention.tensor(position, fed.device) if attention else None
        turn = Turn(fed, state, forced, decoder.step(annotations, state, fed, forced))
        state = turn.step.state
    return turn


def likeliest(logits: Doubles, vocabulary: Vocabulary) -> list[int]:
    """Ids of the likeliest words that may be written, likeliest first."""
    allowed = logits.copy()
    allowed[list(vocabulary.never_written)] = -torch.inf
    return [word for _, word in highest(allowed[None], TOP_WORDS)]


@torch.inference_mode()
def explain(
    decoder: Decoder,
    annotations: Annotations,
    vocabulary: Vocabulary,
    ids: Sequence[int],
    attention: AttentionOverride | None,
    grid: Grid,
) -> StepNumbers:
    """The numbers of the step that weighs the last of ``ids``; see `StepNumbers`."""
    turn = teacher_forced(decoder, annotations, vocabulary, ids, attention)
    attended = decoder.attention(annotations, turn.before.hidden, turn.forced)
    gated = turn.step.beta * attended.context
    parts = attended.alpha[0] * annotations.features[0].norm(dim=1)
    logits = turn.step.logits[0].double()
    return StepNumbers(
        word=vocabulary.word(ids[-1]),
        previous=vocabulary.word(int(turn.fed)),
        energies=_map(attended.energies, grid),
        alpha=_map(attended.alpha, grid),
        shares=_map(parts / parts.sum().clamp_min(torch.finfo(parts.dtype).tiny), grid),
        context_norm=float(attended.context.norm()),
        beta=float(turn.step.beta.mean()),
        gated_norm=float(gated.norm()),
        gates=_gate_means(decoder.lstm, torch.cat([decoder.embedding(turn.fed), gated], dim=1), turn.before.hidden),
        words=_weighed(logits, ids[-1], vocabulary),
        log_normalizer=float(logits.logsumexp(dim=0)),
    )


def _gate_means(lstm: nn.LSTMCell, read: Tensor, hidden: Tensor) -> GateMeans:
    """The mean of each gate, computed once more, since the recurrence keeps none of them."""
    mixed = lstm_gates(lstm, read, hidden)
    opened, forgotten, candidate, shown = mixed.chunk(4, dim=1)
    gates = (opened.sigmoid(), forgotten.sigmoid(), candidate.tanh(), shown.sigmoid())
    return GateMeans(*(float(gate.mean()) for gate in gates))


def _weighed(logits: Tensor, written: int, vocabulary: Vocabulary) -> tuple[WeighedWord, ...]:
    probabilities = logits.softmax(dim=0)
    top = likeliest(logits.cpu().numpy(), vocabulary)
    shown = top if written in top else [*top, written]
    return tuple(WeighedWord(vocabulary.word(each), float(logits[each]), float(probabilities[each])) for each in shown)


def _map(values: Tensor, grid: Grid) -> Floats:
    floats: Floats = values.float().cpu().numpy().reshape(grid)
    return floats


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
