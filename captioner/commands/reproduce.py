"""``python -m captioner reproduce``: a whole training from one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from captioner.commands.data_options import add_data, sources_of
from captioner.training.options import pairs
from captioner.training.recipes import Files, check_files, read_recipe, reproduce
from captioner.training.run_config import Precision


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("reproduce", help="train by a recipe of several stages")
    parser.add_argument("recipe", type=Path, help="JSON of the stages; see captioner/training/recipes.py")
    add_data(parser)
    parser.add_argument("--entities", type=Path, help="Flickr30k Entities boxes of --data, for stages that use them")
    parser.add_argument("--teachers", type=pairs, default={}, help="as of `train`, for stages with a teacher-weight")
    parser.add_argument("--encoder-weights", help="for stages that start from nothing: as of `train`")
    parser.add_argument("--start-from", type=Path, help="checkpoint for such stages instead")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    parser.add_argument("--workers", type=int, default=0, help="processes that read batches ahead")
    parser.add_argument("--other-files", action="store_true", help="follow it with files that are not the recipe's")
    parser.add_argument("--output", type=Path, required=True, help="a folder a stage; an interrupted recipe goes on")
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    files = Files(sources_of(a), a.precision, a.encoder_weights, a.start_from, a.teachers, a.workers)
    recipe = read_recipe(a.recipe)
    if not a.other_files:
        check_files(recipe, files)
    print(f"checkpoint in {reproduce(recipe, files, a.output)}")
    return 0
