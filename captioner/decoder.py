"""The LSTM decoder: `annotate`, `start`, `step`. One recurrence; `forward` is its teacher-forced loop.

`Recurrence` is what a search asks of a decoder, whichever form it is in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, Self, TypeVar, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import pack_padded_sequence

from captioner.attention import Activation, Annotations, SoftAttention
from captioner.encoder import FEATURE_SIZE

OutputForm = Literal["deep", "plain"]
GateForm = Literal["scalar", "feature"]


@dataclass(frozen=True)
class DecoderConfig:
    """Layer sizes, and which of the field's two forms of a part the weights have.

    Attributes:
        output: ``deep``, the paper's equation 7, or ``plain``, one layer on ``h`` (the tutorial's).
        gate: ``scalar``, the paper's single β, or ``feature``, one gate a feature (the tutorial's).
        activation: inside the energies, ``tanh`` or ``relu``.
    """

    vocabulary_size: int
    feature_size: int = FEATURE_SIZE
    embedding_size: int = 512
    hidden_size: int = 512
    attention_size: int = 512
    output: OutputForm = "deep"
    gate: GateForm = "scalar"
    activation: Activation = "tanh"
    dropout: float = 0.5

    def __post_init__(self) -> None:
        for name, form in (("output", OutputForm), ("gate", GateForm), ("activation", Activation)):
            if getattr(self, name) not in get_args(form):
                raise ValueError(f"{name} must be one of {get_args(form)}, got {getattr(self, name)!r}")


class DecoderState(NamedTuple):
    """The LSTM's memory for R rows."""

    hidden: Tensor  # (R, H)
    cell: Tensor  # (R, H)

    def select(self, rows: Tensor) -> DecoderState:
        """The state with these rows, repeated or reordered as named."""
        return DecoderState(self.hidden.index_select(0, rows), self.cell.index_select(0, rows))


class Glimpse(NamedTuple):
    """One turn of the recurrence, before the words are weighed."""

    alpha: Tensor  # (R, L), rows sum to 1
    beta: Tensor  # (R, 1) or (R, D), in (0, 1)
    context: Tensor  # (R, D), gated
    state: DecoderState


class DecoderStep(NamedTuple):
    """One step for R rows: the words weighed, and where the model looked to weigh them."""

    logits: Tensor  # (R, V), untempered
    alpha: Tensor  # (R, L), rows sum to 1
    beta: Tensor  # (R, 1) or (R, D), in (0, 1)
    state: DecoderState


class TeacherForced(NamedTuple):
    """A teacher-forced pass over R captions of at most T steps (T = longest length − 1)."""

    logits: Tensor  # (Σ steps, V), packed as `pack_padded_sequence` packs
    targets: Tensor  # (Σ steps,), the words to predict, packed alike
    alphas: Tensor  # (R, T, L), zero after a caption's end
    rows: Tensor  # (Σ steps,), which of the R captions a packed position is of


class Decoder(nn.Module):
    """LSTM with soft attention (Xu et al. 2015, section 3.1.2).

    Rows are photo-major: with annotations of P photos, a state has P·K rows and the K captions
    of one photo read its annotations without copying them.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        features, hidden, embedding = config.feature_size, config.hidden_size, config.embedding_size
        self.attention = SoftAttention(features, hidden, config.attention_size, config.activation)
        self.embedding = nn.Embedding(config.vocabulary_size, embedding)
        self.gate = nn.Linear(hidden, 1 if config.gate == "scalar" else features)
        self.initial_hidden = nn.Linear(features, hidden)
        self.initial_cell = nn.Linear(features, hidden)
        self.lstm = nn.LSTMCell(embedding + features, hidden)  # its weights; autocast would not speed up the cell
        self.dropout = nn.Dropout(config.dropout)
        self.output: DeepOutput | PlainOutput = _output_layer(config)

    def annotate(self, features: Tensor) -> Annotations:
        """``(P, L, D)`` encoder features → annotations, computed once a photo."""
        return self.attention.project(features)

    def start(self, annotations: Annotations) -> DecoderState:
        """The first state ``(P, H)``: one linear layer each on the mean annotation."""
        mean = annotations.features.mean(dim=1)
        return DecoderState(self.initial_hidden(mean), self.initial_cell(mean))

    def step(
        self, annotations: Annotations, state: DecoderState, words: Tensor, forced: Tensor | None = None
    ) -> DecoderStep:
        """One word further: previous ``words`` ``(R,)`` → logits for the next (equations 1 to 7).

        ``forced`` ``(L,)`` replaces the alpha of every row, and with it the context.
        """
        embedded = self.dropout(self.embedding(words))
        glimpse = self._advance(annotations, state, embedded, forced)
        logits = self._predict(embedded, glimpse.state.hidden, glimpse.context)
        return DecoderStep(logits, glimpse.alpha, glimpse.beta, glimpse.state)

    def forward(self, features: Tensor, captions: Tensor, lengths: Tensor) -> TeacherForced:
        """Teacher forcing: at every step the caption's own previous word is fed in.

        Args:
            features: ``(P, L, D)``.
            captions: ``(P·K, T+1)`` ids, ``<start> … <end> <pad> …``, photo-major.
            lengths: ``(P·K,)``, counting ``<start>`` and ``<end>``.
        """
        photos, per_photo = features.shape[0], captions.shape[0] // features.shape[0]
        longest_first = lengths.view(photos, per_photo).amax(dim=1).argsort(descending=True)
        rows = torch.arange(len(captions), device=captions.device).view(photos, per_photo)[longest_first].flatten()
        forced = self._forced(features[longest_first], captions[rows], lengths[rows] - 1)
        return forced._replace(alphas=forced.alphas[rows.argsort()], rows=rows[forced.rows])

    def _forced(self, features: Tensor, captions: Tensor, steps: Tensor) -> TeacherForced:
        """`forward` with the photos of the longest captions first, so that finished ones drop out."""
        annotations = self.annotate(features)
        per_photo = captions.shape[0] // features.shape[0]
        state = DecoderState(*(part.repeat_interleave(per_photo, dim=0) for part in self.start(annotations)))
        embedded = self.dropout(self.embedding(captions[:, :-1]))
        words = embedded.unbind(dim=1)
        glimpses: list[Glimpse] = []
        for active in _active_photos(steps.view(-1, per_photo)):
            rows = active * per_photo
            if rows < len(state.hidden):  # a slice of all rows would cost its gradient a copy
                annotations = Annotations(*(part[:active] for part in annotations))
                state = DecoderState(state.hidden[:rows], state.cell[:rows])
            glimpse = self._advance(annotations, state, words[len(glimpses)][:rows])
            state = glimpse.state
            glimpses.append(glimpse)
        return self._teacher_forced(embedded, glimpses, captions, steps)

    def _advance(
        self, annotations: Annotations, state: DecoderState, embedded: Tensor, forced: Tensor | None = None
    ) -> Glimpse:
        attended = self.attention(annotations, state.hidden, forced)
        beta = torch.sigmoid(self.gate(state.hidden))
        context = beta * attended.context
        gates = lstm_gates(self.lstm, torch.cat([embedded, context], dim=1), state.hidden)
        return Glimpse(attended.alpha, beta, context, lstm_state(gates.to(state.cell.dtype), state.cell))

    def _predict(self, embedded: Tensor, hidden: Tensor, context: Tensor) -> Tensor:
        logits: Tensor = self.output(embedded, self.dropout(hidden), context)
        return logits

    def _teacher_forced(
        self, embedded: Tensor, glimpses: list[Glimpse], captions: Tensor, steps: Tensor
    ) -> TeacherForced:
        """Weigh the words of all real positions at once; the padding is never computed."""
        longest = len(glimpses)
        packed = [
            _pack(embedded[:, :longest], steps),
            _pack(_stack([glimpse.state.hidden for glimpse in glimpses]), steps),
            _pack(_stack([glimpse.context for glimpse in glimpses]), steps),
        ]
        alphas = _stack([glimpse.alpha for glimpse in glimpses])
        real = torch.arange(longest, device=steps.device) < steps.unsqueeze(1)
        targets = _pack(captions[:, 1 : longest + 1], steps)
        rows = _pack(torch.arange(len(steps), device=steps.device).unsqueeze(1).expand(-1, longest), steps)
        return TeacherForced(self._predict(*packed), targets, alphas * real.unsqueeze(-1), rows)


class DeepOutput(nn.Module):
    """``L_o (E y + L_h h + L_z z)``: the paper's equation 7 before its softmax."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.hidden_projection = nn.Linear(config.hidden_size, config.embedding_size, bias=False)
        self.context_projection = nn.Linear(config.feature_size, config.embedding_size, bias=False)
        self.words = nn.Linear(config.embedding_size, config.vocabulary_size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, embedded: Tensor, hidden: Tensor, context: Tensor) -> Tensor:
        """``(R, E)``, ``(R, H)``, ``(R, D)`` → ``(R, V)``."""
        mixed = embedded + self.hidden_projection(hidden) + self.context_projection(context)
        logits: Tensor = self.words(self.dropout(mixed))
        return logits


class PlainOutput(nn.Module):
    """``L_o h``: one layer on the hidden state, as in the PyTorch tutorial."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.words = nn.Linear(config.hidden_size, config.vocabulary_size)

    def forward(self, embedded: Tensor, hidden: Tensor, context: Tensor) -> Tensor:
        """``(R, H)`` hidden → ``(R, V)``; the word before and the context are not read."""
        del embedded, context
        logits: Tensor = self.words(hidden)
        return logits


def lstm_gates(lstm: nn.LSTMCell, read: Tensor, hidden: Tensor) -> Tensor:
    """The gates' sums ``(R, 4H)`` before their activations, from what the cell reads and its hidden state."""
    return linear(read, lstm.weight_ih, lstm.bias_ih) + linear(hidden, lstm.weight_hh, lstm.bias_hh)


def lstm_state(gates: Tensor, cell: Tensor) -> DecoderState:
    """Equations 1 to 3 from the gates' sums ``(R, 4H)``, in the order of `nn.LSTMCell`."""
    input_gate, forget_gate, candidate, output_gate = gates.chunk(4, dim=1)
    cell = forget_gate.sigmoid() * cell + input_gate.sigmoid() * candidate.tanh()
    return DecoderState(output_gate.sigmoid() * cell.tanh(), cell)


def _output_layer(config: DecoderConfig) -> DeepOutput | PlainOutput:
    return DeepOutput(config) if config.output == "deep" else PlainOutput(config)


def _pack(padded: Tensor, lengths: Tensor) -> Tensor:
    return pack_padded_sequence(padded, lengths.cpu(), batch_first=True, enforce_sorted=False).data


def _active_photos(steps: Tensor) -> list[int]:
    """How many photos still have words at each step; ``steps`` ``(P, K)``, longest photo first."""
    longest = steps.amax(dim=1)
    return [int((longest > position).sum()) for position in range(int(longest.max()))]


def _stack(parts: list[Tensor]) -> Tensor:
    """``T`` tensors ``(R_t, …)`` of falling ``R_t`` → ``(R_0, T, …)``, zero where a row has ended."""
    rows = parts[0].shape[0]
    padded = [nn.functional.pad(part, (0, 0, 0, rows - part.shape[0])) for part in parts]
    return torch.stack(padded, dim=1)


class Annotated(Protocol):
    """What a recurrence reads of P photos."""

    @property
    def projected(self) -> Tensor:
        """``(P, L, A)``, see `Annotations`."""

    def select(self, photos: list[int]) -> Self:
        """That of the photos named, in their order."""


A_contra = TypeVar("A_contra", bound=Annotated, contravariant=True)


class Recurrence(Protocol[A_contra]):
    """What a search asks of a decoder; see `Decoder.start` and `Decoder.step`."""

    def start(self, annotations: A_contra, /) -> DecoderState:
        """The first state ``(P, H)``."""

    def step(
        self, annotations: A_contra, state: DecoderState, words: Tensor, forced: Tensor | None = None, /
    ) -> DecoderStep:
        """One word further, for R = P·K rows."""
