"""``python -m captioner train``: one training run."""

from __future__ import annotations

import argparse
from pathlib import Path

from captioner.commands.data_options import add_data, sources_of
from captioner.training.options import add_options, read_options
from captioner.training.run import train
from captioner.training.run_config import RunConfig


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser("train", help="train a model on captioned photos")
    add_data(parser)
    parser.add_argument("--entities", type=Path, help="Flickr30k Entities boxes of --data, for --region-weight")
    parser.add_argument("--output", type=Path, required=True, help="run folder; an interrupted run goes on from it")
    add_options(parser, RunConfig)
    parser.set_defaults(run=_run)


def _run(a: argparse.Namespace) -> int:
    progress = train(read_options(RunConfig, a, sources=sources_of(a), output=a.output))
    print(f"{progress.epoch} epochs; best score {progress.best:.4f}; checkpoint in {a.output / 'checkpoint'}")
    return 0
