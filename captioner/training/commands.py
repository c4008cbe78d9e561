"""``python -m captioner train``, ``evaluate``, ``average`` and ``reproduce``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from captioner.checkpoint import save_checkpoint
from captioner.training import evaluate_command, train_options
from captioner.training.averaging import mean_checkpoint
from captioner.training.recipes import Sources, read_recipe, reproduce
from captioner.training.run import train

Subparsers = Any  # argparse keeps the type of its sub-parsers private


def add_parsers(subparsers: Subparsers) -> None:
    """Register the four commands."""
    training = subparsers.add_parser("train", help="train a model on a Karpathy split JSON and a photo folder")
    train_options.add_arguments(training)
    training.set_defaults(run=_train)
    evaluation = subparsers.add_parser("evaluate", help="score a checkpoint with BLEU, METEOR, ROUGE-L and CIDEr")
    train_options.add_data(evaluation)
    evaluate_command.add_arguments(evaluation)
    _add_average(subparsers.add_parser("average", help="the mean of the weights of several checkpoints"))
    _add_reproduce(subparsers.add_parser("reproduce", help="train by a recipe of several stages"))


def _train(a: argparse.Namespace) -> int:
    progress = train(train_options.run_config(a))
    print(f"{progress.epoch} epochs; best val {a.metric} {progress.best:.4f}; checkpoint in {a.output / 'checkpoint'}")
    return 0


def _add_average(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoints", type=Path, nargs="+", help="checkpoint folders of one shape and vocabulary")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write")
    parser.set_defaults(run=_average)


def _average(a: argparse.Namespace) -> int:
    save_checkpoint(a.output, mean_checkpoint(a.checkpoints))
    print(f"checkpoint in {a.output}")
    return 0


def _add_reproduce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", type=Path, help="JSON of the stages; see captioner/training/recipes.py")
    parser.add_argument("--data", type=Path, required=True, help="Karpathy split JSON")
    parser.add_argument("--photos", type=Path, required=True, help="folder of the photos")
    parser.add_argument(
        "--entities", type=Path, help="Flickr30k Entities boxes, for stages with a region- or concept-weight"
    )
    parser.add_argument("--teacher", type=Path, help="DenseNet-169 .safetensors, for stages with a teacher-weight")
    parser.add_argument("--text", type=Path, help="sentences without photos, for stages with a text-weight")
    parser.add_argument("--encoder-weights", help="for stages that start from nothing: as of `train`")
    parser.add_argument("--start-from", type=Path, help="checkpoint for such stages instead")
    parser.add_argument("--precision", choices=("no", "bf16", "fp16"), default="bf16")
    parser.add_argument("--output", type=Path, required=True, help="a folder a stage; an interrupted recipe goes on")
    parser.set_defaults(run=_reproduce)


def _reproduce(a: argparse.Namespace) -> int:
    sources = Sources(a.data, a.photos, a.precision, a.entities, a.encoder_weights, a.start_from, a.teacher, a.text)
    print(f"checkpoint in {reproduce(read_recipe(a.recipe), sources, a.output)}")
    return 0
