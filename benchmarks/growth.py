"""How the cost of a caption grows: with the beam, with its length, with the number of photos."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable

import torch

from benchmarks.timing import interleaved
from captioner.checkpoint import Checkpoint
from captioner.encoder_form import EncoderInForm, Form
from captioner.folded_decoder import FoldedAnnotations, FoldedDecoder
from captioner.search import SearchSettings, search
from captioner.vocabulary import Vocabulary

BEAMS, LENGTHS, PHOTOS = (1, 3, 5, 10), (5, 10, 20, 40), (1, 2, 4, 8)
LENGTH = 10


def growth(checkpoint: Checkpoint, device: torch.device, rounds: int, form: Form | None = None) -> dict[str, float]:
    """Median milliseconds by what is done; captions never end before their length, so that it is known."""
    encoder = EncoderInForm(checkpoint.encoder, device, checkpoint.ranges, form)
    decoder = copy.deepcopy(checkpoint.decoder).to(device)
    with torch.no_grad():
        decoder.output.words.bias[checkpoint.vocabulary.end] = -1e9
    folded, side = FoldedDecoder(decoder), checkpoint.card.photo.size
    photos = torch.randn(max(PHOTOS), 3, side, side, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.inference_mode():
        annotations = folded.annotate(decoder.annotate(encoder(photos)))
    words = checkpoint.vocabulary

    def searching(count: int, beam: int, length: int) -> Callable[[int], None]:
        read = annotations.select(list(range(count)))
        return lambda _: _search(folded, read, words, SearchSettings(beam, max_length=length))

    ways: dict[str, Callable[[int], object]] = {}
    ways |= {f"search, beam size {beam}, {LENGTH} words": searching(1, beam, LENGTH) for beam in BEAMS}
    ways |= {f"search, beam size 5, a caption of {length} words": searching(1, 5, length) for length in LENGTHS}
    ways |= {f"search, beam size 5, {count} photos at once, each": searching(count, 5, LENGTH) for count in PHOTOS}
    ways |= {f"encoder, {count} photos at once, each": _encoding(encoder, photos[:count]) for count in PHOTOS}
    seconds = interleaved(ways, rounds)
    return {name: 1000 * statistics.median(each) / _photos(name) for name, each in seconds.items()}


def _photos(name: str) -> int:
    """Among which the time of a way is divided."""
    return next((count for count in PHOTOS if f" {count} photos" in name), 1)


def _encoding(encoder: EncoderInForm, photos: torch.Tensor) -> Callable[[int], object]:
    return lambda _: encoder(photos).sum().item()  # a number on the processor: the work is done


def _search(
    decoder: FoldedDecoder, annotations: FoldedAnnotations, words: Vocabulary, settings: SearchSettings
) -> None:
    for _ in search(decoder, annotations, words, settings):
        pass
