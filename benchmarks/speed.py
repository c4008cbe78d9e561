"""What a caption costs: against the encoder alone, against the tutorial's way, and as the work grows.

    python -m benchmarks.speed

Prints Markdown tables. All that is compared takes turns in one run, and a ratio is the median of
the ratios of each turn. ``--captions 1000`` shows whether memory stays flat; it takes its time.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import resnet101

from benchmarks.growth import growth
from benchmarks.serving import memory_rows, start_row
from benchmarks.timing import Seconds, interleaved, machine, median_difference, median_ratio, table
from benchmarks.tutorial_way import tutorial_search
from captioner.checkpoint import Checkpoint, load_checkpoint
from captioner.decoder import Decoder
from captioner.encoder_form import FORMS, EncoderInForm, Form
from captioner.folded_decoder import FoldedDecoder
from captioner.photo import prepare
from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from captioner.search import SearchSettings, search
from captioner.vocabulary import Vocabulary
from demo.page.examples import examples

BEAM = SearchSettings(beam_size=5)
GREEDY = SearchSettings(beam_size=1)
HEAD = ("", "measured", "aim")


class Contest:
    """The ways that are compared; each takes the photo of its turn."""

    def __init__(
        self, checkpoint: Checkpoint, photos: list[Path], device: torch.device, form: Form | None = None
    ) -> None:
        self._device = device
        self._captioner = Captioner(checkpoint, device, form)
        self._float32 = EncoderInForm(checkpoint.encoder, device, form="float32")
        self._encoder, self._decoder = checkpoint.encoder.to(device), checkpoint.decoder.to(device)
        self._bare = bare_resnet(checkpoint).to(device)
        self._photos = photos
        self._prepared = [prepare(photo, checkpoint.card.photo) for photo in photos]
        self._looks = self._captioner.look_many(photos)
        self._features = [self._encoded(photo.tensor) for photo in self._prepared]

    @property
    def encoder(self) -> EncoderInForm:
        """Ours, with its form."""
        return self._captioner.encoder

    @property
    def ways(self) -> dict[str, Callable[[int], object]]:
        """By name, for `interleaved`."""
        ways = {
            "bare": self._bare_forward,
            "encode": lambda turn: self._captioner.encoder(self._tensor(turn)),
            "encode in float32": lambda turn: self._float32(self._tensor(turn)),
            "read": lambda turn: prepare(self._photos[self._at(turn)], self._captioner.card.photo),
            "look": lambda turn: self._captioner.look(self._prepared[self._at(turn)]),
            "caption": lambda turn: self._captioner.caption(self._photos[self._at(turn)], BEAM),
            "first word": lambda turn: next(
                self._captioner.stream(self._captioner.look(self._photos[self._at(turn)]), GREEDY)
            ),
            "search": lambda turn: self._captioner.captions(self._looks[self._at(turn)], BEAM),
            "tutorial": self._tutorial,
            "tutorial's search": lambda turn: self.tutorial_words(self._at(turn)),
        }
        return {name: self._finished(way) for name, way in ways.items()}

    @torch.inference_mode()
    def same_captions(self) -> int:
        """Photos to which both searches give the same words, from the same features, ranked alike.

        The words that are never written are made unlikely for both: the tutorial writes them.
        """
        words, decoder = self._captioner.vocabulary, copy.deepcopy(self._decoder)
        decoder.output.words.bias[list(words.never_written)] = -1e9
        folded, same = FoldedDecoder(decoder), 0
        for features in self._features:
            annotations = folded.annotate(decoder.annotate(features))
            *_, (last,) = search(folded, annotations, words, replace(BEAM, length_penalty=0))
            same += list(last.leader.tokens) == _tutorial_ids(decoder, features, words)
        return same

    def tutorial_words(self, at: int) -> tuple[str, ...]:
        """The tutorial's caption of a photo that is encoded already."""
        return self._words(self._features[at])

    def _words(self, features: Tensor) -> tuple[str, ...]:
        words = self._captioner.vocabulary
        return tuple(map(words.word, _tutorial_ids(self._decoder, features, words)))

    def _tutorial(self, turn: int) -> tuple[str, ...]:
        return self._words(self._encoded(prepare(self._photos[self._at(turn)], self._captioner.card.photo).tensor))

    @torch.inference_mode()
    def _encoded(self, tensor: Tensor) -> Tensor:
        features: Tensor = self._encoder(tensor[None].to(self._device))
        return features

    @torch.inference_mode()
    def _bare_forward(self, turn: int) -> Tensor:
        logits: Tensor = self._bare(self._tensor(turn))
        return logits

    def _tensor(self, turn: int) -> Tensor:
        return self._prepared[self._at(turn)].tensor[None].to(self._device)

    def _at(self, turn: int) -> int:
        return turn % len(self._photos)

    def _finished(self, way: Callable[[int], object]) -> Callable[[int], object]:
        """The way, its work on a GPU awaited."""

        def act(turn: int) -> None:
            way(turn)
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)

        return act


def _tutorial_ids(decoder: Decoder, features: Tensor, words: Vocabulary) -> list[int]:
    return tutorial_search(decoder, features, words.start, words.end, BEAM.beam_size, BEAM.max_length)


def bare_resnet(checkpoint: Checkpoint) -> nn.Module:
    """torchvision's own ResNet-101 with the checkpoint's weights and dilation, as it comes."""
    model: nn.Module = resnet101(replace_stride_with_dilation=[False, False, checkpoint.encoder.config.dilated])
    model.load_state_dict(checkpoint.encoder.trunk.state_dict(), strict=False)  # the classifier stays random
    return model.eval()


def ratios(seconds: Seconds, form: Form) -> list[tuple[str, str, str]]:
    """The rows of the table, from the seconds of `Contest.ways`."""

    def ratio(one: str, other: str) -> float:
        return median_ratio(seconds[one], seconds[other])

    aims = AIMS[form]
    first = 1000 * median_difference(seconds["first word"], seconds["encode"])
    return [
        (
            "photo to caption, beam size 5 / bare ResNet-101, float32",
            f"{ratio('caption', 'bare'):.2f}",
            f"≤ {aims.caption}",
        ),
        ("the tutorial's way / ours, photo to caption", f"{ratio('tutorial', 'caption'):.1f}", f"≥ {aims.tutorial}"),
        ("the tutorial's search / ours", f"{ratio(TUTORIAL_SEARCH, 'search'):.1f}", "≥ 15"),
        ("a moved slider / encoding in float32", f"{ratio('search', 'encode in float32'):.3f}", "≤ 0.1"),
        ("a moved slider, beam size 5, ms", f"{1000 * statistics.median(seconds['search']):.0f}", "≤ 30"),
        ("first word, greedy, less the encoder, ms", f"{first:.0f}", "≤ 25"),
    ]


class Aims(NamedTuple):
    """Of a form: photo to caption over the bare forward at most, the tutorial's way over ours at least."""

    caption: float
    tutorial: float


AIMS: dict[Form, Aims] = {
    "int8": Aims(0.45, 4.5),
    "bfloat16": Aims(0.6, 3.5),
    "float32": Aims(1.0, 2.3),
    "exact": Aims(1.0, 2.3),
}
TUTORIAL_SEARCH = "tutorial's search"


def main() -> None:
    """Measure and print."""
    options = _options()
    print(f"{machine()}. Medians of {options.rounds} turns.\n")
    devices = [torch.device(name) for name in ("cpu", "cuda") if name == "cpu" or torch.cuda.is_available()]
    checkpoint = load_checkpoint(DEFAULT_CHECKPOINT)
    for device in devices:
        contest = Contest(checkpoint, [example.path for example in examples()], device, options.form)
        _print_contest(contest, device, options.rounds)
    columns = [growth(checkpoint, device, options.rounds, options.form) for device in devices]
    rows = [(label, *(f"{column[label]:.1f}" for column in columns)) for label in columns[0]]
    print("\n" + table(("ms", *(device.type for device in devices)), rows))
    if not options.skip_serving:
        rows_of_server = [start_row(options.starts), *memory_rows(options.captions)]
        print("\n" + table(HEAD, rows_of_server))


def _print_contest(contest: Contest, device: torch.device, rounds: int) -> None:
    seconds = interleaved(contest.ways, rounds)
    same = f"{contest.same_captions()} of {len(examples())}"
    rows: list[tuple[Any, ...]] = [
        *ratios(seconds, contest.encoder.form),
        ("photos with the tutorial's very caption", same, "all"),
    ]
    print(
        f"\n{device.type}, the encoder in {contest.encoder.form}, by {contest.encoder.engine}\n\n" + table(HEAD, rows)
    )
    print("\n" + table([*seconds], [[f"{1000 * statistics.median(each):.1f} ms" for each in seconds.values()]]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="turns that count, of every way")
    parser.add_argument("--form", choices=FORMS, help="of the encoder (default: the fastest one here)")
    parser.add_argument("--starts", type=int, default=5, help="starts of the page")
    parser.add_argument("--captions", type=int, default=100, help="after which the server's memory is read")
    parser.add_argument("--skip-serving", action="store_true", help="leave out the start and the memory")
    return parser.parse_args()


if __name__ == "__main__":
    main()
