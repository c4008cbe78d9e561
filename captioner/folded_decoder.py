"""The decoder for search only: what does not change from step to step is multiplied out once, a photo or a model.

Its products are of a few rows with a large matrix, where reading the matrix is what takes the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from captioner.attention import Annotations
from captioner.decoder import Decoder, DecoderState, DecoderStep, DeepOutput, lstm_state
from captioner.encoder import fast_dtype

Product = Callable[[Tensor], Tensor]
EXTREME = 87.0  # exp(±87) are ordinary numbers of float32


def product(weight: Tensor, bias: Tensor) -> Product:
    """``x ↦ x Wᵀ + b`` for ``(R, I)`` float32 rows, ``weight`` ``(O, I)``, ``bias`` ``(O,)``.

    On x86 processors the weights are kept in float16, which halves what a step reads of them; the sums
    stay in float32 (FBGEMM), so a result moves by about 2⁻¹¹ of its size. Elsewhere all is float32.
    """
    if weight.device.type == "cpu" and weight.dtype == torch.float32 and _has_half_weights():
        packed = torch.ops.quantized.linear_prepack_fp16(weight, bias)
        return lambda rows: torch.ops.quantized.linear_dynamic_fp16(rows, packed)
    return exact_product(weight, bias)


def exact_product(weight: Tensor, bias: Tensor) -> Product:
    """The same in the weights' own precision."""
    turned = weight.T.contiguous()
    return lambda rows: torch.addmm(bias, rows, turned)


def _has_half_weights() -> bool:
    return "fbgemm" in torch.backends.quantized.supported_engines and hasattr(
        torch.ops.quantized, "linear_dynamic_fp16"
    )


class FoldedAnnotations(NamedTuple):
    """All that the steps of a search read of P photos.

    The LSTM and the output layer read the context through matrices: ``M β Σ_i α_i a_i = β Σ_i α_i (M a_i)``.
    With the ``M a_i`` known, a step reads 196 rows of them in place of the largest matrices of the model.
    """

    projected: Tensor  # (P, L, A), W_a a_i where the activation is ReLU; exp(−2 W_a a_i) where it is tanh
    seen: Tensor  # (P, L, 4H + E), M a_i: through the LSTM's gates, then through L_z if the output is deep
    hidden: Tensor  # (P, H), the first state
    cell: Tensor  # (P, H)

    def select(self, photos: list[int]) -> FoldedAnnotations:
        """Those of the photos named, in their order."""
        return FoldedAnnotations(*(part[photos] for part in self))


class FoldedDecoder:
    """`Decoder.step` with its sums in another order, about ten times fewer weights to read a step.

    It needs the paper's gate of one number, which can be put before or after a matrix; see `foldable`.
    The decoder it is made from is not to be changed afterwards.

    Unless ``exact``, photos are annotated in the device's `fast_dtype`, and a step reads its largest weights
    in half precision (`product`): the bundled model's log-probabilities move by 0.0001 in the median.
    ``exact`` is float32 throughout.
    """

    @torch.inference_mode()
    def __init__(self, decoder: Decoder, *, exact: bool = False) -> None:
        if not foldable(decoder):
            raise ValueError("a gate of one number a feature cannot be folded; search with the decoder itself")
        self._decoder = decoder
        size, attention = decoder.config.embedding_size, decoder.attention
        from_word, from_context = decoder.lstm.weight_ih[:, :size], decoder.lstm.weight_ih[:, size:]
        read, query, output = [from_context], attention.hidden_projection, decoder.output
        prepared = exact_product if exact else product
        self._hidden: Product | None = None
        if isinstance(output, DeepOutput):
            read.append(output.context_projection.weight)
            self._hidden = prepared(output.hidden_projection.weight, decoder.embedding.weight.new_zeros(size))
        dtype = torch.float32 if exact else fast_dtype(decoder.embedding.weight.device)
        self._read = torch.cat(read).to(dtype)
        self._output = prepared(output.words.weight, output.words.bias)
        self._word = decoder.embedding.weight @ from_word.T + decoder.lstm.bias_ih + decoder.lstm.bias_hh
        self._sizes = (query.out_features, 1, 4 * decoder.config.hidden_size)
        # tanh(x + y) = 2 / (1 + exp(−2x) exp(−2y)) − 1, whose exponentials of 196 cells are taken once a photo;
        # the −1 would move all energies alike.
        self._tanh = decoder.config.activation == "tanh"
        self._scale = -2 if self._tanh else 1
        asking = [self._scale * query.weight, decoder.gate.weight, decoder.lstm.weight_hh]
        biases = [self._scale * query.bias, decoder.gate.bias, torch.zeros_like(decoder.lstm.bias_hh)]
        self._ask = prepared(torch.cat(asking), torch.cat(biases))
        self._energy = abs(self._scale) * attention.energy.weight[0]  # its bias would move all energies alike, too
        self._one = self._energy.new_ones(())

    @torch.inference_mode()
    def annotate(self, annotations: Annotations) -> FoldedAnnotations:
        """What the photos' annotations become, once a photo."""
        seen = (annotations.features.to(self._read.dtype) @ self._read.T).float()
        projected = self._scale * annotations.projected
        projected = _exponential(projected) if self._tanh else projected
        return FoldedAnnotations(projected, seen, *self._decoder.start(annotations))

    def start(self, annotations: FoldedAnnotations) -> DecoderState:
        """See `Decoder.start`."""
        return DecoderState(annotations.hidden, annotations.cell)

    @torch.inference_mode()
    def step(
        self, annotations: FoldedAnnotations, state: DecoderState, words: Tensor, forced: Tensor | None = None
    ) -> DecoderStep:
        """See `Decoder.step`."""
        asked = self._ask(state.hidden)
        query, gate, recurrent = torch.split_with_sizes(asked, self._sizes, dim=1)
        alpha = self._attend(annotations.projected, query) if forced is None else forced
        alpha = alpha.expand(len(annotations.seen), len(words) // len(annotations.seen), -1)
        beta = gate.sigmoid()
        seen = torch.bmm(alpha, annotations.seen).flatten(0, 1) * beta
        gates = self._word.index_select(0, words) + recurrent + seen[:, : recurrent.shape[1]]
        state = lstm_state(gates, state.cell)
        logits = self._predict(words, state.hidden, seen[:, recurrent.shape[1] :])
        return DecoderStep(logits, alpha.flatten(0, 1), beta, state)

    def _attend(self, projected: Tensor, query: Tensor) -> Tensor:
        photos, cells, size = projected.shape
        cell, asked = projected.unsqueeze(1), query.view(photos, -1, 1, size)
        if self._tanh:
            active = torch.addcmul(self._one, cell, _exponential(asked)).reciprocal_()  # (P, K, L, A)
        else:
            active = torch.relu_(cell + asked)
        energies = torch.mv(active.view(-1, size), self._energy)
        return energies.view(photos, -1, cells).softmax(dim=-1)

    def _predict(self, words: Tensor, hidden: Tensor, seen: Tensor) -> Tensor:
        if self._hidden is not None:
            hidden = self._decoder.embedding.weight.index_select(0, words) + seen + self._hidden(hidden)
        return self._output(hidden)


def _exponential(exponents: Tensor) -> Tensor:
    """Of exponents that are cut where float32 ends: neither factor is 0 or infinite, so their product is a number.

    It may be 0 or infinite itself, which is what the tanh of so large a sum becomes. Cut are projections beyond
    ±43, where only a sum of two that cancel each other would not be ±1 to the last bit.
    """
    return exponents.clamp(-EXTREME, EXTREME).exp_()


def foldable(decoder: Decoder) -> bool:
    """Whether `FoldedDecoder` can take the decoder's place."""
    return decoder.config.gate == "scalar"
