"""``python -m captioner import``: bring in a checkpoint of the well-known PyTorch tutorial."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import get_args

from captioner.card import Card
from captioner.checkpoint import CheckpointError, save_checkpoint
from captioner.quantization import Storage
from captioner.tutorial import read_tutorial

EPILOG = (
    "The tutorial is sgrvinod/a-PyTorch-Tutorial-to-Image-Captioning; its files hold pickled Python objects, "
    "of which nothing is run here."
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("import", help="bring in a checkpoint of the PyTorch tutorial", epilog=EPILOG)
    parser.add_argument("checkpoint", type=Path, metavar="BEST_checkpoint_….pth.tar")
    parser.add_argument("word_map", type=Path, metavar="WORDMAP_….json", help="the words it was trained with")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to put it, such as checkpoints/NAME")
    parser.add_argument(
        "--storage", choices=get_args(Storage), default="float32", help="smaller files round the weights"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the model that is in FOLDER")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    if _taken(folder) and not arguments.overwrite:
        raise CheckpointError(
            f"{folder}: expected a new folder, found one that is in use; name another, or add --overwrite"
        )
    imported = read_tutorial(arguments.checkpoint, arguments.word_map, folder.resolve().name, arguments.storage)
    try:
        card = save_checkpoint(folder, imported)
    except OSError as error:
        raise CheckpointError(f"{folder}: expected a place to write to, found {error}; name another folder") from None
    sys.stdout.write(f"{_summary(card)}\nUse it: python -m captioner caption PHOTO --checkpoint {_quoted(folder)}\n")
    return 0


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
