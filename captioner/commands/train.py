"""``python -m captioner train``, ``reproduce`` and ``average``: a run, a recipe of runs, the mean of several.

And how every command of training is told where the data lie.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from captioner.commands.checkpoints import written
from captioner.training.data.sources import Source, read_sources
from captioner.training.optimization import mean_checkpoint
from captioner.training.options import OptionError, add_options, pairs, read_options
from captioner.training.recipes import Files, check_files, read_recipe, reproduce
from captioner.training.run import train
from captioner.training.run_config import Precision, RunConfig


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the commands."""
    _add_train(subparsers)
    _add_average(subparsers)
    _add_reproduce(subparsers)


def add_data(parser: argparse.ArgumentParser) -> None:
    """``--sources``, or ``--data`` and ``--photos``."""
    parser.add_argument("--sources", type=Path, help="JSON of several data sets; see docs/data.md")
    parser.add_argument("--data", type=Path, help="captions of a single data set instead; see docs/data.md")
    parser.add_argument("--photos", type=Path, help="folder of its photos")
    parser.add_argument("--val", type=Path, help="list of its val photos, where the captions' form has no splits")


def sources_of(a: argparse.Namespace) -> tuple[Source, ...]:
    """The data sets that were named.

    Raises:
        OptionError: if none, or both ways at once.
    """
    if a.sources is not None:
        if a.data or a.photos or a.val or getattr(a, "entities", None):
            raise OptionError("--sources names data, photos and boxes itself; leave the options for a single set out")
        return read_sources(a.sources)
    if a.data is None or a.photos is None:
        raise OptionError("name the data: --data CAPTIONS --photos FOLDER, or --sources SOURCES.json for several sets")
    return (Source("", a.data, a.photos, getattr(a, "entities", None), a.val),)


def _add_train(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("train", help="train a model on captioned photos")
    add_data(parser)
    parser.add_argument("--entities", type=Path, help="Flickr30k Entities boxes of --data, for --region-weight")
    parser.add_argument("--output", type=Path, required=True, help="run folder; an interrupted run goes on from it")
    add_options(parser, RunConfig)
    parser.set_defaults(run=_train)


def _train(a: argparse.Namespace) -> int:
    progress = train(read_options(RunConfig, a, sources=sources_of(a), output=a.output))
    print(f"{progress.epoch} epochs; best score {progress.best:.4f}; checkpoint in {a.output / 'checkpoint'}")
    return 0


def _add_reproduce(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    parser.set_defaults(run=_reproduce)


def _reproduce(a: argparse.Namespace) -> int:
    files = Files(sources_of(a), a.precision, a.encoder_weights, a.start_from, a.teachers, a.workers)
    recipe = read_recipe(a.recipe)
    if not a.other_files:
        check_files(recipe, files)
    print(f"checkpoint in {reproduce(recipe, files, a.output)}")
    return 0


def _add_average(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("average", help="the mean of the weights of several checkpoints")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="checkpoint folders of one shape and vocabulary")
    parser.add_argument("--output", type=Path, required=True, help="checkpoint folder to write")
    parser.set_defaults(run=_average)


def _average(a: argparse.Namespace) -> int:
    written(a.output, mean_checkpoint(a.checkpoints))
    print(f"checkpoint in {a.output}")
    return 0
