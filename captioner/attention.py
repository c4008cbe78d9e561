"""Soft attention: energies, alpha, context (Xu et al. 2015, equations 4 to 6 and 13)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

Activation = Literal["tanh", "relu"]


class Annotations(NamedTuple):
    """The annotations ``a_i`` of P photos, computed once a photo and shared by all its captions."""

    features: Tensor  # (P, L, D)
    projected: Tensor  # (P, L, A), W_a a_i: never changes, so it is computed once

    def select(self, photos: list[int]) -> Annotations:
        """Those of the photos named, in their order."""
        return Annotations(*(part[photos] for part in self))


class Attended(NamedTuple):
    """What one look at the photos gave, for R = P·K rows (K captions a photo, photo-major)."""

    alpha: Tensor  # (R, L), rows sum to 1
    context: Tensor  # (R, D), Σ_i α_i a_i, ungated
    energies: Tensor  # (R, L), the model's own, whatever alpha was forced


class SoftAttention(nn.Module):
    """``e_i = w · f(W_a a_i + W_h h)``, ``α = softmax(e)``, ``z = Σ_i α_i a_i``.

    ``f`` is tanh (Bahdanau et al. 2015, and the paper's own code) or relu (the PyTorch tutorial).
    """

    def __init__(self, feature_size: int, hidden_size: int, attention_size: int, activation: Activation) -> None:
        super().__init__()
        self.feature_projection = nn.Linear(feature_size, attention_size)
        self.hidden_projection = nn.Linear(hidden_size, attention_size)
        self.energy = nn.Linear(attention_size, 1)
        self.activation = {"tanh": torch.tanh, "relu": torch.relu}[activation]

    def project(self, features: Tensor) -> Annotations:
        """``(P, L, D)`` features → annotations with their projection."""
        return Annotations(features, self.feature_projection(features))

    def forward(self, annotations: Annotations, hidden: Tensor, forced: Tensor | None = None) -> Attended:
        """Attend with ``hidden`` ``(P·K, H)``; the K rows of a photo share its annotations uncopied.

        ``forced`` ``(L,)``, summing to 1, takes the place of every row's softmax.
        """
        photos = annotations.features.shape[0]
        query = self.hidden_projection(hidden).view(photos, -1, 1, self.energy.in_features)
        energies = self._energies(annotations.projected.unsqueeze(1), query)  # (P, K, L)
        alpha = energies.float().softmax(dim=-1) if forced is None else forced.expand_as(energies)
        context = alpha.to(annotations.features.dtype) @ annotations.features  # (P, K, D)
        return Attended(alpha.flatten(0, 1), context.flatten(0, 1), energies.flatten(0, 1))

    def _energies(self, projected: Tensor, query: Tensor) -> Tensor:
        """``(P, 1, L, A)`` and ``(P, K, 1, A)`` → ``(P, K, L)``."""
        if self.activation is torch.tanh and torch.is_grad_enabled():
            energies: Tensor = _TanhEnergies.apply(projected, query, self.energy.weight[0])
            return energies + self.energy.bias
        return self.energy(self.activation(projected + query)).squeeze(-1)  # type: ignore[no-any-return]


class _TanhEnergies(torch.autograd.Function):
    """``w · tanh(a + b)``: in training nothing is as large as the sums in it, so they are gone over less often."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, query: Tensor, weight: Tensor) -> Tensor:
        """See `SoftAttention._energies`; ``weight`` ``(A,)``."""
        activated = (projected + query).tanh_()
        ctx.save_for_backward(activated, weight)
        return activated @ weight

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``g w (1 − tanh²)``, summed over what was broadcast, and ``Σ g tanh``."""
        activated, weight = ctx.saved_tensors
        of_weight = gradient.reshape(-1) @ activated.flatten(0, 2)
        of_sum = torch.ops.aten.tanh_backward(gradient.unsqueeze(-1).expand_as(activated), activated)
        return of_sum.sum(dim=1, keepdim=True) * weight, of_sum.sum(dim=2, keepdim=True) * weight, of_weight
