"""``python -m captioner import`` and ``quantize``: a tutorial's checkpoint brought in; one made ready for int8."""

from __future__ import annotations

import argparse
import random
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor
from tqdm import tqdm

from captioner.card import Card
from captioner.checkpoint import RANGES, Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from captioner.commands.folders import find
from captioner.compiled_encoder import activation_ranges
from captioner.photo import PhotoError, PhotoFormat, prepare
from captioner.quantization import Storage
from captioner.tutorial import read_tutorial

EPILOG = (
    "The tutorial is sgrvinod/a-PyTorch-Tutorial-to-Image-Captioning; its files hold pickled Python objects, "
    "of which nothing is run here."
)
PHOTOS, BATCH = 100, 10


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the commands."""
    _add_import(subparsers)
    _add_quantize(subparsers)


def _add_import(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("import", help="bring in a checkpoint of the PyTorch tutorial", epilog=EPILOG)
    parser.add_argument("checkpoint", type=Path, metavar="BEST_checkpoint_….pth.tar")
    parser.add_argument("word_map", type=Path, metavar="WORDMAP_….json", help="the words it was trained with")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to put it, such as checkpoints/NAME")
    parser.add_argument(
        "--storage", choices=get_args(Storage), default="float32", help="smaller files round the weights"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the model that is in FOLDER")
    parser.set_defaults(run=_import)


def _import(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    if _taken(folder) and not arguments.overwrite:
        raise CheckpointError(
            f"{folder}: expected a new folder, found one that is in use; name another, or add --overwrite"
        )
    imported = read_tutorial(arguments.checkpoint, arguments.word_map, folder.resolve().name, arguments.storage)
    card = written(folder, imported)
    sys.stdout.write(f"{_summary(card)}\nUse it: python -m captioner caption PHOTO --checkpoint {_quoted(folder)}\n")
    return 0


def written(folder: Path, checkpoint: Checkpoint) -> Card:
    """Save a checkpoint where somebody named it.

    Raises:
        CheckpointError: if that is no place to write to.
    """
    try:
        return save_checkpoint(folder, checkpoint)
    except OSError as error:
        raise CheckpointError(f"{folder}: expected a place to write to, found {error}; name another folder") from None


def at_least_one(text: str) -> int:
    """An option's whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def _taken(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _quoted(folder: Path) -> str:
    return shlex.quote(str(folder))


def _summary(card: Card) -> str:
    layers, grid, decoder = sum(card.encoder.blocks) * 3 + 2, card.encoder.grid, card.decoder
    said = "; ".join(f"{name}: {value}" for name, value in card.training.items())
    return (
        f"Brought in {card.name!r}: a ResNet-{layers} seen as {grid}×{grid} cells, an LSTM of {decoder.hidden_size}, "
        f"{decoder.vocabulary_size:,} words ({said})."
    )


def _add_quantize(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "quantize", help="measure activations on photos, so that the encoder can run in int8"
    )
    parser.add_argument("checkpoint", type=Path, help="folder of the model; gets ranges.safetensors")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photo, or folder of photos to train on")
    parser.add_argument("--recursive", action="store_true", help="the folders inside too")
    parser.add_argument(
        "--limit", type=at_least_one, default=PHOTOS, help="drawn photos at most (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.set_defaults(run=_quantize)


def _quantize(a: argparse.Namespace) -> int:
    checkpoint = load_checkpoint(a.checkpoint)
    photos = find(a.photos, a.recursive).photos
    drawn = sorted(random.Random(a.seed).sample(photos, min(a.limit, len(photos))))
    unread: list[Path] = []
    ranges = activation_ranges(checkpoint.encoder, _batches(drawn, checkpoint.card.photo, unread))
    written(a.checkpoint, checkpoint._replace(ranges=ranges))
    print(
        f"{a.checkpoint / RANGES}: ranges of {len(ranges)} activations, measured on {len(drawn) - len(unread)} photos"
    )
    return 1 if unread else 0


def _batches(photos: Sequence[Path], photo_format: PhotoFormat, unread: list[Path]) -> Iterator[Tensor]:
    """Batches of the photos; those that cannot be read are named, and noted."""
    tensors: list[Tensor] = []
    for path in tqdm(photos, desc="photos", leave=False):
        try:
            tensors.append(prepare(path, photo_format).tensor)
        except PhotoError as error:
            unread.append(path)
            print(f"{path}: {error}", file=sys.stderr)
        if len(tensors) == BATCH:
            yield torch.stack(tensors)
            tensors.clear()
    if tensors:
        yield torch.stack(tensors)
