"""Throughput of each stage of training on this machine, and the time for MS COCO that follows from it.

``python -m benchmarks.training --device cuda`` prints photos a second for encoding, for a step on cached features,
for a step through the encoder too, and for greedy captions; synthetic photos and captions, the full model.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import FEATURE_SIZE, Encoder, EncoderConfig, fast_dtype
from captioner.search import SearchSettings, search
from captioner.training.model import CaptionModel
from captioner.training.objective import ObjectiveConfig, objective
from captioner.vocabulary import Vocabulary

COCO_TRAIN, COCO_VAL = 113_287, 5_000  # photos of the Karpathy split, restval counted as train
WORDS = 11  # a caption's usual length, <end> included
HOURS = 3600


@dataclass(frozen=True)
class Options:
    """What to measure on."""

    device: torch.device
    batch: int
    captions: int
    repeats: int
    vocabulary_size: int = 9_000


def main() -> None:
    """Measure, print the numbers as JSON, and what they make of COCO."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, default=48, help="photos a batch")
    parser.add_argument("--captions", type=int, default=2, help="captions a photo")
    parser.add_argument("--repeats", type=int, default=10, help="timed batches, after two that are not")
    parser.add_argument("--blocks", type=int, nargs=4, default=[3, 4, 23, 3], help="of the encoder's stages")
    parser.add_argument("--epochs", type=int, default=12, help="epochs on cached features; 2 more tune the encoder")
    a = parser.parse_args()
    options = Options(torch.device(a.device), a.batch, a.captions, a.repeats)
    speeds = measure(options, EncoderConfig(tuple(a.blocks)))
    print(json.dumps({"device": device_name(options.device), "torch": torch.__version__, **speeds}, indent=1))
    print(json.dumps({f"MS COCO, {name}": f"{hours:.1f} h" for name, hours in coco_hours(speeds, a.epochs).items()}))


def measure(options: Options, config: EncoderConfig) -> dict[str, float]:
    """Photos a second of each stage, in a run's arithmetic; ``decoder steps`` a second are of greedy search."""
    torch.manual_seed(0)
    model = CaptionModel(Encoder(config), Decoder(DecoderConfig(options.vocabulary_size)), tuned=True)
    model.to(options.device).encoder.to(memory_format=torch.channels_last)
    photos = torch.randn(options.batch, 3, 256, 256, device=options.device)
    features = torch.randn(options.batch, config.grid**2, FEATURE_SIZE, device=options.device)
    seconds = {
        "encode": _seconds(lambda: _encode(model, photos), options),
        "step on cached features": _seconds(_training_step(model.decoder, features, options), options),
        "step through the encoder": _seconds(_training_step(model, photos, options), options),
        "greedy captions": _seconds(lambda: _search(model.decoder, features), options),
    }
    speeds = {f"{name}, photos/s": options.batch / each for name, each in seconds.items()}
    return speeds | {"greedy captions, decoder steps/s": SETTINGS.max_length / seconds["greedy captions"]}


def coco_hours(speeds: dict[str, float], epochs: int) -> dict[str, float]:
    """Hours by the measured speeds, if reading photos keeps up: three stages, and the data once through."""
    photos = COCO_TRAIN + COCO_VAL
    return {
        "features once": photos / speeds["encode, photos/s"] / HOURS,
        f"{epochs} epochs on cached features": epochs
        * COCO_TRAIN
        / speeds["step on cached features, photos/s"]
        / HOURS,
        "2 epochs through the encoder": 2 * COCO_TRAIN / speeds["step through the encoder, photos/s"] / HOURS,
        "one greedy caption of each val photo": COCO_VAL / speeds["greedy captions, photos/s"] / HOURS,
    }


def device_name(device: torch.device) -> str:
    """What a reader of the numbers would call it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {torch.get_num_threads()} threads"


def _arithmetic(device: torch.device) -> torch.autocast:
    """bfloat16 where the device has it, as of ``train --precision auto``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=fast_dtype(device) is torch.bfloat16)


SETTINGS = SearchSettings(beam_size=1, max_length=WORDS)


def _seconds(act: Callable[[], object], options: Options) -> float:
    """Of one call, mean over the repeats."""
    for _ in range(2):
        act()
    _finish(options.device)
    begun = time.perf_counter()
    for _ in range(options.repeats):
        act()
    _finish(options.device)
    return (time.perf_counter() - begun) / options.repeats


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@torch.inference_mode()
def _encode(model: CaptionModel, photos: Tensor) -> Tensor:
    with _arithmetic(photos.device):
        return model.annotate(photos)


@torch.inference_mode()
def _search(decoder: Decoder, features: Tensor) -> None:
    words = {f"w{number}": number for number in range(decoder.config.vocabulary_size - 4)}
    specials = ("<pad>", "<unk>", "<start>", "<end>")
    vocabulary = Vocabulary(words | {special: len(words) + place for place, special in enumerate(specials)})
    for _ in search(decoder.eval(), decoder.annotate(features), vocabulary, SETTINGS):
        pass


def _training_step(module: CaptionModel | Decoder, inputs: Tensor, options: Options) -> Callable[[], None]:
    captions = torch.randint(
        options.vocabulary_size, (options.batch * options.captions, WORDS + 1), device=inputs.device
    )
    lengths = torch.full((len(captions),), WORDS + 1, device=inputs.device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-5)

    def step() -> None:
        module.train()
        with _arithmetic(inputs.device):
            forced = module(inputs, captions, lengths)
            forced = forced if isinstance(module, Decoder) else forced[0]
            loss = objective(forced, ObjectiveConfig()).total
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


if __name__ == "__main__":
    main()
