"""What a search asks of a decoder and of the annotations it reads, whichever form they are in."""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

from torch import Tensor

from captioner.decoder import DecoderState, DecoderStep


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
