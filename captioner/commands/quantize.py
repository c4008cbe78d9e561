"""``python -m captioner quantize CHECKPOINT PHOTO…``: what the encoder needs to run in int8, put beside a model."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from captioner.checkpoint import RANGES, load_checkpoint, save_checkpoint
from captioner.commands.folder import find
from captioner.compiled_encoder import activation_ranges
from captioner.photo import PhotoError, PhotoFormat, prepare

PHOTOS, BATCH = 100, 10


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "quantize", help="measure activations on photos, so that the encoder can run in int8"
    )
    parser.add_argument("checkpoint", type=Path, help="folder of the model; gets ranges.safetensors")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photo, or folder of photos to train on")
    parser.add_argument("--recursive", action="store_true", help="the folders inside too")
    parser.add_argument("--limit", type=int, default=PHOTOS, help="drawn photos at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    checkpoint = load_checkpoint(a.checkpoint)
    photos = find(a.photos, a.recursive).photos
    drawn = sorted(random.Random(a.seed).sample(photos, min(a.limit, len(photos))))
    ranges = activation_ranges(checkpoint.encoder, _batches(drawn, checkpoint.card.photo))
    save_checkpoint(a.checkpoint, checkpoint._replace(ranges=ranges))
    print(f"{a.checkpoint / RANGES}: ranges of {len(ranges)} activations, measured on {len(drawn)} photos")
    return 0


def _batches(photos: Sequence[Path], photo_format: PhotoFormat) -> Iterator[Tensor]:
    tensors: list[Tensor] = []
    for path in tqdm(photos, desc="photos", leave=False):
        try:
            tensors.append(prepare(path, photo_format).tensor)
        except PhotoError as error:
            print(f"{path}: {error}", file=sys.stderr)
        if len(tensors) == BATCH:
            yield torch.stack(tensors)
            tensors.clear()
    if tensors:
        yield torch.stack(tensors)
